"""The protocol of a runtime layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from skconvnet.ops.workspace import Run, Workspace


@dataclass
class MicroBatches:
    """How a minibatch that is in parts at once is run over threads.

    Attributes
    ----------
    run : callable
        ``run(n, task)`` calls ``task(i, thread)`` for each of n parts.
    rngs : sequence of Generator or None
        One for each part.
    """

    run: Run
    rngs: Sequence[np.random.Generator | None]


class Layer(ABC):
    """A built layer: shapes fixed, weights bound; nothing of a batch lives on it.

    Attributes
    ----------
    in_shape, out_shape : tuple of int
        One sample, channels last. Inside, a map is ``(channels, *spatial, batch)``
        and flat features are ``(features, batch)``.
    weight_shapes : dict of str to tuple of int
        Arrays that are learned.
    penalized : tuple of str
        Those of them that `alpha` shrinks.
    buffer_shapes : dict of str to tuple of int
        Arrays that training keeps up to date without a gradient.
    weights, buffers : mapping of str to ndarray
        Views of the network's flat vectors, bound by the network.
    is_random : bool
        Whether a training pass draws random numbers.
    needs_whole_batch : bool
        Whether a training pass needs all of a minibatch at once: then
        `forward_micro_batches` and `backward_micro_batches` take its place wherever a
        minibatch is in several micro-batches.
    keeps_statistics : bool
        Whether `set_statistics` is to be given the mean and the variance of its
        inputs over the training set, brought together from `statistics` of its parts.
    is_flat : bool
        Whether the layer has no maps, only features.
    flops : int
        Floating-point operations of a forward pass, a sample.
    kept : int
        Numbers a sample that are kept for the backward pass, besides maps.
    strides : tuple of int or of Fraction
        Cells of the input from one cell of the output to the next along each spatial
        axis: fractions where the map grows. Empty where it keeps its size, or has none.
    takes_maximum : bool
        Whether each output is the largest of some inputs.
    """

    kept = 0
    strides: tuple[int | Fraction, ...] = ()
    takes_maximum = False

    penalized: tuple[str, ...] = ("kernel",)
    is_random = False
    needs_whole_batch = False
    keeps_statistics = False

    def __init__(self, in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> None:
        self.in_shape = tuple(in_shape)
        self.out_shape = tuple(out_shape)
        self.weight_shapes: dict[str, tuple[int, ...]] = {}
        self.buffer_shapes: dict[str, tuple[int, ...]] = {}
        self.weights: Mapping[str, np.ndarray] = {}
        self.buffers: Mapping[str, np.ndarray] = {}
        self.flops = prod(in_shape)

    @property
    def is_flat(self) -> bool:
        return len(self.in_shape) == 1 and len(self.out_shape) == 1

    def bind(
        self, weights: Mapping[str, np.ndarray], buffers: Mapping[str, np.ndarray]
    ) -> None:
        """Use these arrays from now on."""
        self.weights = weights
        self.buffers = buffers

    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        """Draw starting values for every array of `weight_shapes`."""
        return {}

    def initial_buffers(self) -> dict[str, np.ndarray]:
        """Return what every array of `buffer_shapes` starts from."""
        return {}

    def statistics(
        self, x: np.ndarray, weights: np.ndarray | None
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Return what the values behind each mean weigh together, the means, and the
        weighted sums of squares around them.
        """
        raise NotImplementedError

    def set_statistics(self, mean: np.ndarray, variance: np.ndarray) -> None:
        """Keep those of the training set in the layer's buffers."""
        raise NotImplementedError

    @abstractmethod
    def forward(
        self,
        x: np.ndarray,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[np.ndarray, Any]:
        """Return the output and what `backward` needs of this pass.

        `x` is not written to. The output may be overwritten by the layer's next
        forward pass in the same workspace.
        """

    @abstractmethod
    def backward(
        self,
        dy: np.ndarray,
        cache: Any,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> np.ndarray | None:
        """Write the weights' gradients and return that of the input.

        Parameters
        ----------
        dy : ndarray, shaped like the output
            The layer may overwrite it.
        cache : object
            What `forward` returned.
        gradients : mapping of str to ndarray
            Overwritten, one array for each of `weights`.
        workspace : Workspace
        need_dx : bool
            Where False, None is returned.
        """

    @staticmethod
    def forward_micro_batches(
        layers: Sequence[Any],
        xs: Sequence[np.ndarray],
        *,
        parts: MicroBatches,
        workspaces: Sequence[Workspace],
    ) -> tuple[list[np.ndarray], list[Any]]:
        """Run a training pass over all parts of a minibatch: outputs and caches.

        `layers` has this layer for each part, or its like for another shape.
        """
        raise NotImplementedError

    @staticmethod
    def backward_micro_batches(
        layers: Sequence[Any],
        dys: Sequence[np.ndarray],
        caches: Sequence[Any],
        *,
        gradients: Sequence[Mapping[str, np.ndarray]],
        parts: MicroBatches,
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> list[np.ndarray | None]:
        """Write each part's share of the gradients; return those of the inputs."""
        raise NotImplementedError


def check_ndim(layer: str, in_shape: tuple[int, ...], spatial_ndim: int) -> None:
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
