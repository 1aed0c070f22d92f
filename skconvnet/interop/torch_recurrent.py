"""Recurrent layers in PyTorch, whose biases and gates are in other orders.

A module has the arrays of all directions, such as ``weight_ih_l0`` and
``weight_ih_l0_reverse``. It has two biases per direction, which are added to the
products with the input and with the state; for all but GRU, only their sum matters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet.interop.counterparts import (
    Arrays,
    ForeignArray,
    ForeignModule,
    as_it_is,
)
from skconvnet.layers.recurrent_base import RecurrentLayer
from skconvnet.ops.recurrent.cell import Cell
from skconvnet.ops.recurrent.gru_reset_after import ResetAfterCell
from skconvnet.ops.recurrent.lstm import LSTMCell
from skconvnet.ops.recurrent.simple import SimpleCell

_SUFFIXES = {"": "_l0", "forward": "_l0", "backward": "_l0_reverse"}


def recurrent_module(directions: dict[str, RecurrentLayer]) -> ForeignModule | None:
    """Return PyTorch's module for a layer of each direction, None if it has none.

    A single direction has an empty name.
    """
    kind = _kind(next(iter(directions.values())).cell)
    if kind is None:
        return None
    arrange = _gates_of_gru if kind == "GRU" else as_it_is
    arrays: list[ForeignArray] = []
    for direction, layer in directions.items():
        suffix, prefix = _SUFFIXES[direction], f"{direction}/" if direction else ""
        kernels = ("weight_ih", "kernel"), ("weight_hh", "recurrent_kernel")
        arrays += [
            ForeignArray(
                theirs + suffix, prefix + ours, lambda kernel: arrange(kernel).T
            )
            for theirs, ours in kernels
        ]
        if layer.options.use_bias:
            arrays.append(ForeignArray(f"bias{suffix}", f"{prefix}bias", arrange, 0.0))
    join = _with_rows if kind == "GRU" else _with_sum
    return ForeignModule(kind, tuple(arrays), join=join, separate=_with_two_biases)


def _kind(cell: Cell) -> str | None:
    """Return the class of the module that computes what a cell does."""
    f, s = cell.activation.name, cell.recurrent_activation.name
    if isinstance(cell, SimpleCell):
        return "RNN" if f in ("tanh", "relu") else None
    if (f, s) != ("tanh", "logistic"):
        return None
    if isinstance(cell, LSTMCell):
        return "LSTM"
    return "GRU" if isinstance(cell, ResetAfterCell) else None


def _gates_of_gru(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the columns of z, r and g in PyTorch's order: r comes first."""
    z, r, g = np.split(array, 3, axis=-1)
    return np.concatenate([r, z, g], axis=-1)


def _with_sum(arrays: Arrays) -> Arrays:
    """Return the arrays of a module with the sums of its biases."""
    return _joined(arrays, lambda of_x, of_h: of_x + of_h)


def _with_rows(arrays: Arrays) -> Arrays:
    """Return the arrays of a module with its biases as the rows of one."""
    return _joined(arrays, lambda of_x, of_h: np.stack([of_x, of_h]))


def _joined(
    arrays: Arrays,
    join: Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.NDArray[Any]],
) -> Arrays:
    joined = dict(arrays)
    for suffix in set(_SUFFIXES.values()):
        names = f"bias_ih{suffix}", f"bias_hh{suffix}"
        biases = [joined[name] for name in names if name in joined]
        # Otherwise they stay under their names, which are then told to be unknown.
        if len(biases) == 2 and biases[0].shape == biases[1].shape:
            joined[f"bias{suffix}"] = join(*biases)
            for name in names:
                del joined[name]
    return joined


def _with_two_biases(arrays: Arrays) -> Arrays:
    """Return the arrays of a module with two biases in place of each."""
    separate: Arrays = {}
    for name, values in arrays.items():
        if not name.startswith("bias"):
            separate[name] = values
            continue
        suffix = name.removeprefix("bias")
        two = values if values.ndim == 2 else (values, np.zeros_like(values))
        separate[f"bias_ih{suffix}"], separate[f"bias_hh{suffix}"] = two
    return separate
