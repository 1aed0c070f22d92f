"""The features that networks of maps give to other estimators."""

import numpy as np
import pytest

from skconvnet import (
    FeatureExtractor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import Conv2D, GlobalMaxPool

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted_on_maps(cls, kind):
    """Return a network that predicts maps, and its X."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 6, 5, 2))
    channels = (2,) if kind in ("labels", "numbers") else ()
    y = rng.integers(0, 3 if kind == "classes" else 2, (12, 6, 5, *channels))
    if kind == "numbers":
        y = rng.normal(size=y.shape)
    layers = [("c1", Conv2D(4, 3, padding="same"))]
    return cls(layers, max_iter=2, random_state=0).fit(X, y), X


MAPS = [
    (SequentialClassifier, "classes"),
    (SequentialClassifier, "two"),
    (SequentialClassifier, "labels"),
    (SequentialRegressor, "numbers"),
]


@pytest.mark.parametrize(("cls", "kind"), MAPS)
def test_pooled_predictions_of_maps(cls, kind):
    net, X = fitted_on_maps(cls, kind)
    own = net.activations(X, "output")
    for pooling, reduce in (("avg", np.mean), ("max", np.max)):
        features = FeatureExtractor(net, "output", prefit=True, pooling=pooling)
        rows = features.transform(X)
        np.testing.assert_allclose(rows, reduce(own, axis=(1, 2)), rtol=1e-6)
        assert rows.shape[1] == len(features.get_feature_names_out())
        several = [X[0], X[1, :4], X[2, :, :3]]
        expected = [
            reduce(net.activations(x[None], "output")[0], axis=(0, 1)) for x in several
        ]
        np.testing.assert_allclose(features.transform(several), expected, rtol=1e-6)
    whole = FeatureExtractor(net, "output", prefit=True)
    np.testing.assert_array_equal(whole.transform(X), own.reshape(12, -1))


@pytest.mark.parametrize("layer", ["c1", "output"])
def test_without_pooling_the_columns_stay_those_of_fit(layer):
    net, X = fitted_on_maps(SequentialClassifier, "classes")
    features = FeatureExtractor(net, layer, prefit=True)
    n = 6 * 5 * (4 if layer == "c1" else 3)
    with pytest.raises(ValueError, match=rf"\(8, 5, .*{n} columns\. Set pooling='avg'"):
        features.transform(np.zeros((2, 8, 5, 2)))
    # As many columns, which have other names.
    with pytest.raises(ValueError, match=r"Set pooling='avg' or 'max', which gives"):
        features.transform(np.zeros((2, 5, 6, 2)))
    with pytest.raises(ValueError, match=r"different sizes.* Set pooling='avg' or"):
        features.transform([X[0], X[1, :4]])
    assert features.transform(list(X)).shape == (12, n)


def test_pooled_samples_of_different_sizes():
    rng = np.random.default_rng(0)
    X = [rng.uniform(size=(6 + i % 3, 7, 1)) for i in range(30)]
    y = np.arange(30) % 2
    net = SequentialClassifier(
        [("conv1", Conv2D(3, 3, activation="relu")), ("pool", GlobalMaxPool())],
        max_iter=2,
        random_state=0,
    )
    features = FeatureExtractor(net, "conv1", pooling="max").fit(X, y)
    expected = features.estimator_.activations(X, "pool")
    np.testing.assert_allclose(features.transform(X), expected, rtol=1e-6)
    assert not hasattr(features, "n_features_in_")
    with pytest.raises(ValueError, match=r"different sizes.* Set pooling='avg' or"):
        features.set_params(pooling=None).transform(X)
