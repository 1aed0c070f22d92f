"""Exported networks whose outputs are maps, or several columns of labels."""

import numpy as np
import pytest
from onnx_tools import TOLERANCE, assert_close, randomize, run

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import Conv1D, Conv2D, Conv3D, Upsample
from skconvnet.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES

pytestmark = pytest.mark.onnxruntime

RNG = np.random.default_rng(0)
CONVOLUTIONS = {1: Conv1D, 2: Conv2D, 3: Conv3D}
SIZES = {1: (7,), 2: (6, 5), 3: (4, 3, 2)}
N = 9
every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)
every_ndim = pytest.mark.parametrize("ndim", SIZES)


def network(cls, ndim, y, dtype="float32", **params):
    """Return a network for maps with random weights, and samples for it."""
    X = RNG.normal(size=(N, *SIZES[ndim], 2)).astype(dtype)
    convolution = CONVOLUTIONS[ndim](4, 3, padding="same", activation="relu")
    model = cls([("conv", convolution)], dtype=dtype, random_state=0, **params)
    return randomize(model.initialize(X, y)), X


def masks(ndim):
    return RNG.integers(0, 2, (N, *SIZES[ndim], 3))


def labels(kind, ndim):
    shape = (N, *SIZES[ndim])
    if kind == "masks":
        return masks(ndim)
    if kind == "one mask":
        return RNG.integers(0, 2, (*shape, 1))
    known = {
        "ints": [3, 5, 9],
        "two ints": [0, 1],
        "strings": ["cell", "edge", "rest"],
        "two strings": ["cell", "rest"],
    }
    # Of 1-D layers, y must have an axis of outputs.
    return RNG.choice(known[kind], shape if ndim > 1 else (*shape, 1))


@every_dtype
@every_ndim
@pytest.mark.parametrize(
    "kind", ["ints", "two ints", "strings", "two strings", "masks", "one mask"]
)
@pytest.mark.parametrize("loss", CLASSIFICATION_LOSSES)
def test_labels_and_probabilities_of_positions(loss, kind, ndim, dtype):
    y = labels(kind, ndim)
    model, X = network(SequentialClassifier, ndim, y, dtype, loss=loss)
    has_probabilities = hasattr(model, "predict_proba")
    name = "probabilities" if has_probabilities else "scores"
    second = model.predict_proba if has_probabilities else model.decision_function
    exported = model.to_onnx(X)
    for n in (1, 7):
        found = run(exported, X[:n])
        assert list(found) == ["label", name]
        assert found["label"].shape == (n, *y.shape[1:])
        np.testing.assert_array_equal(found["label"], model.predict(X[:n]))
        assert_close(found[name], second(X[:n]), TOLERANCE[dtype])
    assert len(np.unique(model.predict(X))) > 1


@pytest.mark.parametrize("kind", ["ints", "two strings", "masks", "one mask"])
def test_raw_scores_of_positions(kind):
    model, X = network(SequentialClassifier, 2, labels(kind, 2))
    found = run(model.to_onnx(X, raw_scores=True), X)
    assert list(found) == ["label", "scores"]
    assert_close(found["scores"], model.decision_function(X), 1e-5)


@every_dtype
@every_ndim
@pytest.mark.parametrize("channels", [None, 1, 3])
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_numbers_of_positions(loss, channels, ndim, dtype):
    if channels is None and ndim == 1:
        channels = 1  # of 1-D layers, y must have an axis of outputs
    y = RNG.uniform(size=(N, *SIZES[ndim], *([channels] if channels else [])))
    model, X = network(SequentialRegressor, ndim, y, dtype, loss=loss)
    model.set_weights(
        {name: array / 4 for name, array in model.get_weights().items()}
    )  # so that exp stays of the size of the others
    exported = model.to_onnx(X)
    for n in (1, 7):
        found = run(exported, X[:n])
        assert list(found) == ["variable"]
        assert found["variable"].shape == (n, *y.shape[1:])
        assert_close(found["variable"], model.predict(X[:n]), TOLERANCE[dtype])


def test_maps_that_are_larger_than_samples():
    X = RNG.normal(size=(N, 6, 4)).astype(np.float32)  # without an axis of channels
    y = RNG.integers(0, 3, (N, 12, 8))
    layers = [("conv", Conv2D(4, 3, padding="same")), ("up", Upsample(2))]
    model = SequentialClassifier(layers, input_shape=(6, 4, 1), random_state=0)
    randomize(model.initialize(X, y))
    found = run(model.to_onnx(X), X)
    np.testing.assert_array_equal(found["label"], model.predict(X))
    assert_close(found["probabilities"], model.predict_proba(X), 1e-5)


def test_maps_of_another_size_than_in_training():
    images = [RNG.normal(size=(size, 5, 2)) for size in (4, 6, 7)]
    y = [RNG.integers(0, 3, image.shape[:2]) for image in images]
    layers = [("conv", Conv2D(4, 3, padding="same"))]
    model = randomize(
        SequentialClassifier(layers, random_state=0).initialize(images, y)
    )
    X = RNG.normal(size=(3, 9, 8, 2)).astype(np.float32)
    found = run(model.to_onnx(X), X)
    np.testing.assert_array_equal(found["label"], model.predict(X))
    assert_close(found["probabilities"], model.predict_proba(X), 1e-5)


def test_zipmap_of_positions_is_refused():
    model, X = network(SequentialClassifier, 2, labels("ints", 2))
    with pytest.raises(ValueError, match=r"maps of shape \(6, 5\)\. Set zipmap=False"):
        model.to_onnx(X, zipmap=True)


COLUMNS = {
    "ints": np.c_[np.arange(40) % 3, np.arange(40) % 2, np.arange(40) // 4],
    "strings": np.array(["a", "b", "c", "d"])[
        np.c_[np.arange(40) % 3, np.arange(40) % 4]
    ],
}
ROWS = RNG.normal(size=(40, 4))


def of_columns(kind, dtype="float64", **params):
    model = MLPClassifier((6,), dtype=dtype, random_state=0, **params)
    return randomize(model.initialize(ROWS, COLUMNS[kind]))


@every_dtype
@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("loss", CLASSIFICATION_LOSSES)
def test_several_columns_of_labels(loss, kind, dtype):
    model = of_columns(kind, dtype, loss=loss)
    has_probabilities = hasattr(model, "predict_proba")
    name = "probabilities" if has_probabilities else "scores"
    second = model.predict_proba if has_probabilities else model.decision_function
    exported = model.to_onnx(ROWS)
    for n in (1, 7):
        found = run(exported, ROWS[:n])
        columns = [f"{name}_{j}" for j in range(len(model.classes_))]
        assert list(found) == ["label", *columns]
        np.testing.assert_array_equal(found["label"], model.predict(ROWS[:n]))
        for column, expected in zip(columns, second(ROWS[:n]), strict=True):
            assert_close(found[column], expected, TOLERANCE[dtype])


def test_raw_scores_of_several_columns():
    model = of_columns("ints")
    found = run(model.to_onnx(ROWS, raw_scores=True), ROWS)
    for j, expected in enumerate(model.decision_function(ROWS)):
        assert_close(found[f"scores_{j}"], expected, TOLERANCE["float64"])


@pytest.mark.parametrize("kind", COLUMNS)
def test_zipmap_of_several_columns(kind):
    model = of_columns(kind)
    found = run(model.to_onnx(ROWS, zipmap=True), ROWS)
    for j, expected in enumerate(model.predict_proba(ROWS)):
        for by_label, row in zip(found[f"probabilities_{j}"], expected, strict=True):
            assert list(by_label) == model.classes_[j].tolist()
            np.testing.assert_allclose(list(by_label.values()), row, rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_columns_of_several_types_have_the_labels_of_predict():
    y = np.array([["1", "a"], ["2", "b"]])[np.arange(40) % 2]
    model = MLPClassifier((6,), random_state=0)
    model.partial_fit(ROWS, y, classes=[["0", "1", "2"], ["a", "b"]])
    found = run(model.to_onnx(ROWS), ROWS)
    np.testing.assert_array_equal(found["label"], model.predict(ROWS))
    assert found["probabilities_0"].shape == (40, 3)


def test_several_columns_of_images():
    X = RNG.normal(size=(40, 8, 8, 1)).astype(np.float32)
    model = ConvNetClassifier(4, hidden_layer_sizes=5, random_state=0)
    randomize(model.initialize(X, COLUMNS["strings"]))
    found = run(model.to_onnx(X), X)
    np.testing.assert_array_equal(found["label"], model.predict(X))
    for j, expected in enumerate(model.predict_proba(X)):
        assert_close(found[f"probabilities_{j}"], expected, 1e-5)
