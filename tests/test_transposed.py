"""Transposed convolutions against oracles and PyTorch, computed by any algorithm."""

import numpy as np
import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_tools import Bench, compare_with
from sklearn.exceptions import ConvergenceWarning

from skconvnet import SequentialRegressor
from skconvnet.initializers import glorot_uniform
from skconvnet.layers import (
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3DTranspose,
    Dense,
    Flatten,
    Upsample,
)
from skconvnet.ops.convolution.transposed import (
    TransposedAlgorithmSelector,
    transposed_windows,
)
from skconvnet.ops.convolution.transposed_col2im import TransposedCol2im
from skconvnet.ops.convolution.transposed_flipped import TransposedFlippedKernel
from skconvnet.ops.convolution.transposed_phases import TransposedPhases

KINDS = {1: Conv1DTranspose, 2: Conv2DTranspose, 3: Conv3DTranspose}


def per_axis(value, ndim):
    return (value,) * ndim if isinstance(value, int) else tuple(value)


def use(bench, algorithm):
    """Make the layer compute by one of its algorithms, whichever it would choose."""
    chosen = getattr(bench.layer.selector, algorithm)
    selector = bench.layer.selector
    selector.for_batch = lambda _: chosen


def assert_convolves_transposed(in_shape, spec, n=2, algorithm=None, block_bytes=None):
    """Compare with SciPy, and with plain loops if the shapes are small."""
    ndim = len(in_shape) - 1
    bench = Bench(spec, in_shape)
    if block_bytes is not None:
        usual = bench.layer.selector
        bench.layer.selector = TransposedAlgorithmSelector(
            usual.windows,
            in_shape[-1],
            usual.filters,
            usual.groups,
            block_bytes=block_bytes,
        )
    if algorithm is not None:
        use(bench, algorithm)
    x = np.random.default_rng(0).normal(size=(n, *in_shape))

    def by_scipy(x, kernel, bias):
        steps = (
            per_axis(spec.strides, ndim),
            spec.padding,
            per_axis(spec.dilation, ndim),
        )
        added = per_axis(spec.output_padding, ndim)
        return oracles.transpose_convolve(x, kernel, bias, *steps, spec.groups, added)

    compare_with(by_scipy, bench, x)
    loops = oracles.TransposedLoops(bench.layer.selector.windows, spec.groups)
    if loops.is_quick(x, bench.weights["kernel"]):
        compare_with(loops.forward, bench, x, loops.gradients)


@pytest.mark.parametrize("padding", ["valid", "same", 1, ((0, 2), (1, 0))])
@pytest.mark.parametrize("strides", [1, 2, 3, (1, 2)])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, (2, 5)])
def test_equals_oracles(kernel_size, strides, padding):
    assert_convolves_transposed(
        (5, 4, 3), Conv2DTranspose(2, kernel_size, strides, padding)
    )


@pytest.mark.parametrize("strides", [1, 2, 4])
@pytest.mark.parametrize("kernel_size", [2, 3])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_full_padding(ndim, kernel_size, strides):
    spec = KINDS[ndim](2, kernel_size, strides, "full")
    assert_convolves_transposed(((6,), (5, 4), (3, 4, 3))[ndim - 1] + (2,), spec)


@st.composite
def transposed(draw, for_torch=False):
    ndim = draw(st.integers(1, 3))

    def tuples(low, high):
        return draw(st.tuples(*[st.integers(low, high)] * ndim))

    size, kernel = tuples(1, (12, 6, 4)[ndim - 1]), tuples(1, (6, 4, 3)[ndim - 1])
    strides = draw(st.sampled_from([(1,) * ndim, tuples(1, 4)]))
    dilation = draw(st.sampled_from([(1,) * ndim, tuples(1, 3)]))
    explicit = st.tuples(*[st.tuples(st.integers(0, 4), st.integers(0, 4))] * ndim)
    if for_torch:
        # The same number of positions is cut off before and after.
        padding = draw(st.just("valid") | st.tuples(*[st.integers(0, 4)] * ndim))
    else:
        padding = draw(st.sampled_from(["valid", "same", "full"]) | explicit)
    largest = [max(pair) - 1 for pair in zip(strides, dilation, strict=True)]
    added = tuple(draw(st.integers(0, n)) for n in largest)
    crops = oracles.crop_amounts(size, kernel, strides, padding, dilation)
    for n, k, s, d, crop, extra in zip(
        size, kernel, strides, dilation, crops, added, strict=True
    ):
        assume((n - 1) * s + d * (k - 1) + 1 + extra > sum(crop))
    groups = draw(st.integers(1, 3))
    filters, channels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    spec = KINDS[ndim](
        groups * filters,
        kernel,
        strides,
        padding,
        dilation,
        groups,
        output_padding=added,
    )
    return (*size, groups * channels), spec


@settings(max_examples=120, deadline=None)
@given(
    case=transposed(),
    n=st.integers(1, 3),
    block_bytes=st.sampled_from([1, 3000, 10**9]),
    algorithm=st.sampled_from([None, "col2im", "flipped"]),
)
def test_any_parameters_by_any_algorithm(case, n, block_bytes, algorithm):
    in_shape, spec = case
    if algorithm == "flipped":
        assume(spec.build(in_shape).selector.flipped is not None)
    assert_convolves_transposed(in_shape, spec, n, algorithm, block_bytes)


@settings(max_examples=120, deadline=None)
@given(data=st.data(), ndim=st.integers(1, 3), n=st.integers(1, 3))
def test_any_parameters_by_phases(data, ndim, n):
    def tuples(low, high):
        return data.draw(st.tuples(*[st.integers(low, high)] * ndim))

    strides = tuples(1, 3)
    kernel = tuples(1, (6, 5, 4)[ndim - 1])
    crops = data.draw(st.sampled_from(["valid", "same", "full"]) | st.integers(0, 2))
    spec = KINDS[ndim](2, kernel, strides, crops, output_padding=strides[0] - 1)
    if ndim > 1:
        spec.output_padding = tuple(s - 1 for s in strides)
    in_shape = (*tuples(1, (9, 5, 3)[ndim - 1]), 2)
    try:
        phases = spec.build(in_shape).selector.phases
    except ValueError:  # no output is left
        phases = None
    assume(phases is not None)
    assert_convolves_transposed(in_shape, spec, n, "phases")


def test_phases_need_overlapping_kernels_without_dilation_or_groups():
    for spec in (
        Conv2DTranspose(4, 2, 2),
        Conv2DTranspose(4, 5),
        Conv2DTranspose(4, 5, 2, groups=2),
        Conv2DTranspose(4, 5, 2, dilation=2),
        Conv2DTranspose(4, 5, 2, padding=((9, 0), (0, 0))),
    ):
        assert spec.build((8, 8, 4)).selector.phases is None, spec


@settings(max_examples=100, deadline=None)
@given(case=transposed(for_torch=True))
def test_equals_torch(torch, case):
    in_shape, spec = case
    ndim = len(in_shape) - 1
    bench = Bench(spec, in_shape)
    crops = bench.layer.selector.windows.pads
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *in_shape))
    tensors = [
        torch.tensor(np.moveaxis(x, -1, 1).copy(), requires_grad=True),
        *(
            torch.tensor(bench.weights[name].copy(), requires_grad=True)
            for name in ("kernel", "bias")
        ),
    ]
    theirs = getattr(torch.nn.functional, f"conv_transpose{ndim}d")(
        *tensors,
        stride=spec.strides,
        padding=tuple(before for before, _ in crops),
        output_padding=spec.output_padding,
        groups=spec.groups,
        dilation=spec.dilation,
    )
    y = bench.forward(x)
    expected = np.moveaxis(theirs.detach().numpy(), 1, -1)
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-9)
    dy = rng.normal(size=y.shape)
    theirs.backward(torch.tensor(np.moveaxis(dy, -1, 1).copy()))
    dx, gradients, _ = bench.backward(dy)
    found = [np.moveaxis(dx, -1, 1), gradients["kernel"], gradients["bias"]]
    for ours, tensor in zip(found, tensors, strict=True):
        np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("size", "kernel_size", "strides", "out"),
    [(2, 4, 3, 7), (4, 3, 2, 9), (7, 4, 2, 16)],
)
def test_size_of_the_output(size, kernel_size, strides, out):
    layer = Conv2DTranspose(1, kernel_size, strides).build((size, size, 1))
    assert layer.out_shape == (out, out, 1)
    assert out == (size - 1) * strides + kernel_size


@pytest.mark.parametrize("strides", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_multiplies_the_size(kernel_size, strides, dilation):
    spec = Conv1DTranspose(2, kernel_size, strides, "same", dilation)
    assert spec.build((5, 3)).out_shape == (5 * strides, 2)


@pytest.mark.parametrize("padding", ["valid", "same", "full"])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 3, 4])
def test_is_the_gradient_of_a_convolution(kernel_size, strides, padding):
    """<conv(u), x> = <u, transposed(x)> with the same kernel and the same padding."""
    in_shape = (4 * strides, 5 * strides, 2)
    convolution = Bench(Conv2D(3, kernel_size, strides, padding), in_shape)
    convolution.weights["bias"][:] = 0
    small = convolution.layer.out_shape
    sizes = zip(in_shape, small, strides_of(convolution), strict=False)
    pads = convolution.layer.windows.pads
    extra = tuple(
        n + sum(pad) - (m - 1) * s - kernel_size
        for (n, m, s), pad in zip(sizes, pads, strict=True)
    )
    if padding == "same":
        extra = 0
    spec = Conv2DTranspose(2, kernel_size, strides, padding, output_padding=extra)
    bench = Bench(spec, small)
    bench.weights["kernel"][:] = convolution.weights["kernel"]
    bench.weights["bias"][:] = 0
    rng = np.random.default_rng(0)
    u, x = rng.normal(size=(2, *in_shape)), rng.normal(size=(2, *small))
    transposed = bench.forward(x)
    assert transposed.shape == u.shape
    product = np.vdot(convolution.forward(u), x)
    np.testing.assert_allclose(np.vdot(u, transposed), product, rtol=1e-10)


def strides_of(bench):
    return bench.layer.selector.windows.strides


def test_one_value_puts_the_kernel_on_the_output():
    bench = Bench(Conv2DTranspose(1, (2, 3), strides=2), (2, 2, 1))
    bench.weights["bias"][:] = 0.5
    x = np.zeros((1, 2, 2, 1))
    x[0, 1, 0, 0] = 2
    expected = np.full((4, 5), 0.5)
    expected[2:4, 0:3] += 2 * bench.weights["kernel"][0, 0]
    np.testing.assert_allclose(bench.forward(x)[0, ..., 0], expected)


@pytest.mark.parametrize(
    ("spec", "in_shape", "expected"),
    [
        (Conv2DTranspose(16, 3, 2), (8, 8, 32), TransposedCol2im),
        (Conv2DTranspose(4, 3), (12, 12, 16), TransposedCol2im),
        (Conv2DTranspose(16, 3), (12, 12, 4), TransposedFlippedKernel),
        (Conv2DTranspose(16, 1), (12, 12, 32), TransposedFlippedKernel),
        (Conv2DTranspose(64, 3, padding="same"), (16, 16, 64), TransposedFlippedKernel),
        (Conv2DTranspose(4, 3, padding=3), (12, 12, 4), TransposedCol2im),
        (Conv2DTranspose(64, 5, 2, "same"), (8, 8, 128), TransposedPhases),
    ],
    ids=str,
)
def test_chosen_algorithm(spec, in_shape, expected):
    assert isinstance(spec.build(in_shape).selector.for_batch(32), expected)


@pytest.mark.parametrize(
    ("algorithm", "strides"), [("col2im", 1), ("flipped", 1), ("phases", 2)]
)
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_accuracy_in_float32(algorithm, strides, activation):
    in_shape = (12, 10, 32)
    spec = Conv2DTranspose(24, 3, strides, padding="same", activation=activation)
    exact, single = Bench(spec, in_shape), Bench(spec, in_shape, "float32")
    single.network.vector[:] = exact.network.vector
    exact.network.vector[:] = single.network.vector
    use(single, algorithm)
    use(exact, "col2im")
    errors = []
    for seed in range(7):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(3, *in_shape)).astype(np.float32)
        dy = rng.normal(size=(3, *exact.layer.out_shape)).astype(np.float32)
        results = []
        for bench in (exact, single):
            y = bench.forward(x, train=True)
            dx, gradients, _ = bench.backward(dy)
            results.append((y, dx, gradients["kernel"], gradients["bias"]))
        errors.append(
            [
                np.abs(found - true).max() / np.abs(true).max()
                for true, found in zip(*results, strict=True)
            ]
        )
    # The largest error of a single draw varies by a factor of two.
    assert np.median(errors, axis=0).max() < 1e-5


def test_geometry_is_that_of_the_convolution_back():
    windows = transposed_windows((5,), 3, strides=2, padding=((1, 0),))
    assert windows.in_shape == (10,)
    assert windows.out_shape == (5,)
    selector = TransposedAlgorithmSelector(windows, 4, 4, 1)
    assert selector.flipped is None
    assert selector.cached_values == 0


def test_initial_weights():
    """The bound counts what an output sees and what an input feeds, as elsewhere."""
    spec = Conv2DTranspose(6, (3, 2), 2, groups=2, activation="tanh")
    layer = spec.build((5, 5, 8))
    weights = layer.initialize(np.random.RandomState(3))
    shape = (8, 3, 3, 2)
    expected = glorot_uniform(np.random.RandomState(3), shape, 4 * 6, 3 * 6, "tanh")
    np.testing.assert_array_equal(weights["kernel"], expected)
    assert not weights["bias"].any()
    assert weights["bias"].shape == (6,)


def test_in_an_estimator():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 6, 6, 1)).astype(np.float32)
    y = X.mean(axis=(1, 2, 3))
    layers = [
        Conv2D(4, 3, strides=2, activation="relu"),
        ("up1", Conv2DTranspose(3, 4, 2, "same", activation="relu")),
        ("up2", Upsample(2, "bilinear")),
        Flatten(),
        Dense(4, "relu"),
    ]
    model = SequentialRegressor(layers, max_iter=60, tol=0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        model.fit(X, y)
    assert model.loss_curve_[-1] < 0.2 * model.loss_curve_[0]
    assert model.get_weights()["up1/kernel"].shape == (4, 3, 4, 4)
    assert model.activations(X, "up1").shape == (60, 4, 4, 3)
    assert model.activations(X, "up2").shape == (60, 8, 8, 3)
