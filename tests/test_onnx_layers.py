"""Every layer computes the same in ONNX Runtime as in prediction."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_cases import CASES, TAKES_TOKENS, name
from onnx_tools import TOLERANCE, TOLERANCE_OF_ERF, assert_close, randomize, run
from sklearn.base import clone

from skconvnet import SequentialRegressor, layers
from skconvnet.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNorm,
    Bidirectional,
    Conv2D,
    Dense,
    Flatten,
    GlobalLpPool,
    GroupNorm,
    InstanceNorm,
    LpPool2D,
    Parallel,
    Reshape,
    Residual,
    SimpleRNN,
)
from skconvnet.onnx.graph import MIN_OPSET
from skconvnet.ops.activations import ACTIVATIONS

pytestmark = pytest.mark.onnxruntime

every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)


def samples(spec, shape, dtype, n=7):
    rng = np.random.default_rng(0)
    if isinstance(spec, TAKES_TOKENS):
        return rng.integers(0, spec.n_tokens, (n, *shape))
    return rng.normal(size=(n, *shape)).astype(dtype)


def network_of(specs, X, dtype):
    """Return an estimator of two outputs, with random weights."""
    model = SequentialRegressor(specs, dtype=dtype, random_state=0)
    with warnings.catch_warnings():
        # Two steps look as if each of them had a target.
        warnings.filterwarnings("ignore", "y of shape")
        model.initialize(X, np.ones((len(X), 2)))
    return randomize(model)


def operators_of(graph):
    """Return the names of all operators, also of graphs inside of the graph."""
    inner = [a.g for node in graph.node for a in node.attribute if a.HasField("g")]
    own = {node.op_type for node in graph.node}
    return own.union(*map(operators_of, inner))


def assert_equal_in_runtime(model, X, dtype, opset=None):
    exported = model.to_onnx(X, opset=opset)
    tolerance = TOLERANCE[dtype]
    if "Erf" in operators_of(exported.graph):
        tolerance = max(tolerance, TOLERANCE_OF_ERF)
    expected = model.predict(X)
    for n in (1, len(X)):
        found = run(exported, X[:n])["variable"]
        assert found.dtype == dtype
        assert_close(found, expected[:n], tolerance, scale=np.abs(expected).max())


@every_dtype
@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_layer_computes_the_same(case, dtype):
    spec, shape = case
    X = samples(spec, shape, dtype)
    assert_equal_in_runtime(network_of([("layer", spec)], X, dtype), X, dtype)


@every_dtype
@pytest.mark.parametrize("opset", [MIN_OPSET, 17, 22])
def test_layers_compute_the_same_with_other_operators(opset, dtype):
    rng = np.random.default_rng(0)
    for i in rng.choice(len(CASES), 30, replace=False):
        spec, shape = CASES[i]
        X = samples(spec, shape, dtype)
        model = network_of([("layer", spec)], X, dtype)
        assert_equal_in_runtime(model, X, dtype, opset)


@every_dtype
@pytest.mark.parametrize("function", ACTIVATIONS)
def test_an_activation_holds_for_extreme_values(function, dtype):
    values = np.array([-1e4, -90, -20, -1, -1e-3, 0, 1e-3, 1, 20, 90, 1e4], dtype)
    model = SequentialRegressor([Activation(function)], dtype=dtype)
    model.initialize(values[:, None], values)
    model.set_weights({"output/kernel": [[1.0]], "output/bias": [0.0]})
    found = run(model.to_onnx(values[:, None]), values[:, None])["variable"][:, 0]
    np.testing.assert_allclose(found, model.predict(values[:, None]), 1e-5, 1e-5)


@every_dtype
@pytest.mark.parametrize("opset", [MIN_OPSET, 14, 18, 22])
@pytest.mark.parametrize("function", ACTIVATIONS)
def test_an_activation_has_operators_of_every_version(function, opset, dtype):
    X = samples(None, (4, 3), dtype)
    model = network_of([("layer", Activation(function))], X, dtype)
    assert_equal_in_runtime(model, X, dtype, opset)


@every_dtype
@pytest.mark.parametrize("opset", [MIN_OPSET, 18, 22])
@pytest.mark.parametrize("p", [1, 2, 3, 2.5])
@pytest.mark.parametrize("spec", [LpPool2D((3, 2), 2, "same"), GlobalLpPool()], ids=str)
def test_norms_of_windows_have_operators_of_every_version(spec, p, opset, dtype):
    X = samples(spec, (6, 5, 2), dtype)
    own = clone(spec).set_params(p=p)
    model = network_of([("layer", own)], X, dtype)
    assert_equal_in_runtime(model, X, dtype, opset)


NORMS = [case for case in CASES if isinstance(case[0], (GroupNorm, InstanceNorm))]


@every_dtype
@pytest.mark.parametrize("opset", [MIN_OPSET, 18, 21, 22])
@pytest.mark.parametrize("case", NORMS, ids=name)
def test_norms_of_groups_have_operators_of_every_version(case, opset, dtype):
    spec, shape = case
    X = samples(spec, shape, dtype)
    model = network_of([("layer", spec)], X, dtype)
    assert_equal_in_runtime(model, X, dtype, opset)


def test_recurrent_layers_are_operators_in_float32():
    X = np.ones((2, 5, 3), np.float32)
    specs = [GRU(3, return_sequences=True), Bidirectional(LSTM(2)), Reshape((2, 2))]
    model = network_of([*specs, SimpleRNN(2)], X, "float32")
    operators = operators_of(model.to_onnx(X).graph)
    assert {"GRU", "LSTM", "RNN"} <= operators
    assert "Scan" not in operators


@dataclass(eq=False, repr=False)
class Shout(Dense):
    """A dense layer that may compute something else."""

    def build(self, in_shape):
        layer = super().build(in_shape)
        layer.__class__ = type("ShoutLayer", (type(layer),), {})
        return layer


def test_a_layer_of_the_user_is_named_with_its_path():
    X = np.ones((4, 3))
    specs = [("block", Residual([("in", Parallel([("a", [("own", Shout(3))])]))]))]
    model = network_of(specs, X, "float64")
    with pytest.raises(ValueError, match=r"'block/in/a/own', a ShoutLayer"):
        model.to_onnx(X)


def test_nodes_and_constants_have_the_names_of_the_layers():
    X = np.ones((2, 5, 5, 1), "float32")
    inner = [("conv", Conv2D(2, 3, padding="same")), BatchNorm()]
    specs = [("res", Residual(inner)), ("flat", Flatten()), ("dense", Dense(3))]
    graph = network_of(specs, X, "float32").to_onnx(X).graph
    names = {constant.name for constant in graph.initializer}
    arrays = (
        "conv/kernel",
        "conv/bias",
        "batchnorm/gamma",
        "shortcut/projection/kernel",
    )
    assert {f"res/{array}" for array in arrays} <= names
    assert {"dense/kernel", "output/bias"} <= names
    assert "dense/Gemm" in {node.name for node in graph.node}


@every_dtype
def test_batch_norm_keeps_digits_of_a_mean_far_from_zero(dtype):
    X = np.random.default_rng(0).normal(1e4, 1, (9, 3)).astype(dtype)
    model = network_of([("norm", BatchNorm())], X, dtype)
    statistics = {"mean": X.mean(axis=0), "variance": X.var(axis=0)}
    model.set_weights({f"norm/moving_{k}": v for k, v in statistics.items()})
    exact = network_of([("norm", BatchNorm())], X.astype("float64"), "float64")
    exact.set_weights(model.get_weights())
    found = run(model.to_onnx(X), X)["variable"]
    assert_close(found, exact.predict(X.astype("float64")), 1e-5)


# Parameters of windows, along one to three axes.
@st.composite
def windows(draw, *, is_pool=False):
    ndim = draw(st.integers(1, 3))
    small = st.integers(1, 3)

    def per_axis(numbers):
        return tuple(draw(numbers) for _ in range(ndim))

    params = {"strides": per_axis(small)}
    size = params["pool_size" if is_pool else "kernel_size"] = per_axis(small)
    if not is_pool:
        params["dilation"] = per_axis(st.integers(1, 2))
    kind = draw(st.sampled_from(["valid", "same", "pairs"]))
    params["padding"] = kind
    if kind == "pairs":
        limits = [k - 1 if is_pool else 2 for k in size]
        params["padding"] = tuple(
            (draw(st.integers(0, n)), draw(st.integers(0, n))) for n in limits
        )
    elif not is_pool and draw(st.booleans()):
        params["padding"] = "full"
    # Large enough for a kernel of 3 taps with a dilation of 2, and for what transposed
    # convolutions cut off.
    return ndim, per_axis(st.integers(5, 7)), params


@every_dtype
@settings(deadline=None, max_examples=40)
@given(drawn=windows(), groups=st.integers(1, 3), seed=st.integers(0, 99))
def test_convolutions_of_any_parameters(dtype, drawn, groups, seed):
    ndim, spatial, params = drawn
    X = np.random.default_rng(seed).normal(size=(7, *spatial, 2 * groups)).astype(dtype)
    convolution = getattr(layers, f"Conv{ndim}D")(groups, groups=groups, **params)
    model = network_of([("conv", convolution)], X, dtype)
    assert_equal_in_runtime(model, X, dtype)


@every_dtype
@settings(deadline=None, max_examples=40)
@given(drawn=windows(), groups=st.integers(1, 2), data=st.data())
def test_transposed_convolutions_of_any_parameters(dtype, drawn, groups, data):
    ndim, spatial, params = drawn
    limits = map(max, params["strides"], params["dilation"])
    added = tuple(data.draw(st.integers(0, limit - 1)) for limit in limits)
    X = np.random.default_rng(0).normal(size=(7, *spatial, 2 * groups)).astype(dtype)
    cls = getattr(layers, f"Conv{ndim}DTranspose")
    spec = cls(3 * groups, groups=groups, output_padding=added, **params)
    assert_equal_in_runtime(network_of([("conv", spec)], X, dtype), X, dtype)


@every_dtype
@pytest.mark.parametrize("kind", ["Max", "Avg", "Lp"])
@settings(deadline=None, max_examples=30)
@given(drawn=windows(is_pool=True))
def test_pooling_of_any_parameters(dtype, kind, drawn):
    ndim, spatial, params = drawn
    X = np.random.default_rng(0).normal(-3, size=(7, *spatial, 2)).astype(dtype)
    spec = getattr(layers, f"{kind}Pool{ndim}D")(**params)
    assert_equal_in_runtime(network_of([("pool", spec)], X, dtype), X, dtype)
