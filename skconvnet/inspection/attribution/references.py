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


def _as_samples(name: str, value: object, shapes: Sequence[Shape]) -> list[Image]:
    """Return the samples in an array or a list, of which one may be for all."""
    if value is None or isinstance(value, (str, bytes, bool, dict, set)):
        raise TypeError(f"{name} must be {_allowed(shapes)}; got {shown(value)}.")
    array = _as_array(value)
    if array is not None and len(set(shapes)) == 1 and array.shape == shapes[0]:
        return [array]
    given = list(array if array is not None else np.atleast_1d(_objects(value)))
    samples = [np.asarray(sample) for sample in given]
    if [sample.shape for sample in samples] != list(shapes):
        got = f"an array of shape {array.shape}" if array is not None else "a list"
        if array is None:
            got = f"samples of the shapes {shown([s.shape for s in samples])}"
        raise ValueError(f"{name} must be {_allowed(shapes)}; got {got}.")
    return samples


def _as_array(value: object) -> Image | None:
    """Return a value as an array, or None for samples of different sizes."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        return None
    return array if array.dtype.kind != "O" else None


def _objects(value: Any) -> Image:  # noqa: ANN401  anything with elements
    samples = list(value) if hasattr(value, "__iter__") else [value]
    objects = np.empty(len(samples), dtype=object)
    for i, sample in enumerate(samples):
        objects[i] = sample
    return objects


def _allowed(shapes: Sequence[Shape]) -> str:
    if len(set(shapes)) > 1:
        return "a number, or a list of arrays of the shapes of the samples of X"
    shape = shapes[0]
    return (
        f"a number, an array of the shape of a sample, {shape}, or of the shape of X, "
        f"{(len(shapes), *shape)}"
    )
