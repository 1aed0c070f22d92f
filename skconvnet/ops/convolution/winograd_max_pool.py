"""Max pooling of outputs that are still stored by tiles."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

from skconvnet._typing import Shape
from skconvnet.ops.pooling import max_pool, max_pool_backward
from skconvnet.ops.program import Program
from skconvnet.ops.workspace import Workspace


class TilePool:
    """A max pool whose windows are adjacent and fill the tiles.

    The same output of all tiles is one run of memory. So windows are compared position
    by position in long runs, while the outputs are in the cache.

    Parameters
    ----------
    m : tuple of int
        Number of outputs of a tile along each axis.
    pool : tuple of int
        Number of positions of a window along each axis, which divides `m`.

    Attributes
    ----------
    m : tuple of int
        Number of outputs of a tile along each axis after pooling.
    """

    def __init__(self, m: tuple[int, ...], pool: tuple[int, ...]) -> None:
        self.m = tuple(a // p for a, p in zip(m, pool, strict=True))
        self._pool = pool
        # Outputs of a tile as (m, pool) for each axis: all windows, one position.
        self._positions: list[tuple[slice | int, ...]] = [
            tuple(index for position in positions for index in (slice(None), position))
            for positions in product(*map(range, pool))
        ]

    @property
    def is_trivial(self) -> bool:
        """Whether a window is one position."""
        return prod(self._pool) == 1

    def forward(
        self,
        program: Program,
        outputs: np.ndarray,
        workspace: Workspace,
        wins: str | None,
    ) -> np.ndarray:
        """Add calls that find the largest output of each window.

        Parameters
        ----------
        program : Program
        outputs : ndarray of shape (outputs of a tile, filters, tiles x batch)
        workspace : Workspace
        wins : str or None
            Name in the workspace of the array that `backward` needs. If None, nothing
            is kept.

        Returns
        -------
        largest : ndarray of shape (*m, filters, tiles x batch)
            Scratch, or `outputs` itself.
        """
        if self.is_trivial:
            return outputs
        positions = self._by_position(outputs)
        largest = workspace.scratch("block A", positions[0].shape, outputs.dtype)
        winners = None
        if wins is not None:
            winners = self._wins(positions[0].shape, workspace, wins)
        program.add(max_pool, positions, largest, winners)
        return largest

    def backward(
        self,
        program: Program,
        dlargest: np.ndarray,
        name: str,
        workspace: Workspace,
        wins: str | None,
    ) -> np.ndarray:
        """Add calls that compute the gradient of the outputs.

        `dlargest`, of shape (outputs of a tile after pooling, filters, tiles x batch),
        may be overwritten. The result is the scratch called `name`, or `dlargest`
        itself if there is nothing to do.
        """
        if self.is_trivial:
            return dlargest
        assert wins is not None
        n_outputs = prod(self.m) * prod(self._pool)
        shape = (n_outputs, *dlargest.shape[-2:])
        doutputs = workspace.scratch(name, shape, dlargest.dtype)
        positions = self._by_position(doutputs)
        own = positions[0].shape
        winners = self._wins(own, workspace, wins)
        program.add(max_pool_backward, dlargest.reshape(own), winners, positions)
        return doutputs

    def _wins(self, shape: Shape, workspace: Workspace, name: str) -> np.ndarray:
        """Return the array that tells which positions were the largest."""
        n_windows = prod(self._pool) - 1
        return workspace.array(name, (n_windows, *shape), np.bool_)

    def _by_position(self, outputs: np.ndarray) -> list[np.ndarray]:
        """Return a view of `outputs` for each position of the windows."""
        pairs = zip(self.m, self._pool, strict=True)
        shape = (*(n for pair in pairs for n in pair), *outputs.shape[1:])
        by_axis = outputs.reshape(shape)
        return [by_axis[position] for position in self._positions]
