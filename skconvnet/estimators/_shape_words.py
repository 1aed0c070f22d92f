"""Shapes of samples in words, for messages."""

from __future__ import annotations

from collections.abc import Sequence

from skconvnet._typing import Shape

# The spatial axes of a sample, by their number.
_AXES = {
    1: ("length",),
    2: ("height", "width"),
    3: ("depth", "height", "width"),
}

_NOUNS = {0: "a text", 1: "a sequence", 2: "an image", 3: "a volume"}

RULE = (
    "Without input_shape, X of shape (n, length, 1) has sequences, (n, height, width) "
    "gray images, (n, height, width, channels) images and (n, depth, height, width, "
    "channels) volumes. For anything else, set input_shape to the shape of a sample: "
    "(length, channels) for sequences, (height, width, channels) for images, (depth, "
    "height, width, channels) for volumes."
)


def names_of_axes(spatial_ndim: int, *, channels_first: bool = False) -> str:
    """Return the shape of a sample, with a name in place of each length.

    >>> names_of_axes(2), names_of_axes(1, channels_first=True)
    ('(height, width, channels)', '(channels, length)')
    """
    axes = _AXES[spatial_ndim]
    names = ("channels", *axes) if channels_first else (*axes, "channels")
    return f"({', '.join(names)})"


def lengths(shape: Shape) -> str:
    """Return the lengths of a sample's axes, given channels last.

    >>> lengths((3, 32, 32)), lengths((50, 1))
    ('height 3, width 32, 32 channels', 'length 50, 1 channel')
    >>> lengths((50,))
    'rows of length 50'
    """
    if len(shape) == 1:
        return f"rows of {size(shape)}"
    *spatial, channels = shape
    axes = zip(_AXES[len(spatial)], spatial, strict=True)
    plural = "" if channels == 1 else "s"
    return ", ".join([*(f"{a} {n}" for a, n in axes), f"{channels:,} channel{plural}"])


def kind(shape: Shape) -> str:
    """Return what samples of a shape are, given channels last.

    >>> kind((8, 8, 1)), kind((32, 32, 3)), kind((50, 2))
    ('8x8 gray images', '32x32 images of 3 channels', 'sequences of length 50, 2 channels')
    >>> kind((1, 30, 1))
    'series of 30 values (images of height 1)'
    """  # noqa: E501  the example is one line
    *spatial, channels = shape
    if len(spatial) == 2 and channels == 1:
        if spatial[0] == 1:
            values = "value" if spatial[1] == 1 else "values"
            return f"series of {spatial[1]:,} {values} (images of height 1)"
        return f"{times(spatial)} gray images"
    if len(spatial) == 2:
        return f"{times(spatial)} images of {channels:,} channels"
    return f"{'sequences' if len(spatial) == 1 else 'volumes'} of {lengths(shape)}"


def times(sizes: Sequence[int]) -> str:
    """Return sizes as in "8x8"."""
    return "x".join(map(str, sizes))


def size(sizes: Sequence[int]) -> str:
    """Return the size of a sample or a map.

    >>> size((8, 9)), size((50,))
    ('8x9', 'length 50')
    """
    return f"length {sizes[0]}" if len(sizes) == 1 else times(sizes)


def noun(shape: Shape) -> str:
    """Return what one sample of a shape is.

    >>> noun((8, 8, 3))
    'an image'
    """
    return _NOUNS[len(shape) - 1]


def of_many(shape: Sequence[int]) -> str:
    """Return the shape of X for samples of a shape.

    >>> of_many((3, 32, 32))
    '(n, 3, 32, 32)'
    """
    return f"({', '.join(['n', *map(str, shape)])})"
