"""Arrays and tensors of other libraries as arrays of NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

# More are not shown in errors.
_MAX_SHOWN = 20


def as_array(value: Any, name: str) -> npt.NDArray[Any]:  # noqa: ANN401  a tensor
    """Return an array, or a tensor of any library and device, as an array.

    Raises
    ------
    TypeError
        If NumPy cannot read it.
    """
    try:
        if hasattr(value, "path") and hasattr(value, "value"):  # a variable of Keras
            value = value.value
        if hasattr(value, "detach"):
            value = value.detach()
            if str(value.dtype) == "torch.bfloat16":  # which NumPy does not have
                value = value.float()
            value = value.cpu()
        if hasattr(value, "numpy"):
            value = value.numpy()
        array = np.asarray(value)
    except Exception as error:  # what other libraries raise has no bounds
        raise TypeError(
            f"{name} must be an array or a tensor that NumPy can read; got a "
            f"{type(value).__name__}: {error}"
        ) from error
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{name} must hold real numbers; got {type(value).__name__} of dtype "
            f"{array.dtype}."
        )
    return array


def check_state(state: object, name: str) -> Mapping[str, Any]:
    """Return a state of PyTorch, or raise a TypeError if it is something else.

    `name` is what the user calls it.
    """
    if isinstance(state, Mapping) and all(isinstance(key, str) for key in state):
        return state
    hint = ""
    if hasattr(state, "state_dict"):
        hint = " Pass its state, network.state_dict()."
    raise TypeError(
        f"{name} must be a mapping of names to arrays or tensors, as state_dict "
        f"returns it; got {type(state).__name__}.{hint}"
    )


def listed(parts: list[str], separator: str = ", ") -> str:
    """Join texts; of many, only the first are shown."""
    more = len(parts) - _MAX_SHOWN
    shown = separator.join(parts[:_MAX_SHOWN])
    return shown + (f"{separator}and {more} more" if more > 0 else "")
