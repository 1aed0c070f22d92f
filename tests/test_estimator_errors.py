"""Bad input: an error that names the parameter, and an estimator left as it was."""

import re

import joblib
import numpy as np
import pytest
from estimator_cases import (
    CLASSIFIERS,
    ESTIMATORS,
    IMAGE_ESTIMATORS,
    REGRESSORS,
    data_for,
    images,
    labels,
    make,
)

from skconvnet import ConvNetClassifier, MLPClassifier, SequentialClassifier
from skconvnet.layers import Conv2D, Dense, Flatten, MaxPool2D

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
CONVNETS = [cls for cls in ESTIMATORS if cls.__name__.startswith("ConvNet")]
SEQUENTIALS = [cls for cls in ESTIMATORS if cls.__name__.startswith("Sequential")]


def assert_fails(estimator, call, message, error=(ValueError, TypeError)):
    before = joblib.hash(vars(estimator))
    with pytest.raises(error, match=message):
        call()
    assert joblib.hash(vars(estimator)) == before


def spoilt(X, value):
    X = X.copy()
    X.flat[3] = value
    return X


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_values_that_are_not_finite(cls, value):
    X, y = data_for(cls)
    bad = spoilt(X, value)
    word = "NaN" if np.isnan(value) else "infinity"
    fresh, fitted = make(cls), make(cls).fit(X, y)
    for estimator in (fresh, fitted):
        assert_fails(estimator, lambda e=estimator: e.fit(bad, y), word)
    assert_fails(fitted, lambda: fitted.partial_fit(bad, y), word)
    assert_fails(fitted, lambda: fitted.predict(bad), word)
    assert_fails(fitted, lambda: fitted.loss_gradients(bad, y), word)


@pytest.mark.parametrize("cls", REGRESSORS)
def test_targets_that_are_not_finite(cls):
    X, y = data_for(cls)
    estimator = make(cls)
    assert_fails(
        estimator, lambda: estimator.fit(X, spoilt(y, np.nan)), r"y\[3\] is nan"
    )


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_another_number_of_features_or_samples(cls):
    X, y = data_for(cls)
    rows = X.reshape(len(X), -1)
    fitted = make(cls, warm_start=True).fit(X, y)
    message = f"X has 35 features, but {cls.__name__} is expecting 36 features"
    assert_fails(fitted, lambda: fitted.predict(rows[:, :35]), message)
    assert_fails(fitted, lambda: fitted.partial_fit(rows[:, :35], y), message)
    assert_fails(fitted, lambda: fitted.fit(rows[:, :35], y), message)
    assert_fails(
        fitted, lambda: fitted.fit(X, y[:-1]), "inconsistent numbers of samples"
    )
    weights = np.ones(3)
    assert_fails(
        fitted, lambda: fitted.fit(X, y, sample_weight=weights), "sample_weight"
    )


@pytest.mark.parametrize("shape", [(6, 5), (5, 6), (6, 6, 3), (3, 12)])
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_another_image_shape(cls, shape):
    X, y = data_for(cls)
    fitted = make(cls, warm_start=True).fit(X, y)
    bad = np.zeros((len(y), *shape))
    message = r"X has samples of shape \(.*fitted on samples of shape \(6, 6, 1\)"
    assert_fails(fitted, lambda: fitted.predict(bad), message)
    assert_fails(fitted, lambda: fitted.fit(bad, y), message)
    assert_fails(fitted, lambda: fitted.partial_fit(bad, y), message)
    assert_fails(fitted, lambda: fitted.activations(bad, "output"), message)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_unseen_labels_in_partial_fit(cls):
    X, y = data_for(cls)
    estimator = make(cls)
    assert_fails(
        estimator, lambda: estimator.partial_fit(X, y), "classes must be passed"
    )
    estimator.partial_fit(X, y, classes=[0, 1, 2])
    message = r"classes not in `self.classes_`. `self.classes_` has \[0 1 2\]"
    assert_fails(estimator, lambda: estimator.partial_fit(X, y + 1), message)
    message = "is not the same as on last call"
    assert_fails(
        estimator, lambda: estimator.partial_fit(X, y, classes=[0, 1]), message
    )


@pytest.mark.parametrize("cls", [ConvNetClassifier, SequentialClassifier])
def test_one_class_only(cls):
    X, _ = data_for(cls)
    estimator = make(cls)
    message = "y has only one class, 'a'; .* at least 2 classes"
    assert_fails(estimator, lambda: estimator.fit(X, ["a"] * len(X)), message)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((6, 5, 1), r"input_shape=\(6, 5, 1\) has 30 values, but X has 36 features"),
        ((6, -6, 1), r"input_shape must be a tuple of positive ints.*\(6, -6, 1\)"),
        ((), r"input_shape must be a tuple of positive ints.*got \(\)"),
        ((36,), r"input_shape must have 3 entries.*got \(36,\)"),
        ("6x6", "'input_shape' parameter .* Got '6x6'"),
    ],
)
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_input_shape(cls, value, message):
    X, y = data_for(cls)
    estimator = make(cls, input_shape=value)
    assert_fails(estimator, lambda: estimator.fit(X.reshape(len(X), -1), y), message)


CONVNET_PARAMETERS = [
    (
        {"kernel_size": 9, "padding": "valid"},
        r"conv1.*kernel_size=\(9, 9\).*does not fit",
    ),
    ({"pool_size": 7}, r"pool1.*pool_size=\(7, 7\).*no output is left"),
    ({"filters": (2, 2, 2)}, r"pool3.*pool_size=\(2, 2\).*no output is left"),
    ({"filters": (2, 2, 2), "kernel_size": (3, 3)}, r"kernel_size .* of 3.*\(3, 3\)"),
    ({"filters": (2, 2), "pool_size": (2,)}, r"pool_size .* of 2.*got \(2,\)"),
    ({"filters": (2, 2), "dropout": (0.1,) * 4}, "dropout must be .* length 4"),
    ({"filters": (2, 0)}, r"filters must be a positive int.*got \(2, 0\)"),
    ({"filters": []}, r"filters must have at least one entry.*got \[\].*MLPClassifier"),
    ({"filters": ()}, r"filters must have at least one entry.*got \(\).*MLPRegressor"),
    ({"filters": -1}, "'filters' parameter .* Got -1"),
    ({"filters": 2.5}, "'filters' parameter .* Got 2.5"),
    ({"hidden_layer_sizes": (0,)}, r"hidden_layer_sizes must be > 0, got \[0\]"),
    ({"hidden_layer_sizes": (2.7,)}, r"a tuple of ints, .* got \(2.7,\)"),
    ({"hidden_layer_sizes": (True,)}, r"a tuple of ints, .* got \(True,\)"),
    ({"hidden_layer_sizes": ("a",)}, r"a tuple of ints, .* got \('a',\)"),
    ({"dtype": []}, "The 'dtype' parameter .* must be .* Got \\[\\]"),
    ({"kernel_size": 0}, "kernel_size must be at least 1; got 0"),
    ({"strides": -1}, "strides must be at least 1; got -1"),
    ({"padding": "sane"}, "padding must be one of 'valid', 'same'.*got 'sane'"),
    ({"pooling": "mean"}, "'pooling' parameter .* Got 'mean'"),
    ({"activation": "rleu"}, "activation must be .*'relu', .*; got 'rleu'"),
    ({"dropout": 1.0}, r"^dropout must be a float in \[0, 1\); got 1.0"),
]


@pytest.mark.parametrize(("params", "message"), CONVNET_PARAMETERS, ids=str)
@pytest.mark.parametrize("cls", CONVNETS)
def test_parameters_of_convnets(cls, params, message):
    X, y = data_for(cls)
    estimator = make(cls, **params)
    assert_fails(estimator, lambda: estimator.fit(X, y), message)


SHARED_PARAMETERS = [
    ({"solver": "adm"}, "'solver' parameter .* Got 'adm'"),
    ({"batch_size": 0}, "'batch_size' parameter .* Got 0"),
    ({"batch_mode": "batch"}, "'batch_mode' parameter .* Got 'batch'"),
    ({"learning_rate_init": -0.1}, "'learning_rate_init' parameter .* Got -0.1"),
    ({"alpha": -1}, "'alpha' parameter .* Got -1"),
    ({"n_jobs": 0}, "'n_jobs' parameter .* Got 0"),
    ({"dtype": "int8"}, "'dtype' parameter .* Got 'int8'"),
    ({"max_grad_norm": 0}, "'max_grad_norm' parameter .* Got 0"),
    ({"loss": "hubert"}, "'loss' parameter .* Got 'hubert'"),
    ({"max_iter": 0}, "'max_iter' parameter .* Got 0"),
]


@pytest.mark.parametrize(("params", "message"), SHARED_PARAMETERS, ids=str)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_shared_parameters(cls, params, message):
    X, y = data_for(cls)
    estimator = make(cls, **params)
    assert_fails(estimator, lambda: estimator.fit(X, y), message)
    fitted = make(cls).fit(X, y)
    fitted.set_params(**params)
    assert_fails(fitted, lambda: fitted.fit(X, y), message)


LAYER_LISTS = [
    ([("a", Dense(3)), ("a", Dense(4))], ValueError, "2 layers named 'a'"),
    ([("a__b", Dense(3))], ValueError, r"layers\[0\] is named 'a__b'"),
    ([("alpha", Dense(3))], ValueError, "'alpha', which is taken"),
    ([("output", Dense(3))], ValueError, "'output', which is taken"),
    ([("", Dense(3))], TypeError, "non-empty str; got ''"),
    ([("a", Dense)], TypeError, r"the class Dense; pass an instance"),
    ([Dense], TypeError, r"the class Dense; pass an instance"),
    ([("a", 3)], TypeError, r"layers\[0\] \('a'\) must be a layer .* got 3"),
    (3, TypeError, "layers must be a list of layers .* got 3"),
    ([("c", Conv2D(2, 9))], ValueError, r"layer 'c'.*kernel_size=\(9, 9\)"),
    ([("p", MaxPool2D(9))], ValueError, r"layer 'p'.*pool_size=\(9, 9\)"),
    ([("d", Dense(0))], ValueError, "layer 'd'.*units .* got 0|put Flatten"),
    ([("c", Conv2D(2, 3, activation="x"))], ValueError, "layer 'c'.*got 'x'"),
]


@pytest.mark.parametrize(("layers", "error", "message"), LAYER_LISTS, ids=str)
@pytest.mark.parametrize("cls", SEQUENTIALS)
def test_lists_of_layers(cls, layers, error, message):
    X, y = data_for(cls)
    estimator = make(cls, layers=layers)
    assert_fails(estimator, lambda: estimator.fit(X, y), message, error)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_empty_arrays_and_wrong_dimensions(cls):
    X, y = data_for(cls)
    estimator = make(cls)
    assert_fails(estimator, lambda: estimator.fit(X[:0], y[:0]), r"0 sample\(s\)")
    assert_fails(estimator, lambda: estimator.fit(X[0].ravel(), y), "Expected 2D array")
    assert_fails(estimator, lambda: estimator.fit(np.zeros((3, 0)), y[:3]), "0 feature")
    if cls in IMAGE_ESTIMATORS:
        bad = np.zeros((3, 0, 6))
        assert_fails(
            estimator, lambda: estimator.fit(bad, y[:3]), r"X has shape \(3, 0, 6\)"
        )
        # Five axes are volumes for ConvNet*, but not for 2-D layers.
        bad = np.zeros((3, *(2,) * (5 if cls in CONVNETS else 4)))
        shape = re.escape(str(bad.shape))
        assert_fails(estimator, lambda: estimator.fit(bad, y[:3]), shape)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_validation_set(cls):
    X, y = data_for(cls)
    estimator = make(cls, early_stopping=True)
    assert_fails(estimator, lambda: estimator.fit(X, y, X_val=X), "y_val=None")
    assert_fails(estimator, lambda: estimator.fit(X, y, y_val=y), "X_val=None")
    rows = X.reshape(len(X), -1)[:, :5]
    assert_fails(
        estimator, lambda: estimator.fit(X, y, X_val=rows, y_val=y), "5 features"
    )


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_weights_from_outside(cls):
    X, y = data_for(cls)
    fitted = make(cls).fit(X, y)
    good = fitted.get_weights()
    wrong = {"output/bias": np.zeros_like(good["output/bias"]), "no/name": 1.0}
    assert_fails(fitted, lambda: fitted.set_weights(wrong), "unknown name 'no/name'")
    wrong = {"output/kernel": good["output/kernel"] * 2, "output/bias": np.zeros(99)}
    assert_fails(
        fitted, lambda: fitted.set_weights(wrong), r"must have shape .*\(99,\)"
    )
    wrong = {"output/bias": np.full_like(good["output/bias"], np.nan)}
    assert_fails(fitted, lambda: fitted.set_weights(wrong), "contains NaN")
    wrong = [good["output/bias"]]
    assert_fails(fitted, lambda: fitted.set_weights(wrong), "weights must be a mapping")
    assert_fails(
        fitted, lambda: fitted.activations(X, "conv9"), "'output'; got 'conv9'"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -1, "2", None])
def test_class_weights_that_are_no_weights(value):
    X, y = data_for(SequentialClassifier)
    fitted = make(SequentialClassifier).fit(X, y)
    weights = dict.fromkeys(fitted.classes_, 1.0) | {fitted.classes_[0]: value}
    fitted.set_params(class_weight=weights)
    message = "class_weight must contain finite numbers of at least 0"
    assert_fails(fitted, lambda: fitted.fit(X, y), message)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("cls", REGRESSORS)
def test_divergence_is_told(cls):
    X, y = data_for(cls)
    wild = {"solver": "sgd", "learning_rate_init": 1e8, "max_iter": 50}
    if cls in SEQUENTIALS:  # without the tanh, which would only saturate
        wild["layers"] = [Flatten(), Dense(5, activation="relu")]
    fitted = make(cls).fit(X, y).set_params(**wild)
    message = "non-finite parameter weights.*epoch .*learning rate of 1e.08"
    assert_fails(fitted, lambda: fitted.fit(X, y * 1e6), message)


def test_images_are_not_for_perceptrons():
    estimator = make(MLPClassifier)
    message = r"X must be rows .* samples of shape \(6, 6\). Reshape X"
    assert_fails(estimator, lambda: estimator.fit(images(), labels()), message)


def test_warm_start_with_other_layers():
    X, y = data_for(ConvNetClassifier)
    fitted = make(ConvNetClassifier, warm_start=True).fit(X, y).set_params(filters=4)
    assert_fails(fitted, lambda: fitted.fit(X, y), "layers .* were changed")


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_negative_weights_are_refused(cls):
    X, y = data_for(cls)
    fitted = make(cls).fit(X, y)
    assert_fails(
        fitted, lambda: fitted.fit(X, y, -np.ones(len(y))), "Negative values.*sample_w"
    )
