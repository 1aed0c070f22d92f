"""The curves that an estimator has of its training."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier

from skconvnet.inspection.displays.fitted import final_estimator
from skconvnet.optimizers import LBFGS

Curve: TypeAlias = npt.NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class TrainingCurves:
    """What was measured in each epoch of a training; None for what was not.

    Attributes
    ----------
    loss : ndarray of shape (n_epochs,)
        Training loss.
    validation_loss : ndarray of shape (n_validated,) or None
        Loss on the validation set, in the last `n_validated` epochs: those of earlier
        calls of `fit` or `partial_fit` may have had no validation set.
    validation_scores : ndarray of shape (n_validated,) or None
        Score on the validation set.
    learning_rate : ndarray of shape (n_epochs,) or None
    best_epoch : int or None
        The epoch whose weights early stopping kept, counted from 1.
    score_name : str
        What the scores are.

    Examples
    --------
    >>> from skconvnet.inspection import TrainingCurves
    >>> curves = TrainingCurves(loss=[0.9, 0.5, 0.4], validation_loss=[0.6, 0.7])
    >>> curves.epochs_of(curves.validation_loss)
    array([2, 3])
    """

    loss: Curve
    validation_loss: Curve | None = None
    validation_scores: Curve | None = None
    learning_rate: Curve | None = None
    best_epoch: int | None = None
    score_name: str = "validation score"

    def __post_init__(self) -> None:
        for own in fields(self):
            value = getattr(self, own.name)
            if own.name in ("best_epoch", "score_name") or value is None:
                continue
            curve = np.asarray(value, dtype=float)
            if curve.ndim != 1 or not 0 < curve.size <= np.size(self.loss):
                raise ValueError(
                    f"{own.name} must be a curve of 1 to {np.size(self.loss)} epochs, "
                    f"as many as loss has; got an array of shape {curve.shape}."
                )
            object.__setattr__(self, own.name, curve)

    def epochs_of(self, curve: Curve) -> npt.NDArray[np.integer]:
        """Return the numbers of the epochs that a curve is of: the last ones.

        >>> curves = TrainingCurves(loss=[3.0, 2.0, 1.0], validation_loss=[2.5, 2.0])
        >>> curves.epochs_of(curves.validation_loss)
        array([2, 3])
        """
        return np.arange(len(self.loss) - len(curve), len(self.loss)) + 1


def curves_of(estimator: Any) -> TrainingCurves:  # noqa: ANN401  estimators have no type
    """Return the curves of a fitted estimator.

    Raises
    ------
    NotFittedError
    ValueError
        If the estimator has no loss curve.
    """
    final = final_estimator(estimator)
    name, solver = type(final).__name__, getattr(final, "solver", None)
    # After a new fit, the curve of an earlier one may still be there.
    is_network = hasattr(final, "n_layers_")  # of this package or of scikit-learn
    if is_network and (isinstance(solver, LBFGS) or solver == "lbfgs"):
        raise ValueError(
            f"{name} with solver={solver!r} has no loss_curve_: a search by L-BFGS has "
            "no epochs. Fit it with another solver, such as 'adam'."
        )
    if not getattr(final, "n_iter_", 1):
        raise ValueError(
            f"{name} has been initialized, but not trained, so there is no "
            "loss_curve_. Call fit first."
        )
    loss = getattr(final, "loss_curve_", None)
    if not loss:
        raise ValueError(
            f"{name} has no loss_curve_. LearningCurveDisplay needs an estimator of "
            "skconvnet or of sklearn.neural_network that was trained in epochs."
        )
    scores = _curve(final, "validation_scores_")
    best = None
    if scores is not None and getattr(final, "early_stopping", False):
        best = _best_epoch(scores, len(loss))
    return TrainingCurves(
        loss=np.asarray(loss, dtype=float),
        validation_loss=_curve(final, "validation_loss_curve_"),
        validation_scores=scores,
        learning_rate=_curve(final, "learning_rate_curve_"),
        best_epoch=best,
        score_name=_score_name(final),
    )


def _curve(estimator: Any, name: str) -> Curve | None:  # noqa: ANN401  estimators have no type
    values = getattr(estimator, name, None)
    return np.asarray(values, dtype=float) if values else None


def _best_epoch(scores: Curve, n_epochs: int) -> int | None:
    """Return the epoch of the first of the best scores."""
    if np.isnan(scores).all():
        return None
    return n_epochs - len(scores) + int(np.nanargmax(scores)) + 1


def _score_name(estimator: Any) -> str:  # noqa: ANN401  estimators have no type
    scoring = getattr(estimator, "scoring", None)
    if scoring is None:
        return "accuracy" if is_classifier(estimator) else "R²"
    if scoring == "loss":
        return "negative loss"
    return scoring.replace("_", " ") if isinstance(scoring, str) else "score"
