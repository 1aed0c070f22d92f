"""The steps of Winograd's minimal filtering in one row block of tiles.

Transforms are matrix products along one axis after the other, for many tiles at once.
The elementwise product between the transforms, summed over channels, is a matrix
product for each position of a tile. The backward pass applies the transposed matrices
in reverse order.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap
from skconvnet.ops.convolution.winograd_max_pool import TilePool
from skconvnet.ops.convolution.winograd_tiles import Tiles
from skconvnet.ops.convolution.winograd_transforms import (
    FilteringMatrices,
    transform,
    transposed,
)
from skconvnet.ops.layout import tiled
from skconvnet.ops.short_runs import copy_runs
from skconvnet.ops.workspace import Workspace


class PassArrays(NamedTuple):
    """The arrays that all row blocks of a pass read.

    Attributes
    ----------
    phases : ndarray of shape `Tiles.phases_shape`
        The map.
    weights : ndarray of shape (positions of a tile, groups, filters of a group, \
channels of a group)
        The transformed kernels.
    mask : ndarray of shape (1, *(counts * m), batch) or None
        Zero where a window holds nothing but zeros, so that its outputs are exactly
        zero. None if there is no such window.
    """

    phases: np.ndarray
    weights: np.ndarray
    mask: np.ndarray | None


class BlockCache(NamedTuple):
    """What the backward pass needs of a row block.

    `wins` says which positions of the pooling windows were the largest. It is None if
    there is no pooling.
    """

    transformed: np.ndarray
    wins: np.ndarray | None


class RowBlock:
    """Computes some rows of tiles.

    Parameters
    ----------
    tiles : Tiles
    pool : TilePool
    matrices : sequence of FilteringMatrices
        The matrices of each axis.
    channels, filters, groups : int
    """

    def __init__(
        self,
        tiles: Tiles,
        pool: TilePool,
        matrices: Sequence[FilteringMatrices],
        channels: int,
        filters: int,
        groups: int,
    ) -> None:
        self.tiles = tiles
        self.pool = pool
        self.channels = channels
        self.filters = filters
        self.groups = groups
        self._to_outputs = [axis.outputs for axis in matrices]
        self._of_inputs = [axis.inputs for axis in matrices]

    def forward(
        self,
        arrays: PassArrays,
        rows: slice,
        workspace: Workspace,
        *,
        keep: bool,
        find_wins: bool,
    ) -> tuple[np.ndarray, BlockCache]:
        """Return the pooled outputs and what the backward pass needs.

        Parameters
        ----------
        arrays : PassArrays
        rows : slice
            Rows of tiles.
        workspace : Workspace
        keep : bool
            Whether to keep the transformed tiles after the next call.
        find_wins : bool
            Whether to compute the `wins` of the cache.

        Returns
        -------
        outputs : ndarray of shape (*pool.m, filters, tiles x batch)
            Scratch, which the next call overwrites.
        cache : BlockCache
        """
        phases, weights, mask = arrays
        transformed = self._transformed(phases, rows, workspace, keep=keep)
        shape = (*weights.shape[:3], transformed.shape[-1])
        products = workspace.scratch("products", shape, transformed.dtype)
        np.matmul(weights, transformed, out=products)
        outputs = transform(self._to_outputs, products, "outputs", workspace)
        outputs = outputs.reshape(prod(self.tiles.m), self.filters, -1)
        if mask is not None:
            own = tiled(mask, self.tiles.m, self.tiles.counts, rows)
            outputs *= own.reshape(len(outputs), 1, -1)
        name = f"wins{rows.start}" if find_wins else None
        outputs, wins = self.pool.forward(outputs, workspace, name)
        return outputs, BlockCache(transformed, wins)

    def _transformed(
        self, phases: np.ndarray, rows: slice, workspace: Workspace, *, keep: bool
    ) -> np.ndarray:
        """Return B' d, of shape (positions, groups, channels, tiles x batch)."""
        shape = self.tiles.block_shape(self.channels, rows, phases.shape[-1])
        tiles = workspace.scratch("tiles", shape, phases.dtype)
        self.tiles.read(phases, rows, tiles)
        per_group = self.channels // self.groups
        tiles = tiles.reshape(prod(self.tiles.shape), self.groups, per_group, -1)
        out = None
        if keep:
            name = f"transformed{rows.start}"
            out = workspace.array(name, tiles.shape, phases.dtype)
        return transform(self._of_inputs, tiles, "transformed", workspace, out=out)

    def gradient_of_products(
        self,
        dz: FeatureMap,
        rows: slice,
        wins: np.ndarray | None,
        workspace: Workspace,
    ) -> np.ndarray:
        """Return the gradient of (G g) * (B' d), summed over channels.

        Its shape is (positions of a tile, groups, filters of a group, tiles x batch).
        """
        own = tiled(dz, self.pool.m, self.tiles.counts, rows)
        name = "outputs" if wins is None else "largest"
        dlargest = workspace.scratch(name, own.shape, dz.dtype)
        copy_runs(dlargest, own)
        dlargest = dlargest.reshape(*self.pool.m, self.filters, -1)
        doutputs = self.pool.backward(dlargest, wins, workspace)
        shape = (prod(self.tiles.m), self.groups, self.filters // self.groups, -1)
        matrices = transposed(self._to_outputs)
        return transform(matrices, doutputs.reshape(shape), "products", workspace)

    def gradient_of_tiles(
        self,
        dproducts: np.ndarray,
        rows: slice,
        weights: np.ndarray,
        batch: int,
        workspace: Workspace,
    ) -> np.ndarray:
        """Return the gradient of the tiles d, of shape `tiles.block_shape`."""
        per_group = self.channels // self.groups
        shape = (*dproducts.shape[:2], per_group, dproducts.shape[-1])
        dtransformed = workspace.scratch("dtransformed", shape, dproducts.dtype)
        np.matmul(weights.swapaxes(-1, -2), dproducts, out=dtransformed)
        matrices = transposed(self._of_inputs)
        dtiles = transform(matrices, dtransformed, "tiles", workspace)
        return dtiles.reshape(self.tiles.block_shape(self.channels, rows, batch))
