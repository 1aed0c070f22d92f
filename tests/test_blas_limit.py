"""BLAS is held to one thread and put back, whichever thread does it."""

import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skconvnet.engine.executor import Executor
from skconvnet.engine.network import Network
from skconvnet.layers import Dense
from skconvnet.losses import SquaredError

TIMEOUT = 30


def blas_threads():
    return {
        library["filepath"]: library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }


def engine():
    return Executor(Network([("output", Dense(2))], (3,), "float64"), SquaredError(), 1)


@pytest.fixture(autouse=True)
def put_back():
    """Spare the other tests the limit that a failing one leaves behind."""
    before = max(blas_threads().values())
    yield
    # threadpoolctl lets one thread set limits until that thread has ended.
    keywords = {"limits": before, "user_api": "blas"}
    thread = threading.Thread(target=threadpool_limits, kwargs=keywords)
    thread.start()
    thread.join(TIMEOUT)


@pytest.mark.parametrize("first_fails", [False, True])
def test_the_last_of_two_threads_puts_it_back(first_fails):
    before = blas_threads()
    first_in, second_in, first_out, over = (threading.Event() for _ in range(4))
    held, after = [], []

    def first():
        try:
            with engine():
                first_in.set()
                second_in.wait(TIMEOUT)
                if first_fails:
                    raise RuntimeError
        except RuntimeError:
            pass
        first_out.set()
        # As the main thread would, this one lives on while the other leaves.
        over.wait(TIMEOUT)

    def second():
        first_in.wait(TIMEOUT)
        with engine():
            second_in.set()
            first_out.wait(TIMEOUT)
            held.append(blas_threads())
        after.append(blas_threads())

    threads = [threading.Thread(target=f, daemon=True) for f in (first, second)]
    for thread in threads:
        thread.start()
    threads[1].join(TIMEOUT)
    over.set()
    threads[0].join(TIMEOUT)
    assert [set(limits.values()) for limits in held] == [{1}]
    assert after == [before]


def test_it_is_held_in_a_thread_although_another_thread_has_set_a_limit():
    held = []

    def run():
        with engine():
            held.append(set(blas_threads().values()))

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(TIMEOUT)
        assert blas_threads() == before
    assert held == [{1}]


def test_it_is_put_back_after_an_error():
    before = blas_threads()
    inside = []

    def fail():
        with engine():
            inside.append(set(blas_threads().values()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert inside == [{1}]
    assert blas_threads() == before
