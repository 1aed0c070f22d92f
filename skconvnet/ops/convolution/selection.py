"""The methods of convolution, and which of them is fastest for given shapes."""

from __future__ import annotations

from math import log2, prod
from typing import Any

from skconvnet.ops.convolution.depthwise import DepthwiseConvolution, suits_depthwise
from skconvnet.ops.convolution.fft import FFTConvolution
from skconvnet.ops.convolution.im2col import Im2colConvolution
from skconvnet.ops.convolution.winograd import MAX_KERNEL, WinogradConvolution
from skconvnet.ops.windows import Windows

Method = Im2colConvolution | WinogradConvolution | FFTConvolution | DepthwiseConvolution


METHODS: dict[str, type[Method]] = {
    "im2col": Im2colConvolution,
    "winograd": WinogradConvolution,
    "fft": FFTConvolution,
}


# The batch that a layer's memory is told for before any has come.
USUAL_BATCH = 32


class Methods:
    """The method of one layer, for each size of a batch.

    Under "auto" that is the one with the least `cost`, which follows from the shapes
    alone: results do not depend on what a clock said.

    Parameters
    ----------
    conv_method : {"auto", "im2col", "winograd", "fft"}
    windows : Windows
    channels, filters, groups : int

    Raises
    ------
    ValueError
        If there is no such method, or it is not for these windows.
    """

    def __init__(
        self,
        conv_method: Any,
        windows: Windows,
        channels: int,
        filters: int,
        groups: int,
    ) -> None:
        names = ["auto", *METHODS]
        if not isinstance(conv_method, str) or conv_method not in names:
            raise ValueError(
                f"conv_method must be one of {', '.join(map(repr, names))}; got "
                f"{conv_method!r}."
            )
        if conv_method == "winograd" and not _suits_winograd(windows):
            raise ValueError(
                "conv_method='winograd' is for strides and dilation of 1 and at most "
                f"{MAX_KERNEL[windows.ndim]} cells of a kernel an axis; got "
                f"kernel_size={windows.kernel}, strides={windows.strides} and "
                f"dilation={windows.dilation}. Use 'im2col', 'fft' or 'auto'."
            )
        self.windows = windows
        self.filters = filters
        self.groups = groups
        shape = (windows, channels, filters, groups)
        if conv_method != "auto":
            self._candidates: list[Method] = [METHODS[conv_method](*shape)]
        elif groups > 1 and suits_depthwise(windows, channels, groups):
            # Faster than im2col for every shape that was measured.
            self._candidates = [DepthwiseConvolution(*shape)]
        elif groups > 1:
            # The others were not measured with groups.
            self._candidates = [Im2colConvolution(*shape)]
        else:
            self._candidates = [
                make(*shape)
                for name, make in METHODS.items()
                # For kernels of 2 cells, Winograd's transforms cost what they save.
                if name != "winograd"
                or (_suits_winograd(windows) and max(windows.kernel) > 2)
            ]
        self._chosen: dict[int, Method] = {}

    def for_batch(self, batch: int) -> Method:
        """Return the method for maps of so many samples."""
        method = self._chosen.get(batch)
        if method is None:
            method = self._candidates[0]
            if len(self._candidates) > 1:
                method = min(self._candidates, key=lambda m: cost(m, batch))
            self._chosen[batch] = method
        return method

    def pooled(self, batch: int, pool: Windows) -> Method | None:
        """Return one that takes the maximum over the windows of `pool` as it goes.

        None stands for maps that have to be pooled behind `for_batch`.
        """
        method = self.for_batch(batch)
        if isinstance(method, WinogradConvolution):
            return method.pooled(pool)
        return None

    @property
    def cached_values(self) -> int:
        """Numbers a sample that are kept for the backward pass, usually."""
        return self.for_batch(USUAL_BATCH).cached_values


def _suits_winograd(windows: Windows) -> bool:
    steps = (*windows.strides, *windows.dilation)
    return max(steps) == 1 and max(windows.kernel) <= MAX_KERNEL[windows.ndim]


def cost(method: Method, batch: int) -> float:
    """Estimate the time of a forward and a backward pass, in microseconds.

    What counts is only which method comes out cheapest.
    """
    factors = _FACTORS[type(method)]
    pairs = zip(factors, cost_terms(method, batch), strict=True)
    return sum(factor * term for factor, term in pairs)


def cost_terms(method: Method, batch: int) -> tuple[float, ...]:
    """Return what the time of a method grows with, for a batch of so many samples."""
    assert not isinstance(method, DepthwiseConvolution)
    windows, channels, filters = method.windows, method.channels, method.filters
    maps = channels * prod(windows.in_shape) + filters * prod(windows.out_shape)
    both, pairs = channels + filters, channels * filters
    if isinstance(method, Im2colConvolution):
        columns = windows.size * prod(method.shape)
        return (
            6
            * channels
            * max(filters, 8)
            // method.groups
            * columns
            * batch,  # operations
            (windows.size > 1) * channels * columns * batch,  # numbers gathered
            maps * batch,
            # Runs of contiguous numbers: one a window with strides, else one a row,
            # unless whole maps are copied with a surplus.
            (max(windows.strides) > 1) * channels * columns,
            (method.shape == windows.out_shape)
            * channels
            * columns
            / windows.out_shape[-1],
            windows.size,  # calls
        )
    if isinstance(method, WinogradConvolution):
        cells = method.n_cells * prod(method.n_tiles)
        n_blocks = len(list(method.blocks(batch, 4)))
        # The kernels of large tiles are transformed in double precision.
        precision = 5 if method.in_double else 1
        return (
            6 * max(channels, 8) * max(filters, 8) * cells * batch,
            both * cells * windows.ndim * batch,  # numbers transformed
            maps * batch,
            pairs * method.n_cells * (precision + n_blocks),  # numbers of the kernel
            method.n_cells * n_blocks,
            n_blocks,
        )
    tile, n_tiles = prod(method.tile), prod(method.n_tiles)
    return (
        24 * pairs * method.n_frequencies * n_tiles * batch,
        both * tile * log2(tile) * n_tiles * batch,
        both * tile * n_tiles * batch,
        pairs * tile * log2(tile),
        n_tiles,
        1,
    )


# Microseconds for each of these terms on one thread of an AMD EPYC, in float32: fitted
# to a sweep of shapes, then tuned for the choice, by `benchmarks/conv_methods.py`.
_FACTORS: dict[type, tuple[float, ...]] = {
    Im2colConvolution: (1.3e-5, 4.2e-4, 3.9e-4, 8.4e-4, 0.027, 2.0),
    WinogradConvolution: (1.7e-5, 4.8e-4, 1.7e-3, 6.0e-4, 0.59, 67),
    FFTConvolution: (2.0e-5, 3.0e-4, 2.6e-3, 8.5e-4, 16, 52),
}
