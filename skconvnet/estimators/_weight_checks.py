"""Errors about sample weights, most of which were meant to be something else."""

from __future__ import annotations

from typing import Any

import numpy as np

_BY_NAME = "Pass a validation set by name: X_val=..., y_val=...."


def check_weights_shape(sample_weight: Any, n_samples: int) -> None:  # noqa: ANN401  what users pass
    """Raise a ValueError if `sample_weight` is plainly not one number per sample.

    Whatever is right, or unknown here, is left to scikit-learn.
    """
    if isinstance(sample_weight, str):
        raise ValueError(
            "sample_weight must be an array of one number per sample; got "
            f"{sample_weight!r}. For weights of classes, set class_weight in the "
            "constructor of a classifier."
        )
    shape = _shape(sample_weight)
    if shape is None or len(shape) > 1:
        found = "arrays of different lengths" if shape is None else f"shape {shape}"
        raise ValueError(
            "Sample weights must be 1D array or scalar: sample_weight must have shape "
            f"({n_samples},), but has {found}. {_BY_NAME}"
        )
    if len(shape) == 1 and shape[0] != n_samples:
        raise ValueError(
            f"sample_weight.shape == {shape}, expected ({n_samples},)! It holds one "
            "number per sample. Pass classes of partial_fit by name: classes=...."
        )


def check_first_classes(sample_weight: Any, n_samples: int) -> None:  # noqa: ANN401  what users pass
    """Raise a ValueError if the third argument of partial_fit was meant as classes."""
    shape = () if sample_weight is None else _shape(sample_weight)
    if shape is not None and len(shape) == 1 and shape[0] != n_samples:
        raise ValueError(
            "classes must be passed on the first call to partial_fit, and by name: "
            "partial_fit(X, y, classes=...). The third argument is sample_weight."
        )


def _shape(values: Any) -> tuple[int, ...] | None:  # noqa: ANN401  what users pass
    try:
        return tuple(np.asarray(values).shape)
    except ValueError:
        return None
