"""A first loss far above that of guessing is told, with its cause and its cure."""

import warnings

import estimator_cases
import numpy as np
import pytest
from estimator_cases import ESTIMATORS, IMAGE_ESTIMATORS, data_for
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import MaxAbsScaler

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import Conv2D, Dense, Flatten, Standardize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

REGRESSORS = [ConvNetRegressor, SequentialRegressor]
TOLD = "Training started with a loss of .* far above"


def make(cls, **params):
    """Return a small `cls` of rectifiers, which do not saturate."""
    if cls.__name__.startswith("Sequential"):
        params.setdefault(
            "layers",
            [Conv2D(3, 3, activation="relu"), Flatten(), Dense(5, activation="relu")],
        )
    return estimator_cases.make(cls, **params)


def told(model, X, y, *args, **kwargs):
    """Return the messages about the first loss of a training."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, *args, **kwargs)
    texts = [str(w.message) for w in caught if w.category is UserWarning]
    return [text for text in texts if text.startswith("Training started")]


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
@pytest.mark.parametrize("unit", [1e4, 1e8])
def test_large_X_is_told_once(cls, unit):
    X, y = data_for(cls)
    (text,) = told(make(cls), unit * X, y)
    guess = "the mean of y" if cls in REGRESSORS else "the classes"
    cure = "rescale='auto'" if cls.__name__.startswith("C") else "Standardize()"
    assert f"loss of guessing {guess} without looking at X" in text
    assert "X probably has a scale" in text
    assert cure in text
    assert "StandardScaler" in text


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_the_advice_helps(cls):
    X, y = data_for(cls)
    model = make(cls)
    if cls.__name__.startswith("C"):
        model.set_params(rescale="auto")
    else:
        model.set_params(layers=[Standardize(), *model.layers])
    assert told(model, 1e4 * X, y) == []


@pytest.mark.parametrize("cls", REGRESSORS)
def test_large_y_is_told(cls):
    X, y = data_for(cls)
    (text,) = told(make(cls), X, y + 1e4)
    assert "The values of y have a mean of 1e+04" in text
    assert "TransformedTargetRegressor(regressor, transformer=StandardScaler())" in text
    assert ("rescale='auto'" in text) == (cls is ConvNetRegressor)
    assert "X probably" not in text


def test_large_y_is_no_matter_with_rescale():
    X, y = data_for(ConvNetRegressor)
    assert told(ConvNetRegressor(max_iter=1, random_state=0), X, y + 1e4) == []


def test_large_counts_get_advice_that_keeps_them_positive():
    X, y = data_for(ConvNetRegressor)
    model = ConvNetRegressor(max_iter=2, loss="poisson", random_state=0)
    (text,) = told(model, X, 1e4 * y)
    assert "rescale" not in text
    assert "transformer=MaxAbsScaler()" in text
    scaled = TransformedTargetRegressor(model, transformer=MaxAbsScaler())
    assert told(scaled, X, 1e4 * y) == []


@pytest.mark.parametrize("cls", [c for c in ESTIMATORS if c not in IMAGE_ESTIMATORS])
def test_perceptrons_are_silent_as_in_scikit_learn(cls):
    X, y = data_for(cls)
    assert told(make(cls), 1e4 * X, y) == []
    if cls is MLPRegressor:
        assert told(make(cls), X, y + 1e4) == []


@settings(max_examples=25, deadline=None)
@example(SequentialClassifier, 1190, 30, 1.0, 1.0, 1.0, False)  # a first loss of 5.5
@given(
    cls=st.sampled_from(IMAGE_ESTIMATORS),
    seed=st.integers(0, 10_000),
    n=st.integers(30, 150),
    mean=st.floats(-1, 1),
    deviation=st.floats(0.01, 1),
    unit_of_y=st.floats(1e-3, 3),
    batch_norm=st.booleans(),
)
def test_suitable_data_raises_no_alarm(
    cls, seed, n, mean, deviation, unit_of_y, batch_norm
):
    rng = np.random.default_rng(seed)
    X = rng.normal(mean, deviation, size=(n, 6, 6, 2))
    y = unit_of_y * rng.normal(size=n) if cls in REGRESSORS else np.arange(n) % 3
    model = make(cls, random_state=seed)
    if cls.__name__.startswith("C"):
        # The weights after many channels and before few units are large.
        model.set_params(batch_norm=batch_norm, filters=(16, 32), hidden_layer_sizes=32)
    assert told(model, X, y) == []


@pytest.mark.parametrize("cls", [ConvNetClassifier, ConvNetRegressor])
@pytest.mark.parametrize("unit", [1e-3, 1, 255, 1e6])
@pytest.mark.parametrize("size", [2, 8, 200])
def test_convnets_with_their_defaults_raise_no_alarm(cls, unit, size):
    X, y = data_for(cls)
    for seed in range(3):
        model = cls(size, hidden_layer_sizes=size, max_iter=1, random_state=seed)
        assert told(model, unit * X, y) == []


LOSSES_OF_CLASSES = [
    "log_loss",
    "hinge",
    "squared_hinge",
    "squared_error",
    "perceptron",
]
LOSSES_OF_NUMBERS = ["squared_error", "absolute_error", "huber", "quantile", "poisson"]


@pytest.mark.parametrize("loss", LOSSES_OF_CLASSES)
def test_all_losses_of_classes_start_well(loss):
    X, y = data_for(SequentialClassifier)
    assert told(make(SequentialClassifier, loss=loss), X, y) == []


@pytest.mark.parametrize("loss", LOSSES_OF_NUMBERS)
def test_all_losses_of_numbers_start_well(loss):
    X, y = data_for(SequentialRegressor)
    assert told(make(SequentialRegressor, loss=loss), X, y) == []


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_the_penalty_does_not_count(cls):
    X, y = data_for(cls)
    assert told(make(cls, alpha=1e4), X, y) == []


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_only_the_first_loss_counts(cls):
    X, y = data_for(cls)
    model = make(cls, warm_start=True)
    assert len(told(model, 1e4 * X, y)) == 1
    assert told(model, 1e4 * X, y) == []
    assert len(told(model.set_params(warm_start=False), 1e4 * X, y)) == 1


def test_a_first_partial_fit_tells_and_later_ones_do_not():
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier)
    with pytest.warns(UserWarning, match=TOLD):
        model.partial_fit(1e4 * X, y, classes=[0, 1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(1e4 * X, y)


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_the_warning_points_to_the_line_of_the_caller(cls):
    X, y = data_for(cls)
    with pytest.warns(UserWarning, match=TOLD) as caught:
        make(cls).fit(1e4 * X, y)
    (warning,) = [w for w in caught if w.category is UserWarning]
    assert warning.filename == __file__


def test_it_is_told_through_searches_too():
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier)
    with pytest.warns(UserWarning, match=TOLD) as caught:
        cross_val_score(model, 1e4 * X, y, cv=2)
    ours = [w for w in caught if "Training started" in str(w.message)]
    assert {w.filename for w in ours} == {__file__}


def test_samples_without_weight_do_not_count():
    X, y = data_for(SequentialRegressor)
    y = y.copy()
    y[:30] = 1e6
    weights = (np.arange(len(y)) >= 30).astype(float)
    assert told(make(SequentialRegressor), X, y, weights) == []
