"""Threads: BLAS put back, errors passed on, two fits at once."""

import threading
import tracemalloc

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skconvnet import ConvNetClassifier
from skconvnet.engine.blas_threads import resolve_n_threads
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs, Samples, index_at
from skconvnet.engine.network import Network
from skconvnet.engine.thread_team import ThreadTeam
from skconvnet.layers import Dense
from skconvnet.layers.dense import DenseLayer
from skconvnet.losses import SquaredError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def blas_threads():
    return {
        library["filepath"]: library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }


@pytest.fixture
def network(monkeypatch):
    monkeypatch.setattr(Network, "micro_batch", lambda *_: 4)
    network = Network([("output", Dense(2))], (3,), "float64")
    network.initialize(np.random.RandomState(0))
    return network


def samples(n=40):
    rng = np.random.default_rng(0)
    inputs = Inputs(rng.normal(size=(n, 3)), (3,), np.float64)
    return Samples(inputs, rng.normal(size=(n, 2)))


@pytest.mark.parametrize("granted", [1, 2])
def test_blas_is_held_to_one_thread_and_put_back(network, granted):
    with threadpool_limits(granted, user_api="blas"):
        before = blas_threads()
        with Executor(network, SquaredError(), 2):
            assert set(blas_threads().values()) == {1}
            with Executor(network, SquaredError(), 2):
                assert set(blas_threads().values()) == {1}
            assert set(blas_threads().values()) == {1}
            assert resolve_n_threads(None) == max(before.values())
        assert blas_threads() == before
        assert resolve_n_threads(None) == max(before.values())


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("failing_call", [1, 2, 7])
def test_an_error_reaches_the_caller(monkeypatch, network, n_threads, failing_call):
    calls = []
    forward = DenseLayer.forward

    def failing(self, x, **keywords):
        calls.append(None)
        if len(calls) == failing_call:
            raise RuntimeError("a layer failed")
        return forward(self, x, **keywords)

    monkeypatch.setattr(DenseLayer, "forward", failing)
    before = blas_threads()
    outcome = []

    def run():
        gradient = np.empty_like(network.vector)
        try:
            with Executor(network, SquaredError(), n_threads) as engine:
                engine.loss_and_gradient(samples(), slice(0, 40), gradient, train=True)
        except RuntimeError as error:
            outcome.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive(), "the engine hangs after an error"
    assert outcome == ["a layer failed"]
    assert blas_threads() == before


def test_two_fits_at_once_give_the_same_bits_as_alone():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 6, 6)), rng.integers(3, size=80)

    def fitted(seed):
        model = ConvNetClassifier(
            4,
            hidden_layer_sizes=8,
            dropout=0.2,
            max_iter=4,
            random_state=seed,
            n_jobs=2,
        )
        return model.fit(X, y).network_.vector

    alone = [fitted(0), fitted(1)]
    before = blas_threads()
    together = {}
    threads = [
        threading.Thread(target=lambda s=seed: together.update({s: fitted(s)}))
        for seed in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for seed in (0, 1):
        assert together[seed].tobytes() == alone[seed].tobytes()
    assert blas_threads() == before


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 200])
def test_parts_cover_a_minibatch_once(n):
    network = Network([("output", Dense(2))], (3,), "float64")
    engine = Executor(network, SquaredError(), 1)
    whole = np.arange(100, 100 + n)
    inputs = Inputs(np.zeros((300, 3)), (3,), "float64")
    for index in (whole, slice(100, 100 + n)):
        places = [np.arange(n)[part] for part in engine._parts(inputs, index)]
        np.testing.assert_array_equal(np.concatenate(places), np.arange(n))
        parts = [index_at(index, part) for part in engine._parts(inputs, index)]
        if isinstance(index, slice):
            parts = [np.arange(part.start, part.stop) for part in parts]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_memory_does_not_grow_with_the_minibatch():
    X = np.zeros((4096, 12, 12), dtype=np.uint8)
    y = np.arange(4096) % 3
    model = ConvNetClassifier(8, hidden_layer_sizes=8, random_state=0)
    model.initialize(X, y)

    def peak(batch_size):
        model.set_params(batch_size=batch_size)
        tracemalloc.start()
        model.partial_fit(X, y, classes=[0, 1, 2])
        _, top = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return top

    peak(512)
    assert peak(4096) < 1.2 * peak(512)


@pytest.mark.parametrize("n_threads", [2, 3])
def test_a_task_may_share_out_tasks_of_its_own(n_threads):
    team, done = ThreadTeam(n_threads), []
    inner = 5

    def task(i, _):
        team.run(inner, lambda j, _: done.append((i, j)))

    for _ in range(3):
        team.run(4, task)
    team.close()
    assert sorted(done) == sorted(3 * [(i, j) for i in range(4) for j in range(inner)])


def test_parts_together_after_a_part_alone():
    # A part alone shares out its matrix products; several share the threads themselves.
    network = Network([("hidden", Dense(512)), ("output", Dense(2))], (784,), "float32")
    network.initialize(np.random.RandomState(0))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2500, 784)).astype(np.float32)
    targets = rng.normal(size=(len(X), 2)).astype(np.float32)
    inputs = Inputs(X, (784,), np.float32)
    results = []
    for n_threads in (1, 2):
        gradient = np.empty_like(network.vector)
        with Executor(network, SquaredError(), n_threads) as engine:
            engine.loss_and_gradient(
                Samples(inputs, targets), slice(0, 600), gradient, train=True
            )
            results.append(engine.outputs(inputs))
    np.testing.assert_array_equal(*results)


def test_n_jobs():
    assert resolve_n_threads(3) == 3
    assert resolve_n_threads(-1) == joblib.cpu_count()
    assert resolve_n_threads(-1000) == 1


def test_predictions_at_once_do_not_share_the_arrays_that_are_kept():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(64, 8, 8)).astype("float32")
    model = ConvNetClassifier(8, hidden_layer_sizes=8, random_state=0)
    model.initialize(X, np.arange(64) % 4)
    expected = [model.predict_proba(X[i : i + 1]) for i in range(64)]
    assert len(model.network_._spare) == 1
    results = {}

    def predict(start):
        own = range(start, 64, 4)
        results.update((i, model.predict_proba(X[i : i + 1])) for i in own)

    threads = [threading.Thread(target=predict, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for i in range(64):
        np.testing.assert_array_equal(results[i], expected[i])
    assert len(model.network_._spare) <= 4
    model.predict_proba(np.concatenate([X] * 50))
    kept = sum(
        array.nbytes
        for workspaces in model.network_._spare
        for workspace in workspaces
        for array in workspace._own.values()
    )
    assert kept < 1e5
