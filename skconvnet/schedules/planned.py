"""Learning rates that are planned for a known number of epochs.

They change from update to update: the time ``t`` is the number of epochs that are over,
plus the share of the present one that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import Any, ClassVar

from skconvnet.params.constraints import (
    BETWEEN_0_AND_1,
    FROM_1,
    NOT_NEGATIVE,
    POSITIVE,
    one_of,
)
from skconvnet.schedules.base import Schedule


@dataclass(eq=False, repr=False)
class Polynomial(Schedule):
    """Fall to `minimum` along a power of the time that is left.

    ``minimum + (learning_rate_init - minimum) * (1 - u) ** power``, where ``u`` is the
    share of the epochs after the warm-up that is over; the default is a straight line.

    Parameters
    ----------
    power : float, default=1.0
    minimum : float, default=0.0
        What is reached at the end, and kept from then on.
    warmup_epochs : float, default=0
        In so many epochs the rate first rises to ``learning_rate_init``, by the same
        step each update.
    epochs : float, default=None
        When the end is reached, the warm-up included; None is ``max_iter``. In
        ``partial_fit`` each call counts as an epoch.

    Examples
    --------
    >>> schedule = Polynomial().start(0.4, n_epochs=4)
    >>> schedule.epoch_ends(0, {})
    >>> round(schedule.rate, 6)
    0.3
    """

    power: float = 1.0
    minimum: float = 0.0
    warmup_epochs: float = 0
    epochs: float | None = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "power": POSITIVE,
        "minimum": NOT_NEGATIVE,
        "warmup_epochs": NOT_NEGATIVE,
        "epochs": [None, *POSITIVE],
    }

    @property
    def is_complete(self) -> bool:
        """Whether the last of the planned epochs is over."""
        return self.epoch >= _total(self)

    def _rate(self, t: float, width: float) -> float:
        length = _after_warmup(self, _total(self))
        if t < self.warmup_epochs:
            return _warming(self, t, width)
        left = max(1 - (t - self.warmup_epochs) / length, 0.0)
        return self.minimum + (self.initial - self.minimum) * left**self.power


@dataclass(eq=False, repr=False)
class Cosine(Schedule):
    """Fall to `minimum` along half a cosine, once or with restarts [1]_.

    ``minimum + (learning_rate_init - minimum) * (1 + cos(pi * u)) / 2``, where ``u`` is
    the share of the present period that is over.

    Parameters
    ----------
    period : float, default=None
        Epochs of the first period, after which the rate starts again from
        ``learning_rate_init``. None is a single one that lasts from the warm-up to
        ``max_iter``, and stays at `minimum` from then on. In ``partial_fit`` each call
        counts as an epoch.
    period_factor : float, default=1
        How many times as long each period is as the one before; at least 1.
    minimum : float, default=0.0
    warmup_epochs : float, default=0
        In so many epochs the rate first rises to ``learning_rate_init``, by the same
        step each update.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm
       restarts", ICLR 2017.

    Examples
    --------
    >>> schedule = Cosine(period=2).start(0.4, n_epochs=6)
    >>> schedule.epoch_ends(0, {})
    >>> round(schedule.rate, 6)
    0.2
    >>> schedule.epoch_ends(0, {})
    >>> schedule.rate
    0.4
    """

    period: float | None = None
    period_factor: float = 1
    minimum: float = 0.0
    warmup_epochs: float = 0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "period": [None, *POSITIVE],
        "period_factor": FROM_1,
        "minimum": NOT_NEGATIVE,
        "warmup_epochs": NOT_NEGATIVE,
    }

    @property
    def is_complete(self) -> bool:
        """Whether the only period is over."""
        return self.period is None and self.epoch >= self.n_epochs

    def _rate(self, t: float, width: float) -> float:
        if self.period is None:
            length = _after_warmup(self, self.n_epochs)
        if t < self.warmup_epochs:
            return _warming(self, t, width)
        t -= self.warmup_epochs
        u = min(t / length, 1.0) if self.period is None else self._share(t)
        return self.minimum + (self.initial - self.minimum) * (1 + cos(pi * u)) / 2

    def _share(self, t: float) -> float:
        """Return the share of the present period that is over."""
        length = float(self.period or 1.0)
        if self.period_factor == 1:
            return t % length / length
        while t >= length:
            t -= length
            length *= self.period_factor
        return t / length


@dataclass(eq=False, repr=False)
class OneCycle(Schedule):
    """Rise to ``learning_rate_init``, then fall to next to nothing [1]_.

    The rate rises from ``learning_rate_init / div_factor`` during the first part of
    training, and falls in the rest to the rate it started from divided by
    `final_div_factor`. ``learning_rate_init`` can be larger than a constant rate could.

    Parameters
    ----------
    warmup : float, default=0.3
        Share of the epochs in which the rate rises, in (0, 1).
    div_factor : float, default=25.0
    final_div_factor : float, default=1e4
    anneal : {"cosine", "linear"}, default="cosine"
        Along what it rises and falls.
    epochs : float, default=None
        Epochs of the whole cycle; None is ``max_iter``. In ``partial_fit`` each call
        counts as an epoch. Afterwards the rate stays the smallest.

    References
    ----------
    .. [1] L. N. Smith and N. Topin, "Super-convergence: very fast training of neural
       networks using large learning rates", 2018.

    Examples
    --------
    >>> schedule = OneCycle(warmup=0.5).start(0.5, n_epochs=2)
    >>> round(schedule.rate, 6)
    0.02
    >>> schedule.epoch_ends(0, {})
    >>> schedule.rate
    0.5
    """

    warmup: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    anneal: str = "cosine"
    epochs: float | None = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "warmup": BETWEEN_0_AND_1,
        "div_factor": FROM_1,
        "final_div_factor": FROM_1,
        "anneal": one_of("cosine", "linear"),
        "epochs": [None, *POSITIVE],
    }

    @property
    def is_complete(self) -> bool:
        """Whether the cycle is over."""
        return self.epoch >= _total(self)

    def _rate(self, t: float, width: float) -> float:
        u = min(t / _total(self), 1.0)
        first = self.initial / self.div_factor
        if u <= self.warmup:
            return self._between(first, self.initial, u / self.warmup)
        part = (u - self.warmup) / (1 - self.warmup)
        return self._between(self.initial, first / self.final_div_factor, part)

    def _between(self, start: float, end: float, part: float) -> float:
        if self.anneal == "cosine":
            part = (1 - cos(pi * part)) / 2
        return start + (end - start) * part


def _total(schedule: Polynomial | OneCycle) -> float:
    return schedule.n_epochs if schedule.epochs is None else schedule.epochs


def _after_warmup(schedule: Polynomial | Cosine, total: float) -> float:
    """Return the epochs that are left for the descent."""
    if schedule.warmup_epochs >= total:
        raise ValueError(
            f"warmup_epochs={schedule.warmup_epochs!r} of {type(schedule).__name__} "
            f"must be less than the epochs it is planned for, {total:g}."
        )
    return total - schedule.warmup_epochs


def _warming(schedule: Polynomial | Cosine, t: float, width: float) -> float:
    # The first update is a step up from zero, the last one uses the whole rate.
    return schedule.initial * min((t + width) / schedule.warmup_epochs, 1.0)
