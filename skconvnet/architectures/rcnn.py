"""RCNN: each word with its context to the left and to the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._parts import scaled
from skconvnet.architectures._sequence_parts import embedding, recurrent
from skconvnet.layers import Bidirectional, Conv1D, GlobalMaxPool, Parallel

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers


def rcnn(
    n_tokens: int,
    n_dims: int = 50,
    context_units: int = 50,
    units: int = 100,
    cell: str = "simple",
    *,
    padding_token: int | None = 0,
    width: float = 1.0,
) -> Layers:
    """Return a network of words in their context, and the maximum over a text [1]_.

    Recurrent layers read a text from both ends. At each word, their states are joined
    with the vector of the word, and a dense layer with tanh follows. The maximum of
    every unit over the text is taken. Without the output layer, the default sizes have
    ``50 * n_tokens + 25,200`` weights.

    In the paper, the context of a word ends before the word. Here, the states at a word
    have read it already, as in most other implementations.

    Parameters
    ----------
    n_tokens : int
        Number of different tokens, as ``n_tokens_`` or ``max_tokens`` of
        :class:`skconvnet.text.TokenSequence`.
    n_dims : int, default=50
        Length of the vector of a word.
    context_units : int, default=50
        Length of the state, in each direction.
    units : int, default=100
        Number of units of the dense layer at each word.
    cell : {"simple", "gru", "lstm"}, default="simple"
        The recurrent layer: `SimpleRNN` as in the paper, `GRU` or `LSTM`.
    padding_token : int, default=0
        Token that fills up short texts. None means that there is none.
    width : float, default=1.0
        Factor by which `n_dims`, `context_units` and `units` are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] S. Lai, L. Xu, K. Liu and J. Zhao, "Recurrent convolutional neural networks
       for text classification", AAAI 2015.

    Examples
    --------
    >>> from skconvnet.architectures import rcnn
    >>> shape = (60,)
    >>> for name, layer in rcnn(20_000):
    ...     shape = layer.build(shape).out_shape
    ...     print(name, shape)
    embedding (60, 50)
    words (60, 150)
    dense (60, 100)
    max (100,)
    """
    context = recurrent(
        cell, scaled("context_units", context_units, width), return_sequences=True
    )
    in_context = Parallel(
        [("word", []), ("context", [("rnn", Bidirectional(context))])]
    )
    # A convolution with a kernel of one word is a dense layer at every word.
    dense = Conv1D(scaled("units", units, width), 1, activation="tanh")
    return [
        ("embedding", embedding(n_tokens, n_dims, padding_token, width)),
        ("words", in_context),
        ("dense", dense),
        ("max", GlobalMaxPool()),
    ]
