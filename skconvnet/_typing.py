"""Type aliases for arrays by shape and layout, and `override` for Python 3.11."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

# Arrays inside the network, batch last: (channels, *spatial, batch) or
# (features, batch).
FeatureMap: TypeAlias = npt.NDArray[np.floating]
# Samples as users pass them, channels last: (n_samples, *spatial, channels).
Image: TypeAlias = npt.NDArray[Any]
# Samples without spatial axes, as users pass them: (n_samples, n_features).
Rows: TypeAlias = npt.NDArray[Any]
# All weights of a network, or their gradient: (n_weights,), contiguous.
FlatVector: TypeAlias = npt.NDArray[np.floating]
# Weights, buffers or gradients by name.
NamedArrays: TypeAlias = Mapping[str, npt.NDArray[Any]]
# Shape of one sample, channels last, without the batch: (*spatial, channels).
Shape: TypeAlias = tuple[int, ...]
# How many positions of each sample of a padded micro-batch are its own: (batch,).
Lengths: TypeAlias = npt.NDArray[np.intp]
# A selection of samples: their indices, or a slice with a start and a stop.
Index: TypeAlias = npt.NDArray[np.integer] | slice
# A hyperparameter with one value for all blocks of a network, or one per block.
_T = TypeVar("_T")
PerBlock: TypeAlias = _T | Sequence[_T]

if TYPE_CHECKING:
    from typing_extensions import override as override
else:
    _Method = TypeVar("_Method", bound=Callable[..., Any])

    def override(method: _Method) -> _Method:
        """Mark a method that overrides one of a base class, like `typing.override`."""
        return method
