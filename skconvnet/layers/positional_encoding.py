"""Positional encodings, which tell the steps of a sequence apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet._checks import check_choice, check_positive_int
from skconvnet._typing import FeatureMap, NamedArrays, Shape, override
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops.blas_kernels import constant
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec

_KINDS = ("sinusoidal", "learned")
# From one pair of channels to the next, wavelengths grow from 2 pi to this times 2 pi.
_LONGEST = 10_000.0


@dataclass(eq=False, repr=False)
class PositionalEncoding(TrainableSpec):
    """Add a vector to each step of a sequence that depends on its position [1]_.

    Attention does not know the order of the steps. With these vectors, it can tell them
    apart. Sinusoidal encodings are, at position t::

        encoding[t, 2 * i]     = sin(t / 10000 ** (2 * i / channels))
        encoding[t, 2 * i + 1] = cos(t / 10000 ** (2 * i / channels))

    Their values go up to 1. The vectors of an `Embedding` are much smaller at first:
    put ``Rescaling(channels**0.5)`` between, as in [1]_, or use learned encodings.

    Weights: none if sinusoidal, otherwise ``table`` of shape (max_length, channels),
    drawn uniformly from +-0.05, as in `Embedding`. `alpha` does not shrink it.

    Parameters
    ----------
    kind : {"sinusoidal", "learned"}, default="sinusoidal"
        "sinusoidal" encodings exist for all positions, also for later ones than in
        training.
    max_length : int, default=None
        The largest length of a sequence. None is the length of the samples that the
        network is built for if `kind` is "learned", else any length. Set it for learned
        encodings of sequences of different lengths: otherwise the network takes no
        other length, and the padding of texts counts as steps.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention is all you need", NeurIPS 2017.

    Examples
    --------
    >>> from skconvnet.layers import PositionalEncoding
    >>> PositionalEncoding().build((100, 64)).out_shape
    (100, 64)
    >>> PositionalEncoding("learned", max_length=512).build((100, 64)).weight_shapes
    {'table': (512, 64)}
    """

    spatial_ndim: ClassVar[int | None] = 1

    kind: str = "sinusoidal"
    max_length: int | None = None

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_ndim("PositionalEncoding", in_shape, 1)
        kind = check_choice("kind", self.kind, _KINDS)
        length = max_length = in_shape[0]
        if self.max_length is not None:
            max_length = check_positive_int("max_length", self.max_length)
        if length > max_length:
            raise ValueError(
                f"max_length must be at least the length of the samples, {length}; got "
                f"{max_length}."
            )
        return PositionalEncodingLayer(
            in_shape, max_length if kind == "learned" else None
        )


def sinusoids(length: int, channels: int) -> np.ndarray:
    """Return the sinusoidal encodings of the first positions.

    Returns
    -------
    encodings : ndarray of shape (length, channels)

    Examples
    --------
    >>> sinusoids(2, 4).round(4)
    array([[0.    , 1.    , 0.    , 1.    ],
           [0.8415, 0.5403, 0.01  , 1.    ]])
    """
    pairs = np.arange(channels) // 2
    angles = np.arange(length)[:, np.newaxis] / _LONGEST ** (2 * pairs / channels)
    angles[:, 0::2] = np.sin(angles[:, 0::2])
    angles[:, 1::2] = np.cos(angles[:, 1::2])
    return angles


class PositionalEncodingLayer(Layer[None]):
    """Runtime layer of `PositionalEncoding`.

    Parameters
    ----------
    in_shape : tuple of int
    max_length : int or None
        Number of learned encodings. None means sinusoidal ones.
    """

    penalized = ()
    takes_lengths = True
    size_advice = (
        "set max_length of PositionalEncoding to the largest length of a sample."
    )

    def __init__(self, in_shape: Shape, max_length: int | None) -> None:
        super().__init__(in_shape, in_shape)
        self.is_learned = max_length is not None
        if max_length is not None:
            self.weight_shapes = {"table": (max_length, in_shape[-1])}

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        return {
            name: rng.uniform(-0.05, 0.05, shape)
            for name, shape in self.weight_shapes.items()
        }

    def encodings(self) -> np.ndarray:
        """Return what is added to each step, of shape (length, channels)."""
        length, channels = self.in_shape
        if self.is_learned:
            return self.weights["table"][:length]
        return sinusoids(length, channels)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, None]:
        table = self.encodings().T.astype(x.dtype)
        y = workspace.array("y", x.shape, x.dtype)
        return np.add(x, table[..., np.newaxis], out=y), None

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: None,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        if self.is_learned and not self.is_frozen:
            gradient = gradients["table"]
            # A product with ones is a sum, at the speed of BLAS.
            sums = np.matmul(dy, constant(1, dy.shape[-1], dy.dtype))
            gradient[: dy.shape[1]] = sums.T
            gradient[dy.shape[1] :] = 0
        return dy if need_dx else None
