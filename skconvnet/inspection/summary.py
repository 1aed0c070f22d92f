"""A table of the layers of a network."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from skconvnet.engine.network import Network
from skconvnet.layers.branched import BranchedLayer
from skconvnet.layers.chain import Chain


def format_summary(network: Network) -> str:
    """Return a text table: name, layer, output shape and number of weights.

    Layers inside a layer are indented below it; its number includes their weights.

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

    >>> from skconvnet.layers import Dense, Parallel
    >>> specs = [("join", Parallel([("a", Dense(2)), ("b", [("tail", Dense(3))])]))]
    >>> print(format_summary(Network(specs, (4,), "float32")))
    name       layer     output shape  weights
    ------------------------------------------
    input                (4,)                0
    join       Parallel  (5,)               25
      a                  (2,)               10
        dense  Dense     (2,)               10
      b                  (3,)               15
        tail   Dense     (3,)               15
    ------------------------------------------
    total                                   25
    """
    rows = [("input", "", str(network.in_shape), "0"), *_rows(network.chain, "")]
    header = ("name", "layer", "output shape", "weights")
    total = ("total", "", "", f"{network.vector.size:,}")
    widths = [
        max(map(len, column)) for column in zip(header, *rows, total, strict=True)
    ]
    lines = [_line(row, widths) for row in (header, *rows, total)]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _rows(chain: Chain, indent: str) -> Iterator[tuple[str, str, str, str]]:
    for (name, spec), layer in zip(chain.specs, chain.layers.values(), strict=True):
        n_weights = sum(prod(shape) for shape in layer.weight_shapes.values())
        kind = type(spec).__name__
        yield indent + name, kind, str(layer.out_shape), f"{n_weights:,}"
        inner = layer.chains if isinstance(layer, BranchedLayer) else {}
        for branch, within in inner.items():
            deeper = indent + "  "
            if branch:
                n_weights = sum(prod(shape) for shape in within.weight_shapes.values())
                yield deeper + branch, "", str(within.out_shape), f"{n_weights:,}"
                deeper += "  "
            yield from _rows(within, deeper)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    *texts, number = row
    cells = [text.ljust(width) for text, width in zip(texts, widths, strict=False)]
    return "  ".join([*cells, number.rjust(widths[-1])])
