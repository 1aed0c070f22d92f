"""Mistakes in y, sample weights and samples: each error names them, and a fix."""

import re
import warnings

import numpy as np
import pytest
from estimator_cases import (
    CLASSIFIERS,
    ESTIMATORS,
    IMAGE_ESTIMATORS,
    REGRESSORS,
    data_for,
    make,
)
from sklearn.exceptions import ConvergenceWarning

from skconvnet import ConvNetClassifier, SequentialClassifier
from skconvnet.layers import Conv2D, GlobalAvgPool

OWN = [cls for cls in CLASSIFIERS if not cls.__name__.startswith("MLP")]
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
pytestmark = pytest.mark.filterwarnings("ignore:Training started with a loss")


def refused(call, message, error=ValueError):
    with pytest.raises(error, match=message) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("labels", [["cat", "dog"], np.array(["cat", "dog"], object)])
@pytest.mark.parametrize("cls", REGRESSORS)
def test_labels_for_a_regressor(cls, labels):
    X, _ = data_for(cls)
    twin = cls.__name__.replace("Regressor", "Classifier")
    message = f"^y must consist of numbers for {cls.__name__}.*'cat'.*use {twin}"
    model = make(cls)
    refused(lambda: model.fit(X, np.resize(labels, len(X))), message)
    refused(lambda: model.partial_fit(X, list(np.resize(labels, len(X)))), message)
    assert not hasattr(model, "network_")


@quiet
@pytest.mark.parametrize("cls", REGRESSORS)
def test_numbers_as_text_or_objects(cls):
    X, y = data_for(cls)
    message = r"^y must consist of numbers .*'0.5'\. Pass y.astype\(float\)"
    refused(lambda: make(cls).fit(X, ["0.5"] * len(X)), message)
    expected = make(cls).fit(X, y).predict(X)
    np.testing.assert_array_equal(
        make(cls).fit(X, y.astype(object)).predict(X), expected
    )


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_images_as_targets(cls):
    X, _ = data_for(cls)
    message = r"^y has shape \(60, 4, 4\), but must .* pass y.reshape\(len\(y\), -1\)"
    if cls.__name__.startswith("Sequential"):  # whose last layer could give maps
        message = r"^y has shape \(n, 4, 4\), .*'dense1', gives 5 flat .* y.reshape\("
    refused(lambda: make(cls).fit(X, np.zeros((60, 4, 4))), message)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_lengths_that_differ(cls):
    X, y = data_for(cls)
    message = r"inconsistent numbers of samples: \[60, 59\]: X has 60 samples and y has"
    for values in (y[:-1], list(y[:-1])):
        refused(lambda values=values: make(cls).fit(X, values), message)
        refused(lambda values=values: make(cls).fit(list(X), values), message)


@quiet
@pytest.mark.parametrize("cls", OWN)
def test_one_hot_targets_are_told(cls):
    X, y = data_for(cls)
    for dtype in (int, float, bool):
        message = r"y of shape \(60, 3\) .* y.argmax\(axis=1\)"
        with pytest.warns(UserWarning, match=message) as caught:
            make(cls).fit(X, np.eye(3, dtype=dtype)[y])
        assert caught[0].filename == __file__
    make(cls).fit(X, np.tri(3, dtype=int)[y])


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_targets_that_are_no_labels(cls):
    X, y = data_for(cls)
    twin = cls.__name__.replace("Classifier", "Regressor")
    refused(lambda: make(cls).fit(X, y + 0.5), f"Unknown label type.*use {twin}")
    soft = np.random.default_rng(0).uniform(size=(60, 3))
    refused(lambda: make(cls).fit(X, soft), r"Unknown label type.*y.argmax\(axis=1\)")


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_rare_class_under_early_stopping(cls):
    X, _ = data_for(cls)
    labels = np.where(np.arange(60) == 7, "dog", "cat")
    message = r"y has 1 sample of class 'dog'.* at least 2 samples of each class"
    model = make(cls, early_stopping=True)
    refused(lambda: model.fit(X, labels), message)
    refused(lambda: model.fit(X, labels == "dog"), "of class True")
    labels[8] = "dog"
    message = "validation_fraction=0.01 of 60 samples is 1, but .* at least 2"
    model.set_params(validation_fraction=0.01)
    refused(lambda: model.fit(X, labels), message)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_validation_fraction_of_0(cls):
    X, y = data_for(cls)
    model = make(cls, early_stopping=True, validation_fraction=0.0)
    refused(lambda: model.fit(X, y), "validation_fraction must be above 0")


@quiet
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_what_sample_weight_was_meant_to_be(cls):
    X, y = data_for(cls)
    message = r"sample_weight must have shape \(60,\).*X_val=\.\.\., y_val="
    refused(lambda: make(cls).fit(X, y, (X, y)), message)
    refused(lambda: make(cls).fit(X, y, X), message)
    refused(lambda: make(cls).fit(X, y, "balanced"), "'balanced'.*class_weight")
    message = r"sample_weight.shape == \(3,\), expected \(60,\)!.*classes="
    refused(lambda: make(cls).fit(X, y).partial_fit(X, y, [0, 1, 2]), message)
    if cls in CLASSIFIERS:
        message = r"classes must be passed on the first call.*classes=\.\.\."
        refused(lambda: make(cls).partial_fit(X, y, [0, 1, 2]), message)


@quiet
@pytest.mark.parametrize("shape", [(6, 6), (6, 6, 1), (6, 6, 3), (6, 5, 3)])
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_one_image_without_a_batch_axis(cls, shape):
    _, y = data_for(cls)
    X = np.random.default_rng(0).uniform(size=(60, *shape))
    model = make(cls).fit(X, y)
    message = rf"^X has shape {shape}, that of a single sample.*X\[None\]"
    message = message.replace("(", r"\(").replace(")", r"\)")
    for method in ("predict", "decision_function", "predict_proba"):
        if hasattr(model, method):
            refused(lambda method=method: getattr(model, method)(X[0]), message)
    refused(lambda: model.activations(X[0], "conv1"), message)
    assert len(model.predict(X[0][None])) == 1
    refused(lambda: model.fit(X[0], y[:1]), r"pass X\[None\]")


@quiet
def test_one_image_for_a_network_of_any_size():
    rng = np.random.default_rng(0)
    X = [rng.uniform(size=(6 + i % 2, 7, 3)) for i in range(20)]
    layers = [Conv2D(2, 3), GlobalAvgPool()]
    model = SequentialClassifier(layers, max_iter=1).fit(X, [0, 1] * 10)
    refused(lambda: model.predict(X[0]), r"\(6, 7, 3\), that of a single sample")


@quiet
def test_a_misspelt_layer():
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier).fit(X, y)
    refused(lambda: model.activations(X, "cnov1"), "Did you mean 'conv1'")


@quiet
@pytest.mark.parametrize("cls", CLASSIFIERS)
@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba"])
def test_why_there_are_no_probabilities(cls, method):
    X, y = data_for(cls)
    model = make(cls, loss="hinge").fit(X, y)
    message = (
        f"has no attribute '{method}'. .*decision_function.*CalibratedClassifierCV"
    )
    refused(lambda: getattr(model, method)(X), message, AttributeError)
    model = make(cls, solver="lbfgs")
    message = "has no attribute 'partial_fit'. .*stochastic"
    refused(lambda: model.partial_fit(X, y), message, AttributeError)


@pytest.mark.parametrize("solver", ["adam", "rmsprop"])
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_loss_that_never_fell_is_told(cls, solver):
    X, y = data_for(cls)
    wild = make(cls, solver=solver, learning_rate_init=100.0, max_iter=30)
    losses = r"The loss (never fell|remained high)|The network has learned nothing"
    message = rf"({losses}).*learning_rate_init=100.0.* 0.00[13]"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wild.fit(X, y)
    (told,) = [w for w in caught if re.search(message, str(w.message))]
    assert told.category is ConvergenceWarning
    assert told.filename == __file__


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_loss_that_falls_is_not_told(cls):
    X, y = data_for(cls)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make(cls, max_iter=20).fit(X, y)
    assert not [w for w in caught if "The loss" in str(w.message)]
