"""Classify docstrings by the package that they come from.

    python examples/text.py

Two pipelines classify raw texts: a TextCNN, which convolves over the vectors of the
words and takes the largest value of each filter (Y. Kim, 2014), and a linear classifier
of the mean of the vectors of words and pairs of words, as in FastText (A. Joulin et
al., 2017). They are compared with a baseline of scikit-learn, a logistic regression on
TF-IDF features.

The texts are the docstrings of NumPy, SciPy and scikit-learn, read from the installed
files, so no connection is needed. The names of the packages, code and cross references
are removed. All docstrings of one file are used either for training or for testing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np
from _docstrings import WORD, accuracy_of_guessing, read_texts, split_by_file
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from skconvnet import SequentialClassifier
from skconvnet.architectures import fasttext, text_cnn
from skconvnet.text import TokenSequence

# The size of the vocabulary, and the number of words that are used of each text.
N_TOKENS, LENGTH = 10_000, 100
# Words and pairs of words for the means.
N_PAIRS, LENGTH_PAIRS = 30_000, 400


def make_network(layers: list, **params: object) -> SequentialClassifier:
    """Return a classifier with early stopping on a tenth of the texts."""
    return SequentialClassifier(
        layers,
        batch_size=64,
        max_iter=50,
        early_stopping=True,
        n_iter_no_change=3,
        random_state=0,
        **params,
    )


def make_text_cnn() -> Pipeline:
    """Return a network that finds phrases of a few words at any position."""
    layers = text_cnn(N_TOKENS, n_dims=32, filters=32, kernel_sizes=(2, 3, 4))
    tokens = TokenSequence(N_TOKENS, LENGTH, token_pattern=WORD)
    net = make_network(layers, learning_rate_init=0.005)
    return Pipeline([("tokens", tokens), ("net", net)])


def make_means() -> Pipeline:
    """Return a linear classifier of the mean vector of words and pairs of words."""
    tokens = TokenSequence(
        N_PAIRS, LENGTH_PAIRS, token_pattern=WORD, ngram_range=(1, 2)
    )
    net = make_network(fasttext(N_PAIRS, n_dims=32), learning_rate_init=0.02)
    return Pipeline([("tokens", tokens), ("net", net)])


def make_baseline() -> Pipeline:
    """Return a baseline that is hard to surpass with a few thousand texts."""
    words = TfidfVectorizer(token_pattern=WORD, sublinear_tf=True)
    return Pipeline([("words", words), ("net", LogisticRegression(C=10))])


MODELS = {
    "TextCNN": make_text_cnn(),
    "means of words and pairs": make_means(),
    "TF-IDF, logistic regression": make_baseline(),
}
QUESTIONS = [
    "Find a minimum of a function of several variables, given its gradient.",
    "Return a copy of the array with its axes in reverse order.",
    "Number of trees in the forest, and whether samples are drawn with replacement.",
]


def compare(
    models: dict[str, Pipeline],
    texts: np.ndarray,
    labels: np.ndarray,
    files: np.ndarray,
) -> tuple[dict[str, Pipeline], dict[str, float], float]:
    """Train each model, and print how many texts of other files it gets right.

    Returns
    -------
    fitted : dict of str to Pipeline
    accuracies : dict of str to float
    guess : float
        Accuracy of always naming the package with the most docstrings.
    """
    train, test = split_by_file(texts, labels, files)
    guess = accuracy_of_guessing(labels, train, test)
    print(f"{len(train)} texts to learn from, {len(test)} of other files to test on")
    print(f"  {'model':<28} test accuracy  epochs  seconds")
    print(f"  {'always the largest package':<28} {guess:13.3f}")
    fitted, accuracies = {}, {}
    for name, model in models.items():
        start = time.perf_counter()
        fitted[name] = clone(model).fit(texts[train], labels[train])
        seconds = time.perf_counter() - start
        accuracies[name] = fitted[name].score(texts[test], labels[test])
        epochs = getattr(fitted[name]["net"], "loss_curve_", [])
        print(
            f"  {name:<28} {accuracies[name]:13.3f}  "
            f"{len(epochs) or '':>6}  {seconds:7.1f}"
        )
    mean = np.mean(list(accuracies.values()))
    error = np.sqrt(mean * (1 - mean) / len(test))
    print(f"  (standard error of these accuracies: {error:.3f})")
    return fitted, accuracies, guess


def answer(model: Pipeline, questions: Sequence[str]) -> None:
    """Print the probability of each package for a few new sentences."""
    for text, probabilities in zip(
        questions, model.predict_proba(questions), strict=True
    ):
        shares = zip(model.classes_, probabilities, strict=True)
        print(f"  {text}")
        print("    " + ", ".join(f"{name} {share:.2f}" for name, share in shares))


def main() -> int:
    """Compare the models, and classify new sentences with one of them."""
    start = time.perf_counter()
    texts, labels, files = read_texts()
    names, counts = np.unique(labels, return_counts=True)
    print("Docstrings: " + ", ".join(map("{} of {}".format, counts, names)))
    print(f"  {time.perf_counter() - start:.1f} s so far\n")
    fitted, accuracies, guess = compare(MODELS, texts, labels, files)
    print("\nTextCNN")
    table = fitted["TextCNN"]["net"].summary()
    print("\n".join(f"  {line}" for line in table.splitlines()), end="\n\n")
    print("Where might these be from? The means of words and pairs:")
    answer(fitted["means of words and pairs"], QUESTIONS)
    print(f"\nDone in {time.perf_counter() - start:.1f} s")
    return 0 if min(accuracies.values()) > guess else 1


if __name__ == "__main__":
    sys.exit(main())
