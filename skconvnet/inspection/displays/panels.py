"""The panels of a picture: how many in a row, their sizes, titles and color bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from skconvnet._optional import import_optional
from skconvnet._suggestions import did_you_mean
from skconvnet.inspection.displays.titles import (
    broken,
    line_height,
    width_of,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure, SubFigure

# Side of a square panel, in inches, of pictures of up to so many panels.
_SIDES = ((1, 3.4), (4, 2.4))
_SMALL_SIDE = 1.7
# Panels are at most this many times as long along one side as along the other.
_MAX_RATIO = 4.0
# Width of a picture over its height, and its largest width in inches.
_PICTURE_RATIO = 1.5
_MAX_WIDTH = 14.0
# What missing panels cost, as a share of all, next to the logarithm of a wrong ratio.
_COST_OF_MISSING = 4.0
# Inches around the panels, for the labels of their ticks, beside a color bar, and
# above for the title of the picture.
_MARGIN, _TICKS, _COLORBAR, _SUPTITLE = 0.15, 0.4, 0.9, 0.4


def check_matplotlib(owner: str) -> None:
    """Raise an ImportError that says how to install matplotlib if it is missing."""
    needed = f"{owner} needs matplotlib to draw"
    import_optional("matplotlib", needed, "plot", "matplotlib")


# A legend with more entries, or longer ones, is below the panels; and the width of the
# line before each.
_MAX_ENTRIES, _MAX_LETTERS, _HANDLE = 6, 24, 0.6


def check_colors(cmap: str | Colormap | None) -> None:
    """Raise a ValueError if matplotlib has no color map of this name."""
    from matplotlib import colormaps

    if isinstance(cmap, str) and cmap not in colormaps:
        raise ValueError(
            "cmap must be a Colormap or the name of one, such as 'viridis'; got "
            f"{cmap!r}.{did_you_mean(cmap, colormaps)}"
        )


@dataclass(frozen=True)
class Panels:
    """The axes of a picture.

    Attributes
    ----------
    figure : Figure or SubFigure
    axes : ndarray of shape (n_panels,), of Axes
    is_own : bool
        Whether the figure was made for this picture.
    n_columns : int
        Panels in a row; 1 if the caller passed the axes.
    """

    figure: Figure | SubFigure
    axes: npt.NDArray[np.object_]
    is_own: bool
    n_columns: int

    @property
    def first_column(self) -> list[Axes]:
        """The axes at the left, whose labels serve the whole row."""
        return list(self.axes[:: self.n_columns])

    def label_first_column_only(self) -> None:
        """Leave out the names beside all panels but those at the left."""
        for i, axes in enumerate(self.axes):
            if i % self.n_columns:
                axes.tick_params(labelleft=False)

    def add_colorbar(self, mappable: Any, label: str) -> None:  # noqa: ANN401  matplotlib is optional
        """Draw the scale of colors that all panels share."""
        bar = self.figure.colorbar(mappable, ax=list(self.axes), shrink=0.9, aspect=25)
        bar.set_label(label)
        bar.outline.set_linewidth(0.5)

    def add_legend(self, handles: Sequence[Any], labels: Sequence[str]) -> None:
        """Explain lines in the first panel if they are few, and else below all."""
        is_long = len(labels) > _MAX_ENTRIES or max(map(len, labels)) > _MAX_LETTERS
        if not is_long or not self.is_own:
            self.axes[0].legend(handles, labels, fontsize="small")
            return
        labels = [broken(label, 2 * _MAX_LETTERS) for label in labels]
        letters = max(len(line) for label in labels for line in label.split("\n"))
        n_lines = max(label.count("\n") + 1 for label in labels)
        figure: Any = self.figure
        width, height = figure.get_size_inches()
        entry = _HANDLE + width_of(letters)
        columns = max(1, floor(width / entry))
        rows = ceil(len(labels) / columns)
        room = rows * n_lines * line_height() + 2 * _MARGIN
        figure.set_size_inches(width, height + room)
        figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=min(columns, len(labels)),
            fontsize="small",
        )

    def set_suptitle(self, text: str) -> None:
        """Write a title above all panels, unless the figure is the caller's."""
        if self.is_own:
            self.figure.suptitle(text, fontsize="medium")


def open_panels(
    titles: Sequence[str],
    ax: object = None,
    *,
    owner: str,
    ratio: float = 1.0,
    is_image: bool = True,
    n_columns: int | None = None,
    has_colorbar: bool = False,
) -> Panels:
    """Return a panel for each title, in a new figure or in the axes of the caller.

    Parameters
    ----------
    titles : sequence of str
    ax : Axes, array-like of Axes or None
        The axes to draw in; those after the last panel are left alone.
    owner : str
        Name of the class, for error messages.
    ratio : float
        Height of a panel over its width.
    is_image : bool
        Whether panels have the aspect of what they show, and no ticks.
    n_columns : int, optional
        A multiple of this number of panels is drawn in a row.
    has_colorbar : bool
        Whether room for a color bar is needed.
    """
    check_matplotlib(owner)
    import matplotlib.pyplot as plt

    n = len(titles)
    if ax is not None:
        axes = _given_axes(ax, n, owner)
        # Windows of axes are known before they are drawn, but for constrained layout.
        width, _ = size_of(axes[0])
        panels = Panels(axes[0].get_figure(), axes, is_own=False, n_columns=1)
    else:
        width, height = panel_size(n, ratio)
        n_lines = max(wrapped(title, width).count("\n") + 1 for title in titles)
        room = 0.0 if is_image else _TICKS
        full_width = width + room + _MARGIN
        full_height = height + room + _MARGIN + n_lines * line_height()
        columns = columns_of(n, full_width, full_height, n_columns or 1)
        rows = ceil(n / columns)
        figure = plt.figure(
            figsize=(
                columns * full_width + _COLORBAR * has_colorbar + _MARGIN,
                rows * full_height + _SUPTITLE,
            ),
            layout="compressed" if is_image else "constrained",
        )
        grid = figure.add_gridspec(rows, columns)
        axes = np.empty(n, dtype=object)
        for i in range(n):
            axes[i] = figure.add_subplot(grid[divmod(i, columns)])
        panels = Panels(figure, axes, is_own=True, n_columns=columns)
    for panel, title in zip(panels.axes, titles, strict=True):
        if title:
            panel.set_title(wrapped(title, width), fontsize="small")
        if is_image:
            panel.set(xticks=[], yticks=[])
            for spine in panel.spines.values():
                spine.set_linewidth(0.5)
        else:
            panel.tick_params(labelsize="small")
    return panels


def size_of(axes: Axes) -> tuple[float, float]:
    """Return width and height of axes, in inches."""
    figure: Any = axes.get_figure()
    window = axes.get_window_extent()
    return float(window.width / figure.dpi), float(window.height / figure.dpi)


def open_axes(ax: object, size: tuple[float, float], *, owner: str) -> Axes:
    """Return the axes of the caller, or axes that fill a new figure of this size."""
    check_matplotlib(owner)
    import matplotlib.pyplot as plt

    if ax is not None:
        given: Axes = _given_axes(ax, 1, owner)[0]
        return given
    own: Axes = plt.figure(figsize=size).add_axes((0, 0, 1, 1))
    return own


def panel_size(n: int, ratio: float) -> tuple[float, float]:
    """Return width and height of each of `n` panels, in inches.

    >>> panel_size(1, 1.0)
    (3.4, 3.4)
    >>> panel_size(12, 4.0)
    (0.85, 3.4)
    """
    side = next((side for most, side in _SIDES if n <= most), _SMALL_SIDE)
    root = sqrt(float(np.clip(ratio, 1 / _MAX_RATIO, _MAX_RATIO)))
    return side / root, side * root


def columns_of(n: int, width: float, height: float, multiple: int = 1) -> int:
    """Return how many of `n` panels are in a row, a multiple of a number.

    The picture is to be wider than it is high, with few panels missing in the last row.

    >>> [columns_of(n, 1.7, 1.7) for n in (1, 3, 12, 16)]
    [1, 3, 4, 4]
    >>> columns_of(12, 1.7, 1.7, multiple=2)
    4
    """
    units = ceil(n / multiple)
    most = max(1, min(units, floor(_MAX_WIDTH / (multiple * width))))

    def cost(columns: int) -> float:
        rows = ceil(units / columns)
        ratio = multiple * columns * width / (rows * height)
        missing = (rows * columns - units) / units
        return abs(log(ratio / _PICTURE_RATIO)) + _COST_OF_MISSING * missing

    return multiple * min(range(1, most + 1), key=cost)


def n_axes(ax: object) -> int | None:
    """Return the number of axes that the caller passed; None for a new figure."""
    return None if ax is None else len(list(_flat(ax)))


def _given_axes(ax: object, n: int, owner: str) -> npt.NDArray[np.object_]:
    """Return the first `n` of the axes that the caller passed, or raise an error."""
    from matplotlib.axes import Axes

    given = list(_flat(ax))
    wrong = [other for other in given if not isinstance(other, Axes)]
    if wrong or not given:
        got = wrong[0] if wrong else ax
        raise TypeError(
            "ax must be None, a matplotlib Axes or an array of them, as plt.subplots "
            f"returns; got {got!r}."
        )
    if len(given) < n:
        rows = ceil(n / 4)
        raise ValueError(
            f"ax has {len(given)} axes, but {owner} draws {n} panels. Pass as many, "
            f"for example ax=plt.subplots({rows}, {ceil(n / rows)})[1], or ax=None for "
            "a new figure; or show less."
        )
    axes = np.empty(n, dtype=object)
    axes[:] = given[:n]
    return axes


def _flat(ax: object) -> Iterable[object]:
    if isinstance(ax, np.ndarray):
        return list(ax.flat)
    if isinstance(ax, list | tuple):
        return [single for part in ax for single in _flat(part)]
    return [ax]
