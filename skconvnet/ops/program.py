"""NumPy calls that are worked out once and run many times."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from skconvnet.ops.short_runs import run_views


class Program:
    """A list of calls whose arrays stay the same from one pass to the next.

    Slicing arrays and working out shapes takes the interpreter about as long as NumPy
    takes to process 100 kB. Only one thread can use the interpreter at a time, and one
    that waits for it is put to sleep, so that two threads with short calls would
    hardly be faster than one. A program makes all views once. Then `run` does nothing
    but call NumPy. Nothing that depends on values may be decided while a program is
    written.

    Examples
    --------
    >>> x, y = np.ones(3), np.empty(3)
    >>> program = Program()
    >>> program.add(np.add, x, x, out=y)
    >>> program.run()
    >>> y
    array([2., 2., 2.])
    """

    def __init__(self) -> None:
        self._calls: list[Callable[[], object]] = []

    def add(
        self, function: Callable[..., object], *args: object, **kwargs: object
    ) -> None:
        """Append a call of `function`."""
        self._calls.append(partial(function, *args, **kwargs))

    def add_copy(self, target: np.ndarray, source: np.ndarray) -> None:
        """Append a copy of `source` to `target`, both with the batch last."""
        self.add(np.copyto, *run_views(target, source))

    def run(self) -> None:
        """Make all calls, in order."""
        for call in self._calls:
            call()
