"""Dropout of attention weights, which is drawn again in the backward pass."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from skconvnet.ops.attention.blocks import Block
from skconvnet.ops.workspace import Workspace


class WeightDropout(NamedTuple):
    """Sets a random share of the weights to zero, and scales the others.

    Keeping what was drawn would take a number for each pair of steps. Instead, each
    block has its own random generator, from which it is drawn twice.

    Attributes
    ----------
    rate : float
        Share of the weights dropped, in (0, 1).
    seed : int
    """

    rate: float
    seed: int

    @classmethod
    def drawn(cls, rate: float, rng: np.random.Generator) -> Self:
        """Return the dropout of a forward pass, with a random seed."""
        return cls(rate, int(rng.integers(2**63)))

    def scales(
        self, block: Block, weights: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        """Return what to multiply the weights of a block by: 0 or 1 / (1 - rate).

        Parameters
        ----------
        block : Block
            It has the same scales every time.
        weights : ndarray
        workspace : Workspace
        """
        starts = (part.start for part in (block.samples, block.heads, block.queries))
        rng = np.random.Generator(np.random.SFC64([self.seed, *starts]))
        dtype = weights.dtype
        scales = workspace.scratch("weight_scales", weights.shape, dtype)
        rng.random(out=scales, dtype=dtype.type)
        is_kept = workspace.scratch("is_kept", weights.shape, np.bool_)
        np.greater_equal(scales, self.rate, out=is_kept)
        np.multiply(is_kept, dtype.type(1 / (1 - self.rate)), out=scales)
        return scales
