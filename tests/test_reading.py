"""What is told about how X is read: lines, warnings and errors."""

import numpy as np
import pytest
from estimator_cases import images, labels, make
from hypothesis import given
from hypothesis import strategies as st
from reading_tools import N, convnet, read, sequential, sized

from skconvnet import ConvNetClassifier, SequentialClassifier, SequentialRegressor
from skconvnet.estimators._data_format import (
    first_axis_is_channels,
    last_to_first,
    order_in_doubt,
)
from skconvnet.layers import Conv1D, GlobalAvgPool

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# X, input_shape, and how a sample is read.
RULE = [
    (sized(64), None, (8, 8, 1)),
    (sized(30), None, (1, 30, 1)),
    (sized(28, 20), None, (28, 20, 1)),
    (sized(50, 1), None, (50, 1)),
    (sized(50, 1), (50, 1, 1), (50, 1, 1)),
    (sized(1, 1), None, (1, 1)),
    (sized(9, 8, 3), None, (9, 8, 3)),
    (sized(9, 8, 7, 3), None, (9, 8, 7, 3)),
    (sized(50, 3), (50, 3), (50, 3)),
    (sized(150), (50, 3), (50, 3)),
    (sized(150), (None, 3), (50, 3)),
    (sized(50, 3), (None, 3), (50, 3)),
    (sized(50), (50, 1), (50, 1)),
    (sized(9, 8), (9, 8, 1), (9, 8, 1)),
    (sized(9, 8, 3), (None, None, 3), (9, 8, 3)),
    (sized(9, 8, 7), (9, 8, 7), (9, 8, 7)),
    (sized(9, 8, 7), (9, 8, 7, 1), (9, 8, 7, 1)),
    (sized(9, 8, 7), (None, None, None, 1), (9, 8, 7, 1)),
    (sized(504), (9, 8, 7, 1), (9, 8, 7, 1)),
]


@pytest.mark.parametrize(("X", "input_shape", "expected"), RULE)
def test_the_rule(X, input_shape, expected):
    assert read(convnet(input_shape=input_shape), X) == (expected, [])


@pytest.mark.parametrize(
    ("X", "input_shape", "message"),
    [
        (sized(2, 2, 2, 2, 2), None, "neither rows nor images. Without input_shape, X"),
        (sized(9, 8), (9, 7, 1), r"not the shape .* \(9, 8\).*Without input_shape, X"),
        (sized(9, 8, 3), (9, 8), r"not the shape of the samples of X"),
        (sized(9, 8), (9,), r"2 for sequences, \(length, channels\)"),
        (sized(9, 8), (9, 8, 1, 1, 1), "or 4 for volumes"),
        (sized(70), (None, 3), "does not say how the 70 features"),
        (sized(90), (None, None, 3), "only one entry may be None"),
        (sized(90), (9, 11, 1), "has 99 values, but X has 90 features"),
        (sized(90), (9.0, 10, 1), "tuple of positive ints"),
        (sized(3, 50), (50, 3), "channels of X come first, .*set data_format"),
    ],
)
def test_errors_of_input_shape(X, input_shape, message):
    with pytest.raises(ValueError, match=message):
        convnet(input_shape=input_shape).fit(X, labels(N))


CHANNELS_FIRST = [
    (3, 32, 32),
    (1, 28, 28),
    (3, 224, 224),
    (3, 48, 64),
    (4, 64, 64),
    (1, 8, 8),
    (3, 6, 5),
    (1, 16, 32, 32),
    (3, 16, 112, 112),
]


@pytest.mark.parametrize("shape", CHANNELS_FIRST)
def test_images_that_come_channels_first(shape):
    X, ndim = sized(*shape), len(shape) - 1
    one = "" if shape[-1] == 1 else "s"
    axes = tuple(range(len(shape) + 1))
    transpose = f"X.transpose{(0, *axes[2:], 1)}"
    with pytest.raises(
        ValueError, match=r"would be read as .*; channels come last"
    ) as e:
        convnet().fit(X, labels(N))
    message = str(e.value)
    assert f"width {shape[-2]}, {shape[-1]} channel{one}" in message
    assert "Set data_format='channels_first'" in message
    assert transpose in message
    assert f"if it is meant, set input_shape={shape}" in message
    with pytest.raises(ValueError, match="would be read as") as e:
        sequential(ndim).fit(X, labels(N))
    assert transpose in str(e.value)
    assert "Set data_format='channels_first'" in str(e.value)
    # Each of the suggestions works.
    last = (*shape[1:], shape[0])
    for model in (convnet(), sequential(ndim)):
        model.set_params(data_format="channels_first")
        assert read(model, X) == (last, [])
    for model in (convnet(), sequential(ndim)):
        assert read(model, X.transpose(0, *axes[2:], 1)) == (last, [])
        assert read(model.set_params(input_shape=shape), X) == (shape, [])
    # And the other way round.
    with pytest.raises(
        ValueError, match=r"'channels_first'. Set data_format='channels_l"
    ):
        convnet(data_format="channels_first").fit(np.moveaxis(X, 1, -1), labels(N))


def test_the_message_in_full():
    with pytest.raises(ValueError, match=r"^X of shape \(n, 3, 32, 32\)") as e:
        convnet().fit(sized(3, 32, 32), labels(N))
    assert str(e.value) == (
        "X of shape (n, 3, 32, 32) would be read as height 3, width 32, 32 channels; "
        "channels come last. Set data_format='channels_first', or transpose with "
        "X.transpose(0, 2, 3, 1); if it is meant, set input_shape=(3, 32, 32)."
    )


NORMAL = [
    (1, 200, 8),
    (1, 100, 3),
    (4, 4, 64),
    (3, 3, 16),
    (2, 2, 512),
    (7, 7, 512),
    (4, 8, 256),
    (1, 20, 4),
    (5, 5, 5),
    (28, 28, 1),
    (32, 32, 3),
    (3, 200, 3),
    (64, 64, 13),
    (4, 4, 4, 32),
    (2, 64, 64, 3),
    (16, 64, 64, 1),
]


@pytest.mark.parametrize("shape", NORMAL)
def test_what_is_not_suspected(shape):
    assert read(convnet(), sized(*shape)) == (shape, [])
    assert read(sequential(len(shape) - 1), sized(*shape)) == (shape, [])


sides = st.integers(1, 600)


@given(height=sides, width=sides, channels=st.integers(1, 4))
def test_images_of_few_channels_are_never_suspected(height, width, channels):
    assert order_in_doubt((height, width, channels), channels_first=False) == "no"
    assert order_in_doubt((channels, height, width), channels_first=True) == "no"


@given(
    height=st.integers(5, 600),
    aspect=st.floats(0.25, 4),
    channels=st.integers(1, 4),
    depth=st.integers(5, 99),
)
def test_images_of_few_channels_that_come_first_are(height, aspect, channels, depth):
    width = min(max(round(height * aspect), 5, -(-height // 4)), 4 * height)
    for shape in ((height, width), (depth, height, width)):
        assert first_axis_is_channels((channels, *shape)) == "surely"
        assert order_in_doubt((*shape, channels), channels_first=True) == "surely"


@given(side=st.integers(1, 64), channels=st.integers(1, 2048))
def test_square_maps_of_any_depth_are_never_suspected(side, channels):
    """Of which a network makes its features."""
    shape = (side, side, channels)
    assert order_in_doubt(shape, channels_first=False) == "no"
    assert order_in_doubt(last_to_first(shape), channels_first=True) == "no"


@given(length=st.integers(5, 5000), channels=st.integers(1, 999))
def test_sequences_of_five_steps_are_never_suspected(length, channels):
    assert order_in_doubt((length, channels), channels_first=False) == "no"


@pytest.mark.parametrize("shape", [(13, 64, 64), (16, 64, 64), (8, 8, 8), (28, 28, 28)])
def test_bands_and_volumes_are_doubted(shape):
    read_as, (warning,) = read(convnet(), sized(*shape))
    assert read_as == shape
    assert f"For volumes, set input_shape={(*shape, 1)}" in warning
    assert read(convnet(input_shape=shape), sized(*shape)) == (shape, [])
    assert read(convnet(input_shape=(*shape, 1)), sized(*shape))[1] == []


@pytest.mark.parametrize("shape", [(1, 100), (2, 50), (3, 64), (4, 1000)])
def test_sequences_that_come_channels_first(shape):
    X = sized(*shape)
    message = rf"read as length {shape[0]}, .*X\.transpose\(0, 2, 1\).*input_shape="
    for cls in (SequentialClassifier, SequentialRegressor):
        model = cls([Conv1D(2, 1), GlobalAvgPool()])
        with pytest.raises(ValueError, match=message):
            model.fit(X, labels(N))
    assert read(sequential(1, input_shape=shape), X) == (shape, [])
    # ConvNet* must be told input_shape, so they only warn.
    read_as, (warning,) = read(convnet(input_shape=shape), X)
    assert read_as == shape
    assert "Set data_format='channels_first'" in warning
    pattern = (None, shape[1])
    assert read(convnet(input_shape=pattern), X) == (shape, [])
    assert pattern == eval(warning.split("meant, set input_shape=")[1][:-1])


STRIPS = [
    ((128, 9), "input_shape=(128, 9)", False),
    ((9, 128), "data_format='channels_first' and input_shape=(9, 128)", True),
    ((500, 2), "input_shape=(500, 2)", False),
    ((16, 4), "input_shape=(16, 4)", False),
]


@pytest.mark.parametrize(("shape", "parameters", "is_first"), STRIPS)
def test_narrow_gray_images_may_be_sequences(shape, parameters, is_first):
    read_as, (warning,) = read(convnet(), sized(*shape))
    assert read_as == (*shape, 1)
    assert f"set {parameters}; if images are meant" in warning
    assert read(convnet(input_shape=(*shape, 1)), sized(*shape)) == (read_as, [])
    params = {"input_shape": shape}
    if is_first:
        params["data_format"] = "channels_first"
    sequence = (max(shape), min(shape))
    assert read(convnet(**params), sized(*shape)) == (sequence, [])


@pytest.mark.parametrize("length", [1, 15, 100, 784, 2000])
def test_a_trailing_axis_of_length_1_has_the_channel_of_sequences(length, capsys):
    X = sized(length, 1)
    assert read(convnet(), X) == ((length, 1), [])
    first = convnet(data_format="channels_first")
    assert read(first, sized(1, length)) == ((length, 1), [])
    assert capsys.readouterr().out == ""
    read(convnet(verbose=True), X)
    read(convnet(verbose=True, input_shape=(length, 1)), X)
    assert capsys.readouterr().out == (
        f"X of shape (n, {length}, 1) is read as sequences of length {length}, 1 "
        "channel; set input_shape to change that\n"
    )
    # Layers decide for Sequential*.
    assert read(sequential(2), X)[0] == (length, 1, 1)


def test_sequences_of_one_channel_fit_at_the_first_try():
    X = np.random.default_rng(0).normal(size=(N, 200, 1))
    fitted = ConvNetClassifier(max_iter=1, random_state=0).fit(X, labels(N))
    assert fitted.network_.in_shape == (200, 1)
    np.testing.assert_array_equal(fitted.predict(X[..., 0]), fitted.predict(X))
    # Of different lengths.
    X = [x[: 190 + i] for i, x in enumerate(X)]
    model = ConvNetClassifier(max_iter=1, global_pooling="avg", random_state=0)
    model.fit(X, labels(N))
    assert model.network_.in_shape == (195, 1)
    X = [x.T for x in X]
    model.set_params(data_format="channels_first").fit(X, labels(N))
    assert model.network_.in_shape == (195, 1)
    # The widths of images may include 1.
    X = [np.ones((9, 1 + i % 2)) for i in range(N)]
    assert read(convnet(global_pooling="avg"), X)[0] == (9, 2, 1)


def test_lists_of_narrow_samples_may_be_sequences():
    X = [np.ones((30 + i, 2)) for i in range(N)]
    shape, (told,) = read(convnet(global_pooling="avg"), X)
    assert shape == (29 + N, 2, 1)
    series, gray = "input_shape=(None, 2)", "input_shape=(None, 2, 1)"
    assert f"length up to {29 + N} with 2 channels, set {series}; if" in told
    assert told.endswith(f"set {gray}.")
    for own, expected in (((None, 2), (29 + N, 2)), ((None, 2, 1), shape)):
        model = convnet(global_pooling="avg", input_shape=own)
        assert read(model, X) == (expected, [])


@pytest.mark.parametrize(
    ("X", "advice"),
    [
        (
            sized(2000, 2),
            "For sequences of length 2000 with 2 channels, set input_shape=(2000, 2); "
            "for images, set filters=(32,) (1 block fits) or pooling=('max', None).",
        ),
        (
            sized(1, 2000),
            "For sequences of length 2000 with 1 channel, set "
            "data_format='channels_first' and input_shape=(1, 2000); for images, set "
            "pooling=None.",
        ),
        (
            sized(1, 200, 3),
            "For sequences of length 200, set input_shape=(200, 3) and pass "
            "X.reshape(-1, 200, 3); for images, set pooling=None.",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:X of shape")
def test_the_error_of_strips_has_the_fix(X, advice):
    with pytest.raises(ValueError, match="so no output is left") as e:
        ConvNetClassifier().fit(X, labels(N))
    assert str(e.value).endswith(advice)


@pytest.mark.parametrize("shape", [(28, 20), (28, 28), (15, 2), (6, 6), (16, 512)])
def test_other_gray_images_are_not_doubted(shape):
    assert read(convnet(), sized(*shape)) == ((*shape, 1), [])


@pytest.mark.parametrize("build", [convnet, lambda: sequential(2)])
def test_rows_for_a_network_of_color_images(build):
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(N, 8, 9, 3))
    fitted, rows = build().fit(X, labels(N)), X.reshape(N, -1)
    message = r"read in that order, channels last.*X\.reshape\(-1, 8, 9, 3\).*" + (
        r"X\.reshape\(-1, 3, 8, 9\)\.transpose\(0, 2, 3, 1\)"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        again = fitted.predict_proba(rows)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(again, fitted.predict_proba(X))
    # Where the order is stated, or of no importance, nothing needs to be said.
    build().set_params(input_shape=(8, 9, 3)).fit(X, labels(N)).predict(rows)
    build().fit(X[..., :1], labels(N)).predict(rows[:, ::3])
    # Rows of another length.
    message = "216 features as input. Rows are read as 8x9 images of 3 channels"
    for call in (fitted.predict, lambda X: fitted.partial_fit(X, labels(N))):
        with pytest.raises(ValueError, match=message):
            call(rows[:, :-1])


def test_channels_first_at_prediction():
    X = np.random.default_rng(0).uniform(size=(N, 8, 9, 3))
    other = X.transpose(0, 3, 1, 2)
    fitted = convnet().fit(X, labels(N))
    message = r"samples of shape \(3, 8, 9\).*on samples of shape \(8, 9, 3\)"
    message += r".*channels of \w+ come first. Set data_format='channels_first', or tr"
    for call in (
        fitted.predict,
        lambda X: fitted.loss_gradients(X, labels(N)),
        lambda X: fitted.activations(X, "conv1"),
        lambda X: fitted.partial_fit(X, labels(N)),
    ):
        with pytest.raises(ValueError, match=message):
            call(other)
    with pytest.raises(ValueError, match=message):
        fitted.set_params(warm_start=False).fit(
            X, labels(N), X_val=other, y_val=labels(N)
        )
    fitted.set_params(data_format="channels_first")
    with pytest.raises(ValueError, match=r"come last. Set data_format='channels_last'"):
        fitted.predict(X)
    model = sequential(2).fit(X, labels(N))
    with pytest.raises(ValueError, match=r"come first.*or transpose with X\.transp"):
        model.predict(other)


def test_lists_that_come_channels_first():
    X = [np.zeros((3, 8 + i, 9 + i)) for i in range(N)]
    with pytest.raises(ValueError, match=r"same number of channels.*set data_format"):
        convnet(global_pooling="avg").fit(X, labels(N))
    with pytest.raises(ValueError, match=r"the first axis, transpose each sample or"):
        sequential(2).fit(X, labels(N))
    same_width = [x[..., :9] for x in X]
    message = r"would be read as.*ranspose each sample with x\.transpose\(1, 2, 0\)"
    for model in (convnet(global_pooling="avg"), sequential(2)):
        with pytest.raises(ValueError, match=message):
            model.fit(same_width, labels(N))


def test_rows_for_a_network_of_any_size():
    X = [image[: 5 + i % 2] for i, image in enumerate(images(N))]
    fitted = make(
        ConvNetClassifier, global_pooling="avg", pooling=None, batch_size=N
    ).fit(X, labels(N))
    with pytest.raises(
        ValueError, match=r"rows of 35 features.*pass a list of samples"
    ):
        fitted.predict(images(N).reshape(N, -1)[:, :35])
