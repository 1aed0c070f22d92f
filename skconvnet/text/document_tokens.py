"""Documents as sentences, and sentences as rows of tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import chain
from numbers import Integral
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils._param_validation import Interval

from skconvnet.text.word_tokens import WordTokens, as_sequence

# The words of each sentence.
_Sentences: TypeAlias = list[Sequence[Any]]
_SIZE = [Interval(Integral, 1, 2**31 - 1, closed="both"), None]


@dataclass(eq=False, repr=False)
class DocumentTokens(WordTokens[_Sentences]):
    r"""Convert raw documents to tokens of shape (n_samples, sentences, words).

    A document is divided into sentences, and each sentence into words, which are
    numbered as in :class:`TokenSequence`: 0 is padding, and 1 any word outside the
    vocabulary. Sentences without a word are left out. Short sentences are padded at
    their end, and short documents by sentences of padding; what is too long is cut off
    at its end. In a Pipeline, the next step is a network such as
    :func:`skconvnet.architectures.han`.

    Parameters
    ----------
    max_tokens : int, default=None
        The maximum number of different tokens, including the padding and the unknown
        word. None means no limit.
    max_sentences : int, default=None
        The number of sentences of a document. None means as many as in the longest
        document in `fit`.
    max_words : int, default=None
        The number of words of a sentence. None means as many as in the longest sentence
        in `fit`. A single long sentence then makes the whole array large.
    sentence_pattern : str, default=r"(?<=[.!?])\s+|\n\s*\n"
        The regular expression of what is between two sentences. By default, it is white
        space after a full stop, an exclamation mark or a question mark, or an empty
        line.
    sentence_splitter : callable, default=None
        A function of a document that returns its sentences, used instead of
        `sentence_pattern`. Documents may then have any type: ``sentence_splitter=list``
        is for documents that are lists of sentences.
    encoding, decode_error, strip_accents, lowercase, preprocessor : object
        How the characters of a sentence are read, as in :class:`TokenSequence` with the
        same defaults.
    tokenizer, stop_words, token_pattern, ngram_range, analyzer : object
        How a sentence is divided into words, in the same way. Callables receive a
        sentence.
    min_df, max_df : int or float in [0, 1], default=1, 1.0
        The minimum and maximum number, or fraction, of the documents in which a word of
        the vocabulary occurs.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        The token of each word, from 2 on.
    n_tokens_ : int
        The number of different tokens, including the padding and the unknown word.
    n_sentences_, n_words_ : int
        The number of sentences of a document, and of words of a sentence.

    See Also
    --------
    TokenSequence : Converts texts to rows, without regard to sentences.
    skconvnet.architectures.han : A network for such documents.

    Notes
    -----
    The dtype is uint16 or int32, as of :class:`TokenSequence`.

    Examples
    --------
    >>> from skconvnet.text import DocumentTokens
    >>> documents = ["The cat saw the dog. It ran!", "The dog barked."]
    >>> tokens = DocumentTokens(max_words=4)
    >>> tokens.fit_transform(documents)
    array([[[2, 5, 8, 2],
            [6, 7, 0, 0]],
    <BLANKLINE>
           [[2, 3, 4, 0],
            [0, 0, 0, 0]]], dtype=uint16)
    >>> tokens.inverse_transform(tokens.transform(["It saw a bird. The cat ran."]))
    [[['it', 'saw', '[UNK]'], ['the', 'cat', 'ran']]]
    """

    max_sentences: int | None = None
    max_words: int | None = None
    _: KW_ONLY
    sentence_pattern: str = r"(?<=[.!?])\s+|\n\s*\n"
    sentence_splitter: Callable[[Any], Iterable[Any]] | None = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **WordTokens._parameter_constraints,  # noqa: SLF001  those of the base class
        "max_sentences": _SIZE,
        "max_words": _SIZE,
        "sentence_pattern": [str],
        "sentence_splitter": [callable, None],
    }

    def inverse_transform(self, X: npt.ArrayLike) -> list[list[list[Any]]]:
        """Convert tokens to lists of sentences, which are lists of words.

        Parameters
        ----------
        X : array-like of int of shape (n_samples, sentences, words)
            The tokens.

        Returns
        -------
        documents : list of lists of lists of str
            The words of each sentence of each document, without the padding, with
            "[UNK]" for words that are not in the vocabulary.
        """
        documents = self._checked_tokens(X, ndim=3)
        return [
            [words for words in self._words_of_rows(sentences) if words]
            for sentences in documents
        ]

    @property
    def _takes_text(self) -> bool:
        return self.sentence_splitter is None

    def _divider(self, vectorizer: CountVectorizer) -> Callable[[Any], _Sentences]:
        split = self.sentence_splitter or self._pattern().split
        analyze = vectorizer.build_analyzer()

        def divide(document: Any) -> _Sentences:  # noqa: ANN401  what a callable takes
            if isinstance(document, bytes):
                document = vectorizer.decode(document)
            sentences = (as_sequence(analyze(text)) for text in split(document))
            return [words for words in sentences if len(words)]

        return divide

    def _pattern(self) -> re.Pattern[str]:
        try:
            pattern = re.compile(self.sentence_pattern)
        except re.error as error:
            problem = f"which is none: {error}"
        else:
            if not pattern.groups:
                return pattern
            problem = "which has a group; write (?:...) instead of (...)"
        raise ValueError(
            "sentence_pattern must be a regular expression without groups; got "
            f"{self.sentence_pattern!r}, {problem}."
        )

    def _words(self, text: _Sentences) -> Iterable[Any]:
        return chain.from_iterable(text)

    def _learn_shape(self, texts: list[_Sentences]) -> None:
        most = max(map(len, texts))
        longest = max(len(words) for text in texts for words in text)
        self.n_sentences_ = int(self.max_sentences or most)
        self.n_words_ = int(self.max_words or longest)

    def _rows(self, texts: list[_Sentences]) -> np.ndarray:
        rows = self._empty(len(texts), self.n_sentences_, self.n_words_)
        for document, sentences in zip(rows, texts, strict=True):
            # A document may have fewer sentences, or more of them.
            for row, words in zip(document, sentences, strict=False):
                kept = words[: self.n_words_]
                row[: len(kept)] = self._tokens(kept)
        return rows
