"""The example `examples/checkerboard.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_example


@pytest.fixture(scope="module")
def checkerboard():
    return load_example("checkerboard")


def test_checkerboard_is_there_and_gone(checkerboard):
    maps = {
        way: checkerboard.enlarge(layers, random=False)
        for way, layers in checkerboard.WAYS.items()
    }
    uneven = maps.pop("transposed, kernel 3, stride 2")
    # Along an axis, one kernel covers every other position, and two those between.
    counts = np.ones(2 * checkerboard.SIZE + 1)
    counts[2:-1:2] = 2
    np.testing.assert_allclose(uneven[..., 0], np.outer(counts, counts))
    # Of the counts 1, 2, 2, 4 the mean is 9/4, and 25/4 the mean square.
    assert checkerboard.unevenness(uneven) == pytest.approx(np.sqrt(1 - 81 / 100))
    assert len(maps) == 3
    for even in maps.values():
        assert checkerboard.unevenness(even) < 1e-12


def test_checkerboard_of_random_weights(checkerboard):
    for way, layers in checkerboard.WAYS.items():
        maps = checkerboard.enlarge(layers, random=True)
        assert maps.shape[-1] == checkerboard.FILTERS
        found = checkerboard.unevenness(maps)
        assert found > 0.5 if way.startswith("transposed") else found < 1e-12


def test_checkerboard_prints_numbers(checkerboard, capsys):
    assert checkerboard.main([]) == 0
    out = capsys.readouterr().out
    for way in checkerboard.WAYS:
        assert way in out
    assert "kernel 3, stride 2       0.436" in out


@pytest.mark.matplotlib
def test_checkerboard_saves_a_picture(checkerboard, tmp_path, capsys):
    path = tmp_path / "picture.png"
    assert checkerboard.main(["--plot", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    assert f"Drawn to {path}" in capsys.readouterr().out
