"""Winograd and FFT convolution, their accuracy, and the choice among all algorithms."""

import numpy as np
import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_tools import Bench, in_blocks
from scipy.signal import fftconvolve
from test_convolution import KINDS, assert_convolves

from skconvnet import ConvNetClassifier, SequentialClassifier
from skconvnet.engine.network import Network
from skconvnet.layers import Conv1D, Conv2D, Conv3D, MaxPool2D
from skconvnet.ops.convolution.fft import FFTConvolution
from skconvnet.ops.convolution.selection import ALGORITHMS, AlgorithmSelector
from skconvnet.ops.convolution.winograd import MAX_KERNEL
from skconvnet.ops.convolution.winograd_transforms import filtering_matrices
from skconvnet.ops.windows import sliding_windows


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("r", [1, 2, 3, 4, 5])
def test_filtering_matrices(m, r):
    A, G, B = filtering_matrices(m, r)
    rng = np.random.default_rng(0)
    tile, kernel = rng.normal(size=m + r - 1), rng.normal(size=r)
    expected = np.correlate(tile, kernel, mode="valid")
    np.testing.assert_allclose(A @ ((G @ kernel) * (B @ tile)), expected, atol=1e-13)


@st.composite
def convolutions(draw, method):
    ndim = draw(st.integers(1, 3))

    def per_axis(low, high):
        return draw(st.tuples(*[st.integers(low, high)] * ndim))

    size = per_axis(1, (60, 20, 8)[ndim - 1])
    kernel, strides, dilation = per_axis(1, MAX_KERNEL[ndim]), (1,) * ndim, (1,) * ndim
    if method == "fft":
        kernel = per_axis(1, (20, 9, 5)[ndim - 1])
        strides, dilation = per_axis(1, 3), per_axis(1, 3)
    explicit = st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * ndim)
    padding = draw(st.sampled_from(["valid", "same", "full"]) | explicit)
    pads = oracles.pad_amounts(size, kernel, strides, padding, dilation)
    for n, (before, after), d, k in zip(size, pads, dilation, kernel, strict=True):
        assume(n + before + after >= d * (k - 1) + 1)
    groups, filters = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    spec = KINDS[ndim](
        groups * filters,
        kernel,
        strides,
        padding,
        dilation,
        groups,
        conv_method=method,
    )
    return (*size, groups * draw(st.integers(1, 2))), spec


@settings(max_examples=80, deadline=None)
@given(case=convolutions("fft"), n=st.integers(1, 3))
def test_fft_equals_oracles(case, n):
    assert_convolves(*case, n)


@settings(max_examples=80, deadline=None)
@given(
    case=convolutions("winograd"),
    n=st.integers(1, 3),
    block_bytes=st.sampled_from([1, 3000, 10**9]),
)
def test_winograd_equals_oracles(case, n, block_bytes):
    in_shape, spec = case
    assert_convolves(in_shape, in_blocks(spec, block_bytes), n)


@pytest.mark.parametrize("size", [(30, 40), (64, 150)])
def test_fft_is_fftconvolve_summed_over_channels(size):
    bench = Bench(Conv2D(3, 11, conv_method="fft"), (*size, 4))
    bench.weights["bias"][:] = 0
    x = np.random.default_rng(0).normal(size=(2, *size, 4))
    y = bench.forward(x)
    kernel = bench.weights["kernel"]
    for i, f in np.ndindex(2, 3):
        expected = sum(
            fftconvolve(x[i, ..., c], kernel[f, c, ::-1, ::-1], mode="valid")
            for c in range(4)
        )
        np.testing.assert_allclose(y[i, ..., f], expected, atol=1e-11)


def test_fft_cuts_a_long_map_into_tiles():
    windows = sliding_windows((2000,), 9)
    algorithm = FFTConvolution(windows, 1, 1, 1)
    assert algorithm.n_tiles[0] > 5
    assert algorithm.tile[0] < 400
    assert FFTConvolution(sliding_windows((40,), 31), 1, 1, 1).n_tiles == (1,)
    assert_convolves((2000, 2), Conv1D(2, 9, conv_method="fft"))


@pytest.mark.parametrize("method", ["winograd", "fft"])
@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["normal", "uniform", "pixels"])
@pytest.mark.parametrize(("size", "channels"), [(8, 3), (20, 40), (32, 64)])
def test_accuracy_in_float32(method, kernel_size, kind, size, channels):
    in_shape = (size, size, channels)
    spec = Conv2D(24, kernel_size, padding="same", conv_method=method)
    exact, single = Bench(spec, in_shape), Bench(spec, in_shape, "float32")
    rng = np.random.default_rng(0)
    x = {
        "normal": rng.normal(size=(2, *in_shape)),
        "uniform": rng.uniform(size=(2, *in_shape)),
        "pixels": rng.integers(0, 256, size=(2, *in_shape)),
    }[kind].astype(np.float32)
    single.network.vector[:] = exact.network.vector
    exact.network.vector[:] = single.network.vector
    y = exact.forward(x)
    assert np.abs(single.forward(x) - y).max() < 1e-5 * np.abs(y).max()


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_accuracy_of_gradients_in_float32(kernel_size):
    in_shape = (16, 16, 32)
    spec = Conv2D(32, kernel_size, padding="same", conv_method="winograd")
    exact, single = Bench(spec, in_shape), Bench(spec, in_shape, "float32")
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 4, *in_shape)).astype(np.float32)
    single.network.vector[:] = exact.network.vector
    exact.network.vector[:] = single.network.vector
    results = []
    for bench in (exact, single):
        bench.forward(x, train=True)
        dx, gradients, _ = bench.backward(dy)
        results.append((dx, gradients["kernel"]))
    for true, found in zip(*results, strict=True):
        assert np.abs(found - true).max() < 1e-5 * np.abs(true).max()


@pytest.mark.parametrize("train", [False, True])
def test_winograd_needs_nothing_kept(train):
    spec = Conv2D(3, 3, padding="same", conv_method="winograd")
    bench = Bench(spec, (9, 10, 2))
    x, dy = np.random.default_rng(0).normal(size=(2, 2, 9, 10, 3))
    bench.forward(x[..., :2], train=train)
    _, _, gradient = bench.backward(dy)
    bench.forward(x[..., :2], train=True)
    _, _, expected = bench.backward(dy)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("size", "kernel", "channels", "filters", "expected"),
    [
        ((32, 32), 3, 64, 64, "winograd"),
        ((12, 12), 5, 20, 40, "winograd"),
        ((64, 64), 31, 16, 16, "fft"),
        ((28, 28), 1, 64, 64, "im2col"),
        ((28, 28), 3, 1, 4, "im2col"),
    ],
)
def test_auto_takes_what_is_known_to_be_fastest(
    size, kernel, channels, filters, expected
):
    windows = sliding_windows(size, kernel, padding="same")
    selector = AlgorithmSelector("auto", windows, channels, filters, 1)
    assert isinstance(selector.for_batch(32), ALGORITHMS[expected])
    costs = {
        name: AlgorithmSelector(name, windows, channels, filters, 1)
        .for_batch(32)
        .cost(32)
        for name in ALGORITHMS
        if name != "winograd" or kernel <= MAX_KERNEL[2]
    }
    assert min(costs, key=costs.get) == expected


@pytest.mark.parametrize(
    "spec",
    [Conv2D(2, 7), Conv2D(2, 3, strides=2), Conv1D(2, 3, dilation=2), Conv3D(2, 4)],
    ids=str,
)
def test_winograd_is_refused_where_it_cannot_be_used(spec):
    in_shape = (16,) * spec.spatial_ndim + (2,)
    spec.set_params(conv_method="winograd")
    message = (
        r"conv_method='winograd' requires strides and dilation of 1 .*Use 'im2col'"
    )
    with pytest.raises(ValueError, match=message):
        spec.build(in_shape)
    spec.set_params(conv_method="auto").build(in_shape)


@pytest.mark.parametrize("value", ["direct", None, 1, True])
def test_unknown_method(value):
    with pytest.raises(ValueError, match=rf"conv_method must be .* got {value!r}"):
        Conv2D(2, 3, conv_method=value).build((8, 8, 1))


def test_conv_method_of_convnets():
    X = np.random.default_rng(0).normal(size=(30, 8, 8)).astype("float32")
    y = np.arange(30) % 3
    params = {"filters": (3, 4), "random_state": 0}
    probabilities = {
        method: ConvNetClassifier(**params, conv_method=method)
        .initialize(X, y)
        .predict_proba(X)
        for method in ("auto", "im2col", "winograd", "fft")
    }
    for found in probabilities.values():
        np.testing.assert_allclose(found, probabilities["im2col"], atol=1e-5)
    model = ConvNetClassifier(**params, conv_method=("fft", "winograd"))
    layers = model.initialize(X, y).network_.layers
    for layer, name in (("conv1", "fft"), ("conv2", "winograd")):
        assert isinstance(layers[layer].selector.for_batch(5), ALGORITHMS[name])
    with pytest.raises(ValueError, match=r"'conv_method' parameter .* Got 'fast'"):
        ConvNetClassifier(conv_method="fast").fit(X, y)
    with pytest.raises(ValueError, match="'conv1': conv_method='winograd' requires"):
        ConvNetClassifier(strides=2, conv_method="winograd").fit(X, y)
    search = SequentialClassifier([("conv1", Conv2D(2, 3))])
    search.set_params(conv1__conv_method="fft").initialize(X, y)


@pytest.mark.parametrize("conv_method", ["winograd", "fft"])
@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("pooled", [False, True])
def test_nothing_comes_of_an_empty_part_of_an_image(
    conv_method, kernel_size, dtype, pooled
):
    # Biases are zero: what is empty lies where the derivative of ReLU jumps.
    rng = np.random.default_rng(0)
    x, shape = np.zeros((2, 20, 20, 16), dtype), (2, 5, 6, 16)
    x[:, 7:12, 8:14] = rng.uniform(size=shape) * (rng.random(shape) < 0.6)
    results = []
    for method in (conv_method, "im2col"):
        layers = []
        for name in ("conv1", "conv2"):
            params = {"padding": "same", "activation": "relu", "conv_method": method}
            layers.append((name, Conv2D(12, kernel_size, **params)))
            if pooled:
                layers.append((f"pool_{name}", MaxPool2D(2)))
        network = Network(layers, (20, 20, 2), dtype)
        network.initialize(np.random.RandomState(0))
        workspaces = network.workspaces()
        y, caches = network.forward(x, workspaces, train=True)
        gradient = np.empty_like(network.vector)
        dy = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
        network.backward(dy, caches, network.by_layer(gradient), workspaces)
        results.append((y, gradient))
    (y, gradient), (expected, expected_gradient) = results
    assert (expected == 0).mean() > 0.2
    np.testing.assert_array_equal(y == 0, expected == 0)
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    scale = np.abs(expected_gradient).max()
    np.testing.assert_allclose(gradient, expected_gradient, atol=tolerance * scale)
