"""Named runtime layers in a row: all of a network, or a branch of a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skconvnet.layers.base import Layer, MicroBatches
from skconvnet.layers.conv_max_pool_fusion import fuse
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


class Chain:
    """Layers that each take what the one before puts out.

    Parameters
    ----------
    specs : sequence of (str, LayerSpec)
    in_shape : tuple of int
        Shape of one sample, channels last.

    Attributes
    ----------
    layers : dict of str to Layer
    out_shape : tuple of int
    weight_shapes, buffer_shapes : dict of str to tuple of int
        Arrays of all layers, named ``"layer/array"``.
    penalized : tuple of str
        Those that `alpha` shrinks.
    """

    def __init__(
        self, specs: Sequence[tuple[str, LayerSpec]], in_shape: tuple[int, ...]
    ) -> None:
        self.specs = list(specs)
        self.in_shape = tuple(in_shape)
        self.layers = build_layers(self.specs, self.in_shape)
        outs = [layer.out_shape for layer in self.layers.values()]
        self.out_shape = outs[-1] if outs else self.in_shape
        self.weight_shapes = self._joined("weight_shapes")
        self.buffer_shapes = self._joined("buffer_shapes")
        self.penalized = tuple(
            f"{name}/{array}"
            for name, layer in self.layers.items()
            for array in layer.penalized
            if array in layer.weight_shapes
        )
        self.steps = _fused(list(self.layers.values()))

    def _joined(self, kind: str) -> dict[str, Any]:
        return {
            f"{name}/{array}": value
            for name, layer in self.layers.items()
            for array, value in getattr(layer, kind).items()
        }

    def bind(
        self, weights: Mapping[str, np.ndarray], buffers: Mapping[str, np.ndarray]
    ) -> None:
        """Let the layers use these arrays, named as in the shapes."""
        pairs = zip(self.split(weights), self.split(buffers, "buffer"), strict=True)
        for layer, (own_weights, own_buffers) in zip(
            self.layers.values(), pairs, strict=True
        ):
            layer.bind(own_weights, own_buffers)

    def split(
        self, arrays: Mapping[str, np.ndarray], kind: str = "weight"
    ) -> list[dict[str, np.ndarray]]:
        """Return the arrays of each layer, under the names that it gives them."""
        return [
            {
                array: arrays[f"{name}/{array}"]
                for array in getattr(la, f"{kind}_shapes")
            }
            for name, la in self.layers.items()
        ]

    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        """Draw starting values of all weights, layer by layer."""
        return {
            f"{name}/{array}": values
            for name, layer in self.layers.items()
            for array, values in layer.initialize(rng).items()
        }

    def initial_buffers(self) -> dict[str, np.ndarray]:
        """Return what all buffers start from."""
        return {
            f"{name}/{array}": values
            for name, layer in self.layers.items()
            for array, values in layer.initial_buffers().items()
        }

    def workspaces(self, workspace: Workspace) -> list[Workspace]:
        """Return a workspace within `workspace` for each layer."""
        return [workspace.nested(name) for name in self.layers]

    @property
    def is_random(self) -> bool:
        return any(layer.is_random for layer in self.layers.values())

    @property
    def needs_whole_batch(self) -> bool:
        return any(layer.needs_whole_batch for layer in self.layers.values())

    def forward(
        self,
        x: np.ndarray,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspaces: Sequence[Workspace],
        stop: int | None = None,
    ) -> tuple[np.ndarray, list[Any]]:
        """Run the layers, up to and without the one numbered `stop`.

        Where all are run, some are as one with the next.
        """
        steps = self.steps
        if stop is not None:
            steps = list(enumerate(self.layers.values()))[:stop]
        caches = []
        for i, layer in steps:
            x, cache = layer.forward(x, train=train, rng=rng, workspace=workspaces[i])
            caches.append(cache)
        return x, caches

    def backward(
        self,
        dy: np.ndarray,
        caches: Sequence[Any],
        *,
        gradients: Sequence[Mapping[str, np.ndarray]],
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> np.ndarray | None:
        """Write the gradient of every weight and return that of the input."""
        dx: np.ndarray | None = dy
        for number in reversed(range(self._first(need_dx), len(self.steps))):
            i, layer = self.steps[number]
            assert dx is not None
            dx = layer.backward(
                dx,
                caches[number],
                gradients=gradients[i],
                workspace=workspaces[i],
                need_dx=need_dx or number > self._first(need_dx),
            )
        return dx if need_dx else None

    def _first(self, need_dx: bool) -> int:
        """Number of the first step that has something to do in a backward pass."""
        if need_dx:
            return 0
        steps = (n for n, (_, layer) in enumerate(self.steps) if layer.weight_shapes)
        return next(steps, len(self.steps))

    @staticmethod
    def forward_micro_batches(
        chains: Sequence[Chain],
        xs: Sequence[np.ndarray],
        *,
        micro_batches: MicroBatches,
        workspaces: Sequence[Sequence[Workspace]],
    ) -> tuple[list[np.ndarray], list[list[Any]]]:
        """Run a training pass over all parts of a minibatch at once.

        Parameters
        ----------
        chains : sequence of Chain
            One for each part: the same, or its like for another shape of samples.
        xs : sequence of ndarray
        micro_batches : MicroBatches
        workspaces : sequence of sequence of Workspace
            By part and by layer.

        Returns
        -------
        ys : list of ndarray
        caches : list of list
            By part and by step.
        """
        ys = list(xs)
        caches: list[list[Any]] = [[] for _ in ys]
        for group in _groups(chains[0].steps):
            layer = chains[0].steps[group[0]][1]
            if layer.needs_whole_batch:
                i = chains[0].steps[group[0]][0]
                ys, own = type(layer).forward_micro_batches(
                    [chain.steps[group[0]][1] for chain in chains],
                    ys,
                    micro_batches=micro_batches,
                    workspaces=[spaces[i] for spaces in workspaces],
                )
                for cache, value in zip(caches, own, strict=True):
                    cache.append(value)
                continue

            def compute(
                p: int, thread: int, group: list[int] = group, ys: list[Any] = ys
            ) -> None:
                for number in group:
                    i, layer = chains[p].steps[number]
                    ys[p], cache = layer.forward(
                        ys[p],
                        train=True,
                        rng=micro_batches.rngs[p],
                        workspace=workspaces[p][i],
                    )
                    caches[p].append(cache)

            micro_batches.run(len(ys), compute)
        return ys, caches

    @staticmethod
    def backward_micro_batches(
        chains: Sequence[Chain],
        dys: Sequence[np.ndarray],
        caches: Sequence[Sequence[Any]],
        *,
        gradients: Sequence[Sequence[Mapping[str, np.ndarray]]],
        micro_batches: MicroBatches,
        workspaces: Sequence[Sequence[Workspace]],
        need_dx: bool,
    ) -> list[np.ndarray | None]:
        """Write the gradients of every part and return those of the inputs."""
        first = chains[0]._first(need_dx)
        dxs: list[Any] = list(dys)
        for group in reversed(_groups(chains[0].steps)):
            numbers = [number for number in reversed(group) if number >= first]
            if not numbers:
                break
            layer = chains[0].steps[numbers[0]][1]
            if layer.needs_whole_batch:
                i = chains[0].steps[numbers[0]][0]
                dxs = type(layer).backward_micro_batches(
                    [chain.steps[numbers[0]][1] for chain in chains],
                    dxs,
                    [cache[numbers[0]] for cache in caches],
                    gradients=[gradient[i] for gradient in gradients],
                    micro_batches=micro_batches,
                    workspaces=[spaces[i] for spaces in workspaces],
                    need_dx=need_dx or numbers[0] > first,
                )
                continue

            def compute(
                p: int, thread: int, numbers: list[int] = numbers, dxs: list[Any] = dxs
            ) -> None:
                for number in numbers:
                    i, layer = chains[p].steps[number]
                    dxs[p] = layer.backward(
                        dxs[p],
                        caches[p][number],
                        gradients=gradients[p][i],
                        workspace=workspaces[p][i],
                        need_dx=need_dx or number > first,
                    )

            micro_batches.run(len(dxs), compute)
        return dxs


def _groups(steps: Sequence[tuple[int, Layer]]) -> list[list[int]]:
    """Numbers of the steps between those that span the batch, each alone."""
    groups: list[list[int]] = []
    for number, (_, layer) in enumerate(steps):
        if (
            layer.needs_whole_batch
            or not groups
            or steps[groups[-1][-1]][1].needs_whole_batch
        ):
            groups.append([number])
        else:
            groups[-1].append(number)
    return groups


def _fused(layers: Sequence[Layer]) -> list[tuple[int, Layer]]:
    """Number the layers, and put one that does the work of two where there is one."""
    steps: list[tuple[int, Layer]] = []
    for i, layer in enumerate(layers):
        fused = fuse(steps[-1][1], layer) if steps else None
        if fused is None:
            steps.append((i, layer))
        else:
            steps[-1] = (steps[-1][0], fused)
    return steps


def build_layers(
    specs: Sequence[tuple[str, LayerSpec]], in_shape: tuple[int, ...]
) -> dict[str, Layer]:
    """Build one layer after the other, without allocating any weights.

    Raises
    ------
    TypeError, ValueError
        As the specs raise them, with the layer's name before the message.
    """
    layers: dict[str, Layer] = {}
    for name, spec in specs:
        try:
            layers[name] = spec.build(in_shape)
        except (TypeError, ValueError) as error:
            raise type(error)(f"layer {name!r}: {error}") from error
        in_shape = layers[name].out_shape
    return layers
