"""Transposed convolution by one product, and an addition for each kernel cell.

With strides, cells of the output that are a stride apart are kept together, as a
*phase*: within it the additions run over long rows, and the phases are interleaved
once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from skconvnet.ops.convolution.im2col_columns import Block, Columns
from skconvnet.ops.layout import fill_around
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


class ScatteredConvolution:
    """Transposed convolution of any stride, dilation and number of groups.

    Parameters
    ----------
    windows : Windows
        From `transposed_windows`.
    channels, filters, groups : int

    Attributes
    ----------
    cached_values : int
        Numbers a sample that are kept for `backward`, besides maps.
    """

    cached_values = 0

    def __init__(
        self, windows: Windows, channels: int, filters: int, groups: int
    ) -> None:
        self.windows = windows
        self.channels = channels
        self.filters = filters
        self.groups = groups
        self._columns = Columns(windows, may_be_wide=False)
        self._is_apart = all(
            s >= d * (k - 1) + 1
            for s, k, d in zip(
                windows.strides, windows.kernel, windows.dilation, strict=True
            )
        )
        sizes = zip(windows.padded_shape, windows.strides, strict=True)
        self._phase_shape = tuple(-(-n // s) for n, s in sizes)
        self._taps = list(self._find_taps())
        self._phases = list(self._find_phases())

    def forward(
        self,
        x: np.ndarray,
        kernel: np.ndarray,
        bias: np.ndarray,
        workspace: Workspace,
        *,
        train: bool,
    ) -> tuple[np.ndarray, Any]:
        """Return the output, with the bias, and what `backward` needs of this pass.

        Parameters
        ----------
        x : ndarray of shape (channels, *spatial, batch)
        kernel : ndarray of shape (channels, filters // groups, *kernel_size)
        bias : ndarray of shape (filters,)
        workspace : Workspace
        train : bool

        Returns
        -------
        z : ndarray of shape (filters, *windows.in_shape, batch)
            It may be a view.
        cache : object
        """
        if not x.flags.c_contiguous:
            copied = workspace.array("x", x.shape, x.dtype)
            np.copyto(copied, x)
            x = copied
        bias = bias.reshape(-1, *(1,) * (x.ndim - 1))
        if self._is_apart:
            return self._put(x, kernel, bias, workspace), x
        return self._add_up(x, kernel, bias, workspace), x

    def _put(
        self, x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        """Where no two kernels meet: write each product to its place."""
        windows = self.windows
        shape = (self.filters, *windows.padded_shape, x.shape[-1])
        whole = workspace.array("z", shape, x.dtype)
        if not windows.is_tiling:
            whole[...] = bias
        stride = windows.strides[0]
        for rows, products in self._products(x, kernel, workspace):
            for tap, (first, *others) in enumerate(windows.cells):
                start = first.start + rows.start * stride
                stop = first.start + (rows.stop - 1) * stride + 1
                where = (slice(None), slice(start, stop, stride), *others)
                np.add(products[:, tap], bias, out=whole[where])
        return whole[(slice(None), *windows.interior)]

    def _add_up(
        self, x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        """Add the products up in phases, and interleave these."""
        windows = self.windows
        batch = x.shape[-1]
        shape = (*windows.strides, self.filters, *self._phase_shape, batch)
        # With one phase, it is the output, which lasts longer than scratch does.
        has_one = prod(windows.strides) == 1
        make = workspace.array if has_one else workspace.scratch
        phases = make("phases", shape, x.dtype)
        phases[...] = bias
        for rows, products in self._products(x, kernel, workspace):
            for tap, (phase, first, others) in enumerate(self._taps):
                down = slice(first + rows.start, first + rows.stop)
                where: tuple[Any, ...] = (*phase, slice(None), down, *others)
                phases[where] += products[:, tap]
        if has_one:
            whole = phases.reshape(self.filters, *self._phase_shape, batch)
            return whole[(slice(None), *windows.interior)]
        z = workspace.array("z", (self.filters, *windows.in_shape, batch), x.dtype)
        for where, places in self._phases:
            z[places] = phases[where]
        return z

    def _products(
        self, x: np.ndarray, kernel: np.ndarray, workspace: Workspace
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Cells of the kernel times the map, (filters, cells, *map, batch), by rows."""
        batch = x.shape[-1]
        weights = self._matrices(kernel).transpose(0, 2, 1)
        flat = x.reshape(self.groups, self.channels // self.groups, -1)
        for block in self._columns.blocks(self.filters, batch, x.itemsize):
            shape = (*weights.shape[:2], block.stop - block.start)
            products = workspace.scratch("columns", shape, x.dtype)
            np.matmul(weights, flat[:, :, block.start : block.stop], out=products)
            rows = block.rows.stop - block.rows.start
            others = self.windows.out_shape[1:]
            yield (
                block.rows,
                products.reshape(self.filters, -1, rows, *others, batch),
            )

    def room_for_gradient(
        self, dy: np.ndarray, workspace: Workspace
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what `backward` takes, and the part of it to be written, like `dy`.

        The rest is zero. Where it can be, both are `dy`.
        """
        windows = self.windows
        if not windows.is_padded and dy.flags.c_contiguous:
            return dy, dy
        shape = (len(dy), *windows.padded_shape, dy.shape[-1])
        whole = workspace.scratch("dz", shape, dy.dtype)
        fill_around(whole, windows.interior)
        return whole, whole[(slice(None), *windows.interior)]

    def backward(
        self,
        dz: np.ndarray,
        cache: Any,
        kernel: np.ndarray,
        dkernel: np.ndarray,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> np.ndarray | None:
        """Write the gradient of the kernel, and return that of the map.

        The latter is the convolution of `dz`, whose columns serve for both.

        Parameters
        ----------
        dz : ndarray
            The first of what `room_for_gradient` returned.
        cache : object
            From `forward`.
        kernel, dkernel : ndarray of shape (channels, filters // groups, *kernel_size)
            `dkernel` is overwritten.
        workspace : Workspace
        need_dx : bool
            Where False, None is returned.
        """
        x = cache
        weights, dweights = self._matrices(kernel), self._matrices(dkernel)
        flat = x.reshape(self.groups, self.channels // self.groups, -1)
        dx = workspace.array("dx", x.shape, x.dtype) if need_dx else None
        for block in self._columns.blocks(self.filters, x.shape[-1], x.itemsize):
            columns = self._gathered(dz, block, workspace)
            inputs = flat[:, :, block.start : block.stop]
            if block.start == 0:
                np.matmul(inputs, columns.transpose(0, 2, 1), out=dweights)
            else:
                dweights += np.matmul(inputs, columns.transpose(0, 2, 1))
            if dx is not None:
                target = dx.reshape(flat.shape)[:, :, block.start : block.stop]
                np.matmul(weights, columns, out=target)
        return dx

    def _gathered(
        self, dz: np.ndarray, block: Block, workspace: Workspace
    ) -> np.ndarray:
        shape = (self.filters, self.windows.size, block.stop - block.start)
        columns = workspace.scratch("columns", shape, dz.dtype)
        self._columns.gather(dz, block, columns)
        return columns.reshape(self.groups, -1, shape[-1])

    def _matrices(self, kernel: np.ndarray) -> np.ndarray:
        """View of the kernel as (groups, channels, filters x cells) of a group."""
        return kernel.reshape(self.groups, self.channels // self.groups, -1)

    def _find_taps(self) -> Iterator[tuple[tuple[int, ...], int, tuple[slice, ...]]]:
        """For each cell of the kernel: its phase, first row there, and columns."""
        windows = self.windows
        for cell in product(*(range(k) for k in windows.kernel)):
            offsets = [c * d for c, d in zip(cell, windows.dilation, strict=True)]
            pairs = list(zip(offsets, windows.strides, strict=True))
            first, *shifts = (offset // s for offset, s in pairs)
            columns = zip(shifts, windows.out_shape[1:], strict=True)
            yield (
                tuple(offset % s for offset, s in pairs),
                first,
                tuple(slice(shift, shift + n) for shift, n in columns),
            )

    def _find_phases(self) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
        """For each phase, which of its cells are in the output, and where there."""
        windows = self.windows
        for phase in product(*(range(s) for s in windows.strides)):
            where, places = [], []
            for p, s, n, (before, _) in zip(
                phase, windows.strides, windows.in_shape, windows.pads, strict=True
            ):
                first = (p - before) % s
                start = (before + first) // s
                where.append(slice(start, start + len(range(first, n, s))))
                places.append(slice(first, None, s))
            yield (*phase, slice(None), *where), (slice(None), *places)
