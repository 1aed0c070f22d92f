"""The geometry of a convolution along one axis, for depthwise convolution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from skconvnet.ops.windows import Windows


@dataclass(frozen=True)
class Axis:
    """A convolution along one axis.

    Output i takes the input ``i * stride + t * dilation`` with tap t, counted from the
    first position of the padding.

    Attributes
    ----------
    n_in, n_out : int
        Number of positions of the input, without padding, and of the output.
    kernel : int
        Number of taps.
    stride, dilation : int
    before : int
        Number of positions of padding before the input.
    """

    n_in: int
    n_out: int
    kernel: int
    stride: int
    dilation: int
    before: int


# A map of one spatial axis is a map of one row: this is the axis of rows.
_ONE_ROW = Axis(n_in=1, n_out=1, kernel=1, stride=1, dilation=1, before=0)


def two_axes(windows: Windows) -> tuple[Axis, Axis]:
    """Return the axes of the rows and of the columns, for one or two spatial axes."""
    axes = [
        Axis(
            windows.in_shape[i],
            windows.out_shape[i],
            windows.kernel[i],
            windows.strides[i],
            windows.dilation[i],
            windows.pads[i][0],
        )
        for i in range(windows.ndim)
    ]
    return (_ONE_ROW, axes[0]) if windows.ndim == 1 else (axes[0], axes[1])


class PositionsInside(NamedTuple):
    """Which of several positions lie on an axis.

    Attributes
    ----------
    start, stop : int
        The positions number `start` to `stop - 1` lie on the axis.
    positions : slice
        These positions, as an index along the axis.
    """

    start: int
    stop: int
    positions: slice


@lru_cache(maxsize=4096)
def positions_inside(first: int, step: int, count: int, size: int) -> PositionsInside:
    """Find which of the positions ``first + step * i`` lie on an axis of length `size`.

    They are numbered by i, from 0 to ``count - 1``. Every pass needs the same few
    results, so they are cached.

    Examples
    --------
    >>> positions_inside(-3, 2, 6, 5)
    PositionsInside(start=2, stop=4, positions=slice(1, 5, 2))
    """
    start = min(max(-(first // step), 0), count)
    stop = min(max(-((first - size) // step), start), count)
    begin = first + start * step
    positions = slice(begin, begin + (stop - start) * step, step)
    return PositionsInside(start, stop, positions)
