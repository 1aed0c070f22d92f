"""Images and sequences that have other channels than those in fit."""

import numpy as np
import pytest
from PIL import Image

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import Conv1D, Conv2D, GlobalAvgPool, GlobalMaxPool, Standardize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 12
Y = np.arange(N) % 2
ESTIMATORS = [
    ConvNetClassifier,
    ConvNetRegressor,
    SequentialClassifier,
    SequentialRegressor,
]
CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4}
PAIRS = [(a, b) for a in CHANNELS for b in CHANNELS if a != b]


def make(cls, **params):
    if cls in (SequentialClassifier, SequentialRegressor):
        params["layers"] = [Standardize(), Conv2D(2, 3), GlobalAvgPool()]
    else:
        params = {"filters": 2, "global_pooling": "avg", **params}
    return cls(**{"max_iter": 1, "random_state": 0, **params})


def images(mode, heights=(8,)):
    rng = np.random.default_rng(0)
    shapes = [(heights[i % len(heights)], 9, 3) for i in range(N)]
    pixels = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
    return [Image.fromarray(x).convert(mode) for x in pixels]


def arrays(mode, heights=(8,)):
    return list(map(np.asarray, images(mode, heights)))


def plural(n):
    return f"{n} channel" + ("" if n == 1 else "s")


def refused(call, *args, **kwargs):
    with pytest.raises(ValueError, match="channel") as caught:
        call(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(("fitted_on", "mode"), PAIRS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_pillow_images(cls, fitted_on, mode):
    fitted = make(cls).fit(images(fitted_on), Y)
    message = (
        f"X[0] is an image of mode {mode!r}, with {plural(CHANNELS[mode])}, but "
        f"{cls.__name__} was fitted on samples with {CHANNELS[fitted_on]}: pass "
        f"[image.convert({fitted_on!r}) for image in X]."
    )
    for X in (images(mode), tuple(images(mode)), images(mode, (8, 9))):
        assert refused(fitted.predict, X) == message
        assert refused(fitted.score, X, Y) == message
        assert refused(fitted.partial_fit, X, Y) == message
        fitted.predict([image.convert(fitted_on) for image in X])
    told = refused(fitted.fit, images(fitted_on), Y, X_val=images(mode), y_val=Y)
    assert told == message.replace("X[0]", "X_val[0]").replace("in X]", "in X_val]")
    fitted.fit(images(mode), Y)


def test_pillow_images_of_other_modes():
    fitted = make(ConvNetClassifier).fit(images("RGBA"), Y)
    assert "mode 'P', with 3 channels" in refused(fitted.predict, images("P"))
    fitted.fit(images("LA"), Y)
    assert refused(fitted.predict, images("L")).endswith("fitted on samples with 2.")


@pytest.mark.parametrize(("fitted_on", "mode"), PAIRS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_arrays(cls, fitted_on, mode):
    before, now = CHANNELS[fitted_on], CHANNELS[mode]
    fitted = make(cls).fit(np.stack(arrays(fitted_on)), Y)
    X = np.stack(arrays(mode))
    message = (
        f"X has samples of shape {X.shape[1:]}, but {cls.__name__} was fitted on "
        f"samples of shape (8, 9, {before}) (channels last): {plural(now)} instead of "
        f"{before}. Load images as for fit, as with mode={fitted_on!r} of load_images."
    )
    assert refused(fitted.predict, X) == message
    assert refused(fitted.score, list(X), Y) == message
    told = refused(fitted.fit, arrays(fitted_on), Y, X_val=X, y_val=Y)
    assert told == message.replace("X has", "X_val has")


@pytest.mark.parametrize(("fitted_on", "mode"), PAIRS)
def test_lists_of_different_sizes(fitted_on, mode):
    fitted = make(ConvNetClassifier).fit(arrays(fitted_on, (8, 9)), Y)
    X = arrays(mode, (8, 9))
    before, now = CHANNELS[fitted_on], CHANNELS[mode]
    assert refused(fitted.predict, X) == (
        f"X[0] has shape {X[0].shape}, but ConvNetClassifier was fitted on samples of "
        f"2 spatial axes and {plural(before)}: {plural(now)} instead of {before}. Load "
        f"images as for fit, as with mode={fitted_on!r} of load_images."
    )


def test_channels_that_come_first():
    model = make(ConvNetClassifier, data_format="channels_first")
    X = np.stack(arrays("RGB")).transpose(0, 3, 1, 2)
    fitted = model.fit(X, Y)
    assert ": 2 channels instead of 3" in refused(fitted.predict, X[:, :2])
    lists = [x[:, : 7 + i % 2] for i, x in enumerate(X)]
    fitted.fit(lists, Y)
    assert ": 2 channels instead of 3" in refused(
        fitted.predict, [x[:2] for x in lists]
    )


def test_other_numbers_of_axes():
    fitted = make(ConvNetClassifier).fit(arrays("RGB", (8, 9)), Y)
    X = [np.zeros((4, 5 + i % 2, 6, 3)) for i in range(N)]
    told = refused(fitted.predict, X)
    assert told.endswith("of 2 spatial axes and 3 channels, the channels last.")


@pytest.mark.parametrize("cls", [MLPClassifier, SequentialClassifier])
def test_rows_of_different_lengths(cls):
    fitted = cls(max_iter=1).fit(np.eye(N), Y)
    with pytest.raises(
        ValueError, match=r"^X\[1\] has shape \(3,\), but \w+ was fit"
    ) as e:
        fitted.predict([np.ones(N), np.ones(3)])
    assert str(e.value).endswith(f"fitted on rows of {N} features.")


def values(*shape):
    return np.random.default_rng(0).normal(size=shape)


def test_sequences_of_other_channels_may_have_any_length():
    layers = [Conv1D(2, 3), GlobalMaxPool()]
    fitted = SequentialClassifier(layers, max_iter=1).fit(values(N, 20, 2), Y)
    told = refused(fitted.predict, values(N, 25, 3))
    assert told.endswith("(20, 2) (channels last): 3 channels instead of 2.")
    X = values(N, 25, 2)
    told = refused(fitted.predict, X.transpose(0, 2, 1))
    assert "come first. Set data_format='channels_first', or transpose with" in told
    assert fitted.predict(X).shape == (N,)
    fitted.set_params(data_format="channels_first")
    assert "come last. Set data_format='channels_last'" in refused(fitted.predict, X)
    assert fitted.predict(X.transpose(0, 2, 1)).shape == (N,)


def test_input_shape_with_other_channels_than_sequences_of_different_lengths():
    X = [values(6 + i % 3, 2) for i in range(N)]
    layers = [Conv1D(2, 3), GlobalMaxPool()]
    model = SequentialClassifier(layers, input_shape=(None, 3), max_iter=1)
    told = refused(lambda X: model.fit(X, Y), X)
    assert "(None, 3) stands for 3 channels, but the samples of X have 2, as" in told
    model.set_params(input_shape=(3, None), data_format="channels_first")
    told = refused(lambda X: model.fit(X, Y), [x.T for x in X])
    assert "(3, None) stands for 3 channels, but the samples of X have 2, as" in told
    model.set_params(input_shape=(2, None)).fit([x.T for x in X], Y)
