"""Weights from and for networks of PyTorch and Keras, neither of which is imported."""

from typing import TYPE_CHECKING

from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.interop.keras_state import from_keras_state as from_keras_state
    from skconvnet.interop.keras_state import to_keras_state as to_keras_state
    from skconvnet.interop.torch_state import from_torch_state as from_torch_state
    from skconvnet.interop.torch_state import to_torch_state as to_torch_state

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "keras_state": ["from_keras_state", "to_keras_state"],
        "torch_state": ["from_torch_state", "to_torch_state"],
    },
)
