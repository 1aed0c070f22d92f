"""BLAS is limited to one thread and restored, whichever thread does it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from engine_tools import TIMEOUT, in_thread
from threadpoolctl import threadpool_info, threadpool_limits

from skconvnet.engine.blas_threads import SingleThreadedBLAS, single_threaded_blas
from skconvnet.engine.executor import Executor
from skconvnet.engine.network import Network
from skconvnet.layers import Dense
from skconvnet.losses import SquaredError


def blas_threads():
    return {
        library["filepath"]: library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }


def make_executor():
    return Executor(Network([("output", Dense(2))], (3,), "float64"), SquaredError(), 1)


@pytest.fixture(autouse=True)
def restored():
    """Spare the other tests the limit that a failing one leaves behind."""
    before = max(blas_threads().values())
    yield
    # threadpoolctl lets one thread set limits until that thread has ended.
    keywords = {"limits": before, "user_api": "blas"}
    thread = threading.Thread(target=threadpool_limits, kwargs=keywords)
    thread.start()
    thread.join(TIMEOUT)


@pytest.mark.parametrize("first_fails", [False, True])
def test_the_last_of_two_threads_restores_it(first_fails):
    before = blas_threads()
    first_in, second_in, first_out, over = (threading.Event() for _ in range(4))

    def hold():
        with make_executor():
            first_in.set()
            assert second_in.wait(TIMEOUT)
            if first_fails:
                raise RuntimeError("while it is held")

    def first():
        if first_fails:
            with pytest.raises(RuntimeError, match="while it is held"):
                hold()
        else:
            hold()
        first_out.set()
        # As the main thread would, this one lives on while the other leaves.
        assert over.wait(TIMEOUT)

    def second():
        assert first_in.wait(TIMEOUT)
        with make_executor():
            second_in.set()
            assert first_out.wait(TIMEOUT)
            held = blas_threads()
        return held, blas_threads()

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(first), pool.submit(second)]
        held, after = futures[1].result(TIMEOUT)
        over.set()
        futures[0].result(TIMEOUT)
    assert set(held.values()) == {1}
    assert after == before


def test_it_is_held_in_a_thread_although_another_thread_has_set_a_limit():
    def held():
        with make_executor():
            return set(blas_threads().values())

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        assert in_thread(held) == {1}
        assert blas_threads() == before


def test_it_is_restored_after_an_error():
    before = blas_threads()
    inside = None

    def fail():
        nonlocal inside
        with make_executor():
            inside = set(blas_threads().values())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert inside == {1}
    assert blas_threads() == before


@pytest.mark.parametrize("after", [False, True])
def test_it_is_restored_if_limiting_it_is_interrupted(monkeypatch, after):
    before = blas_threads()
    original = SingleThreadedBLAS.limit

    def interrupted(self, user):
        if after:
            original(self, user)
        else:
            self._saved_counts = self._thread_counts()
            self._limit_to_one()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SingleThreadedBLAS, "limit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make_executor().__enter__()
        with pytest.raises(KeyboardInterrupt), single_threaded_blas.limited():
            raise AssertionError
    assert blas_threads() == before
    with make_executor():
        assert set(blas_threads().values()) == {1}
    assert blas_threads() == before


def test_releasing_it_twice_does_no_harm():
    before = blas_threads()
    with single_threaded_blas.limited():
        executor = make_executor()
        with executor:
            pass
        single_threaded_blas.release(executor)
        assert set(blas_threads().values()) == {1}
    assert blas_threads() == before
