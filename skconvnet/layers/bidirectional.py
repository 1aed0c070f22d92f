"""Recurrent layers that read a sequence from both ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_choice
from skconvnet._typing import FeatureMap, Lengths, NamedArrays, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.recurrent_base import (
    RecurrentCache,
    RecurrentLayer,
    RecurrentSpec,
)
from skconvnet.ops.layout import map_shape
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.recurrent.reversal import reverse_steps
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec

_MERGES = ("concat", "sum", "mul", "ave")


@dataclass(eq=False, repr=False)
class Bidirectional(TrainableSpec):
    """Run a recurrent layer from the first step on, and another from the last [1]_.

    The two have the same parameters, and weights of their own, which are named
    ``"forward/kernel"``, ``"backward/kernel"`` and so on. If they return sequences, the
    outputs of both are in the order of the steps.

    Parameters
    ----------
    layer : LSTM, GRU or SimpleRNN
        Its parameters are accessed as ``layer__units`` and the like.
    merge : {"concat", "sum", "mul", "ave"}, default="concat"
        What becomes of the two outputs: they are joined along the channels, added,
        multiplied, or averaged.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] M. Schuster and K. K. Paliwal, "Bidirectional recurrent neural networks",
       IEEE Transactions on Signal Processing 45(11), 1997.

    Examples
    --------
    >>> from skconvnet.layers import LSTM, Bidirectional
    >>> Bidirectional(LSTM(32)).build((100, 8)).out_shape
    (64,)
    >>> Bidirectional(LSTM(32, return_sequences=True), "sum").build((100, 8)).out_shape
    (100, 32)
    """

    spatial_ndim: ClassVar[int | None] = 1

    layer: RecurrentSpec
    merge: str = "concat"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        if not isinstance(self.layer, RecurrentSpec):
            raise TypeError(
                "layer must be a recurrent layer, such as LSTM(32); got "
                f"{self.layer!r}."
            )
        merge = check_choice("merge", self.merge, _MERGES)
        forward = self.layer.build(in_shape)
        if forward.options.go_backwards:
            raise ValueError(
                "the layer in Bidirectional must have go_backwards=False; the other "
                f"direction is added to it. Got {self.layer!r}."
            )
        layer = BidirectionalLayer(forward, merge)
        if self.layer.is_frozen:
            layer.freeze()
        return layer


class BidirectionalCache(NamedTuple):
    """What both directions keep, and their outputs in the order of the steps."""

    caches: list[RecurrentCache]
    ys: list[FeatureMap]


class BidirectionalLayer(Layer[BidirectionalCache]):
    """Runtime layer of `Bidirectional`.

    Attributes
    ----------
    directions : dict of str to RecurrentLayer
        "forward" and "backward".
    merge : str
    """

    takes_lengths = True

    def __init__(self, forward: RecurrentLayer, merge: str) -> None:
        *steps, units = forward.out_shape
        n_outputs = 2 * units if merge == "concat" else units
        super().__init__(forward.in_shape, (*steps, n_outputs))
        self.directions = {"forward": forward, "backward": forward.reversed()}
        self.merge = merge
        self.returns_sequences = forward.options.return_sequences
        self.weight_shapes = {
            f"{direction}/{array}": shape
            for direction, layer in self.directions.items()
            for array, shape in layer.weight_shapes.items()
        }
        self.penalized = tuple(
            f"{direction}/{array}"
            for direction, layer in self.directions.items()
            for array in layer.penalized
        )
        self.is_random = forward.is_random
        self.flops = 2 * forward.flops
        self.cached_values = 2 * (forward.cached_values + units * forward.in_shape[0])

    @property
    @override
    def matrices(self) -> dict[str, MatrixForm]:
        return {
            f"{direction}/{array}": form
            for direction, layer in self.directions.items()
            for array, form in layer.matrices.items()
        }

    @property
    @override
    def input_matrices(self) -> tuple[str, ...]:
        return tuple(
            f"{direction}/{array}"
            for direction, layer in self.directions.items()
            for array in layer.input_matrices
        )

    @override
    def freeze(self) -> None:
        super().freeze()
        for layer in self.directions.values():
            layer.freeze()

    @override
    def bind(self, weights: NamedArrays, buffers: NamedArrays) -> None:
        super().bind(weights, buffers)
        for direction, layer in self.directions.items():
            layer.bind(self._arrays(direction, weights), {})

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        return {
            f"{direction}/{array}": values
            for direction, layer in self.directions.items()
            for array, values in layer.initialize(rng).items()
        }

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        return lengths if self.returns_sequences else None

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, BidirectionalCache]:
        ys: list[FeatureMap] = []
        caches: list[RecurrentCache] = []
        for direction, layer in self.directions.items():
            inner = self._workspace(direction, workspace)
            y, cache = layer.forward(x, train=train, rng=rng, workspace=inner)
            ys.append(self._in_order(direction, y, "y_in_order", inner))
            caches.append(cache)
        y = workspace.array("y", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        if self.merge == "concat":
            np.concatenate(ys, axis=0, out=y)
        elif self.merge == "mul":
            np.multiply(ys[0], ys[1], out=y)
        else:
            np.add(ys[0], ys[1], out=y)
            if self.merge == "ave":
                y *= y.dtype.type(0.5)
        return y, BidirectionalCache(caches, ys)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: BidirectionalCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        dys = self._divide(dy, cache.ys, workspace)
        dxs: list[FeatureMap] = []
        for (direction, layer), own_dy, own_cache in zip(
            self.directions.items(), dys, cache.caches, strict=True
        ):
            inner = self._workspace(direction, workspace)
            dx = layer.backward(
                self._in_order(direction, own_dy, "dy_in_order", inner),
                own_cache,
                gradients=self._arrays(direction, gradients),
                workspace=inner,
                need_dx=need_dx,
            )
            if dx is not None:
                dxs.append(dx)
        return np.add(dxs[0], dxs[1], out=dxs[0]) if need_dx else None

    def _divide(
        self, dy: FeatureMap, ys: list[FeatureMap], workspace: Workspace
    ) -> list[FeatureMap]:
        """Return the gradient of the output of each direction.

        The directions do not overwrite it.
        """
        if self.merge == "concat":
            return np.split(dy, 2, axis=0)
        if self.merge == "mul":
            other = workspace.array("dother", dy.shape, dy.dtype)
            np.multiply(dy, ys[0], out=other)
            dy *= ys[1]
            return [dy, other]
        if self.merge == "ave":
            dy *= dy.dtype.type(0.5)
        return [dy, dy]

    def _in_order(
        self, direction: str, values: FeatureMap, name: str, workspace: Workspace
    ) -> FeatureMap:
        """Turn the order of the steps of a direction into that of x, and back."""
        if direction == "forward" or not self.returns_sequences:
            return values
        if workspace.lengths is None:
            return values[:, ::-1]
        reverse = workspace.array(name, values.shape, values.dtype)
        reverse_steps(values, workspace.lengths, reverse)
        return reverse

    def _arrays(self, direction: str, arrays: NamedArrays) -> dict[str, np.ndarray]:
        """Return the arrays of a direction, none if there are none."""
        prefix = f"{direction}/"
        return {
            name.removeprefix(prefix): array
            for name, array in arrays.items()
            if name.startswith(prefix)
        }

    @staticmethod
    def _workspace(direction: str, workspace: Workspace) -> Workspace:
        inner = workspace.nested(direction)
        inner.lengths = workspace.lengths
        return inner
