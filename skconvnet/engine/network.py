"""A chain of named runtime layers over one flat vector of weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, FlatVector, NamedArrays, Shape
from skconvnet.engine.micro_batches import MicroBatchLimits, micro_batch_size
from skconvnet.engine.parameter_layout import ParameterLayout
from skconvnet.layers.base import MicroBatchRunner
from skconvnet.layers.chain import Chain, build_layers
from skconvnet.layers.chain_micro_batches import ChainMicroBatches
from skconvnet.ops.workspace import Scratch, Workspace
from skconvnet.params.base import LayerSpec

__all__ = ["Network", "build_layers"]

# Workspaces kept for later predictions: as many threads can predict at once without
# allocating their arrays anew.
_MAX_SPARE_WORKSPACES = 4


class Network:
    """Runtime layers in a row, built for one input shape.

    Parameters
    ----------
    specs : sequence of (str, LayerSpec)
    in_shape : tuple of int
        Shape of one sample, channels last.
    dtype : dtype
        float32 or float64.
    limits : MicroBatchLimits, optional
        What bounds the size of micro-batches, in place of `default_limits`.
    fuse_pairs : bool, default=True
        Whether a convolution and the max pooling after it run as one step.

    Attributes
    ----------
    default_limits : MicroBatchLimits
        Of the class: what networks have that are given no `limits`.
    layers : dict of str to Layer
    chain : Chain
        What runs them.
    vector : ndarray of shape (n_weights,)
        All weights. Assign to its elements, never to the attribute.
    state : ndarray of shape (n_weights + n_buffers,)
        All that training changes: `vector` is the first part of it.
    weights, buffers : dict of str to ndarray
        Views of `state`, named ``"layer/array"``.
    spare_workspaces : list of list of Workspace
        What `give_back` keeps.
    """

    default_limits: ClassVar[MicroBatchLimits] = MicroBatchLimits()

    def __init__(
        self,
        specs: Sequence[tuple[str, LayerSpec]],
        in_shape: Shape,
        dtype: npt.DTypeLike,
        *,
        limits: MicroBatchLimits | None = None,
        fuse_pairs: bool = True,
    ) -> None:
        # Copies: the user may go on to change the specs, but this network stays.
        self.specs = copy.deepcopy(list(specs))
        self.in_shape = tuple(in_shape)
        self.dtype = np.dtype(dtype)
        self.limits = self.default_limits if limits is None else limits
        self._fuse_pairs = fuse_pairs
        self.chain = Chain(self.specs, self.in_shape, fuse_pairs=fuse_pairs)
        self.layers = self.chain.layers
        self.layout = ParameterLayout(self.chain.weight_shapes, self.chain.penalized)
        self._buffer_layout = ParameterLayout(self.chain.buffer_shapes, ())
        self._micro_batch_sizes: dict[int, int] = {}
        self._for_other_shapes: dict[Shape, Network] = {}
        self.spare_workspaces: list[list[Workspace]] = []
        size = self.layout.size + self._buffer_layout.size
        self._bind(np.zeros(size, dtype=self.dtype))
        for name, values in self.chain.initial_buffers().items():
            self.buffers[name][...] = values

    def _bind(self, state: FlatVector) -> None:
        self.state = state
        self.vector = state[: self.layout.size]
        self.weights = self.layout.views(self.vector)
        self.buffers = self._buffer_layout.views(state[self.layout.size :])
        self.chain.bind(self.weights, self.buffers)

    @property
    def shapes(self) -> dict[str, Shape]:
        """Shapes of all weights and buffers, by name."""
        return {**self.layout.shapes, **self._buffer_layout.shapes}

    def for_shape(self, in_shape: Shape) -> Network:
        """Return the same network, with the same weights, for samples of another shape.

        Raises
        ------
        TypeError, ValueError
            If a layer cannot be built for it, or would need other weights.
        """
        if in_shape == self.in_shape:
            return self
        other = self._for_other_shapes.get(in_shape)
        if other is None:
            other = Network(
                self.specs,
                in_shape,
                self.dtype,
                limits=self.limits,
                fuse_pairs=self._fuse_pairs,
            )
            self._check_same_weights(other)
            other._bind(self.state)
            self._for_other_shapes[in_shape] = other
        return other

    def _check_same_weights(self, other: Network) -> None:
        for name, shape in other.shapes.items():
            if shape != self.shapes[name]:
                raise ValueError(
                    f"{name!r} would have shape {shape} for samples of shape "
                    f"{other.in_shape}, and {self.shapes[name]} for those of shape "
                    f"{self.in_shape}: samples of different sizes need a layer whose "
                    "output always has the same size, such as SpatialPyramidPool(), "
                    "GlobalMaxPool() or GlobalAvgPool(), in place of Flatten()."
                )

    def by_layer(self, vector: FlatVector) -> list[dict[str, np.ndarray]]:
        """Return the views of `vector` that belong to each layer."""
        return self.chain.split_weights(self.layout.views(vector))

    def initialize(self, rng: np.random.RandomState) -> None:
        """Draw the initial weights, layer by layer."""
        for name, values in self.chain.initialize(rng).items():
            self.weights[name][...] = values

    def workspaces(self) -> list[Workspace]:
        """Return the arrays that one thread works in, a workspace for each layer."""
        try:
            return self.spare_workspaces.pop()
        except IndexError:
            shared = Scratch()
            return [Workspace(shared) for _ in self.layers]

    def give_back(self, workspaces: list[Workspace]) -> None:
        """Keep workspaces for the next call of `workspaces`: they should be small."""
        for workspace in workspaces:
            workspace.run = None
        if len(self.spare_workspaces) < _MAX_SPARE_WORKSPACES:
            self.spare_workspaces.append(workspaces)

    @property
    def is_random(self) -> bool:
        """Whether a training pass draws random numbers."""
        return self.chain.is_random

    @property
    def needs_whole_batch(self) -> bool:
        """Whether a training pass depends on all of a minibatch at once."""
        return self.chain.needs_whole_batch

    def micro_batch_size(self, batch: int) -> int:
        """Return how many samples of a minibatch of `batch` go through at once.

        See `skconvnet.engine.micro_batches`.
        """
        size = self._micro_batch_sizes.get(batch)
        if size is None:
            size = self._micro_batch_sizes[batch] = micro_batch_size(
                batch,
                self.layers.values(),
                self.in_shape,
                self.dtype.itemsize,
                self.limits,
            )
        return size

    def forward(
        self,
        x: FeatureMap,
        workspaces: Sequence[Workspace],
        *,
        train: bool = False,
        rng: np.random.Generator | None = None,
        stop: int | None = None,
    ) -> tuple[FeatureMap, list[object]]:
        """Return the output, or with `stop` the input of the layer at that position.

        The second value returned are the caches for `backward`.
        """
        return self.chain.forward(
            x, train=train, rng=rng, workspaces=workspaces, stop=stop
        )

    def backward(
        self,
        dy: FeatureMap,
        caches: Sequence[object],
        gradients: Sequence[NamedArrays],
        workspaces: Sequence[Workspace],
    ) -> None:
        """Write the gradient of every weight, given that of the output.

        Nothing is computed for layers before the first that has weights, nor is the
        gradient of that layer's input.
        """
        self.chain.backward(
            dy, caches, gradients=gradients, workspaces=workspaces, need_dx=False
        )

    def micro_batches(
        self,
        xs: Sequence[FeatureMap],
        runner: MicroBatchRunner,
        workspaces: Sequence[Sequence[Workspace]],
    ) -> ChainMicroBatches:
        """Return what runs all micro-batches of a minibatch at once.

        Needed for training with layers that need the whole minibatch. The maps `xs` of
        the micro-batches may be of different sizes.
        """
        chains = [self.for_shape(_shape_of_samples(x)).chain for x in xs]
        return ChainMicroBatches(chains, runner, workspaces)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "specs": self.specs,
            "in_shape": self.in_shape,
            "dtype": self.dtype,
            "state": self.state,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # Layers are built from their specs again, and not pickled.
        Network.__init__(self, state["specs"], state["in_shape"], state["dtype"])
        self._bind(state["state"])


def _shape_of_samples(x: FeatureMap) -> Shape:
    """Return the shape of one sample, channels last, of a batch-last map."""
    return (*x.shape[1:-1], x.shape[0]) if x.ndim > 2 else x.shape[:1]
