"""The kernels of a layer as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np

from skconvnet._suggestions import value_suggestion
from skconvnet._typing import Shape
from skconvnet.inspection.displays.fitted import (
    check_maximum,
    layers_of,
    network_of,
)
from skconvnet.inspection.displays.kernels import (
    Kernels,
    has_units,
    kernels_of,
    layer_with_kernels,
    map_before,
    sees_colors,
)
from skconvnet.inspection.displays.panels import (
    Panels,
    check_colors,
    check_matplotlib,
    open_panels,
)
from skconvnet.inspection.displays.samples import (
    NEUTRAL,
    SIGNED,
    draw_bars,
    draw_lines,
    montage,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Channels: TypeAlias = Literal["mean", "rgb", "all"] | Sequence[int]

_CHOICES = ("mean", "rgb", "all")
# Features of a kernel that are drawn as bars; more are drawn as a line.
_MAX_BARS = 40
_LINE_RATIO = 0.6


class FilterDisplay:
    """The kernels of a layer: what each of its filters responds to.

    Kernels of images are images, those of volumes are slices side by side, and those of
    series are lines. Create it with `from_estimator`.

    Parameters
    ----------
    kernels : array-like of shape (n_shown, channels, *kernel_size)
        A kernel with one to three axes per filter.
    channels : {"mean", "rgb", "all"} or list of int, default="mean"
        What is drawn of the channels, see `from_estimator`.
    layer : str, default=None
        Name of the layer, for the title.
    n_filters : int, default=None
        Number of filters of the layer. By default all are shown.
    unit : {"filter", "unit"}, default="filter"
        What the titles of the panels call a filter.

    Attributes
    ----------
    kernels : ndarray of shape (n_shown, channels, *kernel_size)
        The kernels that are drawn.
    channels : "mean", "rgb" or list of int
        What is drawn of the channels.
    axes_ : ndarray of shape (n_panels,), of Axes
    figure_ : Figure

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skconvnet import ConvNetClassifier
    >>> from skconvnet.inspection import FilterDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = ConvNetClassifier(filters=(8,), random_state=0).initialize(X, y)
    >>> display = FilterDisplay.from_estimator(clf)
    >>> display.kernels.shape
    (8, 1, 3, 3)
    >>> plt.close(display.figure_)
    """

    axes_: Any
    figure_: Any

    def __init__(
        self,
        kernels: Kernels,
        *,
        channels: Channels = "mean",
        layer: str | None = None,
        n_filters: int | None = None,
        unit: str = "filter",
    ) -> None:
        self.kernels = np.asarray(kernels)
        if not 3 <= self.kernels.ndim <= 5 or not self.kernels.size:
            raise ValueError(
                "kernels must have shape (n_shown, channels, *kernel_size), with one "
                f"to three axes of a kernel; got {self.kernels.shape}."
            )
        self.channels: Any = _checked_channels(channels, self.kernels)
        self.layer = layer
        self.n_filters = len(self.kernels) if n_filters is None else n_filters
        self.unit = unit

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,  # noqa: ANN401  estimators have no type
        layer: str | None = None,
        *,
        max_filters: int | None = 16,
        channels: Literal["auto"] | Channels = "auto",
        shape: Shape | None = None,
        position: tuple[int, ...] | None = None,
        ax: object = None,
        cmap: str | Colormap = SIGNED,
        share_scale: bool = True,
        colorbar: bool = True,
    ) -> Self:
        """Draw the kernels of a layer of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator of this package, or a pipeline or search that ends in
            one.
        layer : str, default=None
            Name of a convolution or a dense layer; of one inside of another layer,
            "block/layer" or "block/branch/layer". By default, it is the first
            convolution, or the first dense layer if there is none. The output layer of
            a network that predicts maps is a convolution, too. Of a separable
            convolution, the kernels of its spatial step are drawn, and of a spatially
            separable one the product of both steps.
        max_filters : int or None, default=16
            The number of filters that are drawn at most, from the first on. None draws
            all.
        channels : {"auto", "mean", "rgb", "all"} or list of int, default="auto"
            What is drawn of the channels of each kernel: their "mean"; the first three
            as red, green and blue; "all", or those of a list, in panels of their own,
            or for series as lines of one panel. "auto" is "rgb" if the layer sees the
            colors of X, "all" for series of up to three channels, and else "mean".
        shape : tuple of int, default=None
            How a dense layer sees a sample that is an image or series: (height, width)
            or (*spatial, channels). By default, it is the shape of the map that was
            flattened before this layer, if any.
        position : tuple of int, default=None
            The position of the output of a locally connected layer, which has other
            kernels at each. By default it is the middle.
        ax : Axes or array-like of Axes, default=None
            The axes to draw in, one for each panel. None makes a new figure.
        cmap : str or Colormap, default="RdBu_r"
            The colors from the smallest to the largest weight, with 0 in the middle.
        share_scale : bool, default=True
            Whether all panels have the same scale, so that they can be compared. With
            False, weak filters are drawn as clearly as strong ones.
        colorbar : bool, default=True
            Whether to draw the scale of colors, if it is shared.

        Returns
        -------
        display : FilterDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If there is no such layer or it has no kernels, or a parameter is wrong.
        """
        check_matplotlib(cls.__name__)
        limit = check_maximum("max_filters", max_filters)
        network = network_of(estimator, cls.__name__)
        found = layer_with_kernels(layers_of(network), layer)
        kernels = kernels_of(
            found,
            map_shape=map_before(network, found),
            shape=shape,
            position=position,
        )
        if isinstance(channels, str) and channels == "auto":
            channels = "mean"
            if (
                kernels.shape[1] == 3
                and kernels.ndim == 4
                and sees_colors(network, found)
            ):
                channels = "rgb"
            elif kernels.ndim == 3 and kernels.shape[1] <= 3:
                channels = "all"
        display = cls(
            kernels[:limit],
            channels=channels,
            layer=f"{found.path} ({found.kind})",
            n_filters=len(kernels),
            unit="unit" if has_units(found) else "filter",
        )
        return display.plot(ax, cmap=cmap, share_scale=share_scale, colorbar=colorbar)

    def plot(
        self,
        ax: object = None,
        *,
        cmap: str | Colormap = SIGNED,
        share_scale: bool = True,
        colorbar: bool = True,
    ) -> Self:
        """Draw the kernels, with the parameters of `from_estimator`.

        Returns
        -------
        self : FilterDisplay
        """
        check_colors(cmap)
        drawn, titles = self._panels()
        is_line = self.kernels.ndim == 3
        has_scale = share_scale and not is_line and self.channels != "rgb"
        panels = open_panels(
            titles,
            ax,
            owner=type(self).__name__,
            ratio=_LINE_RATIO if is_line else drawn[0].shape[0] / drawn[0].shape[1],
            is_image=not is_line,
            n_columns=len(titles) // len(self.kernels),
            has_colorbar=has_scale and colorbar,
        )
        largest = max(float(np.nanmax(np.abs(values))) for values in drawn) or 1.0
        image = None
        for axes, values in zip(panels.axes, drawn, strict=True):
            own = largest if share_scale else float(np.nanmax(np.abs(values))) or 1.0
            if is_line:
                _draw_line(axes, values, as_bars=self.unit == "unit")
                axes.set_ylim(-1.1 * own, 1.1 * own)
            elif values.ndim == 3:
                axes.imshow(values / (2 * own) + 0.5, interpolation="nearest")
            else:
                image = axes.imshow(
                    values, cmap=cmap, vmin=-own, vmax=own, interpolation="nearest"
                )
        if is_line:
            _label_lines(panels)
            if isinstance(self.channels, list) and len(self.channels) > 1:
                labels = [f"channel {c}" for c in self.channels]
                panels.add_legend(panels.axes[0].get_lines()[: len(labels)], labels)
        if has_scale and colorbar:
            panels.add_colorbar(image, self._scale_label())
        panels.set_suptitle(self._title())
        self.axes_, self.figure_ = panels.axes, panels.figure
        return self

    def _panels(self) -> tuple[list[Any], list[str]]:
        """Return what each panel shows, and its title."""
        names = [f"{self.unit} {i}" for i in range(len(self.kernels))]
        if self.channels == "rgb":
            return list(np.moveaxis(self.kernels, 1, -1)), names
        if self.channels == "mean":
            chosen = self.kernels.mean(axis=1, keepdims=True)
        else:
            chosen = self.kernels[:, self.channels]
        if self.kernels.ndim == 3:
            return list(chosen.swapaxes(1, 2)), names
        if self.channels != "mean":
            names = [f"{name}, channel {c}" for name in names for c in self.channels]
        maps = chosen.reshape(-1, *chosen.shape[2:])
        return [montage(m) if m.ndim == 3 else m for m in maps], names

    def _scale_label(self) -> str:
        n_channels = self.kernels.shape[1]
        if self.channels == "mean" and n_channels > 1:
            return f"mean weight of {n_channels} channels"
        return "weight"

    def _title(self) -> str:
        n, total = len(self.kernels), self.n_filters
        shown = f"{n}" if n == total else f"{n} of {total}"
        plural = "" if total == 1 else "s"
        title = f"{shown} {self.unit}{plural}"
        if self.layer:
            title = f"{self.layer}: {title}"
        return f"{title}; gray is 0" if self.channels == "rgb" else title


def _checked_channels(channels: object, kernels: Kernels) -> str | list[int]:
    """Return "mean", "rgb" or the indices of channels, or raise an error."""
    n = kernels.shape[1]
    if isinstance(channels, str):
        if channels not in _CHOICES:
            hint = value_suggestion("channels", channels, ("auto", *_CHOICES))
            raise ValueError(
                "channels must be 'auto', 'mean', 'rgb', 'all' or a list of indices; "
                f"got {channels!r}.{hint}"
            )
        if channels == "rgb" and (n != 3 or kernels.ndim != 4):
            raise ValueError(
                "channels='rgb' needs kernels of images with 3 channels; got kernels "
                f"with {n} channels and {kernels.ndim - 2} spatial axes. Use "
                "channels='mean'."
            )
        return list(range(n)) if channels == "all" else channels
    indices = np.asarray(channels)
    is_valid = indices.ndim == 1 and indices.size and indices.dtype.kind in "iu"
    if not is_valid or not ((indices >= 0) & (indices < n)).all():
        raise ValueError(
            f"channels must be a list of indices from 0 to {n - 1}; got {channels!r}."
        )
    return [int(i) for i in indices]


def _draw_line(ax: Axes, values: Kernels, *, as_bars: bool) -> None:
    """Draw a kernel (length, channels); of few features, optionally as bars."""
    length, channels = values.shape
    if as_bars and channels == 1 and length <= _MAX_BARS:
        draw_bars(ax, values[:, 0])
    else:
        draw_lines(ax, values)
        ax.axhline(0, color=NEUTRAL, linewidth=0.8)


def _label_lines(panels: Panels) -> None:
    for axes in panels.first_column:
        axes.set_ylabel("weight", fontsize="small")
