"""Run passes over minibatches, compare them, and control the threads they run on."""

import threading
import tracemalloc

import numpy as np

from skconvnet.engine.micro_batches import MicroBatchLimits
from skconvnet.engine.network import Network
from skconvnet.engine.thread_team import ThreadTeam

# Seconds after which a test gives up waiting for another thread.
TIMEOUT = 30


def make_network(specs, in_shape, dtype="float64", micro_batch=None, **options):
    """Return a network with drawn weights, and micro-batches of a fixed size if any."""
    if micro_batch is not None:
        options["limits"] = MicroBatchLimits.fixed(micro_batch)
    network = Network(specs, in_shape, dtype, **options)
    network.initialize(np.random.RandomState(0))
    return network


def differentiate(executor, samples, index=None, *, train=True, seed=None):
    """Return the loss over samples, all by default, and its gradient."""
    gradient = np.full_like(executor.network.vector, np.nan)
    index = slice(0, len(samples)) if index is None else index
    loss, _ = executor.loss_and_gradient(
        samples, index, gradient, train=train, seed=seed
    )
    return loss, gradient


def assert_same_bits(results):
    """Compare tuples of floats and arrays, the first with each other one."""
    first, *others = [[np.asarray(value) for value in result] for result in results]
    for other in others:
        for value, expected in zip(other, first, strict=True):
            assert value.dtype == expected.dtype
            assert value.tobytes() == expected.tobytes()


def assert_close(results, **tolerances):
    """Compare tuples of floats and arrays, the first with each other one."""
    first, *others = results
    for other in others:
        for value, expected in zip(other, first, strict=True):
            np.testing.assert_allclose(value, expected, **tolerances)


def in_thread(function):
    """Return what `function` returns in another thread, so that a deadlock fails."""
    outcome = []

    def run():
        try:
            outcome.append((function(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    assert not thread.is_alive(), "deadlock"
    ((result, error),) = outcome
    if error is not None:
        raise error
    return result


class EveryThreadRunsAll(ThreadTeam):
    """Runs each task once for every thread number, in the calling thread.

    Which thread of a team takes a task is chance, and with it, whose scratch the task
    allocates. After a pass with this team, all threads have all the arrays that they
    could ever need. What the pass computes is of no use, since tasks may add to arrays.
    """

    def run(self, n_tasks, task):
        for i in range(n_tasks):
            for thread in range(self.size):
                task(i, thread)

    def begin(self, task):
        task(0, 1)


def peak_allocation(executor, warm_up, measured):
    """Return the bytes that `measured` allocates at most, after `warm_up`.

    Both are functions without arguments that make a step with `executor`.
    """
    team = executor.team
    # Starts the threads, with what they need themselves.
    team.run(team.size, lambda _i, _thread: None)
    executor.team = EveryThreadRunsAll(team.size)
    for _ in range(3):
        warm_up()
    executor.team = team
    tracemalloc.start()
    measured()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak
