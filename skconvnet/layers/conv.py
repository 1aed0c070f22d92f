"""Convolution over one, two or three spatial axes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, Lengths, NamedArrays, Shape, override
from skconvnet.initializers import Initializer
from skconvnet.layers.base import Layer
from skconvnet.layers.conv_base import (
    ConvolutionBase,
    ConvolutionSpec,
    Kernel,
    check_spatial_ndim,
    documented,
)
from skconvnet.ops.blas_kernels import channel_sums
from skconvnet.ops.convolution.selection import AlgorithmSelector, AnyAlgorithm
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class _Convolution(ConvolutionSpec):
    groups: int = 1
    activation: str | None = None
    conv_method: str = "auto"
    kernel_initializer: str | Initializer = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_spatial_ndim(self, in_shape)
        filters, groups = self._checked_filters(in_shape, self.groups)
        windows = self._windows(in_shape)
        selector = AlgorithmSelector(
            self.conv_method, windows, in_shape[-1], filters, groups
        )
        return ConvolutionLayer(
            in_shape, selector, self.activation, self.kernel_initializer
        )


_DOC = """
    Weights: ``kernel`` of shape (filters, channels // groups, *kernel_size) and
    ``bias`` of shape (filters,), zero at the start. "Convolution" is
    cross-correlation.

    Parameters
    ----------
    {filters_doc}
    {kernel_size_doc}
    {strides_doc}
    padding : {{"valid", "same", "full"}} or int or tuple, default="valid"
        Zeros added around the map. "valid" adds none. "same" adds as many as give
        ceil(n / stride) outputs; if the total is odd, the extra zero comes after the
        map. "full" adds kernel - 1 on each side, dilated. Or explicit numbers: one for
        all axes, or for each axis a number or a (before, after) pair.
    {dilation_doc}
    {groups_doc}
    {activation_doc}
    conv_method : {{"auto", "im2col", "winograd", "fft"}}, default="auto"
        Algorithm that computes the sums. "im2col" is a matrix product for each row
        block of windows. "winograd" is Winograd's minimal filtering, for strides and
        dilation of 1 and kernels of at most 5 taps per axis (3 in three dimensions);
        its errors in float32 are below 1e-5 of the largest output. "fft" is the fast
        Fourier transform, for large kernels. "auto" chooses the fastest for the shapes,
        according to a cost model; for groups of one channel in one or two dimensions,
        it computes products with banded matrices.
    kernel_initializer : str or Initializer, default="auto"
        "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
        "lecun_normal", "orthogonal", "dirac", "normal", "zeros", "ones", or an object
        of `skconvnet.initializers`. "auto" depends on the activation: "he_uniform" for
        "relu", "leaky_relu", "elu", "celu", "gelu", "silu", "hard_swish" and "mish",
        "lecun_normal" for "selu", else "glorot_uniform", with a range narrower by
        sqrt(3) for the logistic function.
    {trainable_doc}

    Examples
    --------
    >>> from skconvnet.layers import {name}
    >>> {name}(8, 3, padding="same").build({shape}).out_shape
    {result}
    """


@documented(_DOC, shape="(20, 4)", result="(20, 8)")
class Conv1D(_Convolution):
    """Convolution of maps of shape (length, channels)."""

    spatial_ndim: ClassVar[int | None] = 1


@documented(_DOC, shape="(28, 28, 1)", result="(28, 28, 8)")
class Conv2D(_Convolution):
    """Convolution of maps of shape (height, width, channels)."""

    spatial_ndim: ClassVar[int | None] = 2


@documented(_DOC, shape="(8, 9, 10, 1)", result="(8, 9, 10, 8)")
class Conv3D(_Convolution):
    """Convolution of maps of shape (depth, height, width, channels)."""

    spatial_ndim: ClassVar[int | None] = 3


class _Cache(NamedTuple):
    """What the backward pass of a convolution needs.

    `algorithm_cache` is what the `algorithm` kept. `activated` has the activations, or
    the sums if the derivative of the activation needs them.
    """

    algorithm: AnyAlgorithm
    algorithm_cache: object  # only the algorithm knows its type
    activated: FeatureMap


class ConvolutionLayer(ConvolutionBase[_Cache]):
    """A convolution, a bias and an activation."""

    def __init__(
        self,
        in_shape: Shape,
        selector: AlgorithmSelector,
        activation: object = None,
        kernel_initializer: object = "auto",
    ) -> None:
        windows, filters = selector.windows, selector.filters
        kernel = Kernel.of_windows(windows, in_shape[-1], filters, selector.groups)
        super().__init__(
            in_shape,
            (*windows.out_shape, filters),
            {"kernel": kernel},
            activation,
            kernel_initializer,
        )
        self.windows = windows
        self.strides = windows.strides
        self.selector = selector
        self.flops = 2 * prod(windows.out_shape) * prod(kernel.shape)
        self.cached_values = selector.cached_values
        self.takes_lengths = windows.ndim == 1 and windows.has_fixed_pads

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        return None if lengths is None else self.windows.lengths_after(lengths)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, _Cache]:
        algorithm = self.selector.for_batch(x.shape[-1])
        kernel = self.weights["kernel"]
        z, algorithm_cache = algorithm.forward(x, kernel, workspace, train=train)
        y = self.add_bias_and_activate(z, workspace, algorithm)
        activated = y
        if self.activation.needs_input:
            activated = algorithm.crop_row_padding(z)
        return y, _Cache(algorithm, algorithm_cache, activated)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: _Cache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        dz = cache.algorithm.gradient_buffer(dy, workspace)
        inside = cache.algorithm.crop_row_padding(dz)
        self.backward_of_activation(cache.activated, dy, inside, workspace)
        if not self.is_frozen:
            channel_sums(dz, gradients["bias"])
        return cache.algorithm.backward(
            dz,
            cache.algorithm_cache,
            self.weights["kernel"],
            gradients.get("kernel"),
            workspace,
            need_dx=need_dx,
        )
