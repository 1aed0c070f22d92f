"""Errors about the validation set that early stopping holds out, in terms of y."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

_INSTEAD = "pass X_val and y_val, or set early_stopping=False."


@contextmanager
def explained_split(
    y: Any,  # noqa: ANN401  an array, or maps
    fraction: float,
    owner: str,
    *,
    stratify: bool,
) -> Iterator[None]:
    """Explain an error of scikit-learn's `train_test_split` in the block.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or maps
        The target values as the user passed them.
    fraction : float
        `validation_fraction`.
    owner : str
        Class name of the estimator. Those of perceptrons keep scikit-learn's message.
    stratify : bool
        Whether both sets have to contain every class.
    """
    try:
        yield
    except ValueError as error:
        explanation = _explanation(y, fraction, stratify=stratify)
        if explanation is None:
            raise
        if owner.startswith("MLP"):
            explanation = f"{error}. {explanation}"
        raise ValueError(explanation) from error


def _explanation(y: npt.NDArray[Any], fraction: float, *, stratify: bool) -> str | None:
    """Return what is wrong, None if it is something else."""
    if fraction == 0:
        return (
            f"validation_fraction must be above 0 with early_stopping=True; got "
            f"{fraction!r}. Set it to 0.1, {_INSTEAD}"
        )
    if not stratify:
        return None
    labels, counts = np.unique(y, return_counts=True)
    rarest = counts.argmin()
    if counts[rarest] < 2:
        return (
            f"y has {counts[rarest]} sample of class {labels.tolist()[rarest]!r}, but "
            "early_stopping=True needs at least 2 samples of each class, one for "
            "training and one for validation. Add samples of this class or leave it "
            f"out, {_INSTEAD}"
        )
    n_held_out = ceil(fraction * len(y))
    smaller = min(n_held_out, len(y) - n_held_out)
    if smaller < len(labels):
        return (
            f"validation_fraction={fraction!r} of {len(y)} samples is {n_held_out}, "
            f"but training and validation both need at least {len(labels)} samples, "
            f"one of each class. Change validation_fraction, {_INSTEAD}"
        )
    return None
