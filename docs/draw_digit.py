"""Draw what a small network makes of a digit: the picture of the README.

    python docs/draw_digit.py [--output docs/digit.svg]

Trains a ConvNetClassifier on the digits that come with scikit-learn, and draws one of
the digits held out, the feature maps of both blocks, and the probability of each class.
The SVG is written as text: nothing but the package is needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier

WIDTH, HEIGHT = 960, 226
TOP = 66
MAP = 64  # Width and height of a feature map of the first block.
GAP = 8

# Colors at the smallest and the largest value of a map.
PAPER, INK = np.array([238, 242, 247]), np.array([20, 62, 122])
BAR, BEST = "#9fb3c8", "#c2410c"


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


def draw(network: ConvNetClassifier, image: np.ndarray) -> str:
    """Return the SVG for one row of 64 pixels."""
    X = image[np.newaxis]
    first = network.activations(X, "activation1")[0]
    second = network.activations(X, "activation2")[0]
    probabilities = network.predict_proba(X)[0]
    side = 4 * MAP // 2 + GAP  # As high as two rows of maps.

    parts = [text(20, TOP - 30, "input", "8 &#215; 8 &#215; 1")]
    parts += draw_map(image.reshape(8, 8), 20, TOP, side)

    left = 20 + side + 40
    parts.append(text(left, TOP - 30, "conv1", "8 &#215; 8 &#215; 8"))
    for channel in range(8):
        row, column = divmod(channel, 4)
        x, y = left + column * (MAP + GAP), TOP + row * (MAP + GAP)
        parts += draw_map(first[..., channel], x, y, MAP)

    left += 4 * (MAP + GAP) + 32
    small = (side - 3 * GAP) // 4
    parts.append(text(left, TOP - 30, "conv2", "4 &#215; 4 &#215; 16"))
    for channel in range(16):
        row, column = divmod(channel, 4)
        x, y = left + column * (small + GAP), TOP + row * (small + GAP)
        parts += draw_map(second[..., channel], x, y, small)

    left += 4 * (small + GAP) + 32
    parts.append(text(left, TOP - 30, "output", "10 probabilities"))
    parts += draw_bars(probabilities, left, TOP, WIDTH - left - 20, side)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'role="img" font-family="sans-serif">',
            "<title>A digit, the feature maps of two blocks, and the probability of "
            "each class</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def draw_map(values: np.ndarray, x: float, y: float, side: float) -> list[str]:
    """Return the cells of one map, from its smallest to its largest value."""
    low, high = values.min(), values.max()
    shares = (values - low) / (high - low if high > low else 1.0)
    cell = side / len(values)
    parts = [f'<g transform="translate({x} {y}) scale({cell:g})">']
    for (row, column), share in np.ndenumerate(shares):
        color = np.rint(PAPER + share * (INK - PAPER)).astype(int)
        # A little too large, so that no seam shows between two cells.
        parts.append(
            f'<rect x="{column}" y="{row}" width="1.02" height="1.02" '
            f'fill="#{color[0]:02x}{color[1]:02x}{color[2]:02x}"/>'
        )
    return [*parts, "</g>"]


def draw_bars(
    probabilities: np.ndarray, x: float, y: float, width: float, height: float
) -> list[str]:
    """Return a horizontal bar for each class, the most probable one in color."""
    step = height / len(probabilities)
    parts = []
    for digit, p in enumerate(probabilities):
        top = y + digit * step
        fill = BEST if p == probabilities.max() else BAR
        length = max(p * (width - 20), 1)
        parts.append(
            f'<text x="{x}" y="{top + 10:g}" font-size="11" fill="#334155">{digit}'
            "</text>"
            f'<rect x="{x + 16}" y="{top + 2:g}" width="{length:.1f}" height="9" '
            f'fill="{fill}"/>'
        )
    return parts


def text(x: float, y: float, title: str, shape: str) -> str:
    """Return a heading and, below it, a shape."""
    return (
        f'<text x="{x}" y="{y}" font-size="16" font-weight="bold" fill="#0f172a">'
        f"{title}</text>"
        f'<text x="{x}" y="{y + 18}" font-size="12" fill="#475569">{shape}</text>'
    )


def main() -> None:
    """Train the network and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=Path(__file__).with_name("digit.svg"))
    network, X, y = train_network()
    # One that it recognizes without being certain, so that there are bars to see.
    is_right = network.predict(X) == y
    certainty = network.predict_proba(X[is_right]).max(axis=1)
    svg = draw(network, X[is_right][np.argmin(np.abs(certainty - 0.7))])
    Path(parser.parse_args().output).write_text(svg, encoding="utf-8")
    print(f"test accuracy {network.score(X, y):.3f}, {len(svg) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
