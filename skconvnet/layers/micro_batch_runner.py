"""What is computed for each micro-batch of a minibatch, on all threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, overload

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.workspace import Run

Result = TypeVar("Result")

# Instead of a result that is not computed yet.
_MISSING = object()


def as_given(own: list[Any]) -> list[Any]:
    """Return what is given: there are no other micro-batches."""
    return own


@dataclass(frozen=True)
class MicroBatchRunner:
    """Runs all micro-batches of a minibatch, on all threads.

    `map` does not call its function at once. All functions that were given to it are
    called when something needs one of their results for another micro-batch than its
    own, such as the common mean in batch normalization. A thread then takes a
    micro-batch through all of these functions, while its arrays are in the cache, and
    threads wait for each other as rarely as possible::

        functions f, g; then all results of g are needed; then functions h, k

        thread 0:  f(0) g(0)  |         |  h(0) k(0)
        thread 1:  f(1) g(1)  |  merge  |  h(1) k(1)

    The invariant: for each micro-batch, functions are called in the order in which they
    were given to `map`, once each. So a function may use the results of those before it
    for its own micro-batch, and the same workspaces, but not what belongs to others.
    Variables of a function must not be assigned again after it was given to `map`.

    Attributes
    ----------
    run : callable
        ``run(n, task)`` calls ``task(i, thread)`` once for each i below n, and returns
        when all calls are done.
    rngs : sequence of Generator or None
        The generator of each micro-batch.
    weights : sequence of ndarray or None
        The weights of the samples of each micro-batch; None if all are equal.
    gather : callable
        Given something of each micro-batch, returns that of all micro-batches in their
        order: of those elsewhere as well, if this is a part of a minibatch.

    Examples
    --------
    >>> runner = MicroBatchRunner.single(None)
    >>> squares = runner.map(lambda m: 3 ** 2)
    >>> roots = runner.map(lambda m: squares[m] ** 0.5)
    >>> list(roots)
    [3.0]
    """

    run: Run
    rngs: Sequence[np.random.Generator | None]
    weights: Sequence[np.ndarray] | None = None
    gather: Callable[[list[Any]], list[Any]] = as_given
    # The same list for the runners that `replace` makes of this one.
    _waiting: list[Callable[[int], None]] = field(default_factory=list, repr=False)

    def map(self, function: Callable[[int], Result]) -> Results[Result]:
        """Return ``function(m)`` for each micro-batch m, in order, once it is needed.

        An error in the function is raised then, too.
        """
        values: list[Any] = [_MISSING] * len(self.rngs)

        def keep(m: int) -> None:
            values[m] = function(m)

        self._waiting.append(keep)
        return Results(self, values)

    def finish(self) -> None:
        """Call all functions that were given to `map` and were not called yet."""
        functions = self._waiting.copy()
        self._waiting.clear()
        if not functions:
            return

        def task(m: int, _thread: int) -> None:
            for function in functions:
                function(m)

        self.run(len(self.rngs), task)

    def of_all(self, results: Results[Result]) -> list[Result]:
        """Return the results of all micro-batches, of those elsewhere as well."""
        return self.gather(list(results))

    def pick(
        self, tuples: Sequence[Sequence[Result]], position: int
    ) -> Results[Result]:
        """Return one element of the result of each micro-batch."""
        return self.map(lambda m: tuples[m][position])

    def weights_of(self, m: int) -> np.ndarray | None:
        """Return the weights of the samples of micro-batch m; None if all are equal."""
        return None if self.weights is None else self.weights[m]

    @classmethod
    def single(cls, rng: np.random.Generator | None) -> Self:
        """Return a runner for a minibatch of a single micro-batch."""
        return cls(_run_in_order, [rng])


class Results(Sequence[Result]):
    """The results of a function for each micro-batch.

    Outside of the functions of a runner, the first one that is read makes the runner
    call all functions that wait.

    Parameters
    ----------
    runner : MicroBatchRunner
    values : list
        Filled by the runner.
    """

    def __init__(self, runner: MicroBatchRunner, values: list[Any]) -> None:
        self._runner = runner
        self._values = values

    @override
    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, m: int) -> Result: ...

    @overload
    def __getitem__(self, m: slice) -> list[Result]: ...

    @override
    def __getitem__(self, m: int | slice) -> Result | list[Result]:
        if isinstance(m, slice):
            return [self[i] for i in range(len(self))[m]]
        if self._values[m] is _MISSING:
            self._runner.finish()
        value: Result = self._values[m]
        if value is _MISSING:
            raise RuntimeError(
                f"A function needs a result of micro-batch {m}, and was called for "
                "another one: read it after all micro-batches have it."
            )
        return value


def _run_in_order(n_tasks: int, task: Callable[[int, int], None]) -> None:
    for i in range(n_tasks):
        task(i, 0)
