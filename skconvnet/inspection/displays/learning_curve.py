"""The course of training as curves over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np

from skconvnet._suggestions import value_suggestion
from skconvnet.inspection.displays.panels import (
    Panels,
    check_matplotlib,
    n_axes,
    open_panels,
)
from skconvnet.inspection.displays.samples import NEUTRAL, set_integer_ticks
from skconvnet.inspection.displays.training import Curve, TrainingCurves, curves_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind: TypeAlias = Literal["loss", "score", "learning_rate"]

_KINDS: tuple[Kind, ...] = ("loss", "score", "learning_rate")
_RATIO = 0.72


class LearningCurveDisplay:
    """The loss, the validation score and the learning rate of each epoch.

    Create it with `from_estimator`, or with `from_estimators` to compare trainings.

    Parameters
    ----------
    curves : mapping of str to TrainingCurves
        The curves of each training, by the name that the legend shows.

    Attributes
    ----------
    curves : dict of str to TrainingCurves
        Of each training, `loss` and, or None, `validation_loss`, `validation_scores`,
        `learning_rate`, `best_epoch` and `score_name`. Epochs are counted from 1.
    axes_ : ndarray of shape (n_panels,), of Axes
    ax_ : Axes
        The first of them, with the loss unless another one was asked for.
    figure_ : Figure

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skconvnet import MLPClassifier
    >>> from skconvnet.inspection import LearningCurveDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> small, large = (
    ...     MLPClassifier(n, early_stopping=True, random_state=0).fit(X, y)
    ...     for n in (5, 50)
    ... )
    >>> display = LearningCurveDisplay.from_estimators({"5 units": small, "50": large})
    >>> display.curves["50"].best_epoch == large.validation_scores_.index(
    ...     large.best_validation_score_) + 1
    True
    >>> plt.close(display.figure_)
    """

    axes_: Any
    ax_: Any
    figure_: Any

    def __init__(self, curves: Mapping[str, TrainingCurves]) -> None:
        if not isinstance(curves, Mapping) or not curves:
            raise ValueError(
                "curves must be a mapping of names to TrainingCurves, with at least "
                f"one entry; got {curves!r}."
            )
        self.curves = dict(curves)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,  # noqa: ANN401  estimators have no type
        *,
        name: str | None = None,
        kinds: Literal["auto"] | Kind | Sequence[Kind] = "auto",
        log_scale: bool = False,
        ax: object = None,
    ) -> Self:
        """Draw the course of the training of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator with a `loss_curve_`, of this package or of
            `sklearn.neural_network`, or a pipeline or search that ends in one.
        name : str, default=None
            What the legend calls it. By default the name of its class.
        kinds : {"auto", "loss", "score", "learning_rate"} or list, default="auto"
            The panels, each of one kind: the training and validation loss, the
            validation score, the learning rate. "auto" is all of them that there are,
            the learning rate only if it changes; and if `ax` has fewer axes, the first
            of these.
        log_scale : bool, default=False
            Whether losses and learning rates are on a logarithmic scale, on which 0 is
            left out.
        ax : Axes or array-like of Axes, default=None
            The axes to draw in, one for each panel. None makes a new figure.

        Returns
        -------
        display : LearningCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If it has no loss curve, as after a search by L-BFGS, or a parameter is
            wrong.
        """
        check_matplotlib(cls.__name__)
        curves = curves_of(estimator)
        display = cls({name or type(estimator).__name__: curves})
        return display.plot(ax, kinds=kinds, log_scale=log_scale)

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, Any] | Sequence[Any],
        *,
        kinds: Literal["auto"] | Kind | Sequence[Kind] = "auto",
        log_scale: bool = False,
        ax: object = None,
    ) -> Self:
        """Draw the courses of several trainings in one picture, to compare them.

        Parameters
        ----------
        estimators : mapping of str to estimator, or list of estimators
            The fitted estimators. The names are those of the legend; in a list, of
            (name, estimator) tuples or of estimators, those without a name get the name
            of their class.
        kinds, log_scale, ax
            As in `from_estimator`.

        Returns
        -------
        display : LearningCurveDisplay
        """
        check_matplotlib(cls.__name__)
        named = _named(estimators)
        display = cls({name: curves_of(own) for name, own in named.items()})
        return display.plot(ax, kinds=kinds, log_scale=log_scale)

    def plot(
        self,
        ax: object = None,
        *,
        kinds: Literal["auto"] | Kind | Sequence[Kind] = "auto",
        log_scale: bool = False,
    ) -> Self:
        """Draw the curves, with the parameters of `from_estimator`.

        Returns
        -------
        self : LearningCurveDisplay
        """
        chosen = self._chosen(kinds, n_axes(ax))
        if log_scale:
            self._check_not_negative(chosen)
        panels = open_panels(
            [""] * len(chosen),
            ax,
            owner=type(self).__name__,
            ratio=_RATIO,
            is_image=False,
            n_columns=len(chosen),
        )
        for axes, kind in zip(panels.axes, chosen, strict=True):
            self._draw(axes, kind)
            if log_scale and kind != "score":
                axes.set_yscale("log", nonpositive="mask")
        self._add_legend(panels, chosen)
        self.axes_, self.ax_, self.figure_ = panels.axes, panels.axes[0], panels.figure
        return self

    def _chosen(self, kinds: object, most: int | None) -> list[Kind]:
        """Return the kinds of the panels; those of "auto" as far as there are axes."""
        if isinstance(kinds, str) and kinds == "auto":
            return [kind for kind in _KINDS if self._is_worth_drawing(kind)][:most]
        wanted = [kinds] if isinstance(kinds, str) else kinds
        if not isinstance(wanted, list | tuple) or not wanted:
            raise ValueError(
                f"kinds must be 'auto', one of {_KINDS} or a list of them; got "
                f"{kinds!r}."
            )
        for kind in wanted:
            if kind not in _KINDS:
                hint = value_suggestion("kinds", kind, ("auto", *_KINDS))
                raise ValueError(
                    f"kinds must be 'auto', one of {_KINDS} or a list of them; got "
                    f"{kind!r}.{hint}"
                )
            if not any(_lines(curves, kind) for curves in self.curves.values()):
                raise ValueError(
                    f"kinds has {kind!r}, of which nothing was recorded. Scores need "
                    "early_stopping=True, or X_val and y_val in fit."
                )
        return list(wanted)

    def _is_worth_drawing(self, kind: Kind) -> bool:
        drawn = [line for own in self.curves.values() for line in _lines(own, kind)]
        return bool(drawn) and (
            kind != "learning_rate" or any(np.ptp(curve) > 0 for _, curve in drawn)
        )

    def _check_not_negative(self, kinds: Sequence[Kind]) -> None:
        for name, curves in self.curves.items():
            for kind in kinds:
                for _, curve in _lines(curves, kind):
                    if kind != "score" and np.nanmin(curve) < 0:
                        smallest = f"{np.nanmin(curve):.3g}"
                        raise ValueError(
                            "log_scale=True needs losses of at least 0; the smallest "
                            f"of {name!r} is {smallest}. Use log_scale=False."
                        )

    def _draw(self, axes: Axes, kind: Kind) -> None:
        """Draw the curves of one kind: of several trainings, in a color for each."""
        several = len(self.curves) > 1
        colors = _colors(len(self.curves))
        for curves, color in zip(self.curves.values(), colors, strict=True):
            for part, curve in _lines(curves, kind):
                is_validation = part == "validation"
                own = color if several else f"C{int(is_validation)}"
                axes.plot(
                    curves.epochs_of(curve),
                    curve,
                    color=own,
                    linestyle="--" if several and is_validation else "-",
                    marker="o" if len(curve) == 1 else None,
                )
                if is_validation and curves.best_epoch is not None:
                    best = curves.best_epoch
                    value = curve[curves.epochs_of(curve) == best]
                    axes.plot([best], value, color=own, marker="o", linestyle=":")
                    axes.axvline(best, color=own, linestyle=":", linewidth=1)
        axes.set_xlabel("epoch")
        axes.set_ylabel(self._label(kind))
        set_integer_ticks(axes)

    def _add_legend(self, panels: Panels, kinds: Sequence[Kind]) -> None:
        """Explain colors, kinds of lines and marks."""
        from matplotlib.lines import Line2D

        several = len(self.curves) > 1
        drawn = {
            part: None
            for curves in self.curves.values()
            for kind in kinds
            for part, _ in _lines(curves, kind)
        }
        looks: dict[str, dict[str, Any]] = {}
        if several:
            colors = _colors(len(self.curves))
            for name, color in zip(self.curves, colors, strict=True):
                looks[name] = {"color": color}
        if len(drawn) > 1:
            for i, part in enumerate(drawn):
                dashed = several and part == "validation"
                looks[part] = {"color": NEUTRAL, "linestyle": "--" if dashed else "-"}
                if not several:
                    looks[part]["color"] = f"C{i}"
        bests = [own.best_epoch for own in self.curves.values() if own.best_epoch]
        if bests and "validation" in drawn:
            label = "best epoch" if several else f"best epoch: {bests[0]}"
            color = NEUTRAL if several else "C1"
            looks[label] = {"color": color, "linestyle": ":", "marker": "o"}
        if looks:
            panels.add_legend(
                [Line2D([], [], **own) for own in looks.values()], [*looks]
            )

    def _label(self, kind: Kind) -> str:
        if kind != "score":
            return "learning rate" if kind == "learning_rate" else "loss"
        names = {own.score_name for own in self.curves.values() if _lines(own, kind)}
        return f"validation {names.pop()}" if len(names) == 1 else "validation score"


def _lines(curves: TrainingCurves, kind: Kind) -> list[tuple[str, Curve]]:
    """Return the curves of a kind that there are, and what each was measured on."""
    by_kind: dict[Kind, list[tuple[str, Curve | None]]] = {
        "loss": [("training", curves.loss), ("validation", curves.validation_loss)],
        "score": [("validation", curves.validation_scores)],
        "learning_rate": [("training", curves.learning_rate)],
    }
    return [(part, curve) for part, curve in by_kind[kind] if curve is not None]


def _colors(n: int) -> list[Any]:
    """Return a color for each training: those of the style if they are enough."""
    from matplotlib import colormaps, rcParams

    own = rcParams["axes.prop_cycle"].by_key().get("color", [])
    if n <= len(own):
        return list(own[:n])
    return list(colormaps["rainbow"](np.linspace(0, 1, n)))


def _named(estimators: object) -> dict[str, Any]:
    """Return estimators by name, each name once."""
    if isinstance(estimators, Mapping):
        entries = [(str(name), own) for name, own in estimators.items()]
    elif isinstance(estimators, list | tuple):
        entries = [
            (own[0], own[1])
            if isinstance(own, tuple) and len(own) == 2
            else (type(own).__name__, own)
            for own in estimators
        ]
    else:
        entries = []
    if not entries:
        raise ValueError(
            "estimators must be a dict of names and estimators, such as {'small': "
            f"clf1, 'large': clf2}}, or a list of estimators; got {estimators!r}."
        )
    names = [name for name, _ in entries]
    counts = {name: names.count(name) for name in names}
    seen: dict[str, int] = {}
    named = {}
    for name, own in entries:
        seen[name] = seen.get(name, 0) + 1
        named[f"{name} {seen[name]}" if counts[name] > 1 else name] = own
    return named
