"""How the learning rate changes as training goes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)
class Constant:
    """The same learning rate throughout.

    Parameters
    ----------
    rate : float

    Attributes
    ----------
    rate : float
        What the next step uses.
    """

    rate: float

    def __post_init__(self) -> None:
        self.initial = float(self.rate)
        self.rate = self.initial

    def epoch_ends(self, n_seen: int) -> None:
        """Take note that `n_seen` samples have been seen in all."""

    def stalled(self) -> bool:
        """Say whether to stop, now that training no longer improves."""
        return True


@dataclass(eq=False)
class InvScaling(Constant):
    """``initial / (n_seen + 1) ** power`` after each epoch, as in scikit-learn.

    Examples
    --------
    >>> schedule = InvScaling(0.1, power=0.5)
    >>> schedule.epoch_ends(99)
    >>> schedule.rate
    0.01
    """

    power: float = 0.5

    def epoch_ends(self, n_seen: int) -> None:
        self.rate = self.initial / (n_seen + 1) ** self.power


@dataclass(eq=False)
class Adaptive(Constant):
    """A fifth of the rate each time training stalls, until it is down to 1e-6.

    Examples
    --------
    >>> schedule = Adaptive(0.1)
    >>> schedule.stalled(), schedule.rate
    (False, 0.02)
    """

    factor: float = 5.0
    smallest: float = 1e-6

    def stalled(self) -> bool:
        if self.rate <= self.smallest:
            return True
        self.rate /= self.factor
        return False
