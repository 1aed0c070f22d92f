"""Interrupts at a known update."""

import threading

import pytest

from skconvnet.engine.executor import Executor


def told():
    return pytest.warns(UserWarning, match="Training interrupted by user")


@pytest.fixture
def interrupt_at(monkeypatch):
    """Return a function that lets the n-th update raise, and returns a list of updates.

    Only updates of the calling thread count.
    """
    original, thread = Executor.loss_and_gradient, threading.get_ident()

    def patch(n):
        calls = []

        def interrupted(self, *args, **keywords):
            if keywords["train"] and threading.get_ident() == thread:
                calls.append(None)
                if len(calls) == n:
                    raise KeyboardInterrupt
            return original(self, *args, **keywords)

        monkeypatch.setattr(Executor, "loss_and_gradient", interrupted)
        return calls

    return patch


def weights(model):
    return model.network_.vector.copy()
