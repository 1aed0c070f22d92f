"""The example `examples/photographs.py`, on few small pictures."""

import re
from functools import partial

import numpy as np
import pytest
from script_tools import load_example
from sklearn.datasets import load_sample_images


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Write cuts of the two photographs that ship with scikit-learn as a file."""
    rng = np.random.default_rng(0)
    cuts, labels = [], []
    for label, image in enumerate(load_sample_images().images):
        for _ in range(80):
            top, left = (rng.integers(0, size - 32) for size in image.shape[:2])
            cuts.append(image[top : top + 32, left : left + 32])
            labels.append(label)
    order = rng.permutation(len(cuts))
    X, y = np.array(cuts)[order], np.array(labels)[order]
    path = tmp_path_factory.mktemp("photographs") / "cuts.npz"
    np.savez(path, X_train=X[:120], y_train=y[:120], X_test=X[120:], y_test=y[120:])
    return path


def test_the_network_and_its_rivals_are_measured(data, capsys, monkeypatch):
    example = load_example("photographs")
    names = ["network", *example.make_baselines()]
    boosted = partial(example.HistGradientBoostingClassifier, max_iter=2)
    monkeypatch.setattr(example, "HistGradientBoostingClassifier", boosted)
    assert example.main(["--data", str(data), "--epochs", "10", "--baselines"]) == 0
    found = re.findall(
        r"^([\w ]+): ([\d.]+)% after [\d.]+ min", capsys.readouterr().out, re.M
    )
    assert [name for name, _ in found] == names
    assert min(float(accuracy) for _, accuracy in found) > 70


def test_a_fifth_is_held_out_to_validate(data):
    photographs = load_example("photographs").load_photographs(data)
    held_out = photographs.held_out(5)
    assert [len(own) for own in held_out] == [96, 96, 24, 24]
    np.testing.assert_array_equal(held_out.X_test, photographs.X_train[96:])


def test_gradients_of_an_edge_have_one_direction():
    hog = load_example("_hog")
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[:, :, 16:] = 255  # gradients point to the right
    n = hog.N_DIRECTIONS
    features = hog.hog_features(image)[0]
    blocks = features[: 7 * 7 * 4 * n].reshape(7, 7, 4, n)
    assert (blocks[..., 1:] == 0).all()
    # At the edge, each block has a norm of nearly 1, and elsewhere none.
    norms = np.linalg.norm(blocks, axis=(2, 3))
    assert (norms[:, [2, 3, 4]] > 0.99).all()
    assert (norms[:, [0, 1, 5, 6]] == 0).all()
    # A brighter image has the same directions.
    dim = hog.hog_features(image // 2)[0]
    np.testing.assert_allclose(dim[: blocks.size], blocks.ravel(), atol=2e-3)


def test_directions_between_two_share_their_votes():
    """The gradients of a slanted plane have the direction of its slope."""
    hog = load_example("_hog")
    y, x = np.mgrid[:32, :32]
    n = hog.N_DIRECTIONS
    for k in (1.0, 2.5, 8.5):
        angle = np.pi * k / n
        plane = 40 * (np.cos(angle) * x + np.sin(angle) * y)
        image = np.repeat((128 + plane)[None, :, :, None] / 16, 3, axis=3)
        features = hog.hog_features(image)[0][: 7 * 7 * 4 * n].reshape(-1, n)
        lower, part = int(k) % n, k % 1
        expected = np.zeros(n)
        expected[lower] += 1 - part
        expected[(lower + 1) % n] += part
        own = features.sum(axis=0)
        np.testing.assert_allclose(own / own.sum(), expected, atol=1e-4)
