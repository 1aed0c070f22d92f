"""From the products of Winograd's minimal filtering to the outputs, and back.

Every position of a tile is one run of memory for all tiles of a block, so that the
transforms are products of a small matrix with a wide one, and pooling compares whole
arrays. Only the pooled outputs are put in their places in the map::

    products    (j, i, F, tiles x batch)
      | A' along each axis
    outputs     (J, I, F, tiles x batch)         J, I: outputs of a tile
      | maximum
    pooled      (J', I', F, tiles x batch)
      | copy
    map         (F, *stored_shape, batch)

The last axis of a tile comes first, as in `winograd_inputs.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from skconvnet._typing import FeatureMap
from skconvnet.ops.convolution.winograd_max_pool import TilePool
from skconvnet.ops.convolution.winograd_tiles import TileBlock, Tiles
from skconvnet.ops.convolution.winograd_transforms import (
    FilteringMatrices,
    last_first,
    transform,
    transposed,
)
from skconvnet.ops.layout import tiled
from skconvnet.ops.program import Program
from skconvnet.ops.workspace import Workspace


class TileOutputs:
    """Writes programs that compute the outputs of a block, and their gradients.

    Parameters
    ----------
    tiles : Tiles
    matrices : sequence of FilteringMatrices
        The matrices of each axis.
    filters : int
    pool : tuple of int
        Window sizes of a max pool along each axis.

    Attributes
    ----------
    m : tuple of int
        Number of outputs of a tile along each axis, after pooling.
    """

    def __init__(
        self,
        tiles: Tiles,
        matrices: Sequence[FilteringMatrices],
        filters: int,
        pool: tuple[int, ...],
    ) -> None:
        self.tiles = tiles
        self.filters = filters
        self._matrices = [axis.outputs for axis in last_first(matrices)]
        sizes = [axis.m for axis in tiles.axes]
        self.m = tuple(a // p for a, p in zip(sizes, pool, strict=True))
        self._sizes = sizes
        self._pool = TilePool(last_first(sizes), last_first(pool))

    def write(
        self,
        program: Program,
        products: np.ndarray,
        z: FeatureMap,
        mask: np.ndarray | None,
        block: TileBlock,
        workspace: Workspace,
        *,
        wins: str | None,
    ) -> None:
        """Add calls that write the outputs of a block.

        Parameters
        ----------
        program : Program
        products : ndarray of shape (positions of a tile, filters, tiles x batch)
        z : ndarray of shape (filters, *(counts * m), batch)
            With the m after pooling.
        mask : ndarray of shape (1, *(counts * m), batch) or None
            With the m before pooling. Zero where an output is exactly zero.
        block : TileBlock
        workspace : Workspace
        wins : str or None
            Name of the array that tells which outputs were the largest. None if it is
            not needed.
        """
        outputs = transform(
            program, self._matrices, products, "block C", "block B", workspace
        )
        if mask is not None:
            view = self._in_map(mask, self._sizes, block)
            own = workspace.scratch("mask of block", view.shape, mask.dtype)
            program.add_copy(own, view)
            own = own.reshape(len(outputs), 1, -1)
            program.add(np.multiply, outputs, own, out=outputs)
        largest = self._pool.forward(program, outputs, workspace, wins)
        target = self._in_map(z, self.m, block)
        program.add_copy(target, largest.reshape(target.shape))

    def gradient_of_products(
        self,
        program: Program,
        dz: FeatureMap,
        block: TileBlock,
        workspace: Workspace,
        *,
        wins: str | None,
    ) -> np.ndarray:
        """Add calls that compute the gradient of the products of a block.

        Returns
        -------
        dproducts : ndarray of shape (positions of a tile, filters, tiles x batch)
            Scratch.
        """
        view = self._in_map(dz, self.m, block)
        # The transforms alternate between two arrays, and the result is in block A.
        n_transforms = sum(matrix.size > 1 for matrix in self._matrices)
        source, other = "block A", "block C"
        if n_transforms % 2:
            source, other = other, source
        name = source if self._pool.is_trivial else other
        dlargest = workspace.scratch(name, view.shape, dz.dtype)
        program.add_copy(dlargest, view)
        dlargest = dlargest.reshape(prod(self.m), self.filters, -1)
        doutputs = self._pool.backward(program, dlargest, source, workspace, wins)
        return transform(
            program,
            transposed(self._matrices),
            doutputs,
            "block A",
            "block C",
            workspace,
            backwards=True,
        )

    def _in_map(
        self, z: FeatureMap, sizes: Sequence[int], block: TileBlock
    ) -> np.ndarray:
        """View the outputs of a block as (*positions, filters, *tiles, batch)."""
        first = block.columns if len(sizes) == 1 else block.rows
        view = tiled(z, tuple(sizes), self.tiles.counts, first)
        if len(sizes) > 1:
            view = view[..., block.columns, :]
        return np.moveaxis(view, len(sizes) - 1, 0)
