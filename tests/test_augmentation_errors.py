"""Bad hyperparameters of augmentations: what the message says, and when."""

import re

import numpy as np
import pytest
from augmentation_tools import images
from layer_tools import assert_build_fails

from skconvnet import ConvNetClassifier, MLPClassifier, SequentialClassifier
from skconvnet.augmentation import (
    Affine,
    Brightness,
    Compose,
    Contrast,
    Crop,
    Cutout,
    Elastic,
    Flip,
    Mixup,
    Rotation,
    Scaling,
    Shear,
    Shift,
)
from skconvnet.layers import Dense

SHAPE = (6, 5, 2)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (Shift(-1), ["max_pixels", "at least 0", "got -1"]),
        (Shift(5), ["max_pixels=5", "(6, 5, 2)", "at most 4"]),
        (Shift((6, 0)), ["max_pixels=(6, 0)", "axis 0", "at most 5"]),
        (Shift((1, 1, 1)), ["max_pixels", "2 of them", "(1, 1, 1)"]),
        (Shift(fraction=1), ["fraction", "[0, 1)", "got 1"]),
        (Shift(fraction=-0.1), ["fraction", "[0, 1]", "got -0.1"]),
        (Shift(1, fill="mirror"), ["fill", "'nearest'", "'mirror'", "'reflect'?"]),
        (Shift(1, fill_value=np.nan), ["fill_value", "finite", "nan"]),
        (Crop(5), ["padding=5", "at most 4"]),
        (Crop(-2), ["padding", "got -2"]),
        (Flip(probability=1.5), ["probability", "[0, 1]", "1.5"]),
        (Rotation(-5), ["degrees", "at least 0", "-5"]),
        (Rotation((10, -10)), ["degrees", "low <= high", "(10, -10)"]),
        (Rotation((1, 2, 3)), ["degrees", "pair", "(1, 2, 3)"]),
        (Rotation(np.inf), ["degrees", "inf"]),
        (Scaling(1), ["factor", "above 0", "got 1", "[0, 2]"]),
        (Scaling((-1, 2)), ["factor", "(-1, 2)"]),
        (Shear(90), ["degrees", "[-89, 89]", "got 90"]),
        (Affine(rotation="x" and (2, 1)), ["rotation", "(2, 1)"]),
        (Affine(scaling=2), ["scaling", "got 2"]),
        (Affine(shear=(0, 95)), ["shear", "(0, 95)"]),
        (Affine(shift=-1), ["shift", "at least 0", "-1"]),
        (Affine(shift=(1, 2, 3)), ["shift", "(1, 2, 3)"]),
        (Elastic(alpha=-1), ["alpha", "-1"]),
        (Elastic(sigma=-1), ["sigma", "-1"]),
        (Brightness(1.2), ["factor", "[-1, 1]", "1.2"]),
        (Brightness(value_range=(1, 0)), ["value_range", "(1, 0)"]),
        (Contrast(1.2), ["factor", "1.2"]),
        (Contrast(value_range=(1, np.nan)), ["value_range[1]", "nan"]),
        (Cutout(7), ["size=7", "(6, 5, 2)", "at most 6"]),
        (Cutout((6, 6)), ["size=(6, 6)", "axis 1", "at most 5"]),
        (Cutout(-1), ["size", "-1"]),
        (Mixup(-0.1), ["alpha", "-0.1"]),
        (Compose([Flip(), ("bad", Shift(9))]), ["step 'bad'", "max_pixels=9"]),
        (Compose([("a", Flip()), ("a", Flip())]), ["2 augmentations", "a_1"]),
        (Compose([("a__b", Flip())]), ["steps[0]", "'a__b'"]),
        (Compose([("steps", Flip())]), ["steps[0]", "'steps'"]),
    ],
    ids=lambda v: repr(v) if not isinstance(v, list) else "",
)
def test_values(case, words):
    assert_build_fails(ValueError, case, SHAPE, *words)


@pytest.mark.parametrize("value", ["1", None, True, 1.5])
def test_types(value):
    if value is not None:
        assert_build_fails(TypeError, Shift(value), SHAPE, "max_pixels", repr(value))
    assert_build_fails(TypeError, Crop(value), SHAPE, "padding", repr(value))
    assert_build_fails(TypeError, Cutout(value), SHAPE, "size", repr(value))
    if value != 1.5:
        assert_build_fails(TypeError, Rotation(value), SHAPE, "degrees", repr(value))
        assert_build_fails(TypeError, Elastic(value), SHAPE, "alpha", repr(value))
        assert_build_fails(TypeError, Mixup(value), SHAPE, "alpha", repr(value))
        assert_build_fails(
            TypeError, Shift(1, fill_value=value), SHAPE, "fill_value", repr(value)
        )
        assert_build_fails(
            TypeError, Affine(shift=(0, value)), SHAPE, "shift", repr(value)
        )
    if value is not True:
        assert_build_fails(TypeError, Flip(value), SHAPE, "horizontal", repr(value))
    if value is not None:
        assert_build_fails(
            TypeError, Contrast(value_range=value), SHAPE, "value_range", repr(value)
        )
    assert_build_fails(TypeError, Compose([value]), SHAPE, "steps[0]", repr(value))
    assert_build_fails(TypeError, Compose(value), SHAPE, "steps", repr(value))


def test_classes_in_place_of_instances():
    assert_build_fails(TypeError, Compose([Flip]), SHAPE, "class Flip", "Flip(...)")


@pytest.mark.parametrize(
    "case", [Affine(rotation=3), Rotation(), Scaling(), Shear(), Elastic()], ids=repr
)
@pytest.mark.parametrize("shape", [(9, 2), (9,), (3, 4, 5, 1)])
def test_only_images_are_warped(case, shape):
    name = type(case).__name__
    assert_build_fails(
        ValueError, case, shape, name, "(height, width, channels)", str(shape)
    )


@pytest.mark.parametrize(
    "case",
    [Shift(1), Crop(1), Flip(), Cutout(1), Brightness(), Contrast()],
    ids=repr,
)
def test_rows_are_no_maps(case):
    assert_build_fails(
        ValueError, case, (9,), type(case).__name__, "(9,)", "input_shape"
    )


def test_vertical_flip_of_a_sequence():
    assert_build_fails(ValueError, Flip(True, True), (9, 1), "vertical=True", "(9, 1)")


@pytest.mark.parametrize(
    ("augmentation", "error", "words"),
    [
        (Shift(9), ValueError, ["augmentation", "max_pixels=9", "(6, 5, 2)"]),
        ([Flip(), Cutout(9)], ValueError, ["step 'cutout'", "size=9"]),
        (Shift, TypeError, ["class Shift", "Shift(...)"]),
        ("shift", TypeError, ["augmentation", "'shift'", "Shift(2)"]),
        ([Shift(1), 3], TypeError, ["steps[1]", "got 3"]),
        ([Shift(1), ("a", Flip)], TypeError, ["'a'", "class Flip"]),
    ],
    ids=repr,
)
def test_fit_says_what_is_wrong_and_changes_nothing(augmentation, error, words):
    X, y = images(12), np.arange(12) % 3
    model = ConvNetClassifier(2, augmentation=augmentation)
    before = dict(vars(model))
    with pytest.raises(error) as caught:
        model.fit(X, y)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert vars(model) == before


@pytest.mark.parametrize("params", [{"batch_mode": "sgd"}, {"batch_size": 1}])
def test_mixup_needs_two_samples_an_update(params):
    X, y = images(12), np.arange(12) % 3
    model = ConvNetClassifier(2, augmentation=Mixup(), **params)
    with pytest.raises(ValueError, match=re.escape("Mixup()")) as caught:
        model.fit(X, y)
    assert "batch_size" in str(caught.value)


def test_rows_of_a_sequential_without_maps():
    X, y = images(12).reshape(12, -1), np.arange(12) % 3
    model = SequentialClassifier([Dense(4)], augmentation=Shift(1))
    with pytest.raises(ValueError, match=re.escape("(60,); set input_shape")):
        model.fit(X, y)


def test_mixup_alone_needs_targets():
    with pytest.raises(ValueError, match="one-hot"):
        Mixup().augment(images())
    with pytest.raises(ValueError, match="one-hot"):
        Compose([Flip(), Mixup()]).augment(images())
    with pytest.raises(ValueError, match=re.escape("shape (4,)")):
        Flip().augment(np.zeros(4))


def test_perceptrons_have_none():
    with pytest.raises(TypeError, match="augmentation"):
        MLPClassifier(augmentation=Mixup())
