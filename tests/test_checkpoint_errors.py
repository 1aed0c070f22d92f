"""What a fit refuses to go on with."""

import joblib
import numpy as np
import pandas as pd
import pytest
from checkpoint_tools import assert_equal
from estimator_cases import CLASSIFIERS, data_for, make
from sklearn.metrics import accuracy_score, f1_score, make_scorer

from skconvnet import (
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
)
from skconvnet.callbacks import Checkpoint
from skconvnet.layers import BatchNorm, Dense, Dropout, Flatten, Residual
from skconvnet.optimizers import Nadam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("make_other", "match"),
    [
        (lambda: make(MLPRegressor), "of a MLPClassifier, not of a MLPRegressor"),
        (lambda: make(MLPClassifier, alpha=0.5), r"with alpha=0\.0001, .* alpha=0\.5"),
        (lambda: make(MLPClassifier, max_iter=9), "with max_iter=2, .* max_iter=9"),
        (
            lambda: make(MLPClassifier, hidden_layer_sizes=(5, 5)),
            r"with hidden_layer_sizes=\(5,\)",
        ),
        (lambda: make(MLPClassifier, solver=Nadam()), "with solver='adam'"),
    ],
)
def test_other_parameters_are_refused(tmp_path, make_other, match):
    X, y = data_for(MLPClassifier)
    path = tmp_path / "m.joblib"
    make(MLPClassifier).set_callbacks(Checkpoint(path)).fit(X, y)
    other = make_other()
    with pytest.raises(ValueError, match=match):
        other.fit(X, y, resume_from=path)
    assert not hasattr(other, "network_")


def test_parameters_on_which_no_bit_depends_may_differ(tmp_path, capsys):
    X, y = data_for(MLPClassifier)
    path = tmp_path / "m.joblib"
    model = make(MLPClassifier).set_callbacks(Checkpoint(path)).fit(X, y)
    other = make(MLPClassifier, n_jobs=1, verbose=True, random_state=7)
    assert_equal(other.fit(X, y, resume_from=path), model)
    capsys.readouterr()


def fit_arguments(X, y):
    """Return what another fit may be given, by the name that the error says."""
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])])
    weights = np.linspace(1, 2, len(y))
    return {
        "y": (X, y[::-1]),
        "shape of samples": (X[:, :5], y),
        "dtype": (X.astype(np.float32), y),
        "set of classes": (X, np.array(["a", "b", "c"])[y]),
        "sample_weight": (X, y, weights),
        "set or order of columns": (frame, y),
    }


@pytest.mark.parametrize(
    "what",
    [
        "y",
        "shape of samples",
        "dtype",
        "set of classes",
        "sample_weight",
        "set or order of columns",
    ],
)
def test_other_data_are_refused(tmp_path, what):
    X, y = data_for(MLPClassifier)
    path = tmp_path / "m.joblib"
    make(MLPClassifier).set_callbacks(Checkpoint(path)).fit(X, y)
    model = make(MLPClassifier)
    with pytest.raises(ValueError, match=f"checkpoint of a fit to another {what}"):
        model.fit(*fit_arguments(X, y)[what], resume_from=path)
    assert not hasattr(model, "network_")


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("was_given", [False, True])
def test_the_validation_set_must_be_given_again(tmp_path, early_stopping, was_given):
    X, y = data_for(MLPClassifier)
    path, params = tmp_path / "m.joblib", {"early_stopping": early_stopping}
    validation = {"X_val": X, "y_val": y}
    then, now = (validation, {}) if was_given else ({}, validation)
    model = make(MLPClassifier, **params).set_callbacks(Checkpoint(path))
    model.fit(X, y, **then)
    with pytest.raises(ValueError, match="another y_val: "):
        make(MLPClassifier, **params).fit(X, y, **now, resume_from=path)


def test_layers_in_another_order_are_refused(tmp_path):
    X, y = data_for(CLASSIFIERS[1])
    path = tmp_path / "m.joblib"
    layers = [Flatten(), Dense(8), BatchNorm(), Dropout(0.1)]

    def make_model(own):
        return SequentialClassifier(own, max_iter=2, random_state=0)

    make_model(layers).set_callbacks(Checkpoint(path)).fit(X, y)
    other = [*layers[:2], *layers[:1:-1]]
    with pytest.raises(ValueError, match="written with layers="):
        make_model(other).fit(X, y, resume_from=path)
    with pytest.raises(ValueError, match="other layers or objects: only"):
        make_model(layers[:3]).fit(X, y, resume_from=path)


def test_activations_in_another_order_are_refused(tmp_path):
    X, y = data_for(CLASSIFIERS[1])
    path = tmp_path / "m.joblib"
    first, second = Dense(8, activation="relu"), Dense(8, activation="tanh")

    def make_model(*layers):
        own = [Flatten(), Residual([Dense(36), *layers, Dense(36)])]
        return SequentialClassifier(own, max_iter=2, random_state=0)

    make_model(first, second).set_callbacks(Checkpoint(path)).fit(X, y)
    with pytest.raises(ValueError, match="resume_from"):
        make_model(second, first).fit(X, y, resume_from=path)
    make_model(first, second).fit(X, y, resume_from=path)


def test_another_scorer_is_refused(tmp_path):
    X, y = data_for(MLPClassifier)
    path = tmp_path / "m.joblib"
    scorers = make_scorer(f1_score, average="macro"), make_scorer(accuracy_score)
    model = make(MLPClassifier, scoring=scorers[0]).set_callbacks(Checkpoint(path))
    model.fit(X, y, X_val=X, y_val=y)
    other = make(MLPClassifier, scoring=scorers[1])
    with pytest.raises(ValueError, match="written with scoring="):
        other.fit(X, y, X_val=X, y_val=y, resume_from=path)


def test_files_that_are_no_checkpoints(tmp_path):
    X, y = data_for(MLPClassifier)
    path = tmp_path / "m.joblib"
    joblib.dump(make(MLPClassifier).fit(X, y), path)
    with pytest.raises(ValueError, match=r"is not a checkpoint, .* MLPClassifier"):
        make(MLPClassifier).fit(X, y, resume_from=path)
    path.write_text("hello")
    with pytest.raises(ValueError, match=r"resume_from=.* cannot be read"):
        make(MLPClassifier).fit(X, y, resume_from=path)
    with pytest.raises(FileNotFoundError):
        make(MLPClassifier).fit(X, y, resume_from=tmp_path / "none")
    with pytest.raises(TypeError, match=r"resume_from must be the path .* got 3"):
        make(MLPClassifier).fit(X, y, resume_from=3)


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ({"path": 3}, TypeError, "path must be a path; got 3"),
        ({"path": ""}, ValueError, "path must be that of a file; got ''"),
        ({"keep_best": "no"}, TypeError, "keep_best must be True or False; got 'no'"),
        ({"every": 0}, ValueError, "every must be .* got 0"),
        ({"keep_last": 0.5}, (TypeError, ValueError), "keep_last"),
    ],
)
def test_parameters_of_a_checkpoint(params, error, match):
    with pytest.raises(error, match=match):
        Checkpoint(**{"path": "m.joblib", **params})


def test_a_folder_is_refused_before_training(tmp_path):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier).set_callbacks(Checkpoint(tmp_path))
    with pytest.raises(IsADirectoryError, match="path must be that of a file"):
        model.fit(X, y)


def test_lbfgs_has_no_checkpoints(tmp_path):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, solver="lbfgs")
    with pytest.raises(ValueError, match=r"Checkpoint needs a solver .*'lbfgs'"):
        model.set_callbacks(Checkpoint(tmp_path / "m")).fit(X, y)
