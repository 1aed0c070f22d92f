"""Sample weights and class weights of any size: only their ratios matter."""

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from sklearn.neural_network import MLPClassifier as TheirClassifier

from skconvnet import ConvNetClassifier, MLPClassifier, SequentialClassifier
from skconvnet.augmentation import Mixup
from skconvnet.engine.sample_weights import multiplied_weights, normalized_weights
from skconvnet.layers import BatchNorm, Conv2D, Standardize

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Training started with a loss of"),
]
SOLVERS = ["adam", "sgd", "lbfgs"]
EXTREME = [1e-300, 1e-50, 1e38, 1e300]


def vector(model):
    return model.network_.state


def assert_same(a, b, rtol=2e-4):
    np.testing.assert_allclose(vector(a), vector(b), rtol=rtol, atol=1e-5)
    np.testing.assert_allclose(a.loss_, b.loss_, rtol=rtol)


@pytest.mark.parametrize("scale", EXTREME)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_one_weight_for_all_is_no_weight(cls, solver, scale):
    X, y = data_for(cls)
    params = {"solver": solver, "dtype": "float32"}
    weighted = make(cls, **params).fit(X, y, sample_weight=np.full(len(X), scale))
    assert_same(weighted, make(cls, **params).fit(X, y))
    assert weighted.loss_ > 0


@pytest.mark.parametrize("scale", EXTREME)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_only_ratios_matter(scale, dtype):
    X, y = data_for(ConvNetClassifier)
    weights = np.random.default_rng(0).uniform(0.1, 1, len(X))
    weights /= weights.mean()
    params = {"dtype": dtype, "batch_size": 13, "alpha": 0.0, "max_iter": 3}
    params["early_stopping"] = True
    one, other = (
        make(ConvNetClassifier, **params).fit(X, y, sample_weight=w)
        for w in (weights, scale * weights)
    )
    assert_same(one, other)
    np.testing.assert_allclose(
        one.validation_loss_curve_, other.validation_loss_curve_, rtol=1e-4
    )


@pytest.mark.parametrize("batch_size", [1, 8, 60])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_extreme_ratios(cls, dtype, batch_size):
    X, y = data_for(cls)
    tiny, zero, huge = (np.ones(len(X)) for _ in range(3))
    tiny[::2], zero[::2], huge[1::2] = 1e-300, 0.0, 1e300
    models = [
        make(cls, dtype=dtype, batch_size=batch_size).fit(X, y, sample_weight=w)
        for w in (zero, tiny, huge / huge.mean(), huge)
    ]
    assert_same(models[0], models[1])
    assert_same(models[2], models[3])


def test_layers_and_augmentations_that_use_weights():
    X, y = data_for(SequentialClassifier)
    weights = np.random.default_rng(0).uniform(0.1, 1, len(X))
    weights /= weights.mean()
    layers = [Standardize(), Conv2D(3, 3), BatchNorm()]
    params = {"layers": layers, "augmentation": Mixup(1.0), "dtype": "float32"}
    models = [
        make(SequentialClassifier, **params).fit(X, y, sample_weight=scale * weights)
        for scale in (1.0, 1e-50, 1e300)
    ]
    for model in models[1:]:
        assert_same(models[0], model)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 3.0, 1e30])
def test_ordinary_weights_count_as_in_scikit_learn(scale):
    X, y = data_for(MLPClassifier)
    weights = scale * (1.0 + np.arange(len(X)) % 3)
    params = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0}
    params["alpha"] = 0.01 * scale
    ours = MLPClassifier(**params).fit(X, y, sample_weight=weights)
    theirs = TheirClassifier(**params).fit(X, y, sample_weight=weights)
    for a, b in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_penalty_is_divided_by_the_sum(dtype):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, dtype=dtype, alpha=1.0).fit(X, y)
    losses = {}
    for scale in (1.0, 1e3, 1e38, 1e307):
        weights = np.full(len(X), scale)
        losses[scale], gradients = model.loss_gradients(X, y, weights)
        assert all(np.isfinite(g).all() for g in gradients.values())
    assert losses[1e3] < losses[1.0]
    np.testing.assert_allclose(losses[1e307], losses[1.0], rtol=1e-6)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_class_weights_times_sample_weights(cls):
    X, y = data_for(cls)
    params = {"class_weight": {0: 1e-200, 1: 2e-200, 2: 1e-200}, "dtype": "float32"}
    params["solver"] = "sgd"
    extreme = make(cls, **params).fit(X, y, sample_weight=np.full(len(X), 1e-200))
    weights = np.where(y == 1, 1.5, 0.75)
    ordinary = make(cls, dtype="float32", solver="sgd")
    assert_same(extreme, ordinary.fit(X, y, sample_weight=weights))


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize(
    "weights",
    [0.0, np.nan, np.inf, -1.0, 1j, 10**400, "abc", b"abc", ["1"] * 60, [None] * 60],
    ids=lambda weights: repr(weights)[:8],
)
def test_weights_that_are_refused(cls, weights):
    X, y = data_for(cls)
    fitted = make(cls).fit(X, y)
    before = vector(fitted).copy()
    if isinstance(weights, float):
        weights = np.append(
            np.full(len(X) - 1, weights if weights == 0 else 1), weights
        )
    for call in (
        lambda: make(cls).fit(X, y, sample_weight=weights),
        lambda: fitted.partial_fit(X, y, sample_weight=weights),
        lambda: fitted.loss_gradients(X, y, weights),
    ):
        with pytest.raises((TypeError, ValueError), match="sample_weight"):
            call()
    with pytest.raises((TypeError, ValueError), match="sample_weight_val"):
        fitted.fit(X, y, X_val=X, y_val=y, sample_weight_val=weights)
    np.testing.assert_array_equal(vector(fitted), before)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_single_number_must_be_finite(value):
    X, y = data_for(MLPClassifier)
    with pytest.raises(ValueError, match="sample_weight must be finite"):
        make(MLPClassifier).fit(X, y, sample_weight=value)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_classes_must_leave_some_weight(cls):
    X, y = data_for(cls)
    nothing = make(cls, class_weight=dict.fromkeys(range(3), 0.0))
    with pytest.raises(ValueError, match=r"class_weight=.* must leave at least one"):
        nothing.fit(X, y)
    half = make(cls, class_weight={0: 0.0, 1: 1.0, 2: 1.0})
    weights = (y == 0).astype(float)
    with pytest.raises(ValueError, match=r"class_weight=.* and sample_weight must le"):
        half.fit(X, y, sample_weight=weights)
    assert not hasattr(half, "network_")
    half.fit(X, y)
    before = vector(half).copy()
    for call in (half.partial_fit, half.loss_gradients):
        with pytest.raises(ValueError, match="must leave at least one"):
            call(X[y == 0], y[y == 0])
    np.testing.assert_array_equal(vector(half), before)


@pytest.mark.parametrize("value", [-1, np.nan, np.inf, "1", None, 1j, 10**400])
def test_class_weights_that_are_refused(value):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, class_weight={0: value, 1: 1.0, 2: 1.0})
    with pytest.raises(ValueError, match="class_weight must contain finite numbers"):
        model.fit(X, y)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_both_parts_of_a_split_have_weight(cls, seed):
    X, y = data_for(cls)
    weights = np.zeros(len(X))
    weights[[3, 10]] = 1.0
    model = make(cls, early_stopping=True, random_state=seed, max_iter=1)
    model.fit(X, y, sample_weight=weights)
    assert model.loss_ > 0
    assert np.isfinite(model.validation_loss_curve_).all()


def test_a_split_needs_two_samples_with_weight():
    X, y = data_for(MLPClassifier)
    weights = np.zeros(len(X))
    weights[5] = 1.0
    with pytest.raises(ValueError, match="early_stopping=True needs at least 2"):
        make(MLPClassifier, early_stopping=True).fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("batch_size", [1, 7, 60])
def test_minibatches_without_weight_do_not_count(batch_size):
    X, y = data_for(MLPClassifier)
    weights = np.zeros(len(X))
    weights[:8] = 1.0
    params = {"batch_size": batch_size, "learning_rate_init": 1e-12, "alpha": 0.0}
    model = make(MLPClassifier, max_iter=1, shuffle=False, **params)
    model.fit(X, y, sample_weight=weights)
    loss, _ = model.loss_gradients(X, y, weights)
    if batch_size == 7:  # the second minibatch has one sample, and counts as much
        first, second = (
            model.loss_gradients(X[part], y[part])[0]
            for part in (slice(0, 7), slice(7, 8))
        )
        loss = (first + second) / 2
    np.testing.assert_allclose(model.loss_, loss, rtol=1e-6)


def test_ordinary_weights_are_only_converted():
    weights = np.array([0.3, 2.0, 0.0, 1e-3])
    for dtype in ("float32", "float64"):
        np.testing.assert_array_equal(
            normalized_weights(weights, dtype), weights.astype(dtype)
        )


@pytest.mark.parametrize("first", [1e-200, 1e200])
def test_products_that_over_or_underflow(first):
    products = multiplied_weights(first * np.array([1.0, 0.0, 2.0]), np.full(3, first))
    np.testing.assert_allclose(products, [0.5, 0.0, 1.0])
    assert not multiplied_weights(np.array([1.0, 0.0]), np.array([0.0, 1.0])).any()
