"""`layer_learning_rates` and `layer_alphas`, against one optimizer per array."""

import pickle

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skconvnet import ConvNetClassifier, MLPRegressor, SequentialClassifier
from skconvnet.layers import Conv2D, Dense, Flatten, Residual
from skconvnet.optimizers import (
    OPTIMIZERS,
    SGD,
    AdamW,
    Lookahead,
    Muon,
    ScheduleFreeAdamW,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every = pytest.mark.parametrize("cls", ESTIMATORS)

FACTORS = {"output": 3.0, "dense1": 0.25, "output/bias": 0.5}
DECAYING = [
    AdamW(weight_decay=2.0),
    ScheduleFreeAdamW(weight_decay=2.0),
    Lookahead(AdamW(weight_decay=2.0), every=2),
]
FACTORS_OF_ALPHA = {"output": 3.0, "dense1": 0.25}
# Without Muon, which does not treat each weight by itself.
SOLVERS = [
    *(cls() for cls in OPTIMIZERS.values() if cls is not Muon),
    Lookahead(SGD(), every=2),
]


def factor_of(name, factors):
    """Return the factor of an array, as a user reads the parameter."""
    layer = name.split("/")[0]
    return factors.get(name, factors.get(layer, 1.0))


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
@every
def test_rates_as_of_one_optimizer_per_array(cls, solver):
    X, y = data_for(cls)
    rate, n_epochs = 0.01, 5
    model = make(cls, solver=solver, learning_rate_init=rate, batch_mode="bgd")
    model.set_params(alpha=0.0, layer_learning_rates=FACTORS, max_iter=n_epochs)
    assert_trained_by_array(model, X, y, lambda _: clone(solver))


@pytest.mark.parametrize("solver", DECAYING, ids=repr)
@every
def test_decays_as_of_one_optimizer_per_array(cls, solver):
    X, y = data_for(cls)
    model = make(cls, solver=solver, learning_rate_init=0.01, batch_mode="bgd")
    model.set_params(alpha=0.0, layer_alphas=FACTORS, max_iter=5)

    def optimizer_of(name):
        own = clone(solver)
        inner = own.optimizer if isinstance(own, Lookahead) else own
        inner.weight_decay *= factor_of(name, FACTORS)
        return own

    assert_trained_by_array(model, X, y, optimizer_of)


def assert_trained_by_array(model, X, y, optimizer_of):
    """Compare with training in which each array has an optimizer of its own."""
    rate, n_epochs = model.learning_rate_init, model.max_iter
    factors = model.layer_learning_rates or {}
    # A model whose gradients are asked for at the weights in training.
    probe = clone(model).initialize(X, y)
    weights = {name: w.copy() for name, w in probe.get_weights().items()}
    optimizers = {name: optimizer_of(name) for name in weights}
    for _ in range(n_epochs):
        probe.set_weights(weights)
        _, gradients = probe.loss_gradients(X, y)
        for name, gradient in gradients.items():
            own = weights[name].reshape(-1)
            own_rate = rate * factor_of(name, factors)
            step = np.ascontiguousarray(gradient.reshape(-1))
            optimizers[name].step(own, step, own_rate)
    for name, w in weights.items():
        mean = np.empty(w.size)
        if optimizers[name].average(w.reshape(-1), mean):
            w[...] = mean.reshape(w.shape)
    fitted = model.fit(X, y).get_weights()
    for name, w in fitted.items():
        np.testing.assert_allclose(w, weights[name], rtol=1e-7, atol=1e-10)


def test_muon_scales_the_first_step():
    X, y = data_for(SequentialClassifier)
    layers = [Flatten(), Dense(6), ("hidden", Dense(5))]
    shared = {"solver": "muon", "max_iter": 1, "batch_mode": "bgd", "random_state": 0}

    def change(**params):
        model = SequentialClassifier(layers, alpha=0.0, **shared, **params)
        start = model.initialize(X, y).get_weights()
        end = model.fit(X, y).get_weights()
        return {name: w - start[name] for name, w in end.items()}

    plain, scaled = change(), change(layer_learning_rates={"hidden/kernel": 0.25})
    for name, step in plain.items():
        factor = 0.25 if name == "hidden/kernel" else 1.0
        np.testing.assert_allclose(scaled[name], factor * step, rtol=1e-6, atol=1e-12)


@every
def test_factors_of_1_change_no_bit(cls):
    X, y = data_for(cls)
    expected = make(cls).fit(X, y).network_.vector
    names = {"layer_learning_rates": {"output": 1.0}, "layer_alphas": {"output": 1.0}}
    for params in (names, {name: {} for name in names}, dict.fromkeys(names)):
        vector = make(cls, **params).fit(X, y).network_.vector
        np.testing.assert_array_equal(vector, expected)


@pytest.mark.parametrize("solver", [*OPTIMIZERS, Lookahead(AdamW(), every=2)], ids=str)
def test_a_rate_of_0_leaves_the_weights(solver):
    cls = CLASSIFIERS[0]
    X, y = data_for(cls)
    model = make(cls, solver=solver, max_iter=3)
    start = model.initialize(X, y).get_weights()
    model.set_params(layer_learning_rates={"dense1": 0}).fit(X, y)
    end = model.get_weights()
    np.testing.assert_array_equal(end["dense1/kernel"], start["dense1/kernel"])
    np.testing.assert_array_equal(end["dense1/bias"], start["dense1/bias"])
    assert (end["output/kernel"] != start["output/kernel"]).any()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.4])
@every
def test_alphas_in_the_loss_and_its_gradients(cls, l1_ratio):
    X, y = data_for(cls)
    model = make(cls, alpha=0.0, dtype="float64").fit(X, y)
    loss, gradients = model.loss_gradients(X, y)
    alpha, factors = 0.5, {"output": 3.0, "dense1": 0.0}
    model.set_params(alpha=alpha, l1_ratio=l1_ratio, layer_alphas=factors)
    penalized, slopes = model.loss_gradients(X, y)
    total = 0.0
    for name, w in model.get_weights().items():
        kernel = name.endswith("kernel")
        own = alpha * factor_of(name, factors) / len(X) if kernel else 0.0
        total += own * ((1 - l1_ratio) / 2 * (w**2).sum() + l1_ratio * abs(w).sum())
        extra = own * ((1 - l1_ratio) * w + l1_ratio * np.sign(w))
        np.testing.assert_allclose(slopes[name], gradients[name] + extra, atol=1e-12)
    assert penalized - loss == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("max_norm", [None, 100.0])
@every
def test_alphas_in_training(cls, max_norm):
    X, y = data_for(cls)
    model = make(cls, solver=SGD(momentum=0.0), alpha=5.0, learning_rate_init=0.05)
    model.set_params(batch_mode="bgd", layer_alphas=FACTORS_OF_ALPHA, max_iter=1)
    model.set_params(max_grad_norm=max_norm)
    probe = clone(model).initialize(X, y)
    start = probe.get_weights()
    loss, gradients = probe.loss_gradients(X, y)
    model.fit(X, y)
    for name, w in model.get_weights().items():
        expected = start[name] - 0.05 * gradients[name]
        np.testing.assert_allclose(w, expected, rtol=1e-9, atol=1e-12)
    if cls is not MLPRegressor:  # which reports another loss than it minimizes
        assert model.loss_ == pytest.approx(loss)


def small_problem():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    return X, np.sin(X[:, 0]) + 0.1 * rng.normal(size=80)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_lbfgs_finds_the_minimum(l1_ratio):
    X, y = small_problem()
    params = {"hidden_layer_sizes": (3,), "alpha": 2.0, "max_iter": 2000, "tol": 1e-7}
    params |= {"layer_alphas": {"dense1": 4.0, "output": 0.5}, "l1_ratio": l1_ratio}
    params |= {"activation": "identity"}
    model = MLPRegressor(solver="lbfgs", random_state=0, **params).fit(X, y)
    probe = clone(model).set_params(alpha=0.0, max_iter=1).fit(X, y)
    probe.set_weights(model.get_weights())
    loss, gradients = probe.loss_gradients(X, y)
    penalty = 0.0
    for name, factor in (("dense1", 4.0), ("output", 0.5)):
        w, slope = model.get_weights()[f"{name}/kernel"], -gradients[f"{name}/kernel"]
        strength = 2.0 * factor / len(X)
        if l1_ratio:
            # The slope of the loss is that of the penalty, or less at zero.
            moved = w != 0
            assert (abs(slope[~moved]) <= strength + 1e-5).all()
            expected = strength * np.sign(w[moved])
            np.testing.assert_allclose(slope[moved], expected, atol=1e-5)
            penalty += strength * abs(w).sum()
        else:
            np.testing.assert_allclose(slope, strength * w, atol=1e-5)
            penalty += strength / 2 * (w**2).sum()
    if l1_ratio:
        assert 0 < (model.coefs_[0] == 0).sum() < model.coefs_[0].size
    assert model.loss_ == pytest.approx(loss + penalty, rel=1e-6)


def test_an_l1_penalty_of_one_layer_makes_zeros_there():
    X, y = data_for(CLASSIFIERS[0], n=200)
    model = make(CLASSIFIERS[0], alpha=20.0, l1_ratio=1.0, learning_rate_init=0.01)
    model.set_params(max_iter=20, batch_size=50, layer_alphas={"output": 0.0})
    first, second = model.fit(X, y).coefs_
    assert (first == 0).mean() > 0.5
    assert (second != 0).all()


def test_the_longest_name_counts():
    X, y = data_for(SequentialClassifier)
    body = [("a", Conv2D(2, 3, padding="same")), ("b", Conv2D(2, 3, padding="same"))]
    layers = [("block", Residual(body)), ("flatten", Flatten())]
    model = SequentialClassifier(layers, max_iter=1, random_state=0)
    start = model.initialize(X, y).get_weights()
    factors = {"block/b/bias": 1.0, "block": 0.0, "block/a": 2.0}
    end = model.set_params(layer_learning_rates=factors).fit(X, y).get_weights()
    moved = {name for name, w in end.items() if (w != start[name]).any()}
    assert moved == {
        "block/a/kernel",
        "block/a/bias",
        "block/b/bias",
        "output/kernel",
        "output/bias",
    }


@pytest.mark.parametrize("solver", ["sgd", "adamw", "muon", "schedule_free_adamw"])
def test_the_same_bits_for_any_number_of_threads(solver):
    X, y = data_for(CLASSIFIERS[1])

    def vector(n_jobs):
        layers = [Conv2D(16, 3, padding="same"), Flatten(), Dense(300), Dense(200)]
        model = SequentialClassifier(layers, solver=solver, n_jobs=n_jobs, max_iter=2)
        model.set_params(layer_learning_rates={"dense_1": 0.1}, l1_ratio=0.5)
        model.set_params(layer_alphas={"dense_2": 9.0}, batch_size=20, random_state=0)
        return model.fit(X, y).network_.vector

    np.testing.assert_array_equal(vector(2), vector(1))


@every
def test_calls_of_partial_fit_are_epochs(cls):
    X, y = data_for(cls)
    shared = {"layer_learning_rates": FACTORS, "layer_alphas": FACTORS_OF_ALPHA}
    shared |= {"max_iter": 3, "batch_size": 20, "shuffle": False}
    whole = make(cls, **shared).fit(X, y)
    parts = make(cls, **shared)
    classes = {"classes": [0, 1, 2]} if cls in CLASSIFIERS else {}
    for _ in range(3):
        parts = pickle.loads(pickle.dumps(parts)).partial_fit(X, y, **classes)
    np.testing.assert_array_equal(parts.network_.vector, whole.network_.vector)
    # Other factors hold from the next call on.
    before = parts.get_weights()
    parts.set_params(layer_learning_rates={"dense1": 0.0}).partial_fit(X, y)
    after = parts.get_weights()
    np.testing.assert_array_equal(after["dense1/bias"], before["dense1/bias"])
    assert (after["output/bias"] != before["output/bias"]).any()


@pytest.mark.parametrize("solver", [AdamW, Muon], ids=repr)
def test_decay_of_all_arrays(solver):
    X, y = data_for(CLASSIFIERS[0])
    model = ConvNetClassifier((4,), alpha=0.0, learning_rate_init=0.1, max_iter=1)
    model.set_params(batch_mode="bgd", learning_rate="constant", random_state=0)
    weights = []
    for factors in (None, {"norm1": 0.0, "conv1/bias": 3.0}):
        model.set_params(solver=solver(weight_decay=0.5), layer_alphas=factors)
        weights.append(model.fit(X, y).get_weights())
    start = clone(model).initialize(X, y).get_weights()
    decay = 0.1 * 0.5
    names = ("norm1/gamma", "norm1/beta", "conv1/bias", "conv1/kernel")
    for name, expected in zip(names, (-1.0, -1.0, 2.0, 0.0), strict=True):
        change = weights[0][name] - weights[1][name]
        np.testing.assert_allclose(change, expected * decay * start[name], atol=1e-7)


def test_a_search_over_factors():
    X, y = data_for(CLASSIFIERS[0])
    grid = {"layer_alphas": [None, {"output": 10.0}]}
    search = GridSearchCV(make(CLASSIFIERS[0]), grid, cv=2, error_score="raise")
    assert len(search.fit(X, y).cv_results_["params"]) == 2


WRONG = [
    (
        {"layer_learning_rates": {"dense9": 0.1}},
        r"layer_learning_rates has 'dense9', .* these are 'conv1', .*'output'\. .*"
        r"Did you mean 'dense1'\?",
    ),
    ({"layer_learning_rates": {"pool1": 0.1}}, "'pool1', which is no layer with weigh"),
    ({"layer_learning_rates": {"conv1/moving_mean": 1}}, "which is no layer with weig"),
    ({"layer_alphas": {"bn1": 0.1}}, "'bn1', which is no layer with weights that alp"),
    ({"layer_alphas": {"conv1/bias": 0.1}}, "'conv1/bias', which is no layer with we"),
    ({"layer_alphas": {"": 0.1}}, "layer_alphas has ''"),
    ({"layer_alphas": {1: 0.1}}, "layer_alphas has 1"),
    (
        {"layer_alphas": {"conv1": -1}},
        r"layer_alphas\['conv1'\] must be a finite float of at least 0; got -1",
    ),
    ({"layer_alphas": {"conv1": np.nan}}, "must be a finite float of at least 0"),
    ({"layer_alphas": [0.1]}, "'layer_alphas' parameter of ConvNetClassifier must be"),
    ({"layer_learning_rates": 0.1}, "'layer_learning_rates' parameter of ConvNetClas"),
    (
        {"layer_learning_rates": {"conv1": 0.1}, "solver": "lbfgs"},
        r"layer_learning_rates=\{'conv1': 0.1\} must be None with solver='lbfgs'",
    ),
]


@pytest.mark.parametrize(("params", "message"), WRONG, ids=str)
def test_errors_leave_the_estimator_unchanged(params, message):
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, batch_norm=True).fit(X, y)
    before = model.network_.vector.copy()
    model.set_params(**params)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    np.testing.assert_array_equal(model.network_.vector, before)


def test_a_factor_must_be_a_number():
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, layer_alphas={"conv1": "0.1"})
    with pytest.raises(TypeError, match=r"layer_alphas\['conv1'\] must be a finite"):
        model.fit(X, y)
