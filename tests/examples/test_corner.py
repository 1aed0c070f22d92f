"""The example `examples/corner.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_example, run_example, with_and_without_a_plot


@pytest.fixture(scope="module")
def corner():
    return load_example("corner")


def test_corner_pictures(corner):
    X, y = corner.pictures(corner.PLACES)
    assert X.shape == (9 * 16, 4, 4)
    assert y.sum() == 9
    assert set(X[y].sum(axis=(1, 2))) == {3}
    # All corners are different pictures, and no other shape is one of them.
    assert len(np.unique(X[y], axis=0)) == 9
    assert not (X[~y][:, None] == X[y][None]).all(axis=(2, 3)).any()
    X, y = corner.pictures([(2, 0)])
    np.testing.assert_array_equal(
        X[y][0], [[0] * 4, [0] * 4, [1, 1, 0, 0], [0, 1, 0, 0]]
    )


def test_corner_is_found_everywhere_by_the_convolution_alone(corner, monkeypatch):
    dense = corner.fit("dense", corner.MIDDLE)
    expected = np.ones((4, 4), dtype=bool)
    expected[1:3, 1:3] = False
    np.testing.assert_array_equal(corner.unchanged_cells(dense), expected)
    probabilities = corner.corner_everywhere(dense)
    assert probabilities[1, 1] > 0.9
    assert np.sum(probabilities > 0.5) < 5

    # For the convolution a shape is the same wherever it is.
    model = corner.fit("convolutional", corner.MIDDLE)
    X, y = corner.pictures(corner.PLACES)
    by_place = model.predict_proba(X).reshape(9, 16, 2)
    np.testing.assert_allclose(by_place, by_place[[4] * 9], rtol=0, atol=1e-12)
    assert model.score(X, y) == 1

    monkeypatch.setattr(corner, "N_STARTS", 2)
    for places in corner.TRAINED_ON.values():
        seen, elsewhere = corner.accuracies("dense", places)
        assert seen > 0.95
        assert elsewhere < 0.75
        np.testing.assert_allclose(corner.accuracies("convolutional", places), [1, 1])


@with_and_without_a_plot
def test_corner(corner, draws, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(corner, "N_STARTS", 1)
    run_example(corner, draws, tmp_path)
    out = capsys.readouterr().out
    assert "the middle                 convolutional    1.000      1.000\n" in out
    assert "    . . . .\n    . # # .\n    . # # .\n    . . . .\n" in out
