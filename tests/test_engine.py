"""The executor: micro-batches in order, on threads that really run at once."""

import threading

import numpy as np
import pytest
from engine_tools import (
    TIMEOUT,
    assert_close,
    assert_same_bits,
    differentiate,
    in_thread,
    make_network,
)

from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.layers import Conv2D, Dense, Dropout, Flatten
from skconvnet.layers.dense import DenseLayer
from skconvnet.losses import LogLoss, SquaredError

MICRO_BATCH = 4


def dense_network(micro_batch=MICRO_BATCH):
    return make_network([("output", Dense(2))], (3,), "float32", micro_batch)


def samples(n_micro_batches):
    """Return samples whose first feature is the number of their micro-batch."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_micro_batches * MICRO_BATCH, 3)).astype("float32")
    X[:, 0] = np.repeat(np.arange(n_micro_batches), MICRO_BATCH)
    y = rng.normal(size=(len(X), 2)).astype("float32")
    return Samples(Inputs(X, (3,), "float32"), y)


def run(given, n_threads, micro_batch=MICRO_BATCH):
    """Return the loss and gradient of a dense network, or fail if that hangs."""

    def differentiate_all():
        network = dense_network(micro_batch)
        with Executor(network, SquaredError(), n_threads) as executor:
            return differentiate(executor, given)

    return in_thread(differentiate_all)


@pytest.mark.parametrize("n_threads", [2, 3])
def test_so_many_threads_work_at_once(monkeypatch, n_threads):
    forward = DenseLayer.forward
    barrier = threading.Barrier(n_threads)

    def together(self, x, **keywords):
        barrier.wait(TIMEOUT / 2)
        return forward(self, x, **keywords)

    monkeypatch.setattr(DenseLayer, "forward", together)
    loss, gradient = run(samples(2 * n_threads), n_threads)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


def test_gradients_add_up_in_order_though_the_last_micro_batch_ends_first(monkeypatch):
    n_micro_batches = 3
    given = samples(n_micro_batches)
    expected = run(given, 1)
    forward, backward = DenseLayer.forward, DenseLayer.backward
    ended = [threading.Event() for _ in range(n_micro_batches)]
    here = threading.local()

    def numbered(self, x, **keywords):
        here.number = int(x[0, 0])
        return forward(self, x, **keywords)

    def in_reverse(self, *args, **keywords):
        if here.number + 1 < n_micro_batches:
            assert ended[here.number + 1].wait(TIMEOUT / 2)
        dx = backward(self, *args, **keywords)
        ended[here.number].set()
        return dx

    monkeypatch.setattr(DenseLayer, "forward", numbered)
    monkeypatch.setattr(DenseLayer, "backward", in_reverse)
    assert_same_bits([expected, run(given, n_micro_batches)])


def test_micro_batches_make_the_gradient_of_the_minibatch():
    given = samples(5)
    results = [run(given, 2, size) for size in (len(given), MICRO_BATCH)]
    assert_close(results, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_threads", [2, 3])
def test_an_error_in_another_thread_reaches_the_caller(monkeypatch, n_threads):
    given = samples(n_threads)
    forward = DenseLayer.forward
    barrier = threading.Barrier(n_threads)
    caller = []

    def failing(self, x, **keywords):
        barrier.wait(TIMEOUT / 2)
        if threading.current_thread() not in caller:
            raise RuntimeError("not in the calling thread")
        return forward(self, x, **keywords)

    def fail_and_go_on():
        caller.append(threading.current_thread())
        with Executor(dense_network(), SquaredError(), n_threads) as executor:
            with monkeypatch.context() as patch:
                patch.setattr(DenseLayer, "forward", failing)
                with pytest.raises(RuntimeError, match="not in the calling thread"):
                    differentiate(executor, given)
            # The same executor goes on as if nothing had happened.
            return differentiate(executor, given)

    assert_same_bits([run(given, 1), in_thread(fail_and_go_on)])


def test_no_thread_is_left_running():
    before = set(threading.enumerate())
    with Executor(dense_network(), SquaredError(), 3) as executor:
        differentiate(executor, samples(6))
        assert len(threading.enumerate()) == len(before) + 2
    assert set(threading.enumerate()) <= before


def test_no_thread_is_left_running_after_an_error(monkeypatch):
    def failing(*_):
        raise ZeroDivisionError("in a loss")

    monkeypatch.setattr(SquaredError, "samplewise", failing)
    before = set(threading.enumerate())
    with Executor(dense_network(), SquaredError(), 3) as executor:
        with pytest.raises(ZeroDivisionError, match="in a loss"):
            differentiate(executor, samples(6))
        assert len(threading.enumerate()) == len(before) + 2
    assert set(threading.enumerate()) <= before


def test_every_micro_batch_draws_for_itself():
    specs = [("drop", Dropout()), ("output", Dense(1))]
    network = make_network(specs, (50,), micro_batch=MICRO_BATCH)
    inputs = Inputs(np.ones((2 * MICRO_BATCH, 50)), (50,), "float64")
    given = Samples(inputs, np.zeros((2 * MICRO_BATCH, 1)))
    with Executor(network, SquaredError(), 1) as executor:
        twice, again = (differentiate(executor, given, seed=1) for _ in range(2))
        other = differentiate(executor, given, seed=2)
        once, _ = differentiate(executor, given, slice(0, MICRO_BATCH), seed=1)
    assert_same_bits([twice, again])
    assert twice[0] != other[0]
    # The second half has the same samples: drawn alike, its loss would be the same.
    assert twice[0] != pytest.approx(once)


@pytest.mark.parametrize("index", [None, slice(2, 9), np.array([8, 1, 1, 5, 0])])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_outputs(index, n_threads):
    specs = [("conv", Conv2D(2, 2)), ("flat", Flatten()), ("output", Dense(3))]
    network = make_network(specs, (3, 4, 1), micro_batch=MICRO_BATCH)
    X = np.random.default_rng(0).normal(size=(10, 3, 4, 1))
    inputs = Inputs(X, (3, 4, 1), "float64")
    with Executor(network, LogLoss(), n_threads, min_flops_for_threads=0) as executor:
        maps = executor.outputs(inputs, index, stop=1)
        given = executor.outputs(inputs, index, stop=0)
        scores = executor.outputs(inputs, index, scores=True)
        predictions = executor.outputs(inputs, index)
    np.testing.assert_array_equal(given, X if index is None else X[index])
    assert maps.shape[1:] == (2, 3, 2)
    weights = network.weights
    flat = maps.reshape(len(maps), -1)
    expected = flat @ weights["output/kernel"] + weights["output/bias"]
    np.testing.assert_allclose(scores, expected)
    odds = np.exp(expected)
    np.testing.assert_allclose(predictions, odds / odds.sum(axis=1, keepdims=True))
