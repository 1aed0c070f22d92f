"""set_weights says where the next fit starts, once."""

import copy
import pickle

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from interrupt_tools import interrupt_at, told
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skconvnet import ConvNetClassifier, MLPClassifier, SequentialClassifier
from skconvnet.layers import BatchNorm, Dense, Standardize

__all__ = ["interrupt_at"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)
# Steps this small leave the weights where they are.
STILL = {"solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1}


def assert_same(weights, expected):
    assert set(weights) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(weights[name], array, rtol=0, atol=1e-200)


@every_estimator
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_setting_the_weights_that_are_there_changes_nothing(cls, solver):
    X, y = data_for(cls)
    params = {"solver": solver, "batch_size": 20, "dtype": "float32"}
    expected = make(cls, **params).fit(X, y)
    model = make(cls, **params).initialize(X, y)
    model.set_weights(model.get_weights()).fit(X, y)
    assert model.network_.vector.tobytes() == expected.network_.vector.tobytes()
    assert model.loss_ == expected.loss_
    assert model.n_iter_ == expected.n_iter_


@every_estimator
@pytest.mark.parametrize("before", ["initialize", "fit"])
def test_fit_starts_from_all_weights_as_they_are(cls, before):
    X, y = data_for(cls)
    donor = make(cls, random_state=5).fit(X, y)
    model = make(cls, **STILL)
    getattr(model, before)(X, y)
    bias = np.ones_like(model.get_weights()["output/bias"])
    model.set_weights(donor.get_weights()).set_weights({"output/bias": bias})
    model.fit(X, y)
    assert_same(model.get_weights(), {**donor.get_weights(), "output/bias": bias})


@every_estimator
def test_training_is_new_and_not_a_warm_start(cls):
    X, y = data_for(cls)
    first = make(cls, max_iter=4).fit(X, y)
    again = make(cls, max_iter=4).initialize(X, y).set_weights(first.get_weights())
    again.fit(X, y)
    first.set_weights(first.get_weights()).fit(X, y)
    assert (len(first.loss_curve_), first.n_iter_, first.t_) == (4, 4, 4 * len(X))
    assert first.network_.vector.tobytes() == again.network_.vector.tobytes()
    assert first.loss_curve_ == again.loss_curve_


@every_estimator
def test_it_holds_for_one_training(cls):
    X, y = data_for(cls)
    drawn = make(cls, **STILL).initialize(X, y).get_weights()
    zeros = {name: np.zeros_like(array) for name, array in drawn.items()}
    classes = {"classes": [0, 1, 2]} if cls in CLASSIFIERS else {}

    def used_by(method, **params):
        model = make(cls, **STILL, **params).initialize(X, y).set_weights(zeros)
        getattr(model, method)(X, y, **(classes if method == "partial_fit" else {}))
        assert_same(model.get_weights(), zeros)
        model.set_params(warm_start=False).fit(X, y)
        assert_same(model.get_weights(), drawn)

    used_by("fit")
    used_by("partial_fit")
    used_by("fit", warm_start=True)


@every_estimator
def test_who_forgets_and_who_does_not(cls):
    X, y = data_for(cls)
    drawn = make(cls, **STILL).initialize(X, y).get_weights()
    zeros = {name: np.zeros_like(array) for name, array in drawn.items()}
    model = make(cls, **STILL).initialize(X, y).set_weights(zeros)
    for keeper in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_same(keeper.fit(X, y).get_weights(), zeros)
    assert_same(clone(model).fit(X, y).get_weights(), drawn)
    search = GridSearchCV(model, {"alpha": [1e-4]}, cv=2).fit(X, y)
    assert_same(search.best_estimator_.get_weights(), drawn)
    assert_same(model.initialize(X, y).fit(X, y).get_weights(), drawn)


@every_estimator
def test_a_fit_that_fails_forgets_nothing(cls):
    X, y = data_for(cls)
    model = make(cls, **STILL).initialize(X, y)
    zeros = {name: np.zeros_like(a) for name, a in model.get_weights().items()}
    model.set_weights(zeros)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, y[:-1])
    with pytest.raises(ValueError, match="unknown name"):
        model.set_weights({"nothing": 1.0})
    assert_same(model.fit(X, y).get_weights(), zeros)


def test_an_interrupted_fit_has_used_them(interrupt_at):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier).initialize(X, y)
    drawn = model.get_weights()
    model.set_weights({name: array + 1 for name, array in drawn.items()})
    interrupt_at(1)
    with told():
        model.fit(X, y)
    model.set_params(**STILL).fit(X, y)
    assert_same(model.get_weights(), drawn)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"hidden_layer_sizes": (7,)}, r"'dense1/kernel' has shape \(36, 5\), but "),
        ({"hidden_layer_sizes": ()}, "the new network has no 'dense1/kernel'"),
        ({"hidden_layer_sizes": (5, 4)}, "the present network has no 'dense2/kernel'"),
    ],
)
def test_weights_that_do_not_fit_are_an_error(change, difference):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier).fit(X, y).set_weights({})
    before, weights = dict(vars(model)), model.get_weights()
    model.set_params(**change)
    with pytest.raises(ValueError, match=difference) as info:
        model.fit(X, y)
    assert "initialize(X, y)" in str(info.value)
    assert vars(model) == {**before, **change}
    assert_same(model.get_weights(), weights)
    model.initialize(X, y).fit(X, y)


def test_other_numbers_of_features_or_classes_are_an_error():
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, **STILL).fit(X, y).set_weights({})
    with pytest.raises(ValueError, match=r"\(20, 5\) is needed"):
        model.fit(X[:, :20], y)
    with pytest.raises(ValueError, match="'output/bias' has shape"):
        model.fit(X, y % 2)
    assert model.n_features_in_ == X.shape[1]
    weights = model.get_weights()
    # Other names of as many classes are no other network.
    assert_same(model.fit(X, y + 7).get_weights(), weights)
    np.testing.assert_array_equal(model.classes_, [7, 8, 9])


def test_values_that_the_new_dtype_cannot_hold_are_an_error():
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier).initialize(X, y)
    model.set_weights({"output/bias": [1e39, 0, 0]})
    with pytest.raises(ValueError, match=r"'output/bias'.*not finite in float32"):
        model.fit(X.astype("float32"), y)


def test_statistics_of_the_input_are_new_unless_they_were_set():
    X, y = data_for(MLPClassifier)
    layers = [("scale", Standardize()), ("dense", Dense(4)), ("norm", BatchNorm())]
    model = SequentialClassifier(layers, random_state=0, **STILL).initialize(X, y)
    moving = np.full(4, 7.0)
    model.set_weights({"norm/moving_mean": moving, "dense/bias": np.zeros(4)})
    shifted = 10 * X + 3
    model.fit(shifted, y)
    expected = SequentialClassifier(layers, random_state=0, **STILL)
    expected = expected.fit(shifted, y).get_weights()
    weights = model.get_weights()
    np.testing.assert_array_equal(weights["scale/mean"], expected["scale/mean"])
    # The one update keeps this share of the moving mean.
    change = weights["norm/moving_mean"] - expected["norm/moving_mean"]
    assert (np.abs(change) > 1).all()

    mean = np.arange(36.0)
    model.set_weights({"scale/mean": mean}).fit(shifted, y)
    weights = model.get_weights()
    np.testing.assert_array_equal(weights["scale/mean"], mean)
    deviation = weights["scale/deviation"]
    np.testing.assert_array_equal(deviation, expected["scale/deviation"])
    model.set_weights(weights).fit(X, y)
    assert_same(
        {name: model.get_weights()[name] for name in ("scale/mean", "scale/deviation")},
        {"scale/mean": mean, "scale/deviation": deviation},
    )


def test_weights_may_be_views_of_the_network():
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, hidden_layer_sizes=(3, 3, 3)).initialize(X, y)
    a, b = (model.get_weights()[f"dense{i}/kernel"] for i in (2, 3))
    views = model.network_.weights
    model.set_weights(
        {
            "dense2/kernel": views["dense3/kernel"],
            "dense3/kernel": views["dense2/kernel"],
        }
    )
    np.testing.assert_array_equal(model.get_weights()["dense2/kernel"], b)
    np.testing.assert_array_equal(model.get_weights()["dense3/kernel"], a)


def test_a_warning_tells_of_frozen_layers_with_weights_that_were_drawn():
    X, y = data_for(SequentialClassifier)
    model = make(SequentialClassifier, max_iter=1).set_params(conv1__trainable=False)
    told_so = pytest.warns(UserWarning, match="weights of 'conv1' are frozen")
    donor = make(SequentialClassifier, random_state=4).fit(X, y).get_weights()
    with told_so as caught:
        model.fit(X, y)
    assert caught[0].filename == __file__
    model.initialize(X, y).set_weights(donor).fit(X, y)
    model.partial_fit(X, y)
    model.set_params(warm_start=True).fit(X, y)
    np.testing.assert_array_equal(
        model.get_weights()["conv1/bias"], donor["conv1/bias"]
    )
    for again in (model.set_params(warm_start=False), clone(model)):
        with pytest.warns(UserWarning, match="warm_start=True before another fit"):
            again.fit(X, y)
    with pytest.warns(UserWarning, match="'conv1' are frozen"):
        clone(model).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.warns(UserWarning, match="searches fit, have no weights"):
        GridSearchCV(model, {"alpha": [0.1]}, cv=2).fit(X, y)
