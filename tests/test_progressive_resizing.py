"""Images that are small at first, and grow with the epochs."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from augmentation_tools import cut_minibatches
from checkpoint_tools import assert_equal, interrupted
from hypothesis import given
from hypothesis import strategies as st
from layer_tools import batch_first, batch_last
from numpy.testing import assert_allclose, assert_array_equal

from skconvnet import ConvNetClassifier, SequentialClassifier
from skconvnet.augmentation import Flip, Mixup, ProgressiveResizing, Shift
from skconvnet.augmentation.base import Batch
from skconvnet.augmentation.origin import Epoch, Origin
from skconvnet.augmentation.progressive_resizing import stage_of
from skconvnet.layers import Conv2D, GlobalAvgPool
from skconvnet.ops.workspace import Workspace

X = np.random.default_rng(0).uniform(size=(24, 12, 8, 2))
y = np.arange(24) % 3


def network(augmentation=None, **params):
    params = {"max_iter": 6, "n_iter_no_change": np.inf, "random_state": 0, **params}
    return ConvNetClassifier(
        (3, 4), hidden_layer_sizes=5, global_pooling="avg", augmentation=augmentation,
        **params,
    )  # fmt: skip


def resized(X, number, n_planned=6, **params):
    """Return the samples as in an epoch of a training."""
    augmenter = ProgressiveResizing(**params).build(X.shape[1:])
    origin = Origin(np.arange(len(X)), Epoch(number, 0, n_planned))
    batch = Batch(batch_last(X), np.zeros((1, len(X))), 1.0, origin)
    return batch_first(augmenter(batch, np.random.default_rng(0), Workspace()).x)


def means(X, length, axis):
    """Return means over equal parts of an axis, by repeating each value often."""
    n = X.shape[axis]
    repeated = np.repeat(X, length, axis)
    parts = np.split(repeated, length, axis)
    assert all(part.shape[axis] == n for part in parts)
    return np.concatenate([part.mean(axis, keepdims=True) for part in parts], axis)


@given(
    spatial=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    smallest=st.floats(0.05, 1.0),
    stages=st.integers(2, 5),
    number=st.integers(0, 9),
)
def test_pixels_are_means_of_the_areas_that_they_cover(
    spatial, smallest, stages, number
):
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(3, *spatial, 2))
    if all(max(round(smallest * n), 1) == n for n in spatial):
        augmentation = ProgressiveResizing(smallest, stages)
        assert augmentation.build((*spatial, 2)) is None
        return
    own = resized(samples, number, 10, smallest=smallest, stages=stages)
    # The tenths of the time that are left after the epoch belong to the last stages.
    stage = stages - 1 - math.floor(Fraction(9 - number, 10) * stages)
    factor = smallest + (1 - smallest) * stage / (stages - 1)
    expected = samples
    for axis, n in enumerate(spatial, start=1):
        expected = means(expected, max(round(factor * n), 1), axis)
    assert own.shape == expected.shape
    assert_allclose(own, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_planned", range(1, 12))
@pytest.mark.parametrize("stages", [2, 3, 5])
def test_stages_have_equal_lengths_and_end_with_the_full_size(n_planned, stages):
    seen = [stage_of(Epoch(i, 0, n_planned), stages) for i in range(n_planned)]
    assert seen == sorted(seen)
    assert seen[-1] == stages - 1
    counts = np.bincount(seen, minlength=stages)
    assert np.ptp(counts[counts > 0] if n_planned < stages else counts) <= 1
    assert stage_of(Epoch(n_planned + 3, 0, n_planned), stages) == stages - 1


def test_sizes_of_a_fit_grow_by_equal_steps():
    def sizes(n_epochs, **params):
        return [resized(X, i, n_epochs, **params).shape[1:3] for i in range(n_epochs)]

    assert sizes(3) == [(6, 4), (9, 6), (12, 8)]
    assert sizes(1) == [(12, 8)]
    assert sizes(4, smallest=0.25, stages=2) == [(3, 2), (3, 2), (12, 8), (12, 8)]


def test_augment_shows_the_first_epoch():
    images = np.random.default_rng(0).integers(0, 256, (300, 6, 6, 1)).astype(np.uint8)
    small = ProgressiveResizing().augment(images)
    assert (small.dtype, small.shape) == (np.uint8, (300, 3, 3, 1))
    exact = images.reshape(300, 3, 2, 3, 2, 1).mean(axis=(2, 4))
    assert_array_equal(small, np.rint(exact))
    targets = np.eye(300)
    _, same = ProgressiveResizing().augment(images, targets)
    assert_array_equal(same, targets)


def test_training_is_that_on_smaller_images_and_then_on_larger_ones():
    layers = [Conv2D(4, 3, activation="relu"), GlobalAvgPool()]
    params = {"shuffle": False, "random_state": 0, "solver": "sgd", "tol": 0.0}
    clf = SequentialClassifier(
        layers,
        augmentation=ProgressiveResizing(0.5, stages=2),
        max_iter=4,
        n_iter_no_change=np.inf,
        learning_rate="constant",
        batch_size=5,
        **params,
    )
    with pytest.warns(match="hasn't converged"):
        clf.fit(X, y)
    by_hand = SequentialClassifier(layers, batch_size=5, **params)
    small = resized(X, 0)
    assert small.shape == (24, 6, 4, 2)
    # The network is to take both sizes.
    by_hand.initialize([*X[:2], small[2]], y[:3])
    for samples in (small, small, X, X):
        by_hand.partial_fit(list(samples), y, classes=[0, 1, 2])
    for name, weights in clf.get_weights().items():
        assert_allclose(by_hand.get_weights()[name], weights, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_number_of_threads_changes_no_bit(batch_norm, monkeypatch):
    cut_minibatches(monkeypatch, 4)
    augmentation = [Shift(1), Flip(), Mixup(0.2), ProgressiveResizing()]
    models = [
        network(augmentation, batch_norm=batch_norm, n_jobs=n_jobs).fit(X, y)
        for n_jobs in (1, 2)
    ]
    one, two = (model.get_weights() for model in models)
    for name in one:
        assert_array_equal(one[name], two[name])


def test_smaller_images_change_the_result():
    plain, small = (network(own).fit(X, y) for own in (None, ProgressiveResizing()))
    assert (plain.predict_proba(X) != small.predict_proba(X)).any()


def test_images_of_several_sizes_shrink_each():
    images = [*X[:12], *X[12:, :10]]
    clf = network(ProgressiveResizing(0.5)).fit(images, y)
    assert clf.predict(images).shape == (24,)


def test_the_stages_go_on_from_a_checkpoint(tmp_path):
    path = tmp_path / "checkpoint"
    whole, broken, resumed = (network(ProgressiveResizing()) for _ in range(3))
    interrupted(broken, path, 3, X, y)
    assert_equal(resumed.fit(X, y, resume_from=path), whole.fit(X, y))


def test_calls_of_partial_fit_count_as_epochs():
    def trained(max_iter):
        clf = network(ProgressiveResizing(stages=2), max_iter=max_iter)
        for _ in range(3):
            clf.partial_fit(X, y, classes=[0, 1, 2])
            clf = pickle.loads(pickle.dumps(clf))
        return clf.get_weights()

    at_once, later = trained(1), trained(9)
    assert any((at_once[name] != later[name]).any() for name in later)


def test_l_bfgs_trains_at_the_full_size():
    small, plain = (
        network(own, solver="lbfgs", batch_norm=False, max_iter=2)
        for own in (ProgressiveResizing(), None)
    )
    with pytest.warns(match="lbfgs"):
        small.fit(X, y)
    with pytest.warns(match="lbfgs"):
        plain.fit(X, y)
    assert_allclose(small.predict_proba(X), plain.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"smallest": 0}, ValueError, r"smallest must be .*\(0, 1\].*got 0"),
        ({"smallest": 1.5}, ValueError, r"smallest must be .*\(0, 1\].*got 1.5"),
        ({"smallest": "half"}, TypeError, "smallest must be .*got 'half'"),
        ({"stages": 1}, ValueError, "stages must be .*got 1"),
        ({"stages": 2.5}, TypeError, "stages must be .*got 2.5"),
    ],
)
def test_bad_parameters_are_refused(params, error, message):
    with pytest.raises(error, match=f"augmentation: {message}"):
        network(ProgressiveResizing(**params)).fit(X, y)


def test_a_network_of_one_size_is_refused():
    clf = network(ProgressiveResizing()).set_params(global_pooling=None)
    message = r"ProgressiveResizing\(\) makes samples of 6x4.*GlobalAvgPool\(\)"
    with pytest.raises(ValueError, match=message):
        clf.fit(X, y)
    assert not hasattr(clf, "classes_")


def test_a_network_that_pools_too_much_is_refused():
    large = np.random.default_rng(0).uniform(size=(4, 12, 12, 1))
    clf = network(ProgressiveResizing(0.3)).set_params(padding="valid")
    with pytest.raises(ValueError, match="samples of 4x4, which the network does not"):
        clf.fit(large, y[:4])


def test_it_must_be_the_last_step():
    clf = network([("small", ProgressiveResizing()), Shift(1)])
    with pytest.raises(ValueError, match="step 'shift' comes after one that changes"):
        clf.fit(X, y)


def test_maps_as_outputs_are_refused():
    clf = SequentialClassifier(
        [Conv2D(2, 3, padding="same")], augmentation=ProgressiveResizing()
    )
    with pytest.raises(ValueError, match="needs one output per sample"):
        clf.fit(X, (X[..., 0] > 0.5).astype(int))
