"""The smallest and the largest value that samples may have."""

from __future__ import annotations

from typing import Any

import numpy as np

from skconvnet.augmentation.base import MapAugmenter
from skconvnet.augmentation.checks import check_number


class ValueRange:
    """Bounds of the values of samples.

    Parameters
    ----------
    bounds : (float, float) or None
        None stands for the smallest and the largest value of each sample.
    """

    def __init__(self, bounds: tuple[float, float] | None) -> None:
        self.bounds = bounds

    def of(self, x: np.ndarray) -> tuple[Any, Any]:
        """Return the bounds for the batch-last `x`: two numbers, or one pair a sample.

        >>> least, most = ValueRange(None).of(np.array([[1.0, 5.0], [2.0, 3.0]]))
        >>> least, most
        (array([1., 3.]), array([2., 5.]))
        """
        if self.bounds is not None:
            least, most = self.bounds
            return x.dtype.type(least), x.dtype.type(most)
        cells = x.reshape(-1, x.shape[-1])
        return cells.min(axis=0), cells.max(axis=0)


class ValueAugmenter(MapAugmenter):
    """Changes all values of a sample by a random factor, within their range.

    Parameters
    ----------
    in_shape : tuple of int
    factors : (float, float)
        What the factor is drawn between.
    value_range : ValueRange
    """

    def __init__(
        self,
        in_shape: tuple[int, ...],
        factors: tuple[float, float],
        value_range: ValueRange,
    ) -> None:
        super().__init__(in_shape)
        self.factors = factors
        self.value_range = value_range


def check_value_range(value: Any) -> ValueRange:
    """Return the range for a hyperparameter `value_range`."""
    if value is None:
        return ValueRange(None)
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(
            "value_range must be a pair (smallest, largest), such as (0, 255), or "
            f"None; got {value!r}."
        )
    least, most = (check_number(f"value_range[{i}]", v) for i, v in enumerate(value))
    if least >= most:
        raise ValueError(
            "value_range must be a pair (smallest, largest), the first below the "
            f"second; got {value!r}."
        )
    return ValueRange((least, most))
