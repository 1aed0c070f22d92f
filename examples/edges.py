"""Find the edges in a photograph with a convolution whose weights are set by hand.

    python examples/edges.py [--plot edges.png]

A filter of 3x3 that subtracts the values on its right from the values on its left
returns zero where a picture is uniform, and large values where it is not. The first two
pictures have 6x6 pixels and can be computed by hand. Then Sobel's filters are applied
to one of the photographs that come with scikit-learn, by a network of two convolutions:
the first converts colors to gray, the second has a filter for each direction. The
result is compared with `scipy.ndimage.sobel`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from _command_line import picture_file
from scipy import ndimage
from sklearn.datasets import load_sample_image

from skconvnet import SequentialRegressor
from skconvnet.layers import Conv2D, GlobalAvgPool

VERTICAL = np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]])
NUMBERS = np.array(
    [
        [3, 0, 1, 2, 7, 4],
        [1, 5, 8, 9, 3, 1],
        [2, 7, 2, 5, 1, 3],
        [0, 1, 3, 1, 7, 8],
        [4, 2, 1, 6, 2, 8],
        [2, 4, 5, 2, 3, 9],
    ]
)
BRIGHT_TO_DARK = np.repeat([[10, 10, 10, 0, 0, 0]], 6, axis=0)

# The shares of red, green and blue in the brightness of a pixel (ITU-R BT.601).
GRAY = np.array([0.299, 0.587, 0.114])
ACROSS = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
DOWN = ACROSS.T
SHADES = " .:-=+*#%@"


def convolve(image: np.ndarray, filters: list[np.ndarray]) -> np.ndarray:
    """Return the maps of an image of one channel, one per filter, channels last."""
    layers = [("edges", Conv2D(len(filters), filters[0].shape)), GlobalAvgPool()]
    X = image[np.newaxis, ..., np.newaxis].astype(float)
    network = SequentialRegressor(layers).initialize(X, [0.0])
    network.set_weights({"edges/kernel": np.stack(filters)[:, np.newaxis]})
    return network.activations(X, "edges")[0]


def make_sobel(photo: np.ndarray) -> SequentialRegressor:
    """Return a network that converts a photo to gray and computes both slopes."""
    layers = [("gray", Conv2D(1, 1)), ("edges", Conv2D(2, 3)), GlobalAvgPool()]
    network = SequentialRegressor(layers).initialize(photo[np.newaxis], [0.0])
    return network.set_weights(
        {
            "gray/kernel": GRAY.reshape(1, 3, 1, 1),
            "edges/kernel": np.stack([ACROSS, DOWN])[:, np.newaxis],
        }
    )


def deviation(gray: np.ndarray, slopes: np.ndarray) -> float:
    """Return the largest difference from SciPy's, as a share of the largest slope."""
    inside = (slice(1, -1), slice(1, -1))
    theirs = np.stack([ndimage.sobel(gray, axis)[inside] for axis in (1, 0)], axis=-1)
    return float(np.abs(slopes - theirs).max() / np.abs(theirs).max())


def draw(strengths: np.ndarray, rows: int, columns: int) -> list[str]:
    """Return lines of characters, which are denser where edges are stronger."""
    means = [
        [cell.mean() for cell in np.array_split(band, columns, axis=1)]
        for band in np.array_split(strengths, rows)
    ]
    shades = np.minimum(np.array(means) / np.quantile(means, 0.98), 1)
    return [
        "".join(SHADES[int(shade * (len(SHADES) - 1))] for shade in line)
        for line in shades
    ]


def plot(photo: np.ndarray, slopes: np.ndarray, file: Path) -> None:
    """Draw the photograph, its slope in each direction, and the edges."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    axes = figure.subplots(2, 2)
    axes[0, 0].imshow(photo)
    axes[0, 0].set_title("photograph")
    limit = np.quantile(np.abs(slopes), 0.99)
    for axis, i, direction in ((axes[0, 1], 0, "across"), (axes[1, 0], 1, "down")):
        axis.imshow(slopes[..., i], cmap="gray", vmin=-limit, vmax=limit)
        axis.set_title(f"slope {direction}")
    axes[1, 1].imshow(np.hypot(*np.moveaxis(slopes, -1, 0)), cmap="gray_r", vmax=limit)
    axes[1, 1].set_title("edges: length of both")
    for axis in axes.flat:
        axis.set_axis_off()
    figure.savefig(file)
    print(f"\nDrawn to {file}")


def load_photo() -> np.ndarray:
    """Return a photograph of a Chinese building, (height, width, 3) of uint8."""
    try:
        return load_sample_image("china.jpg")
    except ImportError:
        sys.exit("reading the photograph needs Pillow: pip install pillow")


def main(argv: list[str] | None = None) -> int:
    """Print the edges that the filters find, and draw them if requested."""
    file = picture_file(__doc__, argv)
    for title, image in (("Numbers", NUMBERS), ("Bright to dark", BRIGHT_TO_DARK)):
        print(f"{title}, 6x6, and what a filter for vertical edges makes of it")
        found = convolve(image, [VERTICAL])[..., 0]
        for i, line in enumerate(image):
            cells = " ".join(f"{value:3}" for value in line)
            edges = " ".join(f"{value:4g}" for value in found[i]) if i < 4 else ""
            print(f"  {cells}    {edges}".rstrip())
        print()
    photo = load_photo()
    network = make_sobel(photo)
    gray = network.activations(photo[np.newaxis], "gray")[0, ..., 0]
    slopes = network.activations(photo[np.newaxis], "edges")[0]
    difference = deviation(gray, slopes)
    print(f"Sobel's filters on a photograph of {photo.shape}: maps of {slopes.shape}")
    print(f"  largest difference from scipy.ndimage.sobel: {difference:.1e} of the")
    print("  largest slope")
    print("\n".join(draw(np.hypot(slopes[..., 0], slopes[..., 1]), 26, 80)))
    if file:
        plot(photo, slopes, file)
    return 0 if difference < 1e-6 else 1


if __name__ == "__main__":
    sys.exit(main())
