"""A table of the layers of a network."""

from __future__ import annotations

from math import prod

from skconvnet.network import Network


def format_summary(network: Network) -> str:
    """Return a text table: name, layer, output shape and number of weights.

    Examples
    --------
    >>> from skconvnet.layers import Conv2D, Flatten
    >>> specs = [("conv1", Conv2D(4, 3)), ("flatten", Flatten())]
    >>> print(format_summary(Network(specs, (8, 8, 1), "float32")))
    name     layer    output shape  weights
    ---------------------------------------
    input             (8, 8, 1)           0
    conv1    Conv2D   (6, 6, 4)          40
    flatten  Flatten  (144,)              0
    ---------------------------------------
    total                                40
    """
    rows = [("input", "", str(network.in_shape), "0")]
    for (name, spec), layer in zip(network.specs, network.layers.values(), strict=True):
        n_weights = sum(prod(shape) for shape in layer.weight_shapes.values())
        rows.append((name, type(spec).__name__, str(layer.out_shape), f"{n_weights:,}"))
    header = ("name", "layer", "output shape", "weights")
    total = ("total", "", "", f"{network.vector.size:,}")
    widths = [
        max(map(len, column)) for column in zip(header, *rows, total, strict=True)
    ]
    lines = [_line(row, widths) for row in (header, *rows, total)]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    *texts, number = row
    cells = [text.ljust(width) for text, width in zip(texts, widths, strict=False)]
    return "  ".join([*cells, number.rjust(widths[-1])])
