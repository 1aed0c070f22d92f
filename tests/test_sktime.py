"""Estimators in pipelines of sktime, on series as sktime holds them."""

import numpy as np
import pandas as pd
import pytest

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv1D, GlobalAvgPool, Standardize

pytestmark = [
    pytest.mark.sktime,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
Y = np.array(["slow", "fast"] * 20)


def series(n_channels):
    rng = np.random.default_rng(0)
    speed = 1 + (Y == "fast")
    waves = 2 * np.sin(np.arange(30) * speed[:, np.newaxis, np.newaxis])
    return waves + rng.normal(size=(len(Y), n_channels, 30))


def make(**params):
    layers = [Standardize(), Conv1D(8, 5, activation="relu"), GlobalAvgPool()]
    fixed = {"learning_rate_init": 0.02, "max_iter": 20, "batch_size": 10}
    return SequentialClassifier(layers, **{**fixed, "random_state": 0, **params})


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("kind", ["numpy3D", "nested_univ", "pd-multiindex"])
def test_pipelines_of_sktime(kind, n_channels):
    from sktime.classification.compose import SklearnClassifierPipeline
    from sktime.datatypes import convert_to
    from sktime.pipeline import make_pipeline
    from sktime.transformations.exponent import ExponentTransformer

    X = convert_to(series(n_channels), kind)
    # sktime passes rows, in which one channel follows the other.
    net = make(data_format="channels_first", input_shape=(n_channels, None))
    fitted = make_pipeline(ExponentTransformer(2), net).fit(X, Y)
    assert isinstance(fitted, SklearnClassifierPipeline)
    assert fitted.classifier_.network_.in_shape == (30, n_channels)
    assert np.mean(fitted.predict(X) == Y) > 0.9
    assert fitted.predict_proba(X).shape == (len(Y), 2)


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize(
    "kind", ["nested_univ", "pd-multiindex", "df-list", "numpyflat", "numpy3D"]
)
def test_every_container_of_sktime(kind, n_channels):
    from sktime.datatypes import convert_to

    X = series(n_channels)
    params = {"max_iter": 2}
    if kind.startswith("numpy"):
        params |= {"data_format": "channels_first", "input_shape": (n_channels, None)}
    own = make(**params).fit(convert_to(X, kind), Y)
    expected = make(max_iter=2).fit(X.transpose(0, 2, 1), Y)
    assert own.network_.state.tobytes() == expected.network_.state.tobytes()
    np.testing.assert_array_equal(
        own.predict_proba(convert_to(X, kind)),
        expected.predict_proba(X.transpose(0, 2, 1)),
    )


def test_series_of_unequal_lengths():
    from sktime.datatypes import check_is_mtype, convert_to

    X = [x.T[: 20 + i % 5] for i, x in enumerate(series(2))]
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
    expected = make(max_iter=2).fit(X, Y).network_.state.tobytes()
    for kind in ("df-list", "pd-multiindex", "nested_univ"):
        given = convert_to(frames, kind)
        assert check_is_mtype(given, kind)
        own = make(max_iter=2).fit(given, Y)
        assert own.network_.state.tobytes() == expected
        assert own.predict(given).shape == Y.shape
