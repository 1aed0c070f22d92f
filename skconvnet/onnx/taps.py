"""Convolutions and pooling by gathering the values of every window.

ONNX Runtime has neither convolutions nor average pooling in float64, but it has Gather
and MatMul. A table of shape (taps, outputs) for each axis tells which position every
tap of every window reads; -1 is outside of the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape
from skconvnet.onnx.graph import Graph
from skconvnet.ops.windows import Windows

# (taps, outputs) of one axis.
Table = npt.NDArray[np.int64]


def window_tables(windows: Windows) -> list[Table]:
    """Return the tables of windows that slide over a map.

    >>> from skconvnet.ops.windows import sliding_windows
    >>> window_tables(sliding_windows((4,), 3, padding="same"))[0]
    array([[-1,  0,  1,  2],
           [ 0,  1,  2,  3],
           [ 1,  2,  3, -1]])
    """
    tables = []
    for size, n, kernel, stride, dilation, (before, _) in zip(
        windows.in_shape,
        windows.out_shape,
        windows.kernel,
        windows.strides,
        windows.dilation,
        windows.pads,
        strict=True,
    ):
        taps, outputs = np.ogrid[:kernel, :n]
        position = outputs * stride + taps * dilation - before
        inside = (position >= 0) & (position < size)
        tables.append(np.where(inside, position, -1).astype(np.int64))
    return tables


def transposed_tables(windows: Windows) -> list[Table]:
    """Return the tables of the transpose of a convolution over these windows.

    Output p reads position q by tap t if p is that tap of window q, which is at
    ``q * stride + t * dilation`` of the padded map.

    >>> from skconvnet.ops.windows import sliding_windows
    >>> transposed_tables(sliding_windows((5,), 3, strides=2))[0]
    array([[ 0, -1,  1, -1, -1],
           [-1,  0, -1,  1, -1],
           [-1, -1,  0, -1,  1]])
    """
    tables = []
    for size, n, kernel, stride, dilation, (before, _) in zip(
        windows.in_shape,
        windows.out_shape,
        windows.kernel,
        windows.strides,
        windows.dilation,
        windows.pads,
        strict=True,
    ):
        taps, outputs = np.ogrid[:kernel, :size]
        position, rest = np.divmod(outputs + before - taps * dilation, stride)
        inside = (rest == 0) & (position >= 0) & (position < n)
        tables.append(np.where(inside, position, -1).astype(np.int64))
    return tables


def gather_taps(graph: Graph, x: str, tables: Sequence[Table], spatial: Shape) -> str:
    """Return what every tap reads, of shape (batch, channels, taps, outputs).

    Parameters
    ----------
    graph : Graph
    x : str
        A map of shape (batch, channels, *spatial).
    tables : sequence of ndarray of shape (taps, outputs)
        One for each axis. What is outside of the map reads 0.
    spatial : tuple of int
    """
    ndim = len(tables)
    outside = [int((table < 0).any()) for table in tables]
    if any(outside):
        pads = graph.constant(np.array([0] * (ndim + 4) + outside, np.int64), "pads")
        x = graph.add("Pad", x, pads, graph.numbers(0.0))
    # From the last axis to the first, so that the numbers of the others stay.
    for axis in reversed(range(ndim)):
        table = np.where(tables[axis] < 0, spatial[axis], tables[axis])
        indices = graph.constant(table, "positions")
        x = graph.add("Gather", x, indices, axis=axis + 2)
    # (batch, channels, taps, outputs, taps, outputs, ...) so far.
    order = [0, 1, *range(2, 2 * ndim + 2, 2), *range(3, 2 * ndim + 2, 2)]
    if ndim > 1:
        x = graph.add("Transpose", x, perm=order)
    n_taps, n_outputs = np.prod([table.shape for table in tables], axis=0).tolist()
    # A 0 keeps the number of channels.
    return graph.reshape(x, (0, n_taps, n_outputs))


def convolve_taps(
    graph: Graph,
    x: str,
    tables: Sequence[Table],
    kernel: npt.NDArray[np.floating],
    in_shape: Shape,
    groups: int,
) -> str:
    """Return the sums of a convolution, of shape (batch, filters, *out_spatial).

    Parameters
    ----------
    graph : Graph
    x : str
    tables : sequence of ndarray of shape (taps, outputs)
    kernel : ndarray of shape (filters, channels // groups, *taps)
    in_shape : tuple of int
        Shape of one sample of x, channels last.
    groups : int
    """
    *spatial, channels = in_shape
    filters, per_group = len(kernel), channels // groups
    columns = gather_taps(graph, x, tables, tuple(spatial))
    n_taps, n_outputs = prod(kernel.shape[2:]), prod(t.shape[1] for t in tables)
    columns = graph.reshape(columns, (groups, per_group * n_taps, n_outputs))
    own = kernel.reshape(groups, filters // groups, per_group * n_taps)
    sums = graph.add("MatMul", graph.numbers(own, "kernel"), columns)
    return graph.reshape(sums, (filters, *(table.shape[1] for table in tables)))
