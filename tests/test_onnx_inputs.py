"""What an exported model takes: dtypes, rows, maps, and the order of the axes."""

import numpy as np
import pandas as pd
import pytest
from onnx_tools import TOLERANCE, assert_close, randomize, run
from scipy.sparse import csr_matrix

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import (
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    GlobalMaxPool,
    Rescaling,
    SpatialPyramidPool,
    Standardize,
)
from skconvnet.onnx.graph import DEFAULT_OPSET

pytestmark = pytest.mark.onnxruntime

N = 12
Y = np.arange(N) % 3


def pixels(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, (N, *shape)).astype(dtype)


def convnet(X, **params):
    params = {"filters": (3, 4), "hidden_layer_sizes": (5,), **params}
    return randomize(ConvNetClassifier(random_state=0, **params).initialize(X, Y))


def assert_same(model, X, exported=None):
    exported = model.to_onnx(X[:2]) if exported is None else exported
    for n in (1, 7):
        found = run(exported, X[:n])
        tolerance = TOLERANCE[found["probabilities"].dtype.name]
        assert_close(found["probabilities"], model.predict_proba(X[:n]), tolerance)
    return exported


def input_of(exported):
    """Return dtype and shape of the input of a model, without the batch."""
    import onnx

    (value,) = exported.graph.input
    assert value.name == "X"
    tensor = value.type.tensor_type
    first, *others = tensor.shape.dim
    assert first.dim_param == "n_samples"
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    return dtype, tuple(axis.dim_value for axis in others)


@pytest.mark.parametrize("fitted", ["uint8", "float32", "float64"])
@pytest.mark.parametrize(
    "dtype",
    [
        "bool",
        "uint8",
        "int16",
        "int64",
        "uint64",
        "float16",
        "float32",
        "float64",
        ">f4",
    ],
)
def test_the_dtype_is_that_of_X(dtype, fitted):
    model = convnet(pixels(8, 8, 3, dtype=fitted))
    X = pixels(8, 8, 3, dtype=dtype)
    exported = model.to_onnx(X[:1])
    native = np.dtype(dtype).newbyteorder("=")
    assert input_of(exported) == (native, (8, 8, 3))
    assert_same(model, X.astype(native), exported)


def test_what_no_model_takes():
    model = MLPClassifier((3,)).initialize(np.eye(N), Y)
    with pytest.raises(TypeError, match=r"dense.*got a csr_matrix.*toarray"):
        model.to_onnx(csr_matrix(np.eye(N)))
    with pytest.raises(TypeError, match=r"at most 64 bits; got float128"):
        model.to_onnx(np.eye(N).astype(np.longdouble))
    with pytest.raises(ValueError, match="is expecting 12 features"):
        model.to_onnx(np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"Pass X\[None\]"):
        convnet(pixels(8, 8, 3)).to_onnx(pixels(8, 8, 3)[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(8, 9, 3), (8, 9, 1), (8, 9), (64,), (7,)])
def test_images_and_rows(shape, dtype):
    X = pixels(*shape, dtype=dtype)
    model = convnet(X)
    assert input_of(assert_same(model, X)) == (dtype, shape)


@pytest.mark.parametrize("shape", [(12, 3), (12, 1), (5, 6, 7, 2)])
def test_sequences_and_volumes(shape):
    X = pixels(*shape, dtype="float32")
    model = convnet(X, input_shape=shape)
    assert_same(model, X)
    assert_same(model, X.reshape(N, -1))


def test_rows_with_a_given_shape_take_maps_too():
    X = pixels(8 * 9 * 3, dtype="float32")
    model = convnet(X, input_shape=(8, 9, 3))
    assert input_of(assert_same(model, X)) == (np.float32, (8 * 9 * 3,))
    assert input_of(assert_same(model, X.reshape(N, 8, 9, 3)))[1] == (8, 9, 3)


def test_gray_images_with_and_without_an_axis_of_channels():
    X = pixels(8, 9, 1, dtype="float32")
    model = convnet(X)
    for samples in (X, X[..., 0], X.reshape(N, -1)):
        assert input_of(assert_same(model, samples))[1] == samples.shape[1:]


def operators(exported):
    return [node.op_type for node in exported.graph.node]


def test_channels_first_needs_no_transpose_before_the_network():
    X = pixels(3, 8, 9, dtype="float32")
    model = convnet(X, data_format="channels_first")
    exported = assert_same(model, X)
    # The one that remains puts features into the order of the dense kernel.
    assert operators(exported).count("Transpose") == 1
    last = convnet(X.transpose(0, 2, 3, 1))
    assert operators(last.to_onnx(X[:1].transpose(0, 2, 3, 1))).count("Transpose") == 2
    rows = X.reshape(N, -1)
    assert input_of(assert_same(model, rows))[1] == (3 * 8 * 9,)
    assert input_of(model.to_onnx())[1] == (3, 8, 9)
    assert_same(model, X, model.to_onnx())


def test_channels_first_with_gray_images():
    X = pixels(8, 9, dtype="float32")
    model = convnet(X, data_format="channels_first")
    assert_same(model, X)
    assert_same(model, X[:, None])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_X_the_input_is_float32_in_the_shape_of_the_network(dtype):
    X = pixels(8, 9, dtype=dtype)
    model = convnet(X)
    exported = model.to_onnx()
    assert input_of(exported) == (np.float32, (8, 9, 1))
    found = run(exported, X[..., None].astype(np.float32))["probabilities"]
    assert_close(found, model.predict_proba(X), TOLERANCE[dtype])
    assert found.dtype == dtype


def test_data_frames_and_lists_are_a_single_input():
    rows = np.random.default_rng(0).normal(size=(N, 3))
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    model = MLPClassifier((4,), random_state=0).initialize(frame, Y)
    for X in (frame, frame.astype("float32")):
        exported = model.to_onnx(X)
        assert input_of(exported) == (X.to_numpy().dtype, (3,))
        found = run(exported, X.to_numpy())["probabilities"]
        assert_close(found, model.predict_proba(X), TOLERANCE["float64"])
    plain = MLPClassifier((4,), random_state=0).initialize(rows, Y)
    assert input_of(plain.to_onnx(rows.tolist())) == (np.float64, (3,))


def test_tokens_stay_integers():
    X = np.random.default_rng(0).integers(0, 9, (N, 6))
    net = [Embedding(9, 4, padding_token=0), Flatten(), Dense(3, "tanh")]
    model = SequentialClassifier(net, dtype="float32", random_state=0)
    model.initialize(X, Y)
    exported = assert_same(model, X)
    assert input_of(exported) == (np.int64, (6,))
    casts = [node for node in exported.graph.node if node.op_type == "Cast"]
    assert len(casts) == 1
    assert_same(model, X.astype(np.int32))
    assert_same(model, X.astype(np.float32))


@pytest.mark.parametrize("fitted", ["uint8", "float64"])
def test_preprocessing_is_included(fitted):
    X = pixels(6, 6, 2, dtype=fitted)
    net = [Rescaling(1 / 255), Standardize("pixel"), Standardize(), Conv2D(3, 3)]
    model = SequentialClassifier(net, random_state=0).initialize(X, Y)
    assert_same(model, X)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_of_several_sizes_have_a_model_for_each(dtype, data_format):
    rng = np.random.default_rng(0)
    sizes = [(9, 8, 2), (7, 9, 2), (8, 8, 2)] * 4
    X = [rng.uniform(size=size).astype(dtype) for size in sizes]
    if data_format == "channels_first":
        X = [x.transpose(2, 0, 1) for x in X]
    model = ConvNetClassifier(
        (3,), hidden_layer_sizes=(), global_pooling="avg", data_format=data_format
    )
    randomize(model.set_params(random_state=0).initialize(X, Y))
    for i in range(3):
        same_size = [X[i], X[i + 3]]
        exported = model.to_onnx(same_size)
        assert input_of(exported) == (dtype, X[i].shape)
        found = run(exported, np.array(same_size))["probabilities"]
        assert_close(found, model.predict_proba(same_size), TOLERANCE[dtype])
    with pytest.raises(
        ValueError, match=r"samples of one size.*Export a model for each"
    ):
        model.to_onnx(X)
    assert input_of(model.to_onnx())[1][-2:] != (2, 2)  # the largest of each length


@pytest.mark.parametrize("pool", [GlobalMaxPool(), SpatialPyramidPool((1, 3), "avg")])
def test_an_array_of_another_size(pool):
    rng = np.random.default_rng(0)
    X = [rng.uniform(size=(8 + i % 2, 9, 1)) for i in range(N)]
    model = SequentialRegressor([Conv2D(3, 3), pool], random_state=0)
    model.initialize(X, np.arange(N))
    other = rng.uniform(size=(4, 11, 6, 1))
    found = run(model.to_onnx(other), other)["variable"][:, 0]
    assert_close(found, model.predict(other), TOLERANCE["float64"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("fitted", ["float32", "float64"])
def test_the_model_computes_in_the_dtype_that_is_asked_for(fitted, dtype):
    X = pixels(9, 8, 2, dtype=fitted)
    model = convnet(X, activation="gelu", batch_norm=True, pooling="avg")
    exported = model.to_onnx(X, dtype=dtype)
    assert input_of(exported)[0] == fitted
    assert ("Conv" in operators(exported)) == (dtype == "float32")
    found = run(exported, X)["probabilities"]
    assert found.dtype == dtype
    assert_close(found, model.predict_proba(X), 1e-5)


def test_dtypes_that_no_model_computes_in():
    model = convnet(pixels(8, 8, 3))
    for wrong in ("float16", "int32", "single precision", "auto"):
        with pytest.raises(ValueError, match=f"'float64' or None, .*got '{wrong}'"):
            model.to_onnx(dtype=wrong)


def test_the_opset_is_what_was_asked_for():
    import onnx

    model = convnet(pixels(8, 8, 3))
    (default,) = model.to_onnx().opset_import
    assert (default.domain, default.version) == ("", DEFAULT_OPSET)
    (other,) = model.to_onnx(opset=21).opset_import
    assert other.version == 21
    newest = onnx.defs.onnx_opset_version()
    for wrong in (12, newest + 1):
        with pytest.raises(ValueError, match=f"from 13 to {newest}, .*got {wrong}"):
            model.to_onnx(opset=wrong)
    with pytest.raises(TypeError, match="opset must be an int"):
        model.to_onnx(opset="18")


def test_the_version_of_the_format_is_one_that_older_runtimes_read():
    import onnx

    model = convnet(pixels(8, 8, 3)).to_onnx()
    assert model.ir_version < onnx.IR_VERSION
    assert (model.producer_name, model.graph.name) == ("skconvnet", "ConvNetClassifier")


def test_a_model_that_is_too_large_for_a_file(monkeypatch):
    monkeypatch.setattr("skconvnet.onnx.graph._MAX_BYTES", 1000)
    with pytest.raises(ValueError, match=r"The weights take .* at most 2 GB"):
        convnet(pixels(8, 8, 3)).to_onnx()


def test_no_samples_at_all():
    X = pixels(8, 8, 3)
    found = run(convnet(X).to_onnx(X), X[:0])
    assert found["label"].shape == (0,)
    assert found["probabilities"].shape == (0, 3)
