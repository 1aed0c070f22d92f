"""Every hyperparameter of the conventional stack, a scalar and a value a block."""

import numpy as np
import pytest
from estimator_cases import PLAIN, images, labels
from sklearn.model_selection import GridSearchCV

from skconvnet import ConvNetClassifier
from skconvnet.layers.dropout import DropoutLayer

SMALL = {"filters": (2, 3), "hidden_layer_sizes": (5,)}


def built(shape=(12, 12), **params):
    """Return a network without layers that normalize, unless `params` say otherwise."""
    X = np.random.default_rng(0).uniform(size=(6, *shape))
    return ConvNetClassifier(**{**SMALL, **PLAIN, **params}).initialize(X, labels(6))


def shapes(model):
    return {name: layer.out_shape for name, layer in model.network_.layers.items()}


def test_the_default_stack():
    X = np.random.default_rng(0).uniform(size=(6, 12, 12))
    model = ConvNetClassifier(**SMALL).initialize(X, labels(6))
    expected = {
        "rescale": (12, 12, 1),
        "conv1": (12, 12, 2),
        "norm1": (12, 12, 2),
        "activation1": (12, 12, 2),
        "pool1": (6, 6, 2),
        "conv2": (6, 6, 3),
        "norm2": (6, 6, 3),
        "activation2": (6, 6, 3),
        "pool2": (3, 3, 3),
        "flatten": (27,),
        "dense1": (5,),
        "output": (3,),
    }
    assert list(shapes(model).items()) == list(expected.items())


def test_the_plain_stack():
    assert shapes(built()) == {
        "conv1": (12, 12, 2),
        "pool1": (6, 6, 2),
        "conv2": (6, 6, 3),
        "pool2": (3, 3, 3),
        "flatten": (27,),
        "dense1": (5,),
        "output": (3,),
    }


CHANGES = [
    ({"filters": 4}, {"conv1": (12, 12, 4), "flatten": (6 * 6 * 4,)}),
    ({"filters": [4, 5, 6]}, {"conv3": (3, 3, 6), "pool3": (1, 1, 6)}),
    ({"padding": "valid"}, {"conv1": (10, 10, 2), "conv2": (3, 3, 3)}),
    ({"padding": ("valid", "full")}, {"conv1": (10, 10, 2), "conv2": (7, 7, 3)}),
    ({"padding": 3}, {"conv1": (16, 16, 2)}),
    ({"kernel_size": 5, "padding": "valid", "filters": 2}, {"conv1": (8, 8, 2)}),
    (
        {"kernel_size": (3, (1, 5)), "padding": "valid"},
        {"conv1": (10, 10, 2), "conv2": (5, 1, 3), "pool2": None},
    ),
    ({"strides": 2}, {"conv1": (6, 6, 2), "pool1": (3, 3, 2), "conv2": (2, 2, 3)}),
    ({"strides": ((2, 1), 1)}, {"conv1": (6, 12, 2), "conv2": (3, 6, 3)}),
    (
        {"dilation": (2, 1), "padding": "valid"},
        {"conv1": (8, 8, 2), "conv2": (2, 2, 3)},
    ),
    ({"pool_size": (3, 2)}, {"pool1": (4, 4, 2), "pool2": (2, 2, 3)}),
    ({"pool_size": ((1, 3), 2)}, {"pool1": (12, 4, 2), "pool2": (6, 2, 3)}),
    ({"hidden_layer_sizes": (7, 8)}, {"dense1": (7,), "dense2": (8,)}),
    ({"hidden_layer_sizes": 9}, {"dense1": (9,)}),
]


@pytest.mark.parametrize(("params", "expected"), CHANGES, ids=str)
def test_shapes(params, expected):
    if expected.pop("pool2", ...) is None:
        params = {**params, "pooling": ("max", None)}
    got = shapes(built(**params))
    assert {name: got[name] for name in expected} == expected


def test_without_pooling_or_hidden_layers():
    model = built(pooling=None, hidden_layer_sizes=())
    assert list(shapes(model)) == ["conv1", "conv2", "flatten", "output"]


def test_pooling_kinds():
    model = built(pooling=("avg", "max"))
    X = images(4)
    model = built(shape=(6, 6), pooling=("avg", "max"))
    maps = model.activations(X, "conv1").reshape(4, 3, 2, 3, 2, 2)
    np.testing.assert_allclose(model.activations(X, "pool1"), maps.mean(axis=(2, 4)))
    maps = model.activations(X, "conv2")[:, :2, :2]
    np.testing.assert_array_equal(
        model.activations(X, "pool2")[:, 0, 0], maps.max(axis=(1, 2))
    )


@pytest.mark.parametrize(
    ("dropout", "expected"),
    [
        (0.0, {}),
        (0.3, {"dropout1": 0.3, "dropout2": 0.3, "dropout3": 0.3}),
        ((0.1, 0.2), {"dropout1": 0.1, "dropout2": 0.2}),
        ((0.1, 0.0, 0.5), {"dropout1": 0.1, "dropout3": 0.5}),
    ],
)
def test_dropout(dropout, expected):
    layers = built(dropout=dropout).network_.layers.items()
    rates = {name: la.rate for name, la in layers if isinstance(la, DropoutLayer)}
    assert rates == expected


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("tanh", ["tanh", "tanh", "tanh"]),
        (("tanh", "logistic"), ["tanh", "logistic", "logistic"]),
        (("tanh", "logistic", "relu"), ["tanh", "logistic", "relu"]),
    ],
)
def test_activation(activation, expected):
    layers = built(activation=activation).network_.layers
    names = [layers[name].activation.name for name in ("conv1", "conv2", "dense1")]
    assert names == expected


def test_rows_that_are_no_square_become_an_image_of_height_one():
    X = np.random.default_rng(0).uniform(size=(6, 7))
    model = ConvNetClassifier(**SMALL).initialize(X, labels(6))
    assert model.network_.in_shape == (1, 7, 1)
    assert shapes(model)["pool1"] == (1, 3, 2)
    X = np.zeros((6, 1))
    model = ConvNetClassifier(**SMALL).initialize(X, labels(6))
    assert shapes(model)["flatten"] == (3,)


def test_it_learns_what_a_dense_net_cannot_see_elsewhere():
    """A corner is learned wherever it was in training, by shared weights."""
    rng = np.random.default_rng(0)
    X = np.zeros((400, 8, 8))
    y = np.arange(400) % 2
    for image, label in zip(X, y, strict=True):
        i, j = rng.integers(1, 6, size=2)
        image[i, j : j + 2] = 1
        image[i + 1, j if label else j + 1] = 1
    model = ConvNetClassifier(
        filters=8,
        pool_size=8,
        hidden_layer_sizes=(),
        learning_rate_init=0.05,
        batch_size=50,
        max_iter=60,
        tol=1e-2,
        random_state=0,
    )
    assert model.fit(X[:200], y[:200]).score(X[200:], y[200:]) == 1.0


def weights(model):
    return {name: array.shape for name, array in model.get_weights().items()}


def test_batch_norm_stands_before_the_activation():
    model = built(batch_norm=(True, False))
    assert list(shapes(model))[:6] == [
        "conv1",
        "norm1",
        "activation1",
        "pool1",
        "conv2",
        "pool2",
    ]
    layers = model.network_.layers
    assert layers["conv1"].activation.name == "identity"
    assert layers["activation1"].function.name == "relu"
    assert layers["conv2"].activation.name == "relu"


def test_several_convolutions_a_block_the_first_with_strides():
    model = built(convs_per_block=(2, 1), strides=2, pooling=None)
    assert shapes(model) == {
        "conv1_1": (6, 6, 2),
        "conv1_2": (6, 6, 2),
        "conv2": (3, 3, 3),
        "flatten": (27,),
        "dense1": (5,),
        "output": (3,),
    }


def test_residual_blocks():
    model = built(residual=True, convs_per_block=2, batch_norm=(False, True), strides=2)
    assert list(shapes(model))[:4] == ["residual1", "activation1", "pool1", "residual2"]
    own = weights(model)
    assert own["residual1/conv1/kernel"] == (2, 1, 3, 3)
    assert own["residual1/conv2/kernel"] == (2, 2, 3, 3)
    assert own["residual1/shortcut/projection/kernel"] == (2, 1, 1, 1)
    inner = model.network_.layers["residual2"].chains[""].layers
    assert list(inner) == ["conv1", "norm1", "activation1", "conv2", "norm2"]
    plain = built(residual=True).network_.layers["residual1"].chains[""].layers
    assert plain["conv1"].activation.name == "identity"


def test_separable_and_grouped_convolutions():
    model = built(separable=(False, True), groups=(1, 1))
    assert weights(model)["conv2/depthwise"] == (2, 1, 3, 3)
    assert weights(model)["conv2/pointwise"] == (3, 2, 1, 1)
    grouped = built(filters=(4, 6), groups=(1, 2))
    assert weights(grouped)["conv2/kernel"] == (6, 2, 3, 3)


@pytest.mark.parametrize(("pooling", "kind"), [("max", "Max"), ("avg", "Avg")])
def test_global_pooling_takes_the_place_of_flattening(pooling, kind):
    model = built(global_pooling=pooling)
    assert shapes(model)["global_pool"] == (3,)
    assert "flatten" not in shapes(model)
    assert f"Global{kind}Pool" in model.summary()
    # The features do not depend on the size of the image.
    other = model.predict([np.ones((9, 7)), np.ones((12, 12))])
    assert other.shape == (2,)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"convs_per_block": 0}, "'convs_per_block' parameter"),
        ({"convs_per_block": (1, 0)}, "convs_per_block must be an int of at least 1"),
        ({"convs_per_block": (1, 2, 3)}, "convs_per_block must be a single value"),
        ({"batch_norm": 3}, "'batch_norm' parameter"),
        ({"residual": (True,)}, "residual must be a single value"),
        ({"separable": True, "groups": 2}, "groups must be 1 for separable"),
        ({"separable": True, "conv_method": "fft"}, "conv_method must be 'auto' for"),
        ({"groups": 2}, "groups must divide both the 1 channels"),
        ({"global_pooling": "sum"}, "'global_pooling' parameter"),
    ],
)
def test_errors_of_blocks(params, message):
    with pytest.raises(ValueError, match=message):
        built(**params)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_choice_at_once_is_searched():
    X = images(60, (8, 8))
    model = ConvNetClassifier((2, 3), hidden_layer_sizes=4, max_iter=1, random_state=0)
    grid = {
        "batch_norm": [True],
        "residual": [False, (False, True)],
        "convs_per_block": [2],
        "separable": [False, (False, True)],
        "global_pooling": [None, "avg"],
    }
    search = GridSearchCV(model, grid, cv=2, error_score="raise")
    search.fit(X, labels(60))
    assert len(search.cv_results_["params"]) == 8
