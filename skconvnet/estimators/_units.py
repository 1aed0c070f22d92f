"""A warning if X is in another unit than in fit, such as 0 to 1 after 0 to 255.

Values are compared by the largest one of each sample, apart from its sign. X is
suspected if several samples are all far below, or most are far above, what nearly all
training samples have: however values are distributed, samples like those in training
are not. Samples without contrast, such as black images, are never suspected.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._constant_samples import warn_of_constant_samples
from skconvnet.estimators._sampling import (
    evenly_spaced,
    read_a_few,
    weighted_samples,
)
from skconvnet.layers.embedding import Embedding

# The samples that are looked at in fit, and in a later call.
_IN_FIT, _IN_CALL = 256, 32
# Fewer samples than this may all be unusual.
_ENOUGH = 8
# Values are far from those in training from this ratio on.
_FAR = 8
# The share of the training samples that may be unusual at either end.
_UNUSUAL = 0.02
_KINDS = {"b": "bool", "i": "int", "u": "int", "f": "float"}


class UsualValues(NamedTuple):
    """The values of the training samples.

    Attributes
    ----------
    low, high : float
        The range of the values.
    small, large : float
        Between these is the largest value of nearly every sample.
    kind : {"bool", "int", "float"}
    """

    low: float
    high: float
    small: float
    large: float
    kind: str

    def with_others(self, other: UsualValues | None) -> UsualValues:
        """Return the values of both sets of samples."""
        if other is None:
            return self
        return UsualValues(
            min(self.low, other.low),
            max(self.high, other.high),
            min(self.small, other.small),
            max(self.large, other.large),
            self.kind,
        )


def look_at_values(
    estimator: Any,  # noqa: ANN401  estimators have no type
    samples: Samples,
    *,
    resume: bool,
) -> UsualValues | None:
    """Warn of training samples that look unintended, and return their values.

    If `resume`, the network has been trained before, and the values of the samples
    then are usual as well.
    """
    if not type(estimator)._warns_of_values:  # noqa: SLF001  of this package
        return None
    before: UsualValues | None = vars(estimator).get("_usual_values")
    if resume:
        warn_of_other_unit(estimator, samples.inputs)
    else:
        warn_of_constant_samples(samples)
    now = usual_values(estimator.network_, samples)
    return before if now is None else now.with_others(before)


def usual_values(network: Network, samples: Samples) -> UsualValues | None:
    """Return the values of training samples, or None if they say nothing of a unit.

    That is so if there are few samples, or if they are tokens.
    """
    inputs = samples.inputs
    is_text = bool(network.specs) and isinstance(network.specs[0][1], Embedding)
    index = weighted_samples(samples)
    if len(index) < _ENOUGH or inputs.is_sparse or is_text:
        return None
    low, high, largest = _values(inputs, evenly_spaced(index, _IN_FIT))
    small = np.quantile(largest, _UNUSUAL, method="lower")
    large = np.quantile(largest, 1 - _UNUSUAL, method="higher")
    return UsualValues(low, high, float(small), float(large), _kind(inputs))


def warn_of_other_unit(
    estimator: Any,  # noqa: ANN401  estimators have no type
    inputs: Inputs,
) -> None:
    """Warn if the samples seem to be in another unit than those in fit."""
    usual: UsualValues | None = vars(estimator).get("_usual_values")
    if usual is None or not len(inputs):
        return
    n, kind = len(inputs), _kind(inputs)
    if n < _ENOUGH and kind == usual.kind:
        return
    low, high, largest = _values(inputs, evenly_spaced(np.arange(n), _IN_CALL))
    is_small = low < high and _FAR * largest.max() < usual.small
    if n < _ENOUGH:  # of another type, such as X / 255
        is_small = is_small and largest.max() <= 1
    is_large = usual.large > 0 and np.median(largest) > _FAR * usual.large
    if is_small or is_large:
        warn_caller(
            f"{inputs.name} has values of {low:.3g} to {high:.3g}, while "
            f"{type(estimator).__name__} was fitted on values of {usual.low:.3g} to "
            f"{usual.high:.3g}: give {inputs.name} in the same unit as in fit."
        )


def _values(
    inputs: Inputs, index: npt.NDArray[np.integer]
) -> tuple[float, float, npt.NDArray[np.floating]]:
    """Return the range of the values of samples, and the largest value of each one."""
    low, high = [], []
    for X in read_a_few(inputs, index):
        rows = X.reshape(len(X), -1)
        low.append(rows.min(axis=1))
        high.append(rows.max(axis=1))
    # What overflows is refused later, with its position.
    with np.errstate(over="ignore"):
        lows, highs = (np.concatenate(x).astype(np.float64) for x in (low, high))
    return float(lows.min()), float(highs.max()), np.maximum(-lows, highs)


def _kind(inputs: Inputs) -> str:
    return _KINDS[inputs.X.dtype.kind]
