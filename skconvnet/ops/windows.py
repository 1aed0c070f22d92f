"""Windows that slide over a map: their sizes, padding and positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import numpy as np

from skconvnet._checks import per_axis
from skconvnet._memory import check_map_fits
from skconvnet._typing import Lengths, Shape
from skconvnet.ops.padding import pad_amounts

# There are slices for each tap of a kernel, and for each stride phase.
_MAX_TAPS = 500_000


class NoOutputError(ValueError):
    """Raised for windows that are larger than the padded map.

    Parameters
    ----------
    message : str
    window : str
        The parameters that make the window too large, such as "pool_size=(2, 2)".
    in_shape : tuple of int
        Spatial sizes of the map without padding.
    """

    def __init__(self, message: str, window: str = "", in_shape: Shape = ()) -> None:
        super().__init__(message)
        self.window = window
        self.in_shape = in_shape


@dataclass(frozen=True)
class Windows:
    """Geometry of windows that slide over a map of fixed size.

    Along an axis, tap t of window w is at position ``w * stride + t * dilation`` of the
    padded map.

    Attributes
    ----------
    in_shape, out_shape : tuple of int
        Spatial sizes without padding, and the number of windows along each axis.
    kernel, strides, dilation : tuple of int
    pads : tuple of (int, int)
        Positions added before and after each axis.
    has_fixed_pads : bool
        Whether the pads are the same for maps of any size.
    """

    in_shape: Shape
    out_shape: Shape
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    has_fixed_pads: bool = True

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.in_shape)

    @property
    def size(self) -> int:
        """Number of taps of one window."""
        return prod(self.kernel)

    @cached_property
    def padded_shape(self) -> Shape:
        """Spatial sizes with the padding."""
        return tuple(
            n + before + after
            for n, (before, after) in zip(self.in_shape, self.pads, strict=True)
        )

    @cached_property
    def is_padded(self) -> bool:
        """Whether there is any padding."""
        return any(before or after for before, after in self.pads)

    @cached_property
    def are_disjoint(self) -> bool:
        """Whether no two windows share a position."""
        return all(s >= k for s, k in zip(self.strides, self.kernel, strict=True))

    @cached_property
    def is_tiling(self) -> bool:
        """Whether each position of the padded map is in exactly one window."""
        return self.strides == self.kernel and all(
            n == m * k
            for n, m, k in zip(
                self.padded_shape, self.out_shape, self.kernel, strict=True
            )
        )

    @cached_property
    def interior(self) -> tuple[slice, ...]:
        """The index of the map in the padded map."""
        return tuple(
            slice(before, before + n)
            for n, (before, _) in zip(self.in_shape, self.pads, strict=True)
        )

    def lengths_after(self, lengths: Lengths) -> Lengths:
        """Return how many windows sequences of these lengths have.

        A sequence without any position has no window, whatever the padding.

        >>> sliding_windows((9,), 3, strides=2).lengths_after(np.array([9, 4, 2, 0]))
        array([4, 1, 0, 0])
        """
        (before, after), *_ = self.pads
        extent = self.dilation[0] * (self.kernel[0] - 1) + 1
        rooms = lengths + (before + after - extent)
        return np.where(lengths > 0, np.maximum(rooms // self.strides[0] + 1, 0), 0)

    @cached_property
    def taps(self) -> list[tuple[slice, ...]]:
        """For each tap, its positions in the padded map, over all windows."""
        return [
            tuple(
                slice(o * d, o * d + (n - 1) * s + 1, s)
                for o, d, n, s in zip(
                    offset, self.dilation, self.out_shape, self.strides, strict=True
                )
            )
            for offset in product(*(range(k) for k in self.kernel))
        ]


def sliding_windows(
    in_shape: Shape,
    kernel: object,
    strides: object = 1,
    padding: object = "valid",
    dilation: object = 1,
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
    padding : {"valid", "same", "full"}, int, or one int or (before, after) per axis
        "same" gives ``ceil(n / stride)`` windows; if the total is odd, the extra
        position comes after the map [1]_. "full" adds the (dilated) kernel minus one on
        each side.
    kernel_name : str
        Name of the size of a window in error messages.
    allow_outside : bool
        Whether a window may lie entirely in the padding.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range, or a window is larger than the padded map.

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
    taps = per_axis(kernel_name, kernel, ndim)
    steps = per_axis("strides", strides, ndim)
    gaps = per_axis("dilation", dilation, ndim)
    extents = tuple(d * (k - 1) + 1 for k, d in zip(taps, gaps, strict=True))
    pads = pad_amounts(padding, in_shape, extents, steps)
    if not allow_outside and any(max(p) >= k for p, k in zip(pads, taps, strict=True)):
        raise ValueError(
            f"padding must be smaller than {kernel_name}={taps}, so that no window "
            f"holds padding alone; got {padding!r}."
        )
    out_shape = []
    for n, extent, step, (before, after) in zip(
        in_shape, extents, steps, pads, strict=True
    ):
        room = n + before + after - extent
        if room < 0:
            dilated = "" if max(gaps) == 1 else f" with dilation={gaps}"
            message = (
                f"{kernel_name}={taps} with padding={padding!r} and dilation={gaps} "
                f"does not fit an input of spatial shape {tuple(in_shape)}: a window "
                f"covers {extent} positions of an axis that has {n + before + after}, "
                f"padding included, so no output is left. Use a smaller {kernel_name}, "
                "padding='same', or fewer layers before this one."
            )
            window = f"{kernel_name}={taps}{dilated}"
            raise NoOutputError(message, window, tuple(in_shape))
        out_shape.append(room // step + 1)
    follows_size = isinstance(padding, str) and padding == "same" and max(steps) > 1
    windows = Windows(
        tuple(in_shape), tuple(out_shape), taps, steps, gaps, pads, not follows_size
    )
    check_size(windows, kernel_name)
    return windows


def check_product(name: str, sizes: tuple[int, ...]) -> None:
    """Raise a ValueError if a kernel has too many taps, or strides too many phases."""
    if prod(sizes) > _MAX_TAPS:
        raise ValueError(
            f"{name}={sizes} must have a product of at most {_MAX_TAPS}; got "
            f"{prod(sizes)}."
        )


def check_size(windows: Windows, kernel_name: str = "kernel_size") -> None:
    """Raise a ValueError if windows, or the map that they slide over, are too large.

    >>> check_size(sliding_windows((7, 7), 3))
    """
    check_product(kernel_name, windows.kernel)
    check_map_fits(
        windows.padded_shape,
        f"With {kernel_name}={windows.kernel}, strides={windows.strides}, dilation="
        f"{windows.dilation} and padding of {windows.pads}, the padded map",
        "Use smaller values.",
    )
