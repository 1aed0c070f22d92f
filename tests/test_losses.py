"""Losses: values at fixed points, against other libraries, and derivatives."""

import numpy as np
import pytest
from scipy.special import expit, log_expit, logsumexp
from sklearn.metrics import (
    hinge_loss,
    mean_pinball_loss,
    mean_poisson_deviance,
)

from skconvnet.losses import (
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    AbsoluteError,
    BinaryLogLoss,
    Hinge,
    Huber,
    LogisticSquaredError,
    LogLoss,
    MeanOutputSquaredError,
    Perceptron,
    PoissonDeviance,
    Quantile,
    SquaredError,
    SquaredHinge,
)

LOSSES = [
    LogLoss(),
    LogLoss(label_smoothing=0.2),
    BinaryLogLoss(),
    BinaryLogLoss(label_smoothing=0.2),
    LogisticSquaredError(),
    LogisticSquaredError(exclusive=True),
    Hinge(),
    SquaredHinge(),
    Perceptron(),
    SquaredError(),
    AbsoluteError(),
    Huber(),
    Huber(delta=0.3),
    Quantile(),
    Quantile(quantile=0.9),
    PoissonDeviance(),
]
SEVERAL_LABELS = (
    BinaryLogLoss,
    LogisticSquaredError,
    Hinge,
    SquaredHinge,
    Perceptron,
)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def targets_for(loss, n_outputs, n, rng):
    if isinstance(loss, LogLoss):
        return np.eye(n_outputs)[rng.integers(n_outputs, size=n)].T
    if isinstance(loss, SEVERAL_LABELS):
        return rng.integers(2, size=(n_outputs, n)).astype(float)
    return rng.poisson(3.0, size=(n_outputs, n)).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_gradient_follows_a_random_direction(loss, weighted):
    rng = np.random.default_rng(0)
    scores, direction = rng.normal(size=(2, 4, 6))
    target = targets_for(loss, 4, 6, rng)
    weight = rng.uniform(size=6) if weighted else 0.25
    gradient = scores.copy()
    loss(gradient, target, weight)
    step = 1e-6
    numeric = loss(scores + step * direction, target, weight)
    numeric -= loss(scores - step * direction, target, weight)
    numeric /= 2 * step
    assert abs(np.vdot(gradient, direction) - numeric) < 1e-6 * abs(numeric)


def test_values_at_fixed_points():
    p = np.exp([1.0, 2.0, 3.0]) / np.exp([1.0, 2.0, 3.0]).sum()
    one_hot = np.array([[0.0], [0.0], [1.0]])
    scores = np.array([[1.0], [2.0], [3.0]])
    assert LogLoss()(scores, one_hot, 1.0) == pytest.approx(-np.log(p[2]))
    np.testing.assert_allclose(scores.ravel(), p - [0, 0, 1])

    scores = np.array([[0.0]])
    assert BinaryLogLoss()(scores, np.array([[1.0]]), 2.0) == pytest.approx(
        2 * np.log(2)
    )
    scores, target = np.array([[3.0], [1.0]]), np.array([[1.0], [0.0]])
    assert SquaredError()(scores.copy(), target, 1.0) == 0.5 * (2**2 + 1)
    assert MeanOutputSquaredError()(scores, target, 1.0) == 0.5 * (2**2 + 1) / 2
    np.testing.assert_array_equal(scores.ravel(), [2.0, 1.0])
    scores, target = np.array([[3.0], [-0.5], [2.0]]), np.array([[1.0], [0.0], [2.0]])
    gradient = scores.copy()
    assert AbsoluteError()(gradient, target, 2.0) == 2 * 2.5
    np.testing.assert_array_equal(gradient.ravel(), [2.0, -2.0, 0.0])
    gradient = scores.copy()
    assert Huber(delta=1.5)(gradient, target, 2.0) == 2 * (1.5 * 1.25 + 0.125)
    np.testing.assert_array_equal(gradient.ravel(), [3.0, -1.0, 0.0])
    value = PoissonDeviance()(np.array([[np.log(2.0)]]), np.array([[4.0]]), 1.0)
    assert value == pytest.approx(4 * np.log(2) - 4 + 2)
    assert PoissonDeviance()(np.array([[0.0]]), np.array([[0.0]]), 1.0) == 1.0


@both_dtypes
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_extreme_scores_give_finite_losses(loss, dtype):
    scores = np.array([[1e4, -1e4, 1e4, 0], [-1e4, 1e4, 1e4, 0]], dtype=dtype)
    target = np.array([[0, 0, 1, 1], [1, 1, 0, 0]], dtype=dtype)
    assert np.isfinite(loss(scores, target, dtype(0.25)))
    assert np.isfinite(scores).all()
    assert scores.dtype == dtype
    if loss.is_probabilistic and loss.output != "identity":
        scores = np.array([[-1e4, 1e4, 1e4, 0], [-2e4, -1e4, 1e4, 0]], dtype=dtype)
        loss.probabilities(scores)
        assert (scores >= 0).all()
        assert (scores <= 1).all()
        if isinstance(loss, LogLoss) or getattr(loss, "exclusive", False):
            np.testing.assert_allclose(scores.sum(axis=0), 1, rtol=1e-6)
            np.testing.assert_allclose(scores[0], [1, 1, 0.5, 0.5], rtol=1e-6)


def drawn(n_outputs=4, n=50, seed=0):
    rng = np.random.default_rng(seed)
    scores = 3 * rng.normal(size=(n_outputs, n))
    one_hot = np.eye(n_outputs)[rng.integers(n_outputs, size=n)].T
    labels = rng.integers(2, size=(n_outputs, n)).astype(float)
    return scores, one_hot, labels, rng.uniform(size=n)


def assert_value_and_gradient(loss, scores, target, weight, values, slopes):
    gradient = scores.copy()
    value = loss(gradient, target, weight)
    assert value == pytest.approx((values * weight).sum(), rel=1e-12)
    np.testing.assert_allclose(gradient, slopes * weight, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_log_losses_from_logarithms_of_scores(smoothing):
    scores, one_hot, labels, weight = drawn()
    log_p = scores - logsumexp(scores, axis=0)
    smooth = one_hot * (1 - smoothing) + smoothing / 4
    values = -(smooth * log_p).sum(axis=0)
    loss = LogLoss(label_smoothing=smoothing)
    assert_value_and_gradient(
        loss, scores, one_hot, weight, values, np.exp(log_p) - smooth
    )

    smooth = labels * (1 - smoothing) + smoothing / 2
    values = -(smooth * log_expit(scores) + (1 - smooth) * log_expit(-scores))
    slopes = expit(scores) - smooth
    loss = loss.for_classes(exclusive=False)
    assert loss.output == "logistic"
    assert_value_and_gradient(loss, scores, labels, weight, values.sum(axis=0), slopes)
    assert LogLoss(smoothing).for_classes(exclusive=True).label_smoothing == smoothing


def test_squared_error_of_logistic_outputs():
    scores, one_hot, labels, weight = drawn()
    y = 1 / (1 + np.exp(-scores))
    for target, exclusive in ((one_hot, True), (labels, False)):
        loss = SquaredError().for_classes(exclusive)
        values = 0.5 * ((target - y) ** 2).sum(axis=0)
        assert_value_and_gradient(
            loss, scores, target, weight, values, (y - target) * y * (1 - y)
        )
        p = scores.copy()
        loss.probabilities(p)
        expected = y / y.sum(axis=0) if exclusive else y
        np.testing.assert_allclose(p, expected, rtol=1e-12)


def test_losses_on_margins():
    scores, one_hot, labels, weight = drawn()
    for target in (one_hot, labels):
        sign = np.where(target == 1, 1.0, -1.0)
        margins = sign * scores
        short = np.where(margins < 1, 1 - margins, 0)
        slopes = np.where(margins < 1, -sign, 0)
        assert_value_and_gradient(
            Hinge(), scores, target, weight, short.sum(axis=0), slopes
        )
        values = (short**2).sum(axis=0)
        assert_value_and_gradient(
            SquaredHinge(), scores, target, weight, values, -2 * sign * short
        )
        values = np.where(margins < 0, -margins, 0).sum(axis=0)
        slopes = (scores >= 0) - target
        assert_value_and_gradient(Perceptron(), scores, target, weight, values, slopes)


def test_hinge_of_one_score_is_that_of_scikit_learn():
    scores, _, labels, weight = drawn(n_outputs=1)
    expected = hinge_loss(labels[0], scores[0], sample_weight=weight)
    value = Hinge()(scores, labels, weight / weight.sum())
    assert value == pytest.approx(expected)


def test_where_margins_are_exact():
    scores = np.array([[1.0, 0.0, -1.0]])
    ones, zeros = np.ones((1, 3)), np.zeros((1, 3))
    for loss, of_ones, of_zeros in (
        (Hinge(), [0, -1, -1], [1, 1, 0]),
        (SquaredHinge(), [0, -2, -4], [4, 2, 0]),
        (Perceptron(), [0, 0, -1], [1, 1, 0]),
    ):
        for target, expected in ((ones, of_ones), (zeros, of_zeros)):
            gradient = scores.copy()
            loss(gradient, target, 1.0)
            np.testing.assert_array_equal(gradient[0], expected)
    np.testing.assert_array_equal(Perceptron().is_positive(scores[0]), [1, 1, 0])
    np.testing.assert_array_equal(Hinge().is_positive(scores[0]), [1, 0, 0])


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.9])
def test_regression_losses_are_those_of_scikit_learn(quantile):
    rng = np.random.default_rng(0)
    y, z = rng.poisson(2.0, size=(3, 40)).astype(float), rng.normal(size=(3, 40))
    weight = rng.uniform(size=40)
    expected = 3 * mean_pinball_loss(y.T, z.T, alpha=quantile, sample_weight=weight)
    value = Quantile(quantile)(z.copy(), y, weight / weight.sum())
    assert value == pytest.approx(expected)
    slopes = np.where(y > z, -quantile, 1 - quantile)
    gradient = z.copy()
    Quantile(quantile)(gradient, y, weight)
    np.testing.assert_allclose(gradient, slopes * weight)
    # Where the residual is 0, so is the slope.
    exact = y.copy()
    assert Quantile(quantile)(exact, y, 1.0) == 0
    assert not exact.any()
    value = PoissonDeviance()(z[:1].copy(), y[:1], weight / weight.sum())
    expected = mean_poisson_deviance(y[0], np.exp(z[0]), sample_weight=weight)
    assert 2 * value == pytest.approx(expected)


@both_dtypes
def test_the_same_as_torch(torch, dtype):
    nn = torch.nn.functional
    scores, one_hot, labels, _ = (a.astype(dtype) for a in drawn())
    classes = torch.tensor(one_hot.argmax(axis=0))
    total = {"reduction": "sum"}
    pairs = [
        (
            LogLoss(0.3),
            one_hot,
            lambda s, _: nn.cross_entropy(s.T, classes, label_smoothing=0.3, **total),
        ),
        (
            BinaryLogLoss(),
            labels,
            lambda s, t: nn.binary_cross_entropy_with_logits(s, t, **total),
        ),
        (
            LogisticSquaredError(),
            labels,
            lambda s, t: nn.mse_loss(s.sigmoid(), t, **total) / 2,
        ),
        (Hinge(), labels, lambda s, t: nn.relu(1 - (2 * t - 1) * s).sum()),
        (
            SquaredHinge(),
            labels,
            lambda s, t: (nn.relu(1 - (2 * t - 1) * s) ** 2).sum(),
        ),
        (Perceptron(), labels, lambda s, t: nn.relu(-(2 * t - 1) * s).sum()),
        (Huber(0.7), labels, lambda s, t: nn.huber_loss(s, t, delta=0.7, **total)),
        (AbsoluteError(), labels, lambda s, t: nn.l1_loss(s, t, **total)),
        (
            PoissonDeviance(),
            labels,
            lambda s, t: nn.poisson_nll_loss(s, t, **total) - t.sum(),
        ),
    ]
    for loss, target, of_torch in pairs:
        theirs = torch.tensor(scores, requires_grad=True)
        value = of_torch(theirs, torch.tensor(target))
        value.backward()
        gradient = scores.copy()
        rtol = 1e-4 if dtype == np.float32 else 1e-11
        assert loss(gradient, target, 1.0) == pytest.approx(value.item(), rel=rtol)
        np.testing.assert_allclose(gradient, theirs.grad, rtol=rtol, atol=rtol / 100)


def test_registries():
    assert list(CLASSIFICATION_LOSSES) == [
        "log_loss",
        "squared_error",
        "hinge",
        "squared_hinge",
        "perceptron",
    ]
    assert list(REGRESSION_LOSSES) == [
        "squared_error",
        "absolute_error",
        "huber",
        "quantile",
        "poisson",
    ]
    for registry in (CLASSIFICATION_LOSSES, REGRESSION_LOSSES):
        assert all(loss().name == name for name, loss in registry.items())
