"""Where the boxes and arrows of a drawn network are, in inches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple, TypeAlias

from skconvnet._typing import Shape
from skconvnet.engine.network import Network
from skconvnet.inspection.summary import has_frozen_weights
from skconvnet.layers import Parallel, Residual
from skconvnet.layers.base import Layer
from skconvnet.layers.branched import BranchedLayer
from skconvnet.layers.chain import Chain
from skconvnet.params.base import LayerSpec

FONT_SIZE = 9.0
# Width of a letter of that size, of a bold one, and of a line with its distance.
_LETTER, _BOLD, _LINE = 0.078, 0.09, 0.17
# Space between text and the edge of a box, and between the two texts of a line.
_PADDING, _BETWEEN = 0.09, 0.25
_BOX_HEIGHT = 2 * _LINE + 1.2 * _PADDING
# Between a layer and the next, between branches, and between a frame and its contents.
_GAP, _BRANCH_GAP, _FRAME = 0.22, 0.25, 0.14
# The line from which branches part, below and above other things.
_PART = 0.2
JOIN_RADIUS = 0.12

Point: TypeAlias = tuple[float, float]


class Box(NamedTuple):
    """A layer, with the center of its box; y grows downward."""

    path: str
    kind: str
    out_shape: Shape
    n_weights: int
    x: float
    y: float
    width: float
    height: float
    is_frozen: bool = False

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.path.split("/")[-1]

    @property
    def size_text(self) -> str:
        """The number of weights in words, if there are any, and if they are frozen."""
        return weights_text(self.n_weights, is_frozen=self.is_frozen)


class Frame(NamedTuple):
    """A layer that is made of layers: its upper left corner, and its header."""

    path: str
    kind: str
    header: str
    out_shape: Shape
    n_weights: int
    x: float
    y: float
    width: float
    height: float
    is_frozen: bool = False


class Join(NamedTuple):
    """Where branches are added ("+") or joined along the channels ("concat")."""

    path: str
    symbol: str
    x: float
    y: float


class Line(NamedTuple):
    """A line through points, which ends in the head of an arrow or not."""

    points: tuple[Point, ...]
    has_head: bool


class Label(NamedTuple):
    """The name of a branch, beside its line."""

    text: str
    x: float
    y: float


class Extent(NamedTuple):
    """What a part takes to the left and to the right of its line, and downward."""

    left: float
    right: float
    height: float


@dataclass
class NetworkDrawing:
    """The parts of a drawn network, and the size of the whole in inches."""

    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def draw_up(network: Network) -> NetworkDrawing:
    """Return the drawing of a network, from the input down to the output."""
    drawing = NetworkDrawing()
    drafter = _Drafter(drawing, _box_width(network))
    extent = drafter.extent_of_chain(network.layers)
    x = extent.left
    bottom = drafter.place_box("input", "", network.in_shape, 0, x, 0.0)
    bottom = drafter.place_chain(
        network.specs, network.layers, "", x, bottom + _GAP, bottom
    )
    drawing.width, drawing.height = extent.left + extent.right, bottom
    return drawing


def weights_text(n_weights: int, *, is_frozen: bool = False) -> str:
    """Return a number of weights in words, or an empty string.

    >>> weights_text(1058), weights_text(1, is_frozen=True), weights_text(0)
    ('1,058 weights', '1 weight, frozen', '')
    """
    if not n_weights:
        return ""
    plural = "" if n_weights == 1 else "s"
    return f"{n_weights:,} weight{plural}{', frozen' if is_frozen else ''}"


def header_of(name: str, kind: str, layer: Layer[Any]) -> str:
    """Return the text at the top of a layer that is made of layers."""
    size = weights_text(n_weights_of(layer), is_frozen=has_frozen_weights(layer))
    parts = [name, kind, str(layer.out_shape), size]
    return "  ·  ".join(part for part in parts if part)


def n_weights_of(layer: Layer[Any]) -> int:
    """Return the number of weights of a layer, those inside of it included."""
    return sum(prod(shape) for shape in layer.weight_shapes.values())


def _box_width(network: Network) -> float:
    """Return the width of every box: that of the longest text in any."""
    widths = [
        _text_width("input", "", network.in_shape, ""),
        *_text_widths(network.specs, network.layers),
    ]
    return max(widths) + 2 * _PADDING


def _text_widths(
    specs: Sequence[tuple[str, LayerSpec]], layers: Mapping[str, Layer[Any]]
) -> list[float]:
    widths = []
    for name, spec in specs:
        layer = layers[name]
        if isinstance(layer, BranchedLayer):
            for chain in layer.chains.values():
                widths += _text_widths(chain.specs, chain.layers)
        else:
            kind = type(spec).__name__
            size = weights_text(
                n_weights_of(layer), is_frozen=has_frozen_weights(layer)
            )
            widths.append(_text_width(name, kind, layer.out_shape, size))
    return widths


def _text_width(name: str, kind: str, out_shape: Shape, size: str) -> float:
    first = len(name) * _BOLD + len(kind) * _LETTER
    second = (len(str(out_shape)) + len(size)) * _LETTER
    return max(first, second) + _BETWEEN


class _Drafter:
    """Places layers below each other, and the branches of a layer side by side."""

    def __init__(self, drawing: NetworkDrawing, box_width: float) -> None:
        self._drawing = drawing
        self._box_width = box_width

    def extent_of_chain(self, layers: Mapping[str, Layer[Any]]) -> Extent:
        """Return what layers below each other take."""
        extents = [self._extent_of_layer(name, layer) for name, layer in layers.items()]
        half = self._box_width / 2
        if not extents:
            return Extent(half, half, 0.0)
        height = sum(extent.height for extent in extents) + _GAP * (len(extents) - 1)
        return Extent(
            max(extent.left for extent in extents),
            max(extent.right for extent in extents),
            height,
        )

    def _extent_of_branch(self, name: str, chain: Chain) -> Extent:
        label = len(name) * _LETTER + 2 * _PADDING if name else 0.0
        if not chain.layers:  # a line alone
            return Extent(_BRANCH_GAP, max(_BRANCH_GAP, label), 0.0)
        extent = self.extent_of_chain(chain.layers)
        return extent._replace(right=max(extent.right, label))

    def _extent_of_layer(self, name: str, layer: Layer[Any]) -> Extent:
        if not isinstance(layer, BranchedLayer):
            return Extent(self._box_width / 2, self._box_width / 2, _BOX_HEIGHT)
        extents = [self._extent_of_branch(*branch) for branch in layer.chains.items()]
        inside = max(extent.height for extent in extents)
        labels = _LINE if any(layer.chains) else 0.0
        height = _FRAME + _LINE + 2 * _PART + labels + inside
        height += _PART + 2 * JOIN_RADIUS + _FRAME
        left, right = _sides(layer, extents)
        # The header, of which the kind is not known here, needs about this width.
        header = header_of(name, "Parallel", layer)
        missing = len(header) * _LETTER + 2 * _PADDING - left - right
        return Extent(left, right + max(0.0, missing), height)

    def place_box(
        self,
        path: str,
        kind: str,
        out_shape: Shape,
        size: int,
        x: float,
        top: float,
        *,
        frozen: bool = False,
    ) -> float:
        """Place a box below `top`, and return its bottom."""
        y = top + _BOX_HEIGHT / 2
        extent = self._box_width, _BOX_HEIGHT
        self._drawing.boxes.append(
            Box(path, kind, out_shape, size, x, y, *extent, is_frozen=frozen)
        )
        return top + _BOX_HEIGHT

    def place_chain(
        self,
        specs: Sequence[tuple[str, LayerSpec]],
        layers: Mapping[str, Layer[Any]],
        prefix: str,
        x: float,
        top: float,
        start: float,
    ) -> float:
        """Place layers below `top`, and return the bottom of the last.

        The arrow to the first of them begins at `start`.
        """
        for name, spec in specs:
            layer, path, kind = layers[name], f"{prefix}{name}", type(spec).__name__
            self._draw_line((x, start), (x, top))
            if isinstance(layer, BranchedLayer):
                start = self._place_branches(path, spec, layer, x, top)
            else:
                size = n_weights_of(layer)
                frozen = has_frozen_weights(layer)
                start = self.place_box(
                    path, kind, layer.out_shape, size, x, top, frozen=frozen
                )
            top = start + _GAP
        return start

    def _place_branches(
        self, path: str, spec: LayerSpec, layer: BranchedLayer, x: float, top: float
    ) -> float:
        """Place the branches of a layer in a frame, and return its bottom."""
        name, kind = path.split("/")[-1], type(spec).__name__
        extent = self._extent_of_layer(name, layer)
        bottom, size = top + extent.height, n_weights_of(layer)
        header = header_of(name, kind, layer)
        self._drawing.frames.append(
            Frame(
                *(path, kind, header, layer.out_shape, size, x - extent.left, top),
                *(extent.left + extent.right, extent.height, has_frozen_weights(layer)),
            )
        )
        part = top + _FRAME + _LINE + _PART / 2
        first = part + 1.5 * _PART + (_LINE if any(layer.chains) else 0.0)
        join = bottom - _FRAME - JOIN_RADIUS
        extents = [self._extent_of_branch(*branch) for branch in layer.chains.items()]
        for (branch, chain), axis in zip(
            layer.chains.items(), _axes(layer, extents, x), strict=True
        ):
            if branch:
                y = part + _LINE / 2 + _PART / 3
                self._drawing.labels.append(Label(branch, axis + _PADDING / 2, y))
            inner = f"{path}/{branch}/" if branch else f"{path}/"
            if axis != x:
                self._draw_line((x, part), (axis, part), has_head=False)
            end = part
            if chain.layers:
                end = self.place_chain(
                    chain.specs, chain.layers, inner, axis, first, part
                )
            if abs(axis - x) < JOIN_RADIUS:
                self._draw_line((axis, end), (axis, join - JOIN_RADIUS))
            else:
                side = JOIN_RADIUS if axis > x else -JOIN_RADIUS
                self._draw_line((axis, end), (axis, join), (x + side, join))
        # Below the header, at which the arrow ends.
        self._draw_line((x, part - _PART / 2), (x, part), has_head=False)
        self._drawing.joins.append(Join(path, _symbol(spec), x, join))
        self._draw_line((x, join + JOIN_RADIUS), (x, bottom), has_head=False)
        return bottom

    def _draw_line(self, *points: Point, has_head: bool = True) -> None:
        self._drawing.lines.append(Line(points, has_head))


def _symbol(spec: LayerSpec) -> str:
    if isinstance(spec, Residual):
        return "+"
    return "concat" if isinstance(spec, Parallel) else ""


def _is_around(layer: BranchedLayer) -> bool:
    """Whether the first branch goes straight on, with the others beside it."""
    return "" in layer.chains


def _sides(layer: BranchedLayer, extents: Sequence[Extent]) -> tuple[float, float]:
    """Return what the branches take on both sides of the line into the layer."""
    total = sum(extent.left + extent.right for extent in extents)
    total += _BRANCH_GAP * (len(extents) - 1)
    if _is_around(layer):
        left = extents[0].left
        return left + _FRAME, total - left + _FRAME
    return total / 2 + _FRAME, total / 2 + _FRAME


def _axes(layer: BranchedLayer, extents: Sequence[Extent], x: float) -> list[float]:
    """Return where the line of each branch is."""
    left, _ = _sides(layer, extents)
    edge = x - left + _FRAME
    axes = []
    for extent in extents:
        axes.append(edge + extent.left)
        edge += extent.left + extent.right + _BRANCH_GAP
    return axes
