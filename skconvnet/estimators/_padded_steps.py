"""A y with targets for each step of texts that a padding token fills up.

Padding has no target. Whatever y holds there is left out: it makes no class, has no
loss, and does not count in scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet.engine.network import Network
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._data_format import is_channels_first
from skconvnet.estimators._input_validation import CheckedX
from skconvnet.estimators._map_form import as_maps
from skconvnet.estimators._network_builder import build_stack
from skconvnet.estimators._position_weights import (
    CheckedY,
    PositionWeights,
    are_of_positions,
)
from skconvnet.layers.chain import Chain
from skconvnet.ops.embedding import order_with_padding_last
from skconvnet.ops.lengths import is_padding


def has_target(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: Any,  # noqa: ANN401  what users pass
    *,
    is_new: bool = False,
) -> npt.NDArray[np.bool_] | None:
    """Tell which positions of the network's outputs belong to no padding of X.

    Parameters
    ----------
    estimator : estimator
    X : array-like
        Rows of tokens, or documents of them.
    is_new : bool
        Whether the network is yet to be built for X.

    Returns
    -------
    has_target : ndarray of bool of shape (n_samples, n_steps), or None
        None if none of the positions belongs to padding, or y has no target for each.

    Raises
    ------
    ValueError
        If a layer has other outputs for padded texts than for each text alone.
    """
    form = estimator._targets.form  # noqa: SLF001  of this package
    if form is None or form.n_spatial != 1:
        return None
    tokens = as_maps(X, "X")
    if isinstance(tokens, MapList) or tokens.ndim not in (2, 3):
        return None
    if tokens.ndim == 3 and is_channels_first(estimator):
        tokens = np.moveaxis(tokens, 1, -1)
    network = _new_network(estimator, X) if is_new else estimator.network_
    shape = tokens.shape[1:]
    if network is None or not network.chain.takes_tokens or not network.fits(shape):
        return None
    network = network.for_shape(shape)
    own = _own_steps(network.chain, tokens)
    if own is None or own.all() or not own.any():
        return None
    _refuse_padding(network)
    return own


def _new_network(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: CheckedX,
) -> Network | None:
    """Return the network that will be built for X, without the output layer.

    None if its first layer takes no tokens, in which case nothing more is built.
    """
    in_shape = estimator._shape_of_samples(X)  # noqa: SLF001  of this package
    layers = estimator._hidden_layers(  # noqa: SLF001  of this package
        in_shape, is_guessed=False
    )
    first = build_stack(layers[:1], in_shape).layers.values()
    if not any(layer.takes_tokens for layer in first):
        return None
    stack = build_stack(layers, in_shape)
    return Network(stack.specs, in_shape, np.float32, layers=stack.layers)


def _own_steps(chain: Chain, tokens: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | None:
    """Tell which steps of the outputs belong to no padding; None if all of them."""
    n_steps, token = chain.out_shape[0], chain.padding_token
    x = np.moveaxis(tokens, (0, -1), (-1, 0))
    if tokens.ndim == 2 and token is not None:
        if n_steps == len(x):
            is_token: npt.NDArray[np.bool_] = tokens != token
            return is_token
        # Outputs are those of the texts as they are read, with padding last.
        order = order_with_padding_last(x, token)
        x = x if order is None else np.take_along_axis(x, order, axis=0)
    lengths = chain.lengths_after(x, None)
    return None if lengths is None else ~is_padding(lengths, n_steps).T


def _refuse_padding(network: Network) -> None:
    """Raise a ValueError if rows with padding are not as their texts alone."""
    name = network.chain.first_without_lengths
    if network.ends_at_padding and name is not None:
        raise ValueError(
            f"X has padding, and y has a target for each step, but layer {name!r} has "
            "other outputs for a padded text than for the text alone. Pass X as a list "
            "of texts of different lengths, without padding, and y as the list of "
            "their targets; or leave out that layer."
        )


def leave_out_padding(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: CheckedX,
    y: CheckedY,
    weights: PositionWeights | None,
    *,
    is_new: bool = False,
) -> tuple[CheckedY, PositionWeights | None]:
    """Return y and weights in which padding has a known target, and no weight.

    `is_new` is as in `has_target`.
    """
    own = has_target(estimator, X, is_new=is_new)
    # Another number of steps has an error of its own.
    if own is None or isinstance(y, MapList) or y.shape[1] != own.shape[1]:
        return y, weights
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
