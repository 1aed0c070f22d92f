"""Named layers: parameters that reach in, replacement, automatic names."""

import pickle

import pytest
from estimator_cases import data_for, layer_list
from sklearn.base import clone

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import Conv2D, Dense, Dropout, Flatten, MaxPool2D
from skconvnet.params.naming import name_layers

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(params=[SequentialClassifier, SequentialRegressor])
def model(request):
    return request.param(layer_list(), max_iter=1, random_state=0)


def test_nested_parameters(model):
    params = model.get_params()
    assert params["conv1__filters"] == 3
    assert params["conv1"] is model.layers[0][1]
    assert params["layers"] is model.layers
    assert "conv1__filters" not in model.get_params(deep=False)
    model.set_params(conv1__filters=7, dense1__units=9, alpha=0.5)
    fitted = model.fit(*data_for(type(model)))
    assert fitted.get_weights()["conv1/kernel"].shape == (7, 1, 3, 3)
    assert fitted.get_weights()["dense1/bias"].shape == (9,)
    assert fitted.alpha == 0.5


def test_replacing_a_layer_leaves_the_list_alone(model):
    layers = model.layers
    before = list(layers)
    model.set_params(conv1=Conv2D(2, (1, 5)), pool1="passthrough")
    assert layers == before
    assert model.layers is not layers
    fitted = model.fit(*data_for(type(model)))
    assert list(fitted.network_.layers) == ["conv1", "flatten", "dense1", "output"]
    assert fitted.network_.layers["conv1"].out_shape == (6, 2, 2)


def test_a_new_layer_and_its_parameters_in_one_call(model):
    model.set_params(conv1=Conv2D(2, 3), conv1__filters=5)
    assert model.get_params()["conv1"].filters == 5


def test_a_fitted_network_does_not_follow_its_specs(model):
    X, y = data_for(type(model))
    expected = model.fit(X, y).predict(X)
    model.set_params(conv1__filters=11)
    assert (model.predict(X) == expected).all()
    assert (pickle.loads(pickle.dumps(model)).predict(X) == expected).all()


def test_automatic_names_are_not_written_anywhere():
    conv, dense = Conv2D(2, 3), Dense(4)
    layers = [conv, MaxPool2D(2), Conv2D(2, 2), Flatten(), ("top", dense)]
    before = list(layers)
    model = SequentialClassifier(layers, max_iter=1, random_state=0)
    names = ["conv2d_1", "maxpool2d", "conv2d_2", "flatten", "top"]
    assert [name for name, _ in name_layers(layers)] == names
    model.set_params(conv2d_2__filters=4)
    assert layers == before
    assert set(vars(conv)) == set(conv.get_params())
    fitted = model.fit(*data_for(SequentialClassifier))
    assert list(fitted.network_.layers) == [*names, "output"]
    model.set_params(conv2d_1=Conv2D(6, 2))
    assert layers == before
    assert model.fit(*data_for(SequentialClassifier)).get_weights()[
        "conv2d_1/bias"
    ].shape == (6,)


def test_automatic_names_give_way_to_given_ones():
    layers = [("dense", Dense(1)), Dense(2), ("dense_2", Dense(3)), Dense(4)]
    names = [name for name, _ in name_layers(layers)]
    assert names == ["dense", "dense_1", "dense_2", "dense_3"]


def test_mistyped_names_list_the_valid_ones(model):
    with pytest.raises(ValueError, match=r"Invalid parameter 'filter' .*'filters'"):
        model.set_params(conv1__filter=3)
    with pytest.raises(ValueError, match=r"Invalid parameter 'conv2' .*'conv1'"):
        model.set_params(conv2__filters=3)


def test_a_name_that_ends_in_two_underscores_replaces_no_layer(model):
    before = repr(model.get_params())
    with pytest.raises(ValueError, match=r"Invalid parameter 'conv1__': .*missing"):
        model.set_params(conv1__="passthrough")
    assert repr(model.get_params()) == before


def test_clone_copies_the_layers(model):
    copy = clone(model)
    assert copy.layers is not model.layers
    assert copy.layers[0][1] is not model.layers[0][1]
    copy.set_params(conv1__filters=9)
    assert model.get_params()["conv1__filters"] == 3


def test_one_spec_used_twice_makes_two_layers():
    dense = Dense(4, activation="relu")
    model = SequentialClassifier([Flatten(), dense, dense], max_iter=1, random_state=0)
    weights = model.fit(*data_for(SequentialClassifier)).get_weights()
    assert weights["dense_1/kernel"].shape == (36, 4)
    assert weights["dense_2/kernel"].shape == (4, 4)


def test_default_and_empty_lists():
    X, y = data_for(SequentialClassifier)
    X = X.reshape(len(X), -1)
    default = SequentialClassifier(max_iter=1).fit(X, y)
    assert list(default.network_.layers) == ["dense1", "output"]
    assert default.layers is None
    linear = SequentialClassifier([], max_iter=1).fit(X, y)
    assert list(linear.network_.layers) == ["output"]


def test_a_flatten_is_added_before_the_output():
    X, y = data_for(SequentialClassifier)
    layers = [("flatten", Conv2D(2, 3)), Dropout(0.1)]
    fitted = SequentialClassifier(layers, max_iter=1, random_state=0).fit(X, y)
    names = ["flatten", "dropout", "flatten_output", "output"]
    assert list(fitted.network_.layers) == names
