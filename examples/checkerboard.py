"""Show the checkerboard artifacts of transposed convolutions, and how to avoid them.

    python examples/checkerboard.py [--plot checkerboard.png]

Four small networks enlarge a map of ones by a factor of two. We look at the middle of
the result, which no edge influences: any structure there is due to the layer.
`unevenness` is the standard deviation of these values divided by their root mean
square. It is 0 if all values are equal.

- If all weights are 1, each output is the number of weights that contribute to it. If
  the stride does not divide the kernel size, this number varies in a regular pattern;
  otherwise it is the same for all outputs.
- With random weights, as at the start of training, uniform overlap is not sufficient:
  an output between two input positions uses different weights from an output at an
  input position, and only training could make their sums equal. Upsampling followed by
  a convolution gives an even map for any weights.

See A. Odena, V. Dumoulin and C. Olah, "Deconvolution and checkerboard artifacts",
Distill, 2016.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from _command_line import picture_file

from skconvnet import SequentialRegressor
from skconvnet.layers import Conv2D, Conv2DTranspose, Flatten, Upsample

SIZE = 12
# The outputs that we look at: no edge influences them, and they contain a whole number
# of periods of the pattern, of 2 positions along each axis.
MIDDLE = slice(5, 19)
FILTERS = 64

# Layers that enlarge a map by a factor of two; the one named "last" has the weights.
WAYS = {
    "transposed, kernel 3, stride 2": [("last", Conv2DTranspose(FILTERS, 3, 2))],
    "transposed, kernel 4, stride 2": [("last", Conv2DTranspose(FILTERS, 4, 2))],
    "nearest, then convolution": [
        ("resize", Upsample(2, mode="nearest")),
        ("last", Conv2D(FILTERS, 3, padding="same")),
    ],
    "bilinear, then convolution": [
        ("resize", Upsample(2, mode="bilinear")),
        ("last", Conv2D(FILTERS, 3, padding="same")),
    ],
}


def enlarge(layers: list, *, random: bool) -> np.ndarray:
    """Return what `layers` make of a map of ones, (height, width, FILTERS).

    If `random`, the weights are those that training would start from, otherwise 1.
    """
    ones = np.ones((1, SIZE, SIZE, 1))
    network = SequentialRegressor([*layers, Flatten()], random_state=0)
    network.initialize(ones, [0.0])
    if not random:
        kernel = network.get_weights()["last/kernel"]
        network.set_weights({"last/kernel": np.ones_like(kernel)})
    return network.activations(ones, "last")[0]


def middle(maps: np.ndarray) -> np.ndarray:
    """Return the part of a map that we look at."""
    return maps[MIDDLE, MIDDLE]


def unevenness(maps: np.ndarray) -> float:
    """Return the standard deviation over the root mean square, over all filters."""
    cells = middle(maps)
    deviations = cells - cells.mean(axis=(0, 1))
    return float(np.sqrt(np.mean(deviations**2) / np.mean(cells**2)))


def plot(results: dict[str, tuple[np.ndarray, np.ndarray]], file: Path) -> None:
    """Draw one column per network, with weights of 1 above and random ones below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3 * len(results), 7), layout="constrained")
    axes = figure.subplots(2, len(results))
    for column, (way, pair) in enumerate(results.items()):
        for axis, maps, weights in zip(
            axes[:, column], pair, ("all weights 1", "random weights"), strict=True
        ):
            # The filter with the largest outputs. 0 is black, or gray if some are < 0.
            shown = maps[..., middle(maps).mean(axis=(0, 1)).argmax()]
            largest = np.abs(shown).max()
            low = 0 if shown.min() >= 0 else -largest
            axis.imshow(shown, cmap="gray", vmin=low, vmax=largest)
            axis.set_title(f"{way}\n{weights}: {unevenness(maps):.3f}", fontsize=8)
            axis.set_axis_off()
    figure.savefig(file, dpi=120)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print how uneven each map is, and draw them if requested."""
    file = picture_file(__doc__, argv)
    results = {
        way: (enlarge(layers, random=False), enlarge(layers, random=True))
        for way, layers in WAYS.items()
    }
    print(f"{'unevenness':<32}{'weights 1':>10}{'random':>10}   a row, weights 1")
    for way, (of_ones, of_random) in results.items():
        row = " ".join(f"{value:g}" for value in middle(of_ones)[0, :8, 0])
        numbers = f"{unevenness(of_ones):10.3f}{unevenness(of_random):10.3f}"
        print(f"{way:<32}{numbers}   {row}")
    if file:
        plot(results, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
