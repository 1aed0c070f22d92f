"""Flips that alternate from epoch to epoch, within a call and from call to call."""

import pickle

import numpy as np
import pytest
from augmentation_tools import Recorder, cut_minibatches, images
from checkpoint_tools import assert_equal, interrupted
from estimator_cases import data_for, make
from layer_tools import batch_first, batch_last
from map_tools import layers_for
from map_tools import make as make_for_maps

from skconvnet import ConvNetClassifier, SequentialClassifier, SequentialRegressor
from skconvnet.augmentation import Compose, Flip, Mixup, Shift
from skconvnet.augmentation.base import Batch
from skconvnet.augmentation.origin import Epoch, Origin
from skconvnet.layers import BatchNorm, Conv2D, Flatten, GlobalAvgPool
from skconvnet.ops.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def versions(flip, X, epoch, seed=0):
    """Return X as it is in an epoch, in micro-batches of a random order."""
    augmenter = flip.build(X.shape[1:])
    changed = np.empty_like(X)
    order = np.random.default_rng(epoch).permutation(len(X))
    for numbers in np.array_split(order, 3):
        origin = Origin(numbers, Epoch(epoch, seed, 9))
        batch = Batch(batch_last(X[numbers]), np.zeros((1, len(numbers))), 1.0, origin)
        batch = augmenter(batch, np.random.default_rng(epoch), Workspace())
        changed[numbers] = batch_first(batch.x)
    return changed


def are_equal(X, Y):
    return np.array([np.array_equal(a, b) for a, b in zip(X, Y, strict=True)])


@pytest.mark.parametrize("shape", [(7, 2), (6, 5, 1), (3, 4, 5, 2)])
@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_two_epochs_in_a_row_see_both_versions(shape, probability):
    X = images(400, shape)
    mirrored = X[..., ::-1, :]
    flip = Flip(probability=probability, alternate=True)
    first = versions(flip, X, 0)
    turned = are_equal(first, mirrored)
    assert abs(turned.mean() - probability) < 0.08
    for epoch in range(5):
        own = versions(flip, X, epoch)
        is_turned = turned ^ (epoch % 2 == 1)
        np.testing.assert_array_equal(own[is_turned], mirrored[is_turned])
        np.testing.assert_array_equal(own[~is_turned], X[~is_turned])


def test_four_epochs_in_a_row_see_all_four_versions():
    X = images(50, (4, 5, 1))
    flip = Flip(vertical=True, alternate=True)
    all_four = {
        frozenset(v.tobytes() for v in (x, x[::-1], x[:, ::-1], x[::-1, ::-1]))
        for x in X
    }
    for begin in range(5):
        epochs = [versions(flip, X, begin + i) for i in range(4)]
        seen = [frozenset(e[i].tobytes() for e in epochs) for i in range(50)]
        assert set(seen) == all_four


def test_draws_are_uniform_and_independent():
    numbers = np.arange(4000)
    draws = np.array(
        [
            Origin(numbers, Epoch(0, seed, 9)).draw_once(purpose)
            for seed, purpose in ((0, 0), (0, 1), (1, 0), (1, 1))
        ]
    )
    counts = np.stack([np.histogram(own, 10, (0, 1))[0] for own in draws])
    # 400 are expected, with a standard deviation of 19.
    assert (np.abs(counts - 400) < 90).all()
    correlations = np.corrcoef(np.vstack([draws, np.roll(draws[:1], 1, axis=1)]))
    assert (np.abs(correlations - np.eye(5)) < 0.07).all()


def test_outside_of_training_it_is_as_in_the_first_epoch():
    X = images(700, (6, 5, 1))
    flip = Flip(alternate=True)
    once = flip.augment(X, random_state=3)
    np.testing.assert_array_equal(once, flip.augment(X, random_state=3))
    assert not np.array_equal(once, flip.augment(X, random_state=4))
    turned = are_equal(once, X[..., ::-1, :])
    assert 0.4 < turned.mean() < 0.6
    assert (turned | are_equal(once, X)).all()
    # Samples beyond the first that are changed at a time have draws of their own.
    assert not np.array_equal(turned[:256], turned[256:512])


def seen_by_epoch(recorder, X):
    """Return which samples were mirrored in each epoch that was recorded."""
    known = {}
    for number, sample in enumerate(X):
        known[sample.tobytes()] = number, False
        known[sample[:, ::-1].tobytes()] = number, True
    found = [
        known[np.ascontiguousarray(sample[..., 0]).tobytes()]
        for x, _ in recorder.seen
        for sample in batch_first(x)
    ]
    recorder.seen.clear()
    epochs = [dict(found[i : i + len(X)]) for i in range(0, len(found), len(X))]
    return np.array([[epoch[i] for i in range(len(X))] for epoch in epochs])


def recorded(cls=ConvNetClassifier, **params):
    recorder = Recorder()
    own = [Flip(alternate=True), recorder]
    return make(cls, augmentation=own, n_jobs=1, **params), recorder


def assert_alternates(epochs):
    first = epochs[0]
    assert 0.2 < first.mean() < 0.8
    for number, epoch in enumerate(epochs):
        np.testing.assert_array_equal(epoch, first ^ (number % 2 == 1))


def test_fit_and_a_new_fit():
    X, y = data_for(ConvNetClassifier)
    model, recorder = recorded(max_iter=5, random_state=np.random.RandomState(0))
    model.fit(X, y)
    epochs = seen_by_epoch(recorder, X)
    assert len(epochs) == 5
    assert_alternates(epochs)
    model.fit(X, y)
    again = seen_by_epoch(recorder, X)
    assert_alternates(again)
    assert not np.array_equal(again[0], epochs[0])
    assert not np.array_equal(again[0], ~epochs[0])


def test_partial_fit_counts_on_even_after_a_pickle():
    X, y = data_for(ConvNetClassifier)
    model, recorder = recorded()
    for _ in range(3):
        model.partial_fit(X, y, classes=range(3))
    epochs = seen_by_epoch(recorder, X)
    model.set_params(augmentation=[Flip(alternate=True)])
    loaded = pickle.loads(pickle.dumps(model))
    loaded.set_params(augmentation=[Flip(alternate=True), recorder])
    for _ in range(2):
        loaded.partial_fit(X, y)
        model.partial_fit(X, y)
    assert_alternates(np.concatenate([epochs, seen_by_epoch(recorder, X)]))
    assert model.network_.vector.tobytes() == loaded.network_.vector.tobytes()


def test_warm_start_counts_on():
    X, y = data_for(ConvNetClassifier)
    model, recorder = recorded(warm_start=True, max_iter=3)
    for _ in range(3):
        model.fit(X, y)
    epochs = seen_by_epoch(recorder, X)
    assert len(epochs) == 9
    assert_alternates(epochs)


def test_samples_are_known_by_their_position_in_x():
    X, y = data_for(ConvNetClassifier)
    # A validation set takes some of them away, but the others keep their numbers.
    model, recorder = recorded(max_iter=4, early_stopping=True)
    model.fit(X, y)
    numbers = {sample.tobytes(): i for i, sample in enumerate(X)}
    seen = [s[..., 0] for x, _ in recorder.seen for s in batch_first(x)]
    assert len(seen) == 4 * 54
    by_sample = {}
    for sample in map(np.ascontiguousarray, seen):
        is_turned = sample.tobytes() not in numbers
        key = np.ascontiguousarray(sample[:, ::-1]) if is_turned else sample
        by_sample.setdefault(numbers[key.tobytes()], []).append(is_turned)
    assert len(by_sample) == 54
    for turns in by_sample.values():
        assert turns in ([True, False] * 2, [False, True] * 2)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_checkpoint_goes_on_with_the_same_bits(tmp_path, after):
    X, y = data_for(ConvNetClassifier)
    params = {"augmentation": [Flip(alternate=True), Shift(1)], "max_iter": 5}
    path = tmp_path / "checkpoint"
    through = make(ConvNetClassifier, **params).fit(X, y)
    interrupted(make(ConvNetClassifier, **params), path, after, X, y)
    resumed = make(ConvNetClassifier, **params).fit(X, y, resume_from=path)
    assert_equal(resumed, through)


@pytest.mark.parametrize(
    "case",
    [
        Flip(alternate=True),
        Compose([Flip(vertical=True, alternate=True), Mixup(0.5)]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_same_bits_for_every_number_of_threads(case, batch_norm, monkeypatch):
    cut_minibatches(monkeypatch, 7)
    X, y = data_for(SequentialClassifier)
    layers = [Conv2D(3, 3), *([BatchNorm()] if batch_norm else []), Flatten()]
    params = {"layers": layers, "batch_size": 25, "max_iter": 3}
    one, two, three, plain = (
        make(SequentialClassifier, augmentation=own, n_jobs=n, **params)
        .fit(X, y, np.linspace(0, 2, len(X)))
        .network_.vector.tobytes()
        for own, n in ((case, 1), (case, 2), (case, 3), (Flip(), 1))
    )
    assert one == two == three != plain


def test_images_of_different_sizes():
    X = [*images(10, (6, 5, 1)), *images(10, (7, 4, 1))]
    recorder = Recorder()
    model = SequentialClassifier(
        [Conv2D(3, 3), GlobalAvgPool()],
        augmentation=[Flip(alternate=True), recorder],
        max_iter=2,
        n_jobs=1,
        random_state=0,
    )
    model.fit(X, np.arange(20) % 2)
    samples = {s.tobytes() for x, _ in recorder.seen for s in batch_first(x)}
    both = {v.tobytes() for x in X for v in (x, np.ascontiguousarray(x[:, ::-1]))}
    assert samples == both


def test_targets_of_positions_are_mirrored_with_their_samples():
    X = images(30, (6, 5, 1))
    augmenter = Flip(alternate=True, vertical=True).build((6, 5, 1))
    for epoch in range(4):
        origin = Origin(np.arange(30), Epoch(epoch, 0, 9))
        x, targets, weights, _ = augmenter(
            Batch(batch_last(X), 2 * batch_last(X), 0.5, origin),
            np.random.default_rng(0),
            Workspace(),
        )
        np.testing.assert_allclose(targets, 2 * x)
        np.testing.assert_array_equal(weights, 0.5)
    model = make_for_maps(
        SequentialRegressor, layers_for(2), augmentation=Flip(alternate=True)
    )
    assert np.isfinite(model.fit(X, X).loss_curve_).all()


@pytest.mark.parametrize("value", [1, "yes", None])
def test_alternate_is_a_bool(value):
    with pytest.raises(TypeError, match="alternate must be True or False; got"):
        Flip(alternate=value).build((6, 5, 1))


def test_lbfgs_sees_one_version():
    X, y = data_for(ConvNetClassifier)
    model, recorder = recorded(solver="lbfgs", max_iter=3)
    model.fit(X, y)
    epochs = seen_by_epoch(recorder, X)
    assert len(epochs) >= 3
    np.testing.assert_array_equal(epochs, epochs[:1].repeat(len(epochs), axis=0))
