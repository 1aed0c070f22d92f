"""Activation functions that multiply their input by a share between 0 and 1."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
from scipy.special import expit, ndtr

from skconvnet._typing import override
from skconvnet.ops.activations.base import BlockwiseFunction
from skconvnet.ops.blas_kernels import constant
from skconvnet.ops.workspace import Workspace

# From here on, the share of Mish is 1 to all digits of float64.
_ENOUGH = 20.0


class GELU(BlockwiseFunction):
    """f(z) = z P(Z <= z) for a standard normal Z (Hendrycks and Gimpel, 2016)."""

    name = "gelu"
    needs_input = True
    is_monotone = False

    @override
    def apply_to_block(
        self, z: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        share = workspace.scratch("share", z.shape, z.dtype)
        np.multiply(z, ndtr(z, out=share), out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        density = workspace.scratch("share", cache.shape, cache.dtype)
        np.multiply(cache, cache, out=density)
        density *= -0.5
        np.exp(density, out=density)
        density *= cache
        density *= 1 / sqrt(2 * pi)
        ndtr(cache, out=out)
        out += density


class SiLU(BlockwiseFunction):
    """f(z) = z logistic(z), also called swish (Elfwing et al., 2017)."""

    name = "silu"
    needs_input = True
    is_monotone = False

    @override
    def apply_to_block(
        self, z: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        share = workspace.scratch("share", z.shape, z.dtype)
        np.multiply(z, expit(z, out=share), out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        share = workspace.scratch("share", cache.shape, cache.dtype)
        expit(cache, out=share)
        np.subtract(1, share, out=out)
        out *= cache
        out += 1
        out *= share


class Mish(BlockwiseFunction):
    """f(z) = z tanh(log(1 + exp(z))) (Misra, 2019).

    With w = exp(z) and n = w (w + 2), the share tanh(log(1 + w)) is n / (n + 2), which
    has no difference of close numbers. From z = 20 on it is 1 to all digits, so that w
    need not grow further.
    """

    name = "mish"
    needs_input = True
    is_monotone = False

    @override
    def apply_to_block(
        self, z: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        share = workspace.scratch("share", z.shape, z.dtype)
        spare = workspace.scratch("spare", z.shape, z.dtype)
        _bounded_exp(z, share)
        np.add(share, 2, out=spare)
        share *= spare
        np.add(share, 2, out=spare)
        share /= spare
        np.multiply(z, share, out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        # With d(share)/dz = 4 w (w + 1) / (n + 2)^2, and r = 1 / (n + 2),
        #     f'(z) = share + z d(share)/dz = w r (4 z r (w + 1) + w + 2).
        # From z = 20 on, the term with z vanishes, and z need not grow there either.
        w = workspace.scratch("share", cache.shape, cache.dtype)
        r = workspace.scratch("spare", cache.shape, cache.dtype)
        _bounded_exp(cache, w)
        np.add(w, 2, out=r)
        r *= w
        r += 2
        np.reciprocal(r, out=r)
        np.minimum(cache, constant(_ENOUGH, cache.shape[-1], cache.dtype), out=out)
        out *= r
        out *= 4
        r *= w
        w += 1
        out *= w
        out += w
        out += 1
        out *= r


class HardSwish(BlockwiseFunction):
    """f(z) = z clip(z / 6 + 1 / 2, 0, 1), a piecewise SiLU (Howard et al., 2019).

    The derivative is 0 at -3, and 1 at 3.
    """

    name = "hard_swish"
    needs_input = True
    is_monotone = False

    @override
    def apply_to_block(
        self, z: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        share = workspace.scratch("share", z.shape, z.dtype)
        _hard_share(z, share)
        np.multiply(z, share, out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        share = workspace.scratch("share", cache.shape, cache.dtype)
        inside = workspace.scratch("positive", cache.shape, np.bool_)
        np.less(np.abs(cache, out=out), 3, out=inside)
        # Multiplying by bools takes longer than converting them first.
        np.copyto(out, inside)
        out *= cache
        out *= 1 / 6
        _hard_share(cache, share)
        out += share


def _bounded_exp(z: np.ndarray, out: np.ndarray) -> None:
    """Write exp(z) into `out`, or that of a large number if z is even larger."""
    np.minimum(z, constant(_ENOUGH, z.shape[-1], z.dtype), out=out)
    np.exp(out, out=out)


def _hard_share(z: np.ndarray, out: np.ndarray) -> None:
    """Write clip(z / 6 + 1 / 2, 0, 1) into `out`."""
    np.multiply(z, z.dtype.type(1 / 6), out=out)
    out += z.dtype.type(0.5)
    np.clip(out, 0, 1, out=out)
