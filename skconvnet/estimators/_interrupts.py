"""What Ctrl-C ends: one fit, or also the search that the fit is a part of.

Somebody who calls `fit` and interrupts it wants the model so far, so the interrupt ends
training with a warning. Somebody who interrupts a `GridSearchCV` wants the search to
end. If every fit in it only ended early, the next one would begin, and the search could
not be stopped, and its results would compare models that were trained to the end with
one that was not. So if another library called `fit`, the interrupt is raised again, as
soon as the estimator has its model so far.

Whether another library called is seen from the stack, since nobody tells an estimator:
searches call `fit` like a user. All callers count and not only the last one, so that
`fit` inside of a function that joblib runs ends joblib's run as well.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType

from sklearn.base import _fit_context

from skconvnet.estimators._caller_warnings import warn_caller

# Packages and modules that call `fit` many times, or do something with its result.
_CALLERS = (
    "concurrent.futures",
    "dask",
    "dask_ml",
    "distributed",
    "imblearn",
    "joblib",
    "multiprocessing.pool",
    "optuna",
    "ray",
    "sklearn",
    "sklearnex",
    "skopt",
)


@_fit_context(prefer_skip_nested_validation=True)
def _decorated() -> None:
    """Have the decorator that every `fit` has."""


# All functions that the decorator returns share their code. It says nothing about who
# called: our own `fit` is decorated as well.
_DECORATOR = _decorated.__code__


def is_called_by_a_library() -> bool:
    """Return whether another library is among the callers of this function.

    Examples
    --------
    >>> is_called_by_a_library()
    False
    """
    return any(_belongs_to_a_library(frame) for frame in _callers())


def _callers() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  inspect.stack is slow
    while frame is not None:
        yield frame
        frame = frame.f_back


def _belongs_to_a_library(frame: FrameType) -> bool:
    if frame.f_code is _DECORATOR:
        return False
    module = f"{frame.f_globals.get('__name__', '')}."
    return any(module.startswith(f"{name}.") for name in _CALLERS)


def end_interrupted_fit(interrupt: KeyboardInterrupt | None) -> None:
    """Raise an interrupt again that ends more than this fit, or else warn of it.

    Call it in `fit` itself, when the estimator has its model.
    """
    if interrupt is None:
        return
    if is_called_by_a_library():
        raise interrupt
    # The traceback refers to the frames of the training, and so to the data.
    interrupt.__traceback__ = None
    warn_caller("Training interrupted by user.")
