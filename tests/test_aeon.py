"""Estimators in pipelines of aeon, on series as aeon holds them."""

import numpy as np
import pytest
import sklearn.pipeline
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from skconvnet import ConvNetClassifier, SequentialClassifier, SequentialRegressor
from skconvnet.layers import Conv1D, GlobalAvgPool, Standardize

pytestmark = [
    pytest.mark.aeon,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
Y = np.array(["slow", "fast"] * 20)


def series(n_channels, *, ragged=False):
    """Return series of shape (channels, length), of which some are faster."""
    rng = np.random.default_rng(0)
    speed = 1 + (Y == "fast")
    waves = 2 * np.sin(np.arange(30) * speed[:, np.newaxis, np.newaxis])
    X = waves + rng.normal(size=(len(Y), n_channels, 30))
    return [x[:, : 20 + i % 5] for i, x in enumerate(X)] if ragged else X


def make(cls=SequentialClassifier, **params):
    layers = [
        ("scale", Standardize()),
        ("conv", Conv1D(8, 5, activation="relu")),
        ("mean", GlobalAvgPool()),
    ]
    fixed = {
        "layers": layers,
        "learning_rate_init": 0.02,
        "max_iter": 20,
        "batch_size": 10,
        "data_format": "channels_first",
        "random_state": 0,
    }
    return cls(**{**fixed, **params})


@pytest.fixture
def normalizer():
    from aeon.transformations.collection import Normalizer

    return Normalizer()


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_transformers_in_a_pipeline_of_scikit_learn(normalizer, n_channels, ragged):
    X = series(n_channels, ragged=ragged)
    pipeline = sklearn.pipeline.make_pipeline(normalizer, make())
    fitted = clone(pipeline).fit(X, Y)
    assert fitted.score(X, Y) > 0.9
    assert fitted[-1].network_.in_shape[-1] == n_channels
    scores = cross_val_score(pipeline, X, Y, cv=2, error_score="raise")
    assert scores.mean() > 0.8


def test_pipelines_of_aeon(normalizer):
    from aeon.classification.compose import ClassifierPipeline
    from aeon.pipeline import make_pipeline

    X = series(1)
    fitted = make_pipeline(normalizer, make()).fit(X, Y)
    assert isinstance(fitted, ClassifierPipeline)
    assert fitted.score(X, Y) > 0.9
    assert fitted.predict_proba(X).shape == (len(Y), 2)
    assert set(fitted.predict(X)) == set(Y)
    own = sklearn.pipeline.make_pipeline(normalizer, make()).fit(X, Y)
    np.testing.assert_array_equal(fitted.predict_proba(X), own.predict_proba(X))
    search = GridSearchCV(fitted, {"classifier__conv__filters": [2, 4]}, cv=2)
    assert search.fit(X, Y).best_score_ > 0.5
    convnet = ConvNetClassifier(
        8,
        global_pooling="avg",
        hidden_layer_sizes=(),
        data_format="channels_first",
        random_state=0,
    )
    assert make_pipeline(normalizer, convnet).fit(X, Y).score(X, Y) > 0.9


def test_regressors(normalizer):
    from aeon.pipeline import make_pipeline

    X = series(1)
    speed = 1 + (Y == "fast") + np.linspace(0, 0.1, len(Y))
    fitted = make_pipeline(normalizer, make(SequentialRegressor)).fit(X, speed)
    assert fitted.score(X, speed) > 0.7


@pytest.mark.parametrize("kind", ["numpy3D", "np-list", "df-list", "pd-multiindex"])
def test_every_container_of_aeon(kind):
    from aeon.utils.conversion import convert_collection

    X = series(2)
    own = make(max_iter=2).fit(convert_collection(X, kind), Y)
    expected = make(max_iter=2).fit(X, Y)
    assert own.network_.state.tobytes() == expected.network_.state.tobytes()
