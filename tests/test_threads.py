"""The team of threads, and what is shared out among it."""

import sys
import threading
import time

import numpy as np
import pytest
from engine_tools import TIMEOUT, in_thread

from skconvnet import MLPClassifier, MLPRegressor
from skconvnet.engine import thread_team
from skconvnet.engine.thread_team import ThreadTeam, _Mailbox, _TeamThread
from skconvnet.ops.blas_kernels import axpy, matmul
from skconvnet.ops.chunking import chunks_of
from skconvnet.optimizers import OPTIMIZERS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def team():
    team = ThreadTeam(3)
    yield team
    team.close()


@pytest.mark.parametrize("n_tasks", [0, 1, 2, 3, 50])
def test_every_task_is_run_once(team, n_tasks):
    done = []
    team.run(n_tasks, lambda i, thread: done.append((i, thread)))
    assert sorted(i for i, _ in done) == list(range(n_tasks))
    assert {thread for _, thread in done} <= {0, 1, 2}


def test_threads_have_numbers_of_their_own(team):
    barrier = threading.Barrier(3)
    seen = []

    def task(_, thread):
        barrier.wait(TIMEOUT)
        seen.append((thread, threading.get_ident()))

    team.run(3, task)
    assert sorted(thread for thread, _ in seen) == [0, 1, 2]
    assert len({ident for _, ident in seen}) == 3
    assert (0, threading.get_ident()) in seen


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_tasks_reach_threads_awake_and_asleep(team, pause):
    barrier = threading.Barrier(3)
    for _ in range(20 if pause == 0 else 3):
        team.run(3, lambda _i, _thread: barrier.wait(TIMEOUT))
        time.sleep(pause)


@pytest.fixture
def frequent_switches():
    """Let the interpreter switch threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("frequent_switches")
@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_no_task_is_lost_or_run_twice_under_stress(n_threads):
    """Run many tiny tasks, with pauses that let threads fall asleep now and then."""

    def run():
        team = ThreadTeam(n_threads)
        rng = np.random.default_rng(0)
        for n_tasks in rng.integers(1, 200, size=300):
            # Each thread counts in a row of its own, so that no count can be lost.
            counts = np.zeros((n_threads, n_tasks), dtype=int)

            def task(i, thread, counts=counts):
                counts[thread, i] += 1

            team.run(n_tasks, task)
            assert (counts.sum(axis=0) == 1).all()
            if n_tasks % 50 == 0:
                time.sleep(0.005)
        team.close()

    in_thread(run)


@pytest.mark.usefixtures("frequent_switches")
def test_errors_and_tasks_in_the_background_under_stress():
    def run():
        team = ThreadTeam(3)
        for number in range(200):
            done = []
            team.begin(lambda _i, _thread, done=done: done.append("background"))

            def task(i, _, number=number, done=done):
                if i == number % 7:
                    raise KeyError(number)
                done.append(i)

            with pytest.raises(KeyError, match=str(number)):
                team.run(20, task)
            assert done[0] == "background"
            assert len(set(done)) == len(done) < 21
        team.close()

    in_thread(run)


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_ends_the_run_and_is_raised(team, failing):
    barrier = threading.Barrier(3)
    done = []

    def task(i, thread):
        if i < 3:
            barrier.wait(TIMEOUT)
            if thread == failing:
                raise KeyError(f"thread {thread}")
            time.sleep(0.05)
        done.append(i)

    with pytest.raises(KeyError, match=f"thread {failing}"):
        team.run(1000, task)
    assert len(done) < 1000
    done.clear()
    team.run(3, lambda i, _: done.append(i))
    assert sorted(done) == [0, 1, 2]


def test_what_is_begun_is_waited_for(team):
    go, done = threading.Event(), []

    def task(_, thread):
        assert go.wait(TIMEOUT)
        done.append(thread)

    team.begin(task)
    assert not done
    go.set()
    team.wait()
    assert done == [1]
    team.wait()

    def failing(_i, _thread):
        raise KeyError("ahead")

    team.begin(failing)
    with pytest.raises(KeyError, match="ahead"):
        team.run(2, task)
    team.run(2, task)


@pytest.mark.parametrize("in_background", [False, True])
def test_an_interrupted_wait_leaves_no_thread_at_work(team, monkeypatch, in_background):
    begun, done = threading.Event(), []

    def slow(_i, thread):
        if thread == 0:
            assert begun.wait(TIMEOUT)
            return
        begun.set()
        time.sleep(0.05)
        done.append(thread)

    def interrupted(_self, _tasks):
        assert begun.wait(TIMEOUT)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_TeamThread, "wait", interrupted)
        if in_background:
            team.begin(slow)
        with pytest.raises(KeyboardInterrupt):
            team.wait() if in_background else team.run(2, slow)
    assert done == [1]
    # The outcome that nobody took is not taken for another one.
    for _ in range(3):
        later = []
        team.run(3, lambda i, _, later=later: (time.sleep(0.01), later.append(i)))
        assert sorted(later) == [0, 1, 2]


def test_an_interrupt_in_a_task_of_the_calling_thread(team):
    finished = []

    def task(i, thread):
        if thread == 0:
            raise KeyboardInterrupt
        time.sleep(0.05)
        finished.append(i)

    with pytest.raises(KeyboardInterrupt):
        team.run(3, task)
    n_finished = len(finished)
    time.sleep(0.1)
    assert len(finished) == n_finished


def test_close_ends_all_threads():
    before = set(threading.enumerate())
    team = ThreadTeam(4)
    team.run(4, lambda _i, _thread: None)
    team.begin(lambda _i, _thread: time.sleep(0.05))
    team.close()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("size", [0, 1, 7, 131_072, 131_073, 1_000_003])
def test_chunks_cover_a_vector_once(size):
    chunks = chunks_of(size)
    covered = np.concatenate([np.arange(p.start, p.stop) for p in chunks] or [[]])
    np.testing.assert_array_equal(covered, np.arange(size))
    assert len(chunks) <= 1 or len(chunks) % 2 == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (300, 200, 210), (31, 2000, 900), (901, 77, 402), (5, 9, 7)]
)
def test_matmul_in_blocks(team, shape, dtype):
    n_rows, n_inner, n_columns = shape
    rng = np.random.default_rng(0)
    a = rng.normal(size=(n_inner, n_rows)).astype(dtype).T
    b = rng.normal(size=(n_inner, n_columns)).astype(dtype)
    here, shared = np.empty((2, n_rows, n_columns), dtype)
    matmul(a, b, here, None)
    counts = []

    def run(n_tasks, task):
        counts.append(n_tasks)
        team.run(n_tasks, task)

    matmul(a, b, shared, run)
    assert here.tobytes() == shared.tobytes()
    np.testing.assert_allclose(here, a @ b, rtol=1e-4, atol=1e-3)
    is_large = 2 * np.prod(shape) > 2.4e7
    assert bool(counts) == is_large
    assert all(count % 2 == 0 for count in counts)


def test_axpy_refuses_what_it_would_have_to_copy():
    y = np.zeros(6)
    with pytest.raises(ValueError, match="contiguous"):
        axpy(1.0, np.ones(3), y[::2])
    np.testing.assert_array_equal(y, 0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_gives_the_same_bits_on_threads(team, name):
    rng = np.random.default_rng(0)
    gradient = rng.normal(size=300_000).astype("float32")
    alone, together = np.ones((2, len(gradient)), dtype="float32")
    one, other = OPTIMIZERS[name](), OPTIMIZERS[name]()
    for _ in range(3):
        one.step(alone, gradient, 0.01)
        other.step(together, gradient, 0.01, team.run)
    assert alone.tobytes() == together.tobytes()


@pytest.mark.parametrize("max_grad_norm", [None, 0.5])
@pytest.mark.parametrize("sizes", [(100,), (500,)])
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_wide_perceptrons_have_the_same_bits_for_every_n_jobs(
    cls, sizes, max_grad_norm
):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(900, 400)).astype("float32"), rng.integers(3, size=900)
    vectors = [
        cls(
            hidden_layer_sizes=sizes,
            batch_size=400,
            max_iter=2,
            random_state=0,
            max_grad_norm=max_grad_norm,
            n_jobs=n_jobs,
        )
        .fit(X, y)
        .network_.vector.tobytes()
        for n_jobs in (1, 2, 3)
    ]
    assert vectors[0] == vectors[1] == vectors[2]


def test_a_thread_that_polls_gives_way_to_others(monkeypatch):
    mailbox = _Mailbox(5)
    monkeypatch.setattr(thread_team, "_give_way", lambda: mailbox.put("from another"))
    assert mailbox.take() == "from another"
