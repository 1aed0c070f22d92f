"""Threads: BLAS put back, errors passed on, two fits at once."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from engine_tools import assert_same_bits, differentiate, in_thread, make_network
from estimator_cases import PLAIN
from threadpoolctl import threadpool_info, threadpool_limits

from skconvnet import ConvNetClassifier
from skconvnet.engine.blas_threads import resolve_n_threads
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs, index_at, index_length
from skconvnet.engine.micro_batches import cut_minibatch
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.engine.ragged import MapList, RaggedInputs
from skconvnet.engine.thread_team import ThreadTeam
from skconvnet.layers import Conv2D, Dense, GlobalAvgPool
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
def network():
    return make_network([("output", Dense(2))], (3,), micro_batch=4)


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

    def run():
        with Executor(network, SquaredError(), n_threads) as executor:
            differentiate(executor, samples())

    with pytest.raises(RuntimeError, match="a layer failed"):
        in_thread(run)
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
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(fitted, (0, 1)))
    assert_same_bits([alone, together])
    assert blas_threads() == before


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 200])
def test_micro_batches_cover_a_minibatch_once(n):
    network = Network([("output", Dense(2))], (3,), "float64")
    minibatch = np.arange(100, 100 + n)
    inputs = Inputs(np.zeros((300, 3)), (3,), "float64")
    for index in (minibatch, slice(100, 100 + n)):
        cuts = cut_minibatch(network, inputs, index)
        positions = [np.arange(n)[cut] for cut in cuts]
        np.testing.assert_array_equal(np.concatenate(positions), np.arange(n))
        indices = [index_at(index, cut) for cut in cuts]
        if isinstance(index, slice):
            indices = [np.arange(own.start, own.stop) for own in indices]
        np.testing.assert_array_equal(np.concatenate(indices), minibatch)


@pytest.mark.parametrize(("n", "lengths"), [(7, [7]), (8, [4, 4]), (20, [7, 7, 6])])
def test_micro_batches_are_of_nearly_equal_length(n, lengths):
    network = make_network([("output", Dense(2))], (3,), micro_batch=7)
    inputs = Inputs(np.zeros((n, 3)), (3,), "float64")
    cuts = cut_minibatch(network, inputs, slice(0, n))
    assert [index_length(cut) for cut in cuts] == lengths


def test_a_micro_batch_has_samples_of_one_shape():
    specs = [("conv", Conv2D(2, 2)), ("pool", GlobalAvgPool()), ("output", Dense(2))]
    network = make_network(specs, (3, 3, 1), micro_batch=2)
    sizes = [3, 5, 3, 3, 5, 4]
    X = MapList([np.zeros((3, size, 1)) for size in sizes])
    inputs = RaggedInputs(X, (3, 3, 1), "float64")
    cuts = cut_minibatch(network, inputs, np.arange(6))
    assert [cut.tolist() for cut in cuts] == [[0, 2], [3], [5], [1, 4]]


def test_memory_does_not_grow_with_the_minibatch():
    X = np.zeros((4096, 12, 12), dtype=np.uint8)
    y = np.arange(4096) % 3
    # A BatchNorm would need the whole minibatch at once.
    model = ConvNetClassifier(8, hidden_layer_sizes=8, random_state=0, **PLAIN)
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

    def task(i, _thread):
        team.run(inner, lambda j, _: done.append((i, j)))

    for _ in range(3):
        team.run(4, task)
    team.close()
    assert sorted(done) == sorted(3 * [(i, j) for i in range(4) for j in range(inner)])


def test_several_micro_batches_after_a_single_one():
    # A single one shares out its matrix products; of several, each has a thread.
    specs = [("hidden", Dense(512)), ("output", Dense(2))]
    network = make_network(specs, (784,), "float32")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2500, 784)).astype(np.float32)
    targets = rng.normal(size=(len(X), 2)).astype(np.float32)
    given = Samples(Inputs(X, (784,), np.float32), targets)
    results = []
    for n_threads in (1, 2):
        with Executor(network, SquaredError(), n_threads) as executor:
            loss, gradient = differentiate(executor, given, slice(0, 600))
            results.append((loss, gradient, executor.outputs(given.inputs)))
    assert_same_bits(results)


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
    assert len(model.network_.spare_workspaces) == 1
    results = {}

    def predict(start):
        own = range(start, 64, 4)
        results.update((i, model.predict_proba(X[i : i + 1])) for i in own)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(predict, range(4)))
    for i in range(64):
        np.testing.assert_array_equal(results[i], expected[i])
    assert len(model.network_.spare_workspaces) <= 4


@pytest.mark.parametrize("n", [1, 30, 300, 3000, 30_000])
def test_few_bytes_are_kept(n):
    X = np.zeros((n, 8, 8), dtype="float32")
    model = ConvNetClassifier(8, hidden_layer_sizes=8, random_state=0)
    model.initialize(np.zeros_like(X, shape=(4, 8, 8)), np.arange(4))
    model.predict_proba(X)
    spare = model.network_.spare_workspaces
    assert len(spare) == (n <= 3000)
    for workspaces in spare:
        kept = sum(workspace.nbytes for workspace in workspaces)
        assert 0 < kept + workspaces[0].scratch_nbytes < 3e6


@pytest.mark.parametrize(("limit", "n_kept"), [(0, 0), (np.inf, 1)])
def test_arrays_of_short_predictions_are_kept(limit, n_kept):
    network = make_network([("dense", Dense(3))], (4,))
    inputs = Inputs(np.ones((5, 4)), (4,), "float64")
    executor = Executor(network, SquaredError(), 1, max_flops_to_keep_arrays=limit)
    with executor:
        executor.outputs(inputs)
    assert len(network.spare_workspaces) == n_kept


class RecordedInputs(Inputs):
    """Counts how often it is read."""

    n_reads = 0

    def read(self, index, workspace):
        self.n_reads += 1
        return super().read(index, workspace)


@pytest.mark.parametrize(("limit", "n_read"), [(0, 1), (10**9, 0)])
def test_a_minibatch_is_read_ahead_if_it_is_long_enough(limit, n_read):
    network = make_network([("dense", Dense(3))], (4,))
    inputs = RecordedInputs(np.ones((5, 4)), (4,), "float64")
    given, index = Samples(inputs, np.ones((5, 3))), np.arange(5)
    executor = Executor(network, SquaredError(), 2, min_numbers_to_read_ahead=limit)
    with executor:
        executor.read_ahead(given, index)
        executor.team.wait()
        assert inputs.n_reads == n_read
        differentiate(executor, given, index)
    assert inputs.n_reads == 1
