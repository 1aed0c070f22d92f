"""The abstract class of all runtime layers.

The hyperparameters of a layer, its spec, derive from `LayerSpec` in `params/base.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import Generic, Self, TypeVar

import numpy as np

from skconvnet._memory import check_map_fits
from skconvnet._typing import FeatureMap, Lengths, NamedArrays, Shape
from skconvnet.layers.micro_batch_runner import MicroBatchRunner
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.workspace import Workspace

Cache = TypeVar("Cache")

_MATRIX_NDIM = 2


class Layer(ABC, Generic[Cache]):
    """A layer built for one shape, which holds weights but nothing of a minibatch.

    ``Layer[Cache]`` names the type of what `forward` keeps for `backward`.

    Every layer has `forward` and `backward`. Other methods are optional, and an
    attribute says whether a layer has them:

    =====================  =====================================================
    `weight_shapes`        `initialize` draws the initial weights
    `buffer_shapes`        `initial_buffers` returns the initial buffers
    `keeps_statistics`     `statistics` and `set_statistics` learn the mean and
                           the variance, or covariance, of the layer's inputs
                           before training
    `needs_whole_batch`    `forward_micro_batches` and `backward_micro_batches`
                           run all micro-batches of a minibatch at once
    =====================  =====================================================

    Attributes
    ----------
    in_shape, out_shape : tuple of int
        Shape of one sample, channels last. In the network, a map is ``(channels,
        *spatial, batch)`` and flat features are ``(features, batch)``.
    weight_shapes : dict of str to tuple of int
        Shapes of the arrays that are learned.
    penalized : tuple of str
        Names of the weights that `alpha` shrinks.
    buffer_shapes : dict of str to tuple of int
        Shapes of the arrays that training keeps up to date without a gradient.
    matrices : dict of str to MatrixForm
        The weights that are matrices: each one multiplies its inputs by a matrix, or
        by several.
    input_matrices : tuple of str
        Those of them that multiply the inputs of the layer.
    is_frozen : bool
        Whether training leaves all weights and buffers as they are.
    trained_shapes, updated_shapes : dict of str to tuple of int
        The `weight_shapes` and `buffer_shapes` of arrays that training changes.
    weights, buffers : mapping of str to ndarray
        Views of the network's flat vectors, bound by the network.
    is_random : bool
        Whether a training pass draws random numbers.
    needs_whole_batch : bool
        Whether the output of a training pass depends on the whole minibatch. If so,
        `forward_micro_batches` and `backward_micro_batches` replace `forward` and
        `backward` for a minibatch of several micro-batches.
    keeps_statistics : bool
        Whether `set_statistics` needs the mean and the variance of the inputs, or of
        what is computed from them, over the training set, merged from the `statistics`
        of micro-batches.
    takes_tokens : bool
        Whether the inputs are numbers of tokens, which have no gradient.
    takes_lengths : bool
        Whether samples of different lengths may go through at once, padded to a common
        length, and give what each of them gives alone. See `skconvnet.ops.lengths`.
    is_flat : bool
        Whether input and output are features, without spatial axes.
    flops : int
        Floating-point operations (FLOPs) of a forward pass, per sample.
    cached_values : int
        How many numbers are kept for the backward pass besides maps, per sample.
    size_advice : str
        What to do if the shapes of the weights depend on the size of samples, and these
        differ in size.
    strides : tuple of int or of Fraction
        Positions of the input from one output position to the next along each spatial
        axis. They are fractions if the layer enlarges maps. Empty if the map keeps its
        size, or if there are no spatial axes.
    """

    penalized: tuple[str, ...] = ("kernel",)
    is_random = False
    is_frozen = False
    needs_whole_batch = False
    keeps_statistics = False
    takes_tokens = False
    takes_lengths = False
    cached_values = 0
    size_advice = (
        "samples of different sizes need a layer whose output always has the same "
        "size. Put SpatialPyramidPool(), GlobalMaxPool() or GlobalAvgPool() before the "
        "first dense layer, in place of Flatten() if there is one."
    )
    strides: tuple[int | Fraction, ...] = ()

    def __init__(self, in_shape: Shape, out_shape: Shape) -> None:
        check_map_fits(out_shape, "The output", "Make it smaller.")
        self.in_shape = tuple(in_shape)
        self.out_shape = tuple(out_shape)
        self.weight_shapes: dict[str, Shape] = {}
        self.buffer_shapes: dict[str, Shape] = {}
        self.weights: NamedArrays = {}
        self.buffers: NamedArrays = {}
        self.flops = prod(in_shape)

    @property
    def padding_token(self) -> int | None:
        """The token that fills up short samples, if the layer takes tokens."""
        return None

    @property
    def is_flat(self) -> bool:
        """Whether input and output are features, without spatial axes."""
        return len(self.in_shape) == 1 and len(self.out_shape) == 1

    @property
    def matrices(self) -> dict[str, MatrixForm]:
        """The weights that are matrices, by default the penalized ones with two axes.

        Layers override this if their matrices have other axes than (n_in, n_out).
        """
        shapes = {name: self.weight_shapes.get(name, ()) for name in self.penalized}
        return {
            name: MatrixForm.dense(shape)
            for name, shape in shapes.items()
            if len(shape) == _MATRIX_NDIM
        }

    @property
    def input_matrices(self) -> tuple[str, ...]:
        """The names of the matrices that multiply the inputs of the layer."""
        return tuple(self.matrices)

    @property
    def trained_shapes(self) -> dict[str, Shape]:
        """Shapes of the weights that training changes."""
        return {} if self.is_frozen else self.weight_shapes

    @property
    def updated_shapes(self) -> dict[str, Shape]:
        """Shapes of the buffers that training changes."""
        return {} if self.is_frozen else self.buffer_shapes

    def freeze(self) -> None:
        """Leave all weights and buffers as they are in training."""
        self.is_frozen = True

    def bind(self, weights: NamedArrays, buffers: NamedArrays) -> None:
        """Use these arrays from now on."""
        self.weights = weights
        self.buffers = buffers

    def initialize(
        self,
        rng: np.random.RandomState,  # noqa: ARG002  for layers that have weights
    ) -> dict[str, np.ndarray]:
        """Draw the initial values of every array of `weight_shapes`."""
        return {}

    def initial_buffers(self) -> dict[str, np.ndarray]:
        """Return the initial values of every array of `buffer_shapes`."""
        return {}

    def lengths_after(
        self,
        x: FeatureMap,  # noqa: ARG002  for layers that find the ends of samples
        lengths: Lengths | None,
    ) -> Lengths | None:
        """Return the lengths of the outputs, given the input and its lengths.

        None means that no output is padded, or that it has no length.
        """
        return lengths

    def keep_padding(self) -> None:
        """Take padding tokens for positions of a sample, not for its end.

        This is for networks in which a later layer needs samples of a fixed length.
        """

    def statistics(
        self, x: FeatureMap, weights: np.ndarray | None
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the statistics of a micro-batch, for layers that keep them.

        Returns
        -------
        total : float
            Sum of the weights of the values that each mean is computed from.
        mean : ndarray
        squares : ndarray
            Weighted sum of the squared deviations from the mean. Or, with all axes of
            `mean` twice, of the products of any two deviations.
        """
        raise NotImplementedError

    def set_statistics(self, mean: np.ndarray, variance: np.ndarray) -> None:
        """Store the statistics of the training set in the layer's buffers.

        `variance` is the covariance if `statistics` has products of deviations.
        """
        raise NotImplementedError

    @abstractmethod
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, Cache]:
        """Return the output and the cache that `backward` needs.

        `x` is not written to. The next forward pass of the layer in the same workspace
        may overwrite the output. `workspace.lengths` tells where the samples of a
        padded micro-batch end.
        """

    def predict(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return the output, after which there is no backward pass."""
        y, _ = self.forward(x, train=False, rng=None, workspace=workspace)
        return y

    @abstractmethod
    def backward(
        self,
        dy: FeatureMap,
        cache: Cache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        """Write the gradients of the weights, and return the gradient of the input.

        Parameters
        ----------
        dy : ndarray, shaped like the output
            Gradient of the output. The layer may overwrite it.
        cache : object
            What `forward` returned.
        gradients : mapping of str to ndarray
            An array for each of `weights`, which is overwritten. Empty if the layer is
            frozen: then only the gradient of the input is computed.
        workspace : Workspace
        need_dx : bool
            If False, None is returned.
        """

    @classmethod
    def forward_micro_batches(
        cls,
        layers: Sequence[Self],
        xs: Sequence[FeatureMap],
        *,
        runner: MicroBatchRunner,
        workspaces: Sequence[Workspace],
    ) -> tuple[Sequence[FeatureMap], Sequence[Cache]]:
        """Run the forward pass of training for all micro-batches together.

        What was computed for a micro-batch is read in functions that are given to
        `runner`, since it may not be there before.

        Parameters
        ----------
        layers : sequence of Layer
            The layer of each micro-batch: this layer, or its equivalent for another
            shape of samples.
        xs : sequence of ndarray
        runner : MicroBatchRunner
        workspaces : sequence of Workspace

        Returns
        -------
        ys : sequence of ndarray
        caches : sequence
        """
        raise NotImplementedError

    @classmethod
    def backward_micro_batches(
        cls,
        layers: Sequence[Self],
        dys: Sequence[FeatureMap],
        caches: Sequence[Cache],
        *,
        gradients: Sequence[NamedArrays],
        runner: MicroBatchRunner,
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> Sequence[FeatureMap] | None:
        """Write the gradients of the weights, and return the gradients of the inputs.

        None is returned unless `need_dx`. The parameters are as in
        `forward_micro_batches` and in `backward`, with one element per micro-batch.
        """
        raise NotImplementedError


def check_ndim(layer: str, in_shape: Shape, spatial_ndim: int) -> None:
    """Raise a ValueError unless `in_shape` has the spatial axes that `layer` needs."""
    if len(in_shape) == spatial_ndim + 1:
        return
    if spatial_ndim == 0:
        raise ValueError(
            f"{layer} needs flat input of shape (features,), but its input has shape "
            f"{in_shape}; put Flatten() before it."
        )
    axes = ("depth", "height", "width")[-spatial_ndim:]
    wanted = ", ".join(("length",) if spatial_ndim == 1 else axes) + ", channels"
    raise ValueError(
        f"{layer} needs input of shape ({wanted}), but its input has shape {in_shape}; "
        "check input_shape and the layers before it."
    )
