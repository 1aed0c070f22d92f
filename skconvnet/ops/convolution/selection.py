"""The choice of the algorithm that computes a convolution."""

from __future__ import annotations

from typing import Any

from skconvnet._checks import check_choice
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.depthwise import DepthwiseConvolution, suits_depthwise
from skconvnet.ops.convolution.fft import FFTConvolution
from skconvnet.ops.convolution.im2col import Im2colConvolution
from skconvnet.ops.convolution.interleaved import InterleavedConvolution
from skconvnet.ops.convolution.winograd import MAX_KERNEL, WinogradConvolution
from skconvnet.ops.windows import Windows

# The type of the cache differs between algorithms. Only the forward and the backward
# pass of the same algorithm depend on it.
AnyAlgorithm = ConvolutionAlgorithm[Any]

# By the names that users pass as `conv_method`.
ALGORITHMS: dict[str, type[AnyAlgorithm]] = {
    "im2col": Im2colConvolution,
    "winograd": WinogradConvolution,
    "fft": FFTConvolution,
}

# The batch size for which memory is estimated.
USUAL_BATCH = 32


class AlgorithmSelector:
    """Chooses the algorithm of one layer, for each batch size.

    "auto" chooses the algorithm with the lowest estimated cost, which follows from the
    shapes alone, so that results do not depend on a clock.

    Parameters
    ----------
    conv_method : {"auto", "im2col", "winograd", "fft"}
    windows : Windows
    channels, filters, groups : int
    block_bytes : int, optional
        Passed on to the algorithms.

    Raises
    ------
    ValueError
        If there is no such algorithm, or it cannot compute sums over these windows.

    Examples
    --------
    >>> from skconvnet.ops.windows import sliding_windows
    >>> windows = sliding_windows((64, 64), 31, padding="same")
    >>> type(AlgorithmSelector("auto", windows, 16, 16, 1).for_batch(32)).__name__
    'FFTConvolution'
    """

    def __init__(
        self,
        conv_method: object,
        windows: Windows,
        channels: int,
        filters: int,
        groups: int,
        *,
        block_bytes: int | None = None,
    ) -> None:
        self.windows = windows
        self.filters = filters
        self.groups = groups
        _check_conv_method(conv_method, windows)
        if conv_method == "auto":
            classes = _candidates(windows, channels, groups)
        else:
            classes = [ALGORITHMS[str(conv_method)]]
        self._algorithms = [
            cls(windows, channels, filters, groups, block_bytes=block_bytes)
            for cls in classes
        ]
        self._chosen: dict[int, AnyAlgorithm] = {}

    def for_batch(self, batch: int) -> AnyAlgorithm:
        """Return the algorithm for maps of `batch` samples."""
        algorithm = self._chosen.get(batch)
        if algorithm is None:
            algorithm = self._algorithms[0]
            if len(self._algorithms) > 1:
                algorithm = min(self._algorithms, key=lambda a: a.cost(batch))
            self._chosen[batch] = algorithm
        return algorithm

    @property
    def cached_values(self) -> int:
        """Numbers kept for the backward pass, per sample of a usual batch."""
        return self.for_batch(USUAL_BATCH).cached_values


def _check_conv_method(conv_method: object, windows: Windows) -> None:
    check_choice("conv_method", conv_method, ["auto", *ALGORITHMS])
    if conv_method == "winograd" and not WinogradConvolution.supports(windows):
        raise ValueError(
            "conv_method='winograd' requires strides and dilation of 1 and kernels of "
            f"at most {MAX_KERNEL[windows.ndim]} taps per axis; got "
            f"kernel_size={windows.kernel}, strides={windows.strides} and "
            f"dilation={windows.dilation}. Use 'im2col', 'fft' or 'auto'."
        )


def _candidates(
    windows: Windows, channels: int, groups: int
) -> list[type[AnyAlgorithm]]:
    """Return the algorithms that "auto" compares."""
    if groups > 1 and suits_depthwise(windows, channels, groups):
        # It was faster than im2col for every shape that was measured.
        return [DepthwiseConvolution]
    if groups > 1:
        # The other algorithms were not measured with groups.
        return [Im2colConvolution]
    classes = [cls for cls in ALGORITHMS.values() if cls.supports(windows)]
    if windows.size == 1 and WinogradConvolution in classes:
        # There is nothing to save.
        classes.remove(WinogradConvolution)
    if InterleavedConvolution.supports(windows):
        classes.append(InterleavedConvolution)
    return classes
