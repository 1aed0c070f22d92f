"""The geometry of a convolution along one axis, for depthwise convolution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from skconvnet.ops.windows import Windows


@dataclass(frozen=True)
class Axis:
    """A convolution along one axis: output i takes input ``i * stride + t * dilation``.

    That is for tap t, and counted from the first position of the padding.

    Attributes
    ----------
    n_in, n_out : int
        Positions of the input, without padding, and of the output.
    kernel : int
        Number of taps.
    stride, dilation : int
    before : int
        Positions of padding before the input.
    """

    n_in: int
    n_out: int
    kernel: int
    stride: int
    dilation: int
    before: int


# A map of one spatial axis is a map of one row: this is the axis across it.
_SINGLE = Axis(n_in=1, n_out=1, kernel=1, stride=1, dilation=1, before=0)


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
    return (_SINGLE, axes[0]) if windows.ndim == 1 else (axes[0], axes[1])


class Inside(NamedTuple):
    """Which of several positions lie on an axis.

    Attributes
    ----------
    start, stop : int
        Those numbered from `start` to before `stop`.
    where : slice
        The positions that they have there.
    """

    start: int
    stop: int
    where: slice


@lru_cache(maxsize=4096)
def positions_inside(first: int, step: int, count: int, size: int) -> Inside:
    """Find which of the positions ``first + step * i`` lie on an axis of `size`.

    They are numbered by i, which is less than `count`. Every pass asks the same few
    questions, so the answers are cached.

    Examples
    --------
    >>> positions_inside(-3, 2, 6, 5)
    Inside(start=2, stop=4, where=slice(1, 5, 2))
    """
    start = min(max(-(first // step), 0), count)
    stop = min(max(-((first - size) // step), start), count)
    begin = first + start * step
    return Inside(start, stop, slice(begin, begin + (stop - start) * step, step))
