"""Named runtime layers in a row: a whole network, or a branch of a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from skconvnet._typing import FeatureMap, Lengths, NamedArrays, Shape
from skconvnet.layers.base import Layer
from skconvnet.layers.chain_steps import (
    backward_steps,
    clear_outputs,
    forward_steps,
    fused_steps_of,
    steps_of,
)
from skconvnet.layers.conv_batch_norm_folding import FoldedConvolution, fold
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec, TrainableSpec


class Chain:
    """Layers in a row, each of which takes the output of the layer before.

    Parameters
    ----------
    specs : sequence of (str, LayerSpec)
    in_shape : tuple of int
        Shape of one sample, channels last.
    layers : mapping of str to Layer, optional
        The layers that the specs built, if they have been built already.
    fuse_pairs : bool, default=True
        Whether some layers run as one step with the layer after them. See
        `skconvnet.layers.fusion`.

    Attributes
    ----------
    layers : dict of str to Layer
    steps : list of Step
        What a pass runs. Caches are in the same order.
    out_shape : tuple of int
    weight_shapes, buffer_shapes : dict of str to tuple of int
        Shapes of the arrays of all layers, by the names ``"layer/array"``.
    trained_shapes, updated_shapes : dict of str to tuple of int
        Those of the arrays that training changes: of layers that are not frozen.
    penalized : tuple of str
        Names of the weights that `alpha` shrinks.
    """

    def __init__(
        self,
        specs: Sequence[tuple[str, LayerSpec]],
        in_shape: Shape,
        *,
        layers: Mapping[str, Layer[Any]] | None = None,
        fuse_pairs: bool = True,
    ) -> None:
        self.specs = list(specs)
        self.in_shape = tuple(in_shape)
        if layers is None:
            layers = build_layers(self.specs, self.in_shape)
        self.layers = dict(layers)
        chain = list(self.layers.values())
        self._fuses = fuse_pairs
        self.steps = fused_steps_of(chain) if fuse_pairs else steps_of(chain)
        self.out_shape = chain[-1].out_shape if chain else self.in_shape
        self.weight_shapes = self._joined(
            {name: layer.weight_shapes for name, layer in self.layers.items()}
        )
        self.buffer_shapes = self._joined(
            {name: layer.buffer_shapes for name, layer in self.layers.items()}
        )
        self.penalized = tuple(
            f"{name}/{array}"
            for name, layer in self.layers.items()
            for array in layer.penalized
            if array in layer.weight_shapes
        )

    @property
    def trained_shapes(self) -> dict[str, Shape]:
        """Shapes of the weights that training changes."""
        return self._joined(
            {name: layer.trained_shapes for name, layer in self.layers.items()}
        )

    @property
    def updated_shapes(self) -> dict[str, Shape]:
        """Shapes of the buffers that training changes."""
        return self._joined(
            {name: layer.updated_shapes for name, layer in self.layers.items()}
        )

    def freeze(self) -> None:
        """Leave the weights and buffers of all layers as they are in training."""
        for layer in (*self.layers.values(), *(step.layer for step in self.steps)):
            layer.freeze()
        for name in ("first_trained_step", "_untrained"):
            vars(self).pop(name, None)

    @staticmethod
    def _joined(by_layer: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Join mappings into one, whose keys are ``"layer/array"``."""
        return {
            f"{name}/{array}": value
            for name, arrays in by_layer.items()
            for array, value in arrays.items()
        }

    def bind(self, weights: NamedArrays, buffers: NamedArrays) -> None:
        """Let the layers use these arrays, named ``"layer/array"``."""
        for layer, own_weights, own_buffers in zip(
            self.layers.values(),
            self._split_weights(weights),
            self._split_buffers(buffers),
            strict=True,
        ):
            layer.bind(own_weights, own_buffers)
        layers = list(self.layers.values())
        for step in self.steps:
            first = layers[step.index]
            step.layer.bind(first.weights, first.buffers)

    def _split_weights(self, arrays: NamedArrays) -> list[dict[str, np.ndarray]]:
        return [
            {array: arrays[f"{name}/{array}"] for array in layer.weight_shapes}
            for name, layer in self.layers.items()
        ]

    def split_gradients(self, arrays: NamedArrays) -> list[dict[str, np.ndarray]]:
        """Return the gradients of each layer, none if it is frozen."""
        return [
            {array: arrays[f"{name}/{array}"] for array in layer.trained_shapes}
            for name, layer in self.layers.items()
        ]

    def _split_buffers(self, arrays: NamedArrays) -> list[dict[str, np.ndarray]]:
        return [
            {array: arrays[f"{name}/{array}"] for array in layer.buffer_shapes}
            for name, layer in self.layers.items()
        ]

    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        """Draw the initial values of all weights, layer by layer."""
        return self._joined(
            {name: layer.initialize(rng) for name, layer in self.layers.items()}
        )

    def initial_buffers(self) -> dict[str, np.ndarray]:
        """Return the initial values of all buffers."""
        return self._joined(
            {name: layer.initial_buffers() for name, layer in self.layers.items()}
        )

    def workspaces(self, workspace: Workspace) -> list[Workspace]:
        """Return a workspace inside `workspace` for each layer."""
        return [workspace.nested(name) for name in self.layers]

    @property
    def is_random(self) -> bool:
        """Whether a training pass draws random numbers."""
        return any(layer.is_random for layer in self.layers.values())

    @property
    def needs_whole_batch(self) -> bool:
        """Whether the output of a training pass depends on the whole minibatch."""
        return any(layer.needs_whole_batch for layer in self.layers.values())

    @property
    def takes_lengths(self) -> bool:
        """Whether samples of different lengths may go through at once, padded."""
        return self.first_without_lengths is None

    @cached_property
    def first_without_lengths(self) -> str | None:
        """The name of the first layer that samples may not enter padded, if any."""
        for name, layer in self.layers.items():
            if not layer.takes_lengths:
                return name
            if len(layer.out_shape) == 1:  # features, whatever the length
                return None
        return None

    def check_padding(self) -> None:
        """Raise a ValueError if texts may be padded, but not for one of the layers."""
        token, name = self.padding_token, self.first_without_lengths
        if token is None or name is None:
            return
        raise ValueError(
            f"layer {name!r} cannot leave out padding, but the embedding has "
            f"padding_token={token}. Set padding='valid' in convolutions and poolings, "
            "and put GlobalMaxPool, AttentionPooling or a recurrent layer in place of "
            "SpatialPyramidPool, or at the end of TimeDistributed; or set "
            "padding_token=None, so that padding counts as any other token."
        )

    def keep_padding(self) -> None:
        """Take padding tokens for positions of a sample, not for its end."""
        for layer in self.layers.values():
            layer.keep_padding()

    @property
    def takes_tokens(self) -> bool:
        """Whether the first layer takes tokens."""
        first = next(iter(self.layers.values()), None)
        return first is not None and first.takes_tokens

    @property
    def padding_token(self) -> int | None:
        """The token that fills up short samples, if the first layer takes tokens."""
        first = next(iter(self.layers.values()), None)
        return None if first is None else first.padding_token

    def fits_other_lengths(self) -> bool:
        """Return whether sequences of other lengths need the same weights.

        Longer ones may be too long, such as for a table of vectors for each position,
        and shorter ones too short, such as for a kernel.
        """
        length, *rest = self.in_shape
        return any(self.fits((other, *rest)) for other in (length + 1, length - 1))

    def fits(self, in_shape: Shape) -> bool:
        """Return whether the layers have the same weights for samples of a shape."""
        try:
            other = Chain(self.specs, in_shape, fuse_pairs=False)
        except (TypeError, ValueError):
            return False
        return other.weight_shapes == self.weight_shapes

    def lengths_after(
        self, x: FeatureMap, lengths: Lengths | None, stop: int | None = None
    ) -> Lengths | None:
        """Return the lengths of the outputs, given the input and its lengths.

        Only a layer of tokens, which comes first, reads its input for that. With
        `stop`, they are those of the input of the layer at that position.
        """
        for layer in list(self.layers.values())[:stop]:
            lengths = layer.lengths_after(x, lengths)
        return lengths

    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspaces: Sequence[Workspace],
        stop: int | None = None,
        need_dx: bool = True,
        lengths: Lengths | None = None,
    ) -> tuple[FeatureMap, list[object]]:
        """Return the output, and the cache of each step.

        With `stop`, only the layers before that position are run, and no pair is fused,
        so that the output of any layer can be returned. `need_dx` is that of the
        `backward` which follows. If False, a training pass takes the layers before the
        first trained one as in prediction, since they need no cache. `lengths` are
        those of the samples if they are padded.
        """
        steps, first = self.steps, 0
        if stop is not None:
            steps = steps_of(list(self.layers.values())[:stop])
        elif train and not need_dx:
            first = self.first_trained_step
        if first:
            x, lengths = self.forward_untrained(
                x, lengths, rng=rng, workspaces=workspaces
            )
        y, caches, _ = forward_steps(
            steps[first:], x, lengths, train=train, rng=rng, workspaces=workspaces
        )
        return y, [*(None for _ in range(first)), *caches]

    def forward_untrained(
        self,
        x: FeatureMap,
        lengths: Lengths | None,
        *,
        rng: np.random.Generator | None,
        workspaces: Sequence[Workspace],
    ) -> tuple[FeatureMap, Lengths | None]:
        """Return the input of the first step that is trained, and its lengths."""
        for index, layer in self._untrained:
            workspace = workspaces[index]
            workspace.lengths = lengths
            if isinstance(layer, Layer) and layer.is_random:
                y, _ = layer.forward(x, train=True, rng=rng, workspace=workspace)
            else:
                y = layer.predict(x, workspace)
            lengths = clear_outputs(layer, x, y, lengths)
            x = y
        return x, lengths

    def predict(
        self,
        x: FeatureMap,
        workspaces: Sequence[Workspace],
        lengths: Lengths | None = None,
    ) -> FeatureMap:
        """Return the output, after which there is no backward pass."""
        for index, predictor in self.predictors:
            workspace = workspaces[index]
            workspace.lengths = lengths
            y = predictor.predict(x, workspace)
            lengths = clear_outputs(predictor, x, y, lengths)
            x = y
        return x

    @cached_property
    def predictors(self) -> list[tuple[int, Layer[Any] | FoldedConvolution]]:
        """What predicts, with the position of its workspace."""
        return self._predictors_of(list(self.layers.values()))

    @cached_property
    def _untrained(self) -> list[tuple[int, Layer[Any] | FoldedConvolution]]:
        """What runs the layers before the first trained one in training."""
        steps, first = self.steps, self.first_trained_step
        stop = steps[first].index if first < len(steps) else len(self.layers)
        return self._predictors_of(list(self.layers.values())[:stop])

    def _predictors_of(
        self, layers: Sequence[Layer[Any]]
    ) -> list[tuple[int, Layer[Any] | FoldedConvolution]]:
        """Return what predicts the first layers, of which no step has only a part."""
        by_index = {step.index: step.layer for step in self.steps}
        predictors: list[tuple[int, Layer[Any] | FoldedConvolution]] = []
        index = 0
        while index < len(layers):
            folded = fold(layers[index:]) if self._fuses else None
            if folded is not None:
                predictor, n_layers = folded
                predictors.append((index, predictor))
            else:
                layer = by_index[index]
                n_layers = 2 if layer is not layers[index] else 1
                predictors.append((index, layer))
            index += n_layers
        return predictors

    def backward(
        self,
        dy: FeatureMap,
        caches: Sequence[object],
        *,
        gradients: Sequence[NamedArrays],
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> FeatureMap | None:
        """Write the gradient of every weight, and return the gradient of the input.

        Unless `need_dx`, the pass ends at the first layer that is trained.
        """
        first = 0 if need_dx else self.first_trained_step
        dx = backward_steps(
            self.steps[first:],
            dy,
            caches[first:],
            gradients=gradients,
            workspaces=workspaces,
            need_dx=need_dx,
        )
        return dx if need_dx else None

    @cached_property
    def first_trained_step(self) -> int:
        """The position of the first step with arrays that training changes."""
        for number, step in enumerate(self.steps):
            if step.layer.trained_shapes or step.layer.needs_whole_batch:
                return number
        return len(self.steps)


def build_layers(
    specs: Sequence[tuple[str, LayerSpec]], in_shape: Shape
) -> dict[str, Layer[Any]]:
    """Build one layer after the other, without allocating any weights.

    Layers whose specs are not trainable are frozen.

    Raises
    ------
    TypeError, ValueError
        If a spec raises it; the name of the layer is put before the message.
    """
    layers: dict[str, Layer[Any]] = {}
    for name, spec in specs:
        try:
            layers[name] = spec.build(in_shape)
            if isinstance(spec, TrainableSpec) and spec.is_frozen:
                layers[name].freeze()
        except (TypeError, ValueError) as error:
            raise type(error)(f"layer {name!r}: {error}") from error
        in_shape = layers[name].out_shape
    return layers
