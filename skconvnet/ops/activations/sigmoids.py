"""Activation functions with two horizontal asymptotes."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from skconvnet._typing import override
from skconvnet.ops.activations.base import ActivationFunction, BlockwiseFunction
from skconvnet.ops.workspace import Workspace


class Logistic(ActivationFunction):
    """f(z) = 1 / (1 + exp(-z)), with derivative y (1 - y)."""

    name = "logistic"

    @override
    def apply(self, z: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        expit(z, out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.subtract(1, cache, out=out)
        out *= cache


class Tanh(ActivationFunction):
    """f(z) = tanh(z), with derivative 1 - y^2."""

    name = "tanh"

    @override
    def apply(self, z: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.tanh(z, out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.multiply(cache, cache, out=out)
        np.subtract(1, out, out=out)


class Softsign(BlockwiseFunction):
    """f(z) = z / (1 + |z|), with derivative (1 - |y|)^2 (Turian et al., 2009)."""

    name = "softsign"

    @override
    def apply_to_block(
        self, z: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        size = workspace.scratch("size", z.shape, z.dtype)
        np.abs(z, out=size)
        size += 1
        np.divide(z, size, out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.abs(cache, out=out)
        np.subtract(1, out, out=out)
        out *= out


class SmoothClip(BlockwiseFunction):
    """f(z) = z / sqrt(1 + (z / limit)^2), with derivative (1 - (y / limit)^2)^(3/2).

    Holzmueller et al., 2024.
    """

    name = "smooth_clip"

    def __init__(self, limit: float) -> None:
        self.limit = limit

    @override
    def apply_to_block(
        self, z: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        # hypot does not overflow, as the square of a large z would.
        root = workspace.scratch("root", z.shape, z.dtype)
        np.multiply(z, z.dtype.type(1 / self.limit), out=root)
        np.hypot(root, z.dtype.type(1), out=root)
        np.divide(z, root, out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.multiply(cache, cache.dtype.type(1 / self.limit), out=out)
        np.multiply(out, out, out=out)
        np.subtract(1, out, out=out)
        # Rounding may take y beyond the limit.
        np.maximum(out, 0, out=out)
        root = workspace.scratch("root", out.shape, out.dtype)
        out *= np.sqrt(out, out=root)


class HardSigmoid(ActivationFunction):
    """f(z) = z / 6 + 1 / 2, clipped to [0, 1]: a piecewise linear logistic function."""

    name = "hard_sigmoid"

    @override
    def apply(self, z: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.multiply(z, z.dtype.type(1 / 6), out=out)
        out += z.dtype.type(0.5)
        np.clip(out, 0, 1, out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        inside = workspace.scratch("positive", cache.shape, np.bool_)
        np.greater(cache, 0, out=inside)
        inside &= np.less(cache, 1, out=workspace.scratch("below_1", out.shape, bool))
        np.multiply(inside, cache.dtype.type(1 / 6), out=out)


class Step(ActivationFunction):
    """f(z) = 1 if z >= 0, else 0: the threshold of the first perceptrons.

    Its derivative is 0 wherever it exists, so a network cannot learn through it. It is
    meant for weights that are set by hand.
    """

    name = "step"
    is_trainable = False

    @override
    def apply(self, z: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        np.greater_equal(z, 0, out=out)

    @override
    def slope(self, cache: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        raise ValueError(
            "activation='step' has no gradient to train with: its slope is 0 "
            "everywhere but at 0. To train, use loss='perceptron' and no hidden layer, "
            "or activation='logistic', a smooth step. To use 'step', set the weights "
            "with initialize and set_weights."
        )
