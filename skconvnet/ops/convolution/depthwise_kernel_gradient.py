"""Dot products of one map with another at every shift that a kernel takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from skconvnet.ops.convolution.depthwise_toeplitz import inside
from skconvnet.ops.workspace import Workspace

# Numbers of a run: it and those it is multiplied with stay in the first cache for all
# cells of the kernel.
_RUN = 4096


@dataclass(frozen=True)
class Phase:
    """Cells of the kernel along one axis that meet the same places of the map.

    Attributes
    ----------
    start : int
        Where the first of these places lies on the map, perhaps before it; the others
        follow a stride apart.
    taps : slice
        The cells.
    count : int
        How many there are.
    shift, step : int
        How many places further the first of them is, and each of the others than the
        one before.
    """

    start: int
    taps: slice
    count: int
    shift: int
    step: int


def phases(kernel: int, stride: int, dilation: int, before: int) -> list[Phase]:
    """Group the cells of a kernel by the remainder of their place by the stride.

    Examples
    --------
    >>> [phase.taps for phase in phases(3, stride=2, dilation=1, before=0)]
    [slice(0, None, 2), slice(1, None, 3)]
    """
    by_rest: dict[int, list[int]] = {}
    for tap in range(kernel):
        by_rest.setdefault(tap * dilation % stride, []).append(tap)
    groups = []
    for rest, taps in by_rest.items():
        shifts = [tap * dilation // stride for tap in taps]
        between = taps[1] - taps[0] if len(taps) > 1 else kernel
        step = shifts[1] - shifts[0] if len(taps) > 1 else 0
        cells = slice(taps[0], None, between)
        groups.append(Phase(rest - before, cells, len(taps), shifts[0], step))
    return groups


class ShiftedProducts:
    """The gradient of the kernels of a depthwise convolution over two axes.

    Parameters
    ----------
    out_shape, kernel, strides, dilation, before : tuple of two ints
        `before` cells are added before each axis.
    """

    def __init__(
        self,
        out_shape: tuple[int, ...],
        kernel: tuple[int, ...],
        strides: tuple[int, ...],
        dilation: tuple[int, ...],
        before: tuple[int, ...],
    ) -> None:
        axes = list(zip(kernel, strides, dilation, before, strict=True))
        self._strides = strides
        self._out_shape = out_shape
        self._rows, self._columns = (phases(*axis) for axis in axes)
        # Places of one phase that some output meets.
        self._shape = tuple(
            n + (k - 1) * d // s
            for n, (k, s, d, _) in zip(out_shape, axes, strict=True)
        )

    def values(self, multiplier: int, batch: int) -> int:
        """Numbers of a channel and its outputs that are copied at once."""
        rows, width = self._shape
        return (rows + multiplier * self._out_shape[0]) * width * batch

    def write(
        self,
        x: np.ndarray,
        dsums: np.ndarray,
        dkernel: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Write the products of the outputs' gradient and the map into `dkernel`.

        Parameters
        ----------
        x : ndarray of shape (channels, rows, columns, batch)
        dsums : ndarray of shape (channels, multiplier, rows, columns, batch)
        dkernel : ndarray of shape (channels, multiplier, *kernel)
        workspace : Workspace
        """
        batch = x.shape[-1]
        n_rows, n_columns = self._out_shape
        # As wide as a phase, so that rows follow each other as they do there.
        width = self._shape[1]
        wide = workspace.scratch("wide", (*dsums.shape[:3], width, batch), x.dtype)
        wide[:, :, :, :n_columns] = dsums
        wide[:, :, :, n_columns:] = 0
        length = ((n_rows - 1) * width + n_columns) * batch
        gradients = wide.reshape(*dsums.shape[:2], -1)[:, :, :length]
        places = workspace.scratch("phase", (len(x), *self._shape, batch), x.dtype)
        for rows, columns in product(self._rows, self._columns):
            self._copy(x, rows.start, columns.start, places)
            out = dkernel[:, :, rows.taps, columns.taps]
            _products(places, gradients, rows, columns, out, workspace)

    def _copy(self, x: np.ndarray, row: int, column: int, out: np.ndarray) -> None:
        """Copy every stride's cell of the map from `row` and `column` on."""
        down, across = self._strides
        top, bottom, rows = inside(row, down, out.shape[1], x.shape[1])
        left, right, columns = inside(column, across, out.shape[2], x.shape[2])
        out[:, :top] = 0
        out[:, bottom:] = 0
        out[:, top:bottom, :left] = 0
        out[:, top:bottom, right:] = 0
        out[:, top:bottom, left:right] = x[:, rows, columns]


def _products(
    places: np.ndarray,
    gradients: np.ndarray,
    rows: Phase,
    columns: Phase,
    out: np.ndarray,
    workspace: Workspace,
) -> None:
    """Write the products at the shifts of one phase, run by run, then add them up."""
    channels, multiplier, length = gradients.shape
    channel, row, column, item = places.strides
    start = rows.shift * row + columns.shift * column
    n_runs = -(-length // _RUN)
    shape = (channels, multiplier, n_runs, rows.count, columns.count)
    sums = workspace.scratch("products", shape, gradients.dtype)
    n_whole = length // _RUN
    for first, last, size in (
        (0, n_whole, _RUN),
        (n_whole, n_runs, length - n_whole * _RUN),
    ):
        if first == last:
            continue
        part = gradients[:, :, first * _RUN : first * _RUN + (last - first) * size]
        shifted: np.ndarray = np.ndarray(
            (channels, 1, last - first, rows.count, columns.count, size),
            places.dtype,
            places,
            offset=start + first * _RUN * item,
            strides=(
                *(channel, 0, _RUN * item),
                *(rows.step * row, columns.step * column, item),
            ),
        )
        runs = part.reshape(channels, multiplier, last - first, 1, 1, size)
        np.vecdot(shifted, runs, out=sums[:, :, first:last])
    np.add.reduce(sums, axis=2, out=out)
