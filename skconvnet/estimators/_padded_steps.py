"""A y with targets for each token of rows that a padding token fills up.

Padding has no target. Whatever y holds there is left out: it makes no class, has no
loss, and does not count in scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet.engine.ragged import MapList
from skconvnet.estimators._input_validation import CheckedX
from skconvnet.estimators._map_form import as_maps
from skconvnet.estimators._position_weights import (
    CheckedY,
    PositionWeights,
    are_of_positions,
)


def has_target(estimator: Any, X: Any) -> npt.NDArray[np.bool_] | None:  # noqa: ANN401  estimators have no type
    """Tell which tokens of X are not padding, if y has a target for each of them.

    Returns
    -------
    has_target : ndarray of bool of shape (n_samples, length), or None
        None if no position of X is padding.
    """
    form = estimator._targets.form  # noqa: SLF001  of this package
    if form is None or form.n_spatial != 1:
        return None
    tokens = as_maps(X, "X")
    if isinstance(tokens, MapList) or tokens.ndim != 2:
        return None
    token = _padding_token(estimator, tokens)
    if token is None:
        return None
    own = tokens != token
    return None if own.all() or not own.any() else own


def leave_out_padding(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: CheckedX,
    y: CheckedY,
    weights: PositionWeights | None,
) -> tuple[CheckedY, PositionWeights | None]:
    """Return y and weights in which padding has a known target, and no weight."""
    own = has_target(estimator, X)
    if own is None:
        return y, weights
    assert not isinstance(y, MapList)
    y = y.copy()
    y[~own] = y[own][0]
    return y, weights_without_padding(weights, own)


def weights_without_padding(
    weights: PositionWeights | None, own: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return the weight of each position, 0 for padding.

    >>> own = np.array([[True, True], [True, False]])
    >>> weights_without_padding(np.array([1.0, 2.0]), own)
    array([[1., 1.],
           [2., 0.]])
    """
    if weights is None:
        return own.astype(np.float64)
    assert not isinstance(weights, MapList)
    given = weights if are_of_positions(weights) else weights[:, np.newaxis]
    product: npt.NDArray[np.float64] = own * given
    return product


def _padding_token(estimator: Any, tokens: npt.NDArray[Any]) -> int | None:  # noqa: ANN401  estimators have no type
    """Return the token that the first layer takes for padding, if any."""
    if hasattr(estimator, "network_"):
        token: int | None = estimator.network_.chain.padding_token
        return token
    in_shape = (tokens.shape[1],)
    layers = estimator._hidden_layers(in_shape, is_guessed=False)  # noqa: SLF001  of this package
    return next((spec.build(in_shape).padding_token for _, spec in layers), None)
