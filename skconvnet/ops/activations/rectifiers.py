"""Activation functions that are linear above 0."""

from __future__ import annotations

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.activations.base import ActivationFunction, BlockwiseFunction
from skconvnet.ops.blas_kernels import constant
from skconvnet.ops.workspace import Workspace


class Identity(ActivationFunction):
    """f(z) = z."""

    name = "identity"

    @override
    def apply(self, z: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        if out is not z:
            np.copyto(out, z)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        out.fill(1)

    @override
    def backward(
        self, cache: np.ndarray, dy: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        if out is not dy:
            np.copyto(out, dy)


class ReLU(ActivationFunction):
    """f(z) = max(z, 0), with derivative 0 at 0."""

    name = "relu"

    @override
    def apply(self, z: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        # np.maximum with an array uses SIMD, and is four times as fast as with a
        # scalar.
        np.maximum(z, constant(0, z.shape[-1], z.dtype), out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.greater(cache, 0, out=out)

    @override
    def backward(
        self, cache: np.ndarray, dy: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        # Multiplying by a bool array is 17 times faster than indexing with one.
        positive = workspace.scratch("positive", cache.shape, np.bool_)
        np.multiply(dy, np.greater(cache, 0, out=positive), out=out)


class LeakyReLU(BlockwiseFunction):
    """f(z) = z if z > 0, else leak * z (Maas et al., 2013); the leak is at least 0."""

    name = "leaky_relu"

    def __init__(self, leak: float = 0.01) -> None:
        self.leak = leak

    @override
    def apply_to_block(
        self, z: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        leaked = workspace.scratch("leaked", z.shape, z.dtype)
        larger = np.maximum if self.leak <= 1 else np.minimum
        larger(z, np.multiply(z, z.dtype.type(self.leak), out=leaked), out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.greater(cache, 0, out=out)
        out *= 1 - self.leak
        out += self.leak


class ELU(BlockwiseFunction):
    """f(z) = scale z if z > 0, else scale alpha (exp(z / width) - 1).

    With a scale, an alpha and a width of 1, it is the exponential linear unit (Clevert
    et al., 2015). All three are larger than 0, but for alpha, which may be 0: then the
    derivative follows from y, which has the sign of z.
    """

    name = "elu"

    def __init__(
        self, alpha: float = 1.0, scale: float = 1.0, width: float = 1.0
    ) -> None:
        self.alpha = alpha
        self.scale = scale
        self.width = width

    @override
    def apply_to_block(
        self, z: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        zeros = constant(0, z.shape[-1], z.dtype)
        below = workspace.scratch("below", z.shape, z.dtype)
        np.minimum(z, zeros, out=below)
        if self.width != 1:
            below /= self.width
        np.expm1(below, out=below)
        if self.alpha != 1:
            below *= self.alpha
        np.maximum(z, zeros, out=out)
        out += below
        if self.scale != 1:
            out *= self.scale

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        # Below 0, it is (y + scale alpha) / width, and above 0 the scale.
        np.minimum(cache, constant(0, cache.shape[-1], cache.dtype), out=out)
        out += self.scale * self.alpha
        if self.width != 1:
            out /= self.width
        step = self.scale * (1 - self.alpha / self.width)
        if step != 0:
            above = workspace.scratch("above", cache.shape, cache.dtype)
            np.greater(cache, 0, out=above)
            above *= step
            out += above


class SELU(ELU):
    """ELU with the scale and alpha that keep a mean of 0 and a variance of 1.

    From Klambauer et al., "Self-normalizing neural networks", 2017.
    """

    name = "selu"

    def __init__(
        self, alpha: float = 1.6732632423543772, scale: float = 1.0507009873554805
    ) -> None:
        super().__init__(alpha, scale)


class CELU(ELU):
    """f(z) = z if z > 0, else alpha (exp(z / alpha) - 1) (Barron, 2017).

    Its derivative is continuous for every alpha.
    """

    name = "celu"

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__(alpha, width=alpha)


class Softplus(ActivationFunction):
    """f(z) = log(1 + exp(z)), with derivative 1 - exp(-y)."""

    name = "softplus"

    @override
    def apply(self, z: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.logaddexp(z, z.dtype.type(0), out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.negative(cache, out=out)
        np.expm1(out, out=out)
        np.negative(out, out=out)
