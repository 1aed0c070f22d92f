"""Schedules of the learning rate that are planned for a known number of epochs.

The rate changes with every update. The time ``t`` is the number of completed epochs
plus the completed fraction of the current one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import Any, ClassVar

from skconvnet._typing import override
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
    """Decrease the rate to `minimum` as a power of the remaining time.

    The rate is ``minimum + (learning_rate_init - minimum) * (1 - u) ** power``, where
    ``u`` is the completed fraction of the epochs after the warm-up. By default, this is
    a straight line.

    Parameters
    ----------
    power : float, default=1.0
        The exponent.
    minimum : float, default=0.0
        The rate at the end of the schedule and from then on.
    warmup_epochs : float, default=0
        The number of epochs in which the rate first rises to ``learning_rate_init``, by
        the same amount in each update.
    epochs : float, default=None
        The number of epochs of the schedule, the warm-up included. None means
        ``max_iter``. Each call of ``partial_fit`` counts as an epoch.

    Examples
    --------
    >>> from skconvnet.schedules import Polynomial
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
    @override
    def is_complete(self) -> bool:
        """Whether all planned epochs are completed."""
        return self.epoch >= _total(self)

    @override
    def _rate(self, t: float, width: float) -> float:
        length = _after_warmup(self, _total(self))
        if t < self.warmup_epochs:
            return _warming_up(self, t, width)
        left = max(1 - (t - self.warmup_epochs) / length, 0.0)
        part: float = left**self.power
        return self.minimum + (self.initial - self.minimum) * part


@dataclass(eq=False, repr=False)
class Cosine(Schedule):
    """Decrease the rate to `minimum` along half a cosine, once or with restarts [1]_.

    The rate is ``minimum + (learning_rate_init - minimum) * (1 + cos(pi * u)) / 2``,
    where ``u`` is the completed fraction of the current period.

    Parameters
    ----------
    period : float, default=None
        The number of epochs of the first period, after which the rate restarts from
        ``learning_rate_init``. None means a single period from the end of the warm-up
        to ``max_iter``, after which the rate stays at `minimum`. Each call of
        ``partial_fit`` counts as an epoch.
    period_factor : float, default=1
        The length of each period relative to the previous one, at least 1.
    minimum : float, default=0.0
        The rate at the end of a period.
    warmup_epochs : float, default=0
        The number of epochs in which the rate first rises to ``learning_rate_init``, by
        the same amount in each update.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm
       restarts", ICLR 2017.

    Examples
    --------
    >>> from skconvnet.schedules import Cosine
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
    @override
    def is_complete(self) -> bool:
        """Whether there is only one period, and it is completed."""
        return self.period is None and self.epoch >= self.n_epochs

    @override
    def _rate(self, t: float, width: float) -> float:
        if self.period is None:
            length = _after_warmup(self, self.n_epochs)
        else:
            length = float(self.period)
        if t < self.warmup_epochs:
            return _warming_up(self, t, width)
        t -= self.warmup_epochs
        u = min(t / length, 1.0) if self.period is None else self._fraction(t, length)
        return self.minimum + (self.initial - self.minimum) * (1 + cos(pi * u)) / 2

    def _fraction(self, t: float, length: float) -> float:
        """Return the completed fraction of the current period.

        `t` is measured from the start of the first period, which has this length.
        """
        if self.period_factor == 1:
            return t % length / length
        while t >= length:
            t -= length
            length *= self.period_factor
        return t / length


@dataclass(eq=False, repr=False)
class OneCycle(Schedule):
    """Raise the rate to ``learning_rate_init``, then decrease it almost to zero [1]_.

    In the first part of training, the rate rises from
    ``learning_rate_init / div_factor``. In the second part, it decreases to this first
    rate divided by `final_div_factor`. ``learning_rate_init`` can be larger than a
    suitable constant rate.

    Parameters
    ----------
    warmup : float, default=0.3
        The fraction of the epochs in which the rate rises, in (0, 1).
    div_factor : float, default=25.0
        The ratio of the largest rate to the first one, at least 1.
    final_div_factor : float, default=1e4
        The ratio of the first rate to the last one, at least 1.
    anneal : {"cosine", "linear"}, default="cosine"
        Whether the rate rises and decreases along half a cosine or a straight line.
    epochs : float, default=None
        The number of epochs of the whole cycle, after which the rate keeps its last
        value. None means ``max_iter``. Each call of ``partial_fit`` counts as an epoch.

    References
    ----------
    .. [1] L. N. Smith and N. Topin, "Super-convergence: very fast training of neural
       networks using large learning rates", arXiv:1708.07120, 2018.

    Examples
    --------
    >>> from skconvnet.schedules import OneCycle
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
    @override
    def is_complete(self) -> bool:
        """Whether the cycle is completed."""
        return self.epoch >= _total(self)

    @override
    def _rate(self, t: float, width: float) -> float:
        u = min(t / _total(self), 1.0)
        first = self.initial / self.div_factor
        if u <= self.warmup:
            return self._between(first, self.initial, u / self.warmup)
        part = (u - self.warmup) / (1 - self.warmup)
        return self._between(self.initial, first / self.final_div_factor, part)

    def _between(self, start: float, end: float, part: float) -> float:
        """Return the rate at the fraction `part` of the way from `start` to `end`."""
        if self.anneal == "cosine":
            part = (1 - cos(pi * part)) / 2
        return start + (end - start) * part


def _total(schedule: Polynomial | OneCycle) -> float:
    """Return the number of planned epochs."""
    return schedule.n_epochs if schedule.epochs is None else schedule.epochs


def _after_warmup(schedule: Polynomial | Cosine, total: float) -> float:
    """Return the number of epochs after the warm-up."""
    if schedule.warmup_epochs >= total:
        raise ValueError(
            f"warmup_epochs={schedule.warmup_epochs!r} of {type(schedule).__name__} "
            f"must be less than the number of planned epochs, {total:g}."
        )
    return total - schedule.warmup_epochs


def _warming_up(schedule: Polynomial | Cosine, t: float, width: float) -> float:
    # The first update already has a rate above zero, and the last one the full rate.
    return schedule.initial * min((t + width) / schedule.warmup_epochs, 1.0)
