"""One contract that every layer is run through."""

import pickle

import numpy as np
import pytest
from engine_tools import assert_same_bits, differentiate, make_network
from layer_tools import Bench
from sklearn.base import clone

from skconvnet import layers
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs, Samples
from skconvnet.layers import (
    Activation,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    BatchNorm,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAvgPool,
    GlobalMaxPool,
    LayerNorm,
    LocallyConnected1D,
    LocallyConnected2D,
    LocalResponseNorm,
    Maxout,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    Parallel,
    Permute,
    PReLU,
    Rescaling,
    Reshape,
    Residual,
    RReLU,
    SeparableConv2D,
    SpatialDropout,
    SpatiallySeparableConv2D,
    SpatialPyramidPool,
    Standardize,
    Upsample,
)
from skconvnet.losses import SquaredError
from skconvnet.ops.activations import ACTIVATIONS
from skconvnet.ops.workspace import Workspace

TRAINABLE = [name for name, f in ACTIVATIONS.items() if f.is_trainable]
CASES = [
    (Activation("identity"), (5,)),
    (Activation("logistic"), (4, 2)),
    (Activation("tanh"), (3, 4, 2)),
    (Activation("relu"), (2, 3, 4, 2)),
    *((Activation(name), (3, 4, 2)) for name in TRAINABLE[4:]),
    (AvgPool1D(3, 2), (9, 2)),
    (AvgPool1D(2, padding="same"), (7, 2)),
    (AvgPool2D(), (6, 8, 2)),
    (AvgPool2D((3, 2), (1, 2), "same"), (7, 6, 2)),
    (AvgPool3D((2, 1, 2)), (4, 3, 5, 2)),
    (BatchNorm(), (5,)),
    (BatchNorm(momentum=0.5, epsilon=0.1), (7, 2)),
    (BatchNorm(), (3, 5, 2)),
    (BatchNorm(0.0), (2, 3, 4, 1)),
    (Conv1D(3, 4, padding="same", activation="tanh"), (9, 2)),
    (Conv1D(4, 3, strides=2, groups=2), (8, 2)),
    (Conv2D(3, 3), (7, 6, 1)),
    (Conv2D(2, 1), (4, 5, 3)),
    (Conv2D(2, (3, 2), (2, 1), ((0, 2), 1), (1, 2), activation="relu"), (6, 7, 2)),
    (Conv2D(4, 2, padding="full", groups=2, activation="logistic"), (4, 5, 2)),
    # Enough channels for a method of fewer multiplications, where there is one.
    (Conv2D(24, 3, padding="same", activation="relu"), (7, 6, 24)),
    (Conv2D(24, 3, padding="same", activation="gelu"), (7, 6, 24)),
    (Conv2D(3, 3, padding="same", activation="silu"), (5, 6, 2)),
    (Conv2D(3, 3, strides=2, activation="elu"), (7, 6, 2)),
    (Conv2D(3, 2, kernel_initializer="orthogonal"), (5, 4, 2)),
    (Conv3D(2, (2, 3, 1), strides=(1, 2, 1)), (3, 5, 4, 2)),
    (Conv1D(2, 5, padding="same", conv_method="winograd"), (9, 3)),
    (Conv2D(4, (3, 5), padding=1, groups=2, conv_method="winograd"), (7, 9, 2)),
    (Conv3D(2, (3, 2, 1), activation="tanh", conv_method="winograd"), (4, 5, 6, 2)),
    (Conv1D(2, 9, strides=2, padding="full", conv_method="fft"), (40, 3)),
    (Conv2D(4, (4, 7), dilation=(2, 1), groups=2, conv_method="fft"), (9, 8, 2)),
    (Conv3D(2, 3, padding="same", activation="gelu", conv_method="fft"), (4, 5, 3, 2)),
    (Conv1DTranspose(3, 4, 3), (4, 2)),
    (Conv1DTranspose(4, 3, 2, "same", 3, 2, "gelu", 1), (5, 4)),
    (Conv1DTranspose(2, 2, 3, padding="same", activation="relu"), (4, 3)),
    (Conv2DTranspose(3, 4, 2, "same", activation="relu"), (4, 5, 2)),
    (Conv2DTranspose(2, (3, 5), (2, 3), ((1, 0), 2), output_padding=(1, 2)), (4, 3, 3)),
    (Conv2DTranspose(4, 2, 2, groups=2, activation="silu"), (3, 4, 6)),
    (Conv2DTranspose(2, 3, padding="full"), (6, 5, 3)),
    (Conv2DTranspose(2, 3, activation="tanh"), (4, 5, 3)),
    (Conv2DTranspose(3, 2, padding=2, activation="elu"), (5, 4, 2)),
    # Strides of 1 as an ordinary convolution, of fewer multiplications in the last.
    (Conv2DTranspose(4, (2, 3), padding=((0, 1), 2), groups=2), (4, 5, 2)),
    (Conv2DTranspose(4, 1, activation="softplus"), (4, 5, 2)),
    (Conv2DTranspose(3, 2, dilation=2, output_padding=(0, 1)), (4, 5, 2)),
    (Conv2DTranspose(24, 3, padding="same", activation="gelu"), (7, 6, 24)),
    (Conv3DTranspose(2, (2, 3, 1), (2, 1, 2), activation="logistic"), (3, 2, 4, 2)),
    (Conv3DTranspose(4, 3, 2, "same", groups=2), (2, 3, 2, 2)),
    (Dense(3), (5,)),
    (Dense(3, "relu"), (4,)),
    (Dense(4, "logistic"), (1,)),
    (Dense(3, "gelu"), (4,)),
    (DepthwiseConv2D(3), (7, 6, 3)),
    (DepthwiseConv2D(3, padding="same", activation="relu"), (5, 19, 2)),
    (DepthwiseConv2D((2, 3), 3, (2, 1), "full", activation="gelu"), (6, 7, 2)),
    (DepthwiseConv2D(3, 2, 2, ((2, 0), 1), (1, 2), "tanh"), (9, 10, 2)),
    (DepthwiseConv2D(1, 2, 3, "same"), (7, 5, 2)),
    (DepthwiseConv2D(4), (4, 4, 1)),
    (Conv1D(6, 3, padding="same", groups=3, activation="tanh"), (20, 3)),
    (Conv2D(4, 3, 2, "same", groups=4), (8, 9, 4)),
    (Dense(5, "relu", "he_normal"), (4,)),
    (Dropout(0.3), (6,)),
    (Dropout(0.5), (3, 4, 2)),
    (Dropout(0.0), (4,)),
    (Embedding(9, 3), (7,)),
    (Embedding(2, 1, padding_token=1), (5,)),
    (Embedding(6, 4, padding_token=0), (8,)),
    (Embedding(6, 5, reduce="sum"), (7,)),
    (Embedding(6, 4, reduce="mean"), (7,)),
    (Embedding(4, 3, padding_token=0, reduce="mean"), (6,)),
    (Embedding(5, 4, padding_token=2, reduce="sum"), (1,)),
    (Embedding(6, 5, reduce="max"), (9,)),
    (Embedding(4, 3, padding_token=3, reduce="max"), (2,)),
    (Flatten(), (5,)),
    (Flatten(), (4, 3)),
    (Flatten(), (3, 4, 2)),
    (Flatten(), (2, 3, 2, 2)),
    (GaussianNoise(), (7,)),
    (GaussianNoise(0.5), (3, 5, 3)),
    (GaussianNoise(0), (4, 2)),
    (GlobalAvgPool(), (5, 3)),
    (GlobalAvgPool(), (4, 7, 2)),
    (GlobalAvgPool(), (3, 2, 4, 2)),
    (GlobalMaxPool(), (5, 3)),
    (GlobalMaxPool(), (4, 7, 2)),
    (GlobalMaxPool(), (3, 2, 4, 2)),
    (LayerNorm(), (7,)),
    (LayerNorm(), (5, 4)),
    (LayerNorm(1e-3), (4, 3, 6)),
    (LayerNorm(), (2, 3, 2, 5)),
    (LayerNorm(axis="all"), (4, 3, 6)),
    (LayerNorm(0.1, axis="all"), (5,)),
    (LocalResponseNorm(alpha=0.5), (4, 3, 7)),
    (LocalResponseNorm(4, 0.3, 0.5, 1.0), (3, 6)),
    (LocalResponseNorm(1, 0.3, 1.3, 0.7), (2, 2, 3, 4)),
    (LocalResponseNorm(9, 0.2), (5,)),
    (LocalResponseNorm(), (4, 1)),
    (LocallyConnected1D(3, 4), (9, 2)),
    (LocallyConnected1D(2, 3, 2, "same", 2, "relu"), (8, 3)),
    (LocallyConnected2D(3, 3), (6, 5, 2)),
    (LocallyConnected2D(2, (2, 3), (2, 1), "same", activation="gelu"), (5, 6, 3)),
    (LocallyConnected2D(2, 2, 1, ((1, 0), 2), (2, 1), "tanh"), (4, 5, 1)),
    (LocallyConnected2D(2, 4), (4, 4, 1)),
    (MaxPool1D(3, 2, "same"), (8, 2)),
    (MaxPool2D(), (8, 6, 2)),
    (MaxPool2D(), (7, 9, 1)),
    (MaxPool2D(3, 2, "same"), (7, 8, 2)),
    (MaxPool2D(2, 3), (7, 8, 2)),
    (MaxPool3D((1, 2, 2)), (3, 4, 5, 2)),
    (Maxout(), (6,)),
    (Maxout(3), (4, 3, 6)),
    (Maxout(1), (4, 2)),
    (Maxout(4), (2, 3, 2, 4)),
    (PReLU(), (5,)),
    (PReLU(), (4, 3, 2)),
    (PReLU(shared=True), (4, 3, 2)),
    (PReLU(shared=True), (3, 2, 2, 2)),
    (Permute(1), (5,)),
    (Permute((2, 1)), (5, 3)),
    (Permute((2, 1, 3)), (4, 5, 3)),
    (Permute((3, 1, 2)), (4, 5, 3)),
    (Permute((4, 1, 3, 2)), (2, 3, 4, 5)),
    (Permute((1, 2, 3)), (4, 5, 3)),
    (RReLU(), (6,)),
    (RReLU(0.1, 0.9), (4, 3, 2)),
    (RReLU(0.3, 0.3), (4, 3)),
    (RReLU(-0.5, 2.0), (3, 2, 2, 2)),
    (Parallel([("a", Dense(3, "tanh")), ("b", [Dense(4), Dropout(0.3)])]), (5,)),
    (
        Parallel(
            [
                ("b1", [Conv2D(2, 1, activation="relu")]),
                ("b3", [("reduce", Conv2D(3, 1)), Conv2D(2, 3, padding="same")]),
                ("pool", [MaxPool2D(3, 1, "same"), ("conv", Conv2D(1, 1))]),
                ("input", []),
            ]
        ),
        (6, 5, 2),
    ),
    (
        Parallel(
            [
                ("in", [Parallel([("x", Conv1D(2, 3)), ("y", MaxPool1D(3, 1))])]),
                ("norm", [Conv1D(2, 3), BatchNorm(), Activation("tanh")]),
            ]
        ),
        (9, 2),
    ),
    (Residual([Dense(5, "tanh")]), (5,)),
    (Residual([Dense(3, "tanh")]), (5,)),
    (Residual([Conv2D(2, 3, padding="same"), BatchNorm()]), (4, 5, 2)),
    (
        Residual(
            [
                ("conv1", Conv2D(3, 3, 2, "same", activation="relu")),
                ("conv2", Conv2D(3, 3, padding="same")),
            ]
        ),
        (7, 6, 2),
    ),
    (Residual([Conv1D(2, 3)], shortcut=[MaxPool1D(3, 1)]), (8, 2)),
    (Residual([Residual([Conv1D(2, 1)])], shortcut="projection"), (4, 2)),
    (Rescaling(), (4, 4, 1)),
    (Rescaling(scale=-2.0, offset=0.5), (5,)),
    (Standardize(), (5,)),
    (Standardize(), (4, 3, 2)),
    (Standardize("pixel"), (4, 3, 2)),
    (Standardize("pixel"), (7, 1)),
    (Reshape((3, 4, 2)), (24,)),
    (Reshape(-1), (3, 4, 2)),
    (Reshape((6, -1)), (3, 4, 2)),
    (Reshape((2, 2, 3, 2)), (3, 4, 2)),
    (Reshape((4, 3, 2)), (4, 3, 2)),
    (Reshape((1, 1, -1)), (5,)),
    (SpatialDropout(0.3), (9,)),
    (SpatialDropout(), (5, 4)),
    (SpatialDropout(0.4), (3, 4, 6)),
    (SpatialDropout(0.0), (3, 4, 2)),
    (SpatialPyramidPool(), (7, 6, 2)),
    (SpatialPyramidPool((3, 1)), (8, 3)),
    (SpatialPyramidPool((1, 2)), (3, 4, 2, 2)),
    (SpatialPyramidPool(4), (3, 2, 2)),
    (SpatialPyramidPool(pooling="avg"), (7, 6, 2)),
    (SpatialPyramidPool((2, 4), "avg"), (4, 8, 2)),
    (SpatialPyramidPool((3, 1), "avg"), (8, 3)),
    (SpatialPyramidPool((1, 2), "avg"), (3, 4, 2, 2)),
    (SpatialPyramidPool(4, "avg"), (3, 2, 2)),
    (Upsample(), (3, 4, 2)),
    (Upsample(1), (3, 4, 2)),
    (Upsample(3), (5, 2)),
    (Upsample((2, 1, 3)), (2, 3, 2, 2)),
    (Upsample(2, "bilinear"), (3, 4, 2)),
    (Upsample((1, 3), "bilinear"), (1, 4, 2)),
    (Upsample(4, "bilinear"), (5, 2)),
    (Upsample((3, 2, 1), "bilinear"), (2, 1, 3, 2)),
    (SeparableConv2D(5, 3), (7, 6, 3)),
    (SeparableConv2D(2, (3, 2), 2, "same", 1, 2, "relu"), (7, 6, 3)),
    (SeparableConv2D(4, 3, (1, 2), "full", 2, activation="silu"), (6, 9, 2)),
    (SpatiallySeparableConv2D(3, 3), (7, 6, 2)),
    (SpatiallySeparableConv2D(2, (3, 4), 2, "same", activation="relu"), (7, 9, 3)),
    (SpatiallySeparableConv2D(4, 3, (1, 2), ((0, 2), 1), 2, "gelu"), (8, 7, 2)),
    # Enough channels for a method of fewer multiplications.
    (SpatiallySeparableConv2D(24, 3, padding="same"), (20, 22, 24)),
]
BATCH = 4
# Layers whose input is whole numbers, which have no slope.
TAKES_TOKENS = (Embedding,)


def name(case):
    return " ".join(f"{case[0]}-{case[1]}".split())


every_layer = pytest.mark.parametrize(
    ("spec", "in_shape"), CASES, ids=[name(case) for case in CASES]
)
with_slopes = [case for case in CASES if not isinstance(case[0], TAKES_TOKENS)]
with_weights = [case for case in CASES if case[0].build(case[1]).weight_shapes]


def draw(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def draw_inputs(spec, shape, seed=1):
    """Draw samples that the layer takes, tokens or numbers."""
    if isinstance(spec, TAKES_TOKENS):
        return np.random.default_rng(seed).integers(0, spec.n_tokens, shape) * 1.0
    return draw(shape, seed)


def run(bench, x, train=False, need_dx=True):
    """Forward and backward, with the gradient of the output drawn at random."""
    y = bench.forward(x, train=train, seed=5)
    dx, _, gradient = bench.backward(draw(y.shape, seed=2), need_dx=need_dx)
    return y, dx, gradient


def test_no_layer_is_left_out():
    assert {type(spec).__name__ for spec, _ in CASES} == set(layers.__all__)


@every_layer
def test_output_has_the_shape_that_build_told(spec, in_shape):
    bench = Bench(spec, in_shape)
    y = bench.forward(draw_inputs(spec, (BATCH, *in_shape)))
    assert y.shape == (BATCH, *bench.layer.out_shape)
    assert bench.layer.in_shape == in_shape


@pytest.mark.parametrize(
    ("spec", "in_shape"), with_slopes, ids=[name(case) for case in with_slopes]
)
def test_gradient_of_the_input_is_a_directional_difference(spec, in_shape):
    bench = Bench(spec, in_shape)
    x = draw_inputs(spec, (BATCH, *in_shape))
    _, dx, _ = run(bench, x, train=True)
    check_slope(bench, x, x, dx)


@pytest.mark.parametrize(
    ("spec", "in_shape"), with_weights, ids=[name(case) for case in with_weights]
)
def test_gradient_of_the_weights_is_a_directional_difference(spec, in_shape):
    bench = Bench(spec, in_shape)
    x = draw_inputs(spec, (BATCH, *in_shape))
    _, _, gradient = run(bench, x, train=True)
    check_slope(bench, x, bench.network.vector, gradient)


def check_slope(bench, x, point, gradient):
    """Compare along a random direction from `point`, which is `x` or the weights."""
    direction = draw(point.shape, seed=3)
    start = point.copy()
    ends = []
    for step in (1e-5, -1e-5):
        point[...] = start + step * direction
        y = bench.forward(x, train=True, seed=5)
        ends.append(np.vdot(draw(y.shape, seed=2), y))
    difference = (ends[0] - ends[1]) / 2e-5
    slope = np.vdot(gradient, direction)
    assert slope != 0
    assert abs(slope - difference) < 1e-6 * abs(slope)


@every_layer
def test_float32_stays_float32_and_close(spec, in_shape):
    x = draw_inputs(spec, (BATCH, *in_shape))
    exact = run(Bench(spec, in_shape), x)
    single = run(Bench(spec, in_shape, "float32"), x)
    for expected, value in zip(exact, single, strict=True):
        assert value.dtype == np.float32
        scale = np.abs(expected).max(initial=0)
        np.testing.assert_allclose(value, expected, rtol=0, atol=5e-6 * scale)


@every_layer
def test_batch_equals_one_by_one(spec, in_shape):
    bench = Bench(spec, in_shape)
    x = draw_inputs(spec, (BATCH, *in_shape))
    y = bench.forward(x)
    dy = draw(y.shape, seed=2)
    dx, _, gradient = bench.backward(dy)
    total = np.zeros_like(gradient)
    for i in range(BATCH):
        one = slice(i, i + 1)
        np.testing.assert_allclose(bench.forward(x[one]), y[one], rtol=1e-12)
        one_dx, _, one_gradient = bench.backward(dy[one])
        np.testing.assert_allclose(one_dx, dx[one], rtol=1e-12, atol=1e-14)
        total += one_gradient
    np.testing.assert_allclose(gradient, total, rtol=1e-10, atol=1e-12)


@every_layer
def test_nothing_is_left_over_from_another_batch(spec, in_shape):
    bench, fresh = Bench(spec, in_shape), Bench(spec, in_shape)
    x = draw_inputs(spec, (BATCH, *in_shape))
    for n in (BATCH, 1, BATCH - 1):
        run(bench, draw_inputs(spec, (n, *in_shape), seed=n))
    for used, expected in zip(run(bench, x), run(fresh, x), strict=True):
        np.testing.assert_array_equal(used, expected)


class PoisonedWorkspace(Workspace):
    """Neither kind of array is cleared: here what it holds at first is all NaN."""

    def __init__(self):
        super().__init__()
        self._seen = set()

    def array(self, name, shape, dtype):
        array = super().array(name, shape, dtype)
        if array.ctypes.data not in self._seen:
            _poison(array)
            self._seen.add(array.ctypes.data)
        return array

    def scratch(self, name, shape, dtype):
        return _poison(super().scratch(name, shape, dtype))


def _poison(array):
    array.fill(np.nan if array.dtype.kind == "f" else 1)
    return array


@every_layer
def test_workspace_is_written_before_it_is_read(spec, in_shape):
    bench, clean = Bench(spec, in_shape), Bench(spec, in_shape)
    bench.workspace = PoisonedWorkspace()
    x = draw_inputs(spec, (BATCH, *in_shape))
    for value, expected in zip(
        run(bench, x, train=True), run(clean, x, train=True), strict=True
    ):
        np.testing.assert_array_equal(value, expected)


@every_layer
def test_two_batches_at_once_do_not_meet_on_the_layer(spec, in_shape):
    bench = Bench(spec, in_shape)
    first, second = (
        draw_inputs(spec, (BATCH, *in_shape)),
        draw_inputs(spec, (BATCH, *in_shape), seed=7),
    )
    expected = run(bench, first)
    y = bench.forward(first)
    cache, workspace = bench.cache, bench.workspace
    bench.workspace = Workspace()
    bench.forward(second)
    bench.cache, bench.workspace = cache, workspace
    dx, _, gradient = bench.backward(draw(y.shape, seed=2))
    np.testing.assert_array_equal(dx, expected[1])
    np.testing.assert_array_equal(gradient, expected[2])


@every_layer
def test_input_is_not_written_to(spec, in_shape):
    bench = Bench(spec, in_shape)
    x = draw_inputs(spec, (in_shape[-1], *in_shape[:-1], BATCH))
    before = x.copy()
    for train in (False, True):
        bench.layer.forward(
            x, train=train, rng=np.random.default_rng(0), workspace=bench.workspace
        )
        np.testing.assert_array_equal(x, before)


def surrounded(x):
    """Return a copy of `x` as a view into a larger array that is NaN elsewhere."""
    whole = np.full([n + 2 for n in x.shape], np.nan)
    view = whole[(slice(1, -1),) * x.ndim]
    view[...] = x
    return view


@every_layer
def test_maps_may_be_views(spec, in_shape):
    layer = Bench(spec, in_shape).layer

    def results(arranged):
        workspace = Workspace()
        x = draw_inputs(spec, (in_shape[-1], *in_shape[:-1], BATCH))
        y, cache = layer.forward(
            arranged(x), train=True, rng=np.random.default_rng(5), workspace=workspace
        )
        gradients = {
            array: np.empty_like(values) for array, values in layer.weights.items()
        }
        dx = layer.backward(
            arranged(draw(y.shape, seed=2)),
            cache,
            gradients=gradients,
            workspace=workspace,
            need_dx=True,
        )
        return [y, dx, *gradients.values()]

    for view, expected in zip(results(surrounded), results(np.array), strict=True):
        np.testing.assert_allclose(view, expected, rtol=1e-10, atol=1e-12)


@every_layer
def test_weight_gradients_do_not_need_that_of_the_input(spec, in_shape):
    bench = Bench(spec, in_shape)
    x = draw_inputs(spec, (BATCH, *in_shape))
    _, _, expected = run(bench, x)
    _, dx, gradient = run(bench, x, need_dx=False)
    assert dx is None
    np.testing.assert_array_equal(gradient, expected)


@every_layer
def test_same_bits_for_any_number_of_threads(spec, in_shape):
    specs = [("layer", spec), ("flatten", Flatten()), ("output", Dense(2))]
    network = make_network(specs, in_shape, "float32", micro_batch=3)
    inputs = Inputs(draw_inputs(spec, (11, *in_shape)), in_shape, "float32")
    samples = Samples(inputs, draw((11, 2)).astype("float32"))
    results, start = [], network.state.copy()
    for n_threads in (1, 2, 3):
        network.state[:] = start
        executor = Executor(network, SquaredError(), n_threads, min_flops_for_threads=0)
        with executor:
            loss, gradient = differentiate(executor, samples, seed=3)
            outputs = executor.outputs(inputs)
        results.append((loss, gradient, outputs, network.state.copy()))
    assert_same_bits(results)
    assert np.isfinite(results[0][1]).all()


@every_layer
def test_pickled_network_gives_identical_outputs(spec, in_shape):
    network = Bench(spec, in_shape).network
    x = draw_inputs(spec, (in_shape[-1], *in_shape[:-1], BATCH))
    expected, _ = network.forward(x, network.workspaces())
    data = pickle.dumps(network)
    again = pickle.loads(data)
    outputs, _ = again.forward(x, again.workspaces())
    np.testing.assert_array_equal(outputs, expected)
    assert len(data) < network.vector.nbytes + 5000
    # The weights of the copy are still views of its one vector.
    again.vector.fill(0)
    assert all(not array.any() for array in again.weights.values())


@every_layer
def test_spec_is_an_estimator_that_build_leaves_alone(spec, in_shape):
    params = spec.get_params()
    stored = dict(vars(spec))
    copy = clone(spec)
    assert type(copy) is type(spec)
    assert repr(copy.get_params()) == repr(params)
    own = spec.get_params(deep=False)
    assert type(spec)(**own).get_params() == params
    layer = spec.build(in_shape)
    assert vars(spec) == stored
    assert copy.build(in_shape).out_shape == layer.out_shape
    assert not layer.weights
