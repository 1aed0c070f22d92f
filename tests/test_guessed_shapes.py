"""What is told about the shape of images that is guessed from rows."""

import numpy as np
import pandas as pd
import pytest
from estimator_cases import labels
from reading_tools import N, convnet, read, sequential, sized
from sklearn.datasets import load_digits, load_iris

from skconvnet import ConvNetClassifier, MLPClassifier, SequentialClassifier
from skconvnet.layers import Conv2D, Dense, Flatten

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COLORS = [8, 16, 28, 32, 64]


@pytest.mark.parametrize("side", COLORS)
def test_rows_that_may_be_color_images(side):
    X = sized(3 * side**2)
    model = convnet(global_pooling="avg")
    read_as, (warning,) = read(model, X)
    assert read_as == (1, 3 * side**2, 1)
    assert f"input_shape=({side}, {side}, 3)" in warning
    assert (
        f"data_format='channels_first' and input_shape=(3, {side}, {side})" in warning
    )
    assert f"series, set input_shape=({3 * side**2}, 1)" in warning
    assert read(convnet(input_shape=(3 * side**2, 1)), X)[1] == []
    assert read(convnet(input_shape=(side, side, 3)), X)[1] == []
    first = {"data_format": "channels_first", "input_shape": (3, side, side)}
    assert read(convnet(**first), X) == ((side, side, 3), [])
    _, (warning,) = read(sequential(2), X)
    assert (
        f"data_format='channels_first' and input_shape=(3, {side}, {side})" in warning
    )
    assert read(sequential(2, **first), X) == ((side, side, 3), [])


def test_rows_whose_input_shape_has_channels_first():
    X = sized(3072)
    read_as, (warning,) = read(convnet(input_shape=(3, 32, 32)), X)
    assert read_as == (3, 32, 32)
    assert "means height 3, width 32, 32 channels" in warning
    assert "set data_format='channels_first'; if it is meant, pass X.reshape" in warning
    _, (warning,) = read(sequential(2, input_shape=(3, 32, 32)), X)
    assert "set data_format='channels_first'; if it is meant, pass X.reshape" in warning


def test_a_large_network_for_a_guess():
    X = sized(5000)
    model = convnet(filters=(32, 64), hidden_layer_sizes=(64,), pooling="max")
    read_as, (warning,) = read(model, X)
    n_weights = model.network_.vector.size
    assert read_as == (1, 5000, 1)
    model.set_params(global_pooling="avg")
    assert read(model, X) == ((1, 5000, 1), [])
    assert warning == (
        "X has rows of 5,000 features, which are read as series of 5,000 values, since "
        "no input_shape is set. This leads to a network of "
        f"{n_weights:,} weights, which is slow to train. For series, set "
        "input_shape=(5000, 1), with global_pooling='avg' or more entries in filters "
        "to make the network smaller. For images, set input_shape=(height, width, "
        "channels), such as (50, 100, 1)."
    )
    model.set_params(global_pooling=None, input_shape=(5000, 1))
    assert read(model, X) == ((5000, 1), [])
    model.set_params(input_shape=None, data_format="channels_first")
    _, (warning,) = read(model, X)
    assert "set input_shape=(1, 5000), with" in warning
    assert "input_shape=(channels, height, width), such as (1, 50, 100)." in warning
    layers = [Conv2D(32, 3, padding="same"), Flatten(), Dense(64)]
    _, (warning,) = read(SequentialClassifier(layers), X)
    assert "For series, set input_shape=(1, 5000, 1). For images" in warning


@pytest.mark.parametrize(
    ("n_features", "examples"),
    [
        (6000, ", such as (75, 80, 1) or (40, 50, 3)."),
        (5003, "channels)."),
    ],
)
def test_examples_of_image_shapes(n_features, examples):
    model = convnet(filters=(32, 64), hidden_layer_sizes=(64,), pooling="max")
    _, (warning,) = read(model, sized(n_features))
    assert warning.endswith(examples)


def test_one_warning_per_guess():
    """A large network is no second one."""
    large = convnet(filters=(32, 64), hidden_layer_sizes=(64,), pooling="max")
    _, (warning,) = read(large, sized(12288))
    assert "Are they 64x64 images of 3 colors?" in warning
    names = [f"{'xyz'[i % 3]}{i}" for i in range(5000)]
    _, (warning,) = read(large, pd.DataFrame(sized(5000), columns=names))
    assert "names as in a table" in warning


@pytest.mark.parametrize("n_features", [1, 2, 4, 9, 13, 30, 64, 100, 784, 2000])
def test_other_guesses_are_not_doubted(n_features):
    assert read(ConvNetClassifier(8), sized(n_features))[1] == []


@pytest.mark.parametrize(
    "name", ["pixel{0}", "pixel_{1}_{2}", "{1}x{2}", "t{0}", "{0}", "feature_{0}"]
)
def test_numbered_columns_are_not_doubted(name):
    names = [name.format(i, i // 3, i % 3) for i in range(9)]
    X = pd.DataFrame(sized(9), columns=names)
    assert read(convnet(), X) == ((3, 3, 1), [])


def pixel_columns(name, height, width, start=0, order="C"):
    """Return samples of 4x15 pixels, or the like, with a name for each column."""
    grid = np.indices((height, width)).reshape(2, -1, order=order).T + start
    names = [name.format(i, row, column) for i, (row, column) in enumerate(grid)]
    return pd.DataFrame(sized(height * width), columns=names)


@pytest.mark.parametrize("name", ["pixel{0}", "Pixel_{0}", "px{0}", "pix.{0}"])
def test_names_of_pixels_that_are_no_square(name):
    X = pixel_columns(name, 6, 10)
    read_as, (warning,) = read(convnet(), X)
    assert read_as == (1, 60, 1)
    assert warning == (
        f"The columns of X, {name.format(0)!r} to {name.format(59)!r}, have names of "
        "pixels, but are read as series of 60 values (images of height 1), since 60 is "
        "no square. For images, set input_shape=(height, width, channels), such as "
        "(6, 10, 1) or (4, 5, 3); for series, set input_shape=(60, 1)."
    )
    for shape in ((6, 10, 1), (60, 1)):
        assert read(convnet(input_shape=shape), X) == (shape, [])
    assert read(convnet(), X.to_numpy()) == ((1, 60, 1), [])
    assert read(sequential(2), X)[1][0].endswith("set input_shape=(1, 60, 1).")


@pytest.mark.parametrize("name", ["pixel_{1}_{2}", "{1}x{2}", "r{1}c{2}"])
@pytest.mark.parametrize("shape", [(4, 15), (15, 4), (4, 16)])
@pytest.mark.parametrize("start", [0, 1])
def test_names_that_number_rows_and_columns(name, shape, start):
    X = pixel_columns(name, *shape, start=start)
    height, width = shape
    _, (warning,) = read(convnet(), X)
    assert f"numbered like {height}x{width} gray images, but are read as" in warning
    assert f"For such images, set input_shape={(*shape, 1)}; for" in warning
    _, (warning,) = read(convnet(data_format="channels_first"), X)
    assert f"For such images, set input_shape={(1, *shape)}; for" in warning
    assert read(convnet(input_shape=(*shape, 1)), X) == ((*shape, 1), [])


def test_numbers_that_say_nothing_of_pixels():
    for name in ("t{0}", "feature_{0}", "pixie{0}", "x{0}"):
        assert read(convnet(), pixel_columns(name, 6, 10)) == ((1, 60, 1), [])
    for X in (
        pixel_columns("r{1}c{2}", 6, 10, order="F"),
        pixel_columns("r{1}c{2}", 6, 10).iloc[:, :59],
    ):
        assert read(convnet(), X) == ((1, X.shape[1], 1), [])


def test_columns_of_a_table_are_doubted():
    X, y = load_iris(return_X_y=True, as_frame=True)
    with pytest.warns(UserWarning, match="names as in a table.*MLPClassifier"):
        convnet().fit(X, y)
    convnet(input_shape=(2, 2, 1)).fit(X, y)
    with pytest.warns(UserWarning, match=r"a series, set input_shape=\(3, 1\)"):
        convnet().fit(X.iloc[:, :3], y)
    convnet(input_shape=(3, 1)).fit(X.iloc[:, :3], y)
    MLPClassifier(max_iter=1).fit(X, y)


@pytest.mark.parametrize(
    ("X", "line"),
    [
        (sized(64), "X has 64 features: read as 8x8 gray images; set input_shape to"),
        (sized(9216), "X has 9,216 features: read as 96x96 gray images; set input_s"),
        (sized(30), "X has 30 features: read as series of 30 values"),
        (sized(28, 20), "X of shape (n, 28, 20) is read as 28x20 gray images; set inp"),
        (
            sized(28, 1),
            "X of shape (n, 28, 1) is read as sequences of length 28, 1 cha",
        ),
    ],
)
def test_a_guess_is_told_once_if_verbose(X, line, capsys):
    model = convnet(verbose=True, max_iter=3, early_stopping=True, warm_start=True)
    X = X.repeat(4, axis=0)
    y = labels(len(X))
    model.set_params(validation_fraction=0.25).fit(X, y)
    assert capsys.readouterr().out.count(line) == 1
    model.fit(X, y).predict(X)
    assert line not in capsys.readouterr().out
    model.set_params(verbose=False, warm_start=False).fit(X, y)
    assert capsys.readouterr().out == ""


def test_what_is_given_is_not_told(capsys):
    model = convnet(verbose=True)
    for X, shape in ((sized(64), (8, 8, 1)), (sized(8, 8), (8, 8, 1))):
        model.set_params(input_shape=shape).initialize(X, labels(N))
    model.set_params(input_shape=None).initialize(sized(8, 8, 3), labels(N))
    SequentialClassifier([Dense(2)], verbose=True).initialize(sized(64), labels(N))
    assert capsys.readouterr().out == ""


def test_no_word_about_the_digits():
    X, y = load_digits(return_X_y=True)
    assert convnet().fit(X[:50], y[:50]).network_.in_shape == (8, 8, 1)


def test_networks_of_dense_layers_take_any_order():
    model = SequentialClassifier([Flatten(), Dense(4)], max_iter=1)
    assert read(model, sized(3, 32, 32)) == ((3, 32, 32), [])


def test_no_word_about_series_of_three_times_a_square():
    for n_features in (75, 300, 1200):
        assert read(convnet(), sized(n_features)) == ((1, n_features, 1), [])


def test_the_warning_points_to_the_caller():
    with pytest.warns(UserWarning, match="Are they 8x8") as caught:
        convnet().fit(sized(192), labels(N))
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="Are they 8x8") as caught:
        convnet().initialize(sized(192), labels(N))
    assert caught[0].filename == __file__
