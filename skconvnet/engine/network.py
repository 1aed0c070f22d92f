"""A chain of named runtime layers whose weights are one flat vector."""

from __future__ import annotations

import copy
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, FlatVector, Lengths, NamedArrays, Shape
from skconvnet.engine.micro_batches import MicroBatchLimits, micro_batch_size
from skconvnet.engine.parameter_layout import ParameterLayout
from skconvnet.layers.base import Layer
from skconvnet.layers.chain import Chain, build_layers
from skconvnet.layers.chain_micro_batches import ChainMicroBatches
from skconvnet.layers.micro_batch_runner import MicroBatchRunner
from skconvnet.ops.layout import sample_shape
from skconvnet.ops.workspace import Scratch, Workspace
from skconvnet.params.base import LayerSpec

__all__ = ["Network", "build_layers"]

# Workspaces kept for later predictions. This many threads can predict at the same time
# without allocating new arrays.
_MAX_SPARE_WORKSPACES = 4

# The most axes of a sample with one spatial axis: its length and its channels. Rows of
# tokens have their length alone.
SEQUENCE_NDIM = 2


class SizeDependentWeightsError(ValueError):
    """Raised if samples of different sizes would need weights of different shapes."""


class Network:
    """Runtime layers in a row, built for one input shape.

    Parameters
    ----------
    specs : sequence of (str, LayerSpec)
    in_shape : tuple of int
        Shape of one sample, channels last.
    dtype : dtype
        float32 or float64.
    layers : mapping of str to Layer, optional
        The layers that the specs built for this shape. If they are given, the specs are
        not copied, and must not be changed afterward.
    limits : MicroBatchLimits, optional
        Bounds on the size of micro-batches. The default is `default_limits`.
    fuse_pairs : bool, default=True
        Whether a convolution and the max pooling after it run as one step.

    Attributes
    ----------
    default_limits : MicroBatchLimits
        Class attribute with the limits of all networks for which no `limits` are given.
    layers : dict of str to Layer
    chain : Chain
        Runs the layers.
    vector : ndarray of shape (n_weights,)
        All weights that training changes. Assign to its elements, never to the
        attribute.
    state : ndarray of shape (n_numbers,)
        All numbers, in three parts: `vector`, the buffers that training changes, and
        the weights and buffers of frozen layers.
    trained_state : ndarray
        All numbers that training changes, the first two parts of `state`.
    ends_at_padding : bool
        Whether samples are rows of tokens that end at a padding token.
    weights, buffers : dict of str to ndarray
        Views of `state`, named ``"layer/array"``.
    spare_workspaces : list of list of Workspace
        Workspaces that `give_back` keeps.
    """

    default_limits: ClassVar[MicroBatchLimits] = MicroBatchLimits()

    def __init__(
        self,
        specs: Sequence[tuple[str, LayerSpec]],
        in_shape: Shape,
        dtype: npt.DTypeLike,
        *,
        layers: Mapping[str, Layer[Any]] | None = None,
        limits: MicroBatchLimits | None = None,
        fuse_pairs: bool = True,
    ) -> None:
        # Copies, so that later changes of the specs do not affect this network.
        self.specs = list(specs) if layers else copy.deepcopy(list(specs))
        self.in_shape = tuple(in_shape)
        self.dtype = np.dtype(dtype)
        self.limits = self.default_limits if limits is None else limits
        self._fuse_pairs = fuse_pairs
        self.chain = Chain(
            self.specs, self.in_shape, layers=layers, fuse_pairs=fuse_pairs
        )
        self.layers = self.chain.layers
        chain = self.chain
        self.ends_at_padding = False
        if chain.padding_token is not None:
            if not chain.fits_other_lengths():
                chain.keep_padding()
            elif len(in_shape) == 1:
                self.ends_at_padding = _has_steps(chain)
            else:  # documents, unlike rows, are read padded
                chain.check_padding()
        trained, updated = chain.trained_shapes, chain.updated_shapes
        self.layout = ParameterLayout(trained, chain.penalized)
        self._buffer_layout = ParameterLayout(updated, ())
        frozen = {
            name: shape
            for name, shape in self.shapes.items()
            if name not in trained and name not in updated
        }
        self._frozen_layout = ParameterLayout(frozen, ())
        self._micro_batch_sizes: dict[int, int] = {}
        self._for_other_shapes: dict[Shape, Network] = {}
        self.spare_workspaces: list[list[Workspace]] = []
        layouts = (self.layout, self._buffer_layout, self._frozen_layout)
        size = sum(layout.size for layout in layouts)
        self.bind(np.zeros(size, dtype=self.dtype))
        for name, values in self.chain.initial_buffers().items():
            self.buffers[name][...] = values

    def bind(self, state: FlatVector) -> None:
        """Take the numbers of `state` for all arrays, without a copy."""
        n_weights = self.layout.size
        n_trained = n_weights + self._buffer_layout.size
        self.state = state
        self.vector = state[:n_weights]
        self.trained_state = state[:n_trained]
        arrays = {
            **self.layout.views(self.vector),
            **self._buffer_layout.views(state[n_weights:n_trained]),
            **self._frozen_layout.views(state[n_trained:]),
        }
        self.weights = {name: arrays[name] for name in self.chain.weight_shapes}
        self.buffers = {name: arrays[name] for name in self.chain.buffer_shapes}
        self.chain.bind(self.weights, self.buffers)

    @property
    def shapes(self) -> dict[str, Shape]:
        """Shapes of all weights and buffers, by name."""
        return {**self.chain.weight_shapes, **self.chain.buffer_shapes}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All weights and buffers, by name."""
        return {**self.weights, **self.buffers}

    def copy_from(self, other: Network) -> None:
        """Copy the arrays of a network that has those of this one, in the same shapes.

        Other layers may be frozen in it.
        """
        others = other.arrays
        for name, array in self.arrays.items():
            array[...] = others[name]

    @property
    def pads_samples(self) -> bool:
        """Whether sequences of different lengths may share a micro-batch, padded."""
        return len(self.in_shape) <= SEQUENCE_NDIM and self.chain.takes_lengths

    @cached_property
    def shortest_length(self) -> int:
        """The smallest length of sequences for which all layers have an output."""
        length, *rest = self.in_shape
        return 1 + bisect_left(
            range(1, length), True, key=lambda n: self.chain.fits((n, *rest))
        )

    @property
    def predicts_maps(self) -> bool:
        """Whether the outputs have spatial axes."""
        return len(self.chain.out_shape) > 1

    def for_shape(self, in_shape: Shape) -> Network:
        """Return the same network, with the same weights, for samples of another shape.

        Raises
        ------
        TypeError, ValueError
            If a layer cannot be built for this shape, or would need other weights.
        """
        if in_shape == self.in_shape:
            return self
        other = self._for_other_shapes.get(in_shape)
        if other is None:
            other = self._with_layers(self.specs, in_shape)
            self._check_same_weights(other)
            other.bind(self.state)
            self._for_other_shapes[in_shape] = other
        return other

    def fits(self, in_shape: Shape) -> bool:
        """Return whether there is a network for samples of this shape."""
        try:
            self.for_shape(in_shape)
        except (TypeError, ValueError):
            return False
        return True

    @cached_property
    def frozen(self) -> Network:
        """The same network, with the same weights, in which all layers are frozen.

        A backward pass through it computes no gradients of weights.
        """
        other = self._with_layers(self.specs, self.in_shape)
        other.chain.freeze()
        other.chain.bind(self.weights, self.buffers)
        return other

    def _with_layers(
        self, specs: Sequence[tuple[str, LayerSpec]], in_shape: Shape
    ) -> Network:
        """Return a network of other layers that is otherwise like this one."""
        return Network(
            specs,
            in_shape,
            self.dtype,
            limits=self.limits,
            fuse_pairs=self._fuse_pairs,
        )

    def _check_same_weights(self, other: Network) -> None:
        for name, shape in other.shapes.items():
            if shape != self.shapes[name]:
                layer = self.layers[name.partition("/")[0]]
                raise SizeDependentWeightsError(
                    f"{name!r} would have shape {shape} for samples of shape "
                    f"{other.in_shape}, and {self.shapes[name]} for samples of shape "
                    f"{self.in_shape}: {layer.size_advice}"
                )

    def after(self, position: int) -> Network:
        """Return the layers from `position` on, with copies of their weights.

        The network takes the activations before that layer as its samples.
        """
        first = list(self.layers.values())[position]
        rest = self._with_layers(self.specs[position:], first.in_shape)
        rest.copy_from(self)
        return rest

    def by_layer(self, vector: FlatVector) -> list[dict[str, np.ndarray]]:
        """Return the views of a gradient that belong to each layer."""
        return self.chain.split_gradients(self.layout.views(vector))

    def initialize(self, rng: np.random.RandomState) -> None:
        """Draw the initial weights, layer by layer."""
        for name, values in self.chain.initialize(rng).items():
            self.weights[name][...] = values

    def workspaces(self) -> list[Workspace]:
        """Return a workspace for each layer, for the use of one thread."""
        try:
            return self.spare_workspaces.pop()
        except IndexError:
            shared = Scratch()
            return [Workspace(shared) for _ in self.layers]

    def give_back(self, workspaces: list[Workspace]) -> None:
        """Keep workspaces, which should be small, for later calls of `workspaces`."""
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
        """Whether the output of a training pass depends on the whole minibatch."""
        return self.chain.needs_whole_batch

    def micro_batch_size(self, batch: int) -> int:
        """Return how many samples of a minibatch go through the network at once.

        `batch` is the length of the minibatch. See `skconvnet.engine.micro_batches`.
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
        lengths: Lengths | None = None,
    ) -> tuple[FeatureMap, list[object]]:
        """Return the output, or with `stop` the input of the layer at that position.

        The caches for `backward` are returned as well. `lengths` are those of the
        samples if they are padded.
        """
        return self.chain.forward(
            x,
            train=train,
            rng=rng,
            workspaces=workspaces,
            stop=stop,
            need_dx=False,
            lengths=lengths,
        )

    def predict(
        self,
        x: FeatureMap,
        workspaces: Sequence[Workspace],
        lengths: Lengths | None = None,
    ) -> FeatureMap:
        """Return the output, after which there is no backward pass."""
        return self.chain.predict(x, workspaces, lengths)

    def backward(
        self,
        dy: FeatureMap,
        caches: Sequence[object],
        gradients: Sequence[NamedArrays],
        workspaces: Sequence[Workspace],
    ) -> None:
        """Write the gradient of every weight, given the gradient of the output.

        The pass ends at the first layer that is trained, without the gradient of its
        input.
        """
        self.chain.backward(
            dy, caches, gradients=gradients, workspaces=workspaces, need_dx=False
        )

    def input_gradient(
        self,
        dy: FeatureMap,
        caches: Sequence[object],
        workspaces: Sequence[Workspace],
    ) -> FeatureMap:
        """Return the gradient of the input, given the gradient of the output.

        This is for a network that is `frozen`.
        """
        none: list[NamedArrays] = [{} for _ in self.layers]
        dx = self.chain.backward(
            dy, caches, gradients=none, workspaces=workspaces, need_dx=True
        )
        assert dx is not None
        return dx

    def micro_batches(
        self,
        xs: Sequence[FeatureMap],
        runner: MicroBatchRunner,
        workspaces: Sequence[Sequence[Workspace]],
    ) -> ChainMicroBatches:
        """Return an object that runs all micro-batches of a minibatch together.

        Layers that need the whole minibatch are trained with it. The maps `xs` of the
        micro-batches may have different sizes.
        """
        chains = [self.for_shape(sample_shape(x.shape)).chain for x in xs]
        return ChainMicroBatches(chains, runner, workspaces)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "specs": self.specs,
            "in_shape": self.in_shape,
            "dtype": self.dtype,
            "state": self.state,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # Layers are not pickled, but built again from their specs.
        Network.__init__(self, state["specs"], state["in_shape"], state["dtype"])
        self.bind(state["state"])


def _has_steps(chain: Chain) -> bool:
    """Return whether the first layer gives a map, with a position for each token."""
    first = next(iter(chain.layers.values()))
    return len(first.out_shape) > 1
