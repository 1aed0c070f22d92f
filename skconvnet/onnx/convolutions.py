"""Convolutions of all kinds, each with its bias and its activation."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.layers.conv_base import ConvolutionBase
from skconvnet.layers.conv_transpose import ConvolutionTransposeLayer
from skconvnet.layers.depthwise import DepthwiseLayer, SeparableLayer
from skconvnet.layers.locally_connected import LocallyConnectedLayer
from skconvnet.layers.map_output import MapOutputLayer
from skconvnet.layers.spatially_separable import SpatiallySeparableLayer
from skconvnet.onnx.activations import activate, per_channel
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.taps import (
    convolve_taps,
    gather_taps,
    transposed_tables,
    window_tables,
)
from skconvnet.ops.windows import Windows

_Kernel = npt.NDArray[np.floating]


def convolution(graph: Graph, layer: ConvolutionLayer, x: str) -> str:
    """Convert `Conv1D`, `Conv2D`, `Conv3D` and `WhiteningConv1D`, `2D` and `3D`."""
    groups = layer.selector.groups
    return _last_step(graph, layer, x, "kernel", layer.windows, groups, layer.in_shape)


def depthwise(graph: Graph, layer: DepthwiseLayer, x: str) -> str:
    """Convert `DepthwiseConv2D`."""
    windows, groups = layer.algorithm.windows, layer.algorithm.groups
    return _last_step(graph, layer, x, "kernel", windows, groups, layer.in_shape)


def separable(graph: Graph, layer: SeparableLayer, x: str) -> str:
    """Convert `SeparableConv1D`, `SeparableConv2D` and `SeparableConv3D`."""
    windows, groups = layer.algorithm.windows, layer.algorithm.groups
    kernel = layer.weights["depthwise"]
    x = _convolve(graph, x, kernel, "depthwise", windows, groups, layer.in_shape)
    spatial, n_maps = windows.out_shape, len(kernel)
    points = _points(spatial)
    return _last_step(graph, layer, x, "pointwise", points, 1, (*spatial, n_maps))


def map_output(graph: Graph, layer: MapOutputLayer, x: str) -> str:
    """Convert the output layer of maps, without the activation of the loss."""
    kernel, points = layer.weights["kernel"], _points(layer.in_shape[:-1])
    z = _convolve(graph, x, kernel, "kernel", points, 1, layer.in_shape)
    bias = per_channel(layer.weights["bias"], layer.out_shape)
    return graph.add("Add", z, graph.numbers(bias, "bias"))


def spatially_separable(graph: Graph, layer: SpatiallySeparableLayer, x: str) -> str:
    """Convert `SpatiallySeparableConv2D`."""
    first, last = layer.vertical.windows, layer.horizontal.windows
    kernel = layer.weights["vertical"]
    x = _convolve(graph, x, kernel, "vertical", first, 1, layer.in_shape)
    between = (*first.out_shape, len(kernel))
    return _last_step(graph, layer, x, "horizontal", last, 1, between)


def transposed(graph: Graph, layer: ConvolutionTransposeLayer, x: str) -> str:
    """Convert `Conv1DTranspose`, `Conv2DTranspose` and `Conv3DTranspose`."""
    windows, groups = layer.selector.windows, layer.selector.groups
    kernel, bias = layer.weights["kernel"], layer.weights["bias"]
    # Positions at the end of each axis that no kernel reaches.
    added = [
        size - ((n - 1) * stride + dilation * (taps - 1) + 1 - before - after)
        for size, n, stride, dilation, taps, (before, after) in zip(
            windows.in_shape,
            windows.out_shape,
            windows.strides,
            windows.dilation,
            windows.kernel,
            windows.pads,
            strict=True,
        )
    ]
    # ONNX Runtime takes no more of them, even where there is dilation.
    is_allowed = all(n < s for n, s in zip(added, windows.strides, strict=True))
    if is_allowed and not graph.is_double:
        z = graph.add(
            "ConvTranspose",
            x,
            graph.numbers(kernel, "kernel"),
            graph.numbers(bias, "bias"),
            output_padding=added,
            **_attributes(windows, groups),
        )
        return activate(graph, z, layer.activation)
    # As a convolution with the roles of channels and filters exchanged.
    channels, per_group = kernel.shape[:2]
    own = kernel.reshape(groups, channels // groups, per_group, *windows.kernel)
    own = own.swapaxes(1, 2).reshape(
        groups * per_group, channels // groups, *windows.kernel
    )
    tables = transposed_tables(windows)
    z = convolve_taps(graph, x, tables, own, layer.in_shape, groups)
    return _with_bias(graph, layer, z)


def locally_connected(graph: Graph, layer: LocallyConnectedLayer, x: str) -> str:
    """Convert `LocallyConnected1D` and `LocallyConnected2D`."""
    windows = layer.algorithm.windows
    *spatial, channels = layer.in_shape
    *out_spatial, filters = layer.out_shape
    n_outputs, n_values = prod(out_spatial), channels * windows.size
    columns = gather_taps(graph, x, window_tables(windows), tuple(spatial))
    columns = graph.reshape(columns, (n_values, n_outputs))
    columns = graph.add("Transpose", columns, perm=[2, 1, 0])
    kernel = layer.weights["kernel"].reshape(n_outputs, filters, n_values)
    # (positions, filters, values) by (positions, values, batch).
    sums = graph.add("MatMul", graph.numbers(kernel, "kernel"), columns)
    z = graph.reshape(
        graph.add("Transpose", sums, perm=[2, 1, 0]), (filters, *out_spatial)
    )
    bias = np.moveaxis(layer.weights["bias"], -1, 0)
    z = graph.add("Add", z, graph.numbers(bias, "bias"))
    return activate(graph, z, layer.activation)


def _last_step(
    graph: Graph,
    layer: ConvolutionBase[Any],
    x: str,
    name: str,
    windows: Windows,
    groups: int,
    in_shape: Shape,
) -> str:
    """Add the convolution by the kernel `name`, the bias and the activation."""
    kernel, bias = layer.weights[name], layer.weights["bias"]
    if graph.is_double:
        z = _convolve(graph, x, kernel, name, windows, groups, in_shape)
        return _with_bias(graph, layer, z)
    own = graph.numbers(kernel, name)
    z = graph.add(
        "Conv", x, own, graph.numbers(bias, "bias"), **_attributes(windows, groups)
    )
    return activate(graph, z, layer.activation)


def _convolve(
    graph: Graph,
    x: str,
    kernel: _Kernel,
    name: str,
    windows: Windows,
    groups: int,
    in_shape: Shape,
) -> str:
    """Add a convolution without a bias, whose kernel is called `name`."""
    if graph.is_double:
        tables = window_tables(windows)
        return convolve_taps(graph, x, tables, kernel, in_shape, groups)
    own = graph.numbers(kernel, name)
    return graph.add("Conv", x, own, **_attributes(windows, groups))


def _points(spatial: Shape) -> Windows:
    """Return the windows of kernels of size 1."""
    ones, zeros = (1,) * len(spatial), ((0, 0),) * len(spatial)
    return Windows(spatial, spatial, ones, ones, ones, zeros)


def _with_bias(graph: Graph, layer: ConvolutionBase[Any], z: str) -> str:
    bias = per_channel(layer.weights["bias"], layer.out_shape)
    z = graph.add("Add", z, graph.numbers(bias, "bias"))
    return activate(graph, z, layer.activation)


def _attributes(windows: Windows, groups: int) -> dict[str, Any]:
    before, after = zip(*windows.pads, strict=True)
    return {
        "kernel_shape": windows.kernel,
        "strides": windows.strides,
        "dilations": windows.dilation,
        "pads": (*before, *after),
        "group": groups,
    }
