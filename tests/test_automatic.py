"""The defaults of ConvNets, and what "auto" stands for in them."""

import inspect
import re

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from numpy.testing import assert_array_equal
from sklearn.utils._param_validation import InvalidParameterError

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    SequentialClassifier,
)
from skconvnet.estimators._automatic import automatic_batch_size
from skconvnet.estimators._help import give_defaults
from skconvnet.optimizers import ScheduleFreeAdamW
from skconvnet.schedules import Constant, OneCycle

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CONVNETS = [ConvNetClassifier, ConvNetRegressor]
OTHERS = [cls for cls in ESTIMATORS if cls not in CONVNETS]
convnets = pytest.mark.parametrize("cls", CONVNETS)


def small(cls, **params):
    return cls(
        **{"filters": 2, "hidden_layer_sizes": 4, "max_iter": 4, "random_state": 0}
        | params
    )


@convnets
def test_defaults(cls):
    params = cls().get_params()
    expected = {
        "rescale": "auto",
        "batch_norm": True,
        "alpha": 1.0,
        "learning_rate": "auto",
        "learning_rate_init": 0.003,
        "max_iter": 30,
        "batch_size": "auto",
    }
    assert expected.items() <= params.items()


@pytest.mark.parametrize("cls", OTHERS)
def test_the_others_keep_the_defaults_of_scikit_learn(cls):
    params = cls().get_params()
    expected = {
        "alpha": 1e-4,
        "learning_rate": "constant",
        "learning_rate_init": 0.001,
        "max_iter": 200,
    }
    assert expected.items() <= params.items()
    assert "rescale" not in params


@pytest.mark.parametrize(
    ("n", "size"),
    [
        *((1, 1), (10, 10), (32, 32), (33, 8), (500, 8), (1000, 16), (1500, 32)),
        *((2048, 32), (4096, 64), (8192, 128), (60_000, 128), (10_000_000, 128)),
    ],
)
def test_batch_size(n, size):
    assert automatic_batch_size(n) == size


def test_batch_size_grows_with_the_training_set():
    sizes = [automatic_batch_size(n) for n in range(33, 20_000)]
    assert sizes == sorted(sizes)
    assert set(sizes) == {8, 16, 32, 64, 128}


@convnets
@pytest.mark.parametrize("incremental", [False, True])
def test_fit_trains_as_with_the_values_that_auto_stands_for(cls, incremental):
    X, y = data_for(cls, n=100)
    rate = "constant" if incremental else "one_cycle"
    auto, explicit = small(cls), small(cls, batch_size=8, learning_rate=rate)
    for model in (auto, explicit):
        if incremental:
            classes = {"classes": [0, 1, 2]} if cls in CLASSIFIERS else {}
            model.partial_fit(X, y, **classes).partial_fit(X, y)
        else:
            model.fit(X, y)
    assert_array_equal(auto.predict(X), explicit.predict(X))
    assert auto.learning_rate_curve_ == explicit.learning_rate_curve_
    constant = set(auto.learning_rate_curve_) == {0.003}
    assert constant == incremental
    assert auto.learning_rate == "auto"
    assert auto.batch_size == "auto"


@convnets
@pytest.mark.parametrize("solver", ["schedule_free_adamw", ScheduleFreeAdamW()])
def test_schedule_free_optimizers_have_no_schedule(cls, solver):
    model = small(cls, solver=solver).fit(*data_for(cls))
    assert len(set(model.learning_rate_curve_)) == 1


@convnets
@pytest.mark.parametrize("solver", ["adam", "sgd", "adamw", "rmsprop"])
def test_the_rate_rises_to_its_initial_value_and_falls(cls, solver):
    X, y = data_for(cls)
    rates = small(cls, solver=solver, max_iter=10).fit(X, y).learning_rate_curve_
    assert max(rates) <= 0.003
    assert max(rates) > 0.9 * 0.003
    assert rates[-1] < 0.01 * max(rates)


@convnets
@pytest.mark.parametrize("rate", ["constant", "cosine", OneCycle(), Constant()])
def test_other_schedules_are_as_they_were(cls, rate):
    X, y = data_for(cls)
    assert np.isfinite(small(cls, learning_rate=rate).fit(X, y).loss_)


@pytest.mark.parametrize("cls", OTHERS)
def test_only_convnets_have_an_automatic_rate(cls):
    with pytest.raises(InvalidParameterError, match="'learning_rate' parameter"):
        make(cls, learning_rate="auto").fit(*data_for(cls))


@pytest.mark.parametrize("cls", [MLPClassifier, SequentialClassifier])
def test_minibatches_of_the_others(cls):
    X, y = data_for(cls, n=300)
    auto, explicit = (make(cls, batch_size=size).fit(X, y) for size in ("auto", 200))
    assert_array_equal(auto.predict_proba(X), explicit.predict_proba(X))


@convnets
def test_other_modes_and_small_sets(cls):
    X, y = data_for(cls)
    for params in ({"batch_mode": "bgd"}, {"batch_mode": "sgd"}, {"solver": "lbfgs"}):
        assert np.isfinite(small(cls, **params).fit(X, y).loss_)
    assert np.isfinite(small(cls).fit(X[:3], y[:3]).loss_)
    # Fewer samples remain for training than "auto" was resolved for.
    held_out = small(cls, early_stopping=True).fit(X[:16], y[:16] > 0.5)
    assert np.isfinite(held_out.loss_)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_documented_defaults_are_those_of_the_signature(cls):
    stated = dict(re.findall(r"(?m)^    (\w+) : .*, default=(.*)$", cls.__doc__))
    parameters = inspect.signature(cls).parameters
    assert set(stated) == set(parameters)
    for name, text in stated.items():
        assert eval(text) == parameters[name].default, name
    assert "<automatic" not in cls.__doc__
    assert ('"auto" means "one_cycle"' in cls.__doc__) == (cls in CONVNETS)
    assert ("power of 2 from 8 to 128" in cls.__doc__) == (cls in CONVNETS)
    assert ("``min(200, n_samples)``" in cls.__doc__) == (cls not in CONVNETS)
    assert ("units of the standard deviation" in cls.__doc__) == (
        cls is ConvNetRegressor
    )


def test_a_subclass_states_its_own_defaults():
    doc = '    a : str, default="x"\n        default=3\n    b : float, default=1e-4'
    assert give_defaults(doc, {"a": "y", "b": 1e-4}) == doc.replace('"x"', '"y"')
    assert give_defaults(doc, {}) == doc
