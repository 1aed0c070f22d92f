"""Objects print as scikit-learn prints them, and nested ones fast."""

import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, clone

from skconvnet import MLPClassifier, SequentialClassifier
from skconvnet.architectures import inception_time, resnet
from skconvnet.layers import Conv2D, Dense, Parallel, Residual
from skconvnet.optimizers import Adam
from skconvnet.params.printed import Printed

OBJECTS = [
    Conv2D(8, 3),
    Parallel([("a", [Conv2D(8, 3), Conv2D(8, 3)]), ("b", [])]),
    Residual([Dense(8, "relu"), Dense(64)], shortcut="identity"),
    MLPClassifier((5, 3), solver=Adam(beta_1=0.5)),
    SequentialClassifier(resnet()[:5]),
    SequentialClassifier([Parallel([("a", Parallel([("b", Dense(2))]))])] * 2),
]


@pytest.mark.parametrize("changed_only", [False, True])
@pytest.mark.parametrize("printed", OBJECTS, ids=lambda o: type(o).__name__)
def test_text_is_that_of_scikit_learn(printed, changed_only, monkeypatch):
    with config_context(print_changed_only=changed_only):
        ours = repr(printed), repr([printed, clone(printed)])
        monkeypatch.delattr(Printed, "__repr__")
        assert ours == (repr(printed), repr([printed, clone(printed)]))


def test_each_object_is_printed_once(monkeypatch):
    n_calls = 0
    of_sklearn = BaseEstimator.__repr__

    def counted(self, N_CHAR_MAX=700):
        nonlocal n_calls
        n_calls += 1
        return of_sklearn(self, N_CHAR_MAX)

    monkeypatch.setattr(BaseEstimator, "__repr__", counted)
    model = SequentialClassifier(inception_time())
    n_objects = 1 + sum(
        isinstance(value, BaseEstimator) for value in model.get_params().values()
    )
    repr(model)
    assert n_calls <= n_objects


def test_changes_are_printed():
    block = Parallel([("a", [Dense(8)])])
    assert "units=8" in repr(block)
    assert "units=9" in repr(block.set_params(a__dense__units=9))


def test_an_object_that_cannot_be_printed_leaves_nothing_behind():
    class Broken:
        def __repr__(self):
            raise RuntimeError("no text")

    dense = Dense(8)
    broken = Parallel([("a", [dense, Broken()])])
    with pytest.raises(RuntimeError, match="no text"):
        repr(broken)
    dense.units = 9
    assert repr(dense) == "Dense(units=9)"
