"""HAN: attention to words within sentences, and to sentences within a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._parts import scaled
from skconvnet.architectures._sequence_parts import embedding, recurrent
from skconvnet.layers import AttentionPooling, Bidirectional, TimeDistributed

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers


def han(
    n_tokens: int,
    n_dims: int = 200,
    units: int = 50,
    attention_units: int = 100,
    cell: str = "gru",
    *,
    padding_token: int | None = 0,
    width: float = 1.0,
) -> Layers:
    """Return a hierarchical attention network for documents of sentences [1]_.

    Samples have shape (sentences, words), as from
    :class:`skconvnet.text.DocumentTokens`. A bidirectional GRU reads the words of each
    sentence, and a mean with weights that are learned turns its states into one vector
    per sentence. Another GRU and another mean turn these into one vector per document.
    Without the output layer, the default sizes have ``200 * n_tokens + 141,600``
    weights.

    Parameters
    ----------
    n_tokens : int
        Number of different tokens, as ``n_tokens_`` or ``max_tokens`` of
        :class:`skconvnet.text.DocumentTokens`.
    n_dims : int, default=200
        Length of the vector of a word.
    units : int, default=50
        Length of the state of the GRUs, in each direction.
    attention_units : int, default=100
        Number of units that the weights of words and of sentences are computed from.
    cell : {"gru", "lstm", "simple"}, default="gru"
        The recurrent layer: `GRU` as in the paper, `LSTM` or `SimpleRNN`.
    padding_token : int, default=0
        Token that fills up short sentences, and sentences that short documents lack.
        None means that there is none.
    width : float, default=1.0
        Factor by which `n_dims`, `units` and `attention_units` are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] Z. Yang et al., "Hierarchical attention networks for document
       classification", NAACL 2016.

    Examples
    --------
    >>> from skconvnet.architectures import han
    >>> shape = (15, 40)
    >>> for name, layer in han(20_000):
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("sentences", "attention"):
    ...         print(name, shape)
    sentences (15, 100)
    attention (100,)
    """
    n_units = scaled("units", units, width)
    n_attention = scaled("attention_units", attention_units, width)

    def attentive() -> Layers:
        rnn = Bidirectional(recurrent(cell, n_units, return_sequences=True))
        return [("rnn", rnn), ("attention", AttentionPooling(n_attention))]

    words = ("embedding", embedding(n_tokens, n_dims, padding_token, width))
    return [("sentences", TimeDistributed([words, *attentive()])), *attentive()]
