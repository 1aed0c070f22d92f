"""The example `examples/edges.py`, on little data."""

import numpy as np
import pytest
from scipy.signal import correlate2d
from script_tools import load_example, run_example, with_and_without_a_plot


@pytest.fixture(scope="module")
def edges():
    return load_example("edges")


def test_edges_of_numbers(edges):
    found = edges.convolve(edges.NUMBERS, [edges.VERTICAL])[..., 0]
    expected = correlate2d(edges.NUMBERS, edges.VERTICAL, mode="valid")
    np.testing.assert_array_equal(found, expected)
    assert found[0, 0] == -5
    found = edges.convolve(edges.BRIGHT_TO_DARK, [edges.VERTICAL, edges.VERTICAL.T])
    np.testing.assert_array_equal(found[..., 0], [[0, 30, 30, 0]] * 4)
    # There is no horizontal edge in it, and none in the maps.
    np.testing.assert_array_equal(found[..., 1], np.zeros((4, 4)))


def test_edges_find_a_square(edges):
    photo = np.zeros((20, 24, 3), dtype=np.uint8)
    photo[6:14, 8:16] = 200
    network = edges.make_sobel(photo)
    gray = network.activations(photo[None], "gray")[0, ..., 0]
    assert gray[10, 10] == pytest.approx(200)
    assert gray[0, 0] == 0
    slopes = network.activations(photo[None], "edges")[0]
    # Rows and columns of the maps are those of the photo, less one at each side.
    np.testing.assert_allclose(slopes[9, [6, 7, 14, 15], 0], [800, 800, -800, -800])
    np.testing.assert_allclose(slopes[[4, 5, 12, 13], 11, 1], [800, 800, -800, -800])
    assert not slopes[9:11, 9:12].any()
    assert not slopes[0].any()
    assert edges.deviation(gray, slopes) < 1e-6
    assert edges.deviation(gray, slopes[..., ::-1]) > 0.5
    lines = edges.draw(np.hypot(slopes[..., 0], slopes[..., 1]), 9, 11)
    assert [len(line) for line in lines] == [11] * 9
    assert lines[0].strip() == ""
    assert lines[2].strip() != ""
    assert lines[4][5] == " "


@with_and_without_a_plot
def test_edges_of_a_photograph(edges, draws, tmp_path, capsys):
    pytest.importorskip("PIL")
    run_example(edges, draws, tmp_path)
    out = capsys.readouterr().out
    assert "    3   0   1   2   7   4      -5   -4    0    8\n" in out
    assert "   10  10  10   0   0   0       0   30   30    0\n" in out
    assert "on a photograph of (427, 640, 3): maps of (425, 638, 2)" in out


def test_edges_without_pillow(edges, monkeypatch):
    def missing(_):
        raise ImportError("no Pillow")

    monkeypatch.setattr(edges, "load_sample_image", missing)
    with pytest.raises(SystemExit, match="needs Pillow: pip install pillow"):
        edges.load_photo()
