"""Named runtime layers in a row: all of a network, or a branch of a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skconvnet._typing import FeatureMap, NamedArrays, Shape
from skconvnet.layers.base import Layer
from skconvnet.layers.conv_max_pool_fusion import fuse
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(frozen=True)
class Step:
    """What a chain runs at once: a layer, or a fused pair of them.

    Attributes
    ----------
    index : int
        Position in `Chain.layers` of the layer, or of the first of the pair, and so of
        its workspace and its gradients. Larger than the step's own position after a
        fused pair.
    layer : Layer
    """

    index: int
    layer: Layer[Any]


class Chain:
    """Layers that each take the output of the one before.

    Parameters
    ----------
    specs : sequence of (str, LayerSpec)
    in_shape : tuple of int
        Shape of one sample, channels last.
    fuse_pairs : bool, default=True
        Whether a convolution and the max pooling after it run as one step.

    Attributes
    ----------
    layers : dict of str to Layer
    steps : list of Step
        What a pass runs. Caches are numbered as these.
    out_shape : tuple of int
    weight_shapes, buffer_shapes : dict of str to tuple of int
        Arrays of all layers, named ``"layer/array"``.
    penalized : tuple of str
        Those that `alpha` shrinks.
    """

    def __init__(
        self,
        specs: Sequence[tuple[str, LayerSpec]],
        in_shape: Shape,
        *,
        fuse_pairs: bool = True,
    ) -> None:
        self.specs = list(specs)
        self.in_shape = tuple(in_shape)
        self.layers = build_layers(self.specs, self.in_shape)
        layers = list(self.layers.values())
        self.steps = _fused_steps(layers) if fuse_pairs else _steps(layers)
        self.out_shape = layers[-1].out_shape if layers else self.in_shape
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

    @staticmethod
    def _joined(by_layer: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Name what belongs to each array of each layer ``"layer/array"``."""
        return {
            f"{name}/{array}": value
            for name, arrays in by_layer.items()
            for array, value in arrays.items()
        }

    def bind(self, weights: NamedArrays, buffers: NamedArrays) -> None:
        """Let the layers use these arrays, named as in the shapes."""
        for layer, own_weights, own_buffers in zip(
            self.layers.values(),
            self.split_weights(weights),
            self._split_buffers(buffers),
            strict=True,
        ):
            layer.bind(own_weights, own_buffers)

    def split_weights(self, arrays: NamedArrays) -> list[dict[str, np.ndarray]]:
        """Return the arrays of each layer, weights or gradients, by their own names."""
        return [
            {array: arrays[f"{name}/{array}"] for array in layer.weight_shapes}
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
        """Return a workspace within `workspace` for each layer."""
        return [workspace.nested(name) for name in self.layers]

    @property
    def is_random(self) -> bool:
        """Whether a training pass draws random numbers."""
        return any(layer.is_random for layer in self.layers.values())

    @property
    def needs_whole_batch(self) -> bool:
        """Whether a training pass depends on all of a minibatch at once."""
        return any(layer.needs_whole_batch for layer in self.layers.values())

    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspaces: Sequence[Workspace],
        stop: int | None = None,
    ) -> tuple[FeatureMap, list[object]]:
        """Return the output, and the cache of each step.

        With `stop`, only the layers before the one at that position are run, and no
        pair is fused, so that the output is that of a single layer.
        """
        steps = self.steps
        if stop is not None:
            steps = _steps(list(self.layers.values())[:stop])
        return forward_steps(steps, x, train=train, rng=rng, workspaces=workspaces)

    def backward(
        self,
        dy: FeatureMap,
        caches: Sequence[object],
        *,
        gradients: Sequence[NamedArrays],
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> FeatureMap | None:
        """Write the gradient of every weight and return that of the input.

        Without `need_dx`, the pass ends at the first layer that has weights.
        """
        first = 0 if need_dx else self.first_step_with_weights
        dx = backward_steps(
            self.steps[first:],
            dy,
            caches[first:],
            gradients=gradients,
            workspaces=workspaces,
            need_dx=need_dx,
        )
        return dx if need_dx else None

    @property
    def first_step_with_weights(self) -> int:
        """The number of steps before the first that has weights."""
        numbers = (n for n, step in enumerate(self.steps) if step.layer.weight_shapes)
        return next(numbers, len(self.steps))


def forward_steps(
    steps: Sequence[Step],
    x: FeatureMap,
    *,
    train: bool,
    rng: np.random.Generator | None,
    workspaces: Sequence[Workspace],
) -> tuple[FeatureMap, list[object]]:
    """Run a micro-batch through steps; return the output and the cache of each step."""
    caches: list[object] = []
    for step in steps:
        x, cache = step.layer.forward(
            x, train=train, rng=rng, workspace=workspaces[step.index]
        )
        caches.append(cache)
    return x, caches


def backward_steps(
    steps: Sequence[Step],
    dy: FeatureMap,
    caches: Sequence[object],
    *,
    gradients: Sequence[NamedArrays],
    workspaces: Sequence[Workspace],
    need_dx: bool,
) -> FeatureMap | None:
    """Take the gradient of the output back through steps.

    `need_dx` concerns the first step alone: all others must return the gradient of
    their input, which is that of the output of the step before.
    """
    dx: FeatureMap | None = dy
    for number in reversed(range(len(steps))):
        step = steps[number]
        assert dx is not None
        dx = step.layer.backward(
            dx,
            caches[number],
            gradients=gradients[step.index],
            workspace=workspaces[step.index],
            need_dx=need_dx or number > 0,
        )
    return dx


def _steps(layers: Sequence[Layer[Any]]) -> list[Step]:
    """Return a step for each layer."""
    return [Step(index, layer) for index, layer in enumerate(layers)]


def _fused_steps(layers: Sequence[Layer[Any]]) -> list[Step]:
    """Return a step for each layer, or for two that one can do the work of."""
    steps: list[Step] = []
    for step in _steps(layers):
        fused = fuse(steps[-1].layer, step.layer) if steps else None
        if fused is None:
            steps.append(step)
        else:
            steps[-1] = Step(steps[-1].index, fused)
    return steps


def build_layers(
    specs: Sequence[tuple[str, LayerSpec]], in_shape: Shape
) -> dict[str, Layer[Any]]:
    """Build one layer after the other, without allocating any weights.

    Raises
    ------
    TypeError, ValueError
        As the specs raise them, with the layer's name before the message.
    """
    layers: dict[str, Layer[Any]] = {}
    for name, spec in specs:
        try:
            layers[name] = spec.build(in_shape)
        except (TypeError, ValueError) as error:
            raise type(error)(f"layer {name!r}: {error}") from error
        in_shape = layers[name].out_shape
    return layers
