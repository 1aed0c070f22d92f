"""The engine: micro-batches in order on threads that really run at once."""

import threading

import numpy as np
import pytest

from skconvnet.engine import executor as parallel
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs, Samples
from skconvnet.engine.network import Network
from skconvnet.layers import Conv2D, Dense, Dropout, Flatten
from skconvnet.layers.dense import DenseLayer
from skconvnet.losses import LogLoss, SquaredError

PART = 4
TIMEOUT = 30


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(Network, "micro_batch", lambda *_: PART)
    monkeypatch.setattr(parallel, "_WORTH_THREADS", 0)


@pytest.fixture
def network():
    network = Network([("output", Dense(2))], (3,), "float32")
    network.initialize(np.random.RandomState(0))
    return network


def samples(n_parts):
    """Every sample has the number of its part as first feature."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_parts * PART, 3)).astype("float32")
    X[:, 0] = np.repeat(np.arange(n_parts), PART)
    y = rng.normal(size=(len(X), 2)).astype("float32")
    return Samples(Inputs(X, (3,), "float32"), y)


def gradient_of(engine, given, seed=None):
    gradient = np.full_like(engine.network.vector, np.nan)
    loss, _ = engine.loss_and_gradient(
        given, slice(0, len(given)), gradient, train=True, seed=seed
    )
    return loss, gradient


def in_thread(function):
    """Run `function` in a thread of its own, so that a deadlock fails the test."""
    outcome = []

    def run():
        try:
            outcome.append(function())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    assert not thread.is_alive(), "the engine hangs"
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


@pytest.mark.parametrize("n_threads", [2, 3])
def test_so_many_threads_work_at_once(monkeypatch, network, n_threads):
    forward = DenseLayer.forward
    barrier = threading.Barrier(n_threads)

    def together(self, x, **keywords):
        barrier.wait(TIMEOUT / 2)
        return forward(self, x, **keywords)

    monkeypatch.setattr(DenseLayer, "forward", together)

    def run():
        with Executor(network, SquaredError(), n_threads) as engine:
            return gradient_of(engine, samples(2 * n_threads))

    loss, gradient = in_thread(run)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


def test_gradients_add_up_in_order_though_the_last_part_ends_first(
    monkeypatch, network
):
    n_parts = 3
    with Executor(network, SquaredError(), 1) as engine:
        expected = gradient_of(engine, samples(n_parts))
    forward, backward = DenseLayer.forward, DenseLayer.backward
    ended = [threading.Event() for _ in range(n_parts)]
    here = threading.local()

    def numbered(self, x, **keywords):
        here.part = int(x[0, 0])
        return forward(self, x, **keywords)

    def in_reverse(self, *args, **keywords):
        if here.part + 1 < n_parts:
            assert ended[here.part + 1].wait(TIMEOUT / 2)
        dx = backward(self, *args, **keywords)
        ended[here.part].set()
        return dx

    monkeypatch.setattr(DenseLayer, "forward", numbered)
    monkeypatch.setattr(DenseLayer, "backward", in_reverse)

    def run():
        with Executor(network, SquaredError(), n_parts) as engine:
            return gradient_of(engine, samples(n_parts))

    loss, gradient = in_thread(run)
    assert loss == expected[0]
    assert gradient.tobytes() == expected[1].tobytes()


def test_parts_make_the_gradient_of_the_whole(monkeypatch, network):
    given = samples(5)
    with Executor(network, SquaredError(), 2) as engine:
        in_parts = gradient_of(engine, given)
    monkeypatch.setattr(Network, "micro_batch", lambda _, batch: batch)
    with Executor(network, SquaredError(), 2) as engine:
        whole = gradient_of(engine, given)
    assert in_parts[0] == pytest.approx(whole[0], rel=1e-6)
    np.testing.assert_allclose(in_parts[1], whole[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_threads", [2, 3])
def test_an_error_in_a_helper_reaches_the_caller(monkeypatch, network, n_threads):
    forward = DenseLayer.forward
    barrier = threading.Barrier(n_threads)
    caller = []

    def failing(self, x, **keywords):
        barrier.wait(TIMEOUT / 2)
        if threading.current_thread() not in caller:
            raise RuntimeError("only in a helper")
        return forward(self, x, **keywords)

    def run():
        caller.append(threading.current_thread())
        with Executor(network, SquaredError(), n_threads) as engine:
            with monkeypatch.context() as patch:
                patch.setattr(DenseLayer, "forward", failing)
                with pytest.raises(RuntimeError, match="only in a helper"):
                    gradient_of(engine, samples(n_threads))
            # The same engine goes on as if nothing had been.
            return gradient_of(engine, samples(n_threads))

    _, gradient = in_thread(run)
    with Executor(network, SquaredError(), 1) as engine:
        _, expected = gradient_of(engine, samples(n_threads))
    assert gradient.tobytes() == expected.tobytes()


@pytest.mark.parametrize("fails", [False, True])
def test_no_thread_is_left_behind(monkeypatch, network, fails):
    before = set(threading.enumerate())
    if fails:
        monkeypatch.setattr(SquaredError, "samplewise", lambda *_: 1 / 0)
    try:
        with Executor(network, SquaredError(), 3) as engine:
            gradient_of(engine, samples(6))
    except ZeroDivisionError:
        assert fails
    assert set(threading.enumerate()) <= before


def test_every_micro_batch_draws_for_itself():
    network = Network([("drop", Dropout()), ("output", Dense(1))], (50,), "float64")
    network.initialize(np.random.RandomState(0))
    inputs = Inputs(np.ones((2 * PART, 50)), (50,), "float64")
    given = Samples(inputs, np.zeros((2 * PART, 1)))
    first = Samples(inputs, given.targets, index=np.arange(PART))
    with Executor(network, SquaredError(), 1) as engine:
        twice, again = gradient_of(engine, given, 1), gradient_of(engine, given, 1)
        other = gradient_of(engine, given, 2)
        once, _ = gradient_of(engine, first, 1)
    assert twice[0] == again[0]
    assert twice[1].tobytes() == again[1].tobytes()
    assert twice[0] != other[0]
    # The second half has the same samples: drawn alike, its loss would be the same.
    assert twice[0] != pytest.approx(once)


@pytest.mark.parametrize("index", [None, slice(2, 9), np.array([8, 1, 1, 5, 0])])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_outputs(index, n_threads):
    specs = [("conv", Conv2D(2, 2)), ("flat", Flatten()), ("output", Dense(3))]
    network = Network(specs, (3, 4, 1), "float64")
    network.initialize(np.random.RandomState(0))
    X = np.random.default_rng(0).normal(size=(10, 3, 4, 1))
    inputs = Inputs(X, (3, 4, 1), "float64")
    with Executor(network, LogLoss(), n_threads) as engine:
        maps = engine.outputs(inputs, index, stop=1)
        given = engine.outputs(inputs, index, stop=0)
        scores = engine.outputs(inputs, index, scores=True)
        predictions = engine.outputs(inputs, index)
    np.testing.assert_array_equal(given, X if index is None else X[index])
    assert maps.shape[1:] == (2, 3, 2)
    weights = network.weights
    flat = maps.reshape(len(maps), -1)
    expected = flat @ weights["output/kernel"] + weights["output/bias"]
    np.testing.assert_allclose(scores, expected)
    odds = np.exp(expected)
    np.testing.assert_allclose(predictions, odds / odds.sum(axis=1, keepdims=True))
