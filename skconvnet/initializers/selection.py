"""The initializer that the hyperparameter `kernel_initializer` names."""

from __future__ import annotations

import numpy as np

from skconvnet._suggestions import value_suggestion
from skconvnet._typing import Shape
from skconvnet.initializers.base import Initializer, Kernel
from skconvnet.initializers.dirac import Dirac
from skconvnet.initializers.given_scale import Constant, Normal, Orthogonal
from skconvnet.initializers.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
)

INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": GlorotUniform(),
    "glorot_normal": GlorotNormal(),
    "he_uniform": HeUniform(),
    "he_normal": HeNormal(),
    "lecun_uniform": LecunUniform(),
    "lecun_normal": LecunNormal(),
    "orthogonal": Orthogonal(),
    "dirac": Dirac(),
    "normal": Normal(),
    "zeros": Constant(0.0),
    "ones": Constant(1.0),
}


# Initializers that keep the variance of signals about the same from layer to layer.
_LIKE_RELU = ("relu", "leaky_relu", "elu", "celu", "gelu", "silu", "hard_swish", "mish")
_BY_ACTIVATION = {
    **dict.fromkeys(_LIKE_RELU, "he_uniform"),
    "selu": "lecun_normal",
}


def get_initializer(
    value: object, parameter: str = "kernel_initializer"
) -> Initializer | None:
    """Return the initializer for a value of a hyperparameter.

    Parameters
    ----------
    value : str or Initializer
        The name of an initializer, or an initializer.
    parameter : str
        Name of the parameter that the user passed, for the error message.

    Returns
    -------
    initializer : Initializer or None
        None for "auto".

    Raises
    ------
    ValueError
        If there is no such initializer, or one of its parameters is invalid.

    Examples
    --------
    >>> from skconvnet.initializers import get_initializer
    >>> get_initializer("he_normal")
    HeNormal()
    >>> get_initializer("auto") is None
    True
    """
    if isinstance(value, Initializer):
        return value.checked_copy()
    if isinstance(value, str) and value == "auto":
        return None
    if not isinstance(value, str) or value not in INITIALIZERS:
        raise ValueError(
            f"{parameter} must be 'auto', one of "
            f"{', '.join(map(repr, INITIALIZERS))}, or an object of "
            f"skconvnet.initializers such as Normal(std=0.05); got {value!r}."
            + value_suggestion("kernel_initializer", value, INITIALIZERS)
        )
    return INITIALIZERS[value]


def draw_kernel(
    rng: np.random.RandomState,
    shape: Shape,
    fans: tuple[int, int],
    initializer: Initializer | None,
    activation: str = "identity",
) -> Kernel:
    """Draw the kernel of a convolution.

    Parameters
    ----------
    rng : RandomState
    shape : tuple of int
    fans : (int, int)
        `fan_in` and `fan_out`.
    initializer : Initializer or None
        None chooses an initializer that suits the activation: "he_uniform" for "relu",
        "leaky_relu", "elu", "celu", "gelu", "silu", "hard_swish" and "mish",
        "lecun_normal" for "selu", and `glorot_uniform` for all others.
    activation : str, default="identity"
        Activation of the layer.

    Returns
    -------
    kernel : ndarray of shape `shape`, float64

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import draw_kernel
    >>> rng = np.random.RandomState(0)
    >>> draw_kernel(rng, (8, 3, 5, 5), (75, 200), None, "relu").shape
    (8, 3, 5, 5)
    """
    if initializer is None and activation in _BY_ACTIVATION:
        initializer = INITIALIZERS[_BY_ACTIVATION[activation]]
    if initializer is None:
        return glorot_uniform(rng, shape, *fans, activation)
    return initializer.draw(rng, shape, *fans)


def glorot_uniform(
    rng: np.random.RandomState,
    shape: Shape,
    fan_in: int,
    fan_out: int,
    activation: str = "relu",
) -> Kernel:
    """Draw uniformly within ``sqrt(6 / (fan_in + fan_out))`` of 0, as "auto" does.

    For the logistic activation, the bound is ``sqrt(2 / (fan_in + fan_out))``, as in
    scikit-learn's perceptrons.

    Parameters
    ----------
    rng : RandomState
    shape : tuple of int
    fan_in, fan_out : int
    activation : str, default="relu"

    Returns
    -------
    kernel : ndarray of shape `shape`, float64

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import glorot_uniform
    >>> rng = np.random.RandomState(0)
    >>> bool(abs(glorot_uniform(rng, (3, 3), 3, 3)).max() <= 1)
    True
    """
    factor = 2.0 if activation == "logistic" else 6.0
    bound = np.sqrt(factor / (fan_in + fan_out))
    return rng.uniform(-bound, bound, shape)
