"""Schedules of the learning rate by the number of epochs or samples so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet._checks import is_int, is_sequence
from skconvnet._typing import override
from skconvnet.params.constraints import ABOVE_0_TO_1, COUNT, NOT_NEGATIVE
from skconvnet.schedules.base import Schedule


@dataclass(eq=False, repr=False)
class Constant(Schedule):
    """Keep the rate at ``learning_rate_init``.

    Examples
    --------
    >>> from skconvnet.schedules import Constant
    >>> Constant().start(0.1, n_epochs=5).rate
    0.1
    """

    @override
    def _rate(self, t: float, width: float) -> float:
        return self.initial


@dataclass(eq=False, repr=False)
class InverseScaling(Schedule):
    """Set the rate to ``learning_rate_init / (n_seen + 1) ** power`` after each epoch.

    ``n_seen`` is the total number of samples seen, as in scikit-learn. If the schedule
    is chosen by its name, "invscaling", then `power` is ``power_t`` of the estimator,
    and the schedule has an effect only with the solver "sgd".

    Parameters
    ----------
    power : float, default=0.5
        The exponent, not negative.

    Examples
    --------
    >>> from skconvnet.schedules import InverseScaling
    >>> schedule = InverseScaling(power=0.5).start(0.1, n_epochs=5)
    >>> schedule.epoch_ends(99, {})
    >>> schedule.rate
    0.01
    """

    power: float = 0.5

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"power": NOT_NEGATIVE}

    @override
    def _epoch_ended(self, n_seen: int, measured: Mapping[str, float]) -> None:
        try:
            self._current = self.initial / float(n_seen + 1) ** float(self.power)
        except OverflowError:  # the rate is too small for a float
            self._current = 0.0

    @override
    def _rate(self, t: float, width: float) -> float:
        return self._current


@dataclass(eq=False, repr=False)
class StepDecay(Schedule):
    """Multiply the rate by a factor at regular intervals, or after given epochs.

    The rate after ``t`` epochs is ``learning_rate_init * factor ** k``, where ``k`` is
    ``t // every`` or, if `every` is a tuple, the number of its entries up to ``t``.

    Parameters
    ----------
    every : int or tuple of int, default=10
        The number of epochs between two steps, or the epochs after which there is a
        step, such as ``(30, 60, 80)``.
    factor : float, default=0.1
        The factor, in (0, 1].
    minimum : float, default=0.0
        A lower bound on the rate.

    Examples
    --------
    >>> from skconvnet.schedules import StepDecay
    >>> schedule = StepDecay(every=2, factor=0.5).start(0.4, n_epochs=5)
    >>> for epoch in range(5):
    ...     schedule.epoch_ends(0, {})
    >>> schedule.rate
    0.1
    """

    every: int | Sequence[int] = 10
    factor: float = 0.1
    minimum: float = 0.0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "every": [*COUNT, tuple, list, np.ndarray],
        "factor": ABOVE_0_TO_1,
        "minimum": NOT_NEGATIVE,
    }

    @override
    def check_params(self) -> None:
        super().check_params()
        if is_sequence(self.every):
            for epoch in self.every:
                if not is_int(epoch) or epoch < 1:
                    raise ValueError(
                        "every must be a positive int or a tuple of them, such as "
                        f"(30, 60, 80); got {self.every!r}."
                    )

    @override
    def _rate(self, t: float, width: float) -> float:
        if is_sequence(self.every):
            k = int(sum(epoch <= self.epoch for epoch in self.every))
        else:
            every: Any = self.every
            k = self.epoch // int(every)
        decay: float = self.factor**k
        return max(self.initial * decay, self.minimum)


@dataclass(eq=False, repr=False)
class Exponential(Schedule):
    """Decrease the rate exponentially, from update to update.

    The rate after ``t`` epochs is ``learning_rate_init * factor ** t``.

    Parameters
    ----------
    factor : float, default=0.95
        The factor by which the rate is multiplied per epoch, in (0, 1]. It is divided
        evenly among the updates of an epoch.
    minimum : float, default=0.0
        A lower bound on the rate.

    Examples
    --------
    >>> from skconvnet.schedules import Exponential
    >>> schedule = Exponential(factor=0.25).start(0.4, n_epochs=5)
    >>> schedule.update_begins(1, n_updates=2)
    >>> schedule.rate
    0.2
    """

    factor: float = 0.95
    minimum: float = 0.0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "factor": ABOVE_0_TO_1,
        "minimum": NOT_NEGATIVE,
    }

    @override
    def _rate(self, t: float, width: float) -> float:
        decay: float = self.factor**t
        return max(self.initial * decay, self.minimum)
