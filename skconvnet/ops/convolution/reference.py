"""Convolution by plain loops: what every algorithm computes. Read this file first.

Nothing here is fast, and the package does not call it: the tests compare all algorithms
with it.

Layout. A map is an array of shape ``(channels, *spatial, batch)``. A *position* is one
index per spatial axis, so ``x[(c, *position, n)]`` is the value of channel ``c`` of
sample ``n`` at that position. A kernel is an array of shape ``(filters, channels //
groups, *kernel_size)``, and a *tap* is an element of it along the spatial axes.

Sums. A window of the size of the kernel slides over the map. One step along an axis
moves it by ``stride`` positions, and neighboring taps are ``dilation`` positions apart.
With kernel_size=3, stride=1, dilation=2 and one position of padding on each side::

      position of the map     (-1)  0   1   2   3   4   5  (6)
      taps of output 0          0       1       2
      taps of output 1              0       1       2
      taps of output 2                  0       1       2
      taps of output 3                      0       1       2

Each output is the sum of the products of a tap and the value at its position, over all
taps and all input channels. Values in the padding are zero and add nothing. The kernel
is not flipped: this is called cross-correlation in mathematics, and convolution in deep
learning.

Groups. Input and output channels are cut into `groups` groups of equal size, and the
outputs of a group are computed only from the inputs of the same group.

Gradients. A convolution is a long list of multiplications, each of which adds ``kernel
value * input value`` to an output. By the product rule, the gradient of the kernel
value receives ``input value * gradient of the output``, and the gradient of the input
value receives ``kernel value * gradient of the output``. So all functions below loop
over the same list.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from skconvnet._typing import FeatureMap
from skconvnet.ops.windows import Windows

# One index per axis of an array.
Element = tuple[int, ...]


def convolve(
    x: FeatureMap, kernel: np.ndarray, windows: Windows, groups: int = 1
) -> FeatureMap:
    """Return the sums over all windows, without a bias.

    Parameters
    ----------
    x : ndarray of shape (channels, *in_shape, batch)
    kernel : ndarray of shape (filters, channels // groups, *kernel_size)
    windows : Windows
    groups : int

    Returns
    -------
    z : ndarray of shape (filters, *out_shape, batch)

    Examples
    --------
    >>> from skconvnet.ops.windows import sliding_windows
    >>> x = np.array([[[1.0], [2.0], [3.0], [4.0]]])
    >>> kernel = np.array([[[1.0, 0.0, -1.0]]])
    >>> convolve(x, kernel, sliding_windows((4,), 3, padding="same")).ravel()
    array([-2., -2., -2.,  3.])
    """
    z = np.zeros((len(kernel), *windows.out_shape, x.shape[-1]))
    for tap, inputs, output in multiplications(x, kernel, windows, groups):
        z[output] += kernel[tap] * x[inputs]
    return z


def gradient_of_kernel(
    dz: FeatureMap, x: FeatureMap, kernel: np.ndarray, windows: Windows, groups: int = 1
) -> np.ndarray:
    """Return the gradient of the kernel, given the gradient `dz` of the sums."""
    dkernel = np.zeros(kernel.shape)
    for tap, inputs, output in multiplications(x, kernel, windows, groups):
        dkernel[tap] += x[inputs] * dz[output]
    return dkernel


def gradient_of_input(
    dz: FeatureMap, x: FeatureMap, kernel: np.ndarray, windows: Windows, groups: int = 1
) -> FeatureMap:
    """Return the gradient of the map, given the gradient `dz` of the sums."""
    dx = np.zeros(x.shape)
    for tap, inputs, output in multiplications(x, kernel, windows, groups):
        dx[inputs] += kernel[tap] * dz[output]
    return dx


def transposed_convolve(
    x: FeatureMap, kernel: np.ndarray, windows: Windows, groups: int = 1
) -> FeatureMap:
    """Return the transposed convolution of the map `x`, without a bias.

    For each position, it adds the kernel, times the value of `x`, to the output, as
    `gradient_of_input` does with the gradient of the sums.

    Parameters
    ----------
    x : ndarray of shape (channels, *windows.out_shape, batch)
    kernel : ndarray of shape (channels, filters // groups, *kernel_size)
    windows : Windows
        The windows of the convolution from the output back to `x`.
    groups : int

    Returns
    -------
    z : ndarray of shape (filters, *windows.in_shape, batch)
    """
    filters = kernel.shape[1] * groups
    z = np.zeros((filters, *windows.in_shape, x.shape[-1]))
    for tap, output, inputs in multiplications(z, kernel, windows, groups):
        z[output] += kernel[tap] * x[inputs]
    return z


def multiplications(
    x: FeatureMap, kernel: np.ndarray, windows: Windows, groups: int
) -> Iterator[tuple[Element, Element, Element]]:
    """Yield the indices of a kernel value, an input value and the output they add to.

    The indices are for the kernel, for `x` and for the sums, in this order.
    """
    filters, group_channels = kernel.shape[:2]
    group_filters = filters // groups
    for output, tap, position in connections(windows):
        for f in range(filters):
            group = f // group_filters
            for c in range(group_channels):
                channel = group * group_channels + c
                for n in range(x.shape[-1]):
                    yield (f, c, *tap), (channel, *position, n), (f, *output, n)


def connections(windows: Windows) -> Iterator[tuple[Element, Element, Element]]:
    """Yield each output position, each tap, and the input position of that tap.

    Input positions in the padding are left out.
    """
    axes = range(windows.ndim)
    for output in product(*(range(n) for n in windows.out_shape)):
        for tap in product(*(range(k) for k in windows.kernel)):
            position = tuple(
                output[axis] * windows.strides[axis]
                + tap[axis] * windows.dilation[axis]
                - windows.pads[axis][0]
                for axis in axes
            )
            if all(0 <= position[axis] < windows.in_shape[axis] for axis in axes):
                yield output, tap, position
