"""The estimators inside the tools of scikit-learn."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from estimator_cases import (
    CLASSIFIERS,
    ESTIMATORS,
    data_for,
    layer_list,
    make,
)
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import ConvNetClassifier, SequentialClassifier
from skconvnet.layers import Conv2D

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def rows_for(cls):
    X, y = data_for(cls)
    return X.reshape(len(X), -1), y


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_pipeline_after_a_scaler(cls):
    X, y = rows_for(cls)
    model = make_pipeline(StandardScaler(), make(cls)).fit(X, y)
    expected = make(cls).fit(StandardScaler().fit_transform(X), y)
    scaled = model[0].transform(X)
    np.testing.assert_array_equal(model.predict(X), expected.predict(scaled))


def test_grid_search_over_processes():
    X, y = rows_for(ConvNetClassifier)
    grid = {"learning_rate_init": [0.001, 0.05], "filters": [(2,), (2, 3)]}
    model = make(ConvNetClassifier)
    parallel = GridSearchCV(model, grid, n_jobs=2, cv=2).fit(X, y)
    alone = GridSearchCV(model, grid, cv=2).fit(X, y)
    scores = "mean_test_score"
    np.testing.assert_array_equal(
        parallel.cv_results_[scores], alone.cv_results_[scores]
    )
    assert set(parallel.best_params_) == set(grid)


def test_grid_search_reaches_into_layers():
    X, y = data_for(SequentialClassifier)
    layers = layer_list()
    model = SequentialClassifier(layers, max_iter=2, random_state=0)
    grid = [
        {"conv1__filters": [1, 2], "dense1__units": [3]},
        {"conv1": [Conv2D(2, (3, 1)), "passthrough"]},
    ]
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert layers[0][1].filters == 3


LOAD = """
import sys, joblib, numpy as np
model = joblib.load(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2])))
"""


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_dump_and_load_in_another_process(cls, tmp_path):
    X, y = data_for(cls)
    model = make(cls).fit(X, y)
    paths = [str(tmp_path / name) for name in ("model.joblib", "X.npy", "y.npy")]
    joblib.dump(model, paths[0])
    np.save(paths[1], X)
    subprocess.run([sys.executable, "-c", LOAD, *paths], check=True)
    np.testing.assert_array_equal(np.load(paths[2]), model.predict(X))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_file_holds_the_weights_and_little_else(cls, dtype, tmp_path):
    X, y = data_for(cls)
    params = {"dtype": dtype}
    if "hidden_layer_sizes" in cls().get_params():
        params["hidden_layer_sizes"] = (400,)
    model = make(cls, **params).fit(X, y)
    weights = sum(array.nbytes for array in model.get_weights().values())
    for early_stopping in (False, True):
        model.set_params(early_stopping=early_stopping).fit(X, y)
        joblib.dump(model, tmp_path / "model")
        assert (tmp_path / "model").stat().st_size <= 1.2 * weights + 20_000


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_loaded_model_goes_on_as_the_dumped_one(cls, solver):
    X, y = data_for(cls)
    classes = {"classes": [0, 1, 2]} if cls in CLASSIFIERS else {}
    model = make(cls, solver=solver)
    model.partial_fit(X, y, **classes).partial_fit(X, y)
    loaded = pickle.loads(pickle.dumps(model))
    model.partial_fit(X, y)
    loaded.partial_fit(X, y)
    np.testing.assert_array_equal(loaded.network_.vector, model.network_.vector)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_meta_estimators(cls):
    X, y = rows_for(cls)
    names = np.array(["a", "b", "c"])[y]
    small = make(cls)
    for meta in (
        VotingClassifier([("one", small), ("two", clone(small))], voting="soft"),
        StackingClassifier([("one", small)], cv=2),
        BaggingClassifier(small, n_estimators=2, random_state=0),
        CalibratedClassifierCV(small, cv=2),
        OneVsRestClassifier(small),
    ):
        predicted = meta.fit(X, names).predict(X)
        assert predicted.shape == (len(X),)
        assert set(predicted) <= set(names)
    scores = cross_val_score(small, X, names, cv=2)
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_clone_and_representations(cls):
    model = make(cls).fit(*data_for(cls))
    copy = clone(model)
    assert not hasattr(copy, "network_")
    assert repr(copy) == repr(model)
    assert cls.__name__ in model._repr_html_()
    assert cls.__name__ in clone(model)._repr_html_()
    pickle.loads(pickle.dumps(copy))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_metadata_routing(cls):
    X, y = rows_for(cls)
    weights = np.arange(len(X)) % 3
    with config_context(enable_metadata_routing=True):
        model = make(cls, early_stopping=True).set_fit_request(
            sample_weight=True, X_val=True, y_val=True
        )
        pipeline = Pipeline(
            [
                ("scale", StandardScaler().set_fit_request(sample_weight=False)),
                ("net", model),
            ],
            transform_input=["X_val"],
        )
        pipeline.fit(X, y, sample_weight=weights, X_val=X[:20], y_val=y[:20])
    scaler = StandardScaler().fit(X)
    expected = make(cls, early_stopping=True).fit(
        scaler.transform(X), y, weights, X_val=scaler.transform(X[:20]), y_val=y[:20]
    )
    assert pipeline[-1].validation_scores_ == expected.validation_scores_
    np.testing.assert_array_equal(
        pipeline[-1].network_.vector, expected.network_.vector
    )
