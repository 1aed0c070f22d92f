"""Checks that numbers stay finite in the network's precision.

The estimators check that X and y are finite as users pass them. A float64 of 1e39 is,
but it is infinite in float32, and sums of finite numbers may overflow inside the
network.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

# Up to so many numbers, `isfinite` is faster than a sum of squares.
_FEW_NUMBERS = 2000


def may_overflow(source: npt.DTypeLike, target: npt.DTypeLike) -> bool:
    """Whether a finite number of dtype `source` may be infinite in dtype `target`.

    >>> may_overflow("float64", "float32"), may_overflow("uint64", "float32")
    (True, False)
    """
    source, target = np.dtype(source), np.dtype(target)
    if source.kind != "f":
        return False  # the largest int is 2**64
    return bool(np.finfo(source).max > np.finfo(target).max)


def all_finite(values: npt.NDArray[np.floating]) -> bool:
    """Whether no value is NaN or infinite.

    >>> all_finite(np.array([1e200, -1e200])), all_finite(np.array([0.0, -np.inf]))
    (True, False)
    """
    if values.size > _FEW_NUMBERS and values.flags.c_contiguous:
        # A sum of squares is NaN or infinite if one of the values is. It takes half the
        # time of `isfinite`, which is needed only if it overflows.
        flat = values.reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):
            square = np.dot(flat, flat)
        if np.isfinite(square):
            return True
    return bool(np.isfinite(values).all())


def first_overflow(
    values: npt.NDArray[Any], dtype: npt.DTypeLike
) -> tuple[int, ...] | None:
    """Return the index of the first finite value that is infinite in `dtype`.

    >>> first_overflow(np.array([[0.0, 1.0], [1e39, 0.0]]), "float32")
    (1, 0)
    """
    with np.errstate(over="ignore"):
        too_large = np.isfinite(values) & ~np.isfinite(values.astype(dtype))
    found = np.argwhere(too_large)
    return tuple(found[0].tolist()) if len(found) else None


def overflow_error(where: str, value: object, dtype: npt.DTypeLike) -> ValueError:
    """Return the error about a value that is infinite in the network's dtype.

    Parameters
    ----------
    where : str
        Where the user finds it, for example ``"X[3, 0]"``.
    value : float
    dtype : dtype
    """
    dtype = np.dtype(dtype)
    name = where.partition("[")[0]
    other = ', or fit with dtype="float64"' if dtype == np.float32 else ""
    return ValueError(
        f"{where} is {value!s}, which is too large for the {dtype} of the network, "
        f"whose largest number is {np.finfo(dtype).max:.2g}. Rescale {name}, for "
        f"example divide it by its largest absolute value{other}."
    )


def converted_targets(
    targets: npt.NDArray[Any], dtype: npt.DTypeLike, name: str
) -> npt.NDArray[Any]:
    """Return the targets in another dtype, or raise a ValueError if one is too large.

    Parameters
    ----------
    targets : ndarray of shape (n_samples, n_outputs)
    dtype : dtype
    name : str
        The parameter that holds the targets.
    """
    if not may_overflow(targets.dtype, dtype):
        return targets.astype(dtype, copy=False)
    with np.errstate(over="ignore"):
        result = targets.astype(dtype)
    found = None if all_finite(result) else first_overflow(targets, dtype)
    if found is not None:
        where = found[:1] if targets.shape[1] == 1 else found
        raise overflow_error(f"{name}{_brackets(where)}", targets[found], dtype)
    return result


def check_samples(
    samples: npt.NDArray[Any],
    numbers: npt.NDArray[np.integer],
    dtype: npt.DTypeLike,
    name: str,
) -> None:
    """Raise a ValueError if a value of the samples is too large for the network.

    Parameters
    ----------
    samples : array of shape (n_samples, ...)
    numbers : ndarray of int of shape (n_samples,)
        The position of each sample in the array that the user passed.
    dtype : dtype
    name : str
        The name of this array.
    """
    found = first_overflow(samples, dtype)
    if found is not None:
        where = (int(numbers[found[0]]), *found[1:])
        raise overflow_error(f"{name}{_brackets(where)}", samples[found], dtype)


def check_outputs(
    outputs: npt.NDArray[np.floating], *, is_prediction: bool, name: str = "X"
) -> None:
    """Report outputs that are NaN or infinite although X and the weights are finite.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, ...)
    is_prediction : bool
        Whether to raise a ValueError. For the activations of a layer, which a user may
        inspect to find where numbers overflow, a RuntimeWarning is issued.
    name : str, default="X"
    """
    if all_finite(outputs):
        return
    index = tuple(np.argwhere(~np.isfinite(outputs))[0].tolist())
    limits = np.finfo(outputs.dtype)
    other = ', or with dtype="float64"' if outputs.dtype == np.float32 else ""
    message = (
        f"The output of the network for {name}[{index[0]}] is {outputs[index]}: it "
        f"computes in {outputs.dtype}, whose largest number is {limits.max:.2g}, and a "
        f"number was larger. Either {name} or a weight is very large. Rescale {name}, "
        f"for example with StandardScaler, and fit again{other}."
    )
    if is_prediction:
        raise ValueError(message)
    warnings.warn(message, RuntimeWarning, stacklevel=4)


def check_gradients(
    gradients: npt.NDArray[np.floating], numbers: npt.NDArray[np.integer]
) -> None:
    """Report gradients or scores that are NaN or infinite.

    Parameters
    ----------
    gradients : ndarray of shape (n, ...)
    numbers : ndarray of int of shape (n,)
        The position in X of the sample that each one belongs to.
    """
    if all_finite(gradients):
        return
    first = np.argwhere(~np.isfinite(gradients))[0, 0]
    raise ValueError(
        f"The score of X[{numbers[first]}] or its gradient is not finite: a number "
        f"inside the network exceeds the largest {gradients.dtype}, which is "
        f"{np.finfo(gradients.dtype).max:.2g}. Either X or a weight is very large. "
        "Rescale X, for example with StandardScaler, and fit again."
    )


def _brackets(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]"
