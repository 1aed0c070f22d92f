"""What the perceptrons have beyond scikit-learn's."""

import numpy as np
import pytest
from estimator_cases import data_for, make
from scipy.stats import randint
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

from skconvnet import MLPClassifier, MLPRegressor
from skconvnet.layers.dropout import DropoutLayer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
both = pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])


@both
def test_an_activation_for_each_hidden_layer(cls):
    X, y = data_for(cls)
    sizes, activation = (4, 5, 6), ("relu", "tanh", "logistic")
    model = make(cls, hidden_layer_sizes=sizes, activation=activation).fit(X, y)
    hidden = X
    functions = (
        lambda z: np.maximum(z, 0),
        np.tanh,
        lambda z: 1 / (1 + np.exp(-z)),
    )
    for i, function in enumerate(functions):
        hidden = function(hidden @ model.coefs_[i] + model.intercepts_[i])
        np.testing.assert_allclose(model.activations(X, f"dense{i + 1}"), hidden)
    one = make(cls, hidden_layer_sizes=sizes, activation=("tanh",) * 3).fit(X, y)
    same = make(cls, hidden_layer_sizes=sizes, activation="tanh").fit(X, y)
    np.testing.assert_array_equal(one.network_.vector, same.network_.vector)
    with pytest.raises(
        ValueError, match=r"activation must be .* of 3.*got \('relu',\)"
    ):
        make(cls, hidden_layer_sizes=sizes, activation=("relu",)).fit(X, y)


@both
@pytest.mark.parametrize(
    ("dropout", "rates"),
    [(0.3, [0.3, 0.3]), ((0.0, 0.5), [0.5]), ((0.1, 0.2), [0.1, 0.2]), (0.0, [])],
)
def test_dropout_for_each_hidden_layer(cls, dropout, rates):
    X, y = data_for(cls)
    model = make(cls, hidden_layer_sizes=(6, 7), dropout=dropout).fit(X, y)
    layers = model.network_.layers.values()
    assert [la.rate for la in layers if isinstance(la, DropoutLayer)] == rates
    assert [coef.shape for coef in model.coefs_] == [
        (36, 6),
        (6, 7),
        (7, model.n_outputs_),
    ]
    plain = make(cls, hidden_layer_sizes=(6, 7)).fit(X, y)
    is_plain = np.array_equal(plain.network_.vector, model.network_.vector)
    assert is_plain == (not rates)
    np.testing.assert_array_equal(model.predict(X), model.predict(X))


@both
def test_wrong_dropout(cls):
    X, y = data_for(cls)
    with pytest.raises(ValueError, match=r"'dropout' parameter .* Got 1.5"):
        make(cls, dropout=1.5).fit(X, y)
    with pytest.raises(ValueError, match=r"^dropout must be .* \[0, 1\); got 2"):
        make(cls, dropout=(2,)).fit(X, y)


@both
@pytest.mark.parametrize(
    ("params", "sizes"),
    [
        ({"n_hidden_layers": 3}, [100] * 3),
        ({"n_hidden_units": 7}, [7]),
        ({"n_hidden_layers": 2, "n_hidden_units": 4}, [4, 4]),
        ({"n_hidden_layers": 0}, []),
        ({"n_hidden_layers": np.int64(1), "n_hidden_units": np.int64(3)}, [3]),
    ],
)
def test_hidden_layers_by_number(cls, params, sizes):
    X, y = data_for(cls)
    model = cls(**params, max_iter=1, random_state=0).fit(X, y)
    assert [len(bias) for bias in model.intercepts_[:-1]] == sizes
    same = cls(hidden_layer_sizes=tuple(sizes), max_iter=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.network_.vector, same.network_.vector)


@both
def test_a_random_search_draws_the_architecture(cls):
    X, y = data_for(cls)
    distributions = {"n_hidden_layers": randint(1, 4), "n_hidden_units": randint(2, 9)}
    search = RandomizedSearchCV(
        cls(max_iter=1), distributions, n_iter=4, cv=2, random_state=0
    ).fit(X, y)
    assert len({str(params) for params in search.cv_results_["params"]}) > 1


@both
def test_wrong_numbers_of_hidden_layers(cls):
    X, y = data_for(cls)
    message = r"hidden_layer_sizes=\(5,\) must be left .* n_hidden_units=3 is set"
    with pytest.raises(ValueError, match=message):
        make(cls, n_hidden_units=3).fit(X, y)
    for name, value in (("n_hidden_layers", -1), ("n_hidden_units", 0)):
        with pytest.raises(ValueError, match=f"'{name}' parameter .* Got {value}"):
            cls(**{name: value}).fit(X, y)


def test_a_grid_reaches_both():
    X, y = data_for(MLPClassifier)
    grid = {"activation": ["tanh", ("relu",)], "dropout": [0.0, (0.2,)]}
    search = GridSearchCV(make(MLPClassifier), grid, cv=2, error_score="raise")
    assert len(search.fit(X, y).cv_results_["params"]) == 4
