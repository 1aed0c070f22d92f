"""The protocol of a runtime layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from numbers import Real
from typing import Any

import numpy as np

from skconvnet.ops.workspace import Run, Workspace


@dataclass
class Parts:
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
    spans_batch : bool
        Whether a training pass needs all of a minibatch at once: then `forward_parts`
        and `backward_parts` take its place wherever a minibatch is in parts.
    keeps_statistics : bool
        Whether `set_statistics` is to be given the mean and the variance of its
        inputs over the training set, brought together from `statistics` of its parts.
    is_flat : bool
        Whether the layer has no maps, only features.
    work : int
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
    spans_batch = False
    keeps_statistics = False

    def __init__(self, in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> None:
        self.in_shape = tuple(in_shape)
        self.out_shape = tuple(out_shape)
        self.weight_shapes: dict[str, tuple[int, ...]] = {}
        self.buffer_shapes: dict[str, tuple[int, ...]] = {}
        self.weights: Mapping[str, np.ndarray] = {}
        self.buffers: Mapping[str, np.ndarray] = {}
        self.work = prod(in_shape)

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
    def forward_parts(
        layers: Sequence[Any],
        xs: Sequence[np.ndarray],
        *,
        parts: Parts,
        workspaces: Sequence[Workspace],
    ) -> tuple[list[np.ndarray], list[Any]]:
        """Run a training pass over all parts of a minibatch: outputs and caches.

        `layers` has this layer for each part, or its like for another shape.
        """
        raise NotImplementedError

    @staticmethod
    def backward_parts(
        layers: Sequence[Any],
        dys: Sequence[np.ndarray],
        caches: Sequence[Any],
        *,
        gradients: Sequence[Mapping[str, np.ndarray]],
        parts: Parts,
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> list[np.ndarray | None]:
        """Write each part's share of the gradients; return those of the inputs."""
        raise NotImplementedError


def map_shape(shape: tuple[int, ...], batch: int) -> tuple[int, ...]:
    """Turn a public shape into that of a batch-last array.

    >>> map_shape((28, 28, 3), 16)
    (3, 28, 28, 16)
    """
    return (shape[-1], *shape[:-1], batch)


def channels_last(x: np.ndarray) -> np.ndarray:
    """View of a batch-last array as (batch, *spatial, channels)."""
    return x.transpose(x.ndim - 1, *range(1, x.ndim - 1), 0) if x.ndim > 2 else x.T


def per_channel(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """View of one value a channel that is broadcast against the batch-last `x`."""
    return values.reshape(-1, *(1,) * (x.ndim - 1))


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


def check_positive_int(name: str, value: Any) -> int:
    """Return `value` as an int, or raise an error that names the parameter."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an int of at least 1; got {value!r}.")
    if value < 1:
        raise ValueError(f"{name} must be an int of at least 1; got {value!r}.")
    return int(value)


def check_float(
    name: str,
    value: Any,
    allowed: str = "a finite float",
    accepts: Callable[[float], bool] = lambda value: True,
) -> float:
    """Return `value` as a float, or raise an error that says what is `allowed`."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be {allowed}; got {value!r}.")
    if not np.isfinite(float(value)) or not accepts(float(value)):
        raise ValueError(f"{name} must be {allowed}; got {value!r}.")
    return float(value)
