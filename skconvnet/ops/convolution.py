"""Convolution as one GEMM a block of columns, and its gradients.

"Convolution" is cross-correlation, as everywhere in this field. Arrays are batch
last, ``(channels, *spatial, batch)``; kernels ``(filters, channels // groups,
*kernel_size)``.
"""

from __future__ import annotations

import numpy as np

from skconvnet.ops.im2col import Block, Columns


def convolve(
    padded: np.ndarray,
    kernel: np.ndarray,
    columns: Columns,
    groups: int,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Convolve a padded map with `kernel`.

    Parameters
    ----------
    padded : ndarray of shape (channels, *padded, batch), contiguous
    kernel : ndarray of shape (filters, channels // groups, *kernel_size)
    columns : Columns
    groups : int
    scratch : ndarray
        One-dimensional, `scratch_size` or more elements.
    out : ndarray of shape (filters, *columns.shape, batch), contiguous
        Its surplus positions, if any, are left undefined.
    """
    channels, batch = padded.shape[0], padded.shape[-1]
    filters = len(kernel)
    weights = kernel.reshape(groups, filters // groups, -1)
    flat = out.reshape(groups, filters // groups, -1)
    for block in columns.blocks(channels, batch, padded.itemsize):
        cols = _columns(padded, columns, block, groups, scratch)
        np.matmul(weights, cols, out=flat[:, :, block.start : block.stop])


def convolve_backward(
    doutput: np.ndarray,
    padded: np.ndarray,
    kernel: np.ndarray,
    columns: Columns,
    groups: int,
    scratch: np.ndarray,
    dscratch: np.ndarray | None,
    dkernel: np.ndarray,
    dpadded: np.ndarray | None,
) -> None:
    """Gradients of `convolve` with respect to the kernel and the padded map.

    Parameters
    ----------
    doutput : ndarray of shape (filters, *columns.shape, batch), contiguous
        Gradient of the outputs, zero in the surplus positions.
    padded, kernel, columns, groups, scratch
        As given to `convolve`.
    dscratch : ndarray or None
        As `scratch`; None where `dpadded` is.
    dkernel : ndarray of the kernel's shape
        Overwritten.
    dpadded : ndarray of the padded map's shape, or None
        Overwritten; None where the map's gradient is not needed.
    """
    channels, batch = padded.shape[0], padded.shape[-1]
    filters = len(kernel)
    weights = kernel.reshape(groups, filters // groups, -1)
    dweights = dkernel.reshape(groups, filters // groups, -1)
    flat = doutput.reshape(groups, filters // groups, -1)
    if dpadded is not None:
        dpadded.fill(0)
    for block in columns.blocks(channels, batch, padded.itemsize):
        cols = _columns(padded, columns, block, groups, scratch)
        dout = flat[:, :, block.start : block.stop]
        if block.start == 0:
            np.matmul(dout, cols.transpose(0, 2, 1), out=dweights)
        else:
            dweights += np.matmul(dout, cols.transpose(0, 2, 1))
        if dpadded is None or dscratch is None:
            continue
        length = block.stop - block.start
        if columns.is_pointwise:
            whole = dpadded.reshape(groups, channels // groups, -1)
            dcols = whole[:, :, block.start : block.stop]
            np.matmul(weights.transpose(0, 2, 1), dout, out=dcols)
            continue
        dcols = dscratch[: cols.size].reshape(cols.shape)
        np.matmul(weights.transpose(0, 2, 1), dout, out=dcols)
        columns.scatter(dcols.reshape(channels, -1, length), block, dpadded)


def scratch_size(columns: Columns, channels: int, batch: int, itemsize: int) -> int:
    """Elements that `convolve` needs for the columns of its largest block."""
    if columns.is_pointwise:
        return 0
    return max(
        channels * columns.windows.size * (block.stop - block.start)
        for block in columns.blocks(channels, batch, itemsize)
    )


def _columns(
    padded: np.ndarray,
    columns: Columns,
    block: Block,
    groups: int,
    scratch: np.ndarray,
) -> np.ndarray:
    channels = len(padded)
    length = block.stop - block.start
    if columns.is_pointwise:
        whole = padded.reshape(groups, channels // groups, -1)
        return whole[:, :, block.start : block.stop]
    size = columns.windows.size
    cols = scratch[: channels * size * length].reshape(channels, size, length)
    columns.gather(padded, block, cols)
    return cols.reshape(groups, channels // groups * size, length)
