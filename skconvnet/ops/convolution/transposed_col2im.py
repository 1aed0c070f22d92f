"""Transposed convolution as a matrix product, followed by col2im.

The product holds the value of every tap at every input. col2im adds these values up at
the output positions to which they belong. With strides, output positions that are a
stride apart, a *stride phase*, are stored together. Additions within a phase run over
long rows, and the phases are interleaved once, at the end. For three taps, a stride of
two and three inputs::

    product                                 phases
                                            +--------------------+
    tap 0:  w0 x0   w0 x1   w0 x2           | z0   z2   z4   z6  |  phase 0
    tap 1:  w1 x0   w1 x1   w1 x2           | z1   z3   z5   .   |  phase 1
    tap 2:  w2 x0   w2 x1   w2 x2           +--------------------+

    phase 0  =  tap 0  +  tap 2, shifted by one
    phase 1  =  tap 1

In general tap t belongs to phase ``t * dilation % stride``, shifted by
``t * dilation // stride``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.ops.convolution.im2col_columns import BLOCK_BYTES, Block, Columns
from skconvnet.ops.convolution.transposed_algorithm import TransposedAlgorithm
from skconvnet.ops.convolution.weight_gradient import add_product
from skconvnet.ops.layout import per_channel
from skconvnet.ops.padding import fill_around
from skconvnet.ops.program import Program
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


class _Tap(NamedTuple):
    """The positions at which the values of a tap are added.

    Attributes
    ----------
    phase : tuple of int
        The stride phase along each axis.
    first_row : int
        The row of the phase to which the values of the first row of inputs are added.
    others : tuple of slice
        The positions for all inputs, along the other axes.
    """

    phase: tuple[int, ...]
    first_row: int
    others: tuple[slice, ...]


class _Interleaving(NamedTuple):
    """The positions of a phase that are outputs, which padding does not cut off.

    Attributes
    ----------
    inside : tuple of int and slice
        Their index in the array of phases, (*strides, filters, *phase_shape, batch).
    outputs : tuple of slice
        Their index in the output, (filters, *spatial, batch).
    """

    inside: tuple[int | slice, ...]
    outputs: tuple[slice, ...]


class _Products(NamedTuple):
    """The values of all taps for some rows of inputs.

    Attributes
    ----------
    rows : slice
    values : ndarray of shape (filters, taps, rows, *other axes of the input, batch)
    """

    rows: slice
    values: np.ndarray


class TransposedCol2im(TransposedAlgorithm[FeatureMap]):
    """Transposed convolution of any stride, dilation and number of groups.

    The cache of a pass is the input, contiguous.

    Parameters
    ----------
    windows : Windows
        The result of `transposed_windows`.
    channels, filters, groups : int
    block_bytes : int, optional
        About how many bytes of values of taps are computed at once, for a row block of
        inputs.
    """

    def __init__(
        self,
        windows: Windows,
        channels: int,
        filters: int,
        groups: int,
        *,
        block_bytes: int | None = None,
    ) -> None:
        super().__init__(windows, channels, filters, groups)
        self._columns = Columns(
            windows,
            may_be_wide=False,
            block_bytes=BLOCK_BYTES if block_bytes is None else block_bytes,
        )
        self._kernels_overlap = any(
            s < d * (k - 1) + 1
            for s, k, d in zip(
                windows.strides, windows.kernel, windows.dilation, strict=True
            )
        )
        sizes = zip(windows.padded_shape, windows.strides, strict=True)
        self._phase_shape = tuple(-(-n // s) for n, s in sizes)
        self._taps = list(_find_taps(windows))
        self._interleavings = list(_find_interleavings(windows))

    @override
    def forward(
        self,
        x: FeatureMap,
        kernel: np.ndarray,
        bias: np.ndarray,
        workspace: Workspace,
        *,
        train: bool,
    ) -> tuple[FeatureMap, FeatureMap]:
        if not x.flags.c_contiguous:
            copied = workspace.array("x", x.shape, x.dtype)
            np.copyto(copied, x)
            x = copied
        write = self._add_products if self._kernels_overlap else self._write_products
        return write(x, kernel, bias, workspace), x

    def _write_products(
        self, x: FeatureMap, kernel: np.ndarray, bias: np.ndarray, workspace: Workspace
    ) -> FeatureMap:
        """Write each value to its position in the output, which no two values share."""
        windows = self.windows
        shape = (self.filters, *windows.padded_shape, x.shape[-1])
        padded = workspace.array("z", shape, x.dtype)
        stride, own_bias = windows.strides[0], per_channel(bias, x)

        def write(program: Program) -> None:
            if not windows.is_tiling:
                program.add(np.copyto, padded, own_bias)
            for rows, values in self._products(program, x, kernel, workspace):
                for tap, (first, *others) in enumerate(windows.taps):
                    start = first.start + rows.start * stride
                    stop = first.start + (rows.stop - 1) * stride + 1
                    where = (slice(None), slice(start, stop, stride), *others)
                    program.add(np.add, values[:, tap], own_bias, out=padded[where])

        key = (self, "forward", x.shape[-1])
        workspace.program(key, (x, kernel, bias, padded), write).run()
        return padded[(slice(None), *windows.interior)]

    def _add_products(
        self, x: FeatureMap, kernel: np.ndarray, bias: np.ndarray, workspace: Workspace
    ) -> FeatureMap:
        """Add the values up by phase, and interleave the phases."""
        windows, batch = self.windows, x.shape[-1]
        shape = (*windows.strides, self.filters, *self._phase_shape, batch)
        # A single phase is the output itself, which lasts longer than scratch.
        has_one_phase = prod(windows.strides) == 1
        allocate = workspace.array if has_one_phase else workspace.scratch
        phases = allocate("phases", shape, x.dtype)
        z = phases.reshape(-1, *self._phase_shape, batch)
        if has_one_phase:
            z = z[(slice(None), *windows.interior)]
        else:
            z = workspace.array("z", (self.filters, *windows.in_shape, batch), x.dtype)

        def write(program: Program) -> None:
            program.add(np.copyto, phases, per_channel(bias, x))
            for rows, values in self._products(program, x, kernel, workspace):
                for number, tap in enumerate(self._taps):
                    down = slice(tap.first_row + rows.start, tap.first_row + rows.stop)
                    target = phases[tap.phase][(slice(None), down, *tap.others)]
                    program.add(np.add, target, values[:, number], out=target)
            if not has_one_phase:
                for inside, outputs in self._interleavings:
                    program.add_copy(z[outputs], phases[inside])

        workspace.program((self, "forward", batch), (x, kernel, bias, z), write).run()
        return z

    def _products(
        self, program: Program, x: FeatureMap, kernel: np.ndarray, workspace: Workspace
    ) -> Iterator[_Products]:
        """Add calls that multiply the kernel by the map, one row block at a time."""
        batch = x.shape[-1]
        weights = self._matrices(kernel).transpose(0, 2, 1)
        flat = self._by_group(x)
        for block in self._columns.blocks(self.filters, batch, x.itemsize):
            shape = (*weights.shape[:2], block.stop - block.start)
            values = workspace.scratch("columns", shape, x.dtype)
            inputs = flat[:, :, block.start : block.stop]
            program.add(np.matmul, weights, inputs, out=values)
            n_rows = block.rows.stop - block.rows.start
            others = self.windows.out_shape[1:]
            yield _Products(
                block.rows, values.reshape(self.filters, -1, n_rows, *others, batch)
            )

    @override
    def backward(
        self,
        dz: FeatureMap,
        cache: FeatureMap,
        kernel: np.ndarray,
        dkernel: np.ndarray | None,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> FeatureMap | None:
        # The gradient of the map is a convolution of `dz`, whose columns also give
        # the gradient of the kernel.
        x, batch = cache, cache.shape[-1]
        weights, flat = self._matrices(kernel), self._by_group(x)
        dx = workspace.array("dx", x.shape, x.dtype) if need_dx else None
        dweights = workspace.scratch("dweights", weights.shape, x.dtype)

        def write(program: Program) -> None:
            for block in self._columns.blocks(self.filters, batch, x.itemsize):
                columns = self._im2col(program, dz, block, workspace)
                if dkernel is not None:
                    inputs = flat[:, :, block.start : block.stop]
                    is_first = block.start == 0
                    add_product(
                        program,
                        inputs,
                        columns,
                        dweights,
                        workspace,
                        overwrite=is_first,
                    )
                if dx is not None:
                    target = self._by_group(dx)[:, :, block.start : block.stop]
                    program.add(np.matmul, weights, columns, out=target)

        arrays = (x, kernel, dz, dx, dweights)
        key = (self, "backward", batch, dkernel is None)
        workspace.program(key, arrays, write).run()
        if dkernel is not None:
            np.copyto(dkernel.reshape(weights.shape), dweights)
        return dx

    def _im2col(
        self, program: Program, dz: FeatureMap, block: Block, workspace: Workspace
    ) -> np.ndarray:
        """Add calls that write the columns of a block of `dz`.

        Returns
        -------
        columns : ndarray of shape (groups, filters x taps, positions x batch)
        """
        shape = (self.filters, self.windows.size, block.stop - block.start)
        columns = workspace.scratch("columns", shape, dz.dtype)
        self._columns.im2col(program, dz, block, columns)
        return columns.reshape(self.groups, -1, shape[-1])

    @override
    def gradient_buffer(self, dy: FeatureMap, workspace: Workspace) -> FeatureMap:
        windows = self.windows
        if not windows.is_padded and dy.flags.c_contiguous:
            return dy
        shape = (len(dy), *windows.padded_shape, dy.shape[-1])
        padded = workspace.scratch("dz", shape, dy.dtype)
        fill_around(padded, windows.interior)
        return padded

    @override
    def crop_to_outputs(self, dz: FeatureMap) -> FeatureMap:
        if not self.windows.is_padded:
            return dz
        return dz[(slice(None), *self.windows.interior)]

    def _by_group(self, x: FeatureMap) -> np.ndarray:
        """View a map as (groups, channels of a group, positions x batch)."""
        return x.reshape(self.groups, self.channels // self.groups, -1)

    def _matrices(self, kernel: np.ndarray) -> np.ndarray:
        """View a kernel as (groups, channels of a group, filters of a group x taps)."""
        return kernel.reshape(self.groups, self.channels // self.groups, -1)


def _find_taps(windows: Windows) -> Iterator[_Tap]:
    """Find where the values of each tap are added, in the order of the kernel."""
    for tap in product(*(range(k) for k in windows.kernel)):
        offsets = [t * d for t, d in zip(tap, windows.dilation, strict=True)]
        pairs = list(zip(offsets, windows.strides, strict=True))
        first_row, *shifts = (offset // s for offset, s in pairs)
        others = zip(shifts, windows.out_shape[1:], strict=True)
        yield _Tap(
            tuple(offset % s for offset, s in pairs),
            first_row,
            tuple(slice(shift, shift + n) for shift, n in others),
        )


def _find_interleavings(windows: Windows) -> Iterator[_Interleaving]:
    """Find, for every stride phase, where its positions lie in the output.

    Position q of phase p is position ``q * stride + p`` of the padded output, hence
    ``q * stride + p - before`` of the output. The first position inside the output is
    ``first = (p - before) % stride``, which is position ``(before + first) // stride``
    of phase p.
    """
    for phase in product(*(range(s) for s in windows.strides)):
        inside, outputs = [], []
        for p, s, n, (before, _) in zip(
            phase, windows.strides, windows.in_shape, windows.pads, strict=True
        ):
            first = (p - before) % s
            start = (before + first) // s
            inside.append(slice(start, start + len(range(first, n, s))))
            outputs.append(slice(first, None, s))
        yield _Interleaving((*phase, slice(None), *inside), (slice(None), *outputs))
