"""FilterDisplay: the kernels of every kind of layer, and how they are drawn."""

from itertools import product

import numpy as np
import pytest
from estimator_cases import labels
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skconvnet import ConvNetClassifier, MLPClassifier, SequentialClassifier
from skconvnet.inspection import FilterDisplay
from skconvnet.layers import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAvgPool,
    LocallyConnected1D,
    LocallyConnected2D,
    MaxPool2D,
    Parallel,
    Residual,
    SeparableConv2D,
    SpatiallySeparableConv2D,
    Standardize,
    WhiteningConv2D,
)

pytestmark = pytest.mark.usefixtures("pyplot")
RNG = np.random.default_rng(0)


def network(shape, *layers):
    X = RNG.uniform(size=(12, *shape))
    return SequentialClassifier(list(layers), random_state=0).initialize(X, labels(12))


def draw(model, layer=None, **options):
    return FilterDisplay.from_estimator(model, layer, **options)


def drawn(display):
    return [np.asarray(axes.images[0].get_array()) for axes in display.axes_]


def test_convolutions_have_their_own_kernels():
    model = network((9, 9, 2), ("a", Conv2D(4, 3, groups=2)), ("b", Conv2D(5, 2)))
    first, second = draw(model), draw(model, "b")
    weights = model.get_weights()
    np.testing.assert_array_equal(first.kernels, weights["a/kernel"])
    assert first.kernels.shape == (4, 1, 3, 3)
    np.testing.assert_array_equal(second.kernels, weights["b/kernel"])
    assert second.figure_.get_suptitle() == "b (Conv2D): 5 filters"


@pytest.mark.parametrize("groups", [1, 2])
def test_transposed_kernels_belong_to_their_filters(groups):
    model = network((5, 5, 4), Conv2DTranspose(6, 3, groups=groups))
    kernel = model.get_weights()["conv2dtranspose/kernel"]
    kernels = draw(model).kernels
    assert kernels.shape == (6, 4 // groups, 3, 3)
    per_group = 6 // groups
    for f, c in product(range(6), range(4 // groups)):
        group, own = divmod(f, per_group)
        expected = kernel[group * (4 // groups) + c, own]
        np.testing.assert_array_equal(kernels[f, c], expected)


def test_kernels_of_depthwise_layers_have_one_channel():
    model = network(
        (9, 9, 3), ("a", DepthwiseConv2D(3, 2)), ("b", SeparableConv2D(4, 2))
    )
    weights = model.get_weights()
    np.testing.assert_array_equal(draw(model).kernels, weights["a/kernel"])
    np.testing.assert_array_equal(draw(model, "b").kernels, weights["b/depthwise"])


def test_both_steps_of_a_spatially_separable_layer_are_one_kernel():
    model = network((6, 7, 2), SpatiallySeparableConv2D(4, (3, 2)))
    weights = model.get_weights()
    (name,) = {key.split("/")[0] for key in weights} - {"output"}
    kernels = draw(model).kernels
    assert kernels.shape == (4, 2, 3, 2)
    # The layer computes what a convolution with these kernels does.
    plain = network((6, 7, 2), ("conv", Conv2D(4, (3, 2))))
    plain.set_weights({"conv/kernel": kernels})
    X = RNG.normal(size=(3, 6, 7, 2))
    np.testing.assert_allclose(
        plain.activations(X, "conv"), model.activations(X, name), rtol=1e-5, atol=1e-6
    )


def test_kernels_of_one_position_of_a_locally_connected_layer():
    model = network((6, 7, 2), ("a", LocallyConnected2D(3, 2)))
    kernel = model.get_weights()["a/kernel"]
    np.testing.assert_array_equal(draw(model).kernels, kernel[2, 3])
    np.testing.assert_array_equal(draw(model, position=(0, 5)).kernels, kernel[0, 5])
    for wrong in [(5, 0), (-1, 0), (1,), 3, (1.0, 2)]:
        with pytest.raises(ValueError, match=r"position must be .* below \(5, 6\)"):
            draw(model, position=wrong)
    series = network((9, 2), ("a", LocallyConnected1D(3, 2)))
    kernel = series.get_weights()["a/kernel"]
    np.testing.assert_array_equal(draw(series, position=1).kernels, kernel[1])
    with pytest.raises(ValueError, match="position is for locally connected layers"):
        draw(network((6, 7, 2), ("a", Conv2D(3, 2))), position=(0, 0))


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 2, 3), (2, 2, 2, 3)])
def test_units_see_rows_as_images(shape):
    X = RNG.uniform(size=(12, 24))
    model = MLPClassifier(5, random_state=0).initialize(X, labels(12))
    kernels = draw(model, shape=shape).kernels
    *spatial, channels = shape if len(shape) > 2 else (*shape, 1)
    assert kernels.shape == (5, channels, *spatial)
    for unit in range(5):
        own = model.coefs_[0][:, unit].reshape(*spatial, channels)
        np.testing.assert_array_equal(np.moveaxis(kernels[unit], 0, -1), own)
    plain = draw(model)
    heights = [bar.get_height() for bar in plain.axes_[3].patches]
    np.testing.assert_array_equal(heights, model.coefs_[0][:, 3])
    np.testing.assert_array_equal(plain.kernels[:, 0], model.coefs_[0].T)
    assert plain.axes_[0].get_title() == "unit 0"


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 5), r"shape=\(4, 5\) has 20 values, but a sample has 24"),
        ((4.0, 6), "shape must be a tuple of 1 to 4 integers above 0"),
        ((-4, -6), "shape must be a tuple"),
        (24, "shape must be a tuple"),
    ],
)
def test_wrong_shapes(shape, message):
    model = MLPClassifier(5).initialize(RNG.uniform(size=(12, 24)), labels(12))
    with pytest.raises(ValueError, match=message):
        draw(model, shape=shape)


def test_shape_is_for_dense_layers():
    model = network((6, 7, 2), ("a", Conv2D(3, 2)))
    with pytest.raises(ValueError, match="shape is for dense layers, but layer='a'"):
        draw(model, shape=(2, 2))


def test_dense_layers_after_a_map_see_the_map():
    model = network(
        (6, 6, 2),
        ("conv", Conv2D(3, 3)),
        ("flatten", Flatten()),
        ("dense", Dense(4)),
        ("next", Dense(4)),
    )
    kernel = model.get_weights()["dense/kernel"]
    kernels = draw(model, "dense").kernels
    np.testing.assert_array_equal(kernels[1, 2], kernel[2::3, 1].reshape(4, 4))
    assert draw(model, "next").kernels.shape == (4, 1, 4)
    pooled = network((6, 6, 2), Conv2D(3, 3), GlobalAvgPool(), ("dense", Dense(4)))
    assert draw(pooled, "dense").kernels.shape == (4, 1, 3)
    series = network((9, 2), ("flatten", Flatten()), ("dense", Dense(4)))
    assert draw(series).kernels.shape == (4, 2, 9)


def test_kernels_that_whiten():
    model = network((9, 9, 3), Standardize(), ("whiten", WhiteningConv2D(2)))
    display = draw(model)
    assert display.channels == "rgb"
    kernel = model.get_weights()["whiten/kernel"]
    np.testing.assert_array_equal(display.kernels, kernel[: len(display.kernels)])


def test_colors():
    model = network((9, 9, 3), Standardize(), Conv2D(4, 3), ("b", Conv2D(2, 3)))
    display = draw(model)
    assert display.channels == "rgb"
    kernels, largest = display.kernels, np.abs(display.kernels).max()
    for kernel, image in zip(kernels, drawn(display), strict=True):
        expected = 0.5 + np.moveaxis(kernel, 0, -1) / (2 * largest)
        np.testing.assert_allclose(image, expected)
    assert "gray is 0" in display.figure_.get_suptitle()
    own = draw(model, share_scale=False)
    for image in drawn(own):
        assert np.abs(image - 0.5).max() == pytest.approx(0.5)
    # The channels of later layers are no colors.
    assert draw(
        network((9, 9, 3), Conv2D(3, 3), ("b", Conv2D(2, 3))), "b"
    ).channels == ("mean")


@pytest.mark.parametrize(
    ("channels", "expected", "n_panels"),
    [("mean", "mean", 5), ("all", [0, 1, 2, 3], 20), ([3, 1], [3, 1], 10)],
)
def test_channels_of_images(channels, expected, n_panels):
    model = network((9, 9, 4), ("a", Conv2D(5, 3)))
    display = draw(model, channels=channels)
    assert display.channels == expected
    kernels = display.kernels
    if channels == "mean":
        panels = kernels.mean(axis=1)
        assert display.axes_[1].get_title() == "filter 1"
    else:
        panels = kernels[:, expected].reshape(-1, 3, 3)
        last = display.axes_[-1].get_title()
        assert last == f"filter 4, channel {expected[-1]}"
    assert len(display.axes_) == n_panels
    np.testing.assert_array_equal(drawn(display), panels)
    limits = {axes.images[0].get_clim() for axes in display.axes_}
    largest = np.abs(panels).max()
    assert limits == {(-largest, largest)}
    unshared = draw(model, channels=channels, share_scale=False)
    for axes, panel in zip(unshared.axes_, panels, strict=True):
        assert axes.images[0].get_clim()[1] == np.abs(panel).max()
    # The scale of colors is drawn if there is one.
    assert len(display.figure_.axes) == n_panels + 1
    assert len(unshared.figure_.axes) == n_panels
    without = draw(model, channels=channels, colorbar=False)
    assert len(without.figure_.axes) == n_panels


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ("man", "channels must be 'auto', .* got 'man'. Did you mean 'mean'?"),
        (
            "rgb",
            "channels='rgb' needs kernels of images with 3 channels; got .* 4 chan",
        ),
        ([4], r"channels must be a list of indices from 0 to 3; got \[4\]"),
        ([], "channels must be a list"),
        ([-1], "channels must be a list"),
        ([0.5], "channels must be a list"),
    ],
)
def test_wrong_channels(channels, message):
    model = network((9, 9, 4), ("a", Conv2D(5, 3)))
    with pytest.raises(ValueError, match=message):
        draw(model, channels=channels)


def test_kernels_of_series_are_lines():
    model = network((20, 3), ("a", Conv1D(4, 5)), ("b", Conv1D(2, 3)))
    display = draw(model)
    assert display.channels == [0, 1, 2]
    for axes, kernel in zip(display.axes_, display.kernels, strict=True):
        for line, own in zip(axes.get_lines(), kernel, strict=False):
            np.testing.assert_array_equal(line.get_ydata(), own)
        assert axes.get_ylim() == display.axes_[0].get_ylim()
    legend = display.axes_[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [
        "channel 0",
        "channel 1",
        "channel 2",
    ]
    mean = draw(model, "b")
    assert mean.channels == "mean"
    line = mean.axes_[1].get_lines()[0]
    np.testing.assert_allclose(line.get_ydata(), mean.kernels[1].mean(axis=0))


def test_kernels_of_volumes_are_slices():
    model = network((5, 5, 5, 1), ("a", Conv3D(4, (3, 2, 2))))
    display = draw(model)
    image = drawn(display)[2]
    assert image.shape == (2, 8)
    for depth in range(3):
        own = image[:, 3 * depth : 3 * depth + 2]
        np.testing.assert_array_equal(own, display.kernels[2, 0, depth])
    assert np.isnan(np.ma.filled(image, np.nan)[:, [2, 5]]).all()


@pytest.mark.parametrize(("most", "n"), [(3, 3), (16, 16), (None, 20), (100, 20)])
def test_number_of_filters(most, n):
    model = network((9, 9, 1), ("a", Conv2D(20, 3)))
    display = draw(model, max_filters=most)
    assert len(display.axes_) == len(display.kernels) == n
    assert display.n_filters == 20
    shown = "20 filters" if n == 20 else f"{n} of 20 filters"
    assert display.figure_.get_suptitle() == f"a (Conv2D): {shown}"


def test_layers_inside_of_layers():
    block = Parallel(
        [("b1", [("conv", Conv2D(2, 1))]), ("b2", [Residual([Conv2D(2, 1)])])]
    )
    model = network((9, 9, 2), ("pool", MaxPool2D()), ("block", block))
    first = draw(model)
    np.testing.assert_array_equal(
        first.kernels, model.get_weights()["block/b1/conv/kernel"]
    )
    path = "block/b2/residual/shortcut/projection"
    with pytest.raises(ValueError, match=r"layer must be one of .*; got"):
        draw(model, path)  # the shortcut is the identity
    inner = draw(model, "block/b2/residual/conv2d")
    assert inner.layer == "block/b2/residual/conv2d (Conv2D)"
    with pytest.raises(ValueError, match="'block' is a Parallel layer, which has no"):
        draw(model, "block")


def test_wrong_layers():
    model = network((9, 9, 2), ("conv1", Conv2D(2, 3)), ("pool1", MaxPool2D()))
    with pytest.raises(ValueError, match=r"got 'cnov1'\. Did you mean 'conv1'\?"):
        draw(model, "cnov1")
    with pytest.raises(
        ValueError, match=r"kernels. Layers with kernels are 'conv1', 'o"
    ):
        draw(model, "pool1")
    with pytest.raises(ValueError, match=r"layer must be one of 'conv1', .*; got 1"):
        draw(model, 1)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_pipelines_and_searches():
    X, y = RNG.uniform(size=(30, 36)), labels(30)
    model = make_pipeline(
        FunctionTransformer(), ConvNetClassifier(filters=(2,), max_iter=1)
    )
    search = GridSearchCV(model, {"convnetclassifier__filters": [(3,)]}, cv=2)
    kernels = draw(search.fit(X, y)).kernels
    own = search.best_estimator_[-1].get_weights()["conv1/kernel"]
    np.testing.assert_array_equal(kernels, own)


def test_kernels_of_zeros_and_given_kernels():
    display = FilterDisplay(np.zeros((2, 1, 3, 3))).plot(cmap="coolwarm")
    assert display.axes_[0].images[0].get_cmap().name == "coolwarm"
    assert display.figure_.get_suptitle() == "2 filters"
    for wrong in (np.zeros((2, 3)), np.zeros((0, 1, 3, 3))):
        with pytest.raises(ValueError, match="kernels must have shape"):
            FilterDisplay(wrong)


@pytest.mark.parametrize(
    ("spatial", "kind"), [((9,), Conv1D), ((9, 8), Conv2D), ((5, 4, 3), Conv3D)]
)
def test_the_output_layer_of_maps_is_a_convolution(spatial, kind):
    X = RNG.uniform(size=(12, *spatial, 2))
    y = labels(12 * np.prod(spatial)).reshape(12, *spatial)
    if len(spatial) == 1:
        y = np.stack([y == 0, y == 1, y == 2], axis=-1).astype(int)
    layers = [("conv1", kind(4, 3, padding="same"))]
    model = SequentialClassifier(layers, random_state=0).initialize(X, y)
    display = draw(model, "output", max_filters=None)
    np.testing.assert_array_equal(display.kernels, model.get_weights()["output/kernel"])
    assert display.kernels.shape == (3, 4, *(1,) * len(spatial))
    assert display.figure_.get_suptitle().endswith(": 3 filters")
    with pytest.raises(ValueError, match=r"shape is for dense layers.*predicts maps"):
        draw(model, "output", shape=(2, 2))
