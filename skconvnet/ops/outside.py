"""What is read from positions outside a map."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

# The value of all positions outside a map. "nearest" repeats the values at its edges.
# "reflect" mirrors the map at the centers of its edges, so that these are not repeated.
Fill: TypeAlias = float | Literal["nearest", "reflect"]


def reflected(
    positions: npt.NDArray[np.integer], length: int
) -> npt.NDArray[np.integer]:
    """Return the positions inside a line that those outside it are mirrored to.

    It is mirrored as often as necessary, as by ``numpy.pad(mode="reflect")``. A line of
    length 1 is repeated.

    >>> reflected(np.arange(-3, 7), 3)
    array([1, 2, 1, 0, 1, 2, 1, 0, 1, 2])
    """
    if length == 1:
        return np.zeros_like(positions)
    period = 2 * (length - 1)
    once = np.abs(positions) % period
    inside: npt.NDArray[np.integer] = np.minimum(once, period - once)
    return inside


def reflect_between(positions: npt.NDArray[Any], length: int, out: np.ndarray) -> None:
    """Do the same in place with positions that may lie between those of the line.

    Parameters
    ----------
    positions : ndarray of float
        Overwritten. Positions inside the line keep every bit.
    length : int
    out : ndarray, shaped like positions
        Room for intermediate results.

    Examples
    --------
    >>> positions = np.array([-1.25, 0.5, 2.0, 2.5, 4.0])
    >>> reflect_between(positions, 3, np.empty(5))
    >>> positions
    array([1.25, 0.5 , 2.  , 1.5 , 0.  ])
    """
    if length == 1:
        positions[...] = 0
        return
    # The distance to the nearest of the positions at which the mirrored line repeats.
    period = 2 * (length - 1)
    np.divide(positions, period, out=out)
    np.rint(out, out=out)
    out *= period
    positions -= out
    np.abs(positions, out=positions)
