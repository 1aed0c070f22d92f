"""Means of predictions that are maps, which are put back first."""

import numpy as np
import pytest
from augmentation_tools import plain
from map_tools import labels as map_labels
from map_tools import layers_for, maps, ragged
from map_tools import make as make_for_maps

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.augmentation import Versions

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_maps_are_put_back_before_the_mean(ndim):
    X = maps(20, ndim)
    versions = Versions(vertical=ndim > 1, shifts=2)
    # A network of one 1x1 filter commutes with mirror images and shifts.
    model = make_for_maps(SequentialRegressor, layers_for(ndim)).fit(X, X)
    kernel = model.get_weights()["conv/kernel"]
    center = (..., *(n // 2 for n in kernel.shape[2:]))
    own = np.zeros_like(kernel)
    own[center] = kernel[center]
    model.set_weights({"conv/kernel": own})
    alone = model.predict(X)
    model.set_params(predict_augmentation=versions)
    np.testing.assert_allclose(model.predict(X), alone, rtol=1e-9)
    labels = map_labels(X)[..., np.newaxis]
    classifier = make_for_maps(
        SequentialClassifier, layers_for(ndim), predict_augmentation="mirror"
    ).fit(X, labels)
    plain_one = plain(classifier).fit(X, labels)
    mirrored = np.flip(plain_one.predict_proba(np.flip(X, ndim)), ndim)
    expected = (plain_one.predict_proba(X) + mirrored) / 2
    np.testing.assert_allclose(classifier.predict_proba(X), expected)
    chosen = expected.argmax(axis=-1)[..., np.newaxis]
    np.testing.assert_array_equal(classifier.predict(X), chosen)


def test_maps_of_different_sizes():
    X = ragged()
    model = make_for_maps(SequentialRegressor, layers_for(2)).fit(X, X)
    expected = [
        (a + np.flip(model.predict(np.flip(x, 1)[None])[0], 1)) / 2
        for a, x in zip(model.predict(X), X, strict=True)
    ]
    model.set_params(predict_augmentation="mirror")
    for own, other in zip(model.predict(X), expected, strict=True):
        np.testing.assert_allclose(own, other)
