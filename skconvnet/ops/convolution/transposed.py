"""Transposed convolution: every input puts a kernel, times its value, on the output.

It is the gradient of a convolution with regard to its map [1]_. That convolution leads
from the output of the transposed one, the larger map, back to its input: its `Windows`
hold the geometry, their padding being what is cut off the larger map.

References
----------
.. [1] V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning",
   2016.
"""

from __future__ import annotations

from typing import Any

from skconvnet._checks import per_axis
from skconvnet.ops.convolution.depthwise import DepthwiseConvolution
from skconvnet.ops.convolution.im2col import Im2colConvolution
from skconvnet.ops.convolution.selection import USUAL_BATCH, cost
from skconvnet.ops.convolution.transposed_col2im import ScatteredConvolution
from skconvnet.ops.convolution.transposed_flipped import FlippedConvolution
from skconvnet.ops.windows import Windows, pad_amounts


def transposed_windows(
    in_shape: tuple[int, ...],
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    output_padding: Any = 0,
) -> Windows:
    """Check the parameters of a transposed convolution and work out its geometry.

    Parameters
    ----------
    in_shape : tuple of int
        Spatial sizes of the map.
    kernel, strides, dilation : int or tuple of int
    padding : {"valid", "same", "full"}, int, or one int or (before, after) an axis
        Cells cut off the output: none; as many as leave ``n * stride``, an odd total
        taking the extra one after; or the (dilated) kernel minus one on each side.
    output_padding : int or tuple of int
        Cells added after each axis, fewer than its stride or its dilation.

    Returns
    -------
    windows : Windows
        Of the convolution from the output back to the map: `windows.in_shape` is the
        shape of the output, `windows.out_shape` that of the map.

    Raises
    ------
    TypeError, ValueError
        For a value out of range, or where no output is left.

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
        # A kernel shorter than the stride reaches no multiple of it: "same" adds cells.
        whole = max((n - 1) * s + e, n * s if padding == "same" else 0) + extra
        if sum(crop) >= whole:
            raise ValueError(
                f"padding={padding!r} leaves no output: an axis of {n} cells becomes "
                f"{whole} with kernel_size={kernel}, strides={strides} and "
                f"dilation={dilation}, of which {sum(crop)} are cut off. Use "
                "padding='valid' or 'same', or larger maps."
            )
        out_shape.append(whole - sum(crop))
    return Windows(tuple(out_shape), tuple(in_shape), kernel, strides, dilation, crops)


class TransposedMethods:
    """Which way a layer takes, for each size of a batch.

    It follows from the shapes alone, as in `Methods`.

    Parameters
    ----------
    windows : Windows
        From `transposed_windows`.
    channels, filters, groups : int
    """

    def __init__(
        self, windows: Windows, channels: int, filters: int, groups: int
    ) -> None:
        shape = (windows, channels, filters, groups)
        self.windows = windows
        self.scattered = ScatteredConvolution(*shape)
        self.flipped = FlippedConvolution(*shape) if _can_flip(windows) else None
        # Back and forth, this convolution does what the scattered one does forth and
        # back.
        self._equivalent = Im2colConvolution(windows, filters, channels, groups)
        self._chosen: dict[int, ScatteredConvolution | FlippedConvolution] = {}

    def for_batch(self, batch: int) -> ScatteredConvolution | FlippedConvolution:
        """Return the way that costs least for maps of so many samples."""
        if batch not in self._chosen:
            self._chosen[batch] = self._choose(batch)
        return self._chosen[batch]

    def _choose(self, batch: int) -> ScatteredConvolution | FlippedConvolution:
        if self.flipped is None:
            return self.scattered
        method = self.flipped.methods.for_batch(batch)
        if isinstance(method, DepthwiseConvolution) or self.windows.size == 1:
            return self.flipped
        if cost(self._equivalent, batch) <= cost(method, batch):
            return self.scattered
        return self.flipped

    @property
    def cached_values(self) -> int:
        """Numbers a sample that are kept for the backward pass, usually."""
        return self.for_batch(USUAL_BATCH).cached_values


def _can_flip(windows: Windows) -> bool:
    """Whether the flipped convolution has strides of 1 and no negative padding."""
    if max(windows.strides) > 1:
        return False
    return all(
        before <= d * (k - 1) and after <= whole - n
        for whole, n, (before, after), k, d in zip(
            windows.padded_shape,
            windows.out_shape,
            windows.pads,
            windows.kernel,
            windows.dilation,
            strict=True,
        )
    )
