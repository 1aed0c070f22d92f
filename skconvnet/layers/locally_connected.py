"""Convolution with different kernels at every position of the map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.initializers import Initializer, draw_kernel
from skconvnet.layers.base import Layer
from skconvnet.layers.conv_base import (
    ConvolutionBase,
    ConvolutionSpec,
    Kernel,
    check_spatial_ndim,
    documented,
)
from skconvnet.ops.convolution.locally_connected import LocallyConnectedConvolution
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class _LocallyConnected(ConvolutionSpec):
    activation: str | None = None
    kernel_initializer: str | Initializer = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_spatial_ndim(self, in_shape)
        filters, _ = self._checked_filters(in_shape)
        algorithm = LocallyConnectedConvolution(
            self._windows(in_shape), in_shape[-1], filters
        )
        return LocallyConnectedLayer(
            in_shape, algorithm, self.activation, self.kernel_initializer
        )


_DOC = """
    Every position of the output has its own kernels. This suits images whose parts are
    always at the same positions, such as aligned faces [1]_.

    Weights: ``kernel`` of shape (*out_spatial, filters, channels, *kernel_size) and
    ``bias`` of shape (*out_spatial, filters), zero at the start.

    Parameters
    ----------
    {filters_doc}
    {kernel_size_doc}
    {strides_doc}
    padding : {{"valid", "same", "full"}} or int or tuple, default="valid"
        Zeros around the map, as in `Conv{ndim}D`.
    {dilation_doc}
    activation : str, default=None
        As in `Conv{ndim}D`. None is the identity.
    kernel_initializer : str or Initializer, default="auto"
        As in `Conv{ndim}D`, for the kernels of each position.
    {trainable_doc}

    References
    ----------
    .. [1] Y. Taigman, M. Yang, M. Ranzato and L. Wolf, "DeepFace: Closing the gap to
       human-level performance in face verification", CVPR 2014.

    Examples
    --------
    >>> from skconvnet.layers import {name}
    >>> layer = {name}(4, 3).build({shape})
    >>> layer.out_shape, layer.weight_shapes["kernel"]
    {result}
    """


@documented(_DOC, shape="(20, 2)", result="((18, 4), (18, 4, 2, 3))")
class LocallyConnected1D(_LocallyConnected):
    """Convolution without shared weights of maps of shape (length, channels)."""

    spatial_ndim: ClassVar[int | None] = 1


@documented(_DOC, shape="(8, 9, 2)", result="((6, 7, 4), (6, 7, 4, 2, 3, 3))")
class LocallyConnected2D(_LocallyConnected):
    """Convolution without shared weights of maps of shape (height, width, channels)."""

    spatial_ndim: ClassVar[int | None] = 2


class LocallyConnectedCache(NamedTuple):
    """What `LocallyConnectedLayer` keeps for the backward pass.

    `padded` is the padded input. `activated` has the activations, or the sums if the
    derivative of the activation needs them.
    """

    padded: FeatureMap
    activated: FeatureMap


class LocallyConnectedLayer(ConvolutionBase[LocallyConnectedCache]):
    """Runtime layer of `LocallyConnected1D` and `LocallyConnected2D`."""

    def __init__(
        self,
        in_shape: Shape,
        algorithm: LocallyConnectedConvolution,
        activation: object,
        kernel_initializer: object,
    ) -> None:
        windows, filters = algorithm.windows, algorithm.filters
        kernel = Kernel.of_windows(windows, in_shape[-1], filters)
        super().__init__(
            in_shape,
            (*windows.out_shape, filters),
            {"kernel": kernel},
            activation,
            kernel_initializer,
        )
        self.algorithm = algorithm
        self.strides = windows.strides
        # A kernel and a bias for every position.
        self.weight_shapes = {
            "kernel": (*windows.out_shape, *kernel.shape),
            "bias": self.out_shape,
        }
        self.flops = 2 * prod(self.weight_shapes["kernel"])

    @property
    @override
    def matrices(self) -> dict[str, MatrixForm]:
        # One for each position.
        filters, *rest = self.kernels["kernel"].shape
        return {"kernel": MatrixForm((prod(self.out_shape[:-1]), filters, prod(rest)))}

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        own, name = self.kernels["kernel"], self.activation.name
        kernels = [
            draw_kernel(rng, own.shape, own.fans, self.initializer, name)
            for _ in range(prod(self.out_shape[:-1]))
        ]
        kernel = np.reshape(kernels, self.weight_shapes["kernel"])
        return {"kernel": kernel, "bias": np.zeros(self.weight_shapes["bias"])}

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, LocallyConnectedCache]:
        kernel, bias = self.weights["kernel"], self.weights["bias"]
        z, padded = self.algorithm.forward(x, kernel, workspace, train=train)
        z += np.moveaxis(bias, -1, 0)[..., None]
        y = self.activation.activated(z, workspace)
        return y, LocallyConnectedCache(padded, z)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: LocallyConnectedCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        self.activation.backward(cache.activated, dy, dy, workspace)
        if not self.is_frozen:
            dy.sum(axis=-1, out=np.moveaxis(gradients["bias"], -1, 0))
        return self.algorithm.backward(
            dy,
            cache.padded,
            self.weights["kernel"],
            gradients.get("kernel"),
            workspace,
            need_dx=need_dx,
        )
