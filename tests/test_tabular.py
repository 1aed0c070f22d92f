"""The recipe for tables: columns of every kind, targets, searches, errors."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, load_linnerud, make_friedman1
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPRegressor

from skconvnet.architectures import tabular
from skconvnet.layers import Parallel, SmoothClip
from skconvnet.tabular import make_tabular_classifier, make_tabular_regressor
from skconvnet.tabular.columns import encode_columns

FEW = {"max_iter": 3, "random_state": 0}


@pytest.fixture
def frame():
    """Return a table with columns of every kind, and labels that depend on all."""
    rng = np.random.default_rng(0)
    n = 300
    table = pd.DataFrame(
        {
            "amount": rng.lognormal(3, 1, n),
            "count": rng.integers(0, 9, n),
            "color": rng.choice(["red", "green", "blue"], n),
            "size": pd.Categorical(rng.choice(["small", "large"], n)),
            "is_new": rng.random(n) < 0.5,
        }
    )
    value = np.log(table["amount"]) - 3 + (table["color"] == "red")
    value += 0.2 * table["count"] - (table["size"] == "large") * table["is_new"]
    return table, value.to_numpy()


def test_columns_of_every_kind_become_numbers(frame):
    X, _ = frame
    columns = encode_columns().fit(X)
    numbers = columns.transform(X)
    # Three colors, two sizes, new or not, two numbers.
    assert numbers.shape == (len(X), 3 + 2 + 2 + 2)
    names = [name.split("__")[1] for name in columns.get_feature_names_out()]
    assert names[:3] == ["color_blue", "color_green", "color_red"]
    assert names[-2:] == ["amount", "count"]
    np.testing.assert_array_equal(numbers[:, 2], X["color"] == "red")
    np.testing.assert_allclose(numbers[:, -2:].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(numbers[:, -2:].std(axis=0), 1)


def test_missing_numbers_become_the_median_and_a_column(frame):
    X, _ = frame
    X.loc[:9, "amount"] = np.nan
    columns = encode_columns().fit(X)
    names = [name.split("__")[1] for name in columns.get_feature_names_out()]
    assert names[-3:] == ["amount", "count", "missingindicator_amount"]
    numbers = columns.transform(X)
    median = X["amount"].median()
    filled = X["amount"].fillna(median)
    expected = (filled - filled.mean()) / filled.std(ddof=0)
    np.testing.assert_allclose(numbers[:, -3], expected)
    assert (numbers[:10, -1] > 0).all()
    assert (numbers[10:, -1] < 0).all()


def test_a_frame_is_learned_and_new_categories_are_taken(frame):
    X, value = frame
    y = np.where(value > np.median(value), "high", "low")
    clf = make_tabular_classifier(random_state=0).fit(X[:200], y[:200])
    assert clf.score(X[200:], y[200:]) > 0.8
    reg = make_tabular_regressor(random_state=0).fit(X[:200], value[:200])
    assert reg.score(X[200:], value[200:]) > 0.85
    X["color"] = "violet"
    assert np.isfinite(clf.predict_proba(X)).all()
    assert np.isfinite(reg.predict(X)).all()


def test_arrays_and_frames_of_numbers_give_the_same_bits():
    X, y = load_iris(return_X_y=True, as_frame=True)
    one, two = (
        make_tabular_classifier(**FEW).fit(data, y).predict_proba(data)
        for data in (X, X.to_numpy())
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_units_of_features_and_targets_do_not_matter(unit):
    X, y = make_friedman1(100, random_state=0)
    plain = make_tabular_regressor(**FEW).fit(X, y).predict(X)
    scaled = make_tabular_regressor(**FEW).fit(unit * X, unit * y)
    np.testing.assert_allclose(scaled.predict(unit * X) / unit, plain, rtol=1e-3)


def test_several_targets_are_predicted():
    X, y = load_linnerud(return_X_y=True)
    reg = make_tabular_regressor(batch_size="auto", random_state=0).fit(X, y)
    assert reg.predict(X).shape == y.shape
    assert reg.score(X, y) > 0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_recipe_beats_the_defaults_of_scikit_learn():
    X, y = make_friedman1(300, noise=1.0, random_state=1)
    own, theirs = (
        cross_val_score(model(random_state=0), X, y).mean()
        for model in (make_tabular_regressor, MLPRegressor)
    )
    assert own > theirs + 0.1


def test_clipping_keeps_outliers_from_extreme_predictions():
    X, y = make_friedman1(300, random_state=0)
    spoiled = X[200:].copy()
    spoiled[::20, 0] *= 100
    scores = {}
    for clip in (SmoothClip(), "passthrough"):
        reg = make_tabular_regressor(clip=clip, random_state=0).fit(X[:200], y[:200])
        assert reg.score(X[200:], y[200:]) > 0.7
        scores[str(clip)] = reg.score(spoiled, y[200:])
    assert scores["SmoothClip()"] > 0.6
    assert scores["passthrough"] < 0


def test_parameters_replace_those_of_the_recipe():
    layers = tabular(16, embedding_dims=3)
    clf = make_tabular_classifier(layers=layers, learning_rate_init=0.01)
    params = clf.get_params()
    assert params["network__learning_rate_init"] == 0.01
    assert params["network__dense1__units"] == 16
    assert params["network__embedding__periodic__vectors__n_dims"] == 3
    assert make_tabular_classifier().get_params()["network__dense1__units"] == 128
    with pytest.raises(ValueError, match=r"max_itre.*max_iter"):
        make_tabular_classifier(max_itre=3)


def test_a_search_reaches_columns_layers_and_training():
    X, y = load_iris(return_X_y=True)
    grid = {
        "network__dense1__units": [4, 8],
        "network__alpha": [0.01],
        "network__solver__beta_1": [0.8],
        "columns__remainder__simpleimputer__strategy": ["mean"],
    }
    search = GridSearchCV(make_tabular_classifier(**FEW), grid, cv=2).fit(X, y)
    assert search.best_estimator_["network"].network_ is not None
    grid = {f"regressor__{name}": values for name, values in grid.items()}
    GridSearchCV(make_tabular_regressor(**FEW), grid, cv=2).fit(X, X[:, 0])


@pytest.mark.parametrize("make", [make_tabular_classifier, make_tabular_regressor])
def test_it_is_cloned_and_pickled(make):
    X, y = load_iris(return_X_y=True)
    model = make(**FEW).fit(X, y)
    restored = pickle.loads(pickle.dumps(model))
    again = clone(model).fit(X, y)
    np.testing.assert_array_equal(restored.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_sample_weights_count():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    clf = make_tabular_classifier(random_state=0)
    for heavy in (0, 1):
        weights = np.where(y == heavy, 9.0, 1.0)
        clf.fit(X, y, network__sample_weight=weights)
        assert (clf.predict(X) == heavy).mean() > 0.8
    reg = make_tabular_regressor(random_state=0)
    reg.fit(X, y, network__sample_weight=np.where(y == 1, 9.0, 1.0))
    assert reg.predict(X).mean() > 0.7


class TestLayers:
    def test_names_and_shapes(self):
        layers = tabular((32, 16, 8), 0.2, embedding_dims=2, width=0.5)
        names = ["clip", "embedding"]
        names += [f"{kind}{i}" for i in (1, 2, 3) for kind in ("dense", "dropout")]
        assert [name for name, _ in layers] == names
        assert [layer.units for name, layer in layers if "dense" in name] == [16, 8, 4]

    def test_one_number_is_one_layer(self):
        assert len(tabular(64)) == 3

    def test_the_scale_of_frequencies_is_used(self):
        for given, expected in ((None, 0.1), (2.0, 2.0)):
            layers = dict(tabular(embedding_dims=2, frequency_scale=given))
            assert isinstance(layers["embedding"], Parallel)
            vectors = dict(dict(layers["embedding"].branches)["periodic"])["vectors"]
            assert vectors.frequency_scale == expected

    @pytest.mark.parametrize(
        ("params", "words"),
        [
            ({"frequency_scale": 1.0}, r"frequency_scale=1.0.*embedding_dims"),
            ({"embedding_dims": 0}, r"embedding_dims must be.*got 0"),
            ({"dropout": 1.5}, r"dropout must be.*got 1.5"),
            ({"hidden_layer_sizes": (3, 0)}, r"each of hidden_layer_sizes.*got 0"),
            ({"width": -1}, r"width must be.*got -1"),
        ],
    )
    def test_wrong_values(self, params, words):
        with pytest.raises(ValueError, match=words):
            tabular(**params)
