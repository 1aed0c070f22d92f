"""Find cells, and the borders between those that touch, with a U-Net.

    python examples/segmentation.py [--plot segmentation.png]

Images of discs are drawn: some of them touch, the light is uneven, and there is noise.
Each pixel is labeled "background", "cell" or "border", the thin line where two cells
meet, which separates them. A U-Net (O. Ronneberger et al., 2015) is compared with a
logistic regression that sees the 5x5 window around each pixel. The score of a class is
its intersection over union (IoU): pixels that are of this class in truth and prediction
divided by pixels that are of it in either.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from _command_line import picture_file
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import jaccard_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import SequentialClassifier
from skconvnet.augmentation import Flip
from skconvnet.layers import (
    BatchNorm,
    Conv2D,
    Conv2DTranspose,
    MaxPool2D,
    Parallel,
)

CLASSES = ("background", "border", "cell")
SIZE = 48
N_TRAIN, N_TEST = 240, 60
# Radii of cells, and pixels by which the cells of a pair overlap.
RADII, OVERLAP = (5.0, 8.0), 2.0
NOISE = 0.25


def draw_cells(
    n: int, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return images of shape (n, size, size, 1), and the label of each pixel."""
    images, labels = np.empty((n, size, size, 1)), np.empty((n, size, size), "<U10")
    rows, columns = np.mgrid[:size, :size]
    for image, label in zip(images, labels, strict=True):
        centers, radii = _place_cells(size, rng)
        # How deep inside each cell a pixel is, in pixels; negative outside.
        depths = np.array(
            [
                radius - np.hypot(rows - row, columns - column)
                for (row, column), radius in zip(centers, radii, strict=True)
            ]
        )
        depths.sort(axis=0)
        first, second = depths[-1], depths[-2]
        label[...] = "background"
        label[first > 0] = "cell"
        # Where a pixel is about as near to the inside of two cells.
        label[(first > 0) & (second > -1) & (first - second < 2)] = "border"
        angle = rng.uniform(0, 2 * np.pi)
        light = (rows * np.cos(angle) + columns * np.sin(angle)) / size
        bright = (first > 0) * rng.uniform(0.8, 1.2) + light
        image[..., 0] = bright + rng.normal(0, NOISE, (size, size))
    return images, labels


def _place_cells(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the centers and radii of three pairs of cells, each of which touch."""
    centers, radii = [], []
    for _ in range(3):
        pair = rng.uniform(*RADII, size=2)
        center = rng.uniform(RADII[0], size - RADII[0], size=2)
        angle = rng.uniform(0, 2 * np.pi)
        step = (pair.sum() - OVERLAP) * np.array([np.sin(angle), np.cos(angle)])
        centers += [center, center + step]
        radii += pair.tolist()
    return np.array(centers), np.array(radii)


def u_net(filters: int, depth: int) -> list:
    """Return the layers of a U-Net, which ends with maps of `filters` channels.

    At each depth there are two branches, whose outputs are joined along the channels: a
    skip, and a U-Net of maps half as large.
    """
    layers = [*_convolution(filters)]
    if depth > 0:
        deeper = [
            MaxPool2D(2),
            *u_net(2 * filters, depth - 1),
            Conv2DTranspose(filters, 2, strides=2),
        ]
        layers += [
            Parallel([("skip", []), ("deeper", deeper)]),
            *_convolution(filters),
        ]
    return layers


def _convolution(filters: int) -> list:
    return [Conv2D(filters, 3, padding="same", activation="relu"), BatchNorm()]


def windows(images: np.ndarray, width: int = 5) -> np.ndarray:
    """Return the window around each pixel, of shape (n_pixels, width ** 2)."""
    pad = width // 2
    padded = np.pad(images[..., 0], [(0, 0), (pad, pad), (pad, pad)], mode="edge")
    return sliding_window_view(padded, (width, width), axis=(1, 2)).reshape(
        -1, width**2
    )


def print_ious(name: str, y: np.ndarray, predicted: np.ndarray, seconds: float) -> None:
    """Print the IoU of each class, and their mean."""
    ious = jaccard_score(
        y.ravel(), predicted.ravel(), labels=CLASSES, average=None, zero_division=0
    )
    numbers = "  ".join(f"{value:10.3f}" for value in [*ious, np.mean(ious)])
    print(f"{name:20}  {numbers}  {seconds:7.1f}")


def plot(
    path: Path, images: np.ndarray, y: np.ndarray, predicted: dict[str, np.ndarray]
) -> None:
    """Draw some images, their labels and the predictions."""
    from matplotlib.figure import Figure

    n = 3
    columns = {"image": images[..., 0], "truth": y, **predicted}
    figure = Figure(figsize=(2 * len(columns), 2 * n), layout="constrained")
    axes = figure.subplots(n, len(columns), squeeze=False)
    for column, (name, maps) in enumerate(columns.items()):
        axes[0, column].set_title(name)
        for row in range(n):
            shown = maps[row]
            if shown.dtype.kind == "U":
                shown = np.searchsorted(CLASSES, shown)
            axes[row, column].imshow(shown, cmap="gray" if column == 0 else "viridis")
            axes[row, column].set_axis_off()
    figure.savefig(path)
    print(f"Drawn to {path}")


def main(argv: list[str] | None = None) -> int:
    """Train both models, and print their scores on other images."""
    picture = picture_file(__doc__, argv)
    rng = np.random.default_rng(0)
    X_train, y_train = draw_cells(N_TRAIN, SIZE, rng)
    X_test, y_test = draw_cells(N_TEST, SIZE, rng)
    net = SequentialClassifier(
        u_net(filters=8, depth=2),
        learning_rate="one_cycle",
        learning_rate_init=0.01,
        batch_size=16,
        max_iter=30,
        class_weight={"border": 2.0},
        augmentation=Flip(vertical=True),
        dtype="float32",
        random_state=0,
    )
    baseline = make_pipeline(StandardScaler(), LogisticRegression())
    print(f"{N_TRAIN} images of {SIZE}x{SIZE} pixels; IoU on {N_TEST} others")
    titles = "  ".join(f"{title:>10}" for title in [*CLASSES, "mean"])
    print(f"{'':20}  {titles}  seconds")

    start = time.perf_counter()
    some = slice(None, None, 7)  # a seventh of the pixels is enough for 78 weights
    baseline.fit(windows(X_train)[some], y_train.ravel()[some])
    by_window = baseline.predict(windows(X_test)).reshape(y_test.shape)
    print_ious("5x5 windows", y_test, by_window, time.perf_counter() - start)
    start = time.perf_counter()
    by_net = net.fit(X_train, y_train).predict(X_test)
    print_ious("U-Net", y_test, by_net, time.perf_counter() - start)
    if picture is not None:
        plot(picture, X_test, y_test, {"5x5 windows": by_window, "U-Net": by_net})
    return 0


if __name__ == "__main__":
    sys.exit(main())
