"""The gradient of a map, added up from the gradients of its overlapping tiles.

Row blocks of tiles are computed one after the other, in two *runs* that may go on at
the same time. A block has its own rows, and an *overhang*: the rows after them, which
its last tiles share with the block after it. With four blocks::

    rows of the map    0 - - - - - - - - - - - - - - - - - - - - - - - - - - - > n
    earlier run   A    [ own rows  ][overhang]
                  B                 [ own rows  ][overhang]
    later run     C                              [ own rows  ][overhang]
                  D                                           [ own rows  ][overhang]

Within a run, blocks are processed from the last to the first. A block *overwrites* its
own rows, so that nothing has to be cleared, and *adds* its overhang to the rows of the
block after it, which then are complete. The invariant: when a block is added, all
blocks after it in its run have been added.

Only the overhang of the last block of the earlier run, B above, extends into the other
run. It is set aside, and added after both runs. So the sums have the same order, and
the same bits, on one thread and on two.
"""

from __future__ import annotations

import numpy as np

from skconvnet.ops.convolution.winograd_tiles import Tiles
from skconvnet.ops.workspace import Workspace


def cut_into_runs(blocks: list[slice], tiles: Tiles) -> list[list[slice]]:
    """Return the later and the earlier half of the row blocks.

    There is only one run if there is only one block, or if an overhang is longer than a
    block, since then several overhangs would extend into the later run.
    """
    middle = len(blocks) // 2
    n_rows = (blocks[0].stop - blocks[0].start) * tiles.m[0]
    overhang = tiles.shape[0] - tiles.m[0]
    if not middle or n_rows < overhang:
        return [blocks]
    return [blocks[middle:], blocks[:middle]]


class OverlapAdd:
    """Adds gradients of tiles to the phases that `Tiles.join` turns into a map.

    Parameters
    ----------
    tiles : Tiles
    phases : ndarray of shape `tiles.phases_shape`
        Overwritten.
    workspace : Workspace
        Holds the overhang that is set aside.
    """

    def __init__(self, tiles: Tiles, phases: np.ndarray, workspace: Workspace) -> None:
        self.tiles = tiles
        self.phases = phases
        self._workspace = workspace
        self._aside: np.ndarray | None = None
        self._rows_aside = slice(0)
        tiles.clear_shared(phases)

    def add(self, values: np.ndarray, rows: slice, *, at_boundary: bool) -> None:
        """Add the tiles of a row block.

        Parameters
        ----------
        values : ndarray of shape `tiles.block_shape`
        rows : slice
            The row block. All blocks after it in its run have been added.
        at_boundary : bool
            Whether it is the last block of the earlier run.
        """
        self._add_own_rows(values, rows)
        overhang = values[self.tiles.m[0] :]
        if not at_boundary:
            self._add_overhang(overhang, rows)
            return
        shape, dtype = overhang.shape, overhang.dtype
        self._aside = self._workspace.array("overhang", shape, dtype)
        self._rows_aside = rows
        np.copyto(self._aside, overhang)

    def finish(self) -> None:
        """Add the overhang that was set aside, after all blocks of both runs."""
        if self._aside is not None:
            self._add_overhang(self._aside, self._rows_aside)

    def _add_own_rows(self, values: np.ndarray, rows: slice) -> None:
        """Write the positions of one tile only; add those that tiles share.

        The overhang is left out.
        """
        first, *others = self.tiles.groups(self.phases, rows, whole=False)
        np.copyto(first.view(self.phases), values[first.inside])
        for group in others:
            if group.inside[0].start == 0:
                view = group.view(self.phases)
                view += values[group.inside]

    def _add_overhang(self, overhang: np.ndarray, rows: slice) -> None:
        """Add `overhang`, the positions from m on along the first axis."""
        m = self.tiles.m[0]
        for group in self.tiles.groups(self.phases, rows, whole=False):
            first, *others = group.inside
            if first.start:
                view = group.view(self.phases)
                view += overhang[(slice(first.start - m, first.stop - m), *others)]
