"""The maxout layer, which takes the maximum over groups of channels."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skconvnet._checks import check_positive_int
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class Maxout(LayerSpec):
    """Maximum of every `pieces` consecutive channels [1]_.

    Output channel c is the maximum of the input channels ``c * pieces`` to
    ``(c + 1) * pieces - 1`` at the same position. The gradient goes to the largest of
    them, the first of equals.

    After a layer without an activation, this gives the classic maxout unit, a maximum
    of linear functions: ``Dense(2 * 64)`` and ``Maxout(2)`` are 64 units of 2 pieces,
    and ``Conv2D(2 * 32, 3)`` and ``Maxout(2)`` are 32 channels.

    Parameters
    ----------
    pieces : int, default=2
        Number of channels per maximum. It must divide the number of channels, or of
        flat features.

    References
    ----------
    .. [1] I. J. Goodfellow et al., "Maxout networks", ICML 2013.

    Examples
    --------
    >>> from skconvnet import SequentialClassifier
    >>> from skconvnet.layers import Dense, Maxout
    >>> net = SequentialClassifier(layers=[Dense(2 * 64), Maxout(2)])
    >>> Maxout(2).build((2 * 64,)).out_shape
    (64,)
    """

    pieces: int = 2

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        pieces = check_positive_int("pieces", self.pieces)
        if in_shape[-1] % pieces:
            raise ValueError(
                f"pieces must divide the {in_shape[-1]} channels of the input, whose "
                f"shape is {tuple(in_shape)}; got {self.pieces!r}. Give the layer "
                f"before it {pieces} times the number of channels that you want."
            )
        return MaxoutLayer(in_shape, pieces)


class MaxoutCache(NamedTuple):
    """The input and the output of a forward pass."""

    x: FeatureMap
    y: FeatureMap


class MaxoutLayer(WeightlessLayer[MaxoutCache]):
    """Runtime layer of `Maxout`."""

    takes_lengths = True

    def __init__(self, in_shape: Shape, pieces: int) -> None:
        super().__init__(in_shape, (*in_shape[:-1], in_shape[-1] // pieces))
        self.pieces = pieces
        self.flops = prod(in_shape)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, MaxoutCache]:
        y = workspace.array("y", (len(x) // self.pieces, *x.shape[1:]), x.dtype)
        first, *others = self._pieces_of(x)
        if not others:
            np.copyto(y, first)
        for piece in others:
            np.maximum(first, piece, out=y)
            first = y
        return y, MaxoutCache(x, y)

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: MaxoutCache, workspace: Workspace
    ) -> FeatureMap:
        x, y = cache
        dx = workspace.array("dx", x.shape, dy.dtype)
        wins = workspace.scratch("wins", y.shape, bool)
        taken = workspace.scratch("taken", y.shape, bool)
        taken.fill(False)
        for piece, dpiece in zip(self._pieces_of(x), self._pieces_of(dx), strict=True):
            np.equal(piece, y, out=wins)
            np.greater(wins, taken, out=wins)
            np.logical_or(wins, taken, out=taken)
            np.multiply(dy, wins, out=dpiece)
        return dx

    def _pieces_of(self, x: np.ndarray) -> list[np.ndarray]:
        """View `x` as the arrays whose elementwise maximum is the output."""
        return [x[piece :: self.pieces] for piece in range(self.pieces)]
