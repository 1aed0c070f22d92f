"""What users pass as X, y and weights."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from estimator_cases import (
    CLASSIFIERS,
    ESTIMATORS,
    IMAGE_ESTIMATORS,
    REGRESSORS,
    data_for,
    labels,
    make,
)
from sklearn.exceptions import DataConversionWarning

from skconvnet import ConvNetClassifier, ConvNetRegressor, SequentialClassifier
from skconvnet.layers import Conv1D, Conv2D, Conv3D, Dense, MaxPool1D

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def outputs(estimator, X):
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(X)
    return estimator.predict(X)


def integer_data(cls, dtype):
    X, y = data_for(cls)
    return (X > 0.5 if dtype is bool else (X * 20).astype(dtype)), y


def make_for_integers(cls, **params):
    if cls.__name__.startswith("ConvNet"):
        params = {"rescale": "auto", **params}
    return make(cls, **params)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int16", "int64", "float16", "float64", bool]
)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_same_values_in_any_dtype(cls, dtype):
    X, y = integer_data(cls, dtype)
    fitted = make_for_integers(cls, dtype="float32").fit(X, y)
    as_float = X.astype(np.float32)
    expected = make_for_integers(cls, dtype="float32").fit(as_float, y)
    np.testing.assert_array_equal(fitted.network_.state, expected.network_.state)
    np.testing.assert_array_equal(outputs(fitted, X), outputs(expected, as_float))


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("uint8", "float32"), ("float32", "float32"), ("int64", "float64")],
)
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_auto_dtype_holds_the_values(cls, dtype, expected):
    X, y = integer_data(cls, dtype)
    fitted = make_for_integers(cls).fit(X, y)
    assert fitted.network_.dtype == expected
    # A ConvNet that standardizes y adds its mean, which may be large, in float64.
    is_real = cls is ConvNetRegressor
    assert outputs(fitted, X).dtype == ("float64" if is_real else expected)
    if is_real:
        X = X / X.max()
        plain = fitted.set_params(rescale=None).fit(X, y)
        assert outputs(plain, X).dtype == plain.network_.dtype


@pytest.mark.parametrize("kind", ["list", "fortran", "strided", "memmap"])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_same_values_in_any_container(cls, kind, tmp_path):
    X, y = data_for(cls)
    expected = make(cls).fit(X, y)
    if kind == "memmap":
        np.save(tmp_path / "X.npy", X)
        other = np.load(tmp_path / "X.npy", mmap_mode="r")
    else:
        other = {
            "list": X.tolist(),
            "fortran": np.asfortranarray(X),
            "strided": np.repeat(X, 2, axis=-1)[..., ::2],
        }[kind]
    fitted = make(cls).fit(other, y)
    np.testing.assert_array_equal(fitted.network_.vector, expected.network_.vector)
    np.testing.assert_array_equal(outputs(fitted, other), outputs(expected, X))


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_rows_and_images_are_the_same(cls):
    X, y = data_for(cls)
    expected = make(cls).fit(X, y)
    for other, params in (
        (X[..., None], {}),
        (X.reshape(len(X), -1), {}),
        (X, {"input_shape": (6, 6, 1)}),
        (X.reshape(len(X), -1), {"input_shape": (6, 6, 1)}),
    ):
        fitted = make(cls, **params).fit(other, y)
        np.testing.assert_array_equal(fitted.network_.vector, expected.network_.vector)
        np.testing.assert_array_equal(outputs(fitted, X), outputs(expected, X))
    assert expected.n_features_in_ == 36


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_an_input_shape_of_two_entries(cls):
    """2-D layers take it for gray images; without layers, it means sequences."""
    X, y = data_for(cls)
    rows, model = X.reshape(len(X), -1), make(cls, input_shape=(6, 6))
    if cls.__name__.startswith("Sequential"):
        expected = make(cls).fit(X, y).network_.vector
        np.testing.assert_array_equal(model.fit(rows, y).network_.vector, expected)
        return
    message = r"read as sequences .* gray images, set input_shape=\(6, 6, 1\)"
    for given in (rows, X):
        with pytest.warns(UserWarning, match=message):
            model.fit(given, y)
        assert model.network_.in_shape == (6, 6)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_data_frames(cls):
    X, y = data_for(cls)
    frame = pd.DataFrame(X.reshape(len(X), -1)).add_prefix("pixel")
    fitted = make(cls).fit(frame, pd.Series(y))
    assert list(fitted.feature_names_in_) == list(frame.columns)
    expected = make(cls).fit(frame.to_numpy(), y)
    np.testing.assert_array_equal(
        outputs(fitted, frame), outputs(expected, frame.to_numpy())
    )
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame.rename(columns={"pixel0": "first"}))


@pytest.mark.parametrize(
    "names",
    [
        np.array(["cat", "dog", "eel"]),
        np.array([10, 20, 30]),
        np.array(["cat", "dog", "eel"], dtype=object),
        pd.Categorical(["cat", "dog", "eel"]),
    ],
    ids=["str", "int", "object", "categorical"],
)
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_labels_of_any_kind(cls, names):
    X, y = data_for(cls)
    fitted = make(cls).fit(X, names[y])
    expected = make(cls).fit(X, y)
    assert list(fitted.classes_) == sorted(names)
    np.testing.assert_array_equal(
        fitted.predict(X), np.asarray(names)[expected.predict(X)]
    )


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_booleans_and_columns(cls):
    X, y = data_for(cls)
    fitted = make(cls).fit(X, y == 0)
    assert fitted.predict(X).dtype == bool
    assert fitted.decision_function(X).shape == (len(X),)
    np.testing.assert_array_equal(fitted.decision_function(X) > 0, fitted.predict(X))
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        column = make(cls).fit(X, y[:, None])
    np.testing.assert_array_equal(column.predict(X), make(cls).fit(X, y).predict(X))


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_class_missing_from_a_batch(cls):
    X, y = data_for(cls)
    model = make(cls).partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2, 3])
    model.partial_fit(X[y == 2], y[y == 2])
    assert model.predict_proba(X).shape == (len(X), 4)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    np.testing.assert_allclose(
        model.predict_log_proba(X), np.log(model.predict_proba(X)), rtol=1e-12
    )


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_several_labels_a_sample(cls):
    X, y = data_for(cls)
    Y = np.stack([y == 0, y < 2], axis=1).astype(int)
    fitted = make(cls).fit(X, Y)
    assert fitted.predict(X).shape == fitted.predict_proba(X).shape == (len(X), 2)
    assert fitted.out_activation_ == "logistic"


@pytest.mark.parametrize("cls", REGRESSORS)
def test_several_outputs(cls):
    X, y = data_for(cls)
    fitted = make(cls).fit(X, np.stack([y, -y], axis=1))
    assert fitted.predict(X).shape == (len(X), 2)
    assert make(cls).fit(X, y).predict(X).shape == (len(X),)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_integer_weights_are_repetitions(cls):
    X, y = data_for(cls)
    weights = np.arange(len(X)) % 4
    params = {"batch_mode": "bgd", "max_iter": 5}
    weighted = make(cls, **params).fit(X, y, sample_weight=weights)
    repeated = make(cls, **params).fit(X.repeat(weights, axis=0), y.repeat(weights))
    np.testing.assert_allclose(
        weighted.network_.vector, repeated.network_.vector, rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_class_weight(cls):
    X, y = data_for(cls)
    y = np.where(np.arange(len(y)) < 40, 0, y)
    by_hand = len(y) / (3 * np.bincount(y))
    params = {"batch_mode": "bgd", "max_iter": 3}
    expected = make(cls, **params).fit(X, y, sample_weight=by_hand[y]).network_.vector
    for class_weight in ("balanced", dict(enumerate(by_hand))):
        model = make(cls, class_weight=class_weight, **params).fit(X, y)
        np.testing.assert_allclose(model.network_.vector, expected, rtol=1e-10)
    with pytest.raises(ValueError, match="class_weight 'balanced' is not supported"):
        make(cls, class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])


def test_uint8_images_are_not_copied_whole():
    # The statistics of the input take a fixed amount for a few images at a time.
    X = np.random.default_rng(0).integers(256, size=(12_000, 24, 24), dtype=np.uint8)
    model = ConvNetClassifier(2, hidden_layer_sizes=4, strides=4, max_iter=1)
    tracemalloc.start()
    model.fit(X, labels(len(X)))
    model.predict(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < X.nbytes  # a float32 copy would be four times that


def test_sequences_and_volumes():
    rng = np.random.default_rng(0)
    y = labels(30)
    network = [Conv1D(3, 3, activation="relu"), MaxPool1D(2), Dense(4)]
    network.insert(2, "passthrough")
    model = SequentialClassifier(network[:2], max_iter=2, random_state=0)
    assert model.fit(rng.normal(size=(30, 10, 4)), y).network_.in_shape == (10, 4)
    assert model.fit(rng.normal(size=(30, 10)), y).network_.in_shape == (10, 1)
    model = SequentialClassifier([Conv3D(2, 2)], max_iter=2, random_state=0)
    assert model.fit(rng.normal(size=(30, 4, 5, 6)), y).network_.in_shape == (
        4,
        5,
        6,
        1,
    )
    assert model.fit(rng.normal(size=(30, 4, 5, 6, 2)), y).predict(
        rng.normal(size=(3, 4, 5, 6, 2))
    ).shape == (3,)
    model.set_params(input_shape=(2, 3, 4, 5))
    assert model.fit(rng.normal(size=(30, 120)), y).network_.in_shape == (2, 3, 4, 5)
    model = SequentialClassifier([Conv2D(2, (1, 3))], max_iter=2, random_state=0)
    assert model.fit(rng.normal(size=(30, 7)), y).network_.in_shape == (1, 7, 1)
