"""The layout of the flat vector of weights, of which named arrays are views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np

from skconvnet._typing import FlatVector, Shape
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.optimizers.layout import WeightArray

_NONE: Mapping[str, Any] = MappingProxyType({})


class ParameterLayout:
    """The position of each named array in a flat vector.

    Arrays that `alpha` shrinks come first, so that the penalty and its gradient are
    computed in one operation on a contiguous slice::

        0                        n_penalized               size
        | a/kernel | b/kernel | ... | a/bias | b/bias | ... |

    The arrays of frozen layers are not part of this vector, see `Network.state`.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
    penalized : iterable of str
        Names of the arrays that come first.

    Attributes
    ----------
    shapes : dict of str to tuple of int
    size : int
        How many numbers all arrays have.
    n_penalized : int
        How many numbers the arrays have that `alpha` shrinks.

    Examples
    --------
    >>> layout = ParameterLayout({"a/bias": (2,), "a/kernel": (3, 2)}, {"a/kernel"})
    >>> layout.size, layout.n_penalized
    (8, 6)
    >>> layout.views(np.arange(8.0))["a/bias"]
    array([6., 7.])
    """

    def __init__(self, shapes: Mapping[str, Shape], penalized: Iterable[str]) -> None:
        self.shapes = dict(shapes)
        penalized = set(penalized)
        first = [name for name in shapes if name in penalized]
        rest = [name for name in shapes if name not in penalized]
        self._starts: dict[str, int] = {}
        self.size = 0
        for name in first + rest:
            self._starts[name] = self.size
            self.size += prod(shapes[name])
        self.n_penalized = sum(prod(shapes[name]) for name in first)

    def views(self, vector: FlatVector) -> dict[str, np.ndarray]:
        """Return the named arrays of `vector`, in the order of `shapes`."""
        return {
            name: vector[self._position(name)].reshape(shape)
            for name, shape in self.shapes.items()
        }

    def arrays(
        self,
        hidden: Mapping[str, MatrixForm] = _NONE,
        rate_factors: Mapping[str, float] = _NONE,
        decay_factors: Mapping[str, float] = _NONE,
    ) -> list[WeightArray]:
        """Return the arrays in the order of the vector, as optimizers see them.

        Parameters
        ----------
        hidden : mapping of str to MatrixForm
            How some of the arrays are matrices. It may have others as well, such as
            those of frozen layers.
        rate_factors : mapping of str to float
            The learning rates of arrays, as multiples of that of the training; 1 for
            those that are left out.
        decay_factors : mapping of str to float
            The weight decays of arrays, as multiples of that of the optimizer, in the
            same way.
        """
        return [
            WeightArray(
                name,
                self._position(name),
                hidden.get(name),
                rate_factors.get(name, 1.0),
                decay_factors.get(name, 1.0),
            )
            for name in self._starts
        ]

    def penalized_runs(self, factors: Mapping[str, float]) -> list[tuple[slice, float]]:
        """Return slices of the penalized part, and their factors in the penalty.

        Parameters
        ----------
        factors : mapping of str to float
            The factors of arrays; 1 for those that are left out.

        Examples
        --------
        >>> shapes = {"a/kernel": (3,), "b/kernel": (2,), "c/kernel": (1,)}
        >>> layout = ParameterLayout(shapes, shapes)
        >>> layout.penalized_runs({"c/kernel": 0.5})
        [(slice(0, 5, None), 1.0), (slice(5, 6, None), 0.5)]
        """
        names = [n for n, start in self._starts.items() if start < self.n_penalized]
        runs = []
        for factor, run in groupby(names, lambda name: factors.get(name, 1.0)):
            positions = [self._position(name) for name in run]
            runs.append((slice(positions[0].start, positions[-1].stop), factor))
        return runs

    def _position(self, name: str) -> slice:
        start = self._starts[name]
        return slice(start, start + prod(self.shapes[name]))
