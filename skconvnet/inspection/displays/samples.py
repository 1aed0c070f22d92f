"""Drawing one sample: an image, a volume, a series or a row of features."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array: TypeAlias = npt.NDArray[Any]
Kind: TypeAlias = Literal["row", "series", "image", "volume"]

_KINDS: dict[int, Kind] = {1: "row", 2: "series", 3: "image", 4: "volume"}
# Height over width of the panel of a series or a row.
_FLAT_RATIO = 0.6
# Channels that are drawn as a color, and with opacity.
_COLOR, _OPACITY = 3, 4
_BYTE = 255
# Names of up to so many features are written beside the bars.
_MAX_NAMES = 12
# Ticks of lying bars, and distances between ticks that are integers.
_MAX_TICKS, _STEPS = 3, (1, 2, 5, 10)
# A color for lines that stand for nothing, which is seen on dark and on light.
NEUTRAL = "0.5"
GRAY, SIGNED, UNSIGNED = "gray", "RdBu_r", "viridis"


def kind_of(sample: Array) -> Kind:
    """Return what a sample of shape (features,) or (*spatial, channels) is.

    >>> [kind_of(np.zeros((4,) * ndim)) for ndim in (1, 2, 3, 4)]
    ['row', 'series', 'image', 'volume']
    """
    return _KINDS[sample.ndim]


def is_drawn_as_image(sample: Array) -> bool:
    """Whether the panel of a sample has the sample's own aspect."""
    return kind_of(sample) in ("image", "volume")


def ratio_of(sample: Array) -> float:
    """Return the height of a panel for the sample over its width."""
    if not is_drawn_as_image(sample):
        return _FLAT_RATIO
    height, width = flat_image(sample).shape[:2]
    return float(height / width)


def limits_of(samples: Iterable[Array]) -> tuple[float, float]:
    """Return the values that are drawn darkest and lightest.

    >>> limits_of([np.array([0.2, 0.5])]), limits_of([np.array([3, 200], np.uint8)])
    ((0.0, 1.0), (0.0, 255.0))
    >>> limits_of([np.array([-1.0, 2.0])])
    (-1.0, 2.0)
    """
    arrays = [np.asarray(sample) for sample in samples]
    if all(array.dtype == np.uint8 for array in arrays):
        return 0.0, float(_BYTE)
    low, high = extremes(arrays)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return low, high if high > low else low + 1


def extremes(arrays: Iterable[Array]) -> tuple[float, float]:
    """Return the smallest and the largest finite value, or zeros."""
    values = np.concatenate([np.ravel(array) for array in arrays]).astype(float)
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def color_scale(values: Array) -> tuple[str, float, float]:
    """Return a color map and its limits: about 0 if there are negative values.

    >>> color_scale(np.array([-1.0, 3.0]))
    ('RdBu_r', -3.0, 3.0)
    >>> color_scale(np.array([0.0, 3.0]))
    ('viridis', 0.0, 3.0)
    """
    low, high = extremes([values])
    largest = max(-low, high) or 1.0
    return (SIGNED, -largest, largest) if low < 0 else (UNSIGNED, 0.0, largest)


def montage(volume: Array) -> npt.NDArray[np.float64]:
    """Lay the slices of a (depth, height, width) array side by side, with gaps of NaN.

    >>> montage(np.zeros((3, 2, 2))).shape, montage(np.zeros((16, 2, 2))).shape
    ((2, 8), (11, 11))
    """
    depth, height, width = volume.shape
    columns = depth if depth <= _COLOR else ceil(sqrt(depth))
    rows = ceil(depth / columns)
    laid = np.full((rows * columns, height + 1, width + 1), np.nan)
    laid[:depth, :height, :width] = volume
    laid = laid.reshape(rows, columns, height + 1, width + 1)
    joined = laid.transpose(0, 2, 1, 3).reshape(rows * (height + 1), -1)
    return joined[:-1, :-1]


def flat_image(sample: Array) -> Array:
    """Return an image as (height, width), or (height, width, 3 or 4) if it has colors.

    Other numbers of channels are averaged; slices of volumes are side by side.
    """
    if sample.shape[-1] in (_COLOR, _OPACITY) and kind_of(sample) == "image":
        return sample
    mean = sample[..., 0] if sample.shape[-1] == 1 else sample.mean(axis=-1)
    return montage(mean) if kind_of(sample) == "volume" else mean


def draw_sample(
    ax: Axes,
    sample: Array,
    limits: tuple[float, float],
    names: Sequence[str] | None = None,
) -> None:
    """Draw an image or volume in gray or color, a series as lines, a row as bars.

    Parameters
    ----------
    ax : Axes
    sample : ndarray of shape (features,) or (*spatial, channels)
    limits : tuple of (float, float)
        The values that are drawn darkest and lightest.
    names : sequence of str, optional
        Names of the features of a row.
    """
    kind = kind_of(sample)
    if kind == "row":
        draw_bars(ax, sample, names)
    elif kind == "series":
        draw_lines(ax, sample)
    else:
        low, high = limits
        image = flat_image(sample)
        if image.ndim == _COLOR:
            image = np.clip((image - low) / (high - low), 0, 1)
        ax.imshow(image, cmap=GRAY, vmin=low, vmax=high, interpolation="nearest")


def draw_lines(ax: Axes, series: Array) -> None:
    """Draw each channel of a (length, channels) array as a line."""
    marker = "o" if len(series) == 1 else None
    ax.plot(np.arange(len(series)), series, linewidth=1, marker=marker)
    ax.margins(x=0 if len(series) > 1 else None)


def has_names(sample: Array, names: Sequence[str] | None) -> bool:
    """Whether the names of the features are written beside the bars of a sample."""
    return sample.ndim == 1 and names is not None and len(names) <= _MAX_NAMES


def draw_bars(
    ax: Axes,
    values: Array,
    names: Sequence[str] | None = None,
    color: object = None,
) -> None:
    """Draw a bar for each feature; with names, if these are few, lying."""
    positions = np.arange(len(values))
    options: dict[str, Any] = {} if color is None else {"color": color}
    if names is not None and has_names(values, names):
        ax.barh(positions, values, **options)
        ax.set_yticks(positions, [str(name) for name in names])
        ax.invert_yaxis()
        ax.axvline(0, color=NEUTRAL, linewidth=0.8)
        ax.locator_params("x", nbins=_MAX_TICKS)
        return
    ax.bar(positions, values, width=0.9, **options)
    ax.axhline(0, color=NEUTRAL, linewidth=0.8)
    set_integer_ticks(ax)


def set_integer_ticks(ax: Axes) -> None:
    """Put ticks only at integers of the horizontal axis."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=_STEPS, integer=True))
