"""What all converters of texts share: words, their vocabulary, and checks of X."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval
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

# A text that is divided: its words, or the words of each of its sentences.
Divided = TypeVar("Divided")


@dataclass(eq=False, repr=False)
class WordTokens(TransformerMixin, BaseEstimator, ABC, Generic[Divided]):
    r"""Numbers the words of texts; subclasses arrange the numbers as arrays.

    The parameters are documented in `TokenSequence`.
    """

    max_tokens: int | None = None
    _: KW_ONLY
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
        **{
            name: CountVectorizer._parameter_constraints[name]  # noqa: SLF001  the same
            for name in _COUNT_VECTORIZER_PARAMS
        },
    }

    @abstractmethod
    def _divider(self, vectorizer: CountVectorizer) -> Callable[[Any], Divided]:
        """Return the function that divides a text."""

    @abstractmethod
    def _words(self, text: Divided) -> Iterable[Any]:
        """Return all words of a text."""

    @abstractmethod
    def _learn_shape(self, texts: list[Divided]) -> None:
        """Set the attributes that say how large the array of a text is."""

    @abstractmethod
    def _rows(self, texts: list[Divided]) -> np.ndarray:
        """Return the tokens of all texts."""

    @property
    def _takes_text(self) -> bool:
        """Whether each item of X must be a text, rather than what a callable takes."""
        return not callable(self.analyzer) and self.preprocessor is None

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Iterable[Any],
        y: object = None,  # noqa: ARG002  a Pipeline passes it
    ) -> Self:
        """Learn the vocabulary, and the sizes of rows that are not given.

        Parameters
        ----------
        X : iterable of str or bytes
            The raw texts, such as a list, a one-dimensional array or a column of a
            DataFrame.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If X is a single string or has two axes, if one of its items is not a text,
            or if no word remains for the vocabulary.
        """
        self._learn(self._divided(X))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(
        self,
        X: Iterable[Any],
        y: object = None,  # noqa: ARG002  a Pipeline passes it
    ) -> np.ndarray:
        """Learn the vocabulary and return the tokens, in one pass over X.

        Parameters
        ----------
        X : iterable of str or bytes
            The raw texts.
        y : None
            Ignored.

        Returns
        -------
        rows : ndarray of uint16 or int32
            The tokens of each text, in the shape that the class is described by.
        """
        texts = self._divided(X)
        self._learn(texts)
        return self._rows(texts)

    def transform(self, X: Iterable[Any]) -> np.ndarray:
        """Convert raw texts to tokens.

        Parameters
        ----------
        X : iterable of str or bytes
            The raw texts.

        Returns
        -------
        rows : ndarray of uint16 or int32
            The tokens of each text, in the shape that the class is described by.
        """
        check_is_fitted(self)
        return self._rows(self._divided(X))

    def _divided(self, X: Iterable[Any]) -> list[Divided]:
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
        divide = self._divider(CountVectorizer(**params))
        texts = []
        for i, text in enumerate(X):
            if self._takes_text and not isinstance(text, (str, bytes)):
                raise ValueError(
                    f"X must contain texts, str or bytes, but item {i} is {text!r}, a "
                    f"{type(text).__name__}; convert it, or replace missing values."
                )
            texts.append(divide(text))
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

    def _learn(self, texts: list[Divided]) -> None:
        words = self._vocabulary(texts)
        self.vocabulary_ = {word: i for i, word in enumerate(words, _N_SPECIAL)}
        self.n_tokens_ = len(words) + _N_SPECIAL
        self._learn_shape(texts)

    def _vocabulary(self, texts: list[Divided]) -> list[Hashable]:
        """Return the words of the vocabulary, in the order of their tokens."""
        counts: Counter[Any] = Counter()
        occurrences: Counter[Any] = Counter()
        for words in map(list, map(self._words, texts)):
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

    def _empty(self, *shape: int) -> np.ndarray:
        """Return an array that is all padding, for tokens."""
        dtype = np.uint16 if self.n_tokens_ <= 2**16 else np.int32
        return np.full(shape, PADDING_TOKEN, dtype=dtype)

    def _tokens(self, words: Iterable[Any]) -> list[int]:
        return [self.vocabulary_.get(word, UNKNOWN_TOKEN) for word in words]

    def _checked_tokens(self, X: npt.ArrayLike, ndim: int) -> list[Any]:
        """Return the tokens as nested lists, or raise an error."""
        check_is_fitted(self)
        tokens = check_array(X, dtype="numeric", input_name="X", allow_nd=ndim > 2)
        if tokens.ndim != ndim:
            raise ValueError(f"X must have {ndim} axes; got shape {tokens.shape}.")
        least, most = tokens.min(), tokens.max()
        is_whole = (np.trunc(tokens) == tokens).all()
        if least < 0 or most >= self.n_tokens_ or not is_whole:
            raise ValueError(
                f"X must contain whole numbers from 0 to n_tokens_ - 1 = "
                f"{self.n_tokens_ - 1}; got values from {least} to {most}."
            )
        rows: list[Any] = tokens.astype(np.intp).tolist()
        return rows

    def _words_of_rows(self, rows: Iterable[Iterable[int]]) -> list[list[Any]]:
        """Return the words of rows of tokens, without the padding."""
        words = [None, _UNKNOWN, *self.vocabulary_]
        return [[words[t] for t in row if t != PADDING_TOKEN] for row in rows]

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  scikit-learn has no types
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def as_sequence(words: Iterable[Any]) -> Sequence[Any]:
    """Return what an analyzer yields as something that has a length."""
    return words if isinstance(words, Sequence) else list(words)
