"""Learn to reverse strings of digits, and to add numbers written as digits.

    python examples/sequence_to_sequence.py [--plot attention.png]

An encoder reads the source, such as "583" or "41+7", and a decoder writes the target,
"385" or "48", one digit at a time. Before each digit, it looks at the source by
attention. A sample holds both, so that training needs nothing but rows of tokens: the
true digits so far are part of X (teacher forcing), and y has the next digit at each
step. In prediction, each digit that the network chooses is written into X for the next
step (greedy prediction).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from _command_line import picture_file

from skconvnet import SequentialClassifier
from skconvnet.inspection import attention_weights
from skconvnet.layers import GRU, Bidirectional, Conv1D, Embedding, EncoderDecoder

PADDING, START, END = range(3)
CHARACTERS = "0123456789+"
N_TOKENS = 3 + len(CHARACTERS)
N_TEST = 500

Pairs: TypeAlias = list[tuple[str, str]]


def reversals(rng: np.random.Generator, n: int) -> Pairs:
    """Return strings of 3 to 8 digits, and each of them reversed."""
    lengths = rng.integers(3, 9, n)
    sources = ["".join(map(str, rng.integers(0, 10, length))) for length in lengths]
    return [(source, source[::-1]) for source in sources]


def sums(rng: np.random.Generator, n: int) -> Pairs:
    """Return different sums of two numbers of up to two digits, and their values."""
    numbers = divmod(rng.permutation(100 * 100)[:n], 100)
    return [(f"{a}+{b}", str(a + b)) for a, b in np.transpose(numbers).tolist()]


@dataclass
class Rows:
    """Pairs of texts as rows of tokens.

    Attributes
    ----------
    X : ndarray of shape (n_pairs, source_length + n_steps)
        The source, then START and the target.
    y : ndarray of shape (n_pairs, n_steps, 1)
        What follows at each step of the target: its next token, and END in the end.
    source_length : int
    """

    X: np.ndarray
    y: np.ndarray
    source_length: int

    @property
    def weights(self) -> np.ndarray:
        """1 for each step of a target, and 0 for what follows its END."""
        return (self.y[..., 0] != PADDING).astype(float)


def as_rows(pairs: Pairs, source_length: int, n_steps: int) -> Rows:
    """Return pairs of texts as rows of tokens."""
    X = np.full((len(pairs), source_length + n_steps), PADDING, np.uint8)
    y = np.full((len(pairs), n_steps, 1), PADDING, np.uint8)
    X[:, source_length] = START
    for row, steps, (source, target) in zip(X, y[..., 0], pairs, strict=True):
        tokens = as_tokens(target)
        row[: len(source)] = as_tokens(source)
        row[source_length + 1 :][: len(tokens)] = tokens
        steps[: len(tokens) + 1] = [*tokens, END]
    return Rows(X, y, source_length)


def as_tokens(text: str) -> list[int]:
    """Return the token of each character."""
    return [3 + CHARACTERS.index(character) for character in text]


def as_text(tokens: Sequence[int]) -> str:
    """Return the characters up to END."""
    ends = [i for i, token in enumerate(tokens) if token == END]
    own = tokens[: ends[0]] if ends else tokens
    return "".join(CHARACTERS[t - 3] if t > END else "?" for t in own)


def make_network(source_length: int, units: int = 96) -> SequentialClassifier:
    """Return an encoder in both directions and a decoder, not trained."""
    return SequentialClassifier(
        [
            (
                "translate",
                EncoderDecoder(
                    encoder=[
                        Embedding(N_TOKENS, 32, padding_token=PADDING),
                        Bidirectional(GRU(units, return_sequences=True)),
                    ],
                    decoder=[
                        Embedding(N_TOKENS, 32, padding_token=PADDING),
                        GRU(units, return_sequences=True),
                    ],
                    source_length=source_length,
                ),
            ),
            ("hidden", Conv1D(units, 1, activation="tanh")),
        ],
        batch_size=64,
        max_iter=30,
        learning_rate="cosine",
        learning_rate_init=0.005,
        n_iter_no_change=np.inf,
        alpha=0.0,
        dtype="float32",
        random_state=0,
    )


def write(network: SequentialClassifier, rows: Rows) -> list[str]:
    """Return the target that the network writes for each source."""
    X, first = rows.X.copy(), rows.source_length + 1
    X[:, first:] = PADDING
    n_steps = rows.y.shape[1]
    written = np.full((len(X), n_steps), PADDING)
    for step in range(n_steps):
        written[:, step] = network.predict(X)[:, step, 0]
        if step + 1 < n_steps:
            X[:, first + step] = written[:, step]
    return [as_text(tokens) for tokens in written.tolist()]


@dataclass
class Result:
    """A trained network, and what it writes for sources it has not seen."""

    network: SequentialClassifier
    rows: Rows
    pairs: Pairs
    written: list[str]

    @property
    def share(self) -> float:
        """The share of targets that are right in every character."""
        right = (
            target == own
            for (_, target), own in zip(self.pairs, self.written, strict=True)
        )
        return sum(right) / len(self.pairs)


def learn(
    task: Callable[[np.random.Generator, int], Pairs],
    n_pairs: int,
    **params: object,
) -> Result:
    """Train a network on drawn pairs, and try it on others."""
    pairs = list(dict.fromkeys(task(np.random.default_rng(0), n_pairs + N_TEST)))
    source_length = max(len(source) for source, _ in pairs)
    n_steps = max(len(target) for _, target in pairs) + 1
    rows = as_rows(pairs[N_TEST:], source_length, n_steps)
    network = make_network(source_length).set_params(**params)
    network.fit(rows.X, rows.y, rows.weights)
    test = as_rows(pairs[:N_TEST], source_length, n_steps)
    return Result(network, test, pairs[:N_TEST], write(network, test))


def plot(results: dict[str, Result], file: Path) -> None:
    """Draw where each step of a target looks in the source."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots(1, len(results), squeeze=False)[0]
    for own, (name, result) in zip(axes, results.items(), strict=True):
        number = max(range(20), key=lambda i: len(result.pairs[i][0]))
        source, target = result.pairs[number]
        X = result.rows.X[number : number + 1]
        weights = attention_weights(result.network, X, "translate")[0, 0]
        steps = [*target, "end"]
        own.imshow(weights[: len(steps), : len(source)], cmap="Blues", vmin=0, vmax=1)
        own.set_xticks(range(len(source)), source)
        own.set_yticks(range(len(steps)), steps)
        own.set(title=name, xlabel="source", ylabel="written")
    figure.savefig(file)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print what was written, and draw the attention if requested."""
    file = picture_file(__doc__, argv)
    results = {
        "reverse": learn(reversals, 3000, max_iter=15),
        "add": learn(sums, 8000, max_iter=20),
    }
    for name, result in results.items():
        print(f"\n{name}: {result.share:.1%} of {len(result.pairs)} new ones are right")
        for (source, target), own in list(
            zip(result.pairs, result.written, strict=True)
        )[:5]:
            print(f"  {source:>8} -> {own:<8} {'' if own == target else target}")
    if file:
        plot(results, file)
    return 0 if min(result.share for result in results.values()) > 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
