"""FeatureMapDisplay: the maps of one sample, however it is passed."""

import numpy as np
import pandas as pd
import pytest
from estimator_cases import labels
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    SequentialClassifier,
)
from skconvnet.inspection import FeatureMapDisplay
from skconvnet.layers import Conv1D, Conv3D, Flatten, Residual

pytestmark = pytest.mark.usefixtures("pyplot")
RNG = np.random.default_rng(0)
draw = FeatureMapDisplay.from_estimator


def initialized(X, **params):
    params = {"filters": (3,), "hidden_layer_sizes": 4, "random_state": 0, **params}
    return ConvNetClassifier(**params).initialize(X, labels(len(X)))


@pytest.mark.parametrize(
    "layer", ["conv1", "activation1", "pool1", "flatten", "output"]
)
def test_maps_are_activations(layer):
    X = RNG.uniform(size=(12, 8, 6, 2))
    model = initialized(X)
    display = draw(model, X[4], layer)
    np.testing.assert_array_equal(display.maps, model.activations(X[4:5], layer)[0])
    if display.maps.ndim == 3:
        for channel, axes in enumerate(display.axes_):
            image = axes.images[0].get_array()
            np.testing.assert_array_equal(image, display.maps[..., channel])
    else:
        heights = [bar.get_height() for bar in display.axes_[0].patches]
        np.testing.assert_allclose(heights, display.maps)


def test_a_sample_in_any_form():
    X = RNG.uniform(size=(12, 8, 8))
    model = initialized(X)
    expected = model.activations(X[:1], "conv1")[0]
    forms = [X[0], X[:1], X[0, ..., None], X[:1, ..., None]]
    # Rows of as many numbers are read as such images.
    rows = [X[0].ravel(), X[:1].reshape(1, -1), X[0].tolist()]
    for form in forms + rows:
        np.testing.assert_array_equal(draw(model, form).maps, expected)


def test_a_row_of_a_table():
    X = pd.DataFrame(RNG.uniform(size=(12, 4)), columns=list("abcd"))
    model = MLPClassifier(3, random_state=0).initialize(X, labels(12))
    expected = model.activations(X.iloc[[2]], "dense1")[0]
    for form in (X.iloc[2], X.iloc[[2]]):
        np.testing.assert_array_equal(draw(model, form).maps, expected)
    with pytest.raises(ValueError, match="x must be one sample, such as"):
        draw(model, X)


def test_channels_first():
    X = RNG.uniform(size=(12, 2, 8, 6))
    model = initialized(X, data_format="channels_first")
    expected = model.activations(X[3:4], "conv1")[0]
    for form in (X[3], X[3:4]):
        np.testing.assert_array_equal(draw(model, form).maps, expected)


@pytest.mark.parametrize("channels", [(), (2,)])
def test_samples_of_another_size(channels):
    sizes = [(8, 8), (9, 12)]
    X = [RNG.uniform(size=(*sizes[i % 2], *channels)) for i in range(12)]
    model = ConvNetClassifier((3,), global_pooling="avg", random_state=0)
    model.initialize(X, labels(12))
    for x in [*X[:2], RNG.uniform(size=(10, 7, *channels))]:
        expected = model.activations([x], "conv1")[0]
        np.testing.assert_array_equal(draw(model, x).maps, expected)
        np.testing.assert_array_equal(draw(model, x[np.newaxis]).maps, expected)


@pytest.mark.parametrize("shape", [(2, 8, 8), (2, 8, 8, 1), (0, 8, 8), (2, 64)])
def test_several_samples(shape):
    model = initialized(RNG.uniform(size=(12, 8, 8)))
    with pytest.raises(
        ValueError, match=r"x must be one sample, such as X\[0\] or X\[:1"
    ):
        draw(model, np.zeros(shape))
    with pytest.raises(ValueError, match="x must be one sample"):
        draw(model, 3.0)


def test_pipelines_transform_the_sample():
    X, y = RNG.normal(3, 2, size=(30, 5)), labels(30)
    model = make_pipeline(StandardScaler(), MLPClassifier(4, max_iter=1))
    with pytest.warns(match="converged"):
        model.fit(X, y)
    expected = model[-1].activations(model[0].transform(X[:1]), "dense1")[0]
    for form in (X[0], X[:1], X[0].tolist()):
        np.testing.assert_array_equal(draw(model, form).maps, expected)
    with pytest.raises(ValueError, match=r"x must be one sample for a pipeline"):
        draw(model, X)


def test_the_first_convolution_is_drawn():
    X = RNG.uniform(size=(12, 8, 8, 1))
    assert draw(initialized(X), X[0]).layer == "conv1 (Conv2D)"
    series = RNG.uniform(size=(12, 9, 2))
    layers = [("block", Residual([("conv", Conv1D(2, 3, padding="same"))]))]
    nested = SequentialClassifier(layers).initialize(series, labels(12))
    assert draw(nested, series[0]).layer == "block (Residual)"
    mlp = MLPClassifier(3).initialize(X.reshape(12, -1), labels(12))
    assert draw(mlp, X[0].ravel()).layer == "dense1 (Dense)"
    with pytest.raises(ValueError, match="'block/conv' is inside of layer 'block'"):
        draw(nested, series[0], "block/conv")


def test_unknown_layers():
    X = RNG.uniform(size=(12, 8, 8, 1))
    with pytest.raises(ValueError, match=r"got 'con1'\. Did you mean 'conv1'\?"):
        draw(initialized(X), X[0], "con1")


def test_series_are_lines():
    X = RNG.normal(size=(12, 20, 2))
    model = SequentialClassifier([("a", Conv1D(5, 3))]).initialize(X, labels(12))
    display = draw(model, X[0], max_maps=4)
    assert len(display.axes_) == 4
    for channel, axes in enumerate(display.axes_):
        (line,) = axes.get_lines()
        np.testing.assert_array_equal(line.get_ydata(), display.maps[:, channel])
    assert len({axes.get_ylim() for axes in display.axes_}) == 1
    own = draw(model, X[0], share_scale=False)
    assert len({axes.get_ylim() for axes in own.axes_}) == 5


def test_volumes_are_slices():
    X = RNG.normal(size=(6, 5, 4, 4, 1))
    layers = [("a", Conv3D(3, 2)), ("flatten", Flatten())]
    model = SequentialClassifier(layers).initialize(X, labels(6))
    display = draw(model, X[0])
    image = display.axes_[1].images[0].get_array()
    # Four slices of 3 x 3, two in a row, with a gap between them.
    assert image.shape == (7, 7)
    np.testing.assert_array_equal(image[:3, 4:], display.maps[1, ..., 1])
    np.testing.assert_array_equal(image[4:, :3], display.maps[2, ..., 1])


def test_colors():
    X = RNG.normal(size=(12, 8, 8, 1))
    model = initialized(X)
    signed, positive = draw(model, X[0]), draw(model, X[0], "activation1")
    largest = np.abs(signed.maps).max()
    for axes in signed.axes_:
        assert axes.images[0].get_clim() == (-largest, largest)
        assert axes.images[0].get_cmap().name == "RdBu_r"
    for axes in positive.axes_:
        assert axes.images[0].get_clim() == (0, positive.maps.max())
        assert axes.images[0].get_cmap().name == "viridis"
    assert len(signed.figure_.axes) == 4
    own = draw(model, X[0], share_scale=False, cmap="magma")
    assert len(own.figure_.axes) == 3
    for channel, axes in enumerate(own.axes_):
        assert axes.images[0].get_clim()[1] == np.abs(own.maps[..., channel]).max()
        assert axes.images[0].get_cmap().name == "magma"


def test_maps_that_are_given():
    assert len(FeatureMapDisplay(np.ones((4, 4, 20))).plot().axes_) == 16
    assert len(FeatureMapDisplay(np.ones((4, 4, 20)), max_maps=None).plot().axes_) == 20
    for wrong in (np.ones(()), np.ones((1,) * 5), np.ones((0, 2))):
        with pytest.raises(ValueError, match="maps must have shape"):
            FeatureMapDisplay(wrong)


def test_a_sparse_sample_is_not_drawn():
    X = np.eye(6, 4)
    model = MLPClassifier((3,), random_state=0).initialize(X, np.arange(6) % 2)
    with pytest.raises(TypeError, match="x must be dense to be drawn; got a sparse"):
        FeatureMapDisplay.from_estimator(model, sparse.csr_array(X[:1]))
