"""Conversion of raw texts to rows of tokens, the input of an Embedding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

PADDING_TOKEN = 0
UNKNOWN_TOKEN = 1
_N_SPECIAL = 2
_UNKNOWN = "[UNK]"

# Parameters of CountVectorizer that define how a text is divided into words.
_ANALYZER_PARAMS = (
    "encoding",
    "decode_error",
    "strip_accents",
    "lowercase",
    "preprocessor",
    "tokenizer",
    "stop_words",
    "token_pattern",
    "ngram_range",
    "analyzer",
)
_COUNT_VECTORIZER_PARAMS = (*_ANALYZER_PARAMS, "min_df", "max_df")
_ENDS = [StrOptions({"pre", "post"})]


@dataclass(eq=False, repr=False)
class TokenSequence(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
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

    max_tokens: int | None = None
    max_length: int | None = None
    _: KW_ONLY
    padding: str = "post"
    truncating: str = "post"
    encoding: str = "utf-8"
    decode_error: str = "strict"
    strip_accents: str | Callable[[str], str] | None = None
    lowercase: bool = True
    preprocessor: Callable[[Any], Any] | None = None
    tokenizer: Callable[[Any], Iterable[Any]] | None = None
    stop_words: str | list[str] | None = None
    token_pattern: str | None = r"(?u)\b\w\w+\b"
    ngram_range: tuple[int, int] = (1, 1)
    analyzer: str | Callable[[Any], Iterable[Any]] = "word"
    min_df: int | float = 1
    max_df: int | float = 1.0

    # Where the "?" of scikit-learn's diagrams leads.
    _doc_link_module: ClassVar[str] = "skconvnet"
    _doc_link_template: ClassVar[str] = (
        "https://github.com/skconvnet/skconvnet/blob/main/docs/text_and_series.md"
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_tokens": [Interval(Integral, _N_SPECIAL + 1, None, closed="left"), None],
        "max_length": [Interval(Integral, 1, 2**31 - 1, closed="both"), None],
        "padding": _ENDS,
        "truncating": _ENDS,
        **{
            name: CountVectorizer._parameter_constraints[name]  # noqa: SLF001  the same
            for name in _COUNT_VECTORIZER_PARAMS
        },
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Iterable[Any],
        y: object = None,  # noqa: ARG002  a Pipeline passes it
    ) -> Self:
        """Learn the vocabulary, and the length of a row if `max_length` is None.

        Parameters
        ----------
        X : iterable of str or bytes
            The raw texts, such as a list, a one-dimensional array or a column of a
            DataFrame.
        y : None
            Ignored.

        Returns
        -------
        self : TokenSequence
            The fitted transformer.

        Raises
        ------
        ValueError
            If X is a single string or has two axes, if one of its items is not a text,
            or if no word remains for the vocabulary.
        """
        self._learn(self._analyzed(X))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(
        self,
        X: Iterable[Any],
        y: object = None,  # noqa: ARG002  a Pipeline passes it
    ) -> np.ndarray:
        """Learn the vocabulary and return the rows of tokens, in one pass over X.

        Parameters
        ----------
        X : iterable of str or bytes
            The raw texts.
        y : None
            Ignored.

        Returns
        -------
        rows : ndarray of uint16 or int32 of shape (n_samples, length_)
            The tokens of each text.
        """
        texts = self._analyzed(X)
        self._learn(texts)
        return self._rows(texts)

    def transform(self, X: Iterable[Any]) -> np.ndarray:
        """Convert raw texts to rows of tokens.

        Parameters
        ----------
        X : iterable of str or bytes
            The raw texts.

        Returns
        -------
        rows : ndarray of uint16 or int32 of shape (n_samples, length_)
            The tokens of each text.
        """
        check_is_fitted(self)
        return self._rows(self._analyzed(X))

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
        check_is_fitted(self)
        tokens = check_array(X, dtype="numeric", input_name="X")
        least, most = tokens.min(), tokens.max()
        is_whole = (np.trunc(tokens) == tokens).all()
        if least < 0 or most >= self.n_tokens_ or not is_whole:
            raise ValueError(
                f"X must contain whole numbers from 0 to n_tokens_ - 1 = "
                f"{self.n_tokens_ - 1}; got values from {least} to {most}."
            )
        words = [None, _UNKNOWN, *self.vocabulary_]
        rows = tokens.astype(np.intp).tolist()
        return [[words[t] for t in row if t != PADDING_TOKEN] for row in rows]

    def _analyzed(self, X: Iterable[Any]) -> list[Sequence[Any]]:
        """Divide each text into words."""
        if isinstance(X, (str, bytes)):
            raise ValueError(
                "Iterable over raw text documents expected, string object received. "
                "Put a single text into a list."
            )
        if getattr(X, "ndim", 1) != 1:
            shape = getattr(X, "shape", None)
            raise ValueError(
                "X must be a one-dimensional iterable of texts; got an array or "
                f"DataFrame of shape {shape}. Select one column, such as X['text'], or "
                "'text' instead of ['text'] in a ColumnTransformer."
            )
        self._check_words()
        params = {name: getattr(self, name) for name in _ANALYZER_PARAMS}
        analyze = CountVectorizer(**params).build_analyzer()
        takes_text = not callable(self.analyzer) and self.preprocessor is None
        texts = []
        for i, text in enumerate(X):
            if takes_text and not isinstance(text, (str, bytes)):
                raise ValueError(
                    f"X must contain texts, str or bytes, but item {i} is {text!r}, a "
                    f"{type(text).__name__}; convert it, or replace missing values."
                )
            words = analyze(text)
            texts.append(words if isinstance(words, Sequence) else list(words))
        if not texts:
            raise ValueError("X has 0 sample(s); a minimum of 1 text is required.")
        return texts

    def _check_words(self) -> None:
        """Check what scikit-learn would not, or without naming the parameter."""
        sizes: Any = self.ngram_range
        is_pair = isinstance(sizes, tuple) and len(sizes) == 2
        are_ints = is_pair and all(isinstance(size, Integral) for size in sizes)
        if not are_ints or not 1 <= sizes[0] <= sizes[1]:
            raise ValueError(
                "ngram_range must be a tuple of the smallest and the largest number of "
                "words, ints of at least 1 and in this order; got "
                f"{self.ngram_range!r}."
            )
        needs_pattern = self.tokenizer is None and self.analyzer == "word"
        if self.token_pattern is None and needs_pattern:
            raise ValueError("token_pattern=None requires a tokenizer; got None.")

    def _learn(self, texts: list[Sequence[Any]]) -> None:
        words = self._vocabulary(texts)
        self.vocabulary_ = {word: i for i, word in enumerate(words, _N_SPECIAL)}
        self.n_tokens_ = len(words) + _N_SPECIAL
        self.length_ = int(self.max_length or 0) or max(map(len, texts))

    def _vocabulary(self, texts: list[Sequence[Any]]) -> list[Hashable]:
        """Return the words of the vocabulary, in the order of their tokens."""
        counts: Counter[Any] = Counter()
        occurrences: Counter[Any] = Counter()
        for words in texts:
            counts.update(words)
            occurrences.update(set(words))
        if not counts:
            raise ValueError(
                "empty vocabulary; perhaps the documents only contain stop words"
            )
        fewest, most = (
            bound if isinstance(bound, Integral) else bound * len(texts)
            for bound in (self.min_df, self.max_df)
        )
        chosen = [word for word in counts if fewest <= occurrences[word] <= most]
        if not chosen:
            raise ValueError(
                "After pruning, no terms remain. Try a lower min_df or a higher "
                f"max_df; got min_df={self.min_df!r}, max_df={self.max_df!r} for "
                f"{len(texts)} texts."
            )
        chosen.sort(key=lambda word: (-counts[word], word))
        max_words = None if self.max_tokens is None else self.max_tokens - _N_SPECIAL
        return chosen[:max_words]

    def _rows(self, texts: list[Sequence[Any]]) -> np.ndarray:
        length, token = self.length_, self.vocabulary_.get
        dtype = np.uint16 if self.n_tokens_ <= 2**16 else np.int32
        rows = np.full((len(texts), length), PADDING_TOKEN, dtype=dtype)
        for row, words in zip(rows, texts, strict=True):
            kept = words[:length] if self.truncating == "post" else words[-length:]
            tokens = [token(word, UNKNOWN_TOKEN) for word in kept]
            start = 0 if self.padding == "post" else length - len(tokens)
            row[start : start + len(tokens)] = tokens
        return rows

    @property
    def _n_features_out(self) -> int:
        return self.length_

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  scikit-learn has no types
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
