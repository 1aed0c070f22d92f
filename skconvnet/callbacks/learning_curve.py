"""A record of training, epoch by epoch, which can be watched."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import numpy as np

from skconvnet._optional import import_optional
from skconvnet._typing import override
from skconvnet.callbacks.base import EpochCallback
from skconvnet.inspection.displays.learning_curve import Kind, LearningCurveDisplay
from skconvnet.inspection.displays.training import Curve, TrainingCurves
from skconvnet.training.events import TrainingView


class LearningCurve(EpochCallback):
    """Records losses, scores, rates and seconds of each epoch.

    Parameters
    ----------
    live : bool, default=False
        Whether to draw the curves after each epoch, in place of the picture before. It
        needs matplotlib, of the extra `plot`, and a notebook; elsewhere nothing is
        drawn.

    Attributes
    ----------
    curves_ : dict of str to list of float
        One value per epoch of the last fit, or since it was resumed: ``"epoch"``,
        ``"loss"``, ``"rate"`` (of the last update), ``"seconds"`` since the fit began,
        and with a validation set ``"validation_loss"`` and ``"validation_score"``.
        `pandas.DataFrame` takes it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skconvnet import MLPClassifier
    >>> from skconvnet.callbacks import LearningCurve
    >>> X, y = load_iris(return_X_y=True)
    >>> curve = LearningCurve()
    >>> clf = MLPClassifier(max_iter=500, tol=0.01, random_state=0)
    >>> clf = clf.set_callbacks(curve).fit(X, y, X_val=X, y_val=y)
    >>> curve.curves_["loss"] == clf.loss_curve_
    True
    >>> len(curve.curves_["validation_score"]) == clf.n_iter_
    True
    """

    def __init__(self, *, live: bool = False) -> None:
        self.live = live
        self.curves_: dict[str, list[float]] = {}
        self._start = 0.0
        self._picture: Any = None

    @override
    def _begin(self) -> None:
        if self.live:
            needed = "LearningCurve(live=True) needs matplotlib"
            import_optional("matplotlib", needed, "plot", "matplotlib")
        self.curves_, self._picture = {}, None
        self._start = time.perf_counter()

    @override
    def _end_epoch(self, estimator: object, view: TrainingView) -> None:
        measured = {
            "epoch": view.epoch,
            "loss": view.loss_curve[-1],
            "rate": view.learning_rate_curve[-1],
            "seconds": time.perf_counter() - self._start,
        }
        if view.is_validated:
            measured["validation_loss"] = view.validation_loss_curve[-1]
            measured["validation_score"] = view.validation_scores[-1]
        for name, value in measured.items():
            self.curves_.setdefault(name, []).append(value)
        if self.live:
            self._draw()

    def _draw(self) -> None:
        """Draw the curves so far, in place of the picture before."""
        display = _find_display()
        if display is None:
            return
        figure = self._figure()
        if self._picture is None:
            self._picture = display(figure, display_id=True)
        else:
            self._picture.update(figure)

    def _figure(self) -> Any:  # noqa: ANN401  matplotlib is optional
        from matplotlib import pyplot

        curves = TrainingCurves(
            loss=np.asarray(self.curves_["loss"]),
            validation_loss=self._curve("validation_loss"),
            validation_scores=self._curve("validation_score"),
        )
        kinds: list[Kind] = ["loss"]
        if curves.validation_scores is not None:
            kinds.append("score")
        figure = LearningCurveDisplay({"": curves}).plot(kinds=kinds).figure_
        pyplot.close(figure)  # or a notebook shows it once more
        return figure

    def _curve(self, name: str) -> Curve | None:
        return np.asarray(self.curves_[name]) if name in self.curves_ else None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_picture": None}


def _find_display() -> Any:  # noqa: ANN401  a function of a module that is optional
    """Return the function that shows a picture in a notebook, None elsewhere."""
    try:
        ipython = import_module("IPython")
    except ImportError:
        return None
    return None if ipython.get_ipython() is None else ipython.display.display
