"""Solvers and losses by name and as objects, in every estimator."""

import numpy as np
import pytest
from estimator_cases import ESTIMATORS, REGRESSORS, data_for, make
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skconvnet import MLPRegressor
from skconvnet.losses import Huber
from skconvnet.optimizers import OPTIMIZERS, SGD, AdamW, RMSprop

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def weights(cls, **params):
    return make(cls, **params).fit(*data_for(cls)).network_.vector


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_solver_brings_the_loss_down(cls, name):
    X, y = data_for(cls)
    rate = {"adadelta": 1.0, "adagrad": 0.05, "sgd": 0.01}.get(name, 0.005)
    model = make(cls, solver=name, learning_rate_init=rate, max_iter=40).fit(X, y)
    assert model.loss_curve_[-1] < 0.95 * model.loss_curve_[0]
    model.partial_fit(X, y)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_an_object_is_the_same_as_its_name(cls):
    named = weights(cls, solver="sgd", momentum=0.5, nesterovs_momentum=False)
    np.testing.assert_array_equal(weights(cls, solver=SGD(0.5)), named)
    named = weights(cls, solver="adamw", beta_1=0.5)
    np.testing.assert_array_equal(weights(cls, solver=AdamW(0.5)), named)
    named = weights(cls, solver="rmsprop")
    np.testing.assert_array_equal(weights(cls, solver=RMSprop()), named)
    assert not np.array_equal(weights(cls, solver=RMSprop(rho=0.5)), named)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_an_object_is_left_alone_and_can_be_searched(cls):
    X, y = data_for(cls)
    solver = RMSprop()
    model = make(cls, solver=solver)
    first = model.fit(X, y).network_.vector
    assert vars(solver) == vars(RMSprop())
    np.testing.assert_array_equal(clone(model).fit(X, y).network_.vector, first)
    grid = {"solver__rho": [0.5, 0.9], "solver__epsilon": [1e-8]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert solver.rho == 0.9


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("form", ["classical", "nesterov", "moving average"])
def test_forms_of_momentum_by_hand(cls, form):
    X, y = data_for(cls)
    beta, rate = 0.8, 0.05
    is_average = form == "moving average"
    solver = SGD(beta, nesterov=form == "nesterov", dampening=beta * is_average)
    model = make(cls, solver=solver, learning_rate_init=rate, batch_mode="bgd")
    model.set_params(alpha=0.0).initialize(X, y)
    weights = model.get_weights()
    velocity = {name: np.zeros_like(w) for name, w in weights.items()}
    for _ in range(4):
        _, gradients = model.loss_gradients(X, y)
        for name, g in gradients.items():
            share = 1 - beta if is_average else 1
            velocity[name] = beta * velocity[name] + share * g
            ahead = g + beta * velocity[name] if form == "nesterov" else velocity[name]
            weights[name] = weights[name] - rate * ahead
        classes = {"classes": np.unique(y)} if hasattr(model, "predict_proba") else {}
        for name, w in model.partial_fit(X, y, **classes).get_weights().items():
            np.testing.assert_allclose(w, weights[name], atol=1e-12)


def test_wrong_parameters_of_a_solver():
    X, y = data_for(MLPRegressor)
    message = r"The 'rho' parameter of RMSprop must be .*\[0.0, 1.0\). Got 1.5"
    with pytest.raises(ValueError, match=message):
        make(MLPRegressor, solver=RMSprop(rho=1.5)).fit(X, y)
    with pytest.raises(ValueError, match="dampening must be 0 if nesterov=True"):
        make(MLPRegressor, solver=SGD(nesterov=True, dampening=0.1)).fit(X, y)
    with pytest.raises(ValueError, match="'solver' parameter of MLPRegressor"):
        make(MLPRegressor, solver=RMSprop).fit(X, y)
    with pytest.raises(ValueError, match=r"'delta' parameter of Huber .* Got -1"):
        make(MLPRegressor, loss=Huber(-1)).fit(X, y)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", Huber(0.1)])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("cls", REGRESSORS)
def test_gradients_of_robust_losses(cls, loss, n_outputs):
    X, y = data_for(cls)
    y = np.column_stack([y, -y])[:, :n_outputs]
    model = make(cls, loss=loss, alpha=0.0, dtype="float64").fit(X, y.squeeze())
    residual = model.predict(X).reshape(y.shape) - y
    value, gradients = model.loss_gradients(X, y.squeeze())
    delta = {"absolute_error": 0.0, "huber": 1.0}.get(str(loss), 0.1)
    inside = 0.5 * residual**2
    outside = delta * (np.abs(residual) - 0.5 * delta)
    losses = np.where(np.abs(residual) <= delta, inside, outside)
    slopes = np.clip(residual, -delta, delta)
    if loss == "absolute_error":
        losses, slopes = np.abs(residual), np.sign(residual)
    assert value == pytest.approx(losses.sum(axis=1).mean())
    np.testing.assert_allclose(gradients["output/bias"], slopes.mean(axis=0))


def test_absolute_error_finds_the_median():
    rng = np.random.default_rng(0)
    X, y = np.zeros((201, 1)), np.exp(3 * rng.normal(size=201))
    params = {"hidden_layer_sizes": (), "alpha": 0.0, "tol": 0.0}
    model = make(
        MLPRegressor,
        **params,
        loss="absolute_error",
        learning_rate_init=0.01,
        batch_mode="bgd",
        max_iter=400,
    ).fit(X, y)
    assert model.predict(X[:1])[0] == pytest.approx(np.median(y), abs=0.05)
    model = make(MLPRegressor, **params, loss=Huber(1e9), solver="lbfgs", max_iter=50)
    assert model.fit(X, y).predict(X[:1])[0] == pytest.approx(y.mean(), rel=1e-4)
