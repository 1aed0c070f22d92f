"""Pipelines, searches and ensembles that skl2onnx converts."""

import sys

import numpy as np
import pandas as pd
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, REGRESSORS, data_for, make
from onnx_tools import assert_close, run
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import skconvnet.onnx
from skconvnet import (
    ConvNetClassifier,
    FeatureExtractor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import Conv2D
from skconvnet.tabular import make_tabular_classifier, make_tabular_regressor

skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is in the extra `onnx`")

pytestmark = [
    pytest.mark.onnxruntime,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

X, Y = load_iris(return_X_y=True)
SINGLE = X.astype(np.float32)
TENSORS = {"zipmap": False}


@pytest.fixture(autouse=True, scope="module")
def _registered():
    skconvnet.onnx.register()


def mlp(**params):
    return make(MLPClassifier, **params)


def converted(model, X, options=TENSORS, **params):
    return skl2onnx.to_onnx(model, X[:1], options=options, **params)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_pipeline_that_ends_in_a_classifier(cls, dtype):
    samples, y = data_for(cls)
    samples, y = (
        samples.reshape(len(samples), -1).astype(dtype),
        np.array(list("abc"))[y],
    )
    shape = {} if cls is MLPClassifier else {"input_shape": (6, 6, 1)}
    model = make_pipeline(StandardScaler(), make(cls, **shape)).fit(samples, y)
    exported = converted(model, samples)
    for n in (1, 7):
        found = run(exported, samples[:n])
        assert list(found) == ["label", "probabilities"]
        np.testing.assert_array_equal(found["label"], model.predict(samples[:n]))
        assert_close(found["probabilities"], model.predict_proba(samples[:n]), 1e-5)
        assert found["probabilities"].dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("cls", REGRESSORS)
def test_a_pipeline_that_ends_in_a_regressor(cls, n_outputs, dtype):
    samples, _ = data_for(cls)
    samples = samples.reshape(len(samples), -1).astype(dtype)
    y = samples[:, :n_outputs].squeeze()
    shape = {} if cls is MLPRegressor else {"input_shape": (6, 6, 1)}
    model = make_pipeline(MinMaxScaler(), make(cls, **shape)).fit(samples, y)
    found = run(skl2onnx.to_onnx(model, samples[:1]), samples[:7])
    assert list(found) == ["variable"]
    expected = model.predict(samples[:7]).reshape(7, n_outputs)
    assert_close(found["variable"], expected, 1e-5)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_an_estimator_alone_takes_maps(cls):
    samples, y = data_for(cls)
    samples = samples.astype(np.float32)
    model = make(cls).fit(samples, y)
    options = TENSORS if cls in CLASSIFIERS else None
    found = run(converted(model, samples, options), samples)
    if cls in CLASSIFIERS:
        assert_close(found["probabilities"], model.predict_proba(samples), 1e-5)
    else:
        assert_close(found["variable"][:, 0], model.predict(samples), 1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("labels", ["int64", "str", "bool", "float64"])
@pytest.mark.parametrize("is_alone", [True, False])
def test_maps_are_the_default_of_skl2onnx(labels, dtype, is_alone):
    y = {"str": np.array(list("abc"))[Y], "bool": Y > 0}.get(labels, Y.astype("f8"))
    y = y.astype(labels)
    samples = X.astype(dtype)
    model = mlp() if is_alone else make_pipeline(StandardScaler(), mlp())
    model.fit(samples, y)
    found = run(skl2onnx.to_onnx(model, samples[:1]), samples[:7])
    assert list(found) == ["output_label", "output_probability"]
    expected = model.predict(samples[:7])
    is_string = expected.dtype.kind == "U"
    assert found["output_label"].dtype == (object if is_string else np.int64)
    np.testing.assert_array_equal(found["output_label"], expected)
    for by_label, row in zip(
        found["output_probability"], model.predict_proba(samples[:7]), strict=True
    ):
        assert list(by_label) == model.classes_.tolist()
        np.testing.assert_allclose(list(by_label.values()), row, rtol=0, atol=1e-5)


def test_columns_are_an_output_for_each_class():
    model = make_pipeline(StandardScaler(), mlp()).fit(SINGLE, Y)
    found = run(converted(model, SINGLE, {"zipmap": "columns"}), SINGLE)
    assert list(found) == ["output_label", "i0", "i1", "i2"]
    columns = np.column_stack([found[name] for name in ("i0", "i1", "i2")])
    assert_close(columns, model.predict_proba(SINGLE), 1e-5)


@pytest.mark.parametrize(
    "y", [Y, Y > 0, np.c_[Y > 0, Y == 1]], ids=["3", "2", "labels"]
)
@pytest.mark.parametrize("loss", ["log_loss", "hinge"])
def test_raw_scores(loss, y):
    model = mlp(loss=loss).fit(SINGLE, y.astype(int))
    options = {id(model): {"zipmap": False, "raw_scores": True}}
    found = run(converted(model, SINGLE, options), SINGLE)
    scores = model.decision_function(SINGLE)
    if scores.ndim == 1:  # as skl2onnx has them for other classifiers
        scores = np.column_stack([-scores, scores])
    assert_close(found["probabilities"], scores, 1e-5)
    np.testing.assert_array_equal(found["label"], model.predict(SINGLE))


def test_maps_of_one_class_are_refused():
    model = mlp().fit(SINGLE, np.zeros(len(X), int))
    with pytest.raises(ValueError, match=r"got 1 class and 2 probabilities.*'zipmap'"):
        skl2onnx.to_onnx(model, SINGLE[:1])
    assert_close(
        run(converted(model, SINGLE), SINGLE)["probabilities"],
        model.predict_proba(SINGLE),
        1e-5,
    )


def test_the_labels_of_fractions_are_refused():
    model = mlp().partial_fit(SINGLE, Y, classes=[0, 1, 2])
    model.classes_ = np.array([0.0, 0.5, 2.0])
    with pytest.raises(ValueError, match="keys of maps of ONNX"):
        converted(model, SINGLE)


@pytest.mark.parametrize("of_best", [True, False])
def test_a_search_and_its_best_estimator(of_best):
    pipeline = make_pipeline(StandardScaler(), mlp())
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 1e-2]}, cv=2)
    search.fit(SINGLE, Y)
    model = search.best_estimator_ if of_best else search
    found = run(converted(model, SINGLE), SINGLE)
    assert_close(found["probabilities"], search.predict_proba(SINGLE), 1e-5)


@pytest.mark.parametrize(
    "ensemble",
    [
        BaggingClassifier(make(MLPClassifier), n_estimators=2, random_state=0),
        StackingClassifier([("one", make(MLPClassifier))], cv=2),
    ],
    ids=lambda ensemble: type(ensemble).__name__,
)
def test_ensembles_of_networks(ensemble):
    ensemble.fit(SINGLE, Y)
    found = run(converted(ensemble, SINGLE), SINGLE)
    assert_close(found["probabilities"], ensemble.predict_proba(SINGLE), 1e-5)


def test_two_networks_of_the_same_names_in_one_model():
    stack = StackingClassifier(
        [("one", mlp()), ("two", mlp(random_state=1))], mlp(random_state=2), cv=2
    ).fit(SINGLE, Y)
    found = run(converted(stack, SINGLE), SINGLE)
    assert_close(found["probabilities"], stack.predict_proba(SINGLE), 1e-5)


def test_features_whose_number_a_transformer_changes():
    samples = np.column_stack([SINGLE, np.ones(len(X), np.float32)])
    model = make_pipeline(VarianceThreshold(), mlp()).fit(samples, Y)
    found = run(converted(model, samples), samples)
    assert_close(found["probabilities"], model.predict_proba(samples), 1e-5)


def test_columns_of_a_data_frame():
    frame = pd.DataFrame(SINGLE, columns=["a", "b", "c", "d"])
    scaler = ColumnTransformer([("scale", StandardScaler(), ["a", "b", "c", "d"])])
    model = make_pipeline(scaler.set_output(transform="pandas"), mlp()).fit(frame, Y)
    types = skl2onnx.common.data_types
    initial = [(name, types.FloatTensorType([None, 1])) for name in frame.columns]
    exported = skl2onnx.convert_sklearn(model, initial_types=initial, options=TENSORS)
    import onnxruntime

    session = onnxruntime.InferenceSession(exported.SerializeToString())
    inputs = {name: frame[[name]].to_numpy() for name in frame.columns}
    _, found = session.run(None, inputs)
    assert_close(found, model.predict_proba(frame), 1e-5)
    alone = mlp().fit(frame, Y)
    with pytest.raises(ValueError, match="takes one input of all features; got 4"):
        skl2onnx.convert_sklearn(alone, initial_types=initial)


def test_images_of_unknown_size_are_refused():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 6, 6, 1), np.uint8)
    model = make(ConvNetClassifier, rescale="auto").fit(pixels, np.arange(60) % 3)
    types = skl2onnx.common.data_types
    unknown = [("X", types.UInt8TensorType([None, None, None, 1]))]
    with pytest.raises(ValueError, match="must know the shape of its samples"):
        skl2onnx.convert_sklearn(model, initial_types=unknown)
    known = [("X", types.UInt8TensorType([None, 6, 6, 1]))]
    exported = skl2onnx.convert_sklearn(model, initial_types=known, options=TENSORS)
    found = run(exported, pixels)["probabilities"]
    assert_close(found, model.predict_proba(pixels), 1e-5)


@pytest.mark.parametrize("opset", [13, 18, 22])
def test_the_target_opset_is_kept(opset):
    samples = np.random.default_rng(0).uniform(size=(60, 6, 6, 1)).astype("float32")
    model = make(ConvNetClassifier).fit(samples, np.arange(60) % 3)
    exported = converted(model, samples, target_opset=opset)
    versions = {entry.domain: entry.version for entry in exported.opset_import}
    assert versions[""] <= opset
    found = run(exported, samples)["probabilities"]
    assert_close(found, model.predict_proba(samples), 1e-5)


def test_options_that_are_unknown_or_do_not_apply():
    model = mlp().fit(SINGLE, Y)
    with pytest.raises(ValueError, match="option 'nocl'"):
        converted(model, SINGLE, {id(model): {"nocl": True}})
    with pytest.raises(NameError, match="'tidy' not in"):
        converted(model, SINGLE, {id(model): {"tidy": True}})


def test_registering_twice_changes_nothing():
    skconvnet.onnx.register()
    model = mlp().fit(SINGLE, Y)
    run(converted(model, SINGLE), SINGLE)


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match=r'pip install "skconvnet\[onnx\]"'):
        skconvnet.onnx.register()


@pytest.mark.parametrize("options", [None, TENSORS])
def test_several_columns_of_labels_are_refused(options):
    model = mlp().fit(X, np.c_[Y, Y > 0])
    with pytest.raises(ValueError, match=r"2 columns of labels.* method to_onnx"):
        converted(model, X, options)


def segmenter(cls, y):
    layers = [("conv", Conv2D(3, 3, padding="same"))]
    maps = np.random.default_rng(0).normal(size=(9, 6, 5, 2)).astype(np.float32)
    return make(cls, layers=layers).fit(maps, y), maps


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_labels_of_positions(names):
    y = np.random.default_rng(0).choice(list(names), (9, 6, 5))
    model, maps = segmenter(SequentialClassifier, y)
    found = run(converted(model, maps), maps)
    np.testing.assert_array_equal(found["label"], model.predict(maps))
    assert_close(found["probabilities"], model.predict_proba(maps), 1e-5)


def test_numbers_of_positions():
    y = np.random.default_rng(0).normal(size=(9, 6, 5))
    model, maps = segmenter(SequentialRegressor, y)
    found = run(skl2onnx.to_onnx(model, maps[:1]), maps)
    assert_close(found["variable"], model.predict(maps), 1e-5)


@pytest.mark.parametrize("zipmap", [True, "columns"])
def test_zipmap_of_positions_is_refused(zipmap):
    y = np.random.default_rng(0).integers(0, 3, (9, 6, 5))
    model, maps = segmenter(SequentialClassifier, y)
    with pytest.raises(ValueError, match="needs one label per sample"):
        converted(model, maps, {"zipmap": zipmap})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("layer", "pooling"),
    [("conv1", None), ("conv1", "avg"), ("conv1", "max"), ("dense1", None)],
)
@pytest.mark.parametrize("prefit", [False, True])
def test_features_of_a_layer(prefit, layer, pooling, dtype):
    maps = np.random.default_rng(0).normal(size=(40, 6, 5, 2)).astype(dtype)
    y = np.arange(40) % 3
    net = make(ConvNetClassifier)
    if prefit:
        net = FrozenEstimator(net.fit(maps, y))
    extractor = FeatureExtractor(net, layer, pooling=pooling, prefit=prefit)
    model = make_pipeline(extractor, LogisticRegression()).fit(maps, y)
    found = run(converted(extractor.fit(maps, y), maps, None), maps)
    assert_close(found["variable"], extractor.transform(maps), 1e-5)
    found = run(converted(model, maps), maps)
    assert_close(found["probabilities"], model.predict_proba(maps), 1e-5)


def test_features_of_scaled_rows():
    extractor = FeatureExtractor(mlp(), "dense1")
    model = make_pipeline(StandardScaler(), extractor, LogisticRegression()).fit(X, Y)
    found = run(converted(model, SINGLE), SINGLE)
    assert_close(found["probabilities"], model.predict_proba(X), 1e-5)


def test_features_of_the_output_layer_are_refused():
    extractor = FeatureExtractor(mlp(), "output").fit(X, Y)
    with pytest.raises(ValueError, match="layer='output' is the output layer"):
        converted(extractor, X, None)


@pytest.mark.parametrize("has_missing", [False, True])
def test_the_recipe_for_tables(has_missing):
    samples = SINGLE.copy()
    if has_missing:
        samples[::7, 2] = np.nan
    clf = make_tabular_classifier(max_iter=3, random_state=0)
    # skl2onnx has no columns that say which numbers were missing.
    clf.set_params(columns__remainder__simpleimputer__add_indicator=not has_missing)
    found = run(converted(clf.fit(samples, Y), samples), samples)
    assert_close(found["probabilities"], clf.predict_proba(samples), 1e-5)
    np.testing.assert_array_equal(found["label"], clf.predict(samples))


def test_the_recipe_for_strings():
    frame = pd.DataFrame({"own": ["x", "y", "z"] * 50, "number": SINGLE[:, 0]})
    clf = make_tabular_classifier(max_iter=3, random_state=0).fit(frame, Y)
    inputs = {name: frame[[name]].to_numpy() for name in frame}
    inputs["own"] = inputs["own"].astype(object)
    found = run(converted(clf, frame), inputs)["probabilities"]
    assert_close(found, clf.predict_proba(frame), 1e-5)


def test_the_recipe_for_numbers_without_the_scale_of_the_target():
    reg = make_tabular_regressor(max_iter=3, random_state=0).fit(SINGLE, X[:, 0])
    found = run(skl2onnx.to_onnx(reg.regressor_, SINGLE[:1]), SINGLE)["variable"]
    scaled = reg.transformer_.inverse_transform(found)
    assert_close(scaled[:, 0], reg.predict(SINGLE), 1e-5)
