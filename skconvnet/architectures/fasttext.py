"""FastText: the mean of the vectors of all words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._sequence_parts import embedding

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers


def fasttext(
    n_tokens: int,
    n_dims: int = 10,
    *,
    padding_token: int | None = 0,
    width: float = 1.0,
) -> Layers:
    """Return a linear classifier of the mean vector of the words of a text [1]_.

    The output layer, which the estimator adds, takes the mean of the vectors of all
    tokens. In the paper tokens are words and pairs of words, as from
    ``TokenSequence(ngram_range=(1, 2))``. Without the output layer, there are ``n_dims
    * n_tokens`` weights.

    The paper maps rare pairs of words to common vectors by hashing. Here, tokens
    outside the vocabulary have a common vector.

    Parameters
    ----------
    n_tokens : int
        Number of different tokens, as ``n_tokens_`` or ``max_tokens`` of
        :class:`skconvnet.text.TokenSequence`.
    n_dims : int, default=10
        Length of the vector of a token.
    padding_token : int, default=0
        Token that fills up short texts, which the mean leaves out. None means that
        there is none.
    width : float, default=1.0
        Factor by which `n_dims` is multiplied.

    Returns
    -------
    layers : list of (str, layer)
        A single layer, an `Embedding`.

    References
    ----------
    .. [1] A. Joulin, E. Grave, P. Bojanowski and T. Mikolov, "Bag of tricks for
       efficient text classification", EACL 2017.

    Examples
    --------
    >>> from skconvnet.architectures import fasttext
    >>> [(name, embedding)] = fasttext(50_000)
    >>> embedding.build((300,)).out_shape
    (10,)
    """
    return [("embedding", embedding(n_tokens, n_dims, padding_token, width, "mean"))]
