"""A convolution along the height, followed by a convolution along the width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.initializers import Initializer
from skconvnet.layers.base import Layer
from skconvnet.layers.conv_base import (
    ConvolutionBase,
    ConvolutionSpec,
    Kernel,
    check_spatial_ndim,
)
from skconvnet.ops.blas_kernels import channel_sums
from skconvnet.ops.convolution.selection import AlgorithmSelector, AnyAlgorithm
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class SpatiallySeparableConv2D(ConvolutionSpec):
    """Convolve by k x 1 columns along the height, then by 1 x k rows along the width.

    A kernel of rank one, k1 k2^T, gives the same outputs as its column k1 followed by
    its row k2, which take 2 k multiplications per output instead of k^2. Here the first
    step computes `filters` channels from all input channels, and the second step mixes
    these, with no bias or activation in between [1]_.

    Weights: ``vertical`` of shape (filters, channels, k, 1) and ``horizontal`` of shape
    (filters, filters, 1, k), which `alpha` shrinks; ``bias`` of shape (filters,), zero
    at the start.

    Parameters
    ----------
    filters : int
        Number of output channels, and of channels between the two steps.
    kernel_size : int or tuple of 2 int
        Number of taps of the column and of the row, odd or even.
    strides : int or tuple of 2 int, default=1
        Positions from one window to the next, of the column along the height and of
        the row along the width.
    padding : {"valid", "same", "full"} or int or tuple, default="valid"
        Zeros around the map, as in `Conv2D`.
    dilation : int or tuple of 2 int, default=1
        Distance between neighboring taps of the column and of the row.
    activation : str, default=None
        As in `Conv2D`. None is the identity.
    kernel_initializer : str or Initializer, default="auto"
        As in `Conv2D`.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] C. Szegedy et al., "Rethinking the Inception architecture for computer
       vision", CVPR 2016.

    Examples
    --------
    >>> from skconvnet.layers import SpatiallySeparableConv2D
    >>> layer = SpatiallySeparableConv2D(8, 5, padding="same").build((28, 28, 3))
    >>> layer.out_shape
    (28, 28, 8)
    >>> layer.weight_shapes
    {'vertical': (8, 3, 5, 1), 'horizontal': (8, 8, 1, 5), 'bias': (8,)}
    """

    activation: str | None = None
    kernel_initializer: str | Initializer = "auto"

    spatial_ndim: ClassVar[int | None] = 2

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_spatial_ndim(self, in_shape)
        filters, _ = self._checked_filters(in_shape)
        windows = self._windows(in_shape)
        return SpatiallySeparableLayer(
            in_shape,
            AlgorithmSelector("auto", _along_height(windows), in_shape[-1], filters, 1),
            AlgorithmSelector("auto", _along_width(windows), filters, filters, 1),
            self.activation,
            self.kernel_initializer,
        )


def _along_height(windows: Windows) -> Windows:
    """Return the windows of the first step, which leaves the width unchanged."""
    (height, width), (n_rows, _) = windows.in_shape, windows.out_shape
    return Windows(
        (height, width),
        (n_rows, width),
        (windows.kernel[0], 1),
        (windows.strides[0], 1),
        (windows.dilation[0], 1),
        (windows.pads[0], (0, 0)),
    )


def _along_width(windows: Windows) -> Windows:
    """Return the windows of the second step, over the output of the first step."""
    (_, width), (n_rows, n_columns) = windows.in_shape, windows.out_shape
    return Windows(
        (n_rows, width),
        (n_rows, n_columns),
        (1, windows.kernel[1]),
        (1, windows.strides[1]),
        (1, windows.dilation[1]),
        ((0, 0), windows.pads[1]),
    )


class StepCache(NamedTuple):
    """The algorithm of one step, and what it keeps for the backward pass."""

    algorithm: AnyAlgorithm
    algorithm_cache: object


class SpatiallySeparableCache(NamedTuple):
    """What `SpatiallySeparableLayer` keeps for the backward pass.

    `activated` has the activations, or the sums if the derivative of the activation
    needs them.
    """

    vertical: StepCache
    horizontal: StepCache
    activated: FeatureMap


class SpatiallySeparableLayer(ConvolutionBase[SpatiallySeparableCache]):
    """Runtime layer of `SpatiallySeparableConv2D`."""

    def __init__(
        self,
        in_shape: Shape,
        vertical: AlgorithmSelector,
        horizontal: AlgorithmSelector,
        activation: object,
        kernel_initializer: object,
    ) -> None:
        filters, steps = vertical.filters, (vertical.windows, horizontal.windows)
        kernels = {
            "vertical": Kernel.of_windows(steps[0], in_shape[-1], filters),
            "horizontal": Kernel.of_windows(steps[1], filters, filters),
        }
        super().__init__(
            in_shape,
            (*steps[1].out_shape, filters),
            kernels,
            activation,
            kernel_initializer,
        )
        self.vertical = vertical
        self.horizontal = horizontal
        self.strides = (steps[0].strides[0], steps[1].strides[1])
        self.flops = 2 * sum(
            prod(windows.out_shape) * prod(kernel.shape)
            for windows, kernel in zip(steps, kernels.values(), strict=True)
        )
        self.cached_values = (
            prod(steps[0].out_shape) * filters
            + vertical.cached_values
            + horizontal.cached_values
        )

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, SpatiallySeparableCache]:
        between, vertical = self._forward_step(
            "vertical", self.vertical, x, workspace, train=train
        )
        z, horizontal = self._forward_step(
            "horizontal",
            self.horizontal,
            vertical.algorithm.crop_row_padding(between),
            workspace,
            train=train,
        )
        y = self.add_bias_and_activate(z, workspace, horizontal.algorithm)
        activated = horizontal.algorithm.crop_row_padding(z)
        return y, SpatiallySeparableCache(vertical, horizontal, activated)

    def _forward_step(
        self,
        name: str,
        selector: AlgorithmSelector,
        x: FeatureMap,
        workspace: Workspace,
        *,
        train: bool,
    ) -> tuple[FeatureMap, StepCache]:
        """Return the sums of one step, without the bias, and its cache."""
        algorithm = selector.for_batch(x.shape[-1])
        # Each step has its own workspace, as both use the same names for their arrays.
        z, cache = algorithm.forward(
            x, self.weights[name], workspace.nested(name), train=train
        )
        return z, StepCache(algorithm, cache)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: SpatiallySeparableCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        vertical, horizontal = cache.vertical.algorithm, cache.horizontal.algorithm
        dz = horizontal.gradient_buffer(dy, workspace)
        inside = horizontal.crop_row_padding(dz)
        self.backward_of_activation(cache.activated, dy, inside, workspace)
        if not self.is_frozen:
            channel_sums(dz, gradients["bias"])
        dbetween = horizontal.backward(
            dz,
            cache.horizontal.algorithm_cache,
            self.weights["horizontal"],
            gradients.get("horizontal"),
            workspace.nested("horizontal"),
            need_dx=True,
        )
        assert dbetween is not None
        return vertical.backward(
            vertical.add_row_padding(dbetween, workspace),
            cache.vertical.algorithm_cache,
            self.weights["vertical"],
            gradients.get("vertical"),
            workspace.nested("vertical"),
            need_dx=need_dx,
        )
