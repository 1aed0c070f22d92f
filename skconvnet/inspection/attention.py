"""The weights by which layers of attention look at the steps of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._suggestions import did_you_mean
from skconvnet._typing import Index
from skconvnet.engine.inputs import Inputs, index_at, index_numbers
from skconvnet.engine.micro_batches import cut_minibatch
from skconvnet.engine.network import Network
from skconvnet.inspection.displays.fitted import last_step, network_of
from skconvnet.layers.base import Layer
from skconvnet.ops.lengths import is_padding


def attention_weights(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: Any,  # noqa: ANN401  array-like
    layer: str,
) -> npt.NDArray[Any] | list[npt.NDArray[Any]]:
    """Return the weights that a layer of attention gives to the steps of each sample.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of this package, or a pipeline or search with one at its end.
    X : array-like
        The input samples.
    layer : str
        The name of a `MultiHeadAttention`, `TransformerEncoder`, `AdditiveAttention`,
        `AttentionPooling` or `EncoderDecoder` in the network's own list of layers.

    Returns
    -------
    weights : ndarray of shape (n_samples, n_heads, n_steps, n_seen), or list
        How much each step looks at each step that it may see; the sum over the last
        axis is 1. Layers without heads have one, and `EncoderDecoder` has the steps of
        the target and those of the source. `AttentionPooling` has one weight per step,
        (n_samples, n_steps). A list has an array for each sample if the samples differ
        in length. Padding has weights of 0.

    Raises
    ------
    ValueError
        If the network has no such layer, or it has no attention.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import SequentialClassifier
    >>> from skconvnet.inspection import attention_weights
    >>> from skconvnet.layers import AttentionPooling
    >>> X, y = np.random.default_rng(0).normal(size=(20, 7, 3)), np.arange(20) % 2
    >>> clf = SequentialClassifier([("pool", AttentionPooling(4))]).initialize(X, y)
    >>> weights = attention_weights(clf, X, "pool")
    >>> weights.shape, bool(np.allclose(weights.sum(axis=1), 1))
    ((20, 7), True)
    """
    network = network_of(estimator, "attention_weights")
    position = _position_of(network, layer)
    final, X = last_step(estimator, X)
    _, inputs = final._checked_inputs(X)  # noqa: SLF001  of this package
    index = slice(0, len(inputs))
    cuts = cut_minibatch(network, inputs, index, may_pad=inputs.has_one_size)
    by_number: dict[int, npt.NDArray[Any]] = {}
    for cut in cuts:
        own = _weights_of(network, position, inputs, index_at(index, cut))
        by_number.update(zip(index_numbers(cut).tolist(), own, strict=True))
    weights = [by_number[number] for number in range(len(inputs))]
    is_one_shape = len({own.shape for own in weights}) < 2
    return np.stack(weights) if is_one_shape else weights


def _position_of(network: Network, name: object) -> int:
    """Return the position of a layer of attention, or raise an error."""
    known = [own for own, layer in network.layers.items() if _attends(layer)]
    if name in known:
        return list(network.layers).index(str(name))
    if not known:
        raise ValueError(
            "The network has no layer of attention in its list of layers; got "
            f"layer={name!r}."
        )
    raise ValueError(
        f"layer must be one of {', '.join(map(repr, known))}, which have attention; "
        f"got {name!r}.{did_you_mean(str(name), known)}"
    )


def _attends(layer: Layer[Any]) -> bool:
    return hasattr(layer, "attention_weights")


def _weights_of(
    network: Network, position: int, inputs: Inputs, index: Index
) -> npt.NDArray[Any]:
    """Return the weights for a micro-batch, with the samples first."""
    own = network.for_shape(inputs.shape_of(index))
    workspaces = own.workspaces()
    x = inputs.read(index, workspaces[0].nested("read"))
    lengths = inputs.lengths_of(index)
    y, _ = own.forward(x, workspaces, stop=position, lengths=lengths)
    ends = own.chain.lengths_after(x, lengths, position)
    workspaces[position].lengths = ends
    layer: Any = list(own.layers.values())[position]
    weights: npt.NDArray[Any] = np.moveaxis(
        layer.attention_weights(y, workspaces[position]), -1, 0
    )
    # Rows of tokens that were cut off, or texts that had padding before their end.
    whole = network if inputs.has_one_size else own
    length = list(whole.layers.values())[position].in_shape[0]
    for axis in range(min(weights.ndim - 1, 2)):
        if weights.shape[-1 - axis] != layer.in_shape[0]:
            continue
        steps_second = np.moveaxis(weights, -1 - axis, 1)
        if ends is not None:  # padding looks at nothing
            steps_second[is_padding(ends, steps_second.shape[1]).T] = 0
        ordered = inputs.in_order(steps_second, index, length)
        weights = np.moveaxis(ordered, 1, -1 - axis)
    return weights
