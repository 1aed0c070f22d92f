"""A table of the layers of a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any, NamedTuple

from skconvnet._typing import Shape
from skconvnet.engine.network import Network
from skconvnet.layers.base import Layer
from skconvnet.layers.chain import Chain
from skconvnet.layers.composite import CompositeLayer
from skconvnet.params.base import LayerSpec


def format_summary(network: Network) -> str:
    """Return a text table: name, layer, output shape and number of weights.

    Layers inside a layer are indented below it; its number includes their weights.
    Layers with weights that training does not change are marked as frozen.

    Parameters
    ----------
    network : Network
        The ``network_`` of a fitted or initialized estimator, whose own ``summary()``
        returns the same.

    Returns
    -------
    summary : str

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import SequentialClassifier
    >>> from skconvnet.inspection import format_summary
    >>> from skconvnet.layers import Conv2D, Dense, Flatten, Parallel
    >>> X, y = np.zeros((4, 8, 8, 1)), [0, 0, 1, 1]
    >>> layers = [("conv1", Conv2D(4, 3)), ("flatten", Flatten())]
    >>> clf = SequentialClassifier(layers).initialize(X, y)
    >>> print(format_summary(clf.network_))
    name     layer    output shape  weights
    ---------------------------------------
    input             (8, 8, 1)           0
    conv1    Conv2D   (6, 6, 4)          40
    flatten  Flatten  (144,)              0
    output   Output   (1,)              145
    ---------------------------------------
    total                               185

    >>> rows = X[:, 0, :4, 0]
    >>> layers = [("join", Parallel([("a", Dense(2)), ("b", [("tail", Dense(3))])]))]
    >>> clf = SequentialClassifier(layers).initialize(rows, y)
    >>> print(format_summary(clf.network_))
    name       layer     output shape  weights
    ------------------------------------------
    input                (4,)                0
    join       Parallel  (5,)               25
      a                  (2,)               10
        dense  Dense     (2,)               10
      b                  (3,)               15
        tail   Dense     (3,)               15
    output     Output    (1,)                6
    ------------------------------------------
    total                                   31

    >>> layers = [("hidden", Dense(3, trainable=False))]
    >>> clf = SequentialClassifier(layers).initialize(rows, y)
    >>> print(format_summary(clf.network_))
    name    layer          output shape  weights
    --------------------------------------------
    input                  (4,)                0
    hidden  Dense, frozen  (3,)               15
    output  Output         (1,)                4
    --------------------------------------------
    total                                     19
    frozen                                    15
    """
    cells = [_cells(row) for row in summary_rows(network)]
    header = ("name", "layer", "output shape", "weights")
    n_weights = _n_weights(network.chain)
    n_frozen = n_weights - network.vector.size
    totals = [("total", "", "", f"{n_weights:,}")]
    if n_frozen:
        totals.append(("frozen", "", "", f"{n_frozen:,}"))
    widths = [
        max(map(len, column)) for column in zip(header, *cells, *totals, strict=True)
    ]
    first, *lines = (_line(row, widths) for row in (header, *cells, *totals))
    rule = "-" * max(map(len, (first, *lines)))
    n = len(cells)
    return "\n".join([first, rule, *lines[:n], rule, *lines[n:]])


class SummaryRow(NamedTuple):
    """A layer, a branch inside a layer, or the input.

    `depth` is the number of layers and branches that the row is inside of. Branches and
    the input have no spec. A frozen layer has weights that training does not change.
    """

    depth: int
    name: str
    spec: LayerSpec | None
    out_shape: Shape
    n_weights: int
    is_frozen: bool = False

    @property
    def kind(self) -> str:
        """Name of the class of the layer, and whether it is frozen."""
        if self.spec is None:
            return ""
        name = type(self.spec).__name__
        return f"{name}, frozen" if self.is_frozen else name


def summary_rows(network: Network) -> list[SummaryRow]:
    """Return a row for the input, and one for each layer."""
    return [
        SummaryRow(0, "input", None, network.in_shape, 0),
        *layer_rows(network.chain.specs, network.chain.layers),
    ]


def layer_rows(
    specs: Iterable[tuple[str, LayerSpec]],
    layers: Mapping[str, Layer[Any]],
    depth: int = 0,
) -> Iterator[SummaryRow]:
    """Yield a row for each layer, followed by rows for the layers inside it."""
    for name, spec in specs:
        layer = layers[name]
        size = _n_weights(layer)
        is_frozen = has_frozen_weights(layer)
        yield SummaryRow(depth, name, spec, layer.out_shape, size, is_frozen)
        inner = layer.chains if isinstance(layer, CompositeLayer) else {}
        for branch, chain in inner.items():
            deeper = depth + 1
            if branch:
                size = _n_weights(chain)
                yield SummaryRow(deeper, branch, None, chain.out_shape, size)
                deeper += 1
            yield from layer_rows(chain.specs, chain.layers, deeper)


def has_frozen_weights(layer: Layer[Any]) -> bool:
    """Whether a layer has weights of which training changes none."""
    return _n_weights(layer) > 0 and not layer.trained_shapes


def _n_weights(layer: Layer[Any] | Chain) -> int:
    return sum(prod(shape) for shape in layer.weight_shapes.values())


def _cells(row: SummaryRow) -> tuple[str, str, str, str]:
    name = "  " * row.depth + row.name
    return name, row.kind, str(row.out_shape), f"{row.n_weights:,}"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    *texts, number = row
    cells = [text.ljust(width) for text, width in zip(texts, widths, strict=False)]
    return "  ".join([*cells, number.rjust(widths[-1])])
