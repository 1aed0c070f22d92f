"""Convolution by the fast Fourier transform, for large kernels.

The padded map is cut into tiles that overlap by one less than the extent of the kernel,
and each tile is transformed. Channels are summed in the frequency domain, with one
small matrix product for each frequency. The product of two spectra is a circular
convolution, in which windows at the end of a tile wrap around to its start. Their
outputs are left out (*overlap-save*). For a kernel of 3 taps, and tiles of 6 positions
for 4 outputs::

    padded map    0   1   2   3   4   5   6   7   8   9
    tile 0        0   1   2   3   4   5
                  -------------                            gives outputs 0 to 3
    tile 1                        4   5   6   7   8   9
                                  -------------            gives outputs 4 to 7

The gradient of the map is added up where tiles overlap (*overlap-add*).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import log2, prod
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.fft

from skconvnet._typing import FeatureMap, override
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.cost_model import FFTTerms
from skconvnet.ops.convolution.zero_windows import clear_empty_windows
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

# Matrices to multiply, one for each frequency: (frequencies, groups, rows, columns).
Spectrum: TypeAlias = npt.NDArray[np.complexfloating]

# The cost of each position of a tile, in addition to log2(length) for the transform.
_POSITION_COST = 8


class TileSlices(NamedTuple):
    """Where one tile and a map hold the same values, along each axis."""

    in_tile: tuple[slice, ...]
    in_map: tuple[slice, ...]

    def of_tiles(self, tiles: np.ndarray, number: int) -> FeatureMap:
        """View the values in tile `number`, with the axes of a map.

        `tiles` has the shape (*tile, channels, tiles, batch).
        """
        index: tuple[slice | int, ...] = (*self.in_tile, slice(None), number)
        return np.moveaxis(tiles[index], -2, 0)

    def of_map(self, x: FeatureMap) -> FeatureMap:
        """View the values in the map `x`."""
        return x[(slice(None), *self.in_map)]


class FFTConvolution(ConvolutionAlgorithm[Spectrum]):
    """Convolution of any kernel, stride, dilation and number of groups.

    Outputs are computed for stride 1, so that larger strides save nothing. The cache
    has the transformed tiles, about as large as the padded map, for the gradient of the
    kernel. Row blocks are not used.

    Attributes
    ----------
    tile, n_tiles : tuple of int
        Number of positions of a tile, and number of tiles, along each axis.
    n_frequencies : int
        How many numbers the spectrum of a tile has.
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
        extents = [
            d * (k - 1) + 1
            for k, d in zip(windows.kernel, windows.dilation, strict=True)
        ]
        axes = [_Axis(windows, axis, extent) for axis, extent in enumerate(extents)]
        self.tile = tuple(axis.tile for axis in axes)
        self.n_tiles = tuple(len(axis.inputs) for axis in axes)
        self._inputs = _combined([axis.inputs for axis in axes])
        self._outputs = _combined([axis.outputs for axis in axes])
        pairs = zip(extents, windows.dilation, strict=True)
        self._taps = tuple(slice(0, extent, d) for extent, d in pairs)
        self._axes = tuple(range(windows.ndim))
        # The spectrum of real numbers is symmetric: half of the last axis is enough.
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
        self, x: FeatureMap, kernel: np.ndarray, workspace: Workspace, *, train: bool
    ) -> tuple[FeatureMap, Spectrum]:
        batch = x.shape[-1]
        spectrum = self._transform(self._cut(x, self._inputs, workspace))
        weights = self._transform_kernel(kernel, workspace)
        # The conjugate makes the circular convolution a cross-correlation.
        products = np.matmul(np.conj(weights, out=weights), spectrum)
        tiles = self._transform_back(products, self.filters, batch)
        z = workspace.array("z", (self.filters, *self.stored_shape, batch), x.dtype)
        for number, slices in enumerate(self._outputs):
            slices.of_map(z)[...] = slices.of_tiles(tiles, number)
        clear_empty_windows(z, x, self.windows, workspace)
        return z, spectrum

    @override
    def backward(
        self,
        dz: FeatureMap,
        cache: Spectrum,
        kernel: np.ndarray,
        dkernel: np.ndarray | None,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> FeatureMap | None:
        spectrum, batch = cache, dz.shape[-1]
        doutputs = self._transform(self._cut(dz, self._outputs, workspace))
        if dkernel is not None:
            dweights = np.matmul(np.conj(doutputs), spectrum.swapaxes(-1, -2))
            shape = (*self._frequencies, *dkernel.shape[:2])
            dtaps = self._inverse(dweights.reshape(shape))
            np.copyto(dkernel, np.moveaxis(dtaps[self._taps], (-2, -1), (0, 1)))
        if not need_dx:
            return None
        weights = self._transform_kernel(kernel, workspace)
        dspectrum = np.matmul(weights.swapaxes(-1, -2), doutputs)
        dtiles = self._transform_back(dspectrum, self.channels, batch)
        dx_shape = (self.channels, *self.windows.in_shape, batch)
        dx = workspace.array("dx", dx_shape, dz.dtype)
        dx.fill(0)
        for number, slices in enumerate(self._inputs):
            target = slices.of_map(dx)
            target += slices.of_tiles(dtiles, number)
        return dx

    def _cut(
        self, x: FeatureMap, tile_slices: Sequence[TileSlices], workspace: Workspace
    ) -> np.ndarray:
        """Return tiles of `x`: (*tile, groups, channels of a group, tiles x batch)."""
        channels, batch = len(x), x.shape[-1]
        shape = (*self.tile, channels, len(tile_slices), batch)
        tiles = workspace.scratch("tiles", shape, x.dtype)
        tiles.fill(0)
        for number, slices in enumerate(tile_slices):
            slices.of_tiles(tiles, number)[...] = slices.of_map(x)
        return tiles.reshape(*self.tile, self.groups, channels // self.groups, -1)

    def _transform_kernel(self, kernel: np.ndarray, workspace: Workspace) -> Spectrum:
        shape = (*self.tile, *kernel.shape[:2])
        taps = workspace.scratch("tiles", shape, kernel.dtype)
        taps.fill(0)
        taps[self._taps] = np.moveaxis(kernel, (0, 1), (-2, -1))
        return self._transform(taps.reshape(*self.tile, self.groups, -1, shape[-1]))

    def _transform(self, tiles: np.ndarray) -> Spectrum:
        """Return the spectrum of tiles of shape (*tile, groups, rows, columns)."""
        spectrum: Spectrum = scipy.fft.rfftn(tiles, axes=self._axes)
        return spectrum.reshape(-1, *tiles.shape[-3:])

    def _inverse(self, spectrum: Spectrum) -> np.ndarray:
        """Return the tiles of a spectrum of shape (*frequencies, ...)."""
        tiles: np.ndarray = scipy.fft.irfftn(spectrum, s=self.tile, axes=self._axes)
        return tiles

    def _transform_back(
        self, spectrum: Spectrum, channels: int, batch: int
    ) -> np.ndarray:
        """Return tiles of shape (*tile, channels, tiles, batch)."""
        shape = (*self._frequencies, channels, prod(self.n_tiles), batch)
        return self._inverse(spectrum.reshape(shape))


class _AxisSlices(NamedTuple):
    """Where one tile and a map hold the same values, along one axis."""

    in_tile: slice
    in_map: slice


class _Axis:
    """The tiles along one axis.

    Attributes
    ----------
    tile : int
        Number of positions of a tile.
    inputs, outputs : list of _AxisSlices
        The values of the input that each tile holds, and the outputs that it gives.
    """

    def __init__(self, windows: Windows, axis: int, extent: int) -> None:
        n, n_out = windows.in_shape[axis], windows.out_shape[axis]
        before, stride = windows.pads[axis][0], windows.strides[axis]
        # Outputs of stride 1; every `stride`-th one is used.
        n_outputs = (n_out - 1) * stride + 1
        self.tile = _tile_length(n_outputs + extent - 1, extent)
        step = self.tile - extent + 1
        self.inputs, self.outputs = [], []
        for start in range(0, n_outputs, step):
            # Position 0 of the tile is position `start` of the padded map.
            first, last = max(start - before, 0), min(start - before + self.tile, n)
            last = max(last, first)
            offset = before - start
            in_tile = slice(first + offset, last + offset)
            self.inputs.append(_AxisSlices(in_tile, slice(first, last)))
            stop = min(start + step, n_outputs)
            low, high = -(-start // stride), -(-stop // stride)
            in_tile = slice(low * stride - start, stop - start, stride)
            self.outputs.append(_AxisSlices(in_tile, slice(low, high)))


def _tile_length(n: int, extent: int) -> int:
    """Return the length of tiles for which transforming all tiles is cheapest.

    >>> _tile_length(40, 31), _tile_length(500, 9)
    (40, 108)
    """
    lengths: set[int] = {scipy.fft.next_fast_len(n, real=True)}
    size = 2 * extent
    while size < n:
        lengths.add(scipy.fft.next_fast_len(size, real=True))
        size += max(size // 8, 1)

    def cost(length: int) -> float:
        n_tiles = -(-(n - extent + 1) // (length - extent + 1))
        return n_tiles * length * (log2(length) + _POSITION_COST)

    return min(sorted(lengths), key=cost)


def _combined(axes: Sequence[Sequence[_AxisSlices]]) -> list[TileSlices]:
    """Return all combinations of the tiles along each axis."""
    return [
        TileSlices(
            tuple(slices.in_tile for slices in per_axis),
            tuple(slices.in_map for slices in per_axis),
        )
        for per_axis in product(*axes)
    ]
