"""Local response normalization, which divides by the strength of nearby channels."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skconvnet._checks import (
    check_nonnegative_float,
    check_positive_float,
    check_positive_int,
)
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class LocalResponseNorm(LayerSpec):
    """Local response normalization across channels, as in AlexNet [1]_.

    ``y[c] = x[c] / (k + alpha * s[c]) ** beta``, where ``s[c]`` is the sum of the
    squares of `size` channels around c at the same position, fewer for the first and
    the last channels. In flat input, every feature is a channel.

    `alpha` multiplies the sum, as in the paper and in TensorFlow (where
    ``depth_radius`` is ``size // 2`` and ``bias`` is `k`). PyTorch multiplies the mean:
    its ``LocalResponseNorm(size, alpha=size * a)`` is ``alpha=a`` here.

    Parameters
    ----------
    size : int, default=5
        Number of channels in the sum. If it is even, there is one more channel before c
        than after it, as in PyTorch.
    alpha : float, default=1e-4
        Factor of the sum, at least 0.
    beta : float, default=0.75
        Exponent, at least 0.
    k : float, default=2.0
        Constant added to the sum, larger than 0.

    References
    ----------
    .. [1] A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with deep
       convolutional neural networks", NeurIPS 2012, section 3.3.

    Examples
    --------
    >>> from skconvnet.layers import LocalResponseNorm
    >>> LocalResponseNorm(size=5, alpha=1e-4).build((27, 27, 96)).out_shape
    (27, 27, 96)
    """

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 2.0

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        return LocalResponseNormLayer(
            in_shape,
            check_positive_int("size", self.size),
            check_nonnegative_float("alpha", self.alpha),
            check_nonnegative_float("beta", self.beta),
            check_positive_float("k", self.k),
        )


class LocalResponseNormCache(NamedTuple):
    """The input, ``base = k + alpha * s``, and ``factor = base ** -beta``."""

    x: FeatureMap
    base: FeatureMap
    factor: FeatureMap


class LocalResponseNormLayer(WeightlessLayer[LocalResponseNormCache]):
    """Runtime layer of `LocalResponseNorm`."""

    takes_lengths = True

    def __init__(
        self, in_shape: Shape, size: int, alpha: float, beta: float, k: float
    ) -> None:
        super().__init__(in_shape, in_shape)
        self.n_before, self.n_after = size // 2, (size - 1) // 2
        self.alpha = alpha
        self.beta = beta
        self.k = k
        self.flops = (size + 12) * prod(in_shape)
        self.cached_values = 2 * prod(in_shape)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, LocalResponseNormCache]:
        base = workspace.array("base", x.shape, x.dtype)
        factor = workspace.array("factor", x.shape, x.dtype)
        y = workspace.array("y", x.shape, x.dtype)
        np.multiply(x, x, out=y)
        _sum_around(y, self.n_before, self.n_after, base)
        base *= x.dtype.type(self.alpha)
        base += x.dtype.type(self.k)
        _inverse_power(base, self.beta, factor, y)
        np.multiply(x, factor, out=y)
        return y, LocalResponseNormCache(x, base, factor)

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: LocalResponseNormCache, workspace: Workspace
    ) -> FeatureMap:
        x, base, factor = cache
        dy *= factor
        shares = workspace.scratch("shares", dy.shape, dy.dtype)
        np.multiply(dy, x, out=shares)
        shares /= base
        # dx[c] gets a share from every channel whose sum includes c. These are the
        # mirror image of the channels around c: n_after before it, n_before after it.
        sums = workspace.scratch("sums", dy.shape, dy.dtype)
        _sum_around(shares, self.n_after, self.n_before, sums)
        sums *= x
        sums *= dy.dtype.type(2 * self.alpha * self.beta)
        dy -= sums
        return dy


def _sum_around(x: np.ndarray, before: int, after: int, out: np.ndarray) -> None:
    """Write the sum of rows c - `before` to c + `after` of `x` into row c of `out`.

    Rows before the first and after the last one count as zero.
    """
    out[...] = x
    for offset in range(1, min(before, len(x) - 1) + 1):
        out[offset:] += x[:-offset]
    for offset in range(1, min(after, len(x) - 1) + 1):
        out[:-offset] += x[offset:]


def _inverse_power(
    base: np.ndarray, exponent: float, out: np.ndarray, spare: np.ndarray
) -> None:
    """Write ``base ** -exponent`` into `out`, and overwrite `spare`."""
    if exponent == 0.75:
        # For the exponent of the paper, compute base ** (1/2 + 1/4): two square roots
        # are faster than a power.
        np.sqrt(base, out=out)
        out *= np.sqrt(out, out=spare)
        np.reciprocal(out, out=out)
    else:
        np.power(base, base.dtype.type(-exponent), out=out)
