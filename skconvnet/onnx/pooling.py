"""Pooling: over windows, over whole maps, and over pyramids."""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

import numpy as np

from skconvnet._typing import Shape
from skconvnet.layers.adaptive_pooling import AdaptivePoolLayer
from skconvnet.layers.lp_pooling import GlobalLpPoolLayer, LpPoolLayer
from skconvnet.layers.pooling import AvgPoolLayer, MaxPoolLayer
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.lengths import clear_empty, clear_padding, count_values
from skconvnet.onnx.resizing import multiply_axis
from skconvnet.onnx.shapes import flatten_map
from skconvnet.onnx.taps import gather_taps, window_tables
from skconvnet.ops.adaptive_pooling import axis_windows
from skconvnet.ops.windows import Windows


def max_pool(graph: Graph, layer: MaxPoolLayer, x: str) -> str:
    """Convert `MaxPool1D`, `MaxPool2D` and `MaxPool3D`."""
    lengths = graph.lengths.get(x)
    if lengths is not None and layer.windows.is_padded:
        x = clear_padding(graph, x, lengths, layer.in_shape, -np.inf)
    return graph.add("MaxPool", x, **_attributes(layer.windows))


def avg_pool(graph: Graph, layer: AvgPoolLayer, x: str) -> str:
    """Convert `AvgPool1D`, `AvgPool2D` and `AvgPool3D`, which leave out padding."""
    windows = layer.windows
    if not graph.is_double:
        # By default, as in count_include_pad=0, the operator leaves it out as well.
        return graph.add("AveragePool", x, **_attributes(windows))
    tables = window_tables(windows)
    taps = gather_taps(graph, x, tables, windows.in_shape)
    sums = graph.reduce("ReduceSum", taps, (2,))
    counts = reduce(np.multiply.outer, [(table >= 0).sum(axis=0) for table in tables])
    means = graph.add("Div", sums, graph.numbers(counts.ravel(), "counts"))
    return graph.reshape(means, (layer.in_shape[-1], *windows.out_shape))


def lp_pool(graph: Graph, layer: LpPoolLayer, x: str) -> str:
    """Convert `LpPool1D`, `LpPool2D` and `LpPool3D`."""
    windows = layer.windows
    if not graph.is_double and layer.p in (1, 2):
        # For other p, the powers of the operator may overflow, and must be integers.
        return graph.add("LpPool", x, p=int(layer.p), **_attributes(windows))
    taps = gather_taps(graph, x, window_tables(windows), windows.in_shape)
    norms = _norms(graph, taps, (2,), layer.p)
    return graph.reshape(norms, (layer.in_shape[-1], *windows.out_shape))


def global_lp_pool(graph: Graph, layer: GlobalLpPoolLayer, x: str) -> str:
    """Convert `GlobalLpPool`."""
    # ONNX Runtime does not have the operator of version 22.
    if not graph.is_double and layer.p in (1, 2) and graph.opset < 22:
        norms = graph.add("GlobalLpPool", x, p=int(layer.p))
    else:
        norms = _norms(graph, x, tuple(range(2, len(layer.in_shape) + 1)), layer.p)
    return graph.reshape(norms, layer.out_shape)


def _norms(graph: Graph, x: str, axes: tuple[int, ...], p: float) -> str:
    """Add p-norms over axes, which are kept."""
    sizes = graph.add("Abs", x)
    largest = graph.reduce("ReduceMax", sizes, axes, keepdims=True)
    scale = graph.add("Max", largest, graph.numbers(np.finfo(graph.dtype).tiny))
    powers = graph.add("Pow", graph.add("Div", sizes, scale), graph.numbers(p, "p"))
    sums = graph.reduce("ReduceSum", powers, axes, keepdims=True)
    root = graph.add("Pow", sums, graph.numbers(1 / p, "inverse_p"))
    return graph.add("Mul", root, scale)


def adaptive_pool(graph: Graph, layer: AdaptivePoolLayer, x: str) -> str:
    """Convert `GlobalMaxPool`, `GlobalAvgPool` and `SpatialPyramidPool`."""
    if layer.levels == (1,):
        return whole_map(graph, layer.pooling, x, layer.in_shape)
    if graph.lengths.get(x) is not None:
        raise ValueError(
            f"The layer {'/'.join(graph.path)!r} has levels={layer.levels}, but its "
            "input ends at a padding token, and only whole sequences can be pooled "
            "then. Replace it by GlobalMaxPool() or GlobalAvgPool()."
        )
    features = [_level(graph, layer, x, n) for n in layer.levels]
    if len(features) == 1:
        return features[0]
    return graph.add("Concat", *features, axis=1)


def whole_map(graph: Graph, pooling: str, x: str, in_shape: Shape) -> str:
    """Add the mean ("avg") or the maximum ("max") of each channel of a map.

    `in_shape` is the shape of a sample, channels last. Padding does not count.
    """
    axes = tuple(range(2, len(in_shape) + 1))
    lengths = graph.lengths.get(x)
    if lengths is None:
        return graph.reduce("ReduceMax" if pooling == "max" else "ReduceMean", x, axes)
    if pooling == "max":
        x = clear_padding(graph, x, lengths, in_shape, -np.inf)
        return clear_empty(graph, graph.reduce("ReduceMax", x, axes), lengths)
    sums = graph.reduce("ReduceSum", x, axes)
    counts = count_values(graph, lengths, prod(in_shape[1:-1]))
    return graph.add("Div", sums, counts)


def _level(graph: Graph, layer: AdaptivePoolLayer, x: str, n: int) -> str:
    """Add the features of one level, which cuts each axis into n windows."""
    *spatial, channels = layer.in_shape
    if n == 1:
        return whole_map(graph, layer.pooling, x, layer.in_shape)
    for i, size in enumerate(spatial):
        windows = axis_windows(size, n)
        if layer.pooling == "max":
            # Shorter windows repeat their last position.
            longest = max(w.stop - w.start for w in windows)
            positions = [
                [min(w.start + t, w.stop - 1) for t in range(longest)] for w in windows
            ]
            table = graph.constant(np.array(positions, np.int64), "positions")
            x = graph.add("Gather", x, table, axis=i + 2)
            x = graph.reduce("ReduceMax", x, (i + 3,))
        else:
            means = np.zeros((n, size))
            for row, window in zip(means, windows, strict=True):
                row[window] = 1 / (window.stop - window.start)
            sizes = (channels, *(n,) * i, *spatial[i:])
            x = multiply_axis(graph, x, means, sizes, i + 1)
    return flatten_map(graph, x, (*(n,) * len(spatial), channels))


def _attributes(windows: Windows) -> dict[str, Any]:
    before, after = zip(*windows.pads, strict=True)
    return {
        "kernel_shape": windows.kernel,
        "strides": windows.strides,
        "pads": (*before, *after),
    }
