"""set_weights(strict=False): what it takes of another network, and what it tells."""

import warnings

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import Conv2D, Dense, Flatten, Standardize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
STILL = {"solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1}


def same(a, b):
    return all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_network_for_other_classes_keeps_the_body_without_a_warning(cls):
    X, y = data_for(cls)
    donor = make(cls).fit(X, y).get_weights()
    model = make(cls, random_state=1, **STILL).initialize(X, y % 2)
    drawn = model.get_weights()
    assert model.set_weights(donor, strict=False) is model
    assert model.weights_left_out_ == ["output/kernel", "output/bias"]
    expected = {
        name: drawn[name] if name.startswith("output/") else donor[name]
        for name in donor
    }
    assert same(model.get_weights(), expected)
    # The next fit starts from these.
    body = [name for name in expected if "moving" not in name]
    weights = model.fit(X, y % 2).get_weights()
    for name in body:
        np.testing.assert_allclose(weights[name], expected[name], rtol=0, atol=1e-200)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_what_fits_as_a_whole_is_set_as_with_strict(cls):
    X, y = data_for(cls)
    donor = make(cls, random_state=3).fit(X, y).get_weights()
    first = make(cls).initialize(X, y).set_weights(donor, strict=False)
    second = make(cls).initialize(X, y).set_weights(donor, True)
    assert first.weights_left_out_ == second.weights_left_out_ == []
    assert same(first.get_weights(), second.get_weights())
    assert same(first.fit(X, y).get_weights(), second.fit(X, y).get_weights())


def test_a_regressor_takes_the_body_of_a_classifier():
    X, y = data_for(SequentialClassifier)
    donor = make(SequentialClassifier).fit(X, y)
    model = make(SequentialRegressor).initialize(X, X.sum(axis=(1, 2)))
    model.set_weights(donor.get_weights(), strict=False)
    assert model.weights_left_out_ == ["output/kernel", "output/bias"]


def test_a_warning_tells_the_other_arrays_that_do_not_fit():
    X, y = data_for(SequentialClassifier)
    donor = make(SequentialClassifier).fit(X, y).get_weights()
    donor["extra/kernel"] = np.zeros(3)
    model = make(SequentialClassifier).set_params(dense1__units=7).initialize(X, y)
    with pytest.warns(UserWarning, match="leaves out 3 of 7 arrays") as caught:
        model.set_weights(donor, strict=False)
    message = str(caught[0].message)
    assert "'dense1/kernel' has shape (12, 5), but (12, 7) is needed" in message
    assert "the network has no 'extra/kernel'" in message
    assert "output" not in message
    assert caught[0].filename == __file__
    assert model.weights_left_out_ == [
        "dense1/kernel",
        "dense1/bias",
        "output/kernel",
        "output/bias",
        "extra/kernel",
    ]
    assert np.array_equal(model.get_weights()["conv1/kernel"], donor["conv1/kernel"])


def test_a_layer_fits_as_a_whole():
    X, y = data_for(SequentialClassifier)
    donor = make(SequentialClassifier).fit(X, y).get_weights()
    donor["conv1/kernel"] = np.ones((3, 5, 2, 2))
    donor["conv1/bias"] += 1
    model = make(SequentialClassifier).initialize(X, y)
    drawn = model.get_weights()
    told = "leaves out 2 of .*'conv1/bias' belongs to a layer of which another array"
    with pytest.warns(UserWarning, match=told):
        model.set_weights(donor, strict=False)
    assert model.weights_left_out_ == ["conv1/kernel", "conv1/bias"]
    expected = donor | {name: drawn[name] for name in model.weights_left_out_}
    assert same(model.get_weights(), expected)


def test_a_warning_that_is_an_error_leaves_all_as_it_was():
    X, y = data_for(SequentialClassifier)
    model = make(SequentialClassifier).fit(X, y)
    before, weights = dict(vars(model)), model.get_weights()
    new = {name: array + 1 for name, array in weights.items()} | {"extra/bias": 1.0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="extra/bias"):
            model.set_weights(new, strict=False)
    assert vars(model) == before
    assert same(model.get_weights(), weights)


@pytest.mark.parametrize(
    ("weights", "error", "match"),
    [
        ({"dense9/kernel": np.ones(3)}, ValueError, "No array of weights fits.*dense9"),
        ({"conv1/bias": np.ones(9)}, ValueError, r"has shape \(9,\), but \(3,\)"),
        ({"conv1/bias": ["a", "b", "c"]}, ValueError, "conv1/bias"),
        ({"conv1/bias": [1.0, np.nan, 0.0]}, ValueError, "NaN"),
        ({"conv1/bias": [[1.0], [1.0, 2.0]]}, ValueError, "conv1/bias"),
        ([1.0], TypeError, "weights must be a mapping"),
    ],
)
def test_other_mistakes_are_errors(weights, error, match):
    X, y = data_for(SequentialClassifier)
    model = make(SequentialClassifier).initialize(X, y)
    before = model.get_weights()
    with pytest.raises(error, match=match):
        model.set_weights(weights, strict=False)
    assert same(model.get_weights(), before)
    model.set_weights({}, strict=False)


@pytest.mark.parametrize("strict", [None, 0, "no"])
def test_strict_must_be_a_bool(strict):
    X, y = data_for(SequentialClassifier)
    model = make(SequentialClassifier).initialize(X, y)
    with pytest.raises(TypeError, match="strict must be True or False; got"):
        model.set_weights(model.get_weights(), strict=strict)


def test_a_frozen_body_stays_that_of_the_donor():
    X, y = data_for(SequentialClassifier)
    layers = [
        ("scale", Standardize()),
        ("conv1", Conv2D(3, 3, activation="relu")),
        ("flatten", Flatten()),
        ("dense1", Dense(5, activation="tanh")),
    ]
    donor = SequentialClassifier(layers, max_iter=2, random_state=0).fit(X, y)
    model = SequentialClassifier(layers, max_iter=2, random_state=1)
    model.set_params(conv1__trainable=False)
    other = 3 * X + 1
    model.initialize(other, y % 2).set_weights(donor.get_weights(), strict=False)
    model.fit(other, y % 2)
    before, after = donor.get_weights(), model.get_weights()
    kept = {name for name in before if np.array_equal(before[name], after[name])}
    # The statistics of X were set, so they are not computed from the new X.
    assert kept == {"scale/mean", "scale/deviation", "conv1/kernel", "conv1/bias"}


def test_a_new_output_layer_on_trained_layers_gives_no_advice_on_the_scale_of_x():
    # What the trained layers compute may be large, whatever the scale of X.
    X, y = data_for(SequentialClassifier)
    donor = make(SequentialClassifier).set_params(dense1__activation="relu").fit(X, y)
    weights = donor.get_weights()
    weights["dense1/bias"] = weights["dense1/bias"] + 50
    model = clone(donor).set_params(random_state=1).initialize(X, y % 2)
    model.set_weights(weights, strict=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y % 2)
    assert model.loss_curve_[0] > 3
