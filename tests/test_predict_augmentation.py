"""`predict_augmentation`: means of predictions over versions of each sample."""

import pickle

import numpy as np
import pytest
from augmentation_tools import NAMED, images, mean_by_hand, plain, versions_of
from estimator_cases import IMAGE_ESTIMATORS, data_for, make
from layer_cases import CASES as CASES_OF_LAYERS
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    FeatureExtractor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.augmentation import Shift, Versions
from skconvnet.layers import GRU, Conv1D, Conv2D, Conv3D, Flatten, GlobalAvgPool

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CASES = [*NAMED, Versions(vertical=True, shifts=(2, 1), fill="nearest")]


@pytest.mark.parametrize("case", CASES, ids=repr)
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_predictions_are_means(cls, case):
    X, y = data_for(cls)
    X = X[..., np.newaxis]
    model = make(cls).fit(X, y)
    predict = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    expected = mean_by_hand(predict, X, versions_of(case))
    alone = predict(X)
    model.set_params(predict_augmentation=case)
    np.testing.assert_allclose(predict(X), expected, rtol=1e-9)
    assert not np.allclose(expected, alone)
    if predict == model.predict:
        return
    np.testing.assert_array_equal(model.predict(X), expected.argmax(axis=1))
    np.testing.assert_allclose(model.decision_function(X), np.log(expected))
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(expected))
    assert model.score(X, y) == np.mean(expected.argmax(axis=1) == y)


@pytest.mark.parametrize(
    ("loss", "n_classes", "method"),
    [
        ("log_loss", 2, "predict_proba"),
        ("squared_error", 2, "predict_proba"),
        ("hinge", 2, "decision_function"),
        ("squared_hinge", 3, "decision_function"),
        ("perceptron", 3, "decision_function"),
    ],
)
def test_every_loss_of_classifiers(loss, n_classes, method):
    X = images(40, (6, 5, 1))
    y = np.arange(40) % n_classes
    model = make(ConvNetClassifier, loss=loss).fit(X, y)
    expected = mean_by_hand(getattr(model, method), X, NAMED["mirror+shifts"])
    model.set_params(predict_augmentation="mirror+shifts")
    np.testing.assert_allclose(getattr(model, method)(X), expected, rtol=1e-9)
    scores = model.decision_function(X)
    chosen = scores > 0 if n_classes == 2 else scores.argmax(axis=1)
    np.testing.assert_array_equal(model.predict(X), chosen)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "poisson"])
@pytest.mark.parametrize("cls", [ConvNetRegressor, SequentialRegressor])
def test_every_output_of_regressors(cls, loss):
    X = images(40, (6, 6, 1))
    y = X[:, :2, 0, 0] + 1
    model = make(cls, loss=loss, rescale="auto") if cls is ConvNetRegressor else None
    model = (model or make(cls, loss=loss)).fit(X, y)
    expected = mean_by_hand(model.predict, X, NAMED["mirror"])
    model.set_params(predict_augmentation="mirror")
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9)


def test_several_columns_of_labels_and_several_labels():
    X = images(40, (6, 6, 1))
    numbers = np.arange(40)
    columns = np.column_stack([numbers % 3, numbers % 2])
    model = make(ConvNetClassifier).fit(X, columns)
    expected = [
        mean_by_hand(lambda own, i=i: model.predict_proba(own)[i], X, NAMED["shifts"])
        for i in range(2)
    ]
    model.set_params(predict_augmentation="shifts")
    for own, other in zip(model.predict_proba(X), expected, strict=True):
        np.testing.assert_allclose(own, other)
    multilabel = columns > 0
    model = make(ConvNetClassifier).fit(X, multilabel.astype(int))
    expected = mean_by_hand(model.predict_proba, X, NAMED["shifts"])
    model.set_params(predict_augmentation="shifts")
    np.testing.assert_allclose(model.predict_proba(X), expected)


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([Conv1D(4, 3), Flatten()], (9, 2)),
        ([GRU(4)], (9, 2)),
        ([Conv3D(4, 2), Flatten()], (4, 3, 5, 2)),
    ],
    ids=repr,
)
def test_sequences_volumes_and_rows(layers, shape):
    X = images(30, shape)
    y = np.arange(30) % 3
    model = SequentialClassifier(layers, max_iter=2, random_state=0).fit(X, y)
    expected = mean_by_hand(model.predict_proba, X, NAMED["mirror+shifts"])
    model.set_params(predict_augmentation="mirror+shifts")
    np.testing.assert_allclose(model.predict_proba(X), expected)
    rows = SequentialClassifier(
        layers,
        input_shape=shape,
        max_iter=2,
        random_state=0,
        predict_augmentation="mirror+shifts",
    ).fit(X.reshape(30, -1), y)
    np.testing.assert_allclose(rows.predict_proba(X.reshape(30, -1)), expected)
    first = SequentialClassifier(
        layers,
        data_format="channels_first",
        max_iter=2,
        random_state=0,
        predict_augmentation="mirror+shifts",
    ).fit(np.moveaxis(X, -1, 1), y)
    np.testing.assert_allclose(first.predict_proba(np.moveaxis(X, -1, 1)), expected)


def test_samples_of_different_sizes():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(5 + i % 3, 6 + i % 2, 1)) for i in range(30)]
    y = np.arange(30) % 3
    layers = [Conv2D(4, 3), GlobalAvgPool()]
    model = SequentialClassifier(layers, max_iter=2, random_state=0).fit(X, y)
    expected = np.concatenate(
        [mean_by_hand(model.predict_proba, x[None], NAMED["mirror+shifts"]) for x in X]
    )
    model.set_params(predict_augmentation="mirror+shifts")
    np.testing.assert_allclose(model.predict_proba(X), expected)
    # Sequences that a micro-batch would otherwise pad to one length.
    X = [rng.normal(size=(5 + i, 2)) for i in range(30)]
    for layers in ([GRU(3)], [Conv1D(4, 3), GlobalAvgPool()]):
        model = SequentialClassifier(layers, max_iter=2, random_state=0).fit(X, y)
        expected = np.concatenate(
            [mean_by_hand(model.predict_proba, x[None], NAMED["mirror"]) for x in X]
        )
        model.set_params(predict_augmentation="mirror")
        np.testing.assert_allclose(model.predict_proba(X), expected)


@pytest.mark.parametrize(
    ("spec", "shape"),
    [case[:2] for case in CASES_OF_LAYERS if len(case[1]) > 1],
    ids=repr,
)
def test_no_first_layer_changes_the_samples(spec, shape):
    """All versions are made from the same array, which the network must not change."""
    X = images(8, shape)
    model = SequentialRegressor([spec, Flatten()], random_state=0)
    model.initialize(X, np.arange(8.0))
    expected = mean_by_hand(model.predict, X, Versions())
    model.set_params(predict_augmentation=Versions())
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9, atol=1e-12)


def test_memory_maps_of_uint8(tmp_path):
    X = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 3)).astype(np.uint8)
    y = np.arange(40) % 3
    path = tmp_path / "X.npy"
    np.save(path, X)
    model = make(ConvNetClassifier, rescale="auto", predict_augmentation="mirror")
    model.fit(X, y)
    mapped = model.predict_proba(np.load(path, mmap_mode="r"))
    assert mapped.tobytes() == model.predict_proba(X).tobytes()
    assert mapped.dtype == np.float32
    expected = mean_by_hand(plain(model).fit(X, y).predict_proba, X, NAMED["mirror"])
    np.testing.assert_allclose(mapped, expected, rtol=1e-5)


def test_validation_is_what_the_fitted_estimator_scores():
    X, y = data_for(ConvNetClassifier)
    own = {"predict_augmentation": "mirror+shifts", "max_iter": 1}
    for scoring in (None, "loss", "accuracy", "neg_log_loss"):
        model = make(ConvNetClassifier, scoring=scoring, **own)
        model.fit(X, y, X_val=X, y_val=y)
        probabilities = model.predict_proba(X)
        loss = -np.log(probabilities[np.arange(len(y)), y]).mean()
        score = model.score(X, y) if scoring in (None, "accuracy") else -loss
        assert model.validation_scores_ == [pytest.approx(score)]
        assert model.validation_loss_curve_ == [pytest.approx(loss)]
        # The weights do not depend on it.
        other = plain(model).fit(X, y)
        assert model.network_.vector.tobytes() == other.network_.vector.tobytes()
    stopping = make(ConvNetRegressor, early_stopping=True, **own)
    assert len(stopping.fit(*data_for(ConvNetRegressor)).validation_scores_) == 1


def test_only_predictions_are_means():
    X, y = data_for(ConvNetClassifier)
    X = X[..., np.newaxis]
    model = make(ConvNetClassifier).fit(X, y)

    def all_others():
        return [
            model.activations(X, "output"),
            model.activations(X, "conv1"),
            model.input_gradients(X),
            FeatureExtractor(model, "conv1", prefit=True).fit(X).transform(X),
            model.loss_gradients(X, y)[1]["conv1/kernel"],
        ]

    before = all_others()
    model.set_params(predict_augmentation=Versions(shifts=2))
    after = all_others()
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(model.predict_proba(X), before[0])


def test_clone_pickle_and_search():
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, predict_augmentation=Versions(shifts=2)).fit(X, y)
    loaded = pickle.loads(pickle.dumps(model))
    assert loaded.predict_proba(X).tobytes() == model.predict_proba(X).tobytes()
    assert "Versions(shifts=2)" in repr(clone(model))
    before = model.predict_proba(X)
    model.set_params(predict_augmentation__shifts=1)
    assert not np.array_equal(before, model.predict_proba(X))
    grid = {"predict_augmentation": [None, "mirror"], "augmentation": [Shift(1)]}
    search = GridSearchCV(make(ConvNetClassifier), grid, cv=2).fit(X, y)
    best = search.best_estimator_
    assert best.predict_augmentation == search.best_params_["predict_augmentation"]
    grid = {"predict_augmentation__shifts": [0, 2]}
    search = GridSearchCV(clone(model), grid, cv=2).fit(X, y)
    assert set(search.best_params_) == set(grid)


@pytest.mark.slow
def test_means_make_digits_that_moved_easier():
    X, y = load_digits(return_X_y=True)
    X = np.pad(X.reshape(-1, 8, 8, 1), ((0, 0), (2, 2), (2, 2), (0, 0)))
    model = ConvNetClassifier(
        filters=8, hidden_layer_sizes=32, max_iter=5, random_state=0
    ).fit(X[:1000], y[:1000])
    moved = Shift(1).augment(X[1000:], random_state=0)
    alone = model.score(moved, y[1000:])
    model.set_params(predict_augmentation="shifts")
    assert model.score(moved, y[1000:]) > alone
