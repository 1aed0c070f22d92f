"""The callbacks `LearningCurve` and `Prune`."""

import pickle
import sys
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest
from estimator_cases import ESTIMATORS, data_for, make
from sklearn.linear_model import LogisticRegression

from skconvnet import MLPClassifier
from skconvnet.callbacks import Checkpoint, LearningCurve, Prune

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)


@every_estimator
@pytest.mark.parametrize("is_validated", [False, True])
def test_a_learning_curve_records_each_epoch(cls, is_validated):
    curve, (X, y) = LearningCurve(), data_for(cls)
    validation = {"X_val": X[:9], "y_val": y[:9]} if is_validated else {}
    model = make(cls, max_iter=4).set_callbacks(curve)
    for _ in range(2):  # the second fit begins anew
        model.fit(X, y, **validation)
        curves = curve.curves_
        assert curves["epoch"] == [1, 2, 3, 4]
        assert curves["loss"] == model.loss_curve_
        assert curves["rate"] == model.learning_rate_curve_
        assert curves["seconds"] == sorted(curves["seconds"])
        assert curves["seconds"][0] > 0
        assert ("validation_score" in curves) == is_validated
    if is_validated:
        assert curves["validation_score"] == model.validation_scores_
        assert curves["validation_loss"] == model.validation_loss_curve_
    assert pickle.loads(pickle.dumps(curve)).curves_ == curves


@pytest.mark.matplotlib
def test_live_curves_replace_each_other(monkeypatch):
    """IPython is stood in for: a picture is shown once, and then updated."""
    import matplotlib.pyplot as plt

    shown = []

    class Handle:
        def update(self, figure):
            shown.append(("update", figure))

    def display(figure, display_id):
        assert display_id
        shown.append(("show", figure))
        return Handle()

    ipython = ModuleType("IPython")
    # What matplotlib looks at.
    ipython.get_ipython, ipython.version_info = MagicMock(), (9, 0)
    ipython.display = SimpleNamespace(display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, max_iter=3).set_callbacks(LearningCurve(live=True))
    model.fit(X, y, X_val=X, y_val=y)
    assert [what for what, _ in shown] == ["show", "update", "update"]
    axes = shown[-1][1].axes
    np.testing.assert_array_equal(axes[0].lines[0].get_ydata(), model.loss_curve_)
    np.testing.assert_array_equal(
        axes[1].lines[0].get_ydata(), model.validation_scores_
    )
    assert not plt.get_fignums()


@pytest.mark.matplotlib
def test_live_curves_outside_of_a_notebook():
    X, y = data_for(MLPClassifier)
    curve = LearningCurve(live=True)
    make(MLPClassifier).set_callbacks(curve).fit(X, y)
    assert len(curve.curves_["loss"]) == 2


def test_live_curves_need_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier).set_callbacks(LearningCurve(live=True))
    with pytest.raises(ImportError, match=r"skconvnet\[plot\]"):
        model.fit(X, y)


class Trial:
    """What `Prune` needs of a trial."""

    def __init__(self, prune_at=None):
        self.reports, self.prune_at = [], prune_at

    def report(self, value, step):
        self.reports.append((step, value))

    def should_prune(self):
        return len(self.reports) == self.prune_at


@every_estimator
@pytest.mark.parametrize("monitor", ["validation_score", "validation_loss", "loss"])
def test_a_trial_is_told_of_each_epoch(cls, monitor):
    trial, (X, y) = Trial(), data_for(cls)
    prune = Prune(trial, monitor)
    model = make(cls, max_iter=3).set_callbacks(prune).fit(X, y, X_val=X, y_val=y)
    curve = {
        "loss": model.loss_curve_,
        "validation_loss": model.validation_loss_curve_,
        "validation_score": model.validation_scores_,
    }[monitor]
    assert trial.reports == list(enumerate(curve, start=1))
    assert not prune.pruned_


@every_estimator
def test_a_trial_ends_training(cls):
    X, y = data_for(cls)
    prune = Prune(Trial(prune_at=2), "loss")
    model = make(cls, max_iter=9).set_callbacks(prune).fit(X, y)
    assert model.n_iter_ == 2
    assert prune.pruned_
    prune.trial = Trial()
    model.fit(X, y)
    assert not prune.pruned_


def test_a_score_needs_a_validation_set():
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier).set_callbacks(Prune(Trial()))
    with pytest.raises(ValueError, match="pass X_val and y_val to MLPClassifier"):
        model.fit(X, y)


@pytest.mark.optuna
def test_a_study_of_optuna():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, y = data_for(MLPClassifier, 90)

    def objective(trial):
        rate = trial.suggest_float("learning_rate_init", 1e-4, 1e-1, log=True)
        model = make(MLPClassifier, max_iter=20, learning_rate_init=rate)
        model.set_callbacks(Prune(trial)).fit(X, y, X_val=X, y_val=y)
        return model.score(X, y)

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2),
    )
    study.optimize(objective, n_trials=8)
    states = [trial.state for trial in study.trials]
    assert states.count(optuna.trial.TrialState.PRUNED) > 0
    assert states.count(optuna.trial.TrialState.COMPLETE) > 0
    assert optuna.trial.TrialState.FAIL not in states


@pytest.mark.parametrize(
    ("args", "error", "match"),
    [
        ((None,), TypeError, "trial must have a method report"),
        ((Trial(), "score"), ValueError, "monitor must be .*validation_score"),
    ],
)
def test_parameters_of_prune(args, error, match):
    with pytest.raises(error, match=match):
        Prune(*args)


@pytest.mark.parametrize(
    "callback",
    [LearningCurve(), Prune(Trial()), Checkpoint("m.joblib")],
    ids=lambda callback: type(callback).__name__,
)
def test_what_they_do_not_work_on(callback):
    X, y = data_for(MLPClassifier)
    with pytest.raises(ValueError, match="epoch by epoch, such as 'adam'"):
        make(MLPClassifier, solver="lbfgs").set_callbacks(callback).fit(X, y)
    with pytest.raises(TypeError, match="works on the estimators of skconvnet"):
        LogisticRegression().set_callbacks(callback).fit(X, y)
