"""L1 and L2 penalties, bounds on the gradient and dropout, and their effects."""

import pickle

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, REGRESSORS, data_for, make
from sklearn.datasets import load_digits
from sklearn.linear_model import Lasso
from sklearn.metrics import log_loss
from training_tools import N, Problem, Steps

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    SequentialRegressor,
)
from skconvnet.engine.executor import Executor
from skconvnet.losses import SquaredError
from skconvnet.optimizers import LBFGS, OPTIMIZERS, SGD, Adam
from skconvnet.training.clipping import clip_norm, clip_value
from skconvnet.training.lbfgs import minimize_lbfgs
from skconvnet.training.regularization import (
    OrthantProjection,
    Regularizer,
    add_penalty,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every = pytest.mark.parametrize("cls", ESTIMATORS)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("strength", [0.0, 0.7])
def test_value_and_slope_of_the_penalty(strength, l1_ratio):
    network = Problem().network
    gradient = np.ones_like(network.vector)
    kernel = network.weights["output/kernel"]
    kernel[0, 0] = 0.0
    n = network.layout.n_penalized
    value = add_penalty(network.vector[:n], gradient[:n], strength, l1_ratio)
    l1, l2 = strength * l1_ratio, strength * (1 - l1_ratio)
    expected = l2 / 2 * (kernel**2).sum() + l1 * np.abs(kernel).sum()
    assert value == pytest.approx(expected)
    of_kernel, of_bias = network.layout.views(gradient).values()
    np.testing.assert_allclose(of_kernel, 1 + l2 * kernel + l1 * np.sign(kernel))
    np.testing.assert_array_equal(of_bias, 1)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("n_chunks", [1, 2, 5])
def test_a_regularizer_leaves_biases_alone_and_takes_chunks_in_any_order(
    n_chunks, l1_ratio
):
    n, n_penalized = 20, 13
    rng = np.random.default_rng(0)
    weights, gradient = rng.normal(size=n), rng.normal(size=n)
    expected, before = gradient.copy(), weights.copy()
    value = add_penalty(weights[:n_penalized], expected[:n_penalized], 0.5, l1_ratio)
    regularizer = Regularizer()
    regularizer.begin_update(weights[:n_penalized], 0.5, l1_ratio, n_updates=3)
    size = n // n_chunks
    for start in reversed(range(0, n, size)):
        chunk = slice(start, start + size)
        regularizer.before(chunk, weights[chunk], gradient[chunk])
        assert regularizer.after(chunk, weights[chunk]) == bool(l1_ratio)
    np.testing.assert_allclose(gradient, expected, rtol=1e-15)
    np.testing.assert_array_equal(weights, before)
    assert regularizer.value() == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3])
def test_a_penalty_added_for_clipping_is_not_added_again(l1_ratio):
    weights, gradient = np.linspace(-1, 1, 9), np.ones(9)
    regularizer = Regularizer()
    for _ in range(2):
        regularizer.begin_update(weights[:6], 0.5, l1_ratio, n_updates=3)
        regularizer.before_all(weights, gradient)
        added = gradient.copy()
        value = regularizer.value()
        regularizer.before(slice(0, 9), weights, gradient)
        np.testing.assert_array_equal(gradient, added)
        assert regularizer.value() == value
        gradient[:] = 1


def test_the_projection_keeps_each_weight_in_its_orthant():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=200) * rng.integers(0, 2, 200)
    projection, chunk, l1 = OrthantProjection(), slice(0, 200), 0.5
    mean, total = np.zeros(200), 0.0
    n_zeros = []
    for _ in range(40):
        projection.begin_update(weights, n_updates=4)
        gradient = rng.normal(size=200)
        mean, total = 0.75 * mean + 0.25 * gradient, 0.75 * total + 0.25
        before, kept = weights.copy(), gradient.copy()
        signs = projection.choose(chunk, weights, gradient, l1).copy()
        slopes = mean / total
        leaving = np.where(np.abs(slopes) > l1, -np.sign(slopes), 0)
        np.testing.assert_array_equal(signs, np.where(before, np.sign(before), leaving))
        np.testing.assert_array_equal(gradient, np.where(signs == 0, 0, kept))
        weights += rng.normal(size=200)
        updated = weights.copy()
        projection.project(chunk, weights)
        stays = np.sign(updated) == signs
        np.testing.assert_array_equal(weights, np.where(stays, updated, 0))
        n_zeros.append((weights == 0).sum())
    assert min(n_zeros) > 0


@every
def test_loss_gradients_have_the_penalty(cls):
    X, y = data_for(cls)
    model = make(cls, alpha=0.0, dtype="float64").fit(X, y)
    loss, gradients = model.loss_gradients(X, y)
    model.set_params(alpha=0.5, l1_ratio=0.4)
    penalized, slopes = model.loss_gradients(X, y)
    kernels = {k: w for k, w in model.get_weights().items() if k.endswith("kernel")}
    total = sum(0.15 * (w**2).sum() + 0.2 * abs(w).sum() for w in kernels.values())
    assert penalized - loss == pytest.approx(total / len(X))
    for name, w in kernels.items():
        extra = (0.3 * w + 0.2 * np.sign(w)) / len(X)
        np.testing.assert_allclose(slopes[name], gradients[name] + extra, atol=1e-12)


def sparse_regression(n=200, n_features=20):
    """Return samples of a linear function of 5 features of 20."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, n_features))
    coefs = np.zeros(n_features)
    coefs[:5] = [2.0, -1.0, 0.5, 0.3, -0.2]
    return X, X @ coefs + 0.5 * rng.normal(size=n)


def lasso(alpha):
    """Return scikit-learn's solution of the same problem."""
    X, y = sparse_regression()
    return Lasso(alpha=alpha, tol=1e-12, max_iter=10**5).fit(X, y).coef_


def linear(alpha, **params):
    X, y = sparse_regression()
    # The penalty is divided by the samples of an update.
    size = params.get("batch_size", len(X))
    model = SequentialRegressor(
        [], alpha=alpha * size, tol=0.0, random_state=0, **{"l1_ratio": 1.0, **params}
    )
    return model.fit(X, y).get_weights()["output/kernel"].ravel()


@pytest.mark.parametrize("alpha", [0.05, 0.3])
@pytest.mark.parametrize("solver", ["lbfgs", LBFGS(history=5)], ids=str)
def test_l1_by_lbfgs_finds_the_lasso(solver, alpha):
    expected = lasso(alpha)
    coefs = linear(alpha, solver=solver, max_iter=5000)
    np.testing.assert_allclose(coefs, expected, atol=1e-4)  # SciPy's ftol
    np.testing.assert_array_equal(coefs == 0, expected == 0)
    assert (coefs == 0).sum() > 5


@pytest.mark.parametrize("alpha", [0.05, 0.3])
@pytest.mark.parametrize(
    ("solver", "rate"),
    [("sgd", 0.01), (SGD(0.0), 0.05), ("adam", 0.01), ("rmsprop", 0.001)],
    ids=str,
)
def test_l1_in_whole_updates_finds_the_lasso(solver, rate, alpha):
    expected = lasso(alpha)
    params = {"batch_mode": "bgd", "learning_rate_init": rate, "max_iter": 3000}
    coefs = linear(alpha, solver=solver, n_iter_no_change=np.inf, **params)
    np.testing.assert_allclose(coefs, expected, atol=2e-3)
    np.testing.assert_array_equal(coefs == 0, expected == 0)


@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw", "nadam", "adamax"])
def test_l1_in_minibatches_sets_the_same_weights_to_zero(solver):
    expected = lasso(0.3)
    params = {"batch_size": 20, "learning_rate_init": 0.003, "max_iter": 250}
    coefs = linear(0.3, solver=solver, n_iter_no_change=np.inf, **params)
    np.testing.assert_array_equal(coefs == 0, expected == 0)
    np.testing.assert_allclose(coefs, expected, atol=0.1)


@pytest.mark.parametrize("solver", [*OPTIMIZERS, "lbfgs"])
def test_l1_yields_zeros_with_every_solver(solver):
    rate = {"adadelta": 1.0, "adagrad": 0.1, "schedule_free_adamw": 0.03}
    params = {"solver": solver, "learning_rate_init": rate.get(solver, 0.01)}
    params |= {"max_iter": 60, "n_iter_no_change": np.inf, "batch_size": 20}
    if solver == "lbfgs":
        params["batch_size"] = 200
    assert (linear(0.3, **params)[5:] == 0).sum() > 10
    assert (linear(0.3, **{**params, "l1_ratio": 0.0})[5:] == 0).sum() == 0


@every
def test_l1_empties_kernels_but_not_biases(cls):
    X, y = data_for(cls)
    params = {"l1_ratio": 1.0, "learning_rate_init": 0.05, "max_iter": 60}
    params |= {"n_iter_no_change": np.inf, "batch_size": 20}
    weights = make(cls, alpha=1e3, **params).fit(X, y).get_weights()
    for name, array in weights.items():
        assert name.endswith("bias") or not array.any(), name
    assert weights["output/bias"].any()


def test_l1_goes_on_where_partial_fit_ended():
    X, y = data_for(MLPClassifier)
    params = {"alpha": 0.5, "l1_ratio": 0.5, "batch_size": 9, "shuffle": False}
    params |= {"learning_rate_init": 0.01}
    whole = make(MLPClassifier, max_iter=6, n_iter_no_change=np.inf, **params)
    whole.fit(X, y)
    parts = make(MLPClassifier, **params)
    for _ in range(6):
        parts = pickle.loads(pickle.dumps(parts))
        parts.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(parts.network_.vector, whole.network_.vector)


class AdamInSmallChunks(Adam):
    # Several in a small network, so that threads share them.
    chunk_size = 64


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_l1_has_the_same_bits_for_any_number_of_threads(n_jobs):
    X, y = data_for(ConvNetClassifier)
    params = {"alpha": 1.0, "l1_ratio": 0.5, "max_iter": 4, "dtype": "float32"}
    params |= {"averaging": 0.9, "learning_rate": "cosine", "max_grad_value": 0.01}
    params["solver"] = AdamInSmallChunks()
    models = [
        make(ConvNetClassifier, n_jobs=n, **params).fit(X, y) for n in (1, n_jobs)
    ]
    one, more = (model.network_.vector for model in models)
    assert one.dtype == np.float32
    assert one.tobytes() == more.tobytes()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_alpha_shrinks_the_kernels(l1_ratio):
    X, y = load_digits(return_X_y=True)
    norms = []
    for alpha in (0.0, 1.0, 10.0):
        model = make(MLPClassifier, alpha=alpha, l1_ratio=l1_ratio, max_iter=30)
        coefs = model.fit(X[:300] / 16, y[:300]).coefs_
        norms.append(sum(np.abs(coef).sum() for coef in coefs))
    assert norms[0] > norms[1] > norms[2]


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_lbfgs_keeps_the_value_of_the_penalty(l1_ratio):
    problem = Problem()
    with Executor(problem.network, SquaredError(), 1) as executor:
        result = minimize_lbfgs(
            executor,
            problem.samples,
            solver=LBFGS(),
            alpha=0.5,
            l1_ratio=l1_ratio,
            max_iter=9,
            tol=0.0,
        )
    kernel = problem.network.weights["output/kernel"]
    penalty = (1 - l1_ratio) / 2 * (kernel**2).sum() + l1_ratio * np.abs(kernel).sum()
    assert result.fun == pytest.approx(problem.mean_loss() + 0.5 * penalty / N)


@pytest.mark.parametrize("max_value", [1e-3, 0.5, 100.0, None])
def test_clip_value(max_value):
    gradient = np.random.default_rng(0).normal(size=100).astype("float32")
    expected = [
        g if max_value is None else min(max(g, -max_value), max_value) for g in gradient
    ]
    clip_value(gradient, max_value)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)
    assert gradient.dtype == np.float32


@every
@pytest.mark.parametrize("max_norm", [None, 2e-3])
def test_max_grad_value_bounds_each_step(cls, max_norm):
    X, y = data_for(cls)
    params = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 1.0}
    params |= {"batch_mode": "bgd", "max_iter": 1, "alpha": 0.1}
    start = make(cls).initialize(X, y).network_.vector
    free = make(cls, **params).fit(X, y).network_.vector - start
    params |= {"max_grad_value": 1e-3, "max_grad_norm": max_norm}
    held = make(cls, **params).fit(X, y).network_.vector - start
    assert np.abs(free).max() > 1e-3
    expected = np.clip(free, -1e-3, 1e-3)
    clip_norm(expected, max_norm)
    np.testing.assert_allclose(held, expected, atol=1e-8)


@pytest.mark.parametrize("cls", [MLPClassifier, ConvNetClassifier])
def test_dropout_narrows_the_gap_between_training_and_test(cls):
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    y = np.where(rng.random(len(y)) < 0.2, rng.integers(0, 10, len(y)), y)
    parts = [(X[:200] / 16, y[:200]), (X[200:] / 16, y[200:])]
    gaps = []
    for dropout in (0.0, 0.5):
        model = make(cls, dropout=dropout, alpha=0.0, hidden_layer_sizes=100)
        model.set_params(learning_rate_init=0.01, batch_size=50, max_iter=40)
        model.set_params(n_iter_no_change=np.inf).fit(*parts[0])
        training, test = (model.loss_gradients(*part)[0] for part in parts)
        gaps.append(test - training)
    assert 0 < gaps[1] < 0.8 * gaps[0]


@pytest.mark.parametrize("cls", [MLPClassifier, ConvNetClassifier])
def test_penalties_and_more_data_narrow_the_gap(cls):
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    y = np.where(rng.random(len(y)) < 0.2, rng.integers(0, 10, len(y)), y)
    X, X_test, y, y_test = X[:800] / 16, X[800:] / 16, y[:800], y[800:]

    def gap(n=200, max_iter=40, **params):
        model = make(cls, hidden_layer_sizes=100, max_iter=max_iter, alpha=0.0)
        model.set_params(learning_rate_init=0.01, batch_size=50, **params)
        model.set_params(n_iter_no_change=np.inf).fit(X[:n], y[:n])
        losses = [
            log_loss(labels, model.predict_proba(images))
            for images, labels in ((X[:n], y[:n]), (X_test, y_test))
        ]
        return losses[1] - losses[0]

    plain = gap()
    assert plain > 0
    assert gap(alpha=0.5) < 0.8 * plain
    assert gap(alpha=0.05, l1_ratio=1.0) < 0.8 * plain
    # Four times the data, in as many updates.
    assert gap(n=800, max_iter=10) < 0.5 * plain


@every
def test_lbfgs_as_an_object_is_the_same_as_its_name(cls):
    X, y = data_for(cls)
    params = {"max_iter": 15, "max_fun": 9}
    named = make(cls, solver="lbfgs", **params).fit(X, y)
    given = make(cls, solver=LBFGS(max_fun=9), max_iter=15).fit(X, y)
    np.testing.assert_array_equal(named.network_.vector, given.network_.vector)
    assert named.loss_ == given.loss_
    other = make(cls, solver=LBFGS(history=1), max_iter=15).fit(X, y)
    assert not np.array_equal(named.network_.vector, other.network_.vector)
    assert not hasattr(given, "partial_fit")
    with pytest.raises(ValueError, match=r"'history' parameter of LBFGS .* Got 0"):
        make(cls, solver=LBFGS(history=0)).fit(X, y)


@pytest.mark.parametrize(
    "params", [{"l1_ratio": 1.5}, {"max_grad_value": 0}, {"l1_ratio": -1}], ids=str
)
@every
def test_wrong_parameters(cls, params):
    X, y = data_for(cls)
    ((name, value),) = params.items()
    with pytest.raises(ValueError, match=f"'{name}' parameter .* Got {value}"):
        make(cls, **params).fit(X, y)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("solver", [*OPTIMIZERS, "lbfgs"])
@pytest.mark.parametrize("cls", [*REGRESSORS, MLPClassifier])
def test_divergence_is_told_by_every_solver(cls, solver):
    X, y = data_for(cls)
    # A squared error beyond what a float holds, or sums that are infinite.
    wild = (X * 1e308, y) if cls in CLASSIFIERS else (X, y * 1e200)
    params = {"dtype": "float64", "learning_rate_init": 0.5}
    fitted = make(cls, **params).fit(X, y)
    before = fitted.get_weights()
    fitted.set_params(solver=solver, warm_start=True)
    fresh = make(cls, solver=solver, **params)
    calls = [lambda: fitted.fit(*wild), lambda: fresh.fit(*wild)]
    message = "after 0 iterations of L-BFGS the loss is (nan|inf). Scale the input"
    if solver != "lbfgs":
        message = r"in epoch 1, at a learning rate of 0\.5\. Lower learning_rate_init"
        calls.append(lambda: fitted.partial_fit(*wild))
    message = "non-finite parameter weights.*Training diverged: .*" + message
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call()
    assert not hasattr(fresh, "network_")
    for name, array in fitted.get_weights().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_divergence_in_the_first_call_leaves_it_unfitted():
    problem, optimizer = Problem(), Steps()
    X, y = data_for(SequentialRegressor)
    model = make(SequentialRegressor, learning_rate_init=0.5)
    with pytest.raises(ValueError, match="Training diverged"):
        model.fit(X, y * 1e200)
    assert not [name for name in vars(model) if name.endswith("_")]
    # A loss that overflows in one minibatch ends the epoch there.
    problem.samples.targets[:] = 1e200
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="in epoch 1"):
        problem.train(optimizer, rate=1e-300, batch_size=1)
    assert len(optimizer.rates) == 1
