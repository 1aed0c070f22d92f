"""A network as boxes and arrows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from skconvnet.inspection.displays.fitted import network_of
from skconvnet.inspection.displays.network_drawing import (
    FONT_SIZE,
    JOIN_RADIUS,
    Box,
    Frame,
    Join,
    Line,
    NetworkDrawing,
    draw_up,
)
from skconvnet.inspection.displays.panels import check_matplotlib, open_axes, size_of
from skconvnet.inspection.displays.samples import NEUTRAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colors of the style, by what the name of a class contains.
_COLORS = {
    "Conv": "C0",
    "LocallyConnected": "C0",
    "Dense": "C1",
    "Output": "C1",
    "Embedding": "C1",
    "Pool": "C2",
}
_OTHERS_WITH_WEIGHTS = "C3"
# How strongly boxes and frames are filled.
_BOX_ALPHA, _PLAIN_ALPHA, _FRAME_ALPHA = 0.35, 0.2, 0.08
_MARGIN, _PADDING, _ROUNDING = 0.1, 0.09, 0.07
# Where the two lines of text of a box are, from its middle, as a share of its height.
_TEXT_LINE = 0.22


class NetworkDisplay:
    """The layers of a network as boxes, from the input down to the output.

    A box has the name and the kind of a layer, the shape of its output without the
    batch, and its number of weights, with "frozen" behind it if training does not
    change them. `Parallel` and `Residual` are frames, with their branches side by side.
    Create it with `from_estimator`.

    Parameters
    ----------
    drawing : NetworkDrawing
        What is drawn where.

    Attributes
    ----------
    boxes : list of Box
        Of each layer, and the input, `path`, `kind`, `out_shape`, `n_weights`,
        `is_frozen`, and where it is.
    frames : list of Frame
        The same of layers that are made of layers.
    joins : list of Join
        Where branches are joined.
    lines : list of Line
        The arrows, as points in inches.
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skconvnet import ConvNetClassifier
    >>> from skconvnet.inspection import NetworkDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = ConvNetClassifier(filters=(4,), batch_norm=False).initialize(X, y)
    >>> display = NetworkDisplay.from_estimator(clf)
    >>> [box.path for box in display.boxes]
    ['input', 'rescale', 'conv1', 'pool1', 'flatten', 'dense1', 'output']
    >>> plt.close(display.figure_)
    """

    ax_: Any
    figure_: Any

    def __init__(self, drawing: NetworkDrawing) -> None:
        self.drawing = drawing

    @property
    def boxes(self) -> list[Box]:
        """The layers, and the input."""
        return self.drawing.boxes

    @property
    def frames(self) -> list[Frame]:
        """The layers that are made of layers."""
        return self.drawing.frames

    @property
    def joins(self) -> list[Join]:
        """Where branches are joined."""
        return self.drawing.joins

    @property
    def lines(self) -> list[Line]:
        """The arrows and lines."""
        return self.drawing.lines

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,  # noqa: ANN401  estimators have no type
        *,
        ax: object = None,
    ) -> Self:
        """Draw the network of an estimator.

        Parameters
        ----------
        estimator : estimator
            An estimator of this package after `fit` or `initialize`, or a pipeline or
            search that ends in one.
        ax : Axes, default=None
            The axes to draw in, in which text is made smaller if needed. None makes a
            new figure, as large as the network needs.

        Returns
        -------
        display : NetworkDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator has no network yet.
        """
        check_matplotlib(cls.__name__)
        return cls(draw_up(network_of(estimator, cls.__name__))).plot(ax)

    def plot(self, ax: object = None) -> Self:
        """Draw the network.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in. None makes a new figure.

        Returns
        -------
        self : NetworkDisplay
        """
        drawing = self.drawing
        width, height = drawing.width + 2 * _MARGIN, drawing.height + 2 * _MARGIN
        axes = open_axes(ax, (width, height), owner=type(self).__name__)
        axes.set(
            xlim=(-_MARGIN, drawing.width + _MARGIN),
            ylim=(drawing.height + _MARGIN, -_MARGIN),
            aspect="equal",
        )
        axes.set_axis_off()
        own_width, own_height = size_of(axes)
        scale = min(1.0, own_width / width, own_height / height)
        size = FONT_SIZE * scale
        _draw_frames(axes, drawing.frames, size)
        for line in drawing.lines:
            _draw_line(axes, line, scale)
        for label in drawing.labels:
            axes.text(
                label.x,
                label.y,
                label.text,
                size=0.9 * size,
                style="italic",
                va="center",
            )
        for join in drawing.joins:
            _draw_join(axes, join, size)
        for box in drawing.boxes:
            _draw_box(axes, box, size)
        self.ax_, self.figure_ = axes, axes.get_figure()
        return self


def _color(kind: str, n_weights: int) -> str:
    """Return the color of a kind of layer."""
    for part, color in _COLORS.items():
        if part in kind:
            return color
    return _OTHERS_WITH_WEIGHTS if n_weights else NEUTRAL


def _add_box(
    axes: Axes,
    corner: tuple[float, float],
    size: tuple[float, float],
    color: str,
    alpha: float,
) -> None:
    """Add a box with round corners, filled with a pale color."""
    from matplotlib.patches import FancyBboxPatch

    rounding = f"round,pad=0,rounding_size={_ROUNDING}"
    for is_filled in (True, False):
        patch = FancyBboxPatch(corner, *size, boxstyle=rounding, linewidth=1.0)
        patch.set(
            facecolor=color if is_filled else "none",
            edgecolor="none" if is_filled else color,
            alpha=alpha if is_filled else None,
        )
        axes.add_patch(patch)


def _draw_box(axes: Axes, box: Box, size: float) -> None:
    color = _color(box.kind, box.n_weights)
    left, right = box.x - box.width / 2, box.x + box.width / 2
    alpha = _PLAIN_ALPHA if color == NEUTRAL else _BOX_ALPHA
    corner = (left, box.y - box.height / 2)
    _add_box(axes, corner, (box.width, box.height), color, alpha)
    line = _TEXT_LINE * box.height
    texts = (
        (left + _PADDING, box.y - line, box.name, "left", "bold"),
        (right - _PADDING, box.y - line, box.kind, "right", "normal"),
        (left + _PADDING, box.y + line, str(box.out_shape), "left", "normal"),
        (right - _PADDING, box.y + line, box.size_text, "right", "normal"),
    )
    for x, y, text, side, weight in texts:
        axes.text(x, y, text, size=size, ha=side, va="center", weight=weight)


def _draw_frames(axes: Axes, frames: list[Frame], size: float) -> None:
    for frame in frames:
        corner = (frame.x, frame.y)
        _add_box(axes, corner, (frame.width, frame.height), NEUTRAL, _FRAME_ALPHA)
        axes.text(
            frame.x + _PADDING, frame.y + 0.16, frame.header, size=size, va="center"
        )


def _draw_join(axes: Axes, join: Join, size: float) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(
        Circle(
            (join.x, join.y),
            JOIN_RADIUS,
            facecolor="none",
            edgecolor=NEUTRAL,
            linewidth=1.2,
        )
    )
    if join.symbol == "+":
        axes.text(
            join.x, join.y, "+", size=1.3 * size, ha="center", va="center_baseline"
        )
    elif join.symbol:
        axes.text(
            join.x + 1.4 * JOIN_RADIUS,
            join.y + 1.2 * JOIN_RADIUS,
            join.symbol,
            size=0.9 * size,
            style="italic",
            va="center",
        )


def _draw_line(axes: Axes, line: Line, scale: float) -> None:
    xs, ys = zip(*line.points, strict=True)
    axes.plot(xs, ys, color=NEUTRAL, linewidth=1.2, solid_capstyle="round")
    if line.has_head:
        axes.annotate(
            "",
            xy=line.points[-1],
            xytext=line.points[-2],
            arrowprops={
                "arrowstyle": "-|>",
                "color": NEUTRAL,
                "shrinkA": 0,
                "shrinkB": 0,
                "linewidth": 1.2,
                "mutation_scale": 9 * scale,
            },
        )
