"""Convolution by the fast Fourier transform, for large kernels.

The padded map is cut into tiles that overlap by the kernel's extent less one, each is
transformed, and channels are summed in the frequency domain: one small matrix product
for each frequency. Of a tile's circular correlation with the kernel those outputs are
taken that do not wrap around (overlap-save); the gradient of the map is added up from
the tiles (overlap-add).
"""

from __future__ import annotations

from itertools import product
from math import log2, prod
from typing import Any

import numpy as np
import scipy.fft

from skconvnet._typing import override
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.cost_model import FFTTerms
from skconvnet.ops.convolution.zero_windows import clear_empty_windows
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

# What a cell of a tile costs besides its share of the transform, log2(length).
_CELL_COST = 8


# Indices of some axes.
Slices = tuple[Any, ...]


class FFTConvolution(ConvolutionAlgorithm[np.ndarray]):
    """Convolution of any kernel, stride, dilation and number of groups.

    Has the methods of `Im2colConvolution`. Outputs are computed for stride 1, so that
    a longer one saves nothing. In training the transformed tiles, about as large as
    the padded map, are kept for the gradient of the kernel.

    Parameters
    ----------
    windows : Windows
    channels, filters, groups : int

    Attributes
    ----------
    tile, n_tiles : tuple of int
        Cells of a tile, and tiles, along each axis.
    """

    def __init__(
        self,
        windows: Windows,
        channels: int,
        filters: int,
        groups: int = 1,
        *,
        block_bytes: int | None = None,
    ) -> None:
        super().__init__(windows, channels, filters, groups, block_bytes=block_bytes)
        self._extent = tuple(
            d * (k - 1) + 1
            for k, d in zip(windows.kernel, windows.dilation, strict=True)
        )
        axes = [_Axis(windows, axis, e) for axis, e in enumerate(self._extent)]
        self.tile = tuple(axis.tile for axis in axes)
        self.n_tiles = tuple(len(axis.inputs) for axis in axes)
        # For each tile: where in it, and where in the map, inputs and outputs lie.
        self._inputs = _places([axis.inputs for axis in axes])
        self._outputs = _places([axis.outputs for axis in axes])
        self._axes = tuple(range(windows.ndim))
        self._frequencies = (*self.tile[:-1], self.tile[-1] // 2 + 1)
        self.n_frequencies = prod(self._frequencies)
        self.cached_values = 2 * self.n_frequencies * prod(self.n_tiles) * channels

    @override
    def cost_terms(self, batch: int) -> FFTTerms:
        tile, n_tiles = prod(self.tile), prod(self.n_tiles)
        both, pairs = self.channels + self.filters, self.channels * self.filters
        return FFTTerms(
            flops=24 * pairs * self.n_frequencies * n_tiles * batch,
            transform_flops=both * tile * log2(tile) * n_tiles * batch,
            tile_values=both * tile * n_tiles * batch,
            kernel_transform_flops=pairs * tile * log2(tile),
            tiles=n_tiles,
            passes=1,
        )

    @override
    def forward(
        self, x: np.ndarray, kernel: np.ndarray, workspace: Workspace, *, train: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        batch = x.shape[-1]
        spectrum = self._transform(self._cut(x, self._inputs, workspace))
        weights = self._transform_kernel(kernel, workspace)
        products = np.matmul(np.conj(weights, out=weights), spectrum)
        tiles = self._transform_back(products, self.filters, batch)
        z = workspace.array("z", (self.filters, *self.stored_shape, batch), x.dtype)
        for number, (inner, outer) in enumerate(self._outputs):
            z[(slice(None), *outer)] = np.moveaxis(
                tiles[(*inner, slice(None), number)], -2, 0
            )
        clear_empty_windows(z, x, self.windows, workspace)
        return z, spectrum

    @override
    def backward(
        self,
        dz: np.ndarray,
        cache: np.ndarray,
        kernel: np.ndarray,
        dkernel: np.ndarray,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> np.ndarray | None:
        spectrum, batch = cache, dz.shape[-1]
        doutputs = self._transform(self._cut(dz, self._outputs, workspace))
        dweights = np.matmul(np.conj(doutputs), spectrum.swapaxes(-1, -2))
        cells = self._inverse(dweights.reshape(*self._frequencies, *dkernel.shape[:2]))
        cells = cells[self._kernel_cells]
        np.copyto(dkernel, np.moveaxis(cells, (-2, -1), (0, 1)))
        if not need_dx:
            return None
        weights = self._transform_kernel(kernel, workspace)
        dspectrum = np.matmul(weights.swapaxes(-1, -2), doutputs)
        dtiles = self._transform_back(dspectrum, self.channels, batch)
        shape = (self.channels, *self.windows.in_shape, batch)
        dx = workspace.array("dx", shape, dz.dtype)
        dx.fill(0)
        for number, (inner, outer) in enumerate(self._inputs):
            dx[(slice(None), *outer)] += np.moveaxis(
                dtiles[(*inner, slice(None), number)], -2, 0
            )
        return dx

    def _cut(
        self, x: np.ndarray, places: list[tuple[Slices, Slices]], workspace: Workspace
    ) -> np.ndarray:
        """Tiles of `x`, (*tile, groups, channels of a group, tiles x batch)."""
        channels, batch = len(x), x.shape[-1]
        shape = (*self.tile, channels, len(places), batch)
        tiles = workspace.scratch("tiles", shape, x.dtype)
        tiles.fill(0)
        for number, (inner, outer) in enumerate(places):
            tiles[(*inner, slice(None), number)] = np.moveaxis(
                x[(slice(None), *outer)], 0, -2
            )
        return tiles.reshape(*self.tile, self.groups, channels // self.groups, -1)

    @property
    def _kernel_cells(self) -> Slices:
        pairs = zip(self._extent, self.windows.dilation, strict=True)
        return tuple(slice(0, e, d) for e, d in pairs)

    def _transform_kernel(self, kernel: np.ndarray, workspace: Workspace) -> np.ndarray:
        shape = (*self.tile, *kernel.shape[:2])
        cells = workspace.scratch("tiles", shape, kernel.dtype)
        cells.fill(0)
        cells[self._kernel_cells] = np.moveaxis(kernel, (0, 1), (-2, -1))
        return self._transform(cells.reshape(*self.tile, self.groups, -1, shape[-1]))

    def _transform(self, cells: np.ndarray) -> np.ndarray:
        """Spectrum of shape (frequencies, groups, rows, columns), for products."""
        spectrum = scipy.fft.rfftn(cells, axes=self._axes)
        return spectrum.reshape(-1, *cells.shape[-3:])

    def _inverse(self, spectrum: np.ndarray) -> np.ndarray:
        return scipy.fft.irfftn(spectrum, s=self.tile, axes=self._axes)

    def _transform_back(
        self, spectrum: np.ndarray, channels: int, batch: int
    ) -> np.ndarray:
        """Tiles of shape (*tile, channels, tiles, batch)."""
        shape = (*self._frequencies, channels, prod(self.n_tiles), batch)
        return self._inverse(spectrum.reshape(shape))


class _Axis:
    """How the tiles lie along one axis.

    `inputs` and `outputs` have a pair of slices for each tile: where values lie in
    the tile, and where in the map.
    """

    def __init__(self, windows: Windows, axis: int, extent: int) -> None:
        n, n_out = windows.in_shape[axis], windows.out_shape[axis]
        before, stride = windows.pads[axis][0], windows.strides[axis]
        # Cells of the padded map that outputs depend on, and outputs of stride 1.
        n_outputs = (n_out - 1) * stride + 1
        self.tile = _tile_length(n_outputs + extent - 1, extent)
        step = self.tile - extent + 1
        self.inputs, self.outputs = [], []
        for start in range(0, n_outputs, step):
            first, last = max(start - before, 0), min(start - before + self.tile, n)
            last = max(last, first)
            offset = before - start
            self.inputs.append(
                (slice(first + offset, last + offset), slice(first, last))
            )
            stop = min(start + step, n_outputs)
            low, high = -(-start // stride), -(-stop // stride)
            inner = slice(low * stride - start, stop - start, stride)
            self.outputs.append((inner, slice(low, high)))


def _tile_length(n: int, extent: int) -> int:
    """Return the length of tiles that makes all of them cheapest to transform.

    >>> _tile_length(40, 31), _tile_length(500, 9)
    (40, 108)
    """
    lengths = {scipy.fft.next_fast_len(n, real=True)}
    size = 2 * extent
    while size < n:
        lengths.add(scipy.fft.next_fast_len(size, real=True))
        size += max(size // 8, 1)

    def cost(length: int) -> float:
        n_tiles = -(-(n - extent + 1) // (length - extent + 1))
        return n_tiles * length * (log2(length) + _CELL_COST)

    return min(sorted(lengths), key=cost)


def _places(axes: list[list[tuple[slice, slice]]]) -> list[tuple[Slices, Slices]]:
    """All combinations of the tiles along each axis."""
    return [
        (tuple(inner for inner, _ in pairs), tuple(outer for _, outer in pairs))
        for pairs in product(*axes)
    ]
