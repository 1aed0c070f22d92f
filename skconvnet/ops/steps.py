"""The steps of sequences as samples of their own."""

from __future__ import annotations

import numpy as np

from skconvnet._typing import FeatureMap
from skconvnet.ops.workspace import Workspace


def fold_steps(x: FeatureMap, workspace: Workspace, name: str = "folded") -> FeatureMap:
    """Make steps and batch one axis.

    Parameters
    ----------
    x : ndarray of shape (channels, steps, *spatial, batch)
    workspace : Workspace
    name : str
        Name of the copy, which there is if there are spatial axes.

    Returns
    -------
    folded : ndarray of shape (channels, *spatial, steps * batch)
        Column ``step * batch + sample`` is one step of one sample.
    """
    by_step = np.moveaxis(x, 1, -2)
    if not by_step.flags.c_contiguous:
        copy = workspace.array(name, by_step.shape, x.dtype)
        np.copyto(copy, by_step)
        by_step = copy
    return by_step.reshape(*by_step.shape[:-2], -1)


def unfold_steps(
    folded: FeatureMap, n_steps: int, name: str, workspace: Workspace
) -> FeatureMap:
    """Undo `fold_steps`.

    Parameters
    ----------
    folded : ndarray of shape (channels, *spatial, n_steps * batch)
    n_steps : int
    name : str
        Name of the copy, which there is if there are spatial axes.
    workspace : Workspace

    Returns
    -------
    x : ndarray of shape (channels, n_steps, *spatial, batch)
    """
    by_step = folded.reshape(*folded.shape[:-1], n_steps, folded.shape[-1] // n_steps)
    if folded.ndim == 2:
        return by_step
    x = workspace.array(name, np.moveaxis(by_step, -2, 1).shape, folded.dtype)
    np.copyto(x, np.moveaxis(by_step, -2, 1))
    return x
