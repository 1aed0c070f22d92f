"""Convolution with a kernel of its own at every place: one batched matrix product.

Arrays are batch last, ``(channels, *spatial, batch)``; kernels
``(*out_spatial, filters, channels, *kernel_size)``.
"""

from __future__ import annotations

from math import prod

import numpy as np

from skconvnet.ops.layout import pad
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

# Windows are written out and multiplied in blocks of rows of about so many bytes.
BLOCK_BYTES = 1_000_000


class LocalConvolution:
    """Unshared convolution over any number of spatial axes.

    Parameters
    ----------
    windows : Windows
    channels, filters : int
    """

    def __init__(self, windows: Windows, channels: int, filters: int) -> None:
        self.windows = windows
        self.channels = channels
        self.filters = filters
        self._cells = channels * windows.size

    def forward(
        self, x: np.ndarray, kernel: np.ndarray, z: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        """Write the outputs into `z`, and return what `backward` needs.

        Parameters
        ----------
        x : ndarray of shape (channels, *spatial, batch)
        kernel : ndarray of shape (*out_spatial, filters, channels, *kernel_size)
        z : ndarray of shape (filters, *out_spatial, batch), contiguous
        workspace : Workspace
        """
        padded = x
        if self.windows.is_padded:
            shape = (self.channels, *self.windows.padded_shape, x.shape[-1])
            padded = workspace.array("padded", shape, x.dtype)
            pad(x, self.windows, padded)
        weights, outputs = self._by_place(kernel), _places_first(z)
        for rows in self._blocks(x.shape[-1], x.itemsize):
            columns = self._gathered(padded, rows, workspace)
            np.matmul(weights[rows], columns, out=outputs[rows])
        return padded

    def backward(
        self,
        dz: np.ndarray,
        padded: np.ndarray,
        kernel: np.ndarray,
        dkernel: np.ndarray,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> np.ndarray | None:
        """Write the gradient of the kernels, and return that of the map.

        Parameters
        ----------
        dz : ndarray of shape (filters, *out_spatial, batch)
        padded : ndarray
            From `forward`.
        kernel, dkernel : ndarray of shape (*out_spatial, filters, channels, ...)
            `dkernel` is overwritten.
        workspace : Workspace
        need_dx : bool
            Where False, None is returned.
        """
        batch = dz.shape[-1]
        weights, dweights = self._by_place(kernel), self._by_place(dkernel)
        doutputs = _places_first(dz)
        dpadded = None
        if need_dx:
            dpadded = workspace.array("dpadded", padded.shape, dz.dtype)
            dpadded.fill(0)
        for rows in self._blocks(batch, dz.itemsize):
            columns = self._gathered(padded, rows, workspace)
            np.matmul(doutputs[rows], columns.swapaxes(-1, -2), out=dweights[rows])
            if dpadded is not None:
                # The windows' gradient takes the place of the windows.
                transposed = weights[rows].swapaxes(-1, -2)
                np.matmul(transposed, doutputs[rows], out=columns)
                self._scatter(columns, rows, dpadded)
        if dpadded is None:
            return None
        return dpadded[(slice(None), *self.windows.interior)]

    def _by_place(self, kernel: np.ndarray) -> np.ndarray:
        return kernel.reshape(*self.windows.out_shape, self.filters, self._cells)

    def _blocks(self, batch: int, itemsize: int) -> list[slice]:
        n_rows, *others = self.windows.out_shape
        row_bytes = prod(others) * self._cells * batch * itemsize
        step = max(BLOCK_BYTES // row_bytes, 1)
        return [slice(i, min(i + step, n_rows)) for i in range(0, n_rows, step)]

    def _gathered(
        self, padded: np.ndarray, rows: slice, workspace: Workspace
    ) -> np.ndarray:
        """The windows of some rows of outputs, (*rows, cells, batch)."""
        windows = self.windows
        places = (rows.stop - rows.start, *windows.out_shape[1:])
        shape = (*places, self.channels, *windows.kernel, padded.shape[-1])
        columns = workspace.scratch("columns", shape, padded.dtype)
        channel, *spatial, item = padded.strides
        steps = [n * s for n, s in zip(spatial, windows.strides, strict=True)]
        cells = [n * d for n, d in zip(spatial, windows.dilation, strict=True)]
        view = np.lib.stride_tricks.as_strided(
            padded[:, rows.start * windows.strides[0] :],
            shape,
            (*steps, channel, *cells, item),
            writeable=False,
        )
        np.copyto(columns, view)
        return columns.reshape(*places, self._cells, -1)

    def _scatter(self, columns: np.ndarray, rows: slice, dpadded: np.ndarray) -> None:
        """Add the windows' gradient onto the cells that they came from."""
        places = columns.shape[:-2]
        ndim = len(places)
        cells = columns.reshape(*places, self.channels, self.windows.size, -1)
        stride = self.windows.strides[0]
        for cell, (down, *others) in enumerate(self.windows.cells):
            first = down.start + rows.start * stride
            last = down.start + (rows.stop - 1) * stride + 1
            values = cells[..., cell, :]
            dpadded[(slice(None), slice(first, last, stride), *others)] += np.moveaxis(
                values, ndim, 0
            )


def _places_first(z: np.ndarray) -> np.ndarray:
    """View of (filters, *spatial, batch) as (*spatial, filters, batch)."""
    return np.moveaxis(z, 0, -2)
