"""Initial scales and shifts of layers of normalization: gamma and beta."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from skconvnet._checks import check_float, is_real
from skconvnet._suggestions import value_suggestion
from skconvnet._typing import Shape
from skconvnet.initializers.base import Initializer, Kernel
from skconvnet.initializers.given_scale import Constant
from skconvnet.initializers.selection import INITIALIZERS

_NAMES = ("ones", "zeros", "normal")


def get_scale_initializers(**values: object) -> dict[str, Initializer]:
    """Return initializers, by the names of the arrays that they are for.

    Parameters
    ----------
    **values : str, float or Initializer
        "ones", "zeros" or "normal", the number that every value starts from, or an
        initializer that is not for kernels. `gamma` is the value of the parameter
        `gamma_initializer`.

    Returns
    -------
    initializers : dict of str to Initializer

    Raises
    ------
    ValueError
        If there is no such initializer, or it needs a kernel.

    Examples
    --------
    >>> from skconvnet.initializers import get_scale_initializers
    >>> get_scale_initializers(gamma=0.5, beta="zeros")
    {'gamma': Constant(value=0.5), 'beta': Constant()}
    """
    return {
        name: _initializer(value, f"{name}_initializer")
        for name, value in values.items()
    }


def _initializer(value: object, parameter: str) -> Initializer:
    if is_real(value):
        return Constant(check_float(parameter, value))
    if isinstance(value, Initializer) and not value.is_for_kernels:
        return value.checked_copy()
    if isinstance(value, str) and value in _NAMES:
        return INITIALIZERS[value]
    suggestion = ""
    if isinstance(value, str):
        suggestion = value_suggestion("kernel_initializer", value, _NAMES)
    raise ValueError(
        f"{parameter} must be one of {', '.join(map(repr, _NAMES))}, a finite number, "
        "or an object of skconvnet.initializers that is not for kernels, such as "
        f"Normal(std=0.1); got {value!r}.{suggestion}"
    )


def draw_scales(
    rng: np.random.RandomState,
    shapes: Mapping[str, Shape],
    initializers: Mapping[str, Initializer],
) -> dict[str, Kernel]:
    """Draw arrays of one value per feature by the initializers of the same names.

    Both fans are the number of values, as in Keras.

    Parameters
    ----------
    rng : RandomState
    shapes : mapping of str to tuple of int
    initializers : mapping of str to Initializer

    Returns
    -------
    arrays : dict of str to ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import draw_scales, get_scale_initializers
    >>> rng = np.random.RandomState(0)
    >>> draw_scales(rng, {"gamma": (3,)}, get_scale_initializers(gamma=0.5))
    {'gamma': array([0.5, 0.5, 0.5])}
    """
    return {
        name: initializers[name].draw(rng, shape, prod(shape), prod(shape))
        for name, shape in shapes.items()
    }
