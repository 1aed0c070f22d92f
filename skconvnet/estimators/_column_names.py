"""What the names of the columns of a data frame say about pixels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod

import numpy as np

from skconvnet._typing import Shape

_NUMBER = re.compile(r"\d+")
# "pixel0", "pix_1", "Px.1.2": not words that only begin like these.
_PIXEL = re.compile(r"(pixels?|pix|px)[\W_]*\d", re.IGNORECASE)


def are_numbered(names: Sequence[str]) -> bool:
    """Return whether names differ only in numbers.

    >>> are_numbered(["pixel_0_1", "pixel_0_2"]), are_numbered(["mass", "width"])
    (True, False)
    """
    return len({_NUMBER.sub("0", name) for name in names}) <= 1


def name_pixels(names: Sequence[str]) -> bool:
    """Return whether all names are those of pixels.

    >>> name_pixels(["pixel0", "pixel1"]), name_pixels(["pixie0"])
    (True, False)
    """
    return all(_PIXEL.match(name) for name in names)


def grid_of_names(names: Sequence[str]) -> Shape | None:
    """Return the lengths of the axes that two or three numbers in each name count.

    None means that there are other numbers of numbers, or that the names do not count
    all positions in the order of rows, whether from 0 or from 1.

    >>> grid_of_names(["p0_0", "p0_1", "p0_2", "p1_0", "p1_1", "p1_2"])
    (2, 3)
    >>> grid_of_names(["p0", "p1"]), grid_of_names(["p0_0", "p1_0", "p0_1", "p1_1"])
    (None, None)
    """
    found = [_NUMBER.findall(name) for name in names]
    if len({len(numbers) for numbers in found}) > 1 or len(found[0]) not in (2, 3):
        return None
    numbers = np.array([[int(n) for n in own] for own in found], dtype=object)
    lengths = numbers.max(axis=0) - numbers.min(axis=0) + 1
    shape = tuple(int(n) for n in lengths)
    if prod(shape) != len(names):
        return None
    expected = np.indices(shape).reshape(len(shape), -1).T
    is_in_order = np.array_equal(numbers - numbers.min(axis=0), expected)
    return shape if is_in_order else None
