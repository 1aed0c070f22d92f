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

import ast
import re
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv1D, Dropout, Embedding, GlobalMaxPool, Parallel
from skconvnet.text import TokenSequence

PACKAGES = ("numpy", "scipy", "sklearn")
# Not by the package's own authors, or not about what the package does.
SKIPPED = {"tests", "testing", "externals", "array_api_compat", "_lib", "_vendor"}
NAMES = re.compile(r"(?i)\b(np|num_?py|sci_?py|sk_?learn|scikit([-_ ]?learn)?)\b")
FEWEST_WORDS = 20
WORD = r"\b[a-z][a-z]+\b"

# The size of the vocabulary, and the number of words that are used of each text.
N_TOKENS, LENGTH = 10_000, 100
# Words and pairs of words for the means.
N_PAIRS, LENGTH_PAIRS = 30_000, 400


def docstrings(package: str) -> Iterator[tuple[str, str]]:
    """Yield the file and the docstring of each function and class of `package`."""
    root = Path(find_spec(package).origin).parent
    for path in sorted(root.rglob("*.py")):
        file = path.relative_to(root.parent)
        if SKIPPED.intersection(file.parts):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                yield str(file), ast.get_docstring(node) or ""


def prose(docstring: str) -> str:
    """Remove code, cross references and the names of the packages."""
    lines = [
        line
        for line in docstring.splitlines()
        if not line.lstrip().startswith((">>>", "...", ".. "))
    ]
    return NAMES.sub(" ", "\n".join(lines))


def read_texts(
    packages: Sequence[str] = PACKAGES,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return texts without duplicates, their packages, and their files."""
    rows, seen = [], set()
    for package in packages:
        for file, docstring in docstrings(package):
            text = prose(docstring)
            if text not in seen and len(text.split()) >= FEWEST_WORDS:
                seen.add(text)
                rows.append((text, package, file))
    texts, labels, files = zip(*rows, strict=True)
    return np.array(texts, dtype=object), np.array(labels), np.array(files)


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
    phrases = [
        (f"of_{n}", [Conv1D(32, n, activation="relu"), GlobalMaxPool()])
        for n in (2, 3, 4)
    ]
    layers = [
        ("embedding", Embedding(N_TOKENS, 32, padding_token=0)),
        ("phrases", Parallel(phrases)),
        ("dropout", Dropout(0.5)),
    ]
    tokens = TokenSequence(N_TOKENS, LENGTH, token_pattern=WORD)
    net = make_network(layers, learning_rate_init=0.005)
    return Pipeline([("tokens", tokens), ("net", net)])


def make_means() -> Pipeline:
    """Return a linear classifier of the mean vector of words and pairs of words."""
    embedding = Embedding(N_PAIRS, 32, padding_token=0, reduce="mean")
    tokens = TokenSequence(
        N_PAIRS, LENGTH_PAIRS, token_pattern=WORD, ngram_range=(1, 2)
    )
    net = make_network([("embedding", embedding)], learning_rate_init=0.02)
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
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=0)
    train, test = next(folds.split(texts, labels, files))
    names, counts = np.unique(labels[train], return_counts=True)
    guess = float(np.mean(labels[test] == names[counts.argmax()]))
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
