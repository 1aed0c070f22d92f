"""Looking into an estimator, and setting what is there."""

import numpy as np
import pytest
from estimator_cases import (
    CLASSIFIERS,
    ESTIMATORS,
    IMAGE_ESTIMATORS,
    REGRESSORS,
    data_for,
    make,
)
from sklearn.exceptions import NotFittedError

from skconvnet import ConvNetClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_initialize_gives_what_fit_starts_from(cls, early_stopping):
    X, y = data_for(cls)
    start = make(cls).initialize(X, y)
    # A step this small leaves the weights where they were.
    still = make(
        cls,
        solver="sgd",
        learning_rate_init=1e-300,
        max_iter=1,
        early_stopping=early_stopping,
    ).fit(X, y)
    np.testing.assert_allclose(
        start.network_.vector, still.network_.vector, rtol=0, atol=1e-200
    )
    assert start.predict(X).shape == y.shape


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_training_goes_on_from_weights_that_were_set(cls):
    X, y = data_for(cls)
    donor = make(cls, random_state=5).fit(X, y)
    model = make(cls, warm_start=True).initialize(X, y).set_weights(donor.get_weights())
    np.testing.assert_array_equal(model.network_.vector, donor.network_.vector)
    np.testing.assert_array_equal(model.predict(X), donor.predict(X))
    model.set_params(learning_rate_init=1e-300, solver="sgd", max_iter=1).fit(X, y)
    np.testing.assert_allclose(
        model.network_.vector, donor.network_.vector, rtol=0, atol=1e-200
    )


def test_names_and_shapes_of_weights():
    model = make(ConvNetClassifier).initialize(*data_for(ConvNetClassifier))
    weights = model.get_weights()
    assert {name: array.shape for name, array in weights.items()} == {
        "conv1/kernel": (3, 1, 3, 3),
        "conv1/bias": (3,),
        "dense1/kernel": (27, 5),
        "dense1/bias": (5,),
        "output/kernel": (5, 3),
        "output/bias": (3,),
    }
    weights["output/bias"][:] = 7
    assert not (model.get_weights()["output/bias"] == 7).any()
    model.set_weights({"output/bias": [1, 2, 3]})
    np.testing.assert_array_equal(model.get_weights()["output/bias"], [1, 2, 3])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_loss_gradients_follow_a_random_direction(cls, weighted):
    X, y = data_for(cls)
    if cls in REGRESSORS:
        y = np.stack([y, y**2], axis=1)
    params = {"activation": "tanh"} if "activation" in cls().get_params() else {}
    model = make(cls, alpha=0.1, dtype="float64", **params).initialize(X, y)
    rng = np.random.default_rng(0)
    start = {name: rng.normal(size=a.shape) for name, a in model.get_weights().items()}
    turn = {name: rng.normal(size=a.shape) for name, a in start.items()}
    sample_weight = rng.uniform(size=len(X)) if weighted else None

    def loss_at(amount):
        moved = {name: start[name] + amount * turn[name] for name in start}
        return model.set_weights(moved).loss_gradients(X, y, sample_weight)

    _, gradients = loss_at(0.0)
    assert {n: g.shape for n, g in gradients.items()} == {
        n: a.shape for n, a in start.items()
    }
    step = 1e-6
    numeric = (loss_at(step)[0] - loss_at(-step)[0]) / (2 * step)
    analytic = sum(np.vdot(gradients[name], turn[name]) for name in turn)
    assert abs(analytic - numeric) < 1e-6 * abs(numeric)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_loss_gradients_is_the_loss_that_fit_reports(cls):
    X, y = data_for(cls)
    frozen = {"solver": "sgd", "learning_rate_init": 1e-300, "batch_mode": "bgd"}
    model = make(cls, alpha=0.5, max_iter=1, **frozen).fit(X, y)
    assert model.loss_gradients(X, y)[0] == pytest.approx(model.loss_)


def test_perceptrons_report_the_mean_over_outputs_but_descend_the_sum():
    X, y = data_for(MLPRegressor)
    y = np.stack([y, y], axis=1)
    frozen = {"solver": "sgd", "learning_rate_init": 1e-300, "batch_mode": "bgd"}
    model = make(MLPRegressor, alpha=0.0, max_iter=1, **frozen).fit(X, y)
    assert model.loss_gradients(X, y)[0] == pytest.approx(2 * model.loss_)


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_activations_are_channels_last(cls):
    X, y = data_for(cls)
    model = make(cls).fit(X, y)
    for name, layer in model.network_.layers.items():
        assert model.activations(X, name).shape == (len(X), *layer.out_shape)
    maps = model.activations(X, "pool1")
    flat = model.activations(X, "flatten")
    np.testing.assert_array_equal(flat, maps.reshape(len(X), -1))
    weights = model.get_weights()
    hidden = model.activations(X, "dense1")
    scores = hidden @ weights["output/kernel"] + weights["output/bias"]
    if cls in CLASSIFIERS:
        np.testing.assert_allclose(model.decision_function(X), scores, rtol=1e-9)
        expected = model.predict_proba(X)
    else:
        expected = model.predict(X)[:, None]
    np.testing.assert_array_equal(model.activations(X, "output"), expected)


def test_summary():
    model = make(ConvNetClassifier).initialize(*data_for(ConvNetClassifier))
    lines = model.summary().splitlines()
    assert lines[0].split() == ["name", "layer", "output", "shape", "weights"]
    assert lines[2].split() == ["input", "(6,", "6,", "1)", "0"]
    assert lines[3].split() == ["conv1", "Conv2D", "(6,", "6,", "3)", "30"]
    assert lines[-1].split() == ["total", str(model.network_.vector.size)]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_nothing_to_see_before_fit(cls):
    X, y = data_for(cls)
    model = make(cls)
    for call in (
        model.get_weights,
        lambda: model.set_weights({}),
        lambda: model.predict(X),
        lambda: model.loss_gradients(X, y),
        lambda: model.activations(X, "output"),
        model.summary,
    ):
        with pytest.raises(NotFittedError):
            call()
