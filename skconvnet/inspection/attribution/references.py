"""Samples that others are compared with: a baseline, or what hides a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._checks import is_real, shown
from skconvnet._typing import Image, Shape
from skconvnet.engine.finite import all_finite
from skconvnet.engine.sample_form import SampleForm


@dataclass(frozen=True)
class Reference:
    """One sample for each sample of X, or the same one for all.

    Attributes
    ----------
    name : str
        The option that it comes from.
    samples : float, or sequence of ndarray
        A number that fills all samples, a list of one sample for all, or a sample for
        each one of X, in the form of X.
    form : SampleForm
    """

    name: str
    samples: float | Sequence[Image]
    form: SampleForm

    def at(
        self,
        numbers: npt.NDArray[np.integer],
        shape: Shape,
        dtype: np.dtype[Any],
    ) -> Image:
        """Return the samples that belong to those at `numbers` of X.

        Returns
        -------
        maps : ndarray of shape (n_samples, *shape) or (1, *shape)
            Channels last.
        """
        samples = self.samples
        with np.errstate(over="ignore"):
            if isinstance(samples, float):
                maps = np.full((1, *shape), samples, dtype)
            else:
                own = numbers if len(samples) > 1 else [0]
                stacked = np.stack([samples[i] for i in own])
                maps = self.form.as_maps(stacked, shape).astype(dtype)
        if not all_finite(maps):
            raise ValueError(
                f"{self.name} has a value that is too large for the {dtype} of the "
                f"network, whose largest number is {np.finfo(dtype).max:.2g}."
            )
        return maps


def make_reference(
    name: str, value: object, form: SampleForm, shapes: Sequence[Shape]
) -> Reference:
    """Return the samples that a user gave as a number or an array.

    Parameters
    ----------
    name : str
        The option.
    value : object
        What the user gave.
    form : SampleForm
    shapes : sequence of tuple of int
        The shape of each sample of X, as the user gave it.

    Raises
    ------
    TypeError, ValueError
        If it is neither a number nor an array of the shape of a sample or of X.
    """
    if is_real(value):
        number = float(value)
        if not np.isfinite(number):
            raise ValueError(f"{name} must be finite; got {value!r}.")
        return Reference(name, number, form)
    samples = _as_samples(name, value, shapes)
    for sample in samples:
        if sample.dtype.kind not in "fiub":
            raise TypeError(
                f"{name} must be {_allowed(shapes)}; got an array of dtype "
                f"{sample.dtype}."
            )
        if not np.isfinite(sample).all():
            raise ValueError(f"{name} must be finite; it has NaN or infinity.")
    return Reference(name, samples, form)


def _as_samples(name: str, value: Any, shapes: Sequence[Shape]) -> list[Image]:  # noqa: ANN401  what users pass
    """Return the samples in an array or a list, of which one may be for all."""
    allowed = f"{name} must be {_allowed(shapes)}"
    try:
        array = np.asarray(value)
    except ValueError:  # a list of different sizes
        array = None
    if array is not None and array.ndim == 0:
        raise TypeError(f"{allowed}; got {shown(value)}.")
    if array is not None and len(set(shapes)) == 1 and array.shape == shapes[0]:
        return [array]
    try:
        samples = [np.asarray(one) for one in (value if array is None else array)]
    except ValueError:
        raise ValueError(f"{allowed}; got lists of different lengths.") from None
    if [sample.shape for sample in samples] != list(shapes):
        got = f"an array of shape {array.shape}" if array is not None else ""
        own = [sample.shape for sample in samples]
        got = got or f"a list of arrays of the shapes {shown(own)}"
        raise ValueError(f"{allowed}; got {got}.")
    return samples


def _allowed(shapes: Sequence[Shape]) -> str:
    if len(set(shapes)) > 1:
        return "a number, or a list of arrays of the shapes of the samples of X"
    shape = shapes[0]
    return (
        f"a number, an array of the shape of a sample, {shape}, or of the shape of X, "
        f"{(len(shapes), *shape)}"
    )
