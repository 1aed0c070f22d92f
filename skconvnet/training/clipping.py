"""Gradient clipping, by norm and by value."""

from __future__ import annotations

import numpy as np

from skconvnet._typing import FlatVector


def clip_norm(gradient: FlatVector, max_norm: float | None) -> None:
    """Scale `gradient` in place to a Euclidean norm of at most `max_norm`.

    Parameters
    ----------
    gradient : ndarray of shape (n_weights,)
    max_norm : float or None
        None leaves the gradient unchanged.

    Examples
    --------
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


def clip_value(gradient: FlatVector, max_value: float | None) -> None:
    """Clip each element of `gradient` in place to [-max_value, max_value].

    Parameters
    ----------
    gradient : ndarray of shape (n_weights,)
    max_value : float or None
        None leaves the gradient unchanged.

    Examples
    --------
    >>> gradient = np.array([3.0, -0.5])
    >>> clip_value(gradient, 1.0)
    >>> gradient
    array([ 1. , -0.5])
    """
    if max_value is not None:
        np.clip(gradient, -max_value, max_value, out=gradient)
