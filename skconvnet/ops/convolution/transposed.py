"""The geometry of a transposed convolution, and the choice of its algorithm."""

from __future__ import annotations

from typing import Any, TypeAlias

from skconvnet._checks import per_axis
from skconvnet.ops.convolution.cost_model import Col2imTerms, microseconds
from skconvnet.ops.convolution.depthwise import DepthwiseConvolution
from skconvnet.ops.convolution.im2col import Im2colConvolution
from skconvnet.ops.convolution.selection import USUAL_BATCH
from skconvnet.ops.convolution.transposed_algorithm import TransposedAlgorithm
from skconvnet.ops.convolution.transposed_col2im import TransposedCol2im
from skconvnet.ops.convolution.transposed_flipped import TransposedFlippedKernel
from skconvnet.ops.convolution.transposed_phases import TransposedPhases
from skconvnet.ops.padding import pad_amounts
from skconvnet.ops.windows import Windows, check_product, check_size

# The type of the cache differs between algorithms. Only the forward and the backward
# pass of the same algorithm depend on it.
AnyTransposedAlgorithm: TypeAlias = TransposedAlgorithm[Any]


def transposed_windows(
    in_shape: tuple[int, ...],
    kernel: object,
    strides: object = 1,
    padding: object = "valid",
    dilation: object = 1,
    output_padding: object = 0,
) -> Windows:
    """Check the parameters of a transposed convolution and compute its geometry.

    Parameters
    ----------
    in_shape : tuple of int
        Spatial sizes of the map.
    kernel, strides, dilation : int or tuple of int
    padding : {"valid", "same", "full"}, int, or one int or (before, after) per axis
        Positions cut off the output. "valid" cuts off none. "same" leaves ``n *
        stride`` positions; if the total is odd, the extra position is cut off at the
        end. "full" cuts off the (dilated) kernel minus one on each side.
    output_padding : int or tuple of int
        Positions added at the end of each axis, fewer than its stride or its dilation.

    Returns
    -------
    windows : Windows
        The windows of the convolution from the output back to the map:
        `windows.in_shape` is the shape of the output, and `windows.out_shape` is the
        shape of the map.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range, or no output is left.

    Examples
    --------
    >>> transposed_windows((2, 2), 4, strides=3).in_shape
    (7, 7)
    """
    ndim = len(in_shape)
    kernel = per_axis("kernel_size", kernel, ndim)
    strides = per_axis("strides", strides, ndim)
    dilation = per_axis("dilation", dilation, ndim)
    added = per_axis("output_padding", output_padding, ndim, minimum=0)
    for extra, s, d in zip(added, strides, dilation, strict=True):
        if extra >= max(s, d):
            raise ValueError(
                "output_padding must be smaller than strides or dilation along each "
                f"axis; got {output_padding!r} with strides={strides} and "
                f"dilation={dilation}."
            )
    extent = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    multiples = tuple(n * s for n, s in zip(in_shape, strides, strict=True))
    crops = pad_amounts(padding, multiples, extent, strides)
    out_shape = []
    for n, s, e, extra, crop in zip(
        in_shape, strides, extent, added, crops, strict=True
    ):
        # With a kernel shorter than the stride, the last window ends before the next
        # multiple of the stride: "same" adds positions up to there.
        whole = max((n - 1) * s + e, n * s if padding == "same" else 0) + extra
        if sum(crop) >= whole:
            raise ValueError(
                f"padding={padding!r} leaves no output: an axis of {n} positions "
                f"becomes {whole} with kernel_size={kernel}, strides={strides} and "
                f"dilation={dilation}, of which {sum(crop)} are cut off. Use "
                "padding='valid' or 'same', or larger maps."
            )
        out_shape.append(whole - sum(crop))
    shape = tuple(out_shape)
    windows = Windows(shape, tuple(in_shape), kernel, strides, dilation, crops)
    check_size(windows)
    check_product("strides", strides)
    return windows


class TransposedAlgorithmSelector:
    """Chooses the algorithm of one layer, for each batch size.

    The choice follows from the shapes alone, as in `AlgorithmSelector`.

    Parameters
    ----------
    windows : Windows
        The result of `transposed_windows`.
    channels, filters, groups : int
    block_bytes : int, optional
        Passed on to the algorithms.

    Attributes
    ----------
    col2im : TransposedCol2im
    flipped : TransposedFlippedKernel or None
    phases : TransposedPhases or None
        None if they cannot compute this convolution.
    """

    def __init__(
        self,
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
        self.col2im = TransposedCol2im(
            windows, channels, filters, groups, block_bytes=block_bytes
        )
        self.flipped: TransposedFlippedKernel | None = None
        if TransposedFlippedKernel.supports(windows):
            self.flipped = TransposedFlippedKernel(
                windows, channels, filters, groups, block_bytes=block_bytes
            )
        self.phases: TransposedPhases | None = None
        if TransposedPhases.supports(windows, groups):
            self.phases = TransposedPhases(
                windows, channels, filters, block_bytes=block_bytes
            )
        # The convolution whose gradient this transposed convolution is. Its forward
        # pass does what the backward pass of `col2im` does, and vice versa, at the same
        # cost.
        self._gradient_of = Im2colConvolution(windows, filters, channels, groups)
        self._chosen: dict[int, AnyTransposedAlgorithm] = {}

    def for_batch(self, batch: int) -> AnyTransposedAlgorithm:
        """Return the algorithm with the lowest cost for maps of `batch` samples."""
        if batch not in self._chosen:
            self._chosen[batch] = self._choose(batch)
        return self._chosen[batch]

    def _choose(self, batch: int) -> AnyTransposedAlgorithm:
        if self.phases is not None:
            is_faster = self.phases.cost(batch) < self._col2im_cost(batch)
            return self.phases if is_faster else self.col2im
        if self.flipped is None:
            return self.col2im
        inner = self.flipped.for_batch(batch)
        if isinstance(inner, DepthwiseConvolution) or self.windows.size == 1:
            return self.flipped
        if self._gradient_of.cost(batch) <= inner.cost(batch):
            return self.col2im
        return self.flipped

    def _col2im_cost(self, batch: int) -> float:
        """Estimate the microseconds of col2im, for the comparison with phases."""
        convolution = self._gradient_of
        values = convolution.cost_terms(batch).column_values
        return microseconds(Col2imTerms(convolution.cost(batch), values))

    @property
    def cached_values(self) -> int:
        """Numbers kept for the backward pass, per sample of a usual batch."""
        return self.for_batch(USUAL_BATCH).cached_values
