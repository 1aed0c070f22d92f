"""Draw what a small network makes of a digit: the picture of the README.

    python docs/draw_digit.py [--output docs/digit.svg]

Trains a ConvNetClassifier on the digits that come with scikit-learn, and draws one of
the digits held out, the feature maps of both blocks, and the probability of each class.
Nothing but the package is needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from svg_canvas import ACCENT, MIDDLE, TIMES, Canvas

from skconvnet import ConvNetClassifier

WIDTH, HEIGHT = 960, 226
TOP = 66
MAP = 64  # Width and height of a feature map of the first block.
GAP = 8

# Colors at the smallest and the largest value of a map.
PALEST, DARKEST = np.array([238, 242, 247]), np.array([20, 62, 122])


def train_network() -> tuple[ConvNetClassifier, np.ndarray, np.ndarray]:
    """Return a fitted network, and images and labels that it has not seen."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    network = ConvNetClassifier(
        filters=(8, 16),
        hidden_layer_sizes=64,
        random_state=0,
    )
    return network.fit(X_train, y_train), X_test, y_test


def draw(network: ConvNetClassifier, image: np.ndarray) -> Canvas:
    """Return the picture for one row of 64 pixels."""
    X = image[np.newaxis]
    first = network.activations(X, "activation1")[0]
    second = network.activations(X, "activation2")[0]
    probabilities = network.predict_proba(X)[0]
    side = 4 * MAP // 2 + GAP  # As high as two rows of maps.
    canvas = Canvas(
        WIDTH,
        HEIGHT,
        "A digit, the feature maps of two blocks, and the probability of each class",
    )

    draw_heading(canvas, 20, "input", f"8 {TIMES} 8 {TIMES} 1")
    draw_map(canvas, image.reshape(8, 8), 20, TOP, side)

    left = 20 + side + 40
    draw_heading(canvas, left, "conv1", f"8 {TIMES} 8 {TIMES} 8")
    for channel in range(8):
        row, column = divmod(channel, 4)
        x, y = left + column * (MAP + GAP), TOP + row * (MAP + GAP)
        draw_map(canvas, first[..., channel], x, y, MAP)

    left += 4 * (MAP + GAP) + 32
    small = (side - 3 * GAP) // 4
    draw_heading(canvas, left, "conv2", f"4 {TIMES} 4 {TIMES} 16")
    for channel in range(16):
        row, column = divmod(channel, 4)
        x, y = left + column * (small + GAP), TOP + row * (small + GAP)
        draw_map(canvas, second[..., channel], x, y, small)

    left += 4 * (small + GAP) + 32
    draw_heading(canvas, left, "output", "10 probabilities")
    draw_bars(canvas, probabilities, left, WIDTH - left - 20, side)
    return canvas


def draw_heading(canvas: Canvas, x: float, title: str, shape: str) -> None:
    """Write a title and, below it, a shape."""
    canvas.text(x, TOP - 30, title, size=16, anchor="start", is_bold=True)
    canvas.text(x, TOP - 12, shape, size=12, anchor="start")


def draw_map(
    canvas: Canvas, values: np.ndarray, x: float, y: float, side: float
) -> None:
    """Draw the cells of one map, from its smallest to its largest value."""
    low, high = values.min(), values.max()
    shares = (values - low) / (high - low if high > low else 1.0)
    cell = side / len(values)
    canvas.elements.append(f'<g transform="translate({x} {y}) scale({cell:g})">')
    for (row, column), share in np.ndenumerate(shares):
        color = np.rint(PALEST + share * (DARKEST - PALEST)).astype(int)
        # A little too large, so that no seam shows between two cells.
        canvas.elements.append(
            f'<rect x="{column}" y="{row}" width="1.02" height="1.02" '
            f'fill="#{color[0]:02x}{color[1]:02x}{color[2]:02x}"/>'
        )
    canvas.elements.append("</g>")


def draw_bars(
    canvas: Canvas, probabilities: np.ndarray, x: float, width: float, height: float
) -> None:
    """Draw a horizontal bar for each class, the most probable one in color."""
    step = height / len(probabilities)
    for digit, p in enumerate(probabilities):
        top = TOP + digit * step
        fill = ACCENT if p == probabilities.max() else MIDDLE
        length = round(max(p * (width - 20), 1), 1)
        canvas.text(x, top + 10, str(digit), size=11, anchor="start")
        canvas.rectangle(x + 16, top + 2, length, 9, fill=fill, stroke="none")


def main() -> None:
    """Train the network and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=Path(__file__).with_name("digit.svg"))
    network, X, y = train_network()
    # One that it recognizes without being certain, so that there are bars to see.
    is_right = network.predict(X) == y
    certainty = network.predict_proba(X[is_right]).max(axis=1)
    svg = draw(network, X[is_right][np.argmin(np.abs(certainty - 0.7))]).svg()
    Path(parser.parse_args().output).write_text(svg, encoding="utf-8")
    print(f"test accuracy {network.score(X, y):.3f}, {len(svg) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
