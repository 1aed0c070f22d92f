"""X in another unit than in fit, and X that is constant."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import is_classifier
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import Conv2D, Embedding, GlobalAvgPool, Standardize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 40
Y = np.arange(N) % 2
ESTIMATORS = [
    ConvNetClassifier,
    ConvNetRegressor,
    SequentialClassifier,
    SequentialRegressor,
]
MESSAGE = (
    "{} has values of 0 to 1, while {} was fitted on values of 0 to 255: give {} in "
    "the same unit as in fit."
)


def make(cls, **params):
    if cls in (SequentialClassifier, SequentialRegressor):
        params["layers"] = [Standardize(), Conv2D(2, 3), GlobalAvgPool()]
    elif cls in (ConvNetClassifier, ConvNetRegressor):
        params = {"filters": 2, "global_pooling": "avg", **params}
    return cls(**{"max_iter": 1, "random_state": 0, **params})


@pytest.fixture(scope="module")
def photos():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (N, 8, 8, 3), dtype=np.uint8)
    X[:, 0, 0] = 255
    X[:, 0, 1] = 0
    return X


def told(call, *args, **kwargs):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        call(*args, **kwargs)
    assert all(w.filename == __file__ for w in caught)
    return [str(w.message) for w in caught]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_pixels_that_were_divided(cls, photos):
    fitted = make(cls).fit(photos, Y)
    message = [MESSAGE.format("X", cls.__name__, "X")]
    other = photos / 255
    assert told(fitted.predict, other) == message
    assert told(fitted.score, other, Y) == message
    assert told(fitted.loss_gradients, other, Y) == message
    assert told(fitted.activations, other, "output") == message
    assert told(fitted.predict, other.astype(np.float32)) == message
    assert told(fitted.predict, list(other)) == message
    assert told(pickle.loads(pickle.dumps(fitted)).predict, other) == message
    for X in (photos, photos.astype(float), photos // 4, photos[:1], photos[:8] * 0):
        assert told(fitted.predict, X) == []
    if is_classifier(fitted):
        assert told(fitted.predict_proba, other) == message
    assert told(fitted.partial_fit, photos[::-1], Y) == []
    assert told(fitted.partial_fit, other, Y) == message
    # Both are usual from now on.
    assert told(fitted.partial_fit, other, Y) == []
    assert told(fitted.predict, photos) == told(fitted.predict, other) == []


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_pixels_that_were_not_divided(cls, photos):
    fitted = make(cls).fit(photos / 255, Y)
    message = (
        f"X has values of 0 to 255, while {cls.__name__} was fitted on values of 0 to "
        "1: give X in the same unit as in fit."
    )
    assert told(fitted.predict, photos) == [message]
    assert told(fitted.predict, photos[:1]) == [message]
    assert told(fitted.predict, photos.astype(float)) == [message]
    # One image of floats may be unusual.
    assert told(fitted.predict, photos[:1].astype(float)) == []


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_few_samples_are_suspected_if_their_type_differs(cls, photos):
    fitted = make(cls).fit(photos, Y)
    for n in (1, 7):
        assert len(told(fitted.predict, photos[:n] / 255)) == 1
    dark = photos[:7] // 128
    assert told(fitted.predict, dark) == []
    assert told(fitted.predict, dark * 2.5) == []
    assert told(fitted.predict, np.zeros((1, 8, 8, 3))) == []
    assert len(told(fitted.predict, photos[:8] // 128)) == 1
    fitted.fit(photos.astype(float), Y)
    assert told(fitted.predict, photos[:7] / 255) == []
    assert len(told(fitted.predict, photos[:8] / 255)) == 1


@pytest.mark.parametrize("scoring", [None, "accuracy", "loss"])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_a_validation_set_in_another_unit(photos, scoring, early_stopping):
    model = make(ConvNetClassifier, max_iter=3, scoring=scoring)
    model.set_params(early_stopping=early_stopping)
    validation = {"X_val": photos / 255, "y_val": Y}
    message = [MESSAGE.format("X_val", "ConvNetClassifier", "X_val")]
    assert told(model.fit, photos, Y, **validation) == message
    assert told(model.fit, photos, Y, X_val=photos * 1.0, y_val=Y) == []
    assert told(model.partial_fit, photos, Y, **validation) == message


def test_other_containers(photos):
    model = make(ConvNetClassifier)
    images = [photo[: 8 - i % 2] for i, photo in enumerate(photos)]
    fitted = model.fit(list(map(Image.fromarray, images)), Y)
    assert told(fitted.predict, images) == []
    assert len(told(fitted.predict, [x / 255 for x in images])) == 1
    first = make(ConvNetClassifier, data_format="channels_first")
    other = photos.transpose(0, 3, 1, 2)
    assert len(told(first.fit(other, Y).predict, other / 255)) == 1
    frame = pd.DataFrame(photos[..., 0].reshape(N, -1))
    rows = make(SequentialClassifier).fit(frame, Y)
    assert told(rows.predict, frame) == []
    assert len(told(rows.predict, frame / 255)) == 1


def test_a_memory_map(photos, tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, photos)
    mapped = np.load(path, mmap_mode="r")
    fitted = make(ConvNetClassifier).fit(mapped, Y)
    assert told(fitted.predict, mapped) == []
    assert len(told(fitted.predict, mapped / 255)) == 1


@pytest.mark.parametrize("load", [load_digits, load_iris])
@pytest.mark.parametrize("layers", [[Standardize()], []])
@pytest.mark.filterwarnings("ignore:Training started with a loss")
def test_no_alarm_for_samples_of_one_class(load, layers):
    X, y = load(return_X_y=True)
    fitted = SequentialClassifier(layers, max_iter=1, random_state=0).fit(X, y)
    for label in np.unique(y):
        assert told(fitted.predict, X[y == label]) == []
    assert len(told(fitted.predict, X / 16)) == 1


@pytest.mark.parametrize("spread", [1, 2, 4])
def test_no_alarm_for_a_few_samples_of_very_different_sizes(spread):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 20)) * np.exp(spread * rng.normal(size=(600, 1)))
    model = SequentialRegressor([Standardize()], max_iter=1, random_state=0)
    fitted = model.fit(X, X[:, 0] > 0)
    for _ in range(50):
        some = rng.choice(600, rng.integers(1, 30))
        assert told(fitted.predict, X[some]) == []


def test_no_alarm_if_some_training_samples_are_black(photos):
    mixed = photos * (np.arange(N) % 20 > 0)[:, None, None, None]
    fitted = make(ConvNetClassifier).fit(mixed, Y)
    assert told(fitted.predict, np.repeat(photos[:1] // 128, 9, axis=0)) == []


def test_no_alarm_after_other_weights(photos):
    """Which may be those of a network that was fitted on X in another unit."""
    fitted = make(ConvNetClassifier).fit(photos, Y)
    other = make(ConvNetClassifier).fit(photos / 255, Y)
    other.set_weights(fitted.get_weights())
    assert told(other.predict, photos) == []
    blank = make(ConvNetClassifier).initialize(0 * photos, Y)
    assert told(blank.set_weights(fitted.get_weights()).predict, photos) == []
    assert len(told(fitted.predict, photos / 255)) == 1
    assert told(fitted.initialize(photos, Y).predict, photos / 255) == []


def test_tokens_have_no_unit():
    X = np.random.default_rng(0).integers(900, 1000, size=(N, 5))
    model = SequentialClassifier(
        [Embedding(1000, 2), GlobalAvgPool()], max_iter=1, random_state=0
    )
    assert told(model.fit(X, Y).predict, X // 100) == []


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("unit", [1 / 255, 0])
def test_perceptrons_are_as_silent_as_in_sklearn(cls, unit, photos):
    rows = photos.reshape(N, -1)
    assert told(make(cls).fit(rows, Y).predict, rows * unit) == []
    assert told(make(cls).fit, rows * 0, Y) == []


CONSTANTS = [0, 255, 0.1, -1e30, True]


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("value", CONSTANTS)
def test_a_constant(cls, value):
    X = np.full((N, 8, 8, 3), value)
    message = f"X is constant (all values are {value:g}): nothing can be learned "
    message = [message + "from it."]
    model = make(cls)
    assert told(model.fit, X, Y) == message
    assert told(model.fit, list(X), Y) == message
    assert told(model.set_params(warm_start=True).fit, X, Y) == []
    # The samples without a weight do not count.
    varied = np.concatenate([X.astype(float), np.eye(24).reshape(3, 8, 8, 3)])
    weights = np.arange(N + 3) < N
    assert told(make(cls).fit, varied, np.arange(N + 3) % 2, weights) == message
    assert told(make(cls).initialize, X, Y) == []


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_samples_that_are_all_the_same(cls, photos):
    X = photos[[3] * N]
    message = ["All samples of X are the same: nothing can be learned from them."]
    assert told(make(cls).fit, X, Y) == message
    classes = {"classes": [0, 1]} if is_classifier(cls()) else {}
    assert told(make(cls).partial_fit, X, Y, **classes) == message
    X[-1, -1, -1, -1] ^= 1
    assert told(make(cls).fit, X, Y) == []
    sizes = [np.zeros((8 + i % 2, 8, 3)) for i in range(N)]
    assert told(make(cls).fit, sizes, Y) == []


def test_one_sample_is_no_constant():
    assert told(make(ConvNetRegressor).fit, np.zeros((1, 8, 8, 3)), [1.0]) == []
