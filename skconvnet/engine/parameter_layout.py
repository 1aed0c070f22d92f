"""The layout of the flat vector of weights, of which named arrays are views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

import numpy as np

from skconvnet._typing import FlatVector, Shape


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
            name: vector[self._starts[name] :][: prod(shape)].reshape(shape)
            for name, shape in self.shapes.items()
        }
