"""Max pooling of outputs that still lie tile by tile."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

from skconvnet.ops.pooling import max_pool, max_pool_backward
from skconvnet.ops.workspace import Workspace


class TilePool:
    """A max pool whose windows, side by side, fill the tiles.

    The same output of all tiles is one run of memory, so that windows are compared
    cell by cell in long runs, while the outputs are in the cache.

    Parameters
    ----------
    m : tuple of int
        Outputs of a tile along each axis.
    pool : tuple of int
        Cells of a window along each axis, which divide them.

    Attributes
    ----------
    m : tuple of int
        What is left of a tile along each axis.
    """

    def __init__(self, m: tuple[int, ...], pool: tuple[int, ...]) -> None:
        self.m = tuple(a // p for a, p in zip(m, pool, strict=True))
        self._pool = pool
        self._places: list[tuple[slice | int, ...]] = []
        for places in product(*map(range, pool)):
            index: list[slice | int] = []
            for place in places:
                index += [slice(None), place]
            self._places.append(tuple(index))

    @property
    def is_trivial(self) -> bool:
        """Whether a window is one cell."""
        return prod(self._pool) == 1

    def forward(
        self, outputs: np.ndarray, workspace: Workspace, wins: str | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the largest of each window.

        Parameters
        ----------
        outputs : ndarray of shape (outputs of a tile, filters, tiles x batch)
        workspace : Workspace
        wins : str or None
            The array of this name keeps what `backward` needs.

        Returns
        -------
        largest : ndarray of shape (*m, filters, tiles x batch)
            Scratch, or `outputs` itself.
        wins : ndarray of bool or None
        """
        if self.is_trivial:
            return outputs, None
        cells = self._cells(outputs)
        shape = cells[0].shape
        largest = workspace.scratch("largest", shape, outputs.dtype)
        kept = None
        if wins is not None:
            kept = workspace.array(wins, (len(cells) - 1, *shape), np.bool_)
        max_pool(cells, largest, kept)
        return largest, kept

    def backward(
        self, dlargest: np.ndarray, wins: np.ndarray | None, workspace: Workspace
    ) -> np.ndarray:
        """Return the gradient of the outputs, scratch or `dlargest` itself.

        `dlargest`, of shape (*m, filters, tiles x batch), may be changed.
        """
        if wins is None:
            return dlargest
        n_outputs = prod(self.m) * prod(self._pool)
        shape = (n_outputs, *dlargest.shape[-2:])
        doutputs = workspace.scratch("outputs", shape, dlargest.dtype)
        max_pool_backward(dlargest, wins, self._cells(doutputs))
        return doutputs

    def _cells(self, outputs: np.ndarray) -> list[np.ndarray]:
        """Views of `outputs`, one a cell of the windows."""
        pairs = zip(self.m, self._pool, strict=True)
        shape = (*(n for pair in pairs for n in pair), *outputs.shape[1:])
        by_axis = outputs.reshape(shape)
        return [by_axis[place] for place in self._places]
