"""Exported classifiers and regressors: outputs, labels and losses."""

import sys

import numpy as np
import pytest
from estimator_cases import (
    CLASSIFIERS,
    ESTIMATORS,
    REGRESSORS,
    data_for,
    images,
    make,
)
from onnx_tools import TOLERANCE, assert_close, randomize, run
from sklearn.exceptions import NotFittedError

from skconvnet import (
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
)
from skconvnet.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES, Huber, LogLoss
from skconvnet.onnx.labels import labels_as_keys, labels_as_tensor

pytestmark = pytest.mark.onnxruntime

X = np.random.default_rng(0).normal(size=(40, 4))
CLASS_OF = np.arange(40) % 3
# Labels of every kind that `fit` takes.
LABELS = {
    "int64": CLASS_OF * 5 - 5,
    "int8": CLASS_OF.astype(np.int8),
    "uint64": CLASS_OF.astype(np.uint64),
    "str": np.array(["cat", "dog", "naïve"])[CLASS_OF],
    "str objects": np.array(["cat", "dog", "eel"], dtype=object)[CLASS_OF],
    "float64": CLASS_OF * 2.0,
    "float32": CLASS_OF.astype(np.float32),
    "two ints": (CLASS_OF > 0) * 3,
    "two strs": np.array(["no", "yes"])[(CLASS_OF > 0).astype(int)],
    "bool": CLASS_OF > 0,
    "one class": np.zeros(40, int),
    "two labels": np.c_[CLASS_OF > 0, CLASS_OF == 1].astype(int),
    "three labels": np.c_[CLASS_OF > 0, CLASS_OF == 1, CLASS_OF < 2].astype(int),
}
KINDS = {"str": object, "two strs": object, "int8": np.int64, "uint64": np.int64}
every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)


def classifier(y, dtype="float64", **params):
    """Return a network with random weights, so that all classes are predicted."""
    model = MLPClassifier((5,), dtype=dtype, random_state=0, **params)
    randomize(model.initialize(X, y))
    bias = model.get_weights()["output/bias"]
    usual = np.median(model.decision_function(X), axis=0)
    return model.set_weights({"output/bias": bias - usual})


def second_output(model, X):
    if hasattr(model, "predict_proba"):
        return model.predict_proba(X)
    return model.decision_function(X)


@every_dtype
@pytest.mark.parametrize("loss", CLASSIFICATION_LOSSES)
@pytest.mark.parametrize("kind", LABELS)
def test_labels_and_probabilities(kind, loss, dtype):
    y = LABELS[kind]
    model = classifier(y, dtype, loss=loss)
    exported = model.to_onnx(X)
    has_probabilities = hasattr(model, "predict_proba")
    assert has_probabilities == (loss in ("log_loss", "squared_error"))
    name = "probabilities" if has_probabilities else "scores"
    for n in (1, 7, len(X)):
        found = run(exported, X[:n])
        assert list(found) == ["label", name]
        assert found["label"].dtype == KINDS.get(kind, y.dtype)
        assert found[name].dtype == dtype
        np.testing.assert_array_equal(found["label"], model.predict(X[:n]))
        assert_close(found[name], second_output(model, X[:n]), TOLERANCE[dtype])
    predicted = np.unique(model.predict(X), axis=0)
    assert len(predicted) > 1 or kind == "one class"


@every_dtype
@pytest.mark.parametrize("kind", LABELS)
def test_raw_scores_are_those_of_the_decision_function(kind, dtype):
    model = classifier(LABELS[kind], dtype)
    found = run(model.to_onnx(X, raw_scores=True), X)
    assert list(found) == ["label", "scores"]
    assert_close(found["scores"], model.decision_function(X), TOLERANCE[dtype])


@pytest.mark.parametrize("kind", sorted(set(LABELS) - {"one class"}))
def test_zipmap_has_a_map_for_each_sample(kind):
    model = classifier(LABELS[kind])
    found = run(model.to_onnx(X, zipmap=True), X)
    expected = model.predict_proba(X)
    assert len(found["probabilities"]) == len(X)
    for by_label, row in zip(found["probabilities"], expected, strict=True):
        assert list(by_label) == model.classes_.tolist()
        np.testing.assert_allclose(list(by_label.values()), row, rtol=0, atol=1e-6)


def test_zipmap_of_one_score_has_both_sides():
    model = classifier(LABELS["two strs"], loss="hinge")
    found = run(model.to_onnx(X, zipmap=True), X[:2])
    for by_label, score in zip(
        found["scores"], model.decision_function(X[:2]), strict=True
    ):
        assert by_label == pytest.approx({"no": -score, "yes": score}, rel=1e-6)


@pytest.mark.parametrize("loss", ["perceptron", "hinge"])
def test_a_score_of_zero_has_the_label_that_it_is_predicted(loss):
    model = classifier(LABELS["two ints"], loss=loss)
    model.set_weights({k: np.zeros_like(w) for k, w in model.get_weights().items()})
    label = run(model.to_onnx(X), X)["label"]
    np.testing.assert_array_equal(label, model.predict(X))
    assert (label == (3 if loss == "perceptron" else 0)).all()


def test_probabilities_do_not_overflow():
    model = classifier(LABELS["int64"], "float32", loss="squared_error")
    model.set_weights({k: 60 * w for k, w in model.get_weights().items()})
    found = run(model.to_onnx(X), X)["probabilities"]
    assert_close(found, model.predict_proba(X), TOLERANCE["float32"])


@pytest.mark.parametrize("classes", [[b"a", b"b"], [1, "a"], ["2026-01-01"]])
def test_labels_that_are_not_part_of_onnx(classes):
    array = np.array(classes, dtype="O" if len(classes) == 2 else "M8[D]")
    if isinstance(classes[0], bytes):
        array = array.astype("S1")
    with pytest.raises(TypeError, match=r"got classes_ of dtype .*y\.astype\(str\)"):
        labels_as_tensor(array)


def test_integers_beyond_those_of_onnx():
    largest = np.array([0, 2**63 - 1], np.uint64)
    np.testing.assert_array_equal(labels_as_tensor(largest), largest.astype(np.int64))
    with pytest.raises(ValueError, match=r"at most 9223372036854775807 in ONNX"):
        labels_as_tensor(largest + np.uint64(1))


def test_keys_that_are_not_part_of_onnx():
    fractions = np.array([0.5, 1.0, 2.0])
    np.testing.assert_array_equal(labels_as_tensor(fractions), fractions)
    with pytest.raises(ValueError, match=r"classes_=\[0\.5 1\.  2\. \].*zipmap=False"):
        labels_as_keys(fractions)


def test_zipmap_of_one_class_is_refused():
    with pytest.raises(ValueError, match="got 1 class and 2 probabilities"):
        classifier(LABELS["one class"]).to_onnx(X, zipmap=True)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_classes_of_partial_fit_that_do_not_occur():
    model = MLPClassifier((5,), random_state=0)
    model.partial_fit(X, CLASS_OF, classes=[0, 1, 2, 9])
    found = run(model.to_onnx(X), X)
    assert found["probabilities"].shape == (40, 4)
    assert_close(found["probabilities"], model.predict_proba(X), 1e-10)


@every_dtype
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_predictions_of_numbers(loss, n_outputs, dtype):
    y = np.abs(X[:, :n_outputs]) if n_outputs > 1 else np.abs(X[:, 0])
    model = MLPRegressor(hidden_layer_sizes=5, loss=loss, dtype=dtype, random_state=0)
    randomize(model.initialize(X, y))
    exported = model.to_onnx(X)
    for n in (1, 7):
        found = run(exported, X[:n])
        assert list(found) == ["variable"]
        assert found["variable"].dtype == dtype
        expected = model.predict(X[:n]).reshape(n, n_outputs)
        assert_close(found["variable"], expected, TOLERANCE[dtype])


def test_poisson_is_limited_as_in_prediction():
    model = MLPRegressor(
        hidden_layer_sizes=(), loss="poisson", dtype="float32"
    ).initialize(X, X[:, 0] ** 2)
    model.set_weights({"output/bias": [500.0]})
    found = run(model.to_onnx(X), X)["variable"][:, 0]
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, model.predict(X), 1e-5)


@every_dtype
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_standardized_targets_are_in_their_units(n_outputs, dtype):
    maps = images(20)
    y = 1e6 + 1e3 * np.random.default_rng(0).normal(size=(20, n_outputs)).squeeze()
    model = make(ConvNetRegressor, rescale="auto", dtype=dtype).initialize(maps, y)
    found = run(model.to_onnx(maps), maps)["variable"]
    expected = model.predict(maps).reshape(20, n_outputs)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.std() > 10


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_estimator_after_fit(cls):
    samples, y = data_for(cls)
    model = make(cls).fit(samples, y)
    before = model.get_weights()
    found = run(model.to_onnx(samples[:1]), samples)
    if cls in CLASSIFIERS:
        np.testing.assert_array_equal(found["label"], model.predict(samples))
        assert_close(found["probabilities"], model.predict_proba(samples), 1e-10)
    else:
        assert_close(found["variable"][:, 0], model.predict(samples), 1e-10)
    for name, array in model.get_weights().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("cls", REGRESSORS)
@pytest.mark.parametrize("option", ["zipmap", "raw_scores"])
def test_options_of_classifiers_are_refused_by_regressors(cls, option):
    model = make(cls).initialize(*data_for(cls))
    with pytest.raises(ValueError, match=f"{option}=True is for classifiers"):
        model.to_onnx(**{option: True})


@pytest.mark.parametrize("option", ["zipmap", "raw_scores"])
def test_options_must_be_booleans(option):
    model = classifier(LABELS["bool"])
    with pytest.raises(
        TypeError, match=f"{option} must be True or False; got 'columns'"
    ):
        model.to_onnx(X, **{option: "columns"})
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        model.to_onnx(X, zip_map=True)


class _Sharper(LogLoss):
    def predict(self, scores):
        scores *= 2
        super().predict(scores)


class _Doubled(Huber):
    def predict(self, scores):
        scores *= 2


def test_losses_of_the_user_are_refused():
    model = MLPClassifier((5,), loss=_Sharper()).initialize(X, CLASS_OF)
    with pytest.raises(ValueError, match="loss=_Sharper cannot be exported"):
        model.to_onnx(X)
    model = MLPRegressor(hidden_layer_sizes=5, loss=_Doubled()).initialize(X, X[:, 0])
    with pytest.raises(ValueError, match="loss=_Doubled cannot be exported"):
        model.to_onnx(X)


def test_an_estimator_must_be_fitted():
    with pytest.raises(NotFittedError):
        SequentialClassifier([]).to_onnx()


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "skconvnet\[onnx\]"'):
        classifier(LABELS["bool"]).to_onnx(X)
