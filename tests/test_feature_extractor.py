"""FeatureExtractor: the activations of a layer as features of other estimators."""

import pickle
import tracemalloc
import warnings

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    FeatureExtractor,
    MLPClassifier,
    SequentialClassifier,
)
from skconvnet.layers import Conv2D, Dense, GlobalMaxPool, Parallel

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)


def final_estimator(cls):
    return SVC(C=10) if cls in CLASSIFIERS else Ridge()


@every_estimator
def test_features_are_the_activations_of_every_layer_as_rows(cls):
    X, y = data_for(cls)
    fitted = make(cls).fit(X, y)
    for layer in fitted.network_.layers:
        features = FeatureExtractor(make(cls), layer)
        rows = features.fit(X, y).transform(X)
        expected = fitted.activations(X, layer)
        assert rows.ndim == 2
        np.testing.assert_array_equal(rows, expected.reshape(len(X), -1))
        np.testing.assert_array_equal(features.fit_transform(X, y), rows)
        names = features.get_feature_names_out()
        assert names.shape == (rows.shape[1],)
        # The last name has the last index along each axis, channels last.
        last = "_".join(str(n - 1) for n in expected.shape[1:])
        assert (names[0].startswith(f"{layer}_0"), names[-1]) == (
            True,
            f"{layer}_{last}",
        )


@every_estimator
@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_pooled_maps_have_one_feature_per_channel(cls, pooling):
    X, y = data_for(cls)
    fitted = make(cls).fit(X, y)
    reduce = np.mean if pooling == "avg" else np.max
    for layer in fitted.network_.layers:
        features = FeatureExtractor(fitted, layer, prefit=True, pooling=pooling)
        expected = fitted.activations(X, layer)
        axes = tuple(range(1, expected.ndim - 1))
        expected = reduce(expected, axis=axes) if axes else expected
        rows = features.transform(X)
        np.testing.assert_allclose(rows, expected, rtol=1e-5, atol=1e-7)
        names = [f"{layer}_{i}" for i in range(rows.shape[1])]
        assert list(features.get_feature_names_out()) == names


@every_estimator
def test_a_pipeline_is_searched_over_the_layer_and_what_follows(cls):
    X, y = data_for(cls)
    layers = ["dense1", "output" if cls in CLASSIFIERS else "dense1"]
    final = final_estimator(cls)
    name, values = ("C", [1, 10]) if cls in CLASSIFIERS else ("alpha", [0.1, 1])
    pipeline = make_pipeline(FeatureExtractor(make(cls), "dense1"), final)
    grid = {
        "featureextractor__layer": layers,
        f"{type(final).__name__.lower()}__{name}": values,
        "featureextractor__estimator__alpha": [1e-4],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.best_score_)
    assert set(search.best_params_) == set(grid)
    assert search.predict(X).shape == y.shape


def test_a_convnet_and_a_support_vector_machine():
    X, y = data_for(ConvNetClassifier, n=120)
    X = X + y[:, None, None] * np.linspace(0, 1, 6)  # something to learn
    net = ConvNetClassifier((4, 8), hidden_layer_sizes=8, max_iter=20, random_state=0)
    pipeline = Pipeline([("features", FeatureExtractor(net, "dense1")), ("svc", SVC())])
    grid = {
        "features__layer": ["pool2", "dense1"],
        "features__pooling": [None, "avg"],
        "features__estimator__kernel_size": [5],
        "svc__C": [1, 10],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.9
    assert search.best_estimator_["features"].estimator_.kernel_size == 5


def test_parameters_are_nested_and_clones_are_new():
    net = ConvNetClassifier(filters=4)
    pipeline = make_pipeline(FeatureExtractor(net, "conv1"), SVC())
    params = pipeline.get_params()
    assert params["featureextractor__estimator__filters"] == 4
    assert params["featureextractor__prefit"] is False
    assert params["featureextractor__pooling"] is None
    copy = clone(pipeline).set_params(featureextractor__estimator__filters=8)
    assert (net.filters, copy[0].estimator.filters) == (4, 8)
    assert "layer='conv1'" in repr(pipeline[0])
    layers = [("conv1", Conv2D(3, 3)), ("pool", GlobalMaxPool())]
    nested = FeatureExtractor(SequentialClassifier(layers), "pool")
    assert (
        nested.set_params(estimator__conv1__filters=5).get_params(deep=True)[
            "estimator__conv1__filters"
        ]
        == 5
    )
    with pytest.raises(ValueError, match="estimator__conv1__filtres"):
        nested.set_params(estimator__conv1__filtres=5)


def test_fit_leaves_the_given_estimator_alone():
    X, y = data_for(ConvNetClassifier)
    net = make(ConvNetClassifier)
    features = FeatureExtractor(net, "dense1").fit(X, y)
    assert not hasattr(net, "network_")
    assert features.estimator_ is not net
    assert features.n_features_in_ == 36
    expected = make(ConvNetClassifier).fit(X, y)
    assert features.estimator_.loss_ == expected.loss_


@pytest.mark.parametrize("prefit", [False, True])
def test_random_numbers_are_those_of_the_estimator_alone(prefit):
    X, y = data_for(MLPClassifier)
    net = make(MLPClassifier, random_state=np.random.RandomState(3))
    expected = make(MLPClassifier, random_state=np.random.RandomState(3)).fit(X, y)
    features = FeatureExtractor(net.fit(X, y) if prefit else net, "dense1")
    features.set_params(prefit=prefit).fit(X, y)
    np.testing.assert_array_equal(
        features.transform(X), expected.activations(X, "dense1")
    )


@every_estimator
def test_a_fitted_estimator_is_used_as_it_is(cls):
    X, y = data_for(cls)
    net = make(cls).fit(X, y)
    weights = net.get_weights()
    features = FeatureExtractor(net, "dense1", prefit=True)
    expected = net.activations(X, "dense1")
    np.testing.assert_array_equal(features.transform(X), expected)
    assert features.fit(X).estimator_ is net
    np.testing.assert_array_equal(features.fit_transform(X[:9]), expected[:9])
    for name, array in net.get_weights().items():
        np.testing.assert_array_equal(array, weights[name])
    again = pickle.loads(pickle.dumps(features))
    np.testing.assert_array_equal(again.transform(X), expected)


@pytest.mark.parametrize("mark", ["prefit", "FrozenEstimator"])
def test_a_search_does_not_fit_a_fitted_estimator_again(mark):
    X, y = data_for(ConvNetClassifier)
    net = make(ConvNetClassifier).fit(X, y)
    features = FeatureExtractor(net, "dense1", prefit=True)
    if mark == "FrozenEstimator":
        features = FeatureExtractor(FrozenEstimator(net), "dense1")
    assert clone(features).estimator is features.estimator
    pipeline = make_pipeline(features, LogisticRegression())
    grid = {"featureextractor__layer": ["pool1", "dense1"]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    layer = search.best_params_["featureextractor__layer"]
    np.testing.assert_array_equal(
        search.best_estimator_[0].transform(X),
        net.activations(X, layer).reshape(len(X), -1),
    )


def test_what_a_fitted_estimator_cannot_do_is_an_error():
    X, y = data_for(ConvNetClassifier)
    net = make(ConvNetClassifier)
    with pytest.raises(NotFittedError, match="With prefit=True, estimator must be fit"):
        FeatureExtractor(net, "dense1", prefit=True).fit(X, y)
    with pytest.raises(NotFittedError):
        FeatureExtractor(net, "dense1", prefit=True).transform(X)
    features = FeatureExtractor(net.fit(X, y), "dense1", prefit=True)
    with pytest.raises(
        ValueError, match="estimator__filters cannot be set with prefit"
    ):
        features.set_params(estimator__filters=8)
    assert net.filters == (3,)
    with pytest.raises(ValueError, match="sample_weight would have no effect"):
        features.fit(X, y, sample_weight=np.ones(len(X)))
    features.set_params(prefit=False, estimator__filters=2).fit(X, y)
    assert features.estimator_.network_.layers["conv1"].out_shape[-1] == 2


def test_arguments_of_fit_reach_the_estimator():
    X, y = data_for(ConvNetClassifier)
    weight = np.where(y == 0, 3.0, 1.0)
    given = {"sample_weight": weight, "X_val": X[:9], "y_val": y[:9]}
    expected = make(ConvNetClassifier).fit(X, y, **given)
    features = FeatureExtractor(make(ConvNetClassifier), "dense1").fit(X, y, **given)
    assert features.estimator_.loss_curve_ == expected.loss_curve_
    assert features.estimator_.validation_scores_ == expected.validation_scores_
    pipeline = make_pipeline(FeatureExtractor(make(ConvNetClassifier), "dense1"), SVC())
    pipeline.fit(X, y, **{f"featureextractor__{name}": v for name, v in given.items()})
    assert pipeline[0].estimator_.loss_curve_ == expected.loss_curve_


def test_routed_arguments_reach_the_estimator():
    X, y = data_for(ConvNetClassifier)
    weight = np.where(y == 0, 3.0, 1.0)
    given = {"sample_weight": weight, "X_val": X[:9], "y_val": y[:9]}
    expected = make(ConvNetClassifier).fit(X, y, **given)
    with config_context(enable_metadata_routing=True):
        net = make(ConvNetClassifier)
        net.set_fit_request(sample_weight=True, X_val=True, y_val=True)
        features = FeatureExtractor(net, "dense1")
        svc = SVC().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(features, svc).fit(X, y, **given)
        for fitted in (features.fit(X, y, **given), pipeline[0]):
            assert fitted.estimator_.loss_curve_ == expected.loss_curve_
            assert fitted.estimator_.validation_scores_ == expected.validation_scores_
        features.fit_transform(X, y, **given)
        net.set_fit_request(sample_weight=False, X_val=False, y_val=False)
        scores = cross_val_score(pipeline, X, y, params={}, cv=2)
        assert np.isfinite(scores).all()
        with pytest.raises(TypeError, match="sample_weight"):
            FeatureExtractor(net, "dense1").fit(X, y, sample_weight=weight)


def test_an_unknown_layer_is_an_error_before_training():
    X, y = data_for(ConvNetClassifier)
    net = make(ConvNetClassifier, max_iter=10**9, tol=0.0, n_iter_no_change=np.inf)
    with pytest.raises(
        ValueError, match=r"layer must be one of.*Did you mean 'dense1'"
    ):
        FeatureExtractor(net, "dense").fit(X, y)
    fitted = make(ConvNetClassifier).fit(X, y)
    for frozen in (FrozenEstimator(fitted), fitted):
        features = FeatureExtractor(frozen, "dens1", prefit=frozen is fitted)
        with pytest.raises(ValueError, match="Did you mean 'dense1'"):
            features.fit(X, y)
    with pytest.raises(ValueError, match="Did you mean 'dense1'"):
        features.transform(X)


def test_a_fit_that_fails_leaves_all_as_it_was():
    X, y = data_for(ConvNetClassifier)
    features = FeatureExtractor(make(ConvNetClassifier), "dense1").fit(X, y)
    before = features.estimator_
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        features.fit(X, y[:-1])
    with pytest.raises(ValueError, match="'dense1'"):
        features.set_params(layer="dense7").fit(X, y)
    assert features.estimator_ is before


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        (
            {"estimator": SVC()},
            TypeError,
            r"estimator must be .* skconvnet.*got SVC\(\)",
        ),
        ({"estimator": ConvNetClassifier}, TypeError, "estimator must be an estimator"),
        ({"estimator": None}, TypeError, "got None"),
        ({"layer": 1}, ValueError, "'layer' parameter"),
        ({"layer": None}, ValueError, "'layer' parameter"),
        ({"pooling": "mean"}, ValueError, "'pooling' parameter"),
        ({"prefit": "yes"}, ValueError, "'prefit' parameter"),
    ],
)
def test_wrong_parameters_are_errors(params, error, match):
    X, y = data_for(ConvNetClassifier)
    features = FeatureExtractor(make(ConvNetClassifier), "dense1")
    for name, value in params.items():
        setattr(features, name, value)
    with pytest.raises(error, match=match):
        features.fit(X, y)


def test_not_fitted_yet():
    X, _ = data_for(ConvNetClassifier)
    features = FeatureExtractor(make(ConvNetClassifier), "dense1")
    assert not hasattr(features, "n_features_in_")
    for call in (features.get_feature_names_out, lambda: features.transform(X)):
        with pytest.raises(NotFittedError):
            call()
    with pytest.raises(ValueError, match="requires y"):
        features.fit(X)


def test_output_in_a_dataframe():
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    X, y = data_for(MLPClassifier)
    frame = pandas.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    frame.index = frame.index + 5
    features = FeatureExtractor(make(MLPClassifier), "dense1")
    features.set_output(transform="pandas")
    for result in (features.fit_transform(frame, y), features.transform(frame)):
        assert list(result.columns) == [f"dense1_{i}" for i in range(5)]
        assert result.index.equals(frame.index)
    assert list(features.feature_names_in_) == list(frame.columns)
    with pytest.raises(
        ValueError, match="input_features is not equal to feature_names"
    ):
        features.get_feature_names_out(["a"] * X.shape[1])
    assert clone(features).fit(frame, y).transform(frame).shape == (len(X), 5)
    maps, labels = data_for(ConvNetClassifier)
    pooled = FeatureExtractor(make(ConvNetClassifier), "conv1", pooling="max")
    result = pooled.set_output(transform="pandas").fit_transform(maps, labels)
    assert list(result.columns) == ["conv1_0", "conv1_1", "conv1_2"]


def test_the_dtype_is_that_of_the_network():
    X, y = data_for(ConvNetClassifier)
    for dtype in (np.float32, np.float64):
        features = FeatureExtractor(make(ConvNetClassifier), "conv1")
        assert features.fit_transform(X.astype(dtype), y).dtype == dtype
        single = FeatureExtractor(make(ConvNetClassifier, dtype="float32"), "conv1")
        assert single.fit_transform(X.astype(dtype), y).dtype == np.float32


def test_sparse_rows():
    X, y = data_for(MLPClassifier)
    X = np.where(X > 0.5, X, 0)
    features = FeatureExtractor(make(MLPClassifier), "dense1")
    rows = features.fit(sparse.csr_array(X), y).transform(sparse.csr_array(X))
    np.testing.assert_allclose(rows, features.transform(X), rtol=1e-6, atol=1e-12)


def test_layers_made_of_layers_and_the_same_bits_on_two_threads():
    X, y = data_for(SequentialClassifier)
    branches = Parallel([("a", Conv2D(2, 3)), ("b", Conv2D(3, 3))])
    rows = []
    for n_jobs in (1, 2):
        net = SequentialClassifier(
            [("both", branches), ("dense", Dense(4))][:1],
            max_iter=2,
            random_state=0,
            n_jobs=n_jobs,
        )
        features = FeatureExtractor(net, "both", pooling="avg")
        rows.append(features.fit_transform(X, y))
    assert rows[0].shape == (len(X), 5)
    assert rows[0].tobytes() == rows[1].tobytes()


def test_pooling_holds_whole_maps_of_one_micro_batch_only():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(3000, 16, 16)).astype(np.float32)
    net = ConvNetRegressor(filters=16, hidden_layer_sizes=(), n_jobs=1, random_state=0)
    net.initialize(X[:20], rng.uniform(size=20))
    features = FeatureExtractor(net, "conv1", prefit=True, pooling="avg")
    peaks = []
    for n in (1000, 3000):
        tracemalloc.start()
        features.transform(X[:n])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    bytes_of_maps = 16 * (X[1000:].nbytes)
    assert peaks[1] - peaks[0] < bytes_of_maps / 10


def test_warnings_of_fit_come_once():
    X, y = data_for(MLPClassifier)
    net = MLPClassifier((5,), max_iter=1, random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        FeatureExtractor(net, "dense1").fit(X, y)
    assert len(caught) == 1
