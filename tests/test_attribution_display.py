"""AttributionDisplay: samples and the heat maps that belong to them."""

import numpy as np
import pandas as pd
import pytest
from estimator_cases import labels
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import ConvNetClassifier, MLPClassifier, MLPRegressor, inspection
from skconvnet.inspection import AttributionDisplay

pytestmark = pytest.mark.usefixtures("pyplot")
RNG = np.random.default_rng(0)
draw = AttributionDisplay.from_estimator


@pytest.fixture
def calls(monkeypatch):
    """Stand in for `attribute`: half of X, or the mean of the channels for grad_cam."""
    calls = []

    def attribute(estimator, X, method="saliency", target=None, **options):
        calls.append({"method": method, "target": target, **options})
        values = np.asarray(X) / 2
        if method == "grad_cam":
            shape = estimator.network_.in_shape
            maps = values.reshape(-1, *shape).mean(axis=-1)
            values = maps.reshape(len(X), -1) if values.ndim == 2 else maps
        return values

    monkeypatch.setattr(inspection, "attribute", attribute, raising=False)
    return calls


def convnet(X, **params):
    params = {"filters": (2,), "hidden_layer_sizes": 3, "random_state": 0, **params}
    return ConvNetClassifier(**params).initialize(X, labels(len(X)))


@pytest.mark.parametrize("method", ["input_x_gradient", "grad_cam"])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_images(calls, channels, method):
    X = RNG.normal(size=(12, 6, 5, *channels))
    model = convnet(X)
    display = draw(model, X[:3], method=method, target=2, n_steps=7)
    assert calls == [{"method": method, "target": 2, "n_steps": 7}]
    maps = X[:3].reshape(3, 6, 5, -1) / 2
    expected = maps.mean(axis=-1) if method == "grad_cam" else maps.sum(axis=-1)
    np.testing.assert_allclose(display.heat, expected)
    np.testing.assert_array_equal(display.samples, X[:3].reshape(3, 6, 5, -1))
    assert display.axes_.shape == (3, 2)
    for (sample, heat), own in zip(display.axes_, expected, strict=True):
        assert sample.get_title() == "target: 2"
        assert heat.get_title() == method.replace("_", " ")
        np.testing.assert_allclose(heat.images[0].get_array(), own)
        largest = np.abs(own).max()
        assert heat.images[0].get_clim() == pytest.approx((-largest, largest))
    shared = draw(model, X[:3], method=method, share_scale=True)
    largest = np.abs(expected).max()
    for _, heat in shared.axes_:
        assert heat.images[0].get_clim() == pytest.approx((-largest, largest))


@pytest.mark.parametrize("method", ["saliency", "grad_cam"])
@pytest.mark.parametrize("channels", [1, 3])
def test_rows_that_the_network_reads_as_images(calls, channels, method):
    X = RNG.uniform(size=(12, 30 * channels))
    model = convnet(X, input_shape=(6, 5, channels))
    display = draw(model, X[:2], method=method)
    maps = X[:2].reshape(2, 6, 5, channels) / 2
    # Without negative values, it is the largest of the channels.
    expected = maps.mean(axis=-1) if method == "grad_cam" else maps.max(axis=-1)
    np.testing.assert_allclose(display.heat, expected)
    assert calls == [{"method": method, "target": None}]
    titles = [axes.get_title() for axes in display.axes_[:, 0]]
    assert titles == [f"predicted: {label}" for label in model.predict(X[:2])]


def test_channels_first(calls):
    X = RNG.normal(size=(12, 3, 6, 5))
    display = draw(convnet(X, data_format="channels_first"), X[:2])
    assert calls
    np.testing.assert_array_equal(display.samples, np.moveaxis(X[:2], 1, -1))
    np.testing.assert_allclose(display.heat, X[:2].sum(axis=1) / 2)


@pytest.mark.parametrize("reduce", ["sum", "max", "mean"])
def test_channels_are_reduced(calls, reduce):
    X = RNG.normal(size=(12, 6, 5, 3))
    display = draw(convnet(X), X[:2], reduce=reduce)
    np.testing.assert_allclose(display.heat, getattr(np, reduce)(X[:2] / 2, axis=-1))
    assert calls


def test_overlay_of_images():
    X, coarse = RNG.uniform(size=(2, 8, 8, 3)), RNG.uniform(size=(2, 4, 2))
    display = AttributionDisplay(X, coarse).plot(arrangement="overlay")
    assert display.axes_.shape == (2,)
    for axes, sample, heat in zip(display.axes_, X, coarse, strict=True):
        below, above = axes.images
        np.testing.assert_allclose(below.get_array(), sample.mean(axis=-1))
        np.testing.assert_array_equal(above.get_array(), heat)
        # Maps of few positions cover the whole sample.
        assert above.get_extent() == below.get_extent()
        assert above.get_alpha() < 1
        assert above.get_clim() == (0, heat.max())


def test_series():
    X = RNG.normal(size=(2, 9, 3))
    beside, over = (
        AttributionDisplay(X, X).plot(arrangement=name)
        for name in ("beside", "overlay")
    )
    heights = [bar.get_height() for bar in beside.axes_[1, 1].patches]
    np.testing.assert_allclose(heights, X[1].sum(axis=-1))
    assert len(beside.axes_[1, 0].get_lines()) == len(over.axes_[1].get_lines()) == 3
    (strip,) = over.axes_[1].images
    np.testing.assert_allclose(strip.get_array(), X[1].sum(axis=-1)[np.newaxis])
    left, right, bottom, top = strip.get_extent()
    assert (left, right) == (-0.5, 8.5) == over.axes_[1].get_xlim()
    assert (bottom, top) == over.axes_[1].get_ylim()


def test_tables(calls):
    X = pd.DataFrame(RNG.normal(size=(12, 3)), columns=["a", "b", "c"])
    model = MLPRegressor(hidden_layer_sizes=3).initialize(X, np.arange(12.0))
    display = draw(model, X[:2])
    names = [text.get_text() for text in display.axes_[0, 0].get_yticklabels()]
    assert names == ["a", "b", "c"]
    widths = [bar.get_width() for bar in display.axes_[1, 1].patches]
    np.testing.assert_allclose(widths, X.iloc[1] / 2)
    over = draw(model, X[:2], arrangement="overlay", cmap="coolwarm")
    widths = [bar.get_width() for bar in over.axes_[1].patches]
    np.testing.assert_allclose(widths, X.iloc[1])
    # The bars have the color of their attribution.
    colors = np.array([bar.get_facecolor() for bar in over.axes_[1].patches])
    assert (np.argsort(colors[:, 0] - colors[:, 2]) == np.argsort(X.iloc[1])).all()
    assert over.axes_[1].get_title() == "sample 1"
    assert len(calls) == 2


def test_pipelines(calls):
    X = RNG.normal(3, 2, size=(30, 4))
    model = make_pipeline(StandardScaler(), MLPClassifier(3, max_iter=1))
    with pytest.warns(match="converged"):
        model.fit(X, labels(30))
    display = draw(model, X[:2], target=[0, 2])
    scaled = model[0].transform(X[:2])
    np.testing.assert_allclose(display.samples, scaled)
    np.testing.assert_allclose(display.heat, scaled / 2)
    assert [axes.get_title() for axes in display.axes_[:, 0]] == [
        "target: 0",
        "target: 2",
    ]
    assert calls


def test_volumes():
    X = RNG.normal(size=(1, 3, 4, 4, 1))
    for arrangement in ("beside", "overlay"):
        display = AttributionDisplay(X, X[..., 0]).plot(arrangement=arrangement)
        image = np.ravel(display.axes_)[-1].images[-1]
        assert image.get_array().shape == (4, 14)


def test_scale_of_colors():
    X = RNG.uniform(size=(2, 6, 6, 1))
    display = AttributionDisplay(X, X - 0.5)
    relative = display.plot().figure_.axes[-1]
    assert relative.get_ylabel() == "relative attribution"
    assert relative.get_ylim() == (-1, 1)
    shared = display.plot(share_scale=True).figure_.axes[-1]
    assert shared.get_ylabel() == "attribution"
    assert shared.get_ylim()[1] == np.abs(X - 0.5).max()
    assert len(display.plot(colorbar=False).figure_.axes) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arrangement": "besides"}, "arrangement must be .*'besides'"),
        ({"reduce": "total"}, "reduce must be .*'total'"),
    ],
)
def test_wrong_options(calls, options, message):
    X = RNG.normal(size=(12, 6, 5, 3))
    with pytest.raises(ValueError, match=message):
        draw(convnet(X), X[:2], **options)
    assert not calls


def test_wrong_arrays():
    X = np.ones((2, 6, 6, 3))
    for wrong in (X[:, 0, 0, 0], X[:, :5], X[:, :, 0, 0]):
        with pytest.raises(
            ValueError, match=r"attributions\[0\] must have the shape of"
        ):
            AttributionDisplay(X, wrong)
    with pytest.raises(
        ValueError, match="samples and attributions must be equally many"
    ):
        AttributionDisplay(X, X[:1])
    with pytest.raises(
        ValueError, match="samples and attributions must be equally many"
    ):
        AttributionDisplay([], [])
    with pytest.raises(
        ValueError, match="titles must have one entry for each of the 2"
    ):
        AttributionDisplay(X, X, titles=["one"])
