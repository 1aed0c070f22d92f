"""A canvas for drawings of the documentation, which writes SVG.

Drawings have a white background, since pages may be light or dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from math import hypot

INK, TEXT, LINE = "#143e7a", "#334155", "#64748b"
PAPER, PALE, MIDDLE, ACCENT = "#ffffff", "#eef2f7", "#9fb3cc", "#c2410c"
HEAD = 8  # Length of the head of an arrow.
TIMES = "\N{MULTIPLICATION SIGN}"

Point = tuple[float, float]


@dataclass
class Canvas:
    """Collects the elements of a drawing.

    Attributes
    ----------
    width, height : int
        In pixels.
    title : str
        What the drawing shows, for readers who do not see it.
    elements : list of str
        The elements so far, the lowest first.
    """

    width: int
    height: int
    title: str
    elements: list[str] = field(default_factory=list)

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = PALE,
        stroke: str = LINE,
        radius: float = 0,
    ) -> None:
        """Draw a rectangle, given its upper left corner and its size."""
        self.elements.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
            f'rx="{radius:g}" fill="{fill}" stroke="{stroke}"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 14,
        fill: str = TEXT,
        anchor: str = "middle",
        is_bold: bool = False,
        is_code: bool = False,
    ) -> None:
        """Write words on the baseline `y`, around `x` or from there."""
        style = ' font-weight="bold"' if is_bold else ""
        style += ' font-family="monospace"' if is_code else ""
        self.elements.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}" '
            f'fill="{fill}"{style}>{escape(words)}</text>'
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        lines: Sequence[str],
        *,
        fill: str = PALE,
        stroke: str = LINE,
        size: float = 14,
    ) -> None:
        """Draw a box with rounded corners, and lines of words in its middle."""
        self.rectangle(x, y, width, height, fill=fill, stroke=stroke, radius=6)
        pitch = 1.25 * size
        first = y + height / 2 + 0.35 * size - pitch / 2 * (len(lines) - 1)
        for i, line in enumerate(lines):
            self.text(x + width / 2, first + pitch * i, line, size=size)

    def cell(
        self, x: float, y: float, side: float, words: str = "", *, fill: str = PALE
    ) -> None:
        """Draw an element of an array, with a short word in it."""
        self.rectangle(x, y, side, side, fill=fill, stroke=PAPER)
        if words:
            color = PAPER if fill in (INK, ACCENT) else TEXT
            self.text(x + side / 2, y + side / 2 + 4, words, size=12, fill=color)

    def arrow(self, *points: Point, color: str = LINE) -> None:
        """Draw an arrow along points, whose tip is at the last one."""
        (x0, y0), (x1, y1) = points[-2:]
        dx, dy = _direction((x0, y0), (x1, y1))
        neck = (x1 - HEAD * dx, y1 - HEAD * dy)
        path = " ".join(f"{x:g},{y:g}" for x, y in (*points[:-1], neck))
        self.elements.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" '
            'stroke-width="1.5"/>'
        )
        self._head((x1, y1), (dx, dy), color)

    def curve(self, start: Point, end: Point, color: str = LINE) -> None:
        """Draw an arrow that leaves and arrives vertically."""
        (x0, y0), (x1, y1) = start, end
        dy = 1.0 if y1 > y0 else -1.0
        neck, middle = y1 - HEAD * dy, (y0 + y1) / 2
        self.elements.append(
            f'<path d="M{x0:g} {y0:g} C{x0:g} {middle:g} {x1:g} {middle:g} '
            f'{x1:g} {neck:g}" fill="none" stroke="{color}" stroke-width="2"/>'
        )
        self._head(end, (0.0, dy), color)

    def bracket(self, left: float, right: float, y: float) -> None:
        """Draw a bracket below what it spans, with its ends at `y`."""
        path = f"{left:g},{y:g} {left:g},{y + 8:g} {right:g},{y + 8:g}"
        self.elements.append(
            f'<polyline points="{path} {right:g},{y:g}" fill="none" stroke="{LINE}" '
            'stroke-width="1.5"/>'
        )

    def svg(self) -> str:
        """Return the drawing."""
        size = f'width="{self.width}" height="{self.height}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
                f'viewBox="0 0 {self.width} {self.height}" role="img" '
                'font-family="Helvetica, Arial, sans-serif">',
                f"<title>{escape(self.title)}</title>",
                f'<rect {size} fill="{PAPER}"/>',
                *self.elements,
                "</svg>\n",
            ]
        )

    def _head(self, tip: Point, direction: Point, color: str) -> None:
        (x, y), (dx, dy) = tip, direction
        left, back = (-0.5 * HEAD * dy, 0.5 * HEAD * dx), (HEAD * dx, HEAD * dy)
        corners = [
            (x, y),
            (x - back[0] + left[0], y - back[1] + left[1]),
            (x - back[0] - left[0], y - back[1] - left[1]),
        ]
        points = " ".join(f"{x:.5g},{y:.5g}" for x, y in corners)
        self.elements.append(f'<polygon points="{points}" fill="{color}"/>')


def _direction(start: Point, end: Point) -> Point:
    """Return the vector of length 1 from one point to another."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = hypot(dx, dy)
    return dx / length, dy / length
