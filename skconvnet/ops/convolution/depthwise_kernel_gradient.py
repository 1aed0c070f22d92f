"""The gradient of depthwise kernels, as correlations of the map and the gradient.

For one channel and one axis, with stride s and dilation d, tap t has the gradient

    dkernel[t] = sum over outputs i of  dz[i] * x[i * s + t * d - before]

which is a dot product of `dz` and one stride phase of `x`, shifted::

    s = 2, d = 1, three taps              x:   x0  x1  x2  x3  x4
                                      phase 0: x0      x2      x4
                                      phase 1:     x1      x3

    dkernel[0] = <(dz0, dz1), (x0, x2)>     phase 0, shift 0
    dkernel[1] = <(dz0, dz1), (x1, x3)>     phase 1, shift 0
    dkernel[2] = <(dz0, dz1), (x2, x4)>     phase 0, shift 1

Each phase is copied once, with zeros where it lies in the padding. Zeros are appended
to each row of `dz` except the last, so that it is as long as a row of a phase. All rows
together are then one vector, and a shift by rows and columns only changes where reading
of the phase starts. Values that a shifted row takes from the next row are multiplied by
the appended zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from skconvnet.ops.convolution.depthwise_axes import Axis, positions_inside
from skconvnet.ops.workspace import Workspace

# How many numbers a run has: both factors of its products stay in the first-level cache
# for all taps.
RUN_LENGTH = 4096


@dataclass(frozen=True)
class PhaseTaps:
    """Taps of the kernel along one axis that are multiplied by the same stride phase.

    Attributes
    ----------
    start : int
        First position of the phase that an output is computed from. It may lie before
        the map.
    taps : slice
    count : int
        Number of taps.
    first_shift, shift_step : int
        By how many positions of the phase the first tap is shifted, and by how many
        more each further tap.
    """

    start: int
    taps: slice
    count: int
    first_shift: int
    shift_step: int


def taps_by_phase(axis: Axis) -> list[PhaseTaps]:
    """Group the taps of a kernel by the stride phase that they are multiplied by.

    Examples
    --------
    >>> axis = Axis(n_in=5, n_out=2, kernel=3, stride=2, dilation=1, before=0)
    >>> [phase.taps for phase in taps_by_phase(axis)]
    [slice(0, None, 2), slice(1, None, 3)]
    """
    by_phase: dict[int, list[int]] = {}
    for tap in range(axis.kernel):
        by_phase.setdefault(tap * axis.dilation % axis.stride, []).append(tap)
    groups = []
    for phase, taps in by_phase.items():
        shifts = [tap * axis.dilation // axis.stride for tap in taps]
        tap_step, shift_step = axis.kernel, 0
        if len(taps) > 1:
            tap_step, shift_step = taps[1] - taps[0], shifts[1] - shifts[0]
        groups.append(
            PhaseTaps(
                phase - axis.before,
                slice(taps[0], None, tap_step),
                len(taps),
                shifts[0],
                shift_step,
            )
        )
    return groups


class KernelGradient:
    """The gradient of the kernels of a depthwise convolution over two axes.

    Parameters
    ----------
    rows, columns : Axis
    run_length : int
        How many numbers are multiplied by all taps of a phase before the next numbers.
    """

    def __init__(
        self, rows: Axis, columns: Axis, *, run_length: int = RUN_LENGTH
    ) -> None:
        self._n_rows, self._n_columns = rows.n_out, columns.n_out
        self._strides = rows.stride, columns.stride
        self._run_length = run_length
        self._row_taps, self._column_taps = taps_by_phase(rows), taps_by_phase(columns)
        # Positions of one phase that outputs are computed from.
        self._phase_shape = (_phase_length(rows), _phase_length(columns))

    def copied_values(self, multiplier: int, batch: int) -> int:
        """Return how many numbers of a channel and its outputs are copied at once."""
        rows, width = self._phase_shape
        return (rows + multiplier * self._n_rows) * width * batch

    def write(
        self, x: np.ndarray, dz: np.ndarray, dkernel: np.ndarray, workspace: Workspace
    ) -> None:
        """Write the gradient of the kernels into `dkernel`.

        Parameters
        ----------
        x : ndarray of shape (channels, rows, columns, batch)
        dz : ndarray of shape (channels, multiplier, rows, columns, batch)
        dkernel : ndarray of shape (channels, multiplier, *kernel)
        workspace : Workspace
        """
        gradients = self._widen_to_phase(dz, workspace)
        shape = (len(x), *self._phase_shape, x.shape[-1])
        phase = workspace.scratch("phase", shape, x.dtype)
        for rows, columns in product(self._row_taps, self._column_taps):
            self._copy_phase(x, rows.start, columns.start, phase)
            out = dkernel[:, :, rows.taps, columns.taps]
            self._correlate(phase, gradients, rows, columns, out, workspace)

    def _widen_to_phase(self, dz: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Return `dz` with zeros after each row except the last, as one vector.

        Returns
        -------
        gradients : ndarray of shape (channels, multiplier, length)
        """
        width, batch = self._phase_shape[1], dz.shape[-1]
        wide = workspace.scratch("wide", (*dz.shape[:3], width, batch), dz.dtype)
        wide[:, :, :, : self._n_columns] = dz
        wide[:, :, :, self._n_columns :] = 0
        length = ((self._n_rows - 1) * width + self._n_columns) * batch
        return wide.reshape(*dz.shape[:2], -1)[:, :, :length]

    def _copy_phase(
        self, x: np.ndarray, row: int, column: int, out: np.ndarray
    ) -> None:
        """Copy the stride phase of the map that starts at `row` and `column`."""
        down, across = self._strides
        top, bottom, rows = positions_inside(row, down, out.shape[1], x.shape[1])
        left, right, columns = positions_inside(
            column, across, out.shape[2], x.shape[2]
        )
        out[:, :top] = 0
        out[:, bottom:] = 0
        out[:, top:bottom, :left] = 0
        out[:, top:bottom, right:] = 0
        out[:, top:bottom, left:right] = x[:, rows, columns]

    def _correlate(
        self,
        phase: np.ndarray,
        gradients: np.ndarray,
        rows: PhaseTaps,
        columns: PhaseTaps,
        out: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Write the dot products of all shifts, summed run by run, into `out`.

        The memory offset of row r, column c and sample b of a phase is linear in r and
        c. So in the view below one axis runs over the shifts by rows, and another over
        the shifts by columns::

            shifted[channel, :, run, i, j, :] =
                a run of the phase that starts i row shifts and j column shifts later
        """
        channels, multiplier, length = gradients.shape
        channel, row, column, item = phase.strides
        start = rows.first_shift * row + columns.first_shift * column
        runs = _cut_into_runs(length, self._run_length)
        n_runs = runs[-1].last
        shape = (channels, multiplier, n_runs, rows.count, columns.count)
        sums = workspace.scratch("products", shape, gradients.dtype)
        for first, last, size in runs:
            begin, count = first * self._run_length, last - first
            shifted: np.ndarray = np.ndarray(
                (channels, 1, count, rows.count, columns.count, size),
                phase.dtype,
                phase,
                offset=start + begin * item,
                strides=(
                    *(channel, 0, self._run_length * item),
                    *(rows.shift_step * row, columns.shift_step * column, item),
                ),
            )
            values = gradients[:, :, begin : begin + count * size]
            values = values.reshape(channels, multiplier, count, 1, 1, size)
            np.vecdot(shifted, values, out=sums[:, :, first:last])
        np.add.reduce(sums, axis=2, out=out)


def _phase_length(axis: Axis) -> int:
    return axis.n_out + (axis.kernel - 1) * axis.dilation // axis.stride


class _Runs(NamedTuple):
    """Runs number `first` to `last - 1`, of `size` numbers each."""

    first: int
    last: int
    size: int


def _cut_into_runs(length: int, run_length: int) -> list[_Runs]:
    """Cut a vector into runs of `run_length`, and one run with the rest.

    >>> _cut_into_runs(10, 4)
    [_Runs(first=0, last=2, size=4), _Runs(first=2, last=3, size=2)]
    """
    n_whole, rest = divmod(length, run_length)
    whole = [_Runs(0, n_whole, run_length)] if n_whole else []
    return [*whole, _Runs(n_whole, n_whole + 1, rest)] if rest else whole
