"""A chain of named runtime layers over one flat vector of weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from math import ceil, prod
from typing import Any

import numpy as np

from skconvnet.engine.parameter_layout import ParameterLayout
from skconvnet.layers.base import MicroBatches
from skconvnet.layers.chain import Chain, build_layers
from skconvnet.ops.workspace import Run, Scratch, Workspace
from skconvnet.params.base import LayerSpec

__all__ = ["Network", "build_layers"]


# Threads wait for each other between NumPy's calls, which costs more than it saves
# unless a call has enough to do: so many operations a layer and micro-batch.
_WORK_PER_LAYER = 2.4e7


# What a thread keeps of a micro-batch, maps and gradients, should not exceed this.
_MICRO_BATCH_BYTES = 1.6e8


# The usual size, or half of a smaller minibatch; the smallest and the largest size.
_MICRO_BATCH = 64


_MICRO_BATCH_SIZES = (16, 256)


# Without maps there is no more to a layer than matrix products, which threads share
# out by themselves: a minibatch is cut only to bound the memory.
_FLAT_MICRO_BATCH = 1024


# Threads that predict a few samples at once, each with arrays that are kept for it.
_SPARE_WORKSPACES = 4


class Network:
    """Runtime layers in a row, built for one input shape.

    Parameters
    ----------
    specs : sequence of (str, LayerSpec)
    in_shape : tuple of int
        Shape of one sample, channels last.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    layers : dict of str to Layer
    vector : ndarray of shape (n_weights,)
        All weights. Assign to its elements, never to the attribute.
    state : ndarray of shape (n_weights + n_buffers,)
        All that training changes: `vector` is the first part of it.
    weights, buffers : dict of str to ndarray
        Views of `state`, named ``"layer/array"``.
    """

    def __init__(
        self,
        specs: Sequence[tuple[str, LayerSpec]],
        in_shape: tuple[int, ...],
        dtype: Any,
    ) -> None:
        # Copies: the user may go on to change the specs, but this network stays.
        self.specs = copy.deepcopy(list(specs))
        self.in_shape = tuple(in_shape)
        self.dtype = np.dtype(dtype)
        self.chain = Chain(self.specs, self.in_shape)
        self.layers = self.chain.layers
        self.layout = ParameterLayout(self.chain.weight_shapes, self.chain.penalized)
        self._buffer_layout = ParameterLayout(self.chain.buffer_shapes, ())
        self._micro_batches: dict[int, int] = {}
        self._others: dict[tuple[int, ...], Network] = {}
        self._spare: list[list[Workspace]] = []
        size = self.layout.size + self._buffer_layout.size
        self._bind(np.zeros(size, dtype=self.dtype))
        for name, values in self.chain.initial_buffers().items():
            self.buffers[name][...] = values

    def _bind(self, state: np.ndarray) -> None:
        self.state = state
        self.vector = state[: self.layout.size]
        self.weights = self.layout.views(self.vector)
        self.buffers = self._buffer_layout.views(state[self.layout.size :])
        self.chain.bind(self.weights, self.buffers)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all weights and buffers, by name."""
        return {**self.layout.shapes, **self._buffer_layout.shapes}

    def for_shape(self, in_shape: tuple[int, ...]) -> Network:
        """Return the same network, with the same weights, for samples of another shape.

        Raises
        ------
        TypeError, ValueError
            If a layer cannot be built for it, or would need other weights.
        """
        if in_shape == self.in_shape:
            return self
        other = self._others.get(in_shape)
        if other is None:
            other = Network(self.specs, in_shape, self.dtype)
            for name, shape in other.shapes.items():
                if shape != self.shapes[name]:
                    raise ValueError(
                        f"{name!r} would have shape {shape} for samples of shape "
                        f"{in_shape}, and {self.shapes[name]} for those of shape "
                        f"{self.in_shape}: samples of different sizes need a layer "
                        "whose output has always the same size, such as "
                        "SpatialPyramidPool(), GlobalMaxPool() or GlobalAvgPool(), in "
                        "place of Flatten()."
                    )
            other._bind(self.state)
            self._others[in_shape] = other
        return other

    def by_layer(self, vector: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Return the views of `vector` that belong to each layer."""
        return self.chain.split(self.layout.views(vector))

    def initialize(self, rng: np.random.RandomState) -> None:
        """Draw starting weights, layer by layer."""
        for name, values in self.chain.initialize(rng).items():
            self.weights[name][...] = values

    def workspaces(self) -> list[Workspace]:
        """Return the arrays one thread works in, a workspace for each layer."""
        try:
            return self._spare.pop()
        except IndexError:
            shared = Scratch()
            return [Workspace(shared) for _ in self.layers]

    def give_back(self, workspaces: list[Workspace]) -> None:
        """Keep these for who next asks for some: they should be small."""
        for workspace in workspaces:
            workspace.run = None
        if len(self._spare) < _SPARE_WORKSPACES:
            self._spare.append(workspaces)

    @property
    def is_random(self) -> bool:
        """Whether a training pass draws random numbers."""
        return self.chain.is_random

    @property
    def needs_whole_batch(self) -> bool:
        """Whether a training pass needs all of a minibatch at once."""
        return self.chain.needs_whole_batch

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
        if all(layer.is_flat for layer in layers):
            return _FLAT_MICRO_BATCH
        maps = prod(self.in_shape) + sum(prod(layer.out_shape) for layer in layers)
        values = 3 * maps + sum(layer.cached_values for layer in layers)
        flops = sum(layer.flops for layer in layers)
        smallest, largest = _MICRO_BATCH_SIZES
        room = _MICRO_BATCH_BYTES / (values * self.dtype.itemsize)
        largest = max(min(int(room), largest), 1)
        enough = len(self.layers) * _WORK_PER_LAYER / max(3 * flops, 1)
        size = ceil(max(min(batch / 2, _MICRO_BATCH), enough))
        if batch < 2 * enough:
            # Its halves would keep two threads waiting for each other.
            size = max(size, batch)
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
        return self.chain.forward(
            x, train=train, rng=rng, workspaces=workspaces, stop=stop
        )

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
        self.chain.backward(
            dy, caches, gradients=gradients, workspaces=workspaces, need_dx=False
        )

    def forward_micro_batches(
        self,
        xs: Sequence[np.ndarray],
        workspaces: Sequence[Sequence[Workspace]],
        run: Run,
        rngs: Sequence[np.random.Generator | None],
    ) -> tuple[list[np.ndarray], list[list[Any]]]:
        """Run a training pass over all parts of a minibatch at once.

        For layers that need the statistics of the whole of it. `run` shares out the
        parts over threads, as `ThreadTeam.run` does. Parts may differ in their maps'
        size.
        """
        chains = [self._chain_for(x) for x in xs]
        micro_batches = MicroBatches(run, rngs)
        return Chain.forward_micro_batches(
            chains, xs, micro_batches=micro_batches, workspaces=workspaces
        )

    def backward_micro_batches(
        self,
        xs: Sequence[np.ndarray],
        dys: Sequence[np.ndarray],
        caches: Sequence[Sequence[Any]],
        gradients: Sequence[Sequence[Mapping[str, np.ndarray]]],
        workspaces: Sequence[Sequence[Workspace]],
        run: Run,
    ) -> None:
        """Write the gradients of every part of a minibatch, given those of the outputs.

        `xs` are the inputs that the forward pass was given.
        """
        Chain.backward_micro_batches(
            [self._chain_for(x) for x in xs],
            dys,
            caches,
            gradients=gradients,
            micro_batches=MicroBatches(run, [None] * len(dys)),
            workspaces=workspaces,
            need_dx=False,
        )

    def _chain_for(self, x: np.ndarray) -> Chain:
        shape = (*x.shape[1:-1], x.shape[0]) if x.ndim > 2 else x.shape[:1]
        return self.for_shape(shape).chain

    def __getstate__(self) -> dict[str, Any]:
        return {
            "specs": self.specs,
            "in_shape": self.in_shape,
            "dtype": self.dtype,
            "state": self.state,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["specs"], state["in_shape"], state["dtype"])  # type: ignore[misc]
        self._bind(state["state"])
