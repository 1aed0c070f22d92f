"""Bounds on the gradient."""

from __future__ import annotations

import numpy as np


def clip_norm(gradient: np.ndarray, max_norm: float | None) -> None:
    """Scale `gradient` down to a Euclidean norm of `max_norm`, if it is longer.

    >>> gradient = np.array([3.0, 4.0])
    >>> clip_norm(gradient, 1.0)
    >>> gradient
    array([0.6, 0.8])
    """
    if max_norm is None:
        return
    norm = float(np.linalg.norm(gradient))
    if norm > max_norm:
        gradient *= max_norm / norm


def clip_value(gradient: np.ndarray, max_value: float | None) -> None:
    """Bring every element of `gradient` into [-max_value, max_value].

    >>> gradient = np.array([3.0, -0.5])
    >>> clip_value(gradient, 1.0)
    >>> gradient
    array([ 1. , -0.5])
    """
    if max_value is not None:
        np.clip(gradient, -max_value, max_value, out=gradient)
