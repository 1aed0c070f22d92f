"""What all Displays have in common: axes, figures, styles and errors."""

import sys

import numpy as np
import pytest
from estimator_cases import labels
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skconvnet import ConvNetClassifier, MLPClassifier, inspection
from skconvnet.inspection.displays.panels import columns_of, panel_size
from skconvnet.inspection.displays.titles import broken

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(size=(24, 8, 8, 1))
LONG = "a_rather_long_name_of_a_class with many words, which has to be broken"
MODEL = ConvNetClassifier(
    filters=(12, 4), hidden_layer_sizes=5, max_iter=3, learning_rate="constant"
)


@pytest.fixture(scope="module")
def fitted():
    with pytest.warns(match="converged"):
        return MODEL.fit(IMAGES, np.array(["cat", "dog", LONG])[labels(len(IMAGES))])


# Pictures of so many panels, or of one if it always has one.
def filters(model, n, **options):
    return inspection.FilterDisplay.from_estimator(model, max_filters=n, **options)


def feature_maps(model, n, **options):
    return inspection.FeatureMapDisplay.from_estimator(
        model, IMAGES[0], max_maps=n, **options
    )


def mistakes(model, n, **options):
    wrong = np.where(model.predict(IMAGES) == "dog", LONG, "dog")
    return inspection.MistakesDisplay.from_estimator(
        model, IMAGES, wrong, n_max=n, **options
    )


def attributions(model, n, **options):
    return inspection.AttributionDisplay.from_estimator(
        model, IMAGES[:n], arrangement="overlay", **options
    )


def learning_curve(model, n, **options):
    return inspection.LearningCurveDisplay.from_estimators(
        {f"{LONG} {i}": model for i in range(n)}, kinds="loss", **options
    )


def network(model, n, **options):
    del n
    return inspection.NetworkDisplay.from_estimator(model, **options)


SEVERAL = [filters, feature_maps, mistakes, attributions]
DISPLAYS = [*SEVERAL, learning_curve, network]
every_display = pytest.mark.parametrize("draw", DISPLAYS)
every_style = pytest.mark.parametrize("style", ["default", "dark_background"])


@pytest.fixture(autouse=True)
def attribute(monkeypatch):
    """Stand in for the function whose results `AttributionDisplay` draws."""

    def magnitude(estimator, X, *, method, target=None):
        del estimator, method, target
        return np.abs(np.asarray(X) - 0.5)

    monkeypatch.setattr(inspection, "attribute", magnitude, raising=False)


def axes_of(display):
    axes = getattr(display, "axes_", None)
    return [display.ax_] if axes is None else list(np.ravel(axes))


@every_display
@every_style
@pytest.mark.parametrize("n", [1, 3, 12])
def test_nothing_overlaps(pyplot, fitted, draw, style, n):
    with pyplot.style.context(style):
        display = draw(fitted, n)
        figure = display.figure_
        figure.canvas.draw()
        boxes = [axes.get_tightbbox() for axes in figure.axes]
    if draw in SEVERAL:
        assert len(axes_of(display)) == n
    assert pyplot.get_fignums() == [figure.number]
    for i, box in enumerate(boxes):
        # A pixel, which antialiasing may share.
        assert box.x0 > -1
        assert box.y0 > -1
        assert box.x1 < figure.bbox.width + 1
        assert box.y1 < figure.bbox.height + 1
        for other in boxes[:i]:
            shared = np.minimum(box.max, other.max) - np.maximum(box.min, other.min)
            assert not (shared > 1).all()
    if figure.get_suptitle():
        top = max(box.y1 for box in boxes)
        assert figure.texts[0].get_window_extent().y0 > top - 1


@every_display
def test_texts_have_the_color_of_the_style(pyplot, fitted, draw):
    shades = []
    for style in ("default", "dark_background"):
        with pyplot.style.context(style):
            figure = draw(fitted, 3).figure_
            texts = figure.findobj(pyplot.matplotlib.text.Text)
            colors = [text.get_color() for text in texts if text.get_text()]
            shades.append(np.mean([pyplot.matplotlib.colors.to_rgb(c) for c in colors]))
            assert len({pyplot.matplotlib.colors.to_hex(c) for c in colors}) == 1
    assert shades == [0, 1]


@every_display
def test_axes_of_the_caller_are_used(pyplot, fitted, draw):
    n = 3 if draw in SEVERAL else 1
    figure, own = pyplot.subplots(2, 2)
    display = draw(fitted, n, ax=own)
    assert display.figure_ is figure
    assert axes_of(display) == list(own.flat[:n])
    assert not own[1, 1].has_data()
    assert pyplot.get_fignums() == [figure.number]
    figure.canvas.draw()


@every_display
def test_single_axes(pyplot, fitted, draw):
    figure, own = pyplot.subplots()
    assert axes_of(draw(fitted, 1, ax=own)) == [own]
    assert axes_of(draw(fitted, 1, ax=[own])) == [own]
    assert pyplot.get_fignums() == [figure.number]


@every_display
def test_axes_inside_of_a_subfigure(pyplot, fitted, draw):
    figure = pyplot.figure(layout="constrained")
    left, _ = figure.subfigures(1, 2)
    display = draw(fitted, 1, ax=left.subplots())
    assert display.figure_ is left
    figure.canvas.draw()


@pytest.mark.parametrize("draw", SEVERAL)
def test_too_few_axes(pyplot, fitted, draw):
    _, own = pyplot.subplots(1, 2)
    with pytest.raises(ValueError, match=r"ax has 2 axes, but \w+ draws 3 panels"):
        draw(fitted, 3, ax=own)
    with pytest.raises(ValueError, match=r"ax has 1 axes, .*plt\.subplots\(1, 3\)"):
        draw(fitted, 3, ax=own[0])
    assert not any(axes.has_data() for axes in own)


@every_display
@pytest.mark.parametrize("ax", [3, "axes", [], [None]])
def test_axes_that_are_none(pyplot, fitted, draw, ax):
    with pytest.raises(TypeError, match="ax must be None, a matplotlib Axes or"):
        draw(fitted, 1, ax=ax)
    assert not pyplot.get_fignums()


@every_display
def test_drawn_again(pyplot, fitted, draw):
    display = draw(fitted, 3)
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first
    n = len(axes_of(display))
    _, own = pyplot.subplots(1, n)
    display.plot(own)
    assert axes_of(display) == list(np.ravel(own))


@every_display
def test_not_fitted(pyplot, draw):
    model = ConvNetClassifier()
    if draw is mistakes:
        with pytest.raises(NotFittedError):
            inspection.MistakesDisplay.from_estimator(model, IMAGES, labels(24))
    else:
        with pytest.raises(NotFittedError):
            draw(model, 1)
    assert not pyplot.get_fignums()


@pytest.mark.parametrize("draw", [filters, feature_maps, attributions, network])
def test_estimators_without_a_network(pyplot, draw):
    model = LogisticRegression().fit(IMAGES.reshape(24, -1), labels(24))
    message = "Display needs an estimator of skconvnet.*; got LogisticRegression"
    with pytest.raises(TypeError, match=message):
        draw(model, 1)
    assert not pyplot.get_fignums()


@every_display
def test_without_matplotlib(fitted, draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = r'Display needs matplotlib to draw: pip install "skconvnet\[plot\]"'
    with pytest.raises(ImportError, match=message):
        draw(fitted, 1)


@pytest.mark.parametrize("draw", [filters, feature_maps, attributions])
def test_unknown_colors(pyplot, fitted, draw):
    with pytest.raises(ValueError, match=r"got 'virids'\. Did you mean 'viridis'"):
        draw(fitted, 1, cmap="virids")
    assert not pyplot.get_fignums()
    assert draw(fitted, 1, cmap=pyplot.get_cmap("magma"))


def test_wrong_numbers_of_panels(pyplot, fitted):
    for draw, name in ((filters, "max_filters"), (feature_maps, "max_maps")):
        with pytest.raises(ValueError, match=f"{name} must be .* at least 1; got 0"):
            draw(fitted, 0)
        with pytest.raises(TypeError, match=f"{name} must be"):
            draw(fitted, 1.5)
    with pytest.raises(ValueError, match=r"n_max must be .* at least 1; got -1"):
        mistakes(fitted, -1)
    assert not pyplot.get_fignums()


def test_importing_displays_does_not_import_matplotlib():
    import subprocess

    code = (
        "import sys; from skconvnet.inspection import *\n"
        "assert 'matplotlib' not in sys.modules; print(FilterDisplay.__name__)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout == "FilterDisplay\n"


@given(st.integers(1, 100), st.floats(0.05, 20), st.integers(1, 6))
def test_rows_of_panels(n, ratio, multiple):
    width, height = panel_size(n, ratio)
    columns = columns_of(n, width, height, multiple)
    assert columns % multiple == 0
    assert columns <= -(-n // multiple) * multiple
    assert columns == multiple or columns * width <= 14


@given(st.text(alphabet="ab _-\n", max_size=80), st.integers(8, 40))
def test_broken_titles(text, letters):
    lines = broken(text, letters).split("\n")
    assert max(map(len, lines)) <= letters
    assert len(lines) <= 3 * (text.count("\n") + 1)
    whole = "".join("".join(lines).split())
    if "…" not in whole:
        assert whole == "".join(text.split())
    if all(len(line) <= letters for line in text.split("\n")):
        assert "…" not in whole


@pytest.mark.usefixtures("pyplot")
def test_an_mlp_has_all_pictures():
    X = IMAGES.reshape(24, -1)
    model = MLPClassifier(5, max_iter=2, random_state=0)
    with pytest.warns(match="converged"):
        model.fit(X, labels(24))
    assert inspection.FilterDisplay.from_estimator(model).kernels.shape == (5, 1, 64)
    maps = inspection.FeatureMapDisplay.from_estimator(model, X[0])
    np.testing.assert_array_equal(maps.maps, model.activations(X[:1], "dense1")[0])
    attribution = inspection.AttributionDisplay.from_estimator(model, X[:2])
    assert attribution.heat[0].shape == (64,)
    network(model, 1)
    learning_curve(model, 2)
