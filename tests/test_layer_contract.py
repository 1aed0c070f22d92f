"""One contract that every layer is run through."""

import pickle

import numpy as np
import pytest
from engine_tools import assert_same_bits, differentiate, make_network
from layer_cases import CASES, TAKES_TOKENS, name
from layer_tools import Bench, batch_last
from sklearn.base import clone

from skconvnet import layers
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.layers import Dense, Flatten
from skconvnet.layers.micro_batch_runner import MicroBatchRunner
from skconvnet.losses import SquaredError
from skconvnet.ops.workspace import Workspace

BATCH = 4


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
def test_matrices_are_weights_that_are_penalized(spec, in_shape):
    layer = spec.build(in_shape)
    for array, form in layer.matrices.items():
        size = np.prod(layer.weight_shapes[array])
        numbers = np.arange(size).reshape(layer.weight_shapes[array])
        matrices = form.view(numbers)
        assert matrices.shape == (form.n_matrices, *form.n_rows_and_columns)
        assert np.shares_memory(matrices, numbers)
        assert array in layer.penalized
    assert set(layer.input_matrices) <= set(layer.matrices)
    # A kernel that is no matrix would never be updated as one.
    kernels = [n for n in layer.penalized if len(layer.weight_shapes.get(n, ())) > 1]
    assert set(kernels) == set(layer.matrices)


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
    # For another batch size, "auto" may choose another algorithm, whose rounding errors
    # are relative to the largest terms of a sum.
    atol, atol_dx = (1e-14 * np.abs(array).max() for array in (y, dx))
    for i in range(BATCH):
        one = slice(i, i + 1)
        np.testing.assert_allclose(bench.forward(x[one]), y[one], rtol=1e-12, atol=atol)
        one_dx, _, one_gradient = bench.backward(dy[one])
        np.testing.assert_allclose(one_dx, dx[one], rtol=1e-12, atol=atol_dx)
        total += one_gradient
    np.testing.assert_allclose(gradient, total, rtol=1e-10, atol=1e-12)


@every_layer
@pytest.mark.parametrize("train", [True, False])
def test_the_input_is_not_written_to(spec, in_shape, train):
    # Layers keep their input for the backward pass instead of a copy.
    layer, workspace = Bench(spec, in_shape).layer, Workspace()
    x = batch_last(draw_inputs(spec, (BATCH, *in_shape)))
    x.flags.writeable = False
    rng = np.random.default_rng(0)
    y, cache = layer.forward(x, train=train, rng=rng, workspace=workspace)
    gradients = {name: np.empty(size) for name, size in layer.weight_shapes.items()}
    dy = np.ones(y.shape)
    layer.backward(dy, cache, gradients=gradients, workspace=workspace, need_dx=True)


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


def test_what_a_layer_does_not_say_that_it_can_do_is_refused():
    layer = Flatten().build((3, 2))
    assert not layer.keeps_statistics
    assert not layer.needs_whole_batch
    runner = MicroBatchRunner.single(None)
    options = {"runner": runner, "workspaces": [Workspace()]}
    for call in (
        lambda: layer.statistics(np.ones((2, 3, 1)), None),
        lambda: layer.set_statistics(np.zeros(2), np.ones(2)),
        lambda: layer.forward_micro_batches([layer], [np.ones((2, 3, 1))], **options),
        lambda: layer.backward_micro_batches(
            [layer], [np.ones((6, 1))], [None], gradients=[{}], need_dx=True, **options
        ),
    ):
        with pytest.raises(NotImplementedError):
            call()
