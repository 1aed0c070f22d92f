"""The steps of Winograd's minimal filtering for one block of tiles.

Three arrays of scratch, A, B and C, take turns, so that they stay in the cache::

    forward                              backward
    ---------------------------------    ---------------------------------
    B' along H    x -> C                 as in the forward pass, x -> B
    copy          C -> A                 copy          dz -> A
    B' along W    A -> B                 A along axes  A -> C -> A
    products      B -> A                 dweights      A, B -> dweights
    A' along axes A -> B -> C            products      A -> B
    max pool      C -> A                 B along W     B -> C
    copy          A or C -> z            add up, copy  C -> A
                                         B along H     A -> dx, C -> dx
"""

from __future__ import annotations

import numpy as np

from skconvnet._typing import FeatureMap
from skconvnet.ops.convolution.weight_gradient import add_product
from skconvnet.ops.convolution.winograd_inputs import TileInputs
from skconvnet.ops.convolution.winograd_outputs import TileOutputs
from skconvnet.ops.convolution.winograd_tiles import TileBlock
from skconvnet.ops.program import Program
from skconvnet.ops.workspace import Workspace


class BlockPrograms:
    """Writes the programs of blocks.

    Parameters
    ----------
    inputs : TileInputs
    outputs : TileOutputs
    groups : int
    """

    def __init__(self, inputs: TileInputs, outputs: TileOutputs, groups: int) -> None:
        self._inputs = inputs
        self._outputs = outputs
        self._groups = groups

    def write_forward(
        self,
        program: Program,
        x: FeatureMap,
        weights: np.ndarray,
        z: FeatureMap,
        mask: np.ndarray | None,
        block: TileBlock,
        workspace: Workspace,
        *,
        find_wins: bool,
    ) -> None:
        """Add calls that write the outputs of a block.

        Parameters
        ----------
        program : Program
        x : ndarray of shape (channels, *in_shape, batch)
        weights : ndarray of shape (positions of a tile, groups, filters of a group, \
channels of a group)
            The transformed kernels.
        z, mask
            As in `TileOutputs.write`.
        block : TileBlock
        workspace : Workspace
        find_wins : bool
            Whether to keep which outputs of each pool window were the largest.
        """
        transformed = self._by_group(
            self._inputs.transform(program, x, block, workspace)
        )
        shape = (*weights.shape[:3], transformed.shape[-1])
        products = workspace.scratch("block A", shape, x.dtype)
        program.add(np.matmul, weights, transformed, out=products)
        self._outputs.write(
            program,
            products.reshape(len(products), -1, shape[-1]),
            z,
            mask,
            block,
            workspace,
            wins=_name_of_wins(block) if find_wins else None,
        )

    def write_weight_gradient(
        self,
        program: Program,
        x: FeatureMap,
        dz: FeatureMap,
        dweights: np.ndarray | None,
        block: TileBlock,
        workspace: Workspace,
        *,
        overwrite: bool,
    ) -> np.ndarray:
        """Add calls that add a block to the gradient of the weights, or overwrite it.

        If `dweights` is None, only the gradient of the products is computed.

        Returns
        -------
        dproducts : ndarray of shape (positions of a tile, groups, filters of a group, \
tiles x batch)
            Scratch with the gradient of the products.
        """
        if dweights is not None:
            transformed = self._inputs.transform(program, x, block, workspace)
        dproducts = self._by_group(
            self._outputs.gradient_of_products(
                program, dz, block, workspace, wins=_name_of_wins(block)
            )
        )
        if dweights is not None:
            inputs = self._by_group(transformed)
            add_product(
                program, dproducts, inputs, dweights, workspace, overwrite=overwrite
            )
        return dproducts

    def write_map_gradient(
        self,
        program: Program,
        dproducts: np.ndarray,
        weights: np.ndarray,
        dx: FeatureMap,
        block: TileBlock,
        workspace: Workspace,
        *,
        set_aside: bool,
    ) -> None:
        """Add calls that add a block to the gradient of the map.

        `set_aside` is that of `TileInputs.add_gradient`.
        """
        positions, groups, per_group = weights.swapaxes(-1, -2).shape[:3]
        shape = (positions, groups, per_group, dproducts.shape[-1])
        dtransformed = workspace.scratch("block B", shape, dx.dtype)
        program.add(np.matmul, weights.swapaxes(-1, -2), dproducts, out=dtransformed)
        self._inputs.add_gradient(
            program,
            dtransformed.reshape(positions, -1, shape[-1]),
            dx,
            block,
            workspace,
            set_aside=set_aside,
        )

    def write_rows_set_aside(
        self, program: Program, dx: FeatureMap, block: TileBlock, workspace: Workspace
    ) -> None:
        """Add calls that add what `write_map_gradient` has set aside."""
        self._inputs.add_rows_set_aside(program, dx, block, workspace)

    def _by_group(self, values: np.ndarray) -> np.ndarray:
        """View (positions, channels, columns) as (positions, groups, ..., columns)."""
        positions, channels, columns = values.shape
        return values.reshape(
            positions, self._groups, channels // self._groups, columns
        )


def _name_of_wins(block: TileBlock) -> str:
    return f"wins {block.rows.start}, {block.columns.start}"
