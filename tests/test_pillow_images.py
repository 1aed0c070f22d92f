"""Lists of Pillow images as X."""

import subprocess
import sys
from collections import deque

import numpy as np
import pandas as pd
import pytest
from estimator_cases import IMAGE_ESTIMATORS
from estimator_cases import make as make_unscaled
from PIL import Image
from sklearn.model_selection import cross_val_score

from skconvnet import ConvNetClassifier, SequentialClassifier
from skconvnet.layers import Conv2D, GlobalAvgPool, Standardize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 12
Y = np.arange(N) % 3
# What each mode is as an array: dtype, and shape of an image of height 8 and width 9.
MODES = {
    "1": ("bool", (8, 9)),
    "L": ("uint8", (8, 9)),
    "LA": ("uint8", (8, 9, 2)),
    "P": ("uint8", (8, 9, 3)),
    "PA": ("uint8", (8, 9, 4)),
    "RGB": ("uint8", (8, 9, 3)),
    "RGBA": ("uint8", (8, 9, 4)),
    "CMYK": ("uint8", (8, 9, 4)),
    "YCbCr": ("uint8", (8, 9, 3)),
    "HSV": ("uint8", (8, 9, 3)),
    "I": ("int32", (8, 9)),
    "I;16": ("uint16", (8, 9)),
    "I;16B": ("uint16", (8, 9)),
    "F": ("float32", (8, 9)),
}


def photos(mode="RGB", sizes=((9, 8),) * N):
    """Return images; sizes are (width, height), as in Pillow."""
    rng = np.random.default_rng(0)
    images = []
    for width, height in sizes:
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        image = Image.fromarray(pixels)
        if mode == "I;16B":
            gray = pixels[..., 0].astype(">u2")
            image = Image.frombytes(mode, (width, height), gray.tobytes())
        elif mode == "I;16":
            image = Image.fromarray(pixels[..., 0].astype(np.uint16))
        elif mode == "PA":
            image = image.convert("P").convert("PA")
        else:
            image = image.convert(mode)
        assert image.mode == mode
        images.append(image)
    return images


def arrays(images):
    colors = {"P": "RGB", "PA": "RGBA"}
    return [np.asarray(x.convert(colors.get(x.mode, x.mode))) for x in images]


def make(cls):
    """Return a network for pixels from 0 to 255."""
    is_convnet = cls.__name__.startswith("ConvNet")
    return make_unscaled(cls, **({"rescale": "auto"} if is_convnet else {}))


def convnet(**params):
    fixed = {"filters": 3, "hidden_layer_sizes": 4, "max_iter": 2, "random_state": 0}
    return ConvNetClassifier(**{**fixed, **params})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_every_mode(mode, data_format):
    images, (dtype, shape) = photos(mode), MODES[mode]
    X = np.stack(arrays(images))
    X = X.astype(X.dtype.newbyteorder("="))
    assert (X.dtype, X.shape[1:]) == (np.dtype(dtype), shape)
    expected = convnet().fit(X, Y)
    fitted = convnet(data_format=data_format).fit(images, Y)
    assert fitted.network_.dtype == expected.network_.dtype
    assert fitted.network_.state.tobytes() == expected.network_.state.tobytes()
    np.testing.assert_array_equal(
        fitted.predict_proba(images), expected.predict_proba(X)
    )


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "F"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_images_of_different_sizes(mode, data_format):
    images = photos(mode, [(9 + i % 3, 8 - i % 2) for i in range(N)])
    params = {"global_pooling": "avg"}
    expected = convnet(**params).fit(arrays(images), Y)
    fitted = convnet(**params, data_format=data_format).fit(images, Y)
    assert fitted.network_.in_shape[:2] == (8, 11)
    assert fitted.network_.state.tobytes() == expected.network_.state.tobytes()
    np.testing.assert_array_equal(
        fitted.predict(images[:1]), expected.predict(images)[:1]
    )
    assert SequentialClassifier(
        [Standardize(), Conv2D(2, 3), GlobalAvgPool()], max_iter=1, random_state=0
    ).fit(images, Y).predict(images).shape == (N,)


@pytest.mark.parametrize("kind", [tuple, deque, pd.Series, "object"])
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_any_container(cls, kind):
    images = photos("L")
    expected = make(cls).fit(np.stack(arrays(images)), Y)
    if kind == "object":
        X = np.empty(N, dtype=object)
        X[:] = images
    else:
        X = kind(images)
    fitted = make(cls).fit(X, Y, X_val=X, y_val=Y)
    assert fitted.network_.state.tobytes() == expected.network_.state.tobytes()
    np.testing.assert_array_equal(fitted.predict(X), expected.predict(images))


def test_palettes_are_colors_even_with_transparency():
    red, blue = Image.new("RGB", (6, 6), "red"), Image.new("RGB", (6, 6), "blue")
    images = [red.quantize(2), blue.quantize(2)]
    images[0].info["transparency"] = b"\x00\xff"
    model = convnet().initialize(images, [0, 1])
    conv = model.activations(images, "conv1")
    np.testing.assert_array_equal(conv, model.activations([red, blue], "conv1"))
    # Palettes and colors may be mixed.
    np.testing.assert_array_equal(conv, model.activations([images[0], blue], "conv1"))


@pytest.mark.parametrize("other", ["L", "RGBA", "1", "CMYK", "F"])
@pytest.mark.parametrize("same_size", [False, True])
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_mixed_modes(cls, same_size, other):
    size = (9, 8) if same_size else (7, 7)
    images = [*photos()[:3], *photos(other, [size])]
    message = rf"X\[3\] is an image of mode '{other}', but X\[0\] has mode 'RGB'.*"
    with pytest.raises(ValueError, match=message + r"image\.convert\('RGB'\)"):
        make(cls).fit(images, [0, 1, 2, 0])
    fitted = make(cls).fit(photos(), Y)
    with pytest.raises(ValueError, match=message):
        fitted.predict(images)


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_a_single_image(cls):
    fitted = make(cls).fit(photos(), Y)
    for call in (fitted.predict, lambda X: fitted.fit(X, [1])):
        with pytest.raises(TypeError, match=r"X is a single Pillow image.*\[image\]"):
            call(photos()[0])
    assert fitted.predict(photos()[:1]).shape == (1,)


def test_within_scikit_learn():
    scores = cross_val_score(convnet(), photos(), Y, cv=2, error_score="raise")
    assert scores.shape == (2,)


def test_pillow_is_not_imported():
    code = (
        "import sys, numpy as np\n"
        "from skconvnet import ConvNetClassifier\n"
        "ConvNetClassifier(2).initialize(np.zeros((4, 6, 6)), [0, 1, 0, 1])\n"
        "assert 'PIL' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
