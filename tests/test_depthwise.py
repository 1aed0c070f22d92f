"""Depthwise and depthwise separable convolution, against SciPy and PyTorch."""

import numpy as np
import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_tools import Bench

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv1D, Conv2D, Conv3D, DepthwiseConv2D, SeparableConv2D
from skconvnet.ops.convolution.depthwise import DepthwiseConvolution
from skconvnet.ops.convolution.im2col import Im2colConvolution


def pair(value):
    return (value, value) if isinstance(value, int) else value


def convolve_channels(x, kernel, spec):
    """Compute a depthwise convolution without bias by SciPy."""
    strides, dilation = pair(spec.strides), pair(spec.dilation)
    no_bias = np.zeros(len(kernel))
    return oracles.convolve(
        x, kernel, no_bias, strides, spec.padding, dilation, x.shape[-1]
    )


@st.composite
def cases(draw, explicit=True):
    """Draw a shape of samples, and parameters that fit it."""

    def pairs(low, high):
        return draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    size, kernel, strides, dilation = (
        pairs(1, 20),
        pairs(1, 5),
        pairs(1, 3),
        pairs(1, 3),
    )
    padding = st.sampled_from(["valid", "same", "full"] if explicit else ["valid"])
    sides = st.tuples(st.integers(0, 3), st.integers(0, 3))
    numbers = st.tuples(sides, sides) if explicit else sides
    padding = draw(padding | numbers)
    pads = oracles.pad_amounts(size, kernel, strides, padding, dilation)
    for n, (before, after), d, k in zip(size, pads, dilation, kernel, strict=True):
        assume(n + before + after >= d * (k - 1) + 1)
    parameters = {
        "kernel_size": kernel,
        "strides": strides,
        "padding": padding,
        "dilation": dilation,
        "depth_multiplier": draw(st.integers(1, 3)),
    }
    return (*size, draw(st.integers(1, 4))), parameters


@settings(max_examples=120, deadline=None)
@given(
    case=cases(),
    n=st.integers(1, 5),
    block_bytes=st.sampled_from([1, 10**7]),
    run_length=st.sampled_from([5, 4096]),
)
def test_equals_scipy(case, n, block_bytes, run_length):
    in_shape, parameters = case
    spec = DepthwiseConv2D(**parameters)
    bench = Bench(spec, in_shape)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, *in_shape))
    kernel, bias = bench.weights["kernel"], bench.weights["bias"]
    usual = bench.layer.algorithm
    bench.layer.algorithm = DepthwiseConvolution(
        usual.windows,
        usual.channels,
        usual.filters,
        usual.groups,
        block_bytes=block_bytes,
        run_length=run_length,
    )
    y = bench.forward(x)
    dy = rng.normal(size=y.shape)
    dx, gradients, _ = bench.backward(dy)
    expected = convolve_channels(x, kernel, spec) + bias
    assert y.shape == expected.shape == (n, *bench.layer.out_shape)
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-10)
    # <dy, conv(u)> = <dx, u> for every u, as a convolution is linear in each argument.
    u, v = rng.normal(size=x.shape), rng.normal(size=kernel.shape)
    same = {"rtol": 1e-9, "atol": 1e-9}
    along = np.vdot(dy, convolve_channels(u, kernel, spec))
    np.testing.assert_allclose(np.vdot(dx, u), along, **same)
    along = np.vdot(dy, convolve_channels(x, v, spec))
    np.testing.assert_allclose(np.vdot(gradients["kernel"], v), along, **same)
    np.testing.assert_allclose(gradients["bias"], dy.sum(axis=(0, 1, 2)), rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(case=cases(), filters=st.integers(1, 4))
def test_separable_equals_scipy_twice(case, filters):
    in_shape, parameters = case
    spec = SeparableConv2D(filters, **parameters)
    bench = Bench(spec, in_shape)
    x = np.random.default_rng(0).normal(size=(2, *in_shape))
    maps = convolve_channels(x, bench.weights["depthwise"], spec)
    expected = oracles.convolve(
        maps,
        bench.weights["pointwise"],
        bench.weights["bias"],
        (1, 1),
        "valid",
        (1, 1),
        1,
    )
    np.testing.assert_allclose(bench.forward(x), expected, rtol=1e-10, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(case=cases(explicit=False), filters=st.none() | st.integers(1, 4))
def test_equals_torch(torch, case, filters):
    """Outputs and all gradients, of both layers; torch pads both sides alike."""
    (height, width, channels), parameters = case
    if parameters["padding"] == "valid":
        parameters["padding"] = (0, 0)
    n_maps = channels * parameters["depth_multiplier"]
    first = torch.nn.Conv2d(
        channels,
        n_maps,
        parameters["kernel_size"],
        parameters["strides"],
        parameters["padding"],
        parameters["dilation"],
        groups=channels,
        bias=filters is None,
    ).double()
    theirs = torch.nn.Sequential(first)
    if filters is None:
        spec = DepthwiseConv2D(**parameters)
        pairs = {"kernel": first.weight, "bias": first.bias}
    else:
        spec = SeparableConv2D(filters, **parameters)
        second = torch.nn.Conv2d(n_maps, filters, 1).double()
        theirs.append(second)
        pairs = {
            "depthwise": first.weight,
            "pointwise": second.weight,
            "bias": second.bias,
        }
    bench = Bench(spec, (height, width, channels))
    with torch.no_grad():
        for name, weight in pairs.items():
            weight.copy_(torch.from_numpy(bench.weights[name]))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, height, width, channels))
    images = torch.from_numpy(np.moveaxis(x, -1, 1).copy()).requires_grad_()
    outputs = theirs(images)
    y = bench.forward(x)
    same = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(np.moveaxis(y, -1, 1), outputs.detach(), **same)
    dy = rng.normal(size=y.shape)
    outputs.backward(torch.from_numpy(np.moveaxis(dy, -1, 1).copy()))
    dx, gradients, _ = bench.backward(dy)
    np.testing.assert_allclose(np.moveaxis(dx, -1, 1), images.grad, **same)
    for name, weight in pairs.items():
        np.testing.assert_allclose(gradients[name], weight.grad, **same)


def test_gradients_in_float32():
    """Long sums: each tap of the kernel meets 100,000 positions."""
    in_shape = (56, 56, 3)
    spec = DepthwiseConv2D(3, padding="same")
    exact, single = Bench(spec, in_shape), Bench(spec, in_shape, "float32")
    single.network.vector[:] = exact.network.vector
    exact.network.vector[:] = single.network.vector
    rng = np.random.default_rng(0)
    x, dy = rng.uniform(size=(2, 32, *in_shape)).astype(np.float32)
    results = []
    for bench in (exact, single):
        y = bench.forward(x)
        dx, gradients, _ = bench.backward(dy)
        results.append((y, dx, gradients["kernel"]))
    for true, found in zip(*results, strict=True):
        assert np.abs(found - true).max() < 2e-6 * np.abs(true).max()


def test_outputs_of_a_channel_stand_next_to_each_other():
    bench = Bench(DepthwiseConv2D(1, 2), (1, 1, 3))
    bench.weights["kernel"][:, 0, 0, 0] = [1, 2, 3, 4, 5, 6]
    bench.weights["bias"][:] = 0
    y = bench.forward(np.array([[[[1.0, 10.0, 100.0]]]]))
    np.testing.assert_array_equal(y[0, 0, 0], [1, 2, 30, 40, 500, 600])


@pytest.mark.parametrize(
    ("spec", "in_shape", "expected"),
    [
        (Conv1D(4, 3, groups=4), (9, 4), DepthwiseConvolution),
        (Conv2D(8, 3, 2, groups=4), (9, 9, 4), DepthwiseConvolution),
        (Conv2D(4, 3, groups=4, conv_method="im2col"), (9, 9, 4), Im2colConvolution),
        (Conv2D(4, 3, groups=2), (9, 9, 4), Im2colConvolution),
        (Conv2D(4, 3), (9, 9, 1), Im2colConvolution),
        (Conv3D(4, 3, groups=4), (5, 5, 5, 4), Im2colConvolution),
    ],
    ids=str,
)
def test_groups_of_one_channel_take_the_same_way(spec, in_shape, expected):
    layer = spec.build(in_shape)
    assert type(layer.selector.for_batch(8)) is expected


def test_convolution_with_as_many_groups_as_channels_is_the_same_layer():
    in_shape, x = (9, 10, 3), np.random.default_rng(0).normal(size=(2, 9, 10, 3))
    parameters = {"kernel_size": 3, "strides": 2, "padding": "same"}
    ours = Bench(DepthwiseConv2D(depth_multiplier=2, **parameters), in_shape)
    theirs = Bench(Conv2D(6, groups=3, conv_method="im2col", **parameters), in_shape)
    assert ours.layer.weight_shapes == theirs.layer.weight_shapes
    np.testing.assert_allclose(ours.forward(x), theirs.forward(x), rtol=1e-10)


def n_weights(spec, in_shape):
    shapes = spec.build(in_shape).weight_shapes
    return sum(np.prod(shape) for name, shape in shapes.items() if name != "bias")


def test_weights_of_separable_and_of_ordinary_convolution():
    assert n_weights(Conv2D(256, 3), (32, 32, 3)) == 6912
    assert n_weights(SeparableConv2D(256, 3), (32, 32, 3)) == 795


def test_both_kernels_are_penalized():
    specs = [("mix", SeparableConv2D(2, 3, activation="relu"))]
    X = np.random.default_rng(0).normal(size=(6, 6, 6, 2))
    y = np.arange(6) % 2
    losses, gradients = [], []
    for alpha in (0.0, 6.0):
        model = SequentialClassifier(
            specs, alpha=alpha, random_state=0, dtype="float64"
        )
        loss, gradient = model.initialize(X, y).loss_gradients(X, y)
        losses.append(loss)
        gradients.append(gradient)
    # scikit-learn's penalty: alpha / 2 times the squares, over the samples.
    weights = model.get_weights()
    for name in ("mix/depthwise", "mix/pointwise"):
        assert np.abs(weights[name]).min() > 0
        shrinking = gradients[1][name] - gradients[0][name]
        np.testing.assert_allclose(shrinking, weights[name], rtol=1e-8)
    np.testing.assert_allclose(gradients[1]["mix/bias"], gradients[0]["mix/bias"])
    assert losses[1] > losses[0]


def test_separable_starts_within_the_bounds_of_both_steps():
    layer = SeparableConv2D(40, 3, depth_multiplier=4).build((9, 9, 50))
    weights = layer.initialize(np.random.RandomState(0))
    for name, fans in (("depthwise", 9 + 36), ("pointwise", 200 + 40)):
        bound = np.sqrt(6 / fans)
        assert 0.99 * bound < np.abs(weights[name]).max() <= bound
    assert not weights["bias"].any()
