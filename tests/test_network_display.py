"""NetworkDisplay: a box for each layer, and the arrows between them."""

import numpy as np
import pytest
from estimator_cases import ESTIMATORS, data_for, labels, make

from skconvnet import SequentialClassifier
from skconvnet.inspection import NetworkDisplay
from skconvnet.inspection.displays.fitted import layers_of
from skconvnet.layers import Conv2D, Dense, GlobalAvgPool, MaxPool2D, Parallel, Residual

pytestmark = pytest.mark.usefixtures("pyplot")
X = np.random.default_rng(0).uniform(size=(12, 8, 8, 3))

INNER = Parallel([("x", Conv2D(4, 1)), ("y", Residual([Conv2D(4, 1)]))])
NESTED = [
    ("stem", Conv2D(6, 3, padding="same")),
    (
        "inception",
        Parallel(
            [
                ("b1", Conv2D(2, 1)),
                (
                    "b3",
                    [("reduce", Conv2D(2, 1)), ("conv", Conv2D(2, 3, padding="same"))],
                ),
                ("pool", [MaxPool2D(3, 1, "same")]),
                ("same", []),
            ]
        ),
    ),
    ("block", Residual([("first", Conv2D(8, 1)), ("inner", INNER)])),
    ("identity", Residual([("conv", Conv2D(8, 3, padding="same"))])),
    ("gap", GlobalAvgPool()),
]


def network(*layers):
    return SequentialClassifier(list(layers)).initialize(X, labels(12))


def edges(part):
    """Return left, right, top and bottom of a box or a frame."""
    if hasattr(part, "header"):
        return part.x, part.x + part.width, part.y, part.y + part.height
    half = part.width / 2, part.height / 2
    return part.x - half[0], part.x + half[0], part.y - half[1], part.y + half[1]


def is_inside(inner, outer):
    (a, b, c, d), (left, right, top, bottom) = edges(inner), edges(outer)
    return left < a and b < right and top < c and d < bottom


def overlap(one, other):
    (a, b, c, d), (left, right, top, bottom) = edges(one), edges(other)
    return a < right and left < b and c < bottom and top < d


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_box_for_each_layer(cls):
    model = make(cls).initialize(*data_for(cls))
    display = NetworkDisplay.from_estimator(model)
    first, *boxes = display.boxes
    assert (first.path, first.out_shape) == ("input", model.network_.in_shape)
    layers = model.network_.layers
    assert [box.path for box in boxes] == list(layers)
    weights = model.network_.weights
    for box in boxes:
        own = [a.size for name, a in weights.items() if name.startswith(f"{box.path}/")]
        assert box.n_weights == sum(own)
        assert box.out_shape == layers[box.path].out_shape
    # Each arrow leads from a box to the next, straight down.
    assert len(display.lines) == len(boxes)
    for line, above, below in zip(display.lines, display.boxes, boxes, strict=False):
        expected = [(above.x, edges(above)[3]), (below.x, edges(below)[2])]
        np.testing.assert_allclose(line.points, expected)
        assert line.has_head
    texts = [text.get_text() for text in display.ax_.texts]
    for box in boxes:
        assert {box.name, box.kind, str(box.out_shape)} <= set(texts)


def test_every_layer_inside_of_layers_is_there():
    model = network(*NESTED)
    display = NetworkDisplay.from_estimator(model)
    found = layers_of(model.network_)
    parts = [*display.boxes[1:], *display.frames]
    assert sorted(part.path for part in parts) == sorted(found)
    for part in parts:
        assert part.kind == found[part.path].kind
        assert part.out_shape == found[part.path].layer.out_shape
    total = sum(box.n_weights for box in display.boxes)
    assert total == model.network_.vector.size
    (frame,) = [frame for frame in display.frames if frame.path == "block"]
    size = sum(a.size for n, a in model.get_weights().items() if n.startswith("block/"))
    assert frame.n_weights == size
    assert frame.header == f"block  ·  Residual  ·  (8, 8, 8)  ·  {size} weights"
    assert {join.path: join.symbol for join in display.joins} == {
        "inception": "concat",
        "block": "+",
        "block/inner": "concat",
        "block/inner/y/residual": "+",
        "identity": "+",
    }
    assert [label.text for label in display.drawing.labels].count("shortcut") == 3


def test_boxes_are_inside_of_their_frames_and_nowhere_else():
    display = NetworkDisplay.from_estimator(network(*NESTED))
    parts = [*display.boxes, *display.frames]
    for frame in display.frames:
        for part in parts:
            if part is frame:
                continue
            if part.path.startswith(f"{frame.path}/"):
                assert is_inside(part, frame), (part.path, frame.path)
            elif not frame.path.startswith(f"{part.path}/"):
                assert not overlap(part, frame), (part.path, frame.path)
    for i, box in enumerate(display.boxes):
        assert not any(overlap(box, other) for other in display.boxes[:i])
    drawing = display.drawing
    for part in parts:
        left, right, top, bottom = edges(part)
        assert min(left, top) > -1e-9
        assert right < drawing.width + 1e-9
        assert bottom < drawing.height + 1e-9


def test_branches_are_side_by_side():
    display = NetworkDisplay.from_estimator(network(*NESTED))
    by_path = {box.path: box for box in display.boxes}
    b1, reduce, conv, pool = (
        by_path[f"inception/{path}"]
        for path in ("b1/conv2d", "b3/reduce", "b3/conv", "pool/maxpool2d")
    )
    assert b1.y == reduce.y == pool.y
    assert b1.x < reduce.x == conv.x < pool.x
    # What is not in a branch is on the line through the network.
    names = ("input", "stem", "block/first", "identity/conv", "gap", "output")
    assert len({round(by_path[name].x, 6) for name in names}) == 1


def test_branches_end_where_they_are_joined():
    display = NetworkDisplay.from_estimator(network(*NESTED))
    joins = {join.path: join for join in display.joins}
    for path, n_branches in (("inception", 4), ("block", 2), ("block/inner", 2)):
        join = joins[path]
        ends = [
            line
            for line in display.lines
            if line.has_head
            and np.hypot(*np.subtract(line.points[-1], (join.x, join.y))) < 0.13
        ]
        assert len(ends) == n_branches
    # The shortcut of the identity is a line around the layers.
    join = joins["identity"]
    (around,) = [
        line
        for line in display.lines
        if len(line.points) == 3 and line.points[-1][1] == join.y
    ]
    (box,) = [box for box in display.boxes if box.path == "identity/conv"]
    assert around.points[0][0] > edges(box)[1]
    assert around.points[0][1] < edges(box)[2] < edges(box)[3] < around.points[1][1]


@pytest.mark.parametrize("n", [1, 40])
def test_the_figure_grows_and_texts_stay_in_their_boxes(n):
    name = "a_long_name_of_a_layer"
    layers = [(f"{name}_{i}", Conv2D(4, 3, padding="same")) for i in range(n)]
    model = network(*layers, GlobalAvgPool(), *(Dense(5) for _ in range(2)))
    display = NetworkDisplay.from_estimator(model)
    figure = display.figure_
    figure.canvas.draw()
    # Inches of the drawing are inches of the figure.
    width, height = figure.get_size_inches()
    (left, _), (right, _) = display.ax_.transData.transform([(0, 0), (1, 0)])
    assert right - left == pytest.approx(figure.dpi, rel=1e-6)
    assert height > 0.5 * (n + 4)
    to_pixels = display.ax_.transData
    texts = [text for text in display.ax_.texts if text.get_text()]
    for box in display.boxes:
        left, right, top, bottom = edges(box)
        (x0, y0), (x1, y1) = to_pixels.transform([(left, bottom), (right, top)])
        own = [
            text.get_window_extent()
            for text in texts
            if abs(text.get_position()[1] - box.y) < box.height / 2
        ]
        assert len(own) == sum(map(bool, (box.name, box.kind, box.size_text))) + 1
        for extent in own:
            assert x0 < extent.x0 < extent.x1 < x1
            assert y0 < extent.y0 < extent.y1 < y1
        for i, extent in enumerate(own):
            assert not any(extent.overlaps(other) for other in own[:i])
    assert width < 6


def test_text_is_smaller_in_small_axes(pyplot):
    model = network(*NESTED)
    _, ax = pyplot.subplots(figsize=(4, 4))
    small = NetworkDisplay.from_estimator(model, ax=ax)
    large = NetworkDisplay.from_estimator(model)
    assert small.ax_.texts[0].get_size() < 0.5 * large.ax_.texts[0].get_size()
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_frozen_layers_are_marked_as_in_the_summary():
    block = Residual([("first", Conv2D(3, 3, padding="same"))], trainable=False)
    half = Parallel([("a", Conv2D(2, 1, trainable=False)), ("b", Conv2D(2, 1))])
    model = network(
        ("conv", Conv2D(3, 1, trainable=False)),
        ("block", block),
        ("half", half),
        ("gap", GlobalAvgPool()),
    )
    display = NetworkDisplay.from_estimator(model)
    parts = [*display.boxes, *display.frames]
    assert {part.path for part in parts if part.is_frozen} == {
        *("conv", "block", "block/first", "half/a/conv2d")
    }
    n_marked = sum("frozen" in text.get_text() for text in display.ax_.texts)
    assert n_marked == model.summary().count(", frozen") == 4
    display.figure_.canvas.draw()
    scale = display.ax_.transData
    for box in display.boxes:
        left, right, _, _ = edges(box)
        (x0, _), (x1, _) = scale.transform([(left, box.y), (right, box.y)])
        for text in display.ax_.texts:
            x, y = text.get_position()
            is_here = left < x < right and abs(y - box.y) < box.height / 2
            if is_here and text.get_text():
                extent = text.get_window_extent()
                assert x0 < extent.x0 < extent.x1 < x1
