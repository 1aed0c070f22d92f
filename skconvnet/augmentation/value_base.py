"""Base classes of random changes to brightness and contrast."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._checks import is_sequence
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, MapAugmenter, uniform
from skconvnet.augmentation.checks import check_number
from skconvnet.ops.workspace import Workspace

# A number for all samples, or one per sample: (batch,).
Bound: TypeAlias = npt.NDArray[np.floating] | np.floating


class ValueRange:
    """Bounds on the values of samples.

    Parameters
    ----------
    bounds : (float, float) or None
        The bounds; None means the smallest and the largest value of each sample.
    """

    def __init__(self, bounds: tuple[float, float] | None) -> None:
        self.bounds = bounds

    def of(self, x: FeatureMap) -> tuple[Bound, Bound]:
        """Return the bounds for batch-last maps: two numbers, or a pair per sample.

        >>> least, most = ValueRange(None).of(np.array([[1.0, 5.0], [2.0, 3.0]]))
        >>> least, most
        (array([1., 3.]), array([2., 5.]))
        """
        if self.bounds is not None:
            least, most = self.bounds
            return x.dtype.type(least), x.dtype.type(most)
        values = x.reshape(-1, x.shape[-1])
        return values.min(axis=0), values.max(axis=0)


@dataclass(eq=False, repr=False)
class ValueAugmentation(Augmentation):
    """A change to all values of a sample by a random factor, within their range.

    Subclasses define the effect of the factor.

    Parameters
    ----------
    factor : float or (float, float), default=0.2
        The largest change, or a pair with the smallest and the largest factor.
    value_range : (float, float) or None, default=None
        The smallest and the largest value that a sample may have.
    """

    factor: float | tuple[float, float] = 0.2
    value_range: tuple[float, float] | None = None

    # The factor that changes nothing.
    _neutral: ClassVar[float]

    @abstractmethod
    def _factors(self) -> tuple[float, float]:
        """Check `factor`, and return the smallest and the largest factor."""

    @abstractmethod
    def _augmenter(
        self, in_shape: Shape, factors: tuple[float, float], value_range: ValueRange
    ) -> ValueAugmenter:
        """Return an augmenter that draws factors within these bounds."""

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        factors = self._factors()
        value_range = check_value_range(self.value_range)
        if factors == (self._neutral, self._neutral):
            return None
        return self._augmenter(in_shape, factors, value_range)


class ValueAugmenter(MapAugmenter):
    """Changes all values of a sample by a random factor, within their range.

    Parameters
    ----------
    in_shape : tuple of int
    factors : (float, float)
        The smallest and the largest factor.
    value_range : ValueRange
    """

    def __init__(
        self,
        in_shape: Shape,
        factors: tuple[float, float],
        value_range: ValueRange,
    ) -> None:
        super().__init__(in_shape)
        self.factors = factors
        self.value_range = value_range

    @override
    def change(
        self, x: FeatureMap, rng: np.random.Generator, workspace: Workspace
    ) -> FeatureMap:
        least, most = self.value_range.of(x)
        factor = uniform(rng, self.factors, x.shape[-1]).astype(x.dtype)
        y = workspace.array("y", x.shape, x.dtype)
        self._apply(x, factor, most - least, y)
        return np.clip(y, least, most, out=y)

    @abstractmethod
    def _apply(
        self, x: FeatureMap, factor: FeatureMap, span: Bound, y: FeatureMap
    ) -> None:
        """Write the changed maps, which may exceed the range, into `y`.

        Parameters
        ----------
        x, y : ndarray of shape (channels, *spatial, batch)
            `y` is contiguous.
        factor : ndarray of shape (batch,)
        span : float or ndarray of shape (batch,)
            Width of the range.
        """


def check_value_range(value: object) -> ValueRange:
    """Return the range for a hyperparameter `value_range`."""
    if value is None:
        return ValueRange(None)
    if not is_sequence(value) or len(value) != 2:
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
