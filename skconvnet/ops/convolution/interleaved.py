"""Dilated convolution as undilated convolutions of interleaved maps.

With a dilation of d along an axis, a window meets only every d-th position: its
positions have the same remainder after division by d. So the map consists of d
interleaved maps, and each of them is convolved without dilation. Along one axis, with a
dilation of 2 and a kernel of 3 taps::

    padded map       a0 b0 a1 b1 a2 b2 a3 b3
    interleaved      a0 a1 a2 a3  and  b0 b1 b2 b3
    their outputs    p0 p1        and  q0 q1
    outputs          p0 q0 p1 q1

The interleaved maps are put side by side along the batch, and convolved at once by an
algorithm that needs windows without gaps, such as Winograd's minimal filtering.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.cost_model import InterleavingTerms, microseconds
from skconvnet.ops.convolution.im2col import Im2colConvolution
from skconvnet.ops.convolution.winograd import WinogradConvolution
from skconvnet.ops.padding import pad
from skconvnet.ops.short_runs import copy_runs
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


class _Interleaved(NamedTuple):
    """Where one of the interleaved maps is, as indices of channels and positions.

    Attributes
    ----------
    remainder : tuple of int
        Along each axis.
    in_map, inside : tuple of slice
        Its positions in the map, and where these are in the interleaved map. The rest
        of it is padding.
    outputs, computed : tuple of slice
        Its positions among the outputs, and where these are in the computed outputs.
    """

    remainder: tuple[int, ...]
    in_map: tuple[slice, ...]
    inside: tuple[slice, ...]
    outputs: tuple[slice, ...]
    computed: tuple[slice, ...]

    def of(self, maps: np.ndarray) -> FeatureMap:
        """View this one of the interleaved maps."""
        before = (slice(None),) * (maps.ndim - 1 - len(self.remainder))
        view: FeatureMap = maps[before + self.remainder]
        return view


class _Cache(NamedTuple):
    algorithm: ConvolutionAlgorithm[Any]
    algorithm_cache: object  # only the algorithm knows its type


class InterleavedConvolution(ConvolutionAlgorithm[_Cache]):
    """Convolution of stride 1 with any dilation.

    Maps have the shape ``(channels, *spatial, *dilation, batch)`` while they are
    interleaved.
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
        self._n_maps = prod(windows.dilation)
        # Of an interleaved map, as far as windows reach.
        out_shape = tuple(
            -(-n // d) for n, d in zip(windows.out_shape, windows.dilation, strict=True)
        )
        self._map_shape = tuple(
            n + k - 1 for n, k in zip(out_shape, windows.kernel, strict=True)
        )
        ones, no_pads = (1,) * windows.ndim, ((0, 0),) * windows.ndim
        undilated = Windows(
            self._map_shape, out_shape, windows.kernel, ones, ones, no_pads
        )
        self._algorithms: list[ConvolutionAlgorithm[Any]] = [
            cls(undilated, channels, filters, groups, block_bytes=block_bytes)
            for cls in (Im2colConvolution, WinogradConvolution)
            if cls.supports(undilated)
        ]
        self._maps = [
            _find_map(remainder, windows, self._map_shape)
            for remainder in product(*map(range, windows.dilation))
        ]
        n_read = sum(
            prod(axis.stop - axis.start for axis in own.inside[1:])
            for own in self._maps
        )
        # Whether every position of the map is in a window.
        self._reads_all = n_read == prod(windows.in_shape)

    @classmethod
    @override
    def supports(cls, windows: Windows) -> bool:
        return max(windows.strides) == 1 and max(windows.dilation) > 1

    def inner(self, batch: int) -> ConvolutionAlgorithm[Any]:
        """Return the algorithm for the interleaved maps of `batch` samples."""
        n = batch * self._n_maps
        return min(self._algorithms, key=lambda algorithm: algorithm.cost(n))

    @override
    def cost(self, batch: int) -> float:
        n = batch * self._n_maps
        values = self.channels * prod(self._map_shape) * n
        values += self.filters * prod(self.windows.out_shape) * batch
        terms = InterleavingTerms(values, self._n_maps)
        return self.inner(batch).cost(n) + microseconds(terms)

    @override
    def forward(
        self, x: FeatureMap, kernel: np.ndarray, workspace: Workspace, *, train: bool
    ) -> tuple[FeatureMap, _Cache]:
        batch = x.shape[-1]
        algorithm = self.inner(batch)
        maps = self._array("maps", self.channels, self._map_shape, x, workspace)
        for own in self._maps:
            pad(x[own.in_map], own.inside[1:], own.of(maps))
        outputs, cache = algorithm.forward(
            _side_by_side(maps), kernel, workspace.nested("inner"), train=train
        )
        dilation = self.windows.dilation
        apart = outputs.reshape(*outputs.shape[:-1], *dilation, batch)
        z = workspace.array("z", (self.filters, *self.out_shape, batch), x.dtype)
        for own in self._maps:
            copy_runs(z[own.outputs], own.of(apart)[own.computed])
        return z, _Cache(algorithm, cache)

    @override
    def backward(
        self,
        dz: FeatureMap,
        cache: _Cache,
        kernel: np.ndarray,
        dkernel: np.ndarray | None,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> FeatureMap | None:
        algorithm = cache.algorithm
        doutputs = self._array(
            "doutputs", self.filters, algorithm.stored_shape, dz, workspace
        )
        for own in self._maps:
            pad(dz[own.outputs], own.computed[1:], own.of(doutputs))
        dmaps = algorithm.backward(
            _side_by_side(doutputs),
            cache.algorithm_cache,
            kernel,
            dkernel,
            workspace.nested("inner"),
            need_dx=need_dx,
        )
        if dmaps is None:
            return None
        batch = dz.shape[-1]
        apart = dmaps.reshape(*dmaps.shape[:-1], *self.windows.dilation, batch)
        shape = (self.channels, *self.windows.in_shape, batch)
        dx = workspace.array("dx", shape, dz.dtype)
        if not self._reads_all:
            dx.fill(0)
        for own in self._maps:
            copy_runs(dx[own.in_map], own.of(apart)[own.inside])
        return dx

    def _array(
        self,
        name: str,
        channels: int,
        shape: Shape,
        like: np.ndarray,
        workspace: Workspace,
    ) -> np.ndarray:
        """Return an array for interleaved maps, apart from each other."""
        dilation = self.windows.dilation
        return workspace.array(
            name, (channels, *shape, *dilation, like.shape[-1]), like.dtype
        )


def _find_map(
    remainder: tuple[int, ...], windows: Windows, map_shape: Shape
) -> _Interleaved:
    axes = [
        _find_along_axis(*values)
        for values in zip(
            remainder,
            windows.dilation,
            (before for before, _ in windows.pads),
            windows.in_shape,
            map_shape,
            windows.out_shape,
            strict=True,
        )
    ]
    by_role = zip(*axes, strict=True)
    return _Interleaved(remainder, *((slice(None), *slices) for slices in by_role))


def _find_along_axis(
    remainder: int, step: int, before: int, n_in: int, n_own: int, n_out: int
) -> tuple[slice, slice, slice, slice]:
    """Return the slices of `_Interleaved` along one axis.

    Position h of the interleaved map is position ``h * step + remainder`` of the padded
    map, whose first `before` positions are padding.
    """
    first = max(-(-(before - remainder) // step), 0)
    start = first * step + remainder - before
    count = min(len(range(start, n_in, step)), max(n_own - first, 0))
    n_outputs = len(range(remainder, n_out, step))
    return (
        slice(start, start + count * step, step),
        slice(first, first + count),
        slice(remainder, None, step),
        slice(0, n_outputs),
    )


def _side_by_side(maps: np.ndarray) -> FeatureMap:
    """View maps of shape (channels, *spatial, *dilation, batch) as one batch."""
    ndim = (maps.ndim - 2) // 2
    return maps.reshape(*maps.shape[: 1 + ndim], -1)
