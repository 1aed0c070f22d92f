"""Max pooling of outputs that are still stored by tiles."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

from skconvnet.ops.pooling import max_pool, max_pool_backward
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
        self, outputs: np.ndarray, workspace: Workspace, wins: str | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the largest output of each window.

        Parameters
        ----------
        outputs : ndarray of shape (outputs of a tile, filters, tiles x batch)
        workspace : Workspace
        wins : str or None
            Name in the workspace of the array that `backward` needs. If None, nothing
            is kept.

        Returns
        -------
        largest : ndarray of shape (*m, filters, tiles x batch)
            Scratch, or `outputs` itself.
        wins : ndarray of bool or None
        """
        if self.is_trivial:
            return outputs, None
        positions = self._by_position(outputs)
        shape = positions[0].shape
        largest = workspace.scratch("largest", shape, outputs.dtype)
        winners = None
        if wins is not None:
            winners = workspace.array(wins, (len(positions) - 1, *shape), np.bool_)
        max_pool(positions, largest, winners)
        return largest, winners

    def backward(
        self, dlargest: np.ndarray, wins: np.ndarray | None, workspace: Workspace
    ) -> np.ndarray:
        """Return the gradient of the outputs, in scratch or in `dlargest` itself.

        `dlargest`, of shape (*m, filters, tiles x batch), may be overwritten.
        """
        if wins is None:
            return dlargest
        n_outputs = prod(self.m) * prod(self._pool)
        shape = (n_outputs, *dlargest.shape[-2:])
        doutputs = workspace.scratch("outputs", shape, dlargest.dtype)
        max_pool_backward(dlargest, wins, self._by_position(doutputs))
        return doutputs

    def _by_position(self, outputs: np.ndarray) -> list[np.ndarray]:
        """Return a view of `outputs` for each position of the windows."""
        pairs = zip(self.m, self._pool, strict=True)
        shape = (*(n for pair in pairs for n in pair), *outputs.shape[1:])
        by_axis = outputs.reshape(shape)
        return [by_axis[position] for position in self._positions]
