"""TextRNN: recurrent layers that read a text in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet._checks import check_bool, check_positive_int
from skconvnet.architectures._parts import scaled
from skconvnet.architectures._sequence_parts import embedding, recurrent
from skconvnet.layers import Bidirectional

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers


def text_rnn(
    n_tokens: int,
    n_dims: int = 64,
    units: int = 50,
    cell: str = "lstm",
    n_layers: int = 1,
    *,
    bidirectional: bool = True,
    padding_token: int | None = 0,
    width: float = 1.0,
) -> Layers:
    """Return a recurrent network that reads a text word by word [1]_.

    An LSTM reads the vectors of the words, and another one reads them from the end. The
    output layer, which the estimator adds, takes the last state of both. The network of
    the paper, in its simplest form, reads forward only: ``bidirectional=False``.
    Without the output layer, the default sizes have ``64 * n_tokens + 46,000`` weights.

    Parameters
    ----------
    n_tokens : int
        Number of different tokens, as ``n_tokens_`` or ``max_tokens`` of
        :class:`skconvnet.text.TokenSequence`.
    n_dims : int, default=64
        Length of the vector of a word.
    units : int, default=50
        Length of the state, in each direction.
    cell : {"lstm", "gru", "simple"}, default="lstm"
        The recurrent layer: `LSTM`, `GRU` or `SimpleRNN`.
    n_layers : int, default=1
        Number of recurrent layers. Each but the last gives its states at all words to
        the next one.
    bidirectional : bool, default=True
        Whether texts are read in both directions.
    padding_token : int, default=0
        Token that fills up short texts. None means that there is none.
    width : float, default=1.0
        Factor by which `n_dims` and `units` are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] P. Liu, X. Qiu and X. Huang, "Recurrent neural network for text
       classification with multi-task learning", IJCAI 2016.

    Examples
    --------
    >>> from skconvnet.architectures import text_rnn
    >>> shape = (60,)
    >>> for name, layer in text_rnn(20_000, n_layers=2):
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("rnn1", "rnn2"):
    ...         print(name, shape)
    rnn1 (60, 100)
    rnn2 (100,)
    """
    n_units = scaled("units", units, width)
    both = check_bool("bidirectional", bidirectional)
    layers: Layers = [("embedding", embedding(n_tokens, n_dims, padding_token, width))]
    last = check_positive_int("n_layers", n_layers)
    for number in range(1, last + 1):
        layer = recurrent(cell, n_units, return_sequences=number < last)
        layers.append((f"rnn{number}", Bidirectional(layer) if both else layer))
    return layers
