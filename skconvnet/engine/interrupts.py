"""Holding back Ctrl-C where something must not be left half done.

Python raises KeyboardInterrupt between any two of its instructions: also when half of
the weights are updated, or as the first instruction of the function that was called to
give BLAS its threads back. `HeldInterrupts` makes an interrupt wait for the end of a
context. What ends such a context must itself be inside of one, and what takes long must
not be, so contexts alternate::

    with HeldInterrupts(), executor, ReleasedInterrupts():
        ...                         # may be interrupted
        with HeldInterrupts():
            ...                     # a whole update

An interrupt is raised in the body or at its end. It finds the executor entered, and
nothing else interrupts the executor while it is left.
"""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from types import FrameType


class _Handler:
    """The handler of SIGINT inside of the contexts.

    Attributes
    ----------
    is_held : bool
        Whether an interrupt waits.
    is_waiting : bool
        Whether there is one that waits.
    is_installed : bool
        Whether this is the handler, unless the program has set another one since.
    """

    def __init__(self) -> None:
        self.is_held = False
        self.is_waiting = False
        # Asking for the handler takes 2 us, more than all the rest of a context.
        self.is_installed = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGINT. A second one is raised at once, wherever that is."""
        if self.is_held and not self.is_waiting:
            self.is_waiting = True
        else:
            self.is_waiting = False
            signal.default_int_handler(number, frame)

    def install(self) -> None:
        """Replace the handler of Python, but no other one."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self.is_installed = True
            # In the main thread of a subinterpreter, it is a ValueError.
            with suppress(ValueError):
                signal.signal(signal.SIGINT, self.handle)

    def uninstall(self) -> None:
        # Bound methods are equal, but not identical.
        if signal.getsignal(signal.SIGINT) == self.handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self.is_installed = False

    def raise_waiting(self) -> None:
        """Raise the interrupt that waits, if any."""
        if self.is_waiting and not self.is_held:
            self.is_waiting = False
            raise KeyboardInterrupt


_handler = _Handler()


def _may_be_interrupted() -> bool:
    return threading.current_thread() is threading.main_thread()


class HeldInterrupts:
    """Lets the interrupts of the user wait for the end of a context.

    Nothing is held back outside the main thread, which alone is interrupted, or if the
    program has a handler of SIGINT of its own.

    Examples
    --------
    >>> done = []
    >>> try:
    ...     with HeldInterrupts():
    ...         signal.raise_signal(signal.SIGINT)
    ...         done.append("the rest of the context")
    ... except KeyboardInterrupt:
    ...     print(done)
    ['the rest of the context']
    """

    def __enter__(self) -> None:
        self._is_main = _may_be_interrupted()
        if not self._is_main:
            return
        self._is_outermost = not _handler.is_installed
        self._was_held = _handler.is_held and not self._is_outermost
        try:
            # In this order, an interrupt waits as soon as there is the handler.
            _handler.is_held = True
            if self._is_outermost:
                _handler.is_waiting = False
                _handler.install()
        except BaseException:
            self._leave()
            raise

    def __exit__(self, *exc: object) -> None:
        if not self._is_main:
            return
        try:
            self._leave()
        except KeyboardInterrupt:  # the second one
            self._leave()
            raise
        _handler.raise_waiting()

    def _leave(self) -> None:
        if self._is_outermost:
            _handler.uninstall()
        _handler.is_held = self._was_held


class ReleasedInterrupts:
    """Raises interrupts again, inside of the context of `HeldInterrupts`.

    One that has waited is raised when the context is entered.
    """

    def __enter__(self) -> None:
        self._is_main = _may_be_interrupted()
        if self._is_main:
            _handler.is_held = False
            _handler.raise_waiting()

    def __exit__(self, *exc: object) -> None:
        # If an interrupt is raised here, before this line, there is none left to hold.
        if self._is_main:
            _handler.is_held = True
