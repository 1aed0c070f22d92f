"""A convolution along the height, then one along the width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from skconvnet._checks import check_positive_int
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.initializers import convolution_fans, draw_kernel, get_initializer
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops.activations import get_activation
from skconvnet.ops.blas_kernels import channel_sums
from skconvnet.ops.convolution.algorithm import with_surplus, without_surplus
from skconvnet.ops.convolution.selection import Methods
from skconvnet.ops.windows import Windows, sliding_windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class SpatiallySeparableConv2D(LayerSpec):
    """Convolve by columns of k x 1 cells, then by rows of 1 x k cells.

    A kernel k1 k2^T of rank one equals its column k1 and its row k2 in turn, with 2 k
    multiplications an output in place of k^2. Here the first step makes `filters` maps
    of all channels and the second mixes these, with nothing in between [1]_.

    Weights: ``vertical`` of shape (filters, channels, k, 1) and ``horizontal`` of shape
    (filters, filters, 1, k), both shrunk by `alpha`; ``bias`` of shape (filters,), zero
    at the start.

    Parameters
    ----------
    filters : int
        Number of output channels, and of those between the two steps.
    kernel_size : int or tuple of 2 int
        Cells of the column and of the row, odd or even.
    strides : int or tuple of 2 int, default=1
        Steps of the column along the height and of the row along the width.
    padding : {"valid", "same", "full"} or int or tuple, default="valid"
        Zeros around the map, as in `Conv2D`.
    dilation : int or tuple of 2 int, default=1
        Distance between the cells of the column and of the row.
    activation : str, default=None
        As in `Conv2D`. None is the identity.
    kernel_initializer : str or Initializer, default="auto"
        As in `Conv2D`.

    References
    ----------
    .. [1] C. Szegedy et al., "Rethinking the Inception architecture for computer
       vision", CVPR 2016.

    Examples
    --------
    >>> layer = SpatiallySeparableConv2D(8, 5, padding="same").build((28, 28, 3))
    >>> layer.out_shape
    (28, 28, 8)
    >>> layer.weight_shapes
    {'vertical': (8, 3, 5, 1), 'horizontal': (8, 8, 1, 5), 'bias': (8,)}
    """

    filters: int
    kernel_size: int | tuple[int, int]
    strides: int | tuple[int, int] = 1
    padding: Any = "valid"
    dilation: int | tuple[int, int] = 1
    activation: str | None = None
    kernel_initializer: Any = "auto"

    spatial_ndim: ClassVar[int | None] = 2

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_ndim(type(self).__name__, in_shape, 2)
        filters = check_positive_int("filters", self.filters)
        windows = sliding_windows(
            in_shape[:-1], self.kernel_size, self.strides, self.padding, self.dilation
        )
        vertical, horizontal = _along_each_axis(windows)
        return SpatiallySeparableLayer(
            in_shape,
            Methods("auto", vertical, in_shape[-1], filters, 1),
            Methods("auto", horizontal, filters, filters, 1),
            self.activation,
            self.kernel_initializer,
        )


def _along_each_axis(windows: Windows) -> tuple[Windows, Windows]:
    """Split windows into those along the height, and those along the width of that."""
    n_rows, n_columns = windows.out_shape
    width = windows.in_shape[1]

    def axis(i: int, in_shape: tuple[int, int], out_shape: tuple[int, int]) -> Windows:
        def only(values: tuple[int, ...]) -> tuple[int, int]:
            return (values[0], 1) if i == 0 else (1, values[1])

        none = (0, 0)
        return Windows(
            in_shape,
            out_shape,
            only(windows.kernel),
            only(windows.strides),
            only(windows.dilation),
            (windows.pads[0], none) if i == 0 else (none, windows.pads[1]),
        )

    between = (n_rows, width)
    return (
        axis(0, (windows.in_shape[0], width), between),
        axis(1, between, (n_rows, n_columns)),
    )


class SpatiallySeparableLayer(Layer):
    penalized = ("vertical", "horizontal")

    def __init__(
        self,
        in_shape: tuple[int, ...],
        vertical: Methods,
        horizontal: Methods,
        activation: str | None,
        kernel_initializer: Any,
    ) -> None:
        filters = vertical.filters
        super().__init__(in_shape, (*horizontal.windows.out_shape, filters))
        self.strides = (vertical.windows.strides[0], horizontal.windows.strides[1])
        self.vertical = vertical
        self.horizontal = horizontal
        self.activation = get_activation(activation)
        self.initializer = get_initializer(kernel_initializer)
        self.weight_shapes = {
            "vertical": (filters, in_shape[-1], *vertical.windows.kernel),
            "horizontal": (filters, filters, *horizontal.windows.kernel),
            "bias": (filters,),
        }
        between = prod(vertical.windows.out_shape)
        self.flops = 2 * (
            between * prod(self.weight_shapes["vertical"])
            + prod(horizontal.windows.out_shape)
            * prod(self.weight_shapes["horizontal"])
        )
        self.cached_values = (
            between * filters + vertical.cached_values + horizontal.cached_values
        )

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        first, second, bias = self.weight_shapes.values()
        fans = [
            convolution_fans(shape[0], shape[1], shape[2:]) for shape in (first, second)
        ]
        drawn, name = self.initializer, self.activation.name
        return {
            "vertical": draw_kernel(rng, first, fans[0], drawn),
            "horizontal": draw_kernel(rng, second, fans[1], drawn, name),
            "bias": np.zeros(bias),
        }

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, CACHE]:
        batch = x.shape[-1]
        first, second = self.vertical.for_batch(batch), self.horizontal.for_batch(batch)
        # Each has arrays of its own, which go by the same names.
        between, first_cache = first.forward(
            x, self.weights["vertical"], workspace.nested("vertical"), train=train
        )
        z, second_cache = second.forward(
            without_surplus(between, first),
            self.weights["horizontal"],
            workspace.nested("horizontal"),
            train=train,
        )
        written = second.written(z)
        written += self.weights["bias"][:, None]
        y, activated = z, written
        if self.activation.needs_input:
            y = workspace.array("activated", z.shape, z.dtype)
            activated = second.written(y)
        self.activation.apply(written, activated, workspace)
        kept = without_surplus(z, second)
        return without_surplus(y, second), (
            first,
            first_cache,
            second,
            second_cache,
            kept,
        )

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: CACHE,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        first, first_cache, second, second_cache, kept = cache
        dz = with_surplus(dy, second, workspace)
        self.activation.backward(kept, dy, without_surplus(dz, second), workspace)
        channel_sums(dz, gradients["bias"])
        dbetween = second.backward(
            dz,
            second_cache,
            self.weights["horizontal"],
            gradients["horizontal"],
            workspace.nested("horizontal"),
            need_dx=True,
        )
        dz = with_surplus(dbetween, first, workspace)
        if dz is not dbetween:
            np.copyto(without_surplus(dz, first), dbetween)
        return first.backward(
            dz,
            first_cache,
            self.weights["vertical"],
            gradients["vertical"],
            workspace.nested("vertical"),
            need_dx=need_dx,
        )
