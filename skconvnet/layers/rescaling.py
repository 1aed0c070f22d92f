"""Scaling of the input by constants or by statistics of the training set."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from skconvnet._checks import check_choice, check_float
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops.layout import per_channel
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class Rescaling(LayerSpec):
    """Multiply by a constant, then add another constant.

    The defaults map pixels from the range 0 to 255 to the range 0 to 1.

    Parameters
    ----------
    scale : float, default=1/255
        Factor.
    offset : float, default=0.0
        Number added after multiplication.

    Examples
    --------
    >>> from skconvnet.layers import Rescaling
    >>> Rescaling(scale=2.0, offset=-1.0).build((28, 28, 1)).out_shape
    (28, 28, 1)
    """

    scale: float = 1 / 255
    offset: float = 0.0

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        scale = check_float("scale", self.scale)
        offset = check_float("offset", self.offset)
        return RescalingLayer(in_shape, scale, offset)


class RescalingLayer(WeightlessLayer[None]):
    """Runtime layer of `Rescaling`."""

    takes_lengths = True

    def __init__(self, in_shape: Shape, scale: float, offset: float) -> None:
        super().__init__(in_shape, in_shape)
        self.scale = scale
        self.offset = offset

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, None]:
        y = workspace.array("y", x.shape, x.dtype)
        np.multiply(x, x.dtype.type(self.scale), out=y)
        if self.offset:
            y += y.dtype.type(self.offset)
        return y, None

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: None, workspace: Workspace
    ) -> FeatureMap:
        dy *= dy.dtype.type(self.scale)
        return dy


@dataclass(eq=False, repr=False)
class Standardize(LayerSpec):
    """Subtract the mean of the training set, and divide by its standard deviation.

    Both are computed from the training samples and their weights when `fit` or the
    first `partial_fit` begins, and do not change after that. Values that are constant
    over the training set are only centered. Unlike
    `sklearn.preprocessing.StandardScaler`, the layer reads X one minibatch at a time,
    and works on images of any dtype.

    Buffers: ``mean`` and ``deviation`` of shape (channels,), or of the shape of a
    sample if `per` is "pixel".

    Parameters
    ----------
    per : {"channel", "pixel"}, default="channel"
        Whether to compute one mean and one deviation per channel, or one of each for
        every value of a sample.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import SequentialClassifier
    >>> from skconvnet.layers import Standardize
    >>> X = np.array([[0.0, 10.0], [2.0, 30.0]])
    >>> clf = SequentialClassifier([("scale", Standardize())], input_shape=(2,))
    >>> clf.initialize(X, [0, 1]).activations(X, "scale")
    array([[-1., -1.],
           [ 1.,  1.]])
    """

    per: str = "channel"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        per = check_choice("per", self.per, ("channel", "pixel"))
        return StandardizeLayer(in_shape, per == "pixel")


class StandardizeLayer(WeightlessLayer[None]):
    """Runtime layer of `Standardize`."""

    keeps_statistics = True

    def __init__(self, in_shape: Shape, per_pixel: bool) -> None:
        super().__init__(in_shape, in_shape)
        self.per_pixel = per_pixel
        shape = in_shape if per_pixel else in_shape[-1:]
        self.buffer_shapes = {"mean": shape, "deviation": shape}
        self.flops = 2 * prod(in_shape)
        self.takes_lengths = not per_pixel

    @override
    def initial_buffers(self) -> dict[str, np.ndarray]:
        shape = self.buffer_shapes["mean"]
        return {"mean": np.zeros(shape), "deviation": np.ones(shape)}

    @override
    def statistics(
        self, x: FeatureMap, weights: np.ndarray | None
    ) -> tuple[float, np.ndarray, np.ndarray]:
        axes = (x.ndim - 1,) if self.per_pixel else tuple(range(1, x.ndim))
        values = x.astype(np.float64)
        if weights is None:
            weights = np.ones(x.shape[-1])
        weights = np.broadcast_to(weights, x.shape)
        mean = np.average(values, axis=axes, weights=weights, keepdims=True)
        # The mean of a constant is then exactly this constant, and its variance is 0.
        mean += np.average(values - mean, axis=axes, weights=weights, keepdims=True)
        np.square(np.subtract(values, mean, out=values), out=values)
        values *= weights
        total = float(weights[0, ..., :].sum()) / (mean.size // len(mean))
        squares = values.sum(axis=axes, keepdims=True)
        return total, _as_buffer(mean), _as_buffer(squares)

    @override
    def set_statistics(self, mean: np.ndarray, variance: np.ndarray) -> None:
        self.buffers["mean"][...] = mean
        # A constant is only centered. Rounding by the layers before this one may have
        # given it a tiny variance.
        rounding = np.finfo(self.buffers["mean"].dtype).eps * mean
        constant = variance <= rounding**2
        self.buffers["deviation"][...] = np.where(constant, 1, np.sqrt(variance))

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, None]:
        y = workspace.array("y", x.shape, x.dtype)
        np.subtract(x, self._broadcastable("mean", x), out=y)
        y /= self._broadcastable("deviation", x)
        return y, None

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: None, workspace: Workspace
    ) -> FeatureMap:
        dy /= self._broadcastable("deviation", dy)
        return dy

    def _broadcastable(self, name: str, x: np.ndarray) -> np.ndarray:
        """Return the buffer called `name` in a shape that broadcasts against `x`."""
        values = self.buffers[name]
        if self.per_pixel:
            return np.moveaxis(values, -1, 0)[..., None]
        return per_channel(values, x)


def _as_buffer(values: np.ndarray) -> np.ndarray:
    """Reshape (channels, *spatial, 1) to (*spatial, channels), or to (channels,)."""
    flat = np.moveaxis(values[..., 0], 0, -1)
    return flat.reshape(-1) if flat.size == flat.shape[-1] else flat
