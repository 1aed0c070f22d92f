"""What in a sample a prediction depends on, as heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.utils.validation import _num_samples

from skconvnet._checks import check_choice
from skconvnet._typing import Shape
from skconvnet.inspection.displays.fitted import last_step, network_of, shaped
from skconvnet.inspection.displays.panels import (
    Panels,
    check_colors,
    check_matplotlib,
    open_panels,
)
from skconvnet.inspection.displays.samples import (
    Array,
    color_scale,
    draw_bars,
    draw_sample,
    has_names,
    is_drawn_as_image,
    limits_of,
    montage,
    ratio_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Arrangement: TypeAlias = Literal["beside", "overlay"]
Reduction: TypeAlias = Literal["auto", "sum", "max", "mean"]

_ARRANGEMENTS = ("beside", "overlay")
_REDUCTIONS = ("auto", "sum", "max", "mean")
# How strongly a heat map covers an image below it.
_ALPHA = 0.5


class AttributionDisplay:
    """Samples, each beside or under the heat map of what its prediction depends on.

    Create it with `from_estimator`, or from attributions that were computed before.

    Parameters
    ----------
    samples : sequence of array-like
        Samples of shape (features,) or (*spatial, channels).
    attributions : sequence of array-like
        Their attributions, of the same shapes, or (*spatial,).
    titles : sequence of str, default=None
        A title for each sample.
    method : str, default=None
        How the attributions were computed, for the title.
    reduce : {"auto", "sum", "max", "mean"}, default="auto"
        How the attributions of the channels become one number. "auto" is "max" of
        attributions without negative values, such as the saliency, and else "sum".
    feature_names : sequence of str, default=None
        Names of the features of rows.

    Attributes
    ----------
    samples : list of ndarray
    attributions : list of ndarray
        As given.
    heat : list of ndarray of shape (features,) or (*spatial,)
        The attributions, reduced over the channels, as they are drawn.
    axes_ : ndarray of Axes
        Of shape (n_samples, 2) for "beside", the sample and its heat map, and
        (n_samples,) for "overlay".
    figure_ : Figure

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from skconvnet.inspection import AttributionDisplay
    >>> images = np.random.default_rng(0).uniform(size=(2, 8, 8, 3))
    >>> display = AttributionDisplay(images, images - 0.5).plot()
    >>> display.axes_.shape, display.heat[0].shape
    ((2, 2), (8, 8))
    >>> plt.close(display.figure_)
    """

    axes_: Any
    figure_: Any

    def __init__(
        self,
        samples: Sequence[npt.ArrayLike],
        attributions: Sequence[npt.ArrayLike],
        *,
        titles: Sequence[str] | None = None,
        method: str | None = None,
        reduce: Reduction = "auto",
        feature_names: Sequence[str] | None = None,
    ) -> None:
        self.samples = [np.asarray(sample) for sample in samples]
        self.attributions = [np.asarray(own) for own in attributions]
        n = len(self.samples)
        if not n or len(self.attributions) != n:
            raise ValueError(
                "samples and attributions must be equally many, and at least one; got "
                f"{n} and {len(self.attributions)}."
            )
        self.titles = (
            [f"sample {i}" for i in range(n)] if titles is None else list(titles)
        )
        if len(self.titles) != n:
            raise ValueError(
                f"titles must have one entry for each of the {n} samples; got "
                f"{len(self.titles)}."
            )
        self.method = method
        check_choice("reduce", reduce, _REDUCTIONS)
        self.heat = _heat(self.samples, self.attributions, reduce)
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,  # noqa: ANN401  estimators have no type
        X: Any,  # noqa: ANN401  array-like or table
        *,
        method: str = "saliency",
        target: Any = None,  # noqa: ANN401  as in `attribute`
        reduce: Reduction = "auto",
        shape: Shape | None = None,
        arrangement: Arrangement = "beside",
        ax: object = None,
        cmap: str | Colormap | None = None,
        share_scale: bool = False,
        colorbar: bool = True,
        **options: Any,  # noqa: ANN401  as in `attribute`
    ) -> Self:
        """Compute and draw what the predictions for samples depend on.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator of this package, or a pipeline or search that ends in
            one. Of a pipeline, what the last step depends on is drawn, and the samples
            as the steps before it transform them.
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The samples, of which all are drawn: pass ``X[:4]``, for example.
        method, target, **options
            As in `skconvnet.inspection.attribute`.
        reduce : {"auto", "sum", "max", "mean"}, default="auto"
            How the attributions of the channels become one number. "auto" is "max" of
            attributions without negative values, such as the saliency, and else "sum".
        shape : tuple of int, default=None
            How rows are drawn: (height, width) or (*spatial, channels). By default,
            rows that the network reads as images are drawn as these.
        arrangement : {"beside", "overlay"}, default="beside"
            Whether each heat map is beside its sample, or over it. Over bars and lines
            it is their color, or that of the background.
        ax : Axes or array-like of Axes, default=None
            The axes to draw in: two for each sample for "beside", and else one. None
            makes a new figure.
        cmap : str or Colormap, default=None
            The colors of the heat maps. By default, "viridis" from 0 on, or "RdBu_r"
            with 0 in the middle if there are negative values.
        share_scale : bool, default=False
            Whether all heat maps have the same scale, so that samples can be compared.
        colorbar : bool, default=True
            Whether to draw the scale of colors. If it is not shared, it goes from 0 to
            the largest absolute value of each sample.

        Returns
        -------
        display : AttributionDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If a parameter is wrong.
        """
        check_matplotlib(cls.__name__)
        check_choice("arrangement", arrangement, _ARRANGEMENTS)
        check_choice("reduce", reduce, _REDUCTIONS)
        network_of(estimator, cls.__name__)
        from skconvnet.inspection import attribute

        model, X = last_step(estimator, X)
        values = attribute(model, X, method=method, target=target, **options)
        rows = [X.iloc[i] for i in range(len(X))] if hasattr(X, "iloc") else list(X)
        samples = [shaped(row, model, shape) for row in rows]
        names = getattr(X, "columns", None)
        display = cls(
            samples,
            [
                _like(own, row, sample, model, shape)
                for own, row, sample in zip(values, rows, samples, strict=True)
            ],
            titles=_titles(model, X, target),
            method=method,
            reduce=reduce,
            feature_names=None if names is None else list(names),
        )
        return display.plot(
            ax,
            arrangement=arrangement,
            cmap=cmap,
            share_scale=share_scale,
            colorbar=colorbar,
        )

    def plot(
        self,
        ax: object = None,
        *,
        arrangement: Arrangement = "beside",
        cmap: str | Colormap | None = None,
        share_scale: bool = False,
        colorbar: bool = True,
    ) -> Self:
        """Draw samples and heat maps, with the parameters of `from_estimator`.

        Returns
        -------
        self : AttributionDisplay
        """
        check_choice("arrangement", arrangement, _ARRANGEMENTS)
        check_colors(cmap)
        first = self.samples[0]
        is_image = is_drawn_as_image(first)
        is_beside = arrangement == "beside"
        titles = self.titles
        if is_beside:
            name = (self.method or "attribution").replace("_", " ")
            titles = [text for title in self.titles for text in (title, name)]
        has_scale = colorbar and (share_scale or is_image or not is_beside)
        panels = open_panels(
            titles,
            ax,
            owner=type(self).__name__,
            ratio=ratio_of(first),
            is_image=is_image,
            n_columns=2 if is_beside else 1,
            has_colorbar=has_scale,
        )
        pairs = panels.axes.reshape(len(self.samples), -1)
        scales = self._scales(cmap, share_scale=share_scale)
        limits = limits_of(self.samples)
        for axes, sample, heat, scale in zip(
            pairs, self.samples, self.heat, scales, strict=True
        ):
            if is_beside:
                draw_sample(axes[0], sample, limits, self.feature_names)
                _draw_heat(axes[1], heat, scale, self.feature_names)
            else:
                _draw_over(axes[0], sample, heat, scale, limits, self.feature_names)
        if has_scale:
            self._add_colorbar(panels, scales, share_scale=share_scale)
        if has_names(first, self.feature_names):
            panels.label_first_column_only()
        if not is_beside:
            panels.set_suptitle((self.method or "attributions").replace("_", " "))
        self.axes_ = pairs if is_beside else panels.axes
        self.figure_ = panels.figure
        return self

    def _scales(self, cmap: str | Colormap | None, *, share_scale: bool) -> list[Any]:
        """Return for each sample what maps its attributions to colors."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        together = np.concatenate([np.ravel(heat) for heat in self.heat])
        colors, _, _ = color_scale(together)
        scales = []
        for heat in self.heat:
            _, low, high = color_scale(together if share_scale else heat)
            if together.min() < 0 <= low:
                low = -high  # the same colors in all panels
            norm = Normalize(low, high)
            scales.append(ScalarMappable(norm, colors if cmap is None else cmap))
        return scales

    def _add_colorbar(
        self, panels: Panels, scales: Sequence[Any], *, share_scale: bool
    ) -> None:
        if share_scale or len(scales) == 1:
            panels.add_colorbar(scales[0], "attribution")
            return
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        low = -1 if scales[0].norm.vmin < 0 else 0
        relative = ScalarMappable(Normalize(low, 1), scales[0].cmap)
        panels.add_colorbar(relative, "relative attribution")


def _heat(
    samples: Sequence[Array], attributions: Sequence[Array], reduce: str
) -> list[Array]:
    """Reduce attributions over the channels, after checking their shapes."""
    for i, (sample, own) in enumerate(zip(samples, attributions, strict=True)):
        if own.shape != sample.shape and own.ndim != sample.ndim - 1:
            raise ValueError(
                f"attributions[{i}] must have the shape of the sample, {sample.shape}, "
                f"or without channels {sample.shape[:-1]}; got {own.shape}."
            )
    if reduce == "auto":
        is_signed = any((own < 0).any() for own in attributions)
        reduce = "sum" if is_signed else "max"
    over_channels = getattr(np, reduce)
    return [
        over_channels(own, axis=-1) if own.ndim == sample.ndim > 1 else own
        for sample, own in zip(samples, attributions, strict=True)
    ]


def _like(
    attribution: Any,  # noqa: ANN401  what users pass
    row: Any,  # noqa: ANN401  what users pass
    sample: Array,
    estimator: Any,  # noqa: ANN401  what users pass
    shape: Shape | None,
) -> Array:
    """Return an attribution in the order of axes that its sample is drawn in."""
    own = np.asarray(attribution)
    if own.shape == np.shape(row):
        return shaped(own, estimator, shape)
    if own.ndim != sample.ndim - 1 and own.size == sample[..., 0].size:
        return own.reshape(sample.shape[:-1])
    return own


def _titles(estimator: Any, X: Any, target: Any) -> list[str]:  # noqa: ANN401  what users pass
    """Return what the attributions of each sample are about."""
    n = _num_samples(X)
    if target is not None:
        targets = np.asarray(target)
        if targets.ndim == 0:
            return [f"target: {target}"] * n
        return [f"target: {own}" for own in targets]
    if not is_classifier(estimator):
        return [f"sample {i}" for i in range(n)]
    predicted = np.asarray(estimator.predict(X))
    if predicted.ndim > 1:
        return [f"sample {i}" for i in range(n)]
    return [f"predicted: {label}" for label in predicted]


def _draw_heat(
    axes: Axes,
    heat: Array,
    scale: Any,  # noqa: ANN401  ScalarMappable
    names: Sequence[str] | None,
) -> None:
    """Draw attributions as an image, or as bars."""
    if heat.ndim == 1:
        draw_bars(axes, heat, names, color=scale.to_rgba(heat))
        return
    image = montage(heat) if heat.ndim == 3 else heat
    axes.imshow(image, cmap=scale.cmap, norm=scale.norm, interpolation="nearest")


def _draw_over(
    axes: Axes,
    sample: Array,
    heat: Array,
    scale: Any,  # noqa: ANN401  ScalarMappable
    limits: tuple[float, float],
    names: Sequence[str] | None,
) -> None:
    """Draw attributions over an image, behind lines, or as the color of bars."""
    if sample.ndim == 1:
        draw_bars(axes, sample, names, color=scale.to_rgba(heat))
        return
    colors = {"cmap": scale.cmap, "norm": scale.norm, "alpha": _ALPHA}
    if sample.ndim == 2:
        draw_sample(axes, sample, limits)
        low, high = axes.get_ylim()
        extent = (-0.5, len(sample) - 0.5, low, high)
        strip = heat[np.newaxis]
        axes.imshow(strip, extent=extent, aspect="auto", zorder=0, **colors)
        axes.set(xlim=extent[:2], ylim=(low, high))
        return
    gray = sample.mean(axis=-1, keepdims=True)  # colors would mix with those of heat
    draw_sample(axes, gray, limits)
    height, width = montage(gray[..., 0]).shape if gray.ndim == 4 else gray.shape[:2]
    image = montage(heat) if heat.ndim == 3 else heat
    # Maps of inner layers have fewer positions than the sample.
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    axes.imshow(image, extent=extent, interpolation="nearest", **colors)
