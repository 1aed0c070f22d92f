"""Draw how the engine works: the pictures of docs/life_of_a_minibatch.md.

    python docs/draw_engine.py [--folder docs/engine]

The SVG is written as text: nothing but Python is needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from svg_canvas import ACCENT, INK, MIDDLE, PAPER, TIMES, Canvas

# Light and dark colors: of micro-batches 0, 1 and 2, or of three layers.
TINTS = (("#dbe6f5", INK), ("#fde5d6", ACCENT), ("#dcefe0", "#2f6b3c"))
# The colors of four samples.
SAMPLES = (INK, MIDDLE, ACCENT, "#f2bd97")
PLAIN = "#dfe7f1"  # Of other elements of arrays.


def draw_update() -> Canvas:
    """Draw an update with two threads."""
    canvas = Canvas(760, 374, "An update of the weights with two threads")
    canvas.rectangle(16, 24, 110, 326, fill=PAPER, radius=6)
    canvas.text(71, 183, "minibatch", is_bold=True)
    canvas.text(71, 203, "128 samples", size=13)
    words = ["all weights: one flat vector,", "read by all workers, updated in place"]
    canvas.box(156, 164, 382, 46, words, fill=MIDDLE, size=13)
    for m, (light, dark) in enumerate(TINTS[:2]):
        middle = 92 + 190 * m
        towards = 1 - 2 * m  # Down from micro-batch 0, up from micro-batch 1.
        words = [f"micro-batch {m}", f"samples {64 * m}", f"to {64 * m + 63}"]
        canvas.box(24, middle - 48, 94, 96, words, fill=light, stroke=dark, size=13)
        canvas.rectangle(156, middle - 60, 382, 120, fill=PAPER, radius=6)
        title = middle + (-40 if m == 0 else 50)
        canvas.text(347, title, f"worker {m}, on one thread", is_bold=True)
        canvas.arrow((118, middle), (168, middle), color=dark)
        for i, step in enumerate(("read", "forward", "loss", "backward")):
            left = 168 + 94 * i
            canvas.box(left, middle - 24, 76, 48, [step], fill=light, stroke=dark)
            if i:
                canvas.arrow((left - 18, middle), (left, middle), color=dark)
            if step in ("forward", "backward"):
                edge = 187 - 23 * towards
                canvas.arrow((left + 38, edge), (left + 38, middle + 24 * towards))
        canvas.arrow((526, middle), (588, middle), color=dark)
        words = [f"gradient {m}"]
        canvas.box(588, middle - 22, 156, 44, words, fill=light, stroke=dark)
        start, end = middle + 22 * towards, 187 - 26 * towards
        canvas.arrow((704, start), (704, end), color=dark)
        rank = ("first", "second")[m]
        canvas.text(696, (start + end) / 2 + 4, rank, size=13, anchor="end")
    canvas.box(664, 161, 80, 52, ["sum, in", "this order"], size=13)
    canvas.arrow((664, 187), (640, 187))
    canvas.box(562, 161, 78, 52, ["penalty", "and step"], size=13)
    canvas.arrow((562, 187), (538, 187))
    return canvas


def draw_weights() -> Canvas:
    """Draw the flat vector of the page's network, and the layers' views of it."""
    canvas = Canvas(760, 336, "The flat vector of weights and the views of the layers")
    layers = (
        ("conv", "(32, 1, 5, 5)", "(32,)"),
        ("dense", "(4608, 32)", "(32,)"),
        ("output", "(32, 10)", "(10,)"),
    )
    widths = {"kernel": (96, 220, 110), "bias": (98, 98, 98)}
    starts = {"kernel": 20, "bias": 446}
    for i, (name, *shapes) in enumerate(layers):
        light, dark = TINTS[i]
        left = 16 + 250 * i
        canvas.rectangle(left, 16, 228, 92, fill=PAPER, stroke=dark, radius=6)
        canvas.text(left + 114, 37, f"layer {name}", is_bold=True)
        for kind, shape in zip(("kernel", "bias"), shapes, strict=True):
            x, width = (left + 10, 118) if kind == "kernel" else (left + 140, 78)
            canvas.rectangle(x, 48, width, 48, fill=light, stroke=dark)
            canvas.text(x + width / 2, 67, kind, size=13)
            canvas.text(x + width / 2, 86, shape, size=12, is_code=True)
            start = starts[kind] + sum(widths[kind][:i])
            own = widths[kind][i]
            canvas.curve((x + width / 2, 96), (start + own / 2, 186), color=dark)
            for y, words in ((186, f"{name}/{kind}"), (282, "")):
                canvas.rectangle(start, y, own, 34 if words else 18, fill=light)
                canvas.text(start + own / 2, y + 21, words, size=12, is_code=True)
    for (left, right), words in (
        ((20, 446), "148,576 numbers, penalized by alpha"),
        ((446, 740), "74 numbers, not penalized"),
    ):
        canvas.bracket(left + 2, right - 2, 225)
        canvas.text((left + right) / 2, 251, words, size=13)
    canvas.text(380, 320, "the gradient, in the same layout", size=13)
    return canvas


def draw_batch_last() -> Canvas:
    """Draw how four images of 3 x 3 pixels lie in memory."""
    canvas = Canvas(760, 328, "Images one after another, and batch last")
    for sample in range(4):
        left = 62 + 188 * sample
        canvas.text(left + 36, 24, f"sample {sample}", is_bold=True)
        for pixel in range(9):
            row, column = divmod(pixel, 3)
            x, y = left + 24 * column, 34 + 24 * row
            canvas.cell(x, y, 24, str(pixel), fill=SAMPLES[sample])
    headings = (
        (156, "X in memory: (batch, height, width, channels)"),
        (262, "x in memory: (channels, height, width, batch)"),
    )
    for top, heading in headings:
        canvas.text(20, top - 12, heading, anchor="start", is_bold=True)
    for place in range(36):
        sample, pixel = divmod(place, 9)
        canvas.cell(20 + 20 * place, 156, 20, str(pixel), fill=SAMPLES[sample])
        pixel, sample = divmod(place, 4)
        canvas.cell(20 + 20 * place, 262, 20, str(pixel), fill=SAMPLES[sample])
    canvas.bracket(22, 198, 180)
    canvas.text(20, 205, "one sample", size=13, anchor="start")
    canvas.bracket(22, 98, 286)
    canvas.text(20, 311, "one pixel of all samples", size=13, anchor="start")
    canvas.arrow((380, 184), (380, 254))
    canvas.text(392, 223, "Inputs.read", anchor="start", is_code=True, size=13)
    return canvas


def draw_im2col() -> Canvas:
    """Draw a convolution of a 4 x 4 map by two 3 x 3 kernels as a matrix product."""
    canvas = Canvas(760, 330, "A convolution as a product of two matrices")
    window = {4 * row + column for row in range(3) for column in range(1, 4)}
    for place in range(16):
        row, column = divmod(place, 4)
        fill = ACCENT if place in window else PLAIN
        canvas.cell(16 + 24 * column, 120 + 24 * row, 24, str(place), fill=fill)
    for tap in range(9):
        canvas.text(162 + 24 * tap, 138, str(tap), size=12)
        canvas.text(406, 80 + 24 * tap, str(tap), size=12, anchor="end")
        for kernel in range(2):
            fill = INK if kernel == 0 else PLAIN
            canvas.cell(150 + 24 * tap, 144 + 24 * kernel, 24, fill=fill)
        for number in range(4):
            row, column = number // 2 + tap // 3, number % 2 + tap % 3
            fill = ACCENT if number == 1 else PLAIN
            x, y = 412 + 24 * number, 64 + 24 * tap
            canvas.cell(x, y, 24, str(4 * row + column), fill=fill)
    for kernel in range(2):
        for number in range(4):
            fill = ACCENT if (kernel, number) == (0, 1) else PLAIN
            canvas.cell(552 + 24 * number, 144 + 24 * kernel, 24, fill=fill)
            row, column = divmod(number, 2)
            x, y = 692 + 24 * column, 108 + 72 * kernel + 24 * row
            canvas.cell(x, y, 24, fill=fill)
    canvas.text(142, 138, "tap", size=12, anchor="end")
    canvas.text(406, 56, "tap", size=12, anchor="end")
    canvas.text(383, 174, TIMES, size=22)
    canvas.text(530, 174, "=", size=22)
    canvas.arrow((76, 116), (76, 30), (448, 30), (448, 60), color=ACCENT)
    canvas.text(262, 22, "each window becomes a column", size=13, fill=ACCENT)
    canvas.arrow((654, 168), (684, 168))
    for x, y, *lines in (
        (64, 236, "map", f"4 {TIMES} 4"),
        (258, 212, "2 kernels as rows", f"2 {TIMES} 9 taps"),
        (460, 300, "4 windows as columns", f"9 taps {TIMES} 4"),
        (600, 212, "sums", f"2 {TIMES} 4"),
        (716, 252, "2 maps", f"2 {TIMES} 2"),
    ):
        canvas.text(x, y, lines[0], is_bold=True)
        canvas.text(x, y + 19, lines[1], size=13)
    return canvas


def draw_batch_norm() -> Canvas:
    """Draw the way of three micro-batches through batch normalization."""
    canvas = Canvas(760, 404, "Three micro-batches at a barrier")
    canvas.rectangle(236, 62, 334, 230, fill=PAPER, radius=6)
    for x, title, words in (
        (178, "segment", "in parallel"),
        (403, "barrier: BatchNorm", "needs the whole minibatch"),
        (672, "segment", "in parallel"),
    ):
        canvas.text(x, 26, title, is_bold=True)
        canvas.text(x, 46, words, size=13)
    for m, (light, dark) in enumerate(TINTS):
        middle = 106 + 70 * m
        end = None
        for left, width, lines in (
            (16, 94, [f"micro-batch {m}"]),
            (136, 76, ["conv"]),
            (250, 94, ["count, mean", "and squares"]),
            (370, 72, []),  # what all of them are merged in
            (468, 88, ["normalize"]),
            (600, 144, ["pool, dense"]),
        ):
            if end is not None:
                canvas.arrow((end, middle), (left, middle), color=dark)
            if lines:
                box = (left, middle - 24, width, 48)
                canvas.box(*box, lines, fill=light, stroke=dark, size=13)
            end = left + width
    words = ["merge:", "mean and", "variance", "of all"]
    canvas.box(370, 82, 72, 188, words, fill=MIDDLE, size=13)
    canvas.arrow((406, 270), (406, 310))
    words = ["moving mean and variance, for predictions"]
    canvas.box(266, 310, 280, 34, words, size=13)
    words = (
        "The backward pass goes from right to left; at the barrier, it merges its sums."
    )
    canvas.text(380, 372, words, size=13)
    canvas.arrow((744, 386), (16, 386))
    return canvas


DRAWINGS = {
    "update": draw_update,
    "weights": draw_weights,
    "batch_last": draw_batch_last,
    "im2col": draw_im2col,
    "batch_norm": draw_batch_norm,
}


def main() -> None:
    """Write the drawings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "engine")
    folder = parser.parse_args().folder
    folder.mkdir(exist_ok=True)
    for name, draw in DRAWINGS.items():
        (folder / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")


if __name__ == "__main__":
    main()
