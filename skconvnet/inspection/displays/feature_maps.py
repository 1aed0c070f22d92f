"""The feature maps of one sample as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from skconvnet._suggestions import did_you_mean
from skconvnet.inspection.displays.fitted import (
    FoundLayer,
    check_maximum,
    last_step,
    layers_of,
    network_of,
    one_sample,
)
from skconvnet.inspection.displays.kernels import CONVOLUTIONS
from skconvnet.inspection.displays.panels import (
    check_colors,
    check_matplotlib,
    open_panels,
)
from skconvnet.inspection.displays.samples import (
    color_scale,
    draw_bars,
    draw_lines,
    extremes,
    montage,
)

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

_LINE_RATIO = 0.6


class FeatureMapDisplay:
    """The output of a layer for one sample: a panel for each channel.

    Maps of images are images, those of volumes are slices side by side, and those of
    series are lines. A layer of flat features has one panel, with a bar for each.
    Create it with `from_estimator`.

    Parameters
    ----------
    maps : array-like of shape (*spatial, channels) or (features,)
        The output of a layer for one sample, channels last.
    layer : str, default=None
        Name of the layer, for the title.
    max_maps : int or None, default=16
        The number of channels that are drawn at most.

    Attributes
    ----------
    maps : ndarray of shape (*spatial, channels) or (features,)
        The whole output of the layer.
    axes_ : ndarray of shape (n_panels,), of Axes
    figure_ : Figure

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skconvnet import ConvNetClassifier
    >>> from skconvnet.inspection import FeatureMapDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = ConvNetClassifier(filters=(4,), random_state=0).initialize(X, y)
    >>> display = FeatureMapDisplay.from_estimator(clf, X[0], "pool1")
    >>> display.maps.shape
    (4, 4, 4)
    >>> plt.close(display.figure_)
    """

    axes_: Any
    figure_: Any

    def __init__(
        self,
        maps: npt.ArrayLike,
        *,
        layer: str | None = None,
        max_maps: int | None = 16,
    ) -> None:
        self.maps = np.asarray(maps)
        if not 1 <= self.maps.ndim <= 4 or not self.maps.size:
            raise ValueError(
                "maps must have shape (features,) or (*spatial, channels), with one to "
                f"three spatial axes; got {self.maps.shape}."
            )
        self.layer = layer
        self.max_maps = check_maximum("max_maps", max_maps)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,  # noqa: ANN401  estimators have no type
        x: npt.ArrayLike,
        layer: str | None = None,
        *,
        max_maps: int | None = 16,
        ax: object = None,
        cmap: str | Colormap | None = None,
        share_scale: bool = True,
        colorbar: bool = True,
    ) -> Self:
        """Draw the output of a layer of a fitted estimator for one sample.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator of this package, or a pipeline or search that ends in
            one. The steps before it transform `x`.
        x : array-like
            The sample, ``X[0]`` or ``X[:1]``.
        layer : str, default=None
            Name of a layer, as in ``estimator.summary()``. By default, it is the first
            convolution, or the first layer with weights if there is none.
        max_maps : int or None, default=16
            The number of channels that are drawn at most, from the first on. None draws
            all.
        ax : Axes or array-like of Axes, default=None
            The axes to draw in, one for each panel. None makes a new figure.
        cmap : str or Colormap, default=None
            The colors from the smallest to the largest value. By default, "viridis"
            from 0 on, or "RdBu_r" with 0 in the middle if there are negative values.
        share_scale : bool, default=True
            Whether all panels have the same scale, so that they can be compared.
        colorbar : bool, default=True
            Whether to draw the scale of colors, if it is shared.

        Returns
        -------
        display : FeatureMapDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `x` is not one sample, or there is no such layer.
        """
        check_matplotlib(cls.__name__)
        check_maximum("max_maps", max_maps)
        network = network_of(estimator, cls.__name__)
        layers = layers_of(network)
        name = _default_layer(layers) if layer is None else layer
        _check_not_inside(name, layers)
        estimator = getattr(estimator, "best_estimator_", estimator)
        model, X = last_step(estimator, one_sample(x, estimator))
        maps = model.activations(X, name)[0]
        kind = layers[name].kind
        display = cls(maps, layer=f"{name} ({kind})", max_maps=max_maps)
        return display.plot(ax, cmap=cmap, share_scale=share_scale, colorbar=colorbar)

    def plot(
        self,
        ax: object = None,
        *,
        cmap: str | Colormap | None = None,
        share_scale: bool = True,
        colorbar: bool = True,
    ) -> Self:
        """Draw the maps, with the parameters of `from_estimator`.

        Returns
        -------
        self : FeatureMapDisplay
        """
        check_colors(cmap)
        is_image = self.maps.ndim > 2
        drawn, titles = self._panels()
        has_scale = is_image and share_scale and colorbar
        panels = open_panels(
            titles,
            ax,
            owner=type(self).__name__,
            ratio=drawn[0].shape[0] / drawn[0].shape[1] if is_image else _LINE_RATIO,
            is_image=is_image,
            has_colorbar=has_scale,
        )
        image, together = None, np.stack(drawn)
        for axes, values in zip(panels.axes, drawn, strict=True):
            if is_image:
                colors, low, high = color_scale(together if share_scale else values)
                image = axes.imshow(
                    values,
                    cmap=colors if cmap is None else cmap,
                    vmin=low,
                    vmax=high,
                    interpolation="nearest",
                )
            elif self.maps.ndim == 1:
                draw_bars(axes, values)
            else:
                draw_lines(axes, values[:, np.newaxis])
                if share_scale:
                    _set_limits(axes, together)
        if has_scale:
            panels.add_colorbar(image, "activation")
        if not is_image:
            for axes in panels.first_column:
                axes.set_ylabel("activation", fontsize="small")
        panels.set_suptitle(self._title())
        self.axes_, self.figure_ = panels.axes, panels.figure
        return self

    def _panels(self) -> tuple[list[Any], list[str]]:
        """Return what each panel shows, and its title."""
        if self.maps.ndim == 1:
            return [self.maps], [""]
        drawn = list(np.moveaxis(self.maps, -1, 0)[: self.max_maps])
        if self.maps.ndim == 4:
            drawn = [montage(volume) for volume in drawn]
        return drawn, [f"channel {i}" for i in range(len(drawn))]

    def _title(self) -> str:
        total = self.maps.shape[-1]
        thing = "feature" if self.maps.ndim == 1 else "channel"
        n = total if self.max_maps is None else min(total, self.max_maps)
        shown = f"{n}" if n == total or self.maps.ndim == 1 else f"{n} of {total}"
        if self.maps.ndim == 1:
            shown = f"{total}"
        title = f"{shown} {thing}{'' if total == 1 else 's'}"
        return f"{self.layer}: {title}" if self.layer else title


def _default_layer(layers: Mapping[str, FoundLayer]) -> str:
    """Return the first convolution that `activations` knows, or a layer with weights.

    Of a layer that is made of layers, the output is what `activations` returns.
    """
    convolution = next(
        (e for e in layers.values() if isinstance(e.spec, CONVOLUTIONS)), None
    )
    if convolution is None:
        convolution = next(e for e in layers.values() if e.layer.weight_shapes)
    return convolution.path.split("/")[0]


def _check_not_inside(name: object, layers: Mapping[str, FoundLayer]) -> None:
    """Raise an error if it is not the name of a layer of the network itself."""
    own = [path for path in layers if "/" not in path]
    if name in own:
        return
    hint = did_you_mean(str(name), own)
    if name in layers:
        outer = str(name).split("/")[0]
        hint = f" {name!r} is inside of layer {outer!r}, whose output can be drawn."
    raise ValueError(
        f"layer must be one of {', '.join(map(repr, own))}; got {name!r}.{hint}"
    )


def _set_limits(axes: Any, values: npt.NDArray[Any]) -> None:  # noqa: ANN401  matplotlib is optional
    low, high = extremes([values])
    room = 0.05 * (high - low) or 0.5
    axes.set_ylim(low - room, high + room)
