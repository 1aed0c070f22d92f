"""Windows sliding over a map: sizes, padding and where each window starts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

from skconvnet._checks import is_int, per_axis

PADDINGS = ("valid", "same", "full")


@dataclass(frozen=True)
class Windows:
    """Geometry of windows that slide over a map of fixed size.

    Attributes
    ----------
    in_shape, out_shape : tuple of int
        Spatial sizes before padding, and the number of windows along each axis.
    kernel, strides, dilation : tuple of int
    pads : tuple of (int, int)
        Cells added before and after each axis.
    """

    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]

    @property
    def ndim(self) -> int:
        return len(self.in_shape)

    @property
    def size(self) -> int:
        """Cells of one window."""
        return prod(self.kernel)

    @cached_property
    def padded_shape(self) -> tuple[int, ...]:
        return tuple(
            n + before + after
            for n, (before, after) in zip(self.in_shape, self.pads, strict=True)
        )

    @cached_property
    def is_padded(self) -> bool:
        return any(before or after for before, after in self.pads)

    @cached_property
    def are_apart(self) -> bool:
        """Whether no cell is in two windows."""
        return all(s >= k for s, k in zip(self.strides, self.kernel, strict=True))

    @cached_property
    def is_tiling(self) -> bool:
        """Whether each cell of the padded map is in exactly one window."""
        return self.strides == self.kernel and all(
            n == m * k
            for n, m, k in zip(
                self.padded_shape, self.out_shape, self.kernel, strict=True
            )
        )

    @cached_property
    def interior(self) -> tuple[slice, ...]:
        """Where the map itself lies in its padded copy."""
        return tuple(
            slice(before, before + n)
            for n, (before, _) in zip(self.in_shape, self.pads, strict=True)
        )

    @cached_property
    def taps(self) -> list[tuple[slice, ...]]:
        """For each tap, the positions of the padded map under it in all windows."""
        return [
            tuple(
                slice(o * d, o * d + (n - 1) * s + 1, s)
                for o, d, n, s in zip(
                    offset, self.dilation, self.out_shape, self.strides, strict=True
                )
            )
            for offset in product(*(range(k) for k in self.kernel))
        ]

    # The name from before, until the last caller has moved.
    @property
    def cells(self) -> list[tuple[slice, ...]]:
        """Do what `taps` does."""
        return self.taps


def sliding_windows(
    in_shape: tuple[int, ...],
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    *,
    kernel_name: str = "kernel_size",
    allow_outside: bool = True,
) -> Windows:
    """Check the parameters of a windowed layer and work out its geometry.

    Parameters
    ----------
    in_shape : tuple of int
        Spatial sizes of the map.
    kernel, strides, dilation : int or tuple of int
    padding : {"valid", "same", "full"}, int, or one int or (before, after) an axis
        "same" gives ``ceil(n / stride)`` windows, an odd total putting the extra
        cell after [1]_; "full" adds the (dilated) kernel minus one on each side.
    kernel_name : str
        What the window's size is called in error messages.
    allow_outside : bool
        Whether a window may lie wholly in the padding.

    Raises
    ------
    TypeError, ValueError
        For a value out of range, or a window larger than the padded map.

    References
    ----------
    .. [1] V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
       learning", 2016.

    Examples
    --------
    >>> sliding_windows((7, 7), 3, strides=2, padding="same").out_shape
    (4, 4)
    """
    ndim = len(in_shape)
    kernel = per_axis(kernel_name, kernel, ndim)
    strides = per_axis("strides", strides, ndim)
    dilation = per_axis("dilation", dilation, ndim)
    extent = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    pads = pad_amounts(padding, in_shape, extent, strides)
    if not allow_outside and any(
        max(p) >= k for p, k in zip(pads, kernel, strict=True)
    ):
        raise ValueError(
            f"padding must be smaller than {kernel_name}={kernel}, or some windows "
            f"would hold padding alone; got {padding!r}."
        )
    out_shape = []
    for n, e, s, (before, after) in zip(in_shape, extent, strides, pads, strict=True):
        room = n + before + after - e
        if room < 0:
            raise ValueError(
                f"{kernel_name}={kernel} with padding={padding!r} and "
                f"dilation={dilation} does not fit an input of spatial shape "
                f"{tuple(in_shape)}: a window covers {e} cells of an axis that has "
                f"{n + before + after}, padding included, so no output is left. Use a "
                f"smaller {kernel_name}, padding='same', or fewer layers before."
            )
        out_shape.append(room // s + 1)
    return Windows(tuple(in_shape), tuple(out_shape), kernel, strides, dilation, pads)


def pad_amounts(
    padding: Any,
    in_shape: tuple[int, ...],
    extent: tuple[int, ...],
    strides: tuple[int, ...],
) -> tuple[tuple[int, int], ...]:
    """Return the cells that `padding` stands for, (before, after) each axis."""
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * len(in_shape)
        if padding == "full":
            return tuple((e - 1, e - 1) for e in extent)
        if padding == "same":
            totals = [
                max((-(-n // s) - 1) * s + e - n, 0)
                for n, e, s in zip(in_shape, extent, strides, strict=True)
            ]
            return tuple((total // 2, total - total // 2) for total in totals)
    ndim = len(in_shape)
    values = (padding,) * ndim if is_int(padding) else padding
    if not isinstance(values, (tuple, list)) or len(values) != ndim:
        raise _bad_padding(padding, ndim)
    pads = []
    for value in values:
        pair = (value, value) if is_int(value) else value
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise _bad_padding(padding, ndim)
        if not all(is_int(v) and v >= 0 for v in pair):
            raise _bad_padding(padding, ndim)
        pads.append((int(pair[0]), int(pair[1])))
    return tuple(pads)


def _bad_padding(padding: Any, ndim: int) -> ValueError:
    return ValueError(
        f"padding must be one of {', '.join(map(repr, PADDINGS))}, a non-negative int, "
        f"or a tuple of {ndim} entries, each an int or a (before, after) pair; got "
        f"{padding!r}."
    )
