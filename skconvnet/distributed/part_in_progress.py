"""A part of a minibatch that waits for the other parts at each barrier."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeAlias

# Given something of each micro-batch of the part, returns that of all parts.
Gather: TypeAlias = Callable[[list[Any]], list[Any]]


class Exchange(NamedTuple):
    """What a part gives to the others at a barrier: something of each micro-batch."""

    own: list[Any]


class _AbandonedError(Exception):
    """Ends the thread of a part that is not needed any more."""


class PartInProgress:
    """Runs a function that stops whenever it calls its argument `gather`.

    A thread runs it. `advance` hands over what the function is waiting for, and returns
    when it waits again, or has ended::

        advance([])        runs up to the first barrier     -> Exchange(own)
        advance([g1])      from there to the second one     -> Exchange(own)
        advance([g1, g2])  from there to the end            -> what the function returns

    `advance` takes all that was gathered so far. Hence the same calls made on another
    machine, after this one was lost, run the function again up to the same point.

    Parameters
    ----------
    run : callable
        ``run(gather)``.

    Examples
    --------
    >>> part = PartInProgress(lambda gather: sum(gather([1])))
    >>> part.advance([])
    Exchange(own=[1])
    >>> part.advance([[1, 2, 3]])
    6
    """

    def __init__(self, run: Callable[[Gather], Any]) -> None:
        self._run = run
        self._given: SimpleQueue[list[Any] | None] = SimpleQueue()
        self._taken: SimpleQueue[Any] = SimpleQueue()
        self._n_given = 0
        self._last: Any = None
        self._thread: threading.Thread | None = None

    def can_advance(self, gathered: list[Any]) -> bool:
        """Return whether the function has not been given more than this."""
        return self._n_given <= len(gathered)

    def advance(self, gathered: list[Any]) -> Any:  # noqa: ANN401  of any function
        """Return the next exchange, or the result of the function.

        Parameters
        ----------
        gathered : list of list
            What was gathered at each barrier so far, of all parts.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
            self._last = self._taken.get()
        for own in gathered[self._n_given :]:
            self._n_given += 1
            self._given.put(own)
            self._last = self._taken.get()
        if isinstance(self._last, BaseException):
            raise self._last
        return self._last

    def abandon(self) -> None:
        """End the thread, if it is waiting."""
        self._given.put(None)

    def _work(self) -> None:
        try:
            self._taken.put(self._run(self._gather))
        except _AbandonedError:
            pass
        except BaseException as error:
            self._taken.put(error)

    def _gather(self, own: list[Any]) -> list[Any]:
        # Copied, since the arrays may be used again before they are sent.
        self._taken.put(Exchange(copy.deepcopy(own)))
        given = self._given.get()
        if given is None:
            raise _AbandonedError
        return given
