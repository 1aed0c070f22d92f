"""Transposed convolution over one, two or three spatial axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.initializers import Initializer, convolution_fans
from skconvnet.layers.base import Layer
from skconvnet.layers.conv_base import (
    ConvolutionBase,
    ConvolutionSpec,
    Kernel,
    check_spatial_ndim,
    documented,
)
from skconvnet.ops.blas_kernels import channel_sums
from skconvnet.ops.convolution.transposed import (
    AnyTransposedAlgorithm,
    TransposedAlgorithmSelector,
    transposed_windows,
)
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class _ConvolutionTranspose(ConvolutionSpec):
    groups: int = 1
    activation: str | None = None
    output_padding: int | tuple[int, ...] = 0
    kernel_initializer: str | Initializer = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_spatial_ndim(self, in_shape)
        filters, groups = self._checked_filters(in_shape, self.groups)
        selector = TransposedAlgorithmSelector(
            self._windows(in_shape), in_shape[-1], filters, groups
        )
        return ConvolutionTransposeLayer(
            in_shape, selector, self.activation, self.kernel_initializer
        )

    @override
    def _windows(self, in_shape: Shape) -> Windows:
        return transposed_windows(
            in_shape[:-1],
            self.kernel_size,
            self.strides,
            self.padding,
            self.dilation,
            self.output_padding,
        )


_DOC = """
    For each input position, the kernel, times the value of the input, is added to the
    output; for the next position, `strides` further on. It is the gradient of a
    convolution with respect to its input [1]_, and enlarges maps where the convolution
    reduces them. An axis of n positions becomes an axis of (n - 1) * stride + dilation
    * (kernel_size - 1) + 1 positions, minus those that `padding` cuts off, plus
    `output_padding`. If the stride does not divide the size of the kernel, kernels
    overlap unevenly, which leaves checkerboard artifacts [2]_; `Upsample` followed by a
    convolution does not.

    Weights: ``kernel`` of shape (channels, filters // groups, *kernel_size) and
    ``bias`` of shape (filters,), zero at the start.

    Parameters
    ----------
    {filters_doc}
    {kernel_size_doc}
    strides : int or tuple of {ndim} int, default=1
        Positions of the output from one kernel to the next.
    padding : {{"valid", "same", "full"}} or int or tuple, default="valid"
        Positions cut off around the output. "valid" cuts off none. "same" leaves n *
        stride positions; if the total is odd, the extra position is cut off at the end.
        (If the kernel is shorter than the stride, positions that hold only the bias are
        added at the end instead.) "full" cuts off kernel_size - 1 on each side,
        dilated. Or explicit numbers: one for all axes, or for each axis a number or a
        (before, after) pair.
    {dilation_doc}
    {groups_doc}
    activation : str, default=None
        "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "celu",
        "gelu", "silu", "hard_swish", "mish", "softplus", "softsign" or "hard_sigmoid".
        None is the identity.
    output_padding : int or tuple of {ndim} int, default=0
        Positions added at the end of each axis of the output, fewer than its stride or
        its dilation. A strided convolution maps several input sizes to the same output
        size; this selects one of them.
    {kernel_initializer_doc}
    {trainable_doc}

    References
    ----------
    .. [1] V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
       learning", 2016.
    .. [2] A. Odena, V. Dumoulin and C. Olah, "Deconvolution and checkerboard
       artifacts", Distill, 2016.

    Examples
    --------
    >>> from skconvnet.layers import {name}
    >>> {name}(8, 4, strides=3).build({shape}).out_shape
    {valid}
    >>> {name}(8, 4, strides=2, padding="same").build({shape}).out_shape
    {same}
    """


@documented(_DOC, shape="(2, 5)", valid="(7, 8)", same="(4, 8)")
class Conv1DTranspose(_ConvolutionTranspose):
    """Transposed convolution of maps of shape (length, channels)."""

    spatial_ndim: ClassVar[int | None] = 1


@documented(_DOC, shape="(2, 2, 5)", valid="(7, 7, 8)", same="(4, 4, 8)")
class Conv2DTranspose(_ConvolutionTranspose):
    """Transposed convolution of maps of shape (height, width, channels)."""

    spatial_ndim: ClassVar[int | None] = 2


@documented(_DOC, shape="(2, 2, 3, 5)", valid="(7, 7, 10, 8)", same="(4, 4, 6, 8)")
class Conv3DTranspose(_ConvolutionTranspose):
    """Transposed convolution of maps of shape (depth, height, width, channels)."""

    spatial_ndim: ClassVar[int | None] = 3


class ConvolutionTransposeCache(NamedTuple):
    """What `ConvolutionTransposeLayer` keeps for the backward pass.

    `algorithm_cache` is what `algorithm` keeps. `activated` has the activations, or the
    sums if the derivative of the activation needs them.
    """

    algorithm: AnyTransposedAlgorithm
    algorithm_cache: object
    activated: FeatureMap


class ConvolutionTransposeLayer(ConvolutionBase[ConvolutionTransposeCache]):
    """Runtime layer of `Conv1DTranspose`, `Conv2DTranspose` and `Conv3DTranspose`."""

    def __init__(
        self,
        in_shape: Shape,
        selector: TransposedAlgorithmSelector,
        activation: object,
        kernel_initializer: object,
    ) -> None:
        windows, filters, groups = selector.windows, selector.filters, selector.groups
        channels = in_shape[-1]
        kernel = Kernel(
            (channels, filters // groups, *windows.kernel),
            convolution_fans(filters, channels, windows.kernel, groups),
            groups,
        )
        super().__init__(
            in_shape,
            (*windows.in_shape, filters),
            {"kernel": kernel},
            activation,
            kernel_initializer,
        )
        self.selector = selector
        self.strides = tuple(Fraction(1, s) for s in windows.strides)
        self.flops = 2 * prod(windows.out_shape) * prod(kernel.shape)
        self.cached_values = selector.cached_values
        self.takes_lengths = windows.ndim == 1

    @property
    @override
    def matrices(self) -> dict[str, MatrixForm]:
        return {
            name: MatrixForm.transposed_convolution(kernel.shape, kernel.groups)
            for name, kernel in self.kernels.items()
        }

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        if lengths is None:
            return None
        # What is added to or cut off from an output does not depend on its length.
        missing = (self.in_shape[0] - lengths) * self.selector.windows.strides[0]
        return np.where(lengths > 0, np.maximum(self.out_shape[0] - missing, 0), 0)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, ConvolutionTransposeCache]:
        algorithm = self.selector.for_batch(x.shape[-1])
        kernel, bias = self.weights["kernel"], self.weights["bias"]
        z, algorithm_cache = algorithm.forward(x, kernel, bias, workspace, train=train)
        y = self.activation.activated(z, workspace)
        return y, ConvolutionTransposeCache(algorithm, algorithm_cache, z)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: ConvolutionTransposeCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        algorithm = cache.algorithm
        dz = algorithm.gradient_buffer(dy, workspace)
        inside = algorithm.crop_to_outputs(dz)
        self.activation.backward(cache.activated, dy, inside, workspace)
        if not self.is_frozen:
            channel_sums(dz, gradients["bias"])
        return algorithm.backward(
            dz,
            cache.algorithm_cache,
            self.weights["kernel"],
            gradients.get("kernel"),
            workspace,
            need_dx=need_dx,
        )
