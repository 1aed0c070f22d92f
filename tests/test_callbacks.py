"""scikit-learn's callbacks: tasks, snapshots, stopping, searches and pickles."""

import copy
import pickle

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skconvnet.estimators import _callbacks

sklearn_callback = pytest.importorskip(
    "sklearn.callback", reason="scikit-learn has had callbacks since version 1.9"
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)


class Recorder:
    """Writes down the hooks that are called, and with what."""

    def __init__(self, stop_at=None):
        self.calls, self.models, self.data = [], [], []
        self.stop_at = stop_at

    def setup(self, estimator, context):
        self.estimator = estimator
        self.calls.append(("setup", context.task_name))
        self.max_subtasks = context.max_subtasks

    def teardown(self, estimator, context):
        assert self.estimator is estimator
        self.calls.append(("teardown", context.task_name))

    def on_fit_task_begin(self, _estimator, context):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, _estimator, context, *, X, y, metadata, fitted_estimator):
        self.calls.append(("end", context.task_name))
        self.data.append((X, y, metadata))
        self.models.append((context.task_name, fitted_estimator))
        return context.task_name == "epoch" and context.task_id == self.stop_at


@every_estimator
def test_tasks_of_a_fit(cls):
    recorder, (X, y) = Recorder(), data_for(cls)
    model = make(cls, max_iter=3).set_callbacks(recorder).fit(X, y)
    epoch = [("begin", "epoch"), ("end", "epoch")]
    assert recorder.calls == [
        ("setup", "fit"),
        ("begin", "fit"),
        *(epoch * 3),
        ("end", "fit"),
        ("teardown", "fit"),
    ]
    assert recorder.max_subtasks == 3
    assert all(own is X and of_y is y for own, of_y, _ in recorder.data)
    assert model.n_iter_ == 3


@every_estimator
def test_validation_is_a_task_after_each_epoch(cls):
    recorder, (X, y) = Recorder(), data_for(cls)
    weights = np.linspace(1, 2, len(y))
    make(cls).set_callbacks(recorder).fit(
        X, y, weights, X_val=X[:9], y_val=y[:9], sample_weight_val=weights[:9]
    )
    names = [name for hook, name in recorder.calls if hook == "end"]
    assert names == ["epoch", "validation", "epoch", "validation", "fit"]
    for name, (own_X, own_y, metadata) in zip(names, recorder.data, strict=True):
        n = 9 if name == "validation" else len(y)
        assert len(own_X) == len(own_y) == len(metadata["sample_weight"]) == n


@every_estimator
@pytest.mark.parametrize("averaging", [None, 0.9, "swa"])
def test_snapshots_keep_their_weights(cls, averaging):
    """Each one predicts what a fit with that many epochs predicts."""
    recorder, (X, y) = Recorder(), data_for(cls)
    params = {"averaging": averaging} if averaging != "swa" else {}
    make(cls, max_iter=3, **params).set_callbacks(recorder).fit(X, y)
    for n_epochs, (name, snapshot) in enumerate(recorder.models[:-1], start=1):
        assert name == "epoch"
        short = make(cls, max_iter=n_epochs, **params).fit(X, y)
        np.testing.assert_array_equal(snapshot.predict(X), short.predict(X))
        np.testing.assert_array_equal(
            snapshot.network_.state, short.network_.state, strict=True
        )
        assert snapshot.n_iter_ == n_epochs
        assert snapshot.loss_curve_ == short.loss_curve_
        pickle.loads(pickle.dumps(snapshot)).predict(X)


def test_a_snapshot_has_the_average_of_the_weights():
    recorder, cls = Recorder(), CLASSIFIERS[0]
    X, y = data_for(cls)
    model = make(cls, max_iter=8, averaging="swa").set_callbacks(recorder).fit(X, y)
    last = recorder.models[-2][1]
    np.testing.assert_array_equal(last.network_.vector, model.network_.vector)


@every_estimator
def test_a_hook_ends_training(cls):
    recorder, (X, y) = Recorder(stop_at=1), data_for(cls)
    model = make(cls, max_iter=7).set_callbacks(recorder).fit(X, y)
    assert model.n_iter_ == 2
    assert model.stopped_
    expected = make(cls, max_iter=2).fit(X, y)
    np.testing.assert_array_equal(model.network_.vector, expected.network_.vector)
    assert recorder.calls[-1] == ("teardown", "fit")


@every_estimator
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_iterations_of_lbfgs_are_tasks(cls, l1_ratio):
    recorder, (X, y) = Recorder(), data_for(cls)
    params = {"solver": "lbfgs", "max_iter": 6, "l1_ratio": l1_ratio}
    if cls.__name__.startswith("ConvNet"):
        params["alpha"] = 1e-3
    model = make(cls, **params).set_callbacks(recorder).fit(X, y)
    names = [name for name, _ in recorder.models]
    assert names == ["iteration"] * model.n_iter_ + ["fit"]
    last = recorder.models[-2][1]
    np.testing.assert_allclose(last.predict(X[:5]), model.predict(X[:5]))


@every_estimator
def test_a_hook_ends_lbfgs(cls):
    class Stop(Recorder):
        def on_fit_task_end(self, _estimator, context):
            return context.task_name == "iteration" and context.task_id == 1

    X, y = data_for(cls)
    model = make(cls, solver="lbfgs", max_iter=20).set_callbacks(Stop()).fit(X, y)
    assert model.n_iter_ == 2
    model.predict(X)


@every_estimator
def test_callbacks_do_not_change_a_bit(cls):
    X, y = data_for(cls)
    with_them = make(cls, max_iter=3).set_callbacks(Recorder()).fit(X, y)
    without = make(cls, max_iter=3).fit(X, y)
    np.testing.assert_array_equal(with_them.network_.state, without.network_.state)


@every_estimator
def test_an_error_of_a_hook_leaves_the_estimator_as_it_was(cls):
    class Failing(Recorder):
        def on_fit_task_end(self, _estimator, _context):
            raise RuntimeError("enough")

    recorder, (X, y) = Failing(), data_for(cls)
    model = make(cls).set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(X, y)
    assert not hasattr(model, "network_")
    assert recorder.calls[-1] == ("teardown", "fit")
    assert not [name for name in vars(model) if "running" in name or "ctx" in name]


def test_an_error_at_the_end_of_fit_leaves_the_estimator_as_it_was():
    class Failing(Recorder):
        def on_fit_task_end(self, _estimator, context):
            if context.task_name == "fit":
                raise RuntimeError("enough")

    cls = CLASSIFIERS[0]
    model = make(cls).set_callbacks(Failing())
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(*data_for(cls))
    assert not hasattr(model, "network_")


def test_an_initialized_estimator_keeps_its_callbacks():
    cls = CLASSIFIERS[0]
    model = make(cls).initialize(*data_for(cls)).set_callbacks(Recorder())
    assert "_skl_callbacks" in vars(copy.deepcopy(model))


@every_estimator
def test_callbacks_are_told_of_bad_input(cls):
    recorder, (X, y) = Recorder(), data_for(cls)
    with pytest.raises(ValueError, match="NaN"):
        make(cls).set_callbacks(recorder).fit(np.full_like(X, np.nan), y)
    assert recorder.calls[-1] == ("teardown", "fit")


@every_estimator
def test_a_fitted_model_is_pickled_without_its_callbacks(cls):
    X, y = data_for(cls)
    model = make(cls).set_callbacks(Recorder())
    assert "_skl_callbacks" in vars(pickle.loads(pickle.dumps(model)))
    model.fit(X, y)
    loaded = pickle.loads(pickle.dumps(model))
    assert not hasattr(loaded, "_skl_callbacks")
    without = make(cls).fit(X, y)
    assert len(pickle.dumps(model)) == len(pickle.dumps(without))
    assert vars(clone(model))["_skl_callbacks"] == vars(model)["_skl_callbacks"]
    assert copy.deepcopy(model).predict(X[:2]).shape == y[:2].shape


@every_estimator
def test_partial_fit_has_no_tasks(cls):
    recorder, (X, y) = Recorder(), data_for(cls)
    kwargs = {"classes": np.unique(y)} if cls in CLASSIFIERS else {}
    make(cls).set_callbacks(recorder).partial_fit(X, y, **kwargs)
    assert recorder.calls == []


@every_estimator
def test_scoring_monitor(cls):
    scoring = "accuracy" if cls in CLASSIFIERS else "r2"
    monitor = sklearn_callback.ScoringMonitor(scoring=scoring)
    X, y = data_for(cls)
    model = make(cls, max_iter=3).set_callbacks(monitor)
    model.fit(X, y, X_val=X[:20], y_val=y[:20])
    rows = monitor.get_logs().data
    scores = {
        name: [row[scoring] for row in rows if row["task_name"] == name]
        for name in ("epoch", "validation")
    }
    assert len(scores["epoch"]) == len(scores["validation"]) == 3
    assert scores["epoch"][-1] == pytest.approx(model.score(X, y))
    assert scores["validation"] == pytest.approx(model.validation_scores_)


def test_scoring_monitor_in_a_search():
    monitor = sklearn_callback.ScoringMonitor(scoring="accuracy")
    cls = CLASSIFIERS[0]
    X, y = data_for(cls)
    estimator = make(cls, max_iter=2).set_callbacks(monitor)
    search = GridSearchCV(estimator, {"alpha": [0.1, 0.2]}, cv=2, n_jobs=2)
    search.fit(X, y)
    logs = monitor.get_logs(select="all")
    # Two values on two folds, and the refit; epochs of each, and its end.
    epochs = [row for log in logs for row in log.data if row["task_name"] == "epoch"]
    assert len(epochs) == 2 * (2 * 2 + 1)


@pytest.mark.rich
@every_estimator
def test_progress_bar(cls, capsys):
    X, y = data_for(cls)
    bar = sklearn_callback.ProgressBar()
    make(cls, max_iter=3).set_callbacks(bar).fit(X, y)
    out = capsys.readouterr().out
    assert f"{cls.__name__} - fit" in out
    assert "100%" in out


@pytest.mark.rich
def test_progress_bar_in_a_pipeline_and_in_a_search(capsys):
    cls = CLASSIFIERS[1]
    X, y = data_for(cls)
    identity = FunctionTransformer()
    pipeline = make_pipeline(identity, make(cls, max_iter=2))
    bar = sklearn_callback.ProgressBar(max_propagation_depth=None)
    with pytest.warns(UserWarning, match="FunctionTransformer does not support"):
        pipeline.set_callbacks(bar).fit(X, y)
    assert cls.__name__ in capsys.readouterr().out
    search = GridSearchCV(make(cls), {"alpha": [0.1, 0.2]}, cv=2, n_jobs=2)
    search.set_callbacks(sklearn_callback.ProgressBar()).fit(X, y)
    out = capsys.readouterr().out
    assert "GridSearchCV - fit" in out
    assert cls.__name__ in out


def test_an_estimator_without_callbacks_has_no_observers():
    cls = CLASSIFIERS[0]
    X, y = data_for(cls)
    model = make(cls)
    none = _callbacks.ValidationData()
    assert _callbacks.FitCallbacks(model, X, y, None, none).observers == ()


def test_a_version_of_scikit_learn_without_callbacks(monkeypatch):
    """Everything else works, and set_callbacks says what is missing."""
    cls = CLASSIFIERS[0]
    X, y = data_for(cls)
    monkeypatch.delattr(sklearn_callback.CallbackSupportMixin, "_init_callback_context")
    assert make(cls).fit(X, y).n_iter_ == 2
