"""A chain of named runtime layers over one flat vector of weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from math import ceil, prod
from typing import Any

import numpy as np

from skconvnet._spec import Spec
from skconvnet.layers.base import Layer
from skconvnet.layers.pooled_convolution import fuse
from skconvnet.ops.workspace import Workspace
from skconvnet.weights import WeightLayout

# Threads wait for each other between NumPy's calls, which costs more than it saves
# unless a call has enough to do: so many operations a layer and micro-batch.
_WORK_PER_LAYER = 1.2e7
# What a thread keeps of a micro-batch, maps and gradients, should not exceed this.
_MICRO_BATCH_BYTES = 1.6e8
# The usual size, or half of a smaller minibatch; the smallest and the largest size.
_MICRO_BATCH = 64
_MICRO_BATCH_SIZES = (16, 256)
# Without maps there is no more to a layer than matrix products, which threads share
# out by themselves: a minibatch is cut only to bound the memory.
_FLAT_MICRO_BATCH = 1024


class Network:
    """Runtime layers in a row, built for one input shape.

    Parameters
    ----------
    specs : sequence of (str, Spec)
    in_shape : tuple of int
        Shape of one sample, channels last.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    layers : dict of str to Layer
    vector : ndarray of shape (n_weights,)
        All weights. Assign to its elements, never to the attribute.
    weights : dict of str to ndarray
        Views of `vector`, named ``"layer/array"``.
    """

    def __init__(
        self,
        specs: Sequence[tuple[str, Spec]],
        in_shape: tuple[int, ...],
        dtype: Any,
    ) -> None:
        # Copies: the user may go on to change the specs, but this network stays.
        self.specs = copy.deepcopy(list(specs))
        self.in_shape = tuple(in_shape)
        self.dtype = np.dtype(dtype)
        self.layers = build_layers(self.specs, self.in_shape)
        self.layout = WeightLayout(
            {
                f"{name}/{array}": array_shape
                for name, layer in self.layers.items()
                for array, array_shape in layer.weight_shapes.items()
            },
            {
                f"{name}/{array}"
                for name, layer in self.layers.items()
                for array in layer.penalized
            },
        )
        self._steps = _fused(list(self.layers.values()))
        self._micro_batches: dict[int, int] = {}
        self._bind(np.zeros(self.layout.size, dtype=self.dtype))

    def _bind(self, vector: np.ndarray) -> None:
        self.vector = vector
        self.weights = self.layout.views(vector)
        for layer, views in zip(
            self.layers.values(), self.by_layer(vector), strict=True
        ):
            layer.weights = views

    def by_layer(self, vector: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Return the views of `vector` that belong to each layer."""
        views = self.layout.views(vector)
        return [
            {array: views[f"{name}/{array}"] for array in layer.weight_shapes}
            for name, layer in self.layers.items()
        ]

    def initialize(self, rng: np.random.RandomState) -> None:
        """Draw starting weights, layer by layer."""
        for layer in self.layers.values():
            for array, values in layer.initialize(rng).items():
                layer.weights[array][...] = values

    def workspaces(self) -> list[Workspace]:
        """Return the arrays one thread works in, a workspace for each layer."""
        shared: dict[str, np.ndarray] = {}
        return [Workspace(shared) for _ in self.layers]

    @property
    def is_random(self) -> bool:
        """Whether a training pass draws random numbers."""
        return any(layer.is_random for layer in self.layers.values())

    def micro_batch(self, batch: int) -> int:
        """Return how many samples of a minibatch of `batch` a thread takes at a time.

        It follows from the shapes alone, never from the number of threads, so that
        sums are formed in the same order whatever that number is.
        """
        size = self._micro_batches.get(batch)
        if size is None:
            size = self._micro_batches[batch] = self._choose_micro_batch(batch)
        return size

    def _choose_micro_batch(self, batch: int) -> int:
        layers = self.layers.values()
        if len(self.in_shape) == 1 and all(len(la.out_shape) == 1 for la in layers):
            return _FLAT_MICRO_BATCH
        maps = prod(self.in_shape) + sum(prod(layer.out_shape) for layer in layers)
        values = 3 * maps + sum(layer.kept for layer in layers)
        work = sum(layer.work for layer in layers)
        smallest, largest = _MICRO_BATCH_SIZES
        room = _MICRO_BATCH_BYTES / (values * self.dtype.itemsize)
        largest = max(min(int(room), largest), 1)
        enough = len(self.layers) * _WORK_PER_LAYER / max(3 * work, 1)
        size = ceil(max(min(batch / 2, _MICRO_BATCH), enough))
        return min(max(size, smallest), largest)

    def forward(
        self,
        x: np.ndarray,
        workspaces: Sequence[Workspace],
        *,
        train: bool = False,
        rng: np.random.Generator | None = None,
        stop: int | None = None,
    ) -> tuple[np.ndarray, list[Any]]:
        """Run the layers, up to and without the one numbered `stop`.

        Where all are run, some are as one with the next.
        """
        steps = self._steps
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
        gradients: Sequence[Mapping[str, np.ndarray]],
        workspaces: Sequence[Workspace],
    ) -> None:
        """Write the gradient of every weight, given that of the output.

        Nothing is computed for layers before the first that has weights, nor is the
        gradient of that layer's input.
        """
        with_weights = [i for i, layer in self._steps if layer.weight_shapes]
        if not with_weights:
            return
        first = with_weights[0]
        gradient: np.ndarray | None = dy
        for (i, layer), cache in zip(
            reversed(self._steps), reversed(caches), strict=True
        ):
            if i < first:
                return
            assert gradient is not None
            gradient = layer.backward(
                gradient,
                cache,
                gradients=gradients[i],
                workspace=workspaces[i],
                need_dx=i > first,
            )

    def __getstate__(self) -> dict[str, Any]:
        return {
            "specs": self.specs,
            "in_shape": self.in_shape,
            "dtype": self.dtype,
            "vector": self.vector,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["specs"], state["in_shape"], state["dtype"])  # type: ignore[misc]
        self._bind(state["vector"])


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
    specs: Sequence[tuple[str, Spec]], in_shape: tuple[int, ...]
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
