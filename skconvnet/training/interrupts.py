"""Holding back Ctrl-C where an update must not be left half done.

Python raises KeyboardInterrupt between any two of its instructions, also when half of
the weights are updated, or the moments of the optimizer are but not yet the weights. An
interrupted training is used and continued, so it must end after a whole update.
"""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Self


class HeldInterrupts:
    """Lets the interrupts of the user wait for the end of a section.

    Inside the context of this object, SIGINT has its handler, which raises a
    KeyboardInterrupt like the usual one, but in the context of `section` only at the
    end. A second interrupt in the same section is raised at once. Nothing is held back
    outside the main thread, which alone is interrupted, or if the program has a handler
    of its own.

    Attributes
    ----------
    section : context manager
        What is inside is done as a whole. It cannot be nested.

    Examples
    --------
    >>> done = []
    >>> try:
    ...     with HeldInterrupts() as interrupts, interrupts.section:
    ...         signal.raise_signal(signal.SIGINT)
    ...         done.append("the rest of the section")
    ... except KeyboardInterrupt:
    ...     print(done)
    ['the rest of the section']
    """

    def __init__(self) -> None:
        self.section = _Section()

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            try:
                # In the main thread of a subinterpreter, it is a ValueError.
                with suppress(ValueError):
                    signal.signal(signal.SIGINT, self.section.handle)
            except BaseException:
                self._restore()
                raise
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self._restore()
        except KeyboardInterrupt:
            self._restore()
            raise

    def _restore(self) -> None:
        # Bound methods are equal, but not identical.
        if signal.getsignal(signal.SIGINT) == self.section.handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)


class _Section:
    """A context in which an interrupt is noted, and raised at the end."""

    def __init__(self) -> None:
        self._is_open = False
        self._is_interrupted = False

    def __enter__(self) -> None:
        self._is_open = True

    def __exit__(self, *exc: object) -> None:
        self._is_open = False
        if self._is_interrupted:
            self._is_interrupted = False
            raise KeyboardInterrupt

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGINT."""
        if self._is_open and not self._is_interrupted:
            self._is_interrupted = True
        else:
            self._is_interrupted = False
            signal.default_int_handler(number, frame)
