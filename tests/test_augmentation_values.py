"""Brightness, contrast and mixtures; ranges, dtypes, and `augment`."""

import joblib
import numpy as np
import pytest
from augmentation_tools import EVERY, MAPS, images, run
from sklearn.base import clone

from skconvnet.augmentation import (
    Affine,
    Brightness,
    Compose,
    Contrast,
    Elastic,
    Flip,
    Mixup,
    Rotation,
    Shift,
)
from skconvnet.augmentation.base import Batch
from skconvnet.augmentation.mixup import mixed
from skconvnet.losses import BinaryLogLoss, LogLoss, SoftLogLoss, SquaredError
from skconvnet.ops.workspace import Workspace


@pytest.mark.parametrize("value_range", [None, (-1, 1.5)])
@pytest.mark.parametrize("part", [-0.3, 0.25])
def test_brightness_by_hand(part, value_range):
    X = images(5) * 3 - 1.5
    y, *_ = run(Brightness((part, part), value_range=value_range), X)
    for before, after in zip(X, y, strict=True):
        least, most = value_range or (before.min(), before.max())
        expected = np.clip(before + part * (most - least), least, most)
        np.testing.assert_allclose(after, expected, atol=1e-14)


@pytest.mark.parametrize("value_range", [None, (-1, 1.5)])
@pytest.mark.parametrize("factor", [0.0, 0.5, 1.7])
def test_contrast_by_hand(factor, value_range):
    X = images(5) * 3 - 1.5
    y, *_ = run(Contrast((factor, factor), value_range=value_range), X)
    for before, after in zip(X, y, strict=True):
        least, most = value_range or (before.min(), before.max())
        mean = before.mean(axis=(0, 1))
        expected = np.clip(mean + factor * (before - mean), least, most)
        np.testing.assert_allclose(after, expected, atol=1e-14)


def test_each_sample_is_changed_by_a_number_of_its_own():
    flat = np.full((2000, 2, 2, 1), 0.5)
    y, *_ = run(Brightness(0.2, value_range=(0, 1)), flat)
    added = y[:, 0, 0, 0] - 0.5
    np.testing.assert_allclose(y - flat, np.broadcast_to(added, (1, 2, 2, 2000)).T)
    assert -0.2 <= added.min() < -0.19
    assert 0.19 < added.max() <= 0.2
    X = np.tile([0.0, 1.0], (2000, 1)).reshape(2000, 1, 2, 1)
    y, *_ = run(Contrast(0.3, value_range=(-1, 2)), X)
    factor = (y[:, 0, 1] - y[:, 0, 0]).ravel()
    assert 0.7 <= factor.min() < 0.71
    assert 1.29 < factor.max() <= 1.3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", EVERY, ids=repr)
def test_range_and_dtype_stay(case, dtype):
    # Far from 0, where a wrong border or a wrong center would show.
    X = images(60).astype(dtype) * 50 + 1000
    case = clone(case)
    values = {"fill_value": 1020.0, "value_range": (X.min(), X.max())}
    for name in case.get_params():
        if name.split("__")[-1] in values:
            case.set_params(**{name: values[name.split("__")[-1]]})
    y = np.eye(60)
    changed, _ = case.augment(X, y, random_state=0)
    assert changed.dtype == dtype
    assert changed.shape == X.shape
    assert not np.array_equal(changed, X)
    rounding = 1e3 * np.finfo(dtype).eps if "mix" in repr(case).lower() else 0
    assert changed.min() >= X.min() - rounding
    assert changed.max() <= X.max() + rounding


@pytest.mark.parametrize("case", EVERY, ids=repr)
def test_augment_repeats_and_leaves_its_input_alone(case):
    X, y = images(300), np.eye(300)
    before = X.copy()
    one = case.augment(X, y, random_state=3)
    two = clone(case).augment(X, y, random_state=3)
    other = case.augment(X, y, random_state=4)
    np.testing.assert_array_equal(X, before)
    assert joblib.hash(one) == joblib.hash(two) != joblib.hash(other)
    # Beyond the first block as well.
    assert not np.array_equal(one[0][-20:], X[-20:])
    rng = np.random.RandomState(0)
    drawn = case.augment(X, y, random_state=rng)[0]
    assert not np.array_equal(drawn, case.augment(X, y, random_state=rng)[0])


# Elastic draws its field in the dtype of the network, so that it is another one.
@pytest.mark.parametrize(
    "case", [case for case in MAPS if not isinstance(case, Elastic)], ids=repr
)
def test_float32_agrees_with_float64(case):
    X = images().astype("float32")
    single, double = (run(case, X, dtype=d)[0] for d in ("float32", "float64"))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_augment_rounds_integers(dtype):
    X = (images(20, (8, 8, 1)) * 100).astype(dtype)
    y = Rotation((10, 10)).augment(X)
    assert y.dtype == dtype
    exact = Rotation((10, 10)).augment(X.astype(float))
    np.testing.assert_array_equal(y, np.rint(exact))


def test_mixup_by_hand():
    X, y = images(6), np.random.default_rng(1).normal(size=(6, 3))
    partner = np.array([3, 0, 2, 5, 1, 4])
    share = np.array([0, 0.25, 0.5, 1, 0.7, 0.1])
    x = np.ascontiguousarray(X.transpose(3, 1, 2, 0))
    batch = mixed(Batch(x, y.T, 0.5), partner, share, Workspace())
    assert batch.weights == 0.5
    for i in range(6):
        expected = (1 - share[i]) * X[i] + share[i] * X[partner[i]]
        actual = batch.x[..., i].transpose(1, 2, 0)
        np.testing.assert_allclose(actual, expected, atol=1e-15)
        expected = (1 - share[i]) * y[i] + share[i] * y[partner[i]]
        np.testing.assert_allclose(batch.targets[:, i], expected, atol=1e-15)
    np.testing.assert_array_equal(batch.x[..., 0], x[..., 0])


def test_mixup_draws_shares_from_the_beta_distribution():
    n = 1500
    X = np.arange(n, dtype=float).reshape(n, 1)
    mixtures, targets, _ = run(Mixup(0.4), X, np.eye(n))
    np.testing.assert_allclose(mixtures.ravel(), targets @ X.ravel(), atol=1e-9)
    np.testing.assert_allclose(targets.sum(axis=1), 1)
    own = np.diag(targets)
    # Mean 1/2, and variance 1 / (4 (2 alpha + 1)), of the Beta distribution.
    assert own.mean() == pytest.approx(0.5, abs=0.03)
    assert own.var() == pytest.approx(1 / (4 * 1.8), rel=0.05)
    # Every sample is a partner once.
    others = targets - np.diag(own)
    assert ((others > 0).sum(axis=0) <= 1).all()


@pytest.mark.parametrize("loss", [LogLoss(), BinaryLogLoss(), SquaredError()])
def test_a_mixture_counts_as_its_two_targets_with_their_weights(loss):
    rng = np.random.default_rng(0)
    n, k = 5, 3
    scores = rng.normal(size=(k, n))
    targets = np.eye(k)[[0, 1, 2, 1, 0]].T
    weights = np.array([1.0, 0.0, 2.5, 0.0, 1.0])
    partner, share = np.array([1, 3, 0, 2, 4]), rng.uniform(size=n)
    batch = mixed(Batch(scores, targets, weights), partner, share, Workspace())
    gradient = scores.copy()
    value = loss.for_mixtures()(gradient, batch.targets, batch.weights)

    own, other = scores.copy(), scores.copy()
    expected = loss(own, targets, (1 - share) * weights)
    expected += loss(other, targets[:, partner], share * weights[partner])
    np.testing.assert_allclose(gradient, own + other, atol=1e-14)
    if not isinstance(loss, SquaredError):
        assert value == pytest.approx(expected, rel=1e-12)


def test_soft_log_loss_is_the_cross_entropy():
    rng = np.random.default_rng(0)
    scores, targets = rng.normal(size=(4, 6)), rng.dirichlet(np.ones(4), 6).T
    weight = rng.uniform(size=6)

    def value(scores):
        logarithms = scores - np.log(np.exp(scores).sum(axis=0))
        return float(-(weight * (targets * logarithms).sum(axis=0)).sum())

    gradient = scores.copy()
    assert SoftLogLoss()(gradient, targets, weight) == pytest.approx(value(scores))
    direction = rng.normal(size=scores.shape)
    slope = (value(scores + 1e-6 * direction) - value(scores - 1e-6 * direction)) / 2e-6
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-7)
    # Of a single class it is the same as LogLoss.
    hard = np.eye(4)[[0, 3, 1, 1, 2, 0]].T
    one, two = scores.copy(), scores.copy()
    assert SoftLogLoss()(one, hard, weight) == pytest.approx(
        LogLoss()(two, hard, weight)
    )
    np.testing.assert_array_equal(one, two)


def test_compose_applies_its_steps_in_order():
    X = images(4, (4, 6, 1))
    turned, flipped = Rotation((180, 180)), Flip(probability=1.0)
    y, *_ = run(Compose([turned, ("mirror", flipped)]), X)
    np.testing.assert_allclose(y, X[:, ::-1], atol=1e-13)
    y, *_ = run(Compose([turned, ("mirror", "passthrough")]), X)
    np.testing.assert_allclose(y, X[:, ::-1, ::-1], atol=1e-13)
    nothing = Compose([Shift(0), "passthrough"])
    assert nothing.build((4, 6, 1)) is None
    # Two of a kind do not write over each other's arrays.
    twice = Compose([flipped, Flip(False, True, 1.0)])
    np.testing.assert_array_equal(run(twice, X)[0], X[:, ::-1, ::-1])


def test_compose_of_two_mixtures():
    X, y = images(6), np.eye(6)
    both, targets, _ = run(Compose([Mixup(1.0), ("again", Mixup(1.0))]), X, y, seed=4)
    rng = np.random.default_rng(4)
    for _ in range(2):
        X, y, _ = run(Mixup(1.0), X, y, seed=rng)
    np.testing.assert_array_equal(both, X)
    np.testing.assert_array_equal(targets, y)


def test_compose_is_searchable_by_names():
    steps = [Shift(1), ("turn", Affine(rotation=3)), Shift(2)]
    compose = Compose(steps)
    params = compose.get_params()
    assert params["shift_2__max_pixels"] == 2
    assert params["turn"] is steps[1][1]
    assert set(compose.get_params(deep=False)) == {"steps"}
    copy = clone(compose)
    copy.set_params(turn__rotation=9, shift_1="passthrough", shift_2=Shift(4))
    assert copy.get_params()["turn__rotation"] == 9
    assert copy.get_params()["shift_2__max_pixels"] == 4
    assert compose.get_params()["turn__rotation"] == 3
    assert compose.steps is steps
    assert len(steps) == 3
    assert steps[0].max_pixels == 1
    with pytest.raises(ValueError, match=r"'turn__rotation'.*'shift_1', 'shift_2'"):
        copy.set_params(turm__rotation=1)


@pytest.mark.parametrize("case", EVERY, ids=repr)
def test_parameters_are_stored_as_given(case):
    params = case.get_params(deep=False)
    copy = type(case)(**params)
    assert all(copy.get_params(deep=False)[k] is v for k, v in params.items())
    assert set(vars(copy)) == set(params)
    assert repr(clone(case)) == repr(case)
