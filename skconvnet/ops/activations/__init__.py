"""Activation functions, computed in place.

If possible, the derivative is computed from the output y = f(z), so that a layer need
not keep z.
"""

from __future__ import annotations

from skconvnet._suggestions import value_suggestion
from skconvnet.ops.activations.base import ActivationFunction
from skconvnet.ops.activations.gated import GELU, HardSwish, Mish, SiLU
from skconvnet.ops.activations.rectifiers import (
    CELU,
    ELU,
    SELU,
    Identity,
    LeakyReLU,
    ReLU,
    Softplus,
)
from skconvnet.ops.activations.sigmoids import (
    HardSigmoid,
    Logistic,
    SmoothClip,
    Softsign,
    Step,
    Tanh,
)

__all__ = [
    "ACTIVATIONS",
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "ActivationFunction",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyReLU",
    "Logistic",
    "Mish",
    "ReLU",
    "SiLU",
    "SmoothClip",
    "Softplus",
    "Softsign",
    "Step",
    "Tanh",
    "get_activation",
]

ACTIVATIONS: dict[str, ActivationFunction] = {
    function.name: function
    for function in (
        Identity(),
        Logistic(),
        Tanh(),
        ReLU(),
        LeakyReLU(),
        ELU(),
        SELU(),
        CELU(),
        GELU(),
        SiLU(),
        HardSwish(),
        Mish(),
        Softplus(),
        Softsign(),
        HardSigmoid(),
        Step(),
    )
}


def get_activation(name: object, parameter: str = "activation") -> ActivationFunction:
    """Return the function called `name`; None is the identity.

    Parameters
    ----------
    name : str or None
    parameter : str
        Name of the parameter that the user passed, for the error message.

    Raises
    ------
    ValueError
        If there is no such activation.
    """
    if name is None:
        return ACTIVATIONS["identity"]
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(
            f"{parameter} must be None or one of {', '.join(map(repr, ACTIVATIONS))}; "
            f"got {name!r}.{value_suggestion('activation', name, ACTIVATIONS)}"
        )
    return ACTIVATIONS[name]
