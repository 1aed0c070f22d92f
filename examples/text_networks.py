"""Compare published networks for text, on docstrings.

    python examples/text_networks.py
    python examples/text_networks.py --texts 6000 --models HAN FastText

Seven kinds of network learn which package a docstring comes from: FastText takes the
mean of the vectors of words and pairs of words, TextCNN convolves over a few words,
TextRNN reads a text from both ends, RCNN joins each word with its context, HAN attends
to words within sentences and to sentences, Seq2Seq has a decoder that attends to the
encoded words and writes a single element, the package, and a transformer attends from
each word to all others. The yardstick is a logistic regression on TF-IDF features.

The networks have similar sizes: vectors of 32 dimensions, and as many units in each
direction. On a few thousand texts, simple models are hard to surpass; networks that
read word by word take the most time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from _docstrings import WORD, accuracy_of_guessing, read_texts, split_by_file
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import resample

from skconvnet import SequentialClassifier
from skconvnet.architectures import (
    fasttext,
    han,
    rcnn,
    text_cnn,
    text_rnn,
    transformer_encoder,
)
from skconvnet.layers import GRU, Bidirectional, Dropout, Embedding, EncoderDecoder
from skconvnet.text import DocumentTokens, TokenSequence

# The size of the vocabulary, and the number of words that are used of each text.
N_TOKENS, LENGTH = 10_000, 60
# Words and pairs of words for the means.
N_PAIRS, LENGTH_PAIRS = 30_000, 240
# The same number of words, by sentence.
SENTENCES, WORDS = 4, 15
SIZE = 32
# The token at which a decoder starts to write.
START = 1


def classifier(tokens: BaseEstimator, layers: list, learning_rate: float) -> Pipeline:
    """Return a network with early stopping on a tenth of the texts."""
    net = SequentialClassifier(
        layers,
        batch_size=32,
        learning_rate_init=learning_rate,
        max_iter=20,
        early_stopping=True,
        n_iter_no_change=3,
        random_state=0,
    )
    return Pipeline([("tokens", tokens), ("net", net)])


def rows() -> TokenSequence:
    """Return what converts texts to rows of tokens."""
    return TokenSequence(N_TOKENS, LENGTH, token_pattern=WORD)


def make_fasttext() -> Pipeline:
    """Return a linear classifier of the mean vector."""
    pairs = TokenSequence(N_PAIRS, LENGTH_PAIRS, token_pattern=WORD, ngram_range=(1, 2))
    return classifier(pairs, fasttext(N_PAIRS, SIZE), 0.02)


def make_text_cnn() -> Pipeline:
    """Return convolutions over two, three and four words."""
    return classifier(rows(), text_cnn(N_TOKENS, SIZE, SIZE, (2, 3, 4)), 0.005)


def make_text_rnn() -> Pipeline:
    """Return an LSTM in both directions."""
    layers = [*text_rnn(N_TOKENS, SIZE, SIZE), ("drop", Dropout(0.5))]
    return classifier(rows(), layers, 0.005)


def make_rcnn() -> Pipeline:
    """Return words in their context, and the maximum over the text."""
    layers = [*rcnn(N_TOKENS, SIZE, SIZE, 2 * SIZE), ("drop", Dropout(0.5))]
    return classifier(rows(), layers, 0.005)


def make_han() -> Pipeline:
    """Return attention to words and to sentences."""
    documents = DocumentTokens(N_TOKENS, SENTENCES, WORDS, token_pattern=WORD)
    layers = [*han(N_TOKENS, SIZE, SIZE, SIZE), ("drop", Dropout(0.5))]
    return classifier(documents, layers, 0.005)


def make_seq2seq() -> Pipeline:
    """Return an encoder, and a decoder that attends to it for one step."""
    encoder = [
        Embedding(N_TOKENS, SIZE, padding_token=0),
        Bidirectional(GRU(SIZE, return_sequences=True)),
    ]
    decoder = [Embedding(START + 1, SIZE), GRU(SIZE, return_sequences=True)]
    layers = [
        ("write", EncoderDecoder(encoder, decoder, source_length=LENGTH, units=SIZE)),
        ("drop", Dropout(0.5)),
    ]
    tokens = make_pipeline(rows(), FunctionTransformer(with_start))
    return classifier(tokens, layers, 0.005)


def with_start(X: np.ndarray) -> np.ndarray:
    """Append the target, which is the start alone, to each source."""
    return np.pad(X, ((0, 0), (0, 1)), constant_values=START)


def make_transformer() -> Pipeline:
    """Return one block of four heads."""
    layers = transformer_encoder(N_TOKENS, SIZE, 1, 4, 4 * SIZE, dropout=0.2)
    return classifier(rows(), layers, 0.002)


def make_baseline() -> Pipeline:
    """Return a logistic regression on TF-IDF features."""
    words = TfidfVectorizer(token_pattern=WORD, sublinear_tf=True)
    return Pipeline([("words", words), ("net", LogisticRegression(C=10))])


MODELS: dict[str, Callable[[], Pipeline]] = {
    "FastText": make_fasttext,
    "TextCNN": make_text_cnn,
    "TextRNN": make_text_rnn,
    "RCNN": make_rcnn,
    "HAN": make_han,
    "Seq2Seq": make_seq2seq,
    "Transformer": make_transformer,
    "TF-IDF": make_baseline,
}


class Result(NamedTuple):
    """What training a model took and gave."""

    accuracy: float
    epochs: int | None
    seconds: float
    n_weights: int


def evaluate(
    model: Pipeline,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
) -> Result:
    """Train a model, and measure its accuracy on the texts of other files."""
    start = time.perf_counter()
    model.fit(*train)
    seconds = time.perf_counter() - start
    net = model["net"]
    if isinstance(net, SequentialClassifier):
        n_weights = sum(array.size for array in net.get_weights().values())
        epochs = net.n_iter_
    else:
        n_weights, epochs = net.coef_.size + net.intercept_.size, None
    return Result(model.score(*test), epochs, seconds, n_weights)


def compare(
    names: Sequence[str], texts: np.ndarray, labels: np.ndarray, files: np.ndarray
) -> tuple[dict[str, Result], float]:
    """Train and print one model after the other.

    Returns
    -------
    results : dict of str to Result
    guess : float
        Accuracy of always naming the package with the most docstrings.
    """
    train, test = split_by_file(texts, labels, files)
    guess = accuracy_of_guessing(labels, train, test)
    print(f"{len(train)} texts to learn from, {len(test)} of other files to test on")
    print(f"  {'model':<12} test accuracy  epochs  seconds    weights")
    print(f"  {'guessing':<12} {guess:13.3f}")
    results = {}
    for name in names:
        result = evaluate(
            MODELS[name](), (texts[train], labels[train]), (texts[test], labels[test])
        )
        results[name] = result
        print(
            f"  {name:<12} {result.accuracy:13.3f}  {result.epochs or '':>6}  "
            f"{result.seconds:7.1f}  {result.n_weights:9,}",
            flush=True,
        )
    mean = np.mean([result.accuracy for result in results.values()])
    error = np.sqrt(mean * (1 - mean) / len(test))
    print(f"  (standard error of these accuracies: {error:.3f})")
    return results, guess


def main(argv: list[str] | None = None) -> int:
    """Compare the models that the command line names, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--texts", type=int, default=3000, help="at most so many docstrings (3000)"
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    options = parser.parse_args(argv)
    start = time.perf_counter()
    texts, labels, files = read_texts()
    if options.texts < len(texts):
        texts, labels, files = resample(
            *(texts, labels, files),
            replace=False,
            n_samples=options.texts,
            random_state=0,
            stratify=labels,
        )
    results, guess = compare(options.models, texts, labels, files)
    print(f"\nDone in {time.perf_counter() - start:.1f} s")
    return 0 if min(result.accuracy for result in results.values()) > guess else 1


if __name__ == "__main__":
    sys.exit(main())
