"""scikit-learn's own tests of its perceptrons, run against ours.

The tests are imported from the installed scikit-learn with the two names replaced;
those that set or read its private attributes are left out.
"""

import inspect

import pytest
import sklearn.neural_network.tests.test_mlp as suite

import skconvnet

pytestmark = pytest.mark.filterwarnings("default")

# What each of them reaches for is in scikit-learn's class but no part of its interface.
PRIVATE = {
    "test_fit": "sets coefs_ and calls _fit_stochastic and _coef_grads",
    "test_gradient": "calls _unpack and _loss_grad_lbfgs",
    "test_learning_rate_warmstart": "reads _optimizer.learning_rate",
    "test_adaptive_learning_rate": "reads _optimizer.learning_rate",
    "test_n_iter_no_change": "reads _no_improvement_count",
    "test_n_iter_no_change_inf": "reads _no_improvement_count",
}
OURS = {name: getattr(skconvnet, name) for name in ("MLPClassifier", "MLPRegressor")}


def ours_instead(value):
    """Replace scikit-learn's perceptrons in the arguments of a parametrisation."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(ours_instead, value))
    return OURS.get(value.__name__, value) if inspect.isclass(value) else value


def adopt(test):
    """Return the test with ours in its parametrisation."""
    marks = getattr(test, "pytestmark", [])
    test.pytestmark = [
        pytest.mark.parametrize(*ours_instead(mark.args), **mark.kwargs).mark
        if mark.name == "parametrize"
        else mark
        for mark in marks
    ]
    return test


@pytest.fixture(autouse=True)
def perceptrons_of_ours(monkeypatch):
    for name, cls in OURS.items():
        monkeypatch.setattr(suite, name, cls)


@pytest.fixture
def global_random_seed():
    return 42


TESTS = {
    name: test
    for name, test in vars(suite).items()
    if name.startswith("test_") and inspect.isfunction(test)
}
globals().update(
    {name: adopt(test) for name, test in TESTS.items() if name not in PRIVATE}
)


def test_what_is_left_out_is_there():
    assert set(PRIVATE) <= set(TESTS)
    assert len(TESTS) - len(PRIVATE) > 30
    assert suite.MLPClassifier is skconvnet.MLPClassifier
