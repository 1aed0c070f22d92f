"""Activation functions, in place, with derivatives from what a layer keeps anyway."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import pi, sqrt
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, ndtr

from skconvnet.ops.blas_kernels import constant
from skconvnet.ops.workspace import Workspace


class ActivationFunction(ABC):
    """An elementwise function.

    Attributes
    ----------
    name : str
    needs_input : bool
        Whether the derivative needs z. Where it follows from y = f(z), z may be
        overwritten by y, which saves a map.
    is_monotone : bool
        Whether f never falls, so that it commutes with the maximum.
    is_trainable : bool
        Whether the derivative is any good for training.
    """

    name: ClassVar[str]
    needs_input: ClassVar[bool] = False
    is_monotone: ClassVar[bool] = True
    is_trainable: ClassVar[bool] = True

    @abstractmethod
    def apply(self, z: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        """Write f(z) into `out`, which may be `z`."""

    def activated(self, z: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Return f(z), in `z` itself unless the derivative needs that."""
        y = z
        if self.needs_input:
            y = workspace.array("activated", z.shape, z.dtype)
        self.apply(z, y, workspace)
        return y

    @abstractmethod
    def slope(self, kept: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
        """Write f'(z) into `out`, where `kept` is y, or z if `needs_input`."""

    def backward(
        self, kept: np.ndarray, dy: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        """Write dy * f'(z) into `out`, which may be `dy`."""
        slope = workspace.scratch("slope", kept.shape, kept.dtype)
        self.slope(kept, slope, workspace)
        np.multiply(dy, slope, out=out)


class Identity(ActivationFunction):
    """f(z) = z."""

    name = "identity"

    def apply(self, z, out, workspace):
        if out is not z:
            np.copyto(out, z)

    def slope(self, kept, out, workspace):
        out.fill(1)

    def backward(self, kept, dy, out, workspace):
        if out is not dy:
            np.copyto(out, dy)


class Logistic(ActivationFunction):
    """f(z) = 1 / (1 + exp(-z)), with derivative y (1 - y)."""

    name = "logistic"

    def apply(self, z, out, workspace):
        expit(z, out=out)

    def slope(self, kept, out, workspace):
        np.subtract(1, kept, out=out)
        out *= kept


class Tanh(ActivationFunction):
    """f(z) = tanh(z), with derivative 1 - y^2."""

    name = "tanh"

    def apply(self, z, out, workspace):
        np.tanh(z, out=out)

    def slope(self, kept, out, workspace):
        np.multiply(kept, kept, out=out)
        np.subtract(1, out, out=out)


class ReLU(ActivationFunction):
    """f(z) = max(z, 0), with derivative 0 at 0."""

    name = "relu"

    def apply(self, z, out, workspace):
        # Against an array np.maximum uses SIMD, four times as fast as against a scalar.
        np.maximum(z, constant(0, z.shape[-1], z.dtype), out=out)

    def slope(self, kept, out, workspace):
        np.greater(kept, 0, out=out)

    def backward(self, kept, dy, out, workspace):
        # Multiplying by a bool array is 17 times faster than indexing with one.
        positive = workspace.scratch("positive", kept.shape, np.bool_)
        np.multiply(dy, np.greater(kept, 0, out=positive), out=out)


class LeakyReLU(ActivationFunction):
    """f(z) = z where z > 0, else 0.01 z (Maas et al., 2013)."""

    name = "leaky_relu"
    _leak = 0.01

    def apply(self, z, out, workspace):
        leaked = workspace.scratch("leaked", z.shape, z.dtype)
        np.maximum(z, np.multiply(z, z.dtype.type(self._leak), out=leaked), out=out)

    def slope(self, kept, out, workspace):
        np.greater(kept, 0, out=out)
        out *= 1 - self._leak
        out += self._leak


class ELU(ActivationFunction):
    """f(z) = scale z where z > 0, else scale alpha (exp(z) - 1).

    With scale and alpha 1 it is the exponential linear unit (Clevert et al., 2015).
    """

    name = "elu"
    _scale = 1.0
    _alpha = 1.0

    def apply(self, z, out, workspace):
        zeros = constant(0, z.shape[-1], z.dtype)
        below = workspace.scratch("below", z.shape, z.dtype)
        np.expm1(np.minimum(z, zeros, out=below), out=below)
        if self._alpha != 1:
            below *= self._alpha
        np.maximum(z, zeros, out=out)
        out += below
        if self._scale != 1:
            out *= self._scale

    def slope(self, kept, out, workspace):
        np.add(kept, self._scale * self._alpha, out=out)
        positive = workspace.scratch("positive", kept.shape, np.bool_)
        np.copyto(out, self._scale, where=np.greater(kept, 0, out=positive))


class SELU(ELU):
    """ELU with the scale and alpha that keep a mean of 0 and a variance of 1.

    (Klambauer et al., "Self-normalizing neural networks", 2017.)
    """

    name = "selu"
    _scale = 1.0507009873554805
    _alpha = 1.6732632423543772


class GELU(ActivationFunction):
    """f(z) = z P(Z <= z) for a standard normal Z (Hendrycks and Gimpel, 2016)."""

    name = "gelu"
    needs_input = True
    is_monotone = False

    def apply(self, z, out, workspace):
        share = workspace.scratch("share", z.shape, z.dtype)
        np.multiply(z, ndtr(z, out=share), out=out)

    def slope(self, kept, out, workspace):
        density = workspace.scratch("share", kept.shape, kept.dtype)
        np.multiply(kept, kept, out=density)
        density *= -0.5
        np.exp(density, out=density)
        density *= kept
        density *= 1 / sqrt(2 * pi)
        ndtr(kept, out=out)
        out += density


class SiLU(ActivationFunction):
    """f(z) = z logistic(z), also called swish (Elfwing et al., 2017)."""

    name = "silu"
    needs_input = True
    is_monotone = False

    def apply(self, z, out, workspace):
        share = workspace.scratch("share", z.shape, z.dtype)
        np.multiply(z, expit(z, out=share), out=out)

    def slope(self, kept, out, workspace):
        share = workspace.scratch("share", kept.shape, kept.dtype)
        expit(kept, out=share)
        np.subtract(1, share, out=out)
        out *= kept
        out += 1
        out *= share


class Softplus(ActivationFunction):
    """f(z) = log(1 + exp(z)), with derivative 1 - exp(-y)."""

    name = "softplus"

    def apply(self, z, out, workspace):
        np.logaddexp(z, z.dtype.type(0), out=out)

    def slope(self, kept, out, workspace):
        np.negative(kept, out=out)
        np.expm1(out, out=out)
        np.negative(out, out=out)


class HardSigmoid(ActivationFunction):
    """f(z) = z / 6 + 1 / 2 between 0 and 1, the logistic function in three lines."""

    name = "hard_sigmoid"

    def apply(self, z, out, workspace):
        np.multiply(z, z.dtype.type(1 / 6), out=out)
        out += z.dtype.type(0.5)
        np.clip(out, 0, 1, out=out)

    def slope(self, kept, out, workspace):
        inside = workspace.scratch("positive", kept.shape, np.bool_)
        np.greater(kept, 0, out=inside)
        inside &= np.less(kept, 1, out=workspace.scratch("below_1", out.shape, bool))
        np.multiply(inside, kept.dtype.type(1 / 6), out=out)


class Step(ActivationFunction):
    """f(z) = 1 where z >= 0, else 0: the threshold of the first perceptrons.

    Its derivative is 0 wherever there is one, so nothing can be learned through it: for
    weights that are set by hand.
    """

    name = "step"
    is_trainable = False

    def apply(self, z, out, workspace):
        np.greater_equal(z, 0, out=out)

    def slope(self, kept, out, workspace):
        raise ValueError(
            "activation='step' has no gradient: its slope is 0 everywhere but at 0, so "
            "that nothing can be learned through it. To train, use "
            "loss='perceptron' and no hidden layer, or activation='logistic', a smooth "
            "step; with 'step', set the weights with initialize and set_weights."
        )


ACTIVATIONS: dict[str, ActivationFunction] = {
    function.name: function
    for function in (
        Identity(),
        Logistic(),
        Tanh(),
        ReLU(),
        LeakyReLU(),
        ELU(),
        SELU(),
        GELU(),
        SiLU(),
        Softplus(),
        HardSigmoid(),
        Step(),
    )
}


def get_activation(name: Any, parameter: str = "activation") -> ActivationFunction:
    """Return the function called `name`; None is the identity.

    Parameters
    ----------
    name : str or None
    parameter : str
        What the user gave it as, for the error.

    Raises
    ------
    ValueError
        If there is no such activation.
    """
    if name is None:
        return ACTIVATIONS["identity"]
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(
            f"{parameter} must be None or one of {', '.join(map(repr, ACTIVATIONS))}; "
            f"got {name!r}."
        )
    return ACTIVATIONS[name]
