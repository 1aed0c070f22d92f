"""Occlusion: how the score falls if a window of the sample is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skconvnet._checks import per_axis
from skconvnet._typing import Image, Shape, override
from skconvnet.inspection.attribution.base import AttributionMethod
from skconvnet.inspection.attribution.blocks import Block
from skconvnet.inspection.attribution.grad_cam import spatial_shape
from skconvnet.inspection.attribution.references import Reference
from skconvnet.inspection.attribution.samples import ExplainedSamples

# By default, a window is so many times shorter than each spatial axis.
_WINDOWS_PER_AXIS = 4


@dataclass(frozen=True)
class Occlusion(AttributionMethod):
    """The fall of the score if a window of the sample is hidden [1]_.

    A window slides over the spatial axes. For each of its positions, the values of all
    channels in it are replaced by `fill`. The attribution of a value is the mean fall
    of the score over all windows that hide it, equal for all channels. The last window
    along an axis may reach beyond the end. No gradient is needed.

    Parameters
    ----------
    window : int or sequence of int, default=None
        Length of the window along all spatial axes, or along each of them. Rows have
        one axis, that of the features. None means a quarter of each length, at least 1,
        and 1 for rows.
    stride : int or sequence of int, default=None
        Positions from one window to the next, at most `window`. None means half of the
        window, at least 1.
    fill : float or array-like, default=0.0
        What hides a window: a number, or an array of the shape of a sample or of X.

    References
    ----------
    .. [1] M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional
       networks", ECCV 2014.
    """

    window: int | Sequence[int] | None = None
    stride: int | Sequence[int] | None = None
    fill: float | npt.ArrayLike = 0.0

    @override
    def explain(self, samples: ExplainedSamples) -> Image | list[Image]:
        for shape in samples.inputs.shapes:
            self.sizes(shape)  # raises the error before anything is computed
        fill = samples.reference("fill", self.fill)
        return samples.map(
            lambda block: self._explain(block, fill), differentiates=False
        )

    def sizes(self, shape: Shape) -> tuple[Shape, Shape]:
        """Return window and stride for samples of a shape, or raise an error.

        >>> Occlusion().sizes((28, 28, 1)), Occlusion().sizes((30,))
        (((7, 7), (3, 3)), ((1,), (1,)))
        """
        lengths = spatial_shape(shape)
        if self.window is not None:
            window = per_axis("window", self.window, len(lengths))
        elif len(shape) == 1:
            window = (1,)
        else:
            window = tuple(max(n // _WINDOWS_PER_AXIS, 1) for n in lengths)
        if any(w > n for w, n in zip(window, lengths, strict=True)):
            raise ValueError(
                f"window={self.window!r} is longer than a sample, whose spatial shape "
                f"is {lengths}."
            )
        if self.stride is None:
            return window, tuple(max(w // 2, 1) for w in window)
        stride = per_axis("stride", self.stride, len(lengths))
        if any(s > w for s, w in zip(stride, window, strict=True)):
            raise ValueError(
                f"stride={self.stride!r} must be at most the window, {window}; "
                "otherwise some values are never hidden."
            )
        return window, stride

    def _explain(self, block: Block, fill: Reference) -> Image:
        x, (window, stride) = block.x, self.sizes(block.map_shape)
        lengths = spatial_shape(block.map_shape)
        along = [
            _windows_along(*sizes)
            for sizes in zip(lengths, window, stride, strict=True)
        ]
        counts = tuple(len(masks) for masks in along)
        hidden = block.reference(fill)[:, np.newaxis]
        before = block.scores(x[:, np.newaxis])
        fall = np.zeros((len(x), *lengths), x.dtype)
        n_hidden = np.zeros(lengths, x.dtype)
        for group in block.groups(int(np.prod(counts))):
            numbers = np.unravel_index(np.arange(group.start, group.stop), counts)
            masks = _masks([m[n] for m, n in zip(along, numbers, strict=True)])
            is_hidden = masks if x.ndim == masks.ndim else masks[..., np.newaxis]
            variants = np.where(is_hidden, hidden, x[:, np.newaxis])
            falls = before - block.scores(variants)
            fall += np.tensordot(falls, masks.astype(x.dtype), axes=1)
            n_hidden += masks.sum(axis=0)
        fall /= n_hidden
        if x.ndim == fall.ndim:
            return fall
        return np.repeat(fall[..., np.newaxis], x.shape[-1], axis=-1)


def _windows_along(length: int, window: int, stride: int) -> npt.NDArray[np.bool_]:
    """Return which positions of an axis each window covers, (n_windows, length).

    >>> _windows_along(5, 2, 2).astype(int)
    array([[1, 1, 0, 0, 0],
           [0, 0, 1, 1, 0],
           [0, 0, 0, 0, 1]])
    """
    n_windows = -(-(length - window) // stride) + 1
    starts = stride * np.arange(n_windows)[:, np.newaxis]
    positions = np.arange(length)
    is_covered: npt.NDArray[np.bool_] = (positions >= starts) & (
        positions < starts + window
    )
    return is_covered


def _masks(along: Sequence[npt.NDArray[np.bool_]]) -> npt.NDArray[np.bool_]:
    """Combine the windows along each axis, (n, length), to masks of (n, *lengths)."""
    masks = along[0]
    for own in along[1:]:
        masks = masks[..., np.newaxis] & np.expand_dims(
            own, tuple(range(1, masks.ndim))
        )
    return masks
