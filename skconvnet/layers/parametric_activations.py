"""Activation functions whose slopes, scales and limits are chosen, not learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skconvnet._checks import check_nonnegative_float, check_positive_float
from skconvnet._typing import Shape, override
from skconvnet.layers.activation import ActivationLayer
from skconvnet.layers.base import Layer
from skconvnet.ops import activations
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class LeakyReLU(LayerSpec):
    """Rectifier with a fixed slope for values below 0 [1]_.

    ``y = x`` if x > 0, else ``y = negative_slope * x``.

    Parameters
    ----------
    negative_slope : float, default=0.01
        Slope below 0, at least 0. The default is that of
        ``Activation("leaky_relu")`` and of PyTorch; Keras has 0.3.

    See Also
    --------
    PReLU : The same with a learned slope.

    References
    ----------
    .. [1] A. L. Maas, A. Y. Hannun, A. Y. Ng, "Rectifier nonlinearities improve neural
       network acoustic models", ICML 2013.

    Examples
    --------
    >>> from skconvnet.layers import LeakyReLU
    >>> LeakyReLU(negative_slope=0.2).build((8, 8, 16)).out_shape
    (8, 8, 16)
    """

    negative_slope: float = 0.01

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        slope = check_nonnegative_float("negative_slope", self.negative_slope)
        return ActivationLayer(in_shape, activations.LeakyReLU(slope))


@dataclass(eq=False, repr=False)
class ELU(LayerSpec):
    """Exponential linear unit [1]_.

    ``y = x`` if x > 0, else ``y = alpha * (exp(x) - 1)``.

    Parameters
    ----------
    alpha : float, default=1.0
        Outputs are larger than ``-alpha``. At least 0.

    References
    ----------
    .. [1] D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network
       learning by exponential linear units (ELUs)", ICLR 2016.

    Examples
    --------
    >>> from skconvnet.layers import ELU
    >>> ELU(alpha=0.5).build((8, 8, 16)).out_shape
    (8, 8, 16)
    """

    alpha: float = 1.0

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        alpha = check_nonnegative_float("alpha", self.alpha)
        return ActivationLayer(in_shape, activations.ELU(alpha))


@dataclass(eq=False, repr=False)
class SELU(LayerSpec):
    """Scaled exponential linear unit [1]_.

    ``y = gamma * x`` if x > 0, else ``y = gamma * alpha * (exp(x) - 1)``.

    With the defaults, dense layers with kernels of "lecun_normal" keep the mean of
    their signals near 0 and the variance near 1.

    Parameters
    ----------
    alpha : float, default=1.6732632423543772
        Outputs are larger than ``-gamma * alpha``. At least 0.
    gamma : float, default=1.0507009873554805
        Factor of the output, larger than 0.

    References
    ----------
    .. [1] G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, "Self-normalizing
       neural networks", NeurIPS 2017.

    Examples
    --------
    >>> from skconvnet.layers import SELU
    >>> SELU().build((8, 8, 16)).out_shape
    (8, 8, 16)
    """

    alpha: float = 1.6732632423543772
    gamma: float = 1.0507009873554805

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        alpha = check_nonnegative_float("alpha", self.alpha)
        gamma = check_positive_float("gamma", self.gamma)
        return ActivationLayer(in_shape, activations.SELU(alpha, gamma))


@dataclass(eq=False, repr=False)
class CELU(LayerSpec):
    """Exponential linear unit whose derivative is continuous [1]_.

    ``y = x`` if x > 0, else ``y = alpha * (exp(x / alpha) - 1)``.

    Parameters
    ----------
    alpha : float, default=1.0
        Outputs are larger than ``-alpha``. Larger than 0.

    References
    ----------
    .. [1] J. T. Barron, "Continuously differentiable exponential linear units",
       arXiv:1704.07483, 2017.

    Examples
    --------
    >>> from skconvnet.layers import CELU
    >>> CELU(alpha=2.0).build((8, 8, 16)).out_shape
    (8, 8, 16)
    """

    alpha: float = 1.0

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        alpha = check_positive_float("alpha", self.alpha)
        return ActivationLayer(in_shape, activations.CELU(alpha))


@dataclass(eq=False, repr=False)
class SmoothClip(LayerSpec):
    """Bring outliers close to a limit, and leave small values almost as they are [1]_.

    ``y = x / sqrt(1 + (x / limit) ** 2)``, which keeps the order of values, and lies
    between ``-limit`` and ``limit``. In place of a hard limit, it follows
    `Standardize` or a scaler.

    Parameters
    ----------
    limit : float, default=3.0
        The bound of the absolute value, larger than 0.

    References
    ----------
    .. [1] D. Holzmueller, L. Grinsztajn and I. Steinwart, "Better by default: strong
       pre-tuned MLPs and boosted trees on tabular data", NeurIPS 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import SequentialRegressor
    >>> from skconvnet.layers import SmoothClip
    >>> X = np.array([[-1000.0], [0.3], [4.0]])
    >>> model = SequentialRegressor([("clip", SmoothClip())], input_shape=(1,))
    >>> model.initialize(X, [0, 1, 2]).activations(X, "clip").round(2)
    array([[-3. ],
           [ 0.3],
           [ 2.4]])
    """

    limit: float = 3.0

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        limit = check_positive_float("limit", self.limit)
        return ActivationLayer(in_shape, activations.SmoothClip(limit))
