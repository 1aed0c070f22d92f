"""Rows of tokens: the words of each text, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils._param_validation import Interval, StrOptions

from skconvnet.text.word_tokens import WordTokens, as_sequence

_ENDS = [StrOptions({"pre", "post"})]


@dataclass(eq=False, repr=False)
class TokenSequence(ClassNamePrefixFeaturesOutMixin, WordTokens[Sequence[Any]]):
    r"""Convert raw texts to rows of tokens, all of the same length.

    A token is the number of a word. Token 0 is padding, token 1 represents all words
    that are not in the vocabulary, and tokens from 2 on are the words of the
    vocabulary: the most frequent ones in `fit` come first, and equally frequent ones
    are in alphabetical order. Unlike scikit-learn's ``CountVectorizer``, the rows
    preserve the order of the words in a text. Texts are divided into words by the
    parameters of ``CountVectorizer``, with the same defaults. In a Pipeline, the next
    step is a network that begins with
    ``Embedding(max_tokens, n_dims, padding_token=0)``.

    Parameters
    ----------
    max_tokens : int, default=None
        The maximum number of different tokens, including the padding and the unknown
        word. Use the same number as ``n_tokens`` of the Embedding. None means no limit.
    max_length : int, default=None
        The length of a row. None means the length of the longest text in `fit`.
    padding : {"post", "pre"}, default="post"
        Whether short texts are padded after or before their words.
    truncating : {"post", "pre"}, default="post"
        Whether long texts are cut off at their end or at their beginning.
    encoding : str, default="utf-8"
        The encoding of texts given as bytes.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        What to do with bytes that cannot be decoded.
    strip_accents : {"ascii", "unicode"} or callable, default=None
        The method that removes accents. None keeps them.
    lowercase : bool, default=True
        Whether to convert texts to lowercase first.
    preprocessor : callable, default=None
        A function of a text that is used instead of removing accents and converting to
        lowercase.
    tokenizer : callable, default=None
        A function that divides a text into words, used instead of `token_pattern`.
    stop_words : {"english"} or list of str, default=None
        Words that are ignored.
    token_pattern : str, default=r"(?u)\b\w\w+\b"
        The regular expression that matches a word. The default matches words of two or
        more characters, without punctuation.
    ngram_range : tuple of two int, default=(1, 1)
        The smallest and largest number of words in a token. (1, 2) means words and
        pairs of words, for an Embedding that is reduced to a mean [1]_. In a row, the
        pairs follow all of the words, so `max_length` must be large enough for both.
    analyzer : {"word", "char", "char_wb"} or callable, default="word"
        Whether n-grams consist of words or of characters; those of "char_wb" do not
        extend across words. A callable receives a text and returns its tokens.
    min_df : int or float in [0, 1], default=1
        The minimum number of texts in which a word of the vocabulary occurs. An int is
        a number of texts, a float a fraction of the texts.
    max_df : int or float in [0, 1], default=1.0
        The maximum number or fraction of these texts.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        The token of each word, from 2 on.
    n_tokens_ : int
        The number of different tokens, including the padding and the unknown word.
    length_ : int
        The length of a row.

    See Also
    --------
    DocumentTokens : Keeps sentences apart.
    skconvnet.layers.Embedding : Looks up a vector for each token.
    sklearn.feature_extraction.text.CountVectorizer : Counts words, regardless of
        their order.

    Notes
    -----
    Rows have the dtype uint16 for up to 65,536 different tokens. With ``dtype="auto"``,
    a network then computes in float32. With more tokens, rows have the dtype int32, for
    which "auto" means float64. Set ``dtype="float32"`` on the network, which represents
    up to 2**24 tokens exactly.

    References
    ----------
    .. [1] A. Joulin, E. Grave, P. Bojanowski and T. Mikolov, "Bag of tricks for
       efficient text classification", EACL 2017.

    Examples
    --------
    >>> from skconvnet.text import TokenSequence
    >>> tokens = TokenSequence().fit(["the cat saw the dog", "the dog barked"])
    >>> tokens.vocabulary_
    {'the': 2, 'dog': 3, 'barked': 4, 'cat': 5, 'saw': 6}
    >>> rows = tokens.transform(["the dog saw", "a dog and a bird barked at the cat"])
    >>> rows
    array([[2, 3, 6, 0, 0],
           [3, 1, 1, 4, 1]], dtype=uint16)
    >>> tokens.inverse_transform(rows)
    [['the', 'dog', 'saw'], ['dog', '[UNK]', '[UNK]', 'barked', '[UNK]']]
    """

    max_length: int | None = None
    _: KW_ONLY
    padding: str = "post"
    truncating: str = "post"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **WordTokens._parameter_constraints,  # noqa: SLF001  those of the base class
        "max_length": [Interval(Integral, 1, 2**31 - 1, closed="both"), None],
        "padding": _ENDS,
        "truncating": _ENDS,
    }

    def inverse_transform(self, X: npt.ArrayLike) -> list[list[Any]]:
        """Convert rows of tokens to lists of words, without the padding.

        Parameters
        ----------
        X : array-like of int of shape (n_samples, length)
            The rows of tokens.

        Returns
        -------
        texts : list of lists of str
            The words of each text, with "[UNK]" for words that are not in the
            vocabulary.
        """
        return self._words_of_rows(self._checked_tokens(X, ndim=2))

    def _divider(self, vectorizer: CountVectorizer) -> Callable[[Any], Sequence[Any]]:
        analyze = vectorizer.build_analyzer()
        return lambda text: as_sequence(analyze(text))

    def _words(self, text: Sequence[Any]) -> Iterable[Any]:
        return text

    def _learn_shape(self, texts: list[Sequence[Any]]) -> None:
        self.length_ = int(self.max_length or 0) or max(map(len, texts))

    def _rows(self, texts: list[Sequence[Any]]) -> np.ndarray:
        length = self.length_
        rows = self._empty(len(texts), length)
        for row, words in zip(rows, texts, strict=True):
            kept = words[:length] if self.truncating == "post" else words[-length:]
            start = 0 if self.padding == "post" else length - len(kept)
            row[start : start + len(kept)] = self._tokens(kept)
        return rows

    @property
    def _n_features_out(self) -> int:
        return self.length_
