"""The gradient of a map, added up from those of its overlapping tiles.

Row blocks of tiles come one after the other, in two *runs* that may be computed at the
same time. A block has rows of its own, and an *overhang*: the rows after them that its
last tiles share with the block after it. Here with four blocks::

    rows of the map    0 - - - - - - - - - - - - - - - - - - - - - - - - - - - > n
    earlier run   A    [ own rows  ][overhang]
                  B                 [ own rows  ][overhang]
    later run     C                              [ own rows  ][overhang]
                  D                                           [ own rows  ][overhang]

Within a run, blocks come from the last to the first. A block *overwrites* its own rows,
so that nothing has to be cleared, and *adds* its overhang to the rows of the block
after it, which are complete but for that. The invariant: when a block is added, all
blocks after it in its run have been.

Only the overhang of the last block of the earlier run, B above, crosses into the other
run. It is set aside, and added when both runs are through. So the sums have the same
order, and the same bits, on one thread and on two.
"""

from __future__ import annotations

import numpy as np

from skconvnet.ops.convolution.winograd_tiles import Tiles
from skconvnet.ops.workspace import Workspace


def cut_into_runs(blocks: list[slice], tiles: Tiles) -> list[list[slice]]:
    """Return the later and the earlier half of the row blocks.

    There is one run where there is one block, or where an overhang is longer than a
    block, so that those of several blocks would cross the boundary.
    """
    middle = len(blocks) // 2
    n_rows = (blocks[0].stop - blocks[0].start) * tiles.m[0]
    overhang = tiles.shape[0] - tiles.m[0]
    if not middle or n_rows < overhang:
        return [blocks]
    return [blocks[middle:], blocks[:middle]]


class OverlapAdd:
    """Adds tiles to the phases that `Tiles.join` turns into a map.

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
            The row block. All those after it in its run have been added.
        at_boundary : bool
            Whether it is the last one of the earlier run.
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
        """Add what was set aside, once both runs have been added."""
        if self._aside is not None:
            self._add_overhang(self._aside, self._rows_aside)

    def _add_own_rows(self, values: np.ndarray, rows: slice) -> None:
        """Write what tiles have to themselves; add what they share in these rows."""
        first, *others = self.tiles.groups(self.phases, rows, whole=False)
        np.copyto(first.view(self.phases), values[first.inside])
        for group in others:
            if group.inside[0].start == 0:
                view = group.view(self.phases)
                view += values[group.inside]

    def _add_overhang(self, overhang: np.ndarray, rows: slice) -> None:
        """Add the positions from m on along the first axis, all of `overhang`."""
        m = self.tiles.m[0]
        for group in self.tiles.groups(self.phases, rows, whole=False):
            first, *others = group.inside
            if first.start:
                view = group.view(self.phases)
                view += overhang[(slice(first.start - m, first.stop - m), *others)]
