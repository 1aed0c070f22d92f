"""TextCNN: convolutions of several sizes over the words of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet._checks import check_fraction
from skconvnet.architectures._parts import scaled
from skconvnet.architectures._sequence_parts import (
    check_kernel_sizes,
    conv1d,
    embedding,
)
from skconvnet.layers import Dropout, GlobalMaxPool, Parallel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skconvnet.architectures._parts import Layers


def text_cnn(
    n_tokens: int,
    n_dims: int = 300,
    filters: int = 100,
    kernel_sizes: Sequence[int] = (3, 4, 5),
    dropout: float = 0.5,
    *,
    padding_token: int | None = 0,
    width: float = 1.0,
) -> Layers:
    """Return a network that finds phrases of a few words anywhere in a text [1]_.

    Convolutions over 3, 4 and 5 word vectors, with 100 filters and a ReLU each, run in
    parallel. The maximum of every filter over the text is taken, and dropout follows.
    Without the output layer, the default sizes have ``300 * n_tokens + 360,300``
    weights.

    The paper also limits the norm of the weights of each output, for which there is
    nothing here but the penalty `alpha`.

    Parameters
    ----------
    n_tokens : int
        Number of different tokens, as ``n_tokens_`` or ``max_tokens`` of
        :class:`skconvnet.text.TokenSequence`.
    n_dims : int, default=300
        Length of the vector of a word.
    filters : int, default=100
        Number of filters of each convolution.
    kernel_sizes : sequence of int, default=(3, 4, 5)
        Number of words that each convolution covers. X needs rows of at least the
        largest one.
    dropout : float, default=0.5
        Share of the maxima that are set to zero in training, in [0, 1).
    padding_token : int, default=0
        Token that fills up short texts. None means that there is none.
    width : float, default=1.0
        Factor by which `n_dims` and `filters` are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] Y. Kim, "Convolutional neural networks for sentence classification",
       EMNLP 2014.

    Examples
    --------
    >>> from skconvnet.architectures import text_cnn
    >>> shape = (60,)
    >>> for name, layer in text_cnn(20_000):
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("embedding", "phrases"):
    ...         print(name, shape)
    embedding (60, 300)
    phrases (300,)
    """
    n_filters = scaled("filters", filters, width)
    phrases = [
        (f"words{size}", _of_words(size, n_filters))
        for size in check_kernel_sizes(kernel_sizes)
    ]
    return [
        ("embedding", embedding(n_tokens, n_dims, padding_token, width)),
        ("phrases", Parallel(phrases)),
        ("drop", Dropout(check_fraction("dropout", dropout))),
    ]


def _of_words(size: int, filters: int) -> Layers:
    """Return a convolution over so many words, and the maximum of each filter."""
    convolution = conv1d(filters, size, "valid", "relu")
    return [("conv", convolution), ("max", GlobalMaxPool())]
