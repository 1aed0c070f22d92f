"""Slow, independent implementations that the kernels are compared with.

Convolutions have two. `Loops` and `TransposedLoops` are the plain loops of
`skconvnet.ops.convolution.reference`, with gradients: they say what the kernels must
compute, but take the padding from the layer that is tested, and are for small maps
alone. `convolve` and `transpose_convolve` do the same with SciPy, from the
hyperparameters, and check the loops as well.
"""

from itertools import product
from math import prod

import numpy as np
from layer_tools import batch_first, batch_last
from scipy.signal import convolve as full_convolution
from scipy.signal import correlate

from skconvnet.ops.convolution import reference


class Loops:
    """Convolution of (n, *spatial, channels) by plain loops, and its gradients."""

    # Some tens of milliseconds.
    MAX_MULTIPLICATIONS = 5000

    def __init__(self, windows, groups):
        self.geometry = windows, groups

    def is_quick(self, x, kernel):
        """Whether the loops over these arrays are short enough for a test."""
        return len(x) * kernel.size * self.n_positions <= self.MAX_MULTIPLICATIONS

    @property
    def n_positions(self):
        windows, _ = self.geometry
        return prod(windows.out_shape)

    def forward(self, x, kernel, bias):
        z = reference.convolve(batch_last(x), kernel, *self.geometry)
        return batch_first(z) + bias

    def gradients(self, x, dy, kernel, _bias):
        """Return the gradients of the map, the kernel and the bias."""
        arrays = batch_last(dy), batch_last(x), kernel, *self.geometry
        return (
            batch_first(reference.gradient_of_input(*arrays)),
            reference.gradient_of_kernel(*arrays),
            dy.sum(axis=tuple(range(dy.ndim - 1))),
        )


class TransposedLoops(Loops):
    """The same for transposed convolution; the windows are of the convolution back."""

    def forward(self, x, kernel, bias):
        z = reference.transposed_convolve(batch_last(x), kernel, *self.geometry)
        return batch_first(z) + bias

    def gradients(self, x, dy, kernel, _bias):
        """Return the gradients of the map, the kernel and the bias.

        The gradient of the map is a convolution of `dy`, and the kernel has the
        gradient that this convolution has with the roles of `x` and `dy` exchanged.
        """
        big, small = batch_last(dy), batch_last(x)
        return (
            batch_first(reference.convolve(big, kernel, *self.geometry)),
            reference.gradient_of_kernel(small, big, kernel, *self.geometry),
            dy.sum(axis=tuple(range(dy.ndim - 1))),
        )


def pad_amounts(in_shape, kernel, strides, padding, dilation):
    """(before, after) for each axis, worked out from the definitions."""
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if padding == "valid":
        return [(0, 0) for _ in in_shape]
    if padding == "full":
        return [(e - 1, e - 1) for e in extents]
    if padding == "same":
        pads = []
        for n, e, s in zip(in_shape, extents, strides, strict=True):
            n_out = int(np.ceil(n / s))
            total = max((n_out - 1) * s + e - n, 0)
            pads.append((total // 2, total - total // 2))
        return pads
    if isinstance(padding, int):
        return [(padding, padding) for _ in in_shape]
    return [(p, p) if isinstance(p, int) else tuple(p) for p in padding]


def dilate(kernel, dilation):
    """Put zeros between the taps of a kernel."""
    shape = [d * (k - 1) + 1 for k, d in zip(kernel.shape, dilation, strict=True)]
    out = np.zeros(shape)
    out[tuple(slice(None, None, d) for d in dilation)] = kernel
    return out


def convolve(x, kernel, bias, strides, padding, dilation, groups):
    """Convolve (n, *spatial, channels) with SciPy, one pair of channels at a time."""
    filters, group_channels = kernel.shape[:2]
    pads = pad_amounts(x.shape[1:-1], kernel.shape[2:], strides, padding, dilation)
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    steps = tuple(slice(None, None, s) for s in strides)
    maps = []
    for sample, f in product(range(len(x)), range(filters)):
        first = f // (filters // groups) * group_channels
        total = sum(
            correlate(
                x[sample, ..., first + c], dilate(kernel[f, c], dilation), mode="valid"
            )
            for c in range(group_channels)
        )
        maps.append(total[steps] + bias[f])
    maps = np.array(maps).reshape(len(x), filters, *maps[0].shape)
    return np.moveaxis(maps, 1, -1)


def crop_amounts(in_shape, kernel, strides, padding, dilation):
    """(before, after) that a transposed convolution cuts off; negative if it adds."""
    if padding != "same":
        return pad_amounts(in_shape, kernel, strides, padding, dilation)
    crops = []
    for n, k, s, d in zip(in_shape, kernel, strides, dilation, strict=True):
        total = (n - 1) * s + d * (k - 1) + 1 - n * s
        before = max(total, 0) // 2
        crops.append((before, total - before))
    return crops


def transpose_convolve(
    x, kernel, bias, strides, padding, dilation, groups, output_padding
):
    """Put zeros between positions of (n, *spatial, channels), and convolve fully."""
    channels, group_filters = kernel.shape[:2]
    in_shape = x.shape[1:-1]
    crops = crop_amounts(in_shape, kernel.shape[2:], strides, padding, dilation)
    maps = []
    for sample, f in product(range(len(x)), range(groups * group_filters)):
        group_channels = channels // groups
        first = f // group_filters * group_channels
        total = sum(
            full_convolution(
                dilate(x[sample, ..., c], strides),
                dilate(kernel[c, f % group_filters], dilation),
                mode="full",
                method="direct",
            )
            for c in range(first, first + group_channels)
        )
        for axis, ((before, after), extra) in enumerate(
            zip(crops, output_padding, strict=True)
        ):
            stop = total.shape[axis] - after + extra
            longer = [(0, 0)] * total.ndim
            longer[axis] = (0, max(stop - total.shape[axis], 0))
            total = np.pad(total, longer)
            total = total[(slice(None),) * axis + (slice(before, stop),)]
        maps.append(total + bias[f])
    maps = np.array(maps).reshape(len(x), groups * group_filters, *maps[0].shape)
    return np.moveaxis(maps, 1, -1)


def windows_of(in_shape, size, strides, padding):
    """Yield the output position, and the input positions of every window in the map."""
    pads = pad_amounts(in_shape, size, strides, padding, [1] * len(size))
    counts = [
        (n + before + after - k) // s + 1
        for n, k, s, (before, after) in zip(in_shape, size, strides, pads, strict=True)
    ]
    for output in product(*map(range, counts)):
        starts = [
            p * s - before
            for p, s, (before, _) in zip(output, strides, pads, strict=True)
        ]
        positions = product(
            *(range(a, a + k) for a, k in zip(starts, size, strict=True))
        )
        inside = [
            position
            for position in positions
            if all(0 <= c < n for c, n in zip(position, in_shape, strict=True))
        ]
        yield output, inside, counts


def pool(x, size, strides, padding, kind):
    """Pool (n, *spatial, channels) by plain loops; padding does not count."""
    out = None
    for output, inside, counts in windows_of(x.shape[1:-1], size, strides, padding):
        if out is None:
            out = np.empty((len(x), *counts, x.shape[-1]))
        values = np.stack([x[(slice(None), *position)] for position in inside])
        value = values.max(axis=0) if kind == "max" else values.mean(axis=0)
        out[(slice(None), *output)] = value
    return out


def pool_gradient(x, dy, size, strides, padding, kind):
    """Gradient of `pool`, window by window; the first of equal maxima takes all."""
    dx = np.zeros_like(x)
    for output, inside, _ in windows_of(x.shape[1:-1], size, strides, padding):
        gradient = dy[(slice(None), *output)]
        if kind == "avg":
            for position in inside:
                dx[(slice(None), *position)] += gradient / len(inside)
            continue
        winner = np.stack([x[(slice(None), *position)] for position in inside]).argmax(
            axis=0
        )
        for number, position in enumerate(inside):
            dx[(slice(None), *position)] += np.where(winner == number, gradient, 0)
    return dx
