"""Compare networks for series of different lengths, and draw what they see.

    python examples/series_networks.py [--plot series.png]

The task is the classical one of cylinder, bell and funnel (N. Saito, 1994): a plateau,
a rise and a fall, each of random length and height, at a random place of a noisy
series. Here the series have 96 to 160 steps, and are passed as a list.

Published networks learn from the same series: FCN and ResNet (Z. Wang et al., 2017),
InceptionTime (H. Ismail Fawaz et al., 2020) and a transformer, all made narrower, and a
GRU in both directions. The yardstick is a random forest on statistics of the series.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _command_line import picture_file
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skconvnet import SequentialClassifier
from skconvnet.architectures import (
    fcn,
    inception_time,
    resnet_1d,
    transformer_encoder,
)
from skconvnet.inspection import attribute
from skconvnet.layers import GRU, Bidirectional, Conv1D

CLASSES = ("cylinder", "bell", "funnel")
N_TRAIN, N_TEST = 150, 600
SHORTEST, LONGEST = 96, 160


def draw_series(rng: np.random.Generator, kind: str) -> np.ndarray:
    """Return a series of shape (length, 1), with its form somewhere in it."""
    length = rng.integers(SHORTEST, LONGEST + 1)
    start = rng.integers(8, length // 3)
    stop = min(start + rng.integers(32, 72), length - 4)
    ramp = np.linspace(0, 1, stop - start)
    form = {"cylinder": np.ones_like(ramp), "bell": ramp, "funnel": ramp[::-1]}[kind]
    series = rng.normal(size=length)
    series[start:stop] += (3 + 0.7 * rng.normal()) * form
    return series[:, np.newaxis].astype(np.float32)


def draw(n: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return series of all classes, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.array(CLASSES)[np.arange(n) % len(CLASSES)]
    return [draw_series(rng, kind) for kind in y], y


def network(layers: list, learning_rate: float = 0.003) -> SequentialClassifier:
    """Return a network that is not trained."""
    return SequentialClassifier(
        layers,
        batch_size=16,
        max_iter=30,
        learning_rate="cosine",
        learning_rate_init=learning_rate,
        n_iter_no_change=np.inf,
        dtype="float32",
        random_state=0,
    )


def statistics(X: list[np.ndarray]) -> np.ndarray:
    """Return numbers that describe a series of any length."""
    return np.array(
        [
            [
                len(x),
                x.mean(),
                x.std(),
                x.max(),
                *np.quantile(x, [0.25, 0.5, 0.75, 0.9]),
            ]
            + [part.mean() for part in np.array_split(x, 8)]
            for x in X
        ]
    )


def make_baseline() -> Pipeline:
    """Return a random forest on statistics, among them the means of eighths."""
    forest = RandomForestClassifier(300, random_state=0)
    return make_pipeline(FunctionTransformer(statistics), forest)


MODELS: dict[str, BaseEstimator] = {
    "FCN": network(fcn(width=1 / 4)),
    "ResNet": network(resnet_1d(width=1 / 4)),
    "InceptionTime": network(inception_time(depth=3, width=1 / 4)),
    "GRU": network([Bidirectional(GRU(16))], 0.01),
    "transformer": network(
        [
            # Several steps at once: one step of noise says little.
            ("patches", Conv1D(16, 8, 4, activation="gelu")),
            *transformer_encoder(None, 16, 2, 2, 32),
        ]
    ),
    "random forest": make_baseline(),
}


class Result(NamedTuple):
    """A trained model, and what its training took and gave."""

    model: BaseEstimator
    accuracy: float
    seconds: float
    n_weights: int | None


def evaluate(model: BaseEstimator) -> Result:
    """Train a model, and measure its accuracy on other series."""
    X, y = draw(N_TRAIN, 0)
    start = time.perf_counter()
    fitted = clone(model).fit(X, y)
    seconds = time.perf_counter() - start
    n_weights = None
    if isinstance(fitted, SequentialClassifier):
        n_weights = sum(array.size for array in fitted.get_weights().values())
    return Result(fitted, fitted.score(*draw(N_TEST, 1)), seconds, n_weights)


def plot(results: dict[str, Result], file: Path) -> None:
    """Draw a series of each class, and which steps its score depends on."""
    from matplotlib.figure import Figure

    networks = {
        name: result.model
        for name, result in results.items()
        if isinstance(result.model, SequentialClassifier)
    }
    X, y = draw(3, 5)
    size = (3 * len(CLASSES), 1.8 * len(networks))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(networks), len(CLASSES), sharex=True)
    for row, (name, model) in zip(panels, networks.items(), strict=True):
        seen = attribute(model, X, "smooth_grad", n_samples=20)
        for axes, series, kind, own in zip(row, X, y, seen, strict=True):
            depends = np.abs(own[:, 0])
            axes.scatter(
                np.arange(len(series)),
                series[:, 0],
                c=depends / depends.max(),
                cmap="viridis",
                s=6,
            )
            axes.set_title(f"{name}: {kind}", fontsize=9)
    figure.savefig(file)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print accuracies, and draw attributions if requested."""
    file = picture_file(__doc__, argv)
    print(f"{N_TRAIN} series of {SHORTEST} to {LONGEST} steps, {N_TEST} others to test")
    print(f"  {'model':<14} accuracy  seconds  weights")
    results = {}
    for name, model in MODELS.items():
        result = results[name] = evaluate(model)
        weights = "" if result.n_weights is None else f"{result.n_weights:,}"
        print(
            f"  {name:<14}{result.accuracy:9.3f}{result.seconds:9.1f}{weights:>9}",
            flush=True,
        )
    if file:
        plot(results, file)
    return 0 if results["FCN"].accuracy > results["random forest"].accuracy else 1


if __name__ == "__main__":
    sys.exit(main())
