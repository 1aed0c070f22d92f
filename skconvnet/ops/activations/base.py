"""What all activation functions have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.blocks import channel_blocks
from skconvnet.ops.workspace import Workspace

# Bytes of a block, for functions of several passes.
_BLOCK_BYTES = 500_000


class ActivationFunction(ABC):
    """An elementwise function.

    Attributes
    ----------
    name : str
    needs_input : bool
        Whether the derivative needs z. Otherwise it follows from y = f(z), and y may
        overwrite z, which saves a map.
    is_monotone : bool
        Whether f never decreases, so that it commutes with the maximum.
    is_trainable : bool
        Whether the function can be trained through.
    """

    name: ClassVar[str]
    needs_input: ClassVar[bool] = False
    is_monotone: ClassVar[bool] = True
    is_trainable: ClassVar[bool] = True

    @abstractmethod
    def apply(self, z: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        """Write f(z) into `out`, which may be `z`."""

    def activated(self, z: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Return f(z), in `z` itself unless the derivative needs z."""
        y = z
        if self.needs_input:
            y = workspace.array("activated", z.shape, z.dtype)
        self.apply(z, y, workspace)
        return y

    @abstractmethod
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        """Write f'(z) into `out`; `cache` is z if `needs_input`, otherwise y."""

    def backward(
        self, cache: np.ndarray, dy: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        """Write dy * f'(z) into `out`, which may be `dy`."""
        slope = workspace.scratch("slope", cache.shape, cache.dtype)
        self.slope(cache, slope, workspace)
        np.multiply(dy, slope, out=out)


class BlockwiseFunction(ActivationFunction):
    """A function of several passes over its input.

    They are done on a few channels, which stay in the cache, before the next channels
    are read. This is twice as fast for maps that are larger than the cache.
    """

    @abstractmethod
    def apply_to_block(
        self, z: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        """Write f(z) of some channels into `out`, which may be `z`."""

    @override
    def apply(self, z: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        for some in channel_blocks(z, _BLOCK_BYTES):
            self.apply_to_block(z[some], out[some], workspace)

    @override
    def backward(
        self, cache: np.ndarray, dy: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        for some in channel_blocks(cache, _BLOCK_BYTES):
            super().backward(cache[some], dy[some], out[some], workspace)
