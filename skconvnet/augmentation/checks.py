"""Checks of the hyperparameters of augmentations."""

from __future__ import annotations

from math import inf
from typing import Any, cast

from skconvnet._checks import (
    check_bool,
    check_choice,
    check_number,
    is_int,
    is_sequence,
)
from skconvnet._typing import Shape
from skconvnet.ops.outside import Fill

__all__ = [
    "check_axes",
    "check_bool",
    "check_fill",
    "check_number",
    "check_range",
    "counts_per_axis",
    "per_axis",
]

FILLS = ("constant", "nearest", "reflect")
_AXES = {
    1: "(length, channels)",
    2: "(height, width, channels)",
    3: "(depth, height, width, channels)",
}


def check_axes(name: str, in_shape: Shape, ndims: tuple[int, ...]) -> None:
    """Raise a ValueError unless the number of spatial axes is one of `ndims`."""
    if len(in_shape) - 1 in ndims:
        return
    wanted = " or ".join(_AXES[ndim] for ndim in ndims)
    raise ValueError(
        f"{name} requires samples of shape {wanted}, but they have shape {in_shape}; "
        "set input_shape if X consists of rows, or remove this augmentation."
    )


def check_fill(fill: str, fill_value: object) -> Fill:
    """Return what positions outside the map are, from two hyperparameters.

    >>> check_fill("constant", 2.0), check_fill("reflect", 2.0)
    (2.0, 'reflect')
    """
    check_choice("fill", fill, FILLS)
    value = check_number("fill_value", fill_value)
    return value if fill == "constant" else cast(Fill, fill)


def check_range(
    name: str,
    value: object,
    center: float = 0.0,
    low: float = -inf,
    high: float = inf,
) -> tuple[float, float]:
    """Return the bounds of a random number, given as a largest change or as a pair.

    >>> check_range("degrees", 10), check_range("factor", (0.8, 1.1), center=1.0)
    ((-10.0, 10.0), (0.8, 1.1))
    """
    if is_sequence(value):
        if len(value) != 2:
            raise ValueError(
                f"{name} must be a number or a pair (low, high); got {value!r}."
            )
        least, most = (check_number(f"{name}[{i}]", v) for i, v in enumerate(value))
    else:
        change = check_number(name, value, low=0.0)
        least, most = center - change, center + change
    if least > most:
        raise ValueError(
            f"{name} must be a pair (low, high) with low <= high; got {value!r}."
        )
    if least < low or most > high:
        raise ValueError(
            f"{name} must allow only values in [{low:g}, {high:g}]; got {value!r}, "
            f"which allows values in [{least:g}, {most:g}]."
        )
    return least, most


def per_axis(name: str, value: object, n_axes: int, kind: str) -> list[Any]:
    """Return one value per axis, from a single value or a tuple.

    >>> per_axis("max_pixels", 2, 2, "int"), per_axis("max_pixels", (0, 3), 2, "int")
    ([2, 2], [0, 3])
    """
    if not is_sequence(value):
        return [value] * n_axes
    if len(value) != n_axes:
        raise ValueError(
            f"{name} must be a single {kind} or {n_axes} of them, one per spatial "
            f"axis; got {value!r}."
        )
    return list(value)


def counts_per_axis(
    name: str, value: object, in_shape: Shape, *, low: int, below: int
) -> list[int]:
    """Return one int per axis, at least `low` and at most its length minus `below`."""
    lengths = in_shape[:-1]
    counts = per_axis(name, value, len(lengths), "int")
    allowed = f"an int of at least {low}, or one per spatial axis"
    if not all(is_int(count) for count in counts):
        raise TypeError(f"{name} must be {allowed}; got {value!r}.")
    if min(counts) < low:
        raise ValueError(f"{name} must be {allowed}; got {value!r}.")
    for axis, (count, length) in enumerate(zip(counts, lengths, strict=True)):
        if count > length - below:
            raise ValueError(
                f"{name}={value!r} is too large for samples of shape {in_shape}: along "
                f"spatial axis {axis} it must be at most {length - below}. Set a "
                "smaller value, or one per axis."
            )
    return [int(count) for count in counts]
