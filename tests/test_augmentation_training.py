"""Estimators that train on changed samples, and do all else on the samples as given."""

import pickle

import numpy as np
import pytest
from augmentation_tools import Recorder, images
from estimator_cases import IMAGE_ESTIMATORS, data_for, make
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from skconvnet import ConvNetClassifier, SequentialClassifier
from skconvnet.augmentation import (
    Affine,
    Brightness,
    Compose,
    Contrast,
    Crop,
    Cutout,
    Elastic,
    Flip,
    Mixup,
    Rotation,
    Shift,
)
from skconvnet.layers import Conv1D, Conv2D, Conv3D, Dense, Flatten, GlobalAvgPool

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("none", [Shift(0), [], [Flip(False), "passthrough"]])
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_without_a_change_the_random_numbers_are_those_of_before(cls, none):
    X, y = data_for(cls)
    rng, other = np.random.RandomState(0), np.random.RandomState(0)
    plain = make(cls, random_state=rng).fit(X, y)
    same = make(cls, random_state=other, augmentation=none).fit(X, y)
    assert plain.network_.vector.tobytes() == same.network_.vector.tobytes()
    assert rng.randint(2**31) == other.randint(2**31)


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_only_training_is_augmented(cls):
    X, y = data_for(cls)
    recorder = Recorder()
    model = make(cls, augmentation=recorder, early_stopping=True, n_jobs=1)
    model.fit(X, y)
    assert sum(x.shape[-1] for x, _ in recorder.seen) == 2 * 54
    recorder.seen.clear()
    model.predict(X)
    model.score(X, y)
    model.loss_gradients(X, y)
    model.activations(X, "conv1")
    if hasattr(model, "predict_proba"):
        model.predict_proba(X)
        model.decision_function(X)
    assert not recorder.seen
    model.partial_fit(X, y, X_val=X, y_val=y)
    assert sum(x.shape[-1] for x, _ in recorder.seen) == 60


def test_validation_is_scored_on_the_samples_as_given():
    X, y = data_for(ConvNetClassifier)
    model = make(
        ConvNetClassifier, augmentation=[Rotation(170), Mixup(5.0)], max_iter=1
    )
    model.fit(X, y, X_val=X, y_val=y)
    assert model.validation_scores_ == [model.score(X, y)]
    model.set_params(alpha=0.0)
    loss, _ = model.loss_gradients(X, y)
    assert model.validation_loss_curve_ == [pytest.approx(loss)]


@pytest.mark.parametrize("batch_mode", ["mbgd", "bgd", "sgd"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_modes_and_solvers(batch_mode, solver):
    X, y = data_for(ConvNetClassifier)
    params = {"batch_mode": batch_mode, "solver": solver, "max_iter": 3}
    fitted = [
        make(ConvNetClassifier, augmentation=augmentation, **params).fit(X, y)
        for augmentation in (None, Affine(rotation=30), Affine(rotation=30))
    ]
    plain, one, two = (model.network_.vector for model in fitted)
    assert one.tobytes() == two.tobytes() != plain.tobytes()


@pytest.mark.parametrize(
    ("layers", "shape", "case"),
    [
        ([Conv1D(3, 3)], (12, 2), Compose([Shift(2), Flip(), Cutout(3), Contrast()])),
        ([Conv3D(3, 2)], (4, 5, 6, 1), [Shift(1), Flip(True, True), Cutout(2)]),
        ([Conv2D(3, 2)], (6, 5, 3), [Crop(2), Elastic(3, 1), Brightness(), Mixup()]),
        ([Dense(4)], (9,), Mixup(1.0)),
    ],
    ids=["sequences", "volumes", "images", "rows"],
)
def test_samples_of_all_dimensions(layers, shape, case):
    X = images(40, shape)
    y = np.arange(40) % 3
    model = SequentialClassifier(layers, augmentation=case, max_iter=3, random_state=0)
    before = X.copy()
    model.fit(X, y)
    np.testing.assert_array_equal(X, before)
    rows = X.reshape(40, -1)
    same = clone(model).set_params(input_shape=shape).fit(rows, y)
    assert same.network_.vector.tobytes() == model.network_.vector.tobytes()


SIZES = [(6, 7), (9, 6), (8, 8)]


@pytest.mark.parametrize(
    "case", [[Shift(2), Cutout(3)], Elastic(3, 1), Affine(rotation=20), Mixup()]
)
def test_images_of_different_sizes(case):
    rng = np.random.default_rng(0)
    X = [rng.uniform(size=SIZES[i % 3]) for i in range(45)]
    y = np.arange(45) // 3 % 3
    layers = [Conv2D(3, 3), GlobalAvgPool()]
    params = {"augmentation": case, "batch_size": 20, "max_iter": 3}
    one, two, plain = (
        SequentialClassifier(layers, random_state=0, **params).fit(X, y)
        for params in (
            {**params, "n_jobs": 1},
            {**params, "n_jobs": 2},
            {**params, "augmentation": None},
        )
    )
    assert one.network_.vector.tobytes() == two.network_.vector.tobytes()
    assert one.network_.vector.tobytes() != plain.network_.vector.tobytes()


def test_an_image_that_is_too_small_among_others():
    X = [np.zeros(SIZES[i % 3]) for i in range(9)]
    layers = [Conv2D(3, 3), GlobalAvgPool()]
    model = SequentialClassifier(layers, augmentation=Shift(6))
    with pytest.raises(ValueError, match="max_pixels=6 is too large for samples of"):
        model.fit(X, np.arange(9) % 2)
    # Along an axis where an image is too short for a tenth, it is left as it is.
    model.set_params(augmentation=Shift(fraction=0.12), max_iter=2).fit(
        X, [0, 1] * 4 + [0]
    )


@pytest.mark.parametrize("cls", [ConvNetClassifier, SequentialClassifier])
def test_a_search_reaches_the_parameters(cls):
    X, y = data_for(cls)
    model = make(cls, augmentation=Shift(1))
    assert model.get_params()["augmentation__max_pixels"] == 1
    grid = {"augmentation__max_pixels": [0, 2], "augmentation__fill": ["nearest"]}
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    chosen = search.best_params_["augmentation__max_pixels"]
    assert search.best_estimator_.augmentation.max_pixels == chosen
    assert model.augmentation.max_pixels == 1

    steps = [Shift(1), ("turn", Rotation(5))]
    model = make(cls, augmentation=steps)
    assert model.get_params()["augmentation__turn__degrees"] == 5
    assert "augmentation__turn" not in model.get_params(deep=False)
    grid = {
        "augmentation__shift__max_pixels": [0, 2],
        "augmentation__turn": ["passthrough", Flip()],
    }
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert set(search.best_params_) == set(grid)
    assert steps[0].max_pixels == 1
    assert isinstance(steps[1][1], Rotation)
    compose = make(cls, augmentation=Compose(steps))
    params = compose.get_params()
    assert params["augmentation__shift__max_pixels"] == 1
    compose = clone(compose).set_params(augmentation__shift__max_pixels=2)
    listed = clone(model).set_params(augmentation__shift__max_pixels=2)
    listed, compose = listed.fit(X, y), compose.fit(X, y)
    assert listed.network_.vector.tobytes() == compose.network_.vector.tobytes()
    with pytest.raises(ValueError, match="Invalid parameter 'nope'"):
        model.set_params(augmentation__nope=1)


def test_layers_called_augmentation_are_refused():
    X, y = data_for(SequentialClassifier)
    model = SequentialClassifier([("augmentation", Flatten())])
    with pytest.raises(ValueError, match="'augmentation', which is taken"):
        model.fit(X, y)


def test_clone_pickle_and_going_on():
    X, y = data_for(ConvNetClassifier)
    rng = np.random.RandomState(0)
    model = make(ConvNetClassifier, augmentation=[Shift(1), Mixup()], random_state=rng)
    for _ in range(2):
        model.partial_fit(X, y, classes=range(3))
    resumed = pickle.loads(pickle.dumps(model))
    for one in (model, resumed):
        one.partial_fit(X, y)
    assert model.network_.vector.tobytes() == resumed.network_.vector.tobytes()
    assert "Shift(max_pixels=1)" in repr(clone(model))
    # An augmentation that is set later is used by the next call.
    resumed.set_params(augmentation=None).partial_fit(X, y)
    model.partial_fit(X, y)
    assert model.network_.vector.tobytes() != resumed.network_.vector.tobytes()


@pytest.mark.slow
def test_shift_makes_a_classifier_better_on_shifted_digits():
    X, y = load_digits(return_X_y=True)
    # Digits of 8x8 in a frame of 2 pixels on each side.
    X = np.pad(X.reshape(-1, 8, 8, 1) / 16, ((0, 0), (2, 2), (2, 2), (0, 0)))
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=800, random_state=0
    )
    moved = Shift(2).augment(X_test, random_state=0)
    params = {
        "filters": (16, 32),
        "hidden_layer_sizes": 64,
        "batch_size": 32,
        "learning_rate_init": 0.003,
        "max_iter": 40,
        "n_iter_no_change": 40,
        "dtype": "float32",
        "random_state": 0,
    }
    plain = ConvNetClassifier(**params).fit(X_train, y_train)
    shifting = ConvNetClassifier(**params, augmentation=Shift(2)).fit(X_train, y_train)
    assert shifting.score(moved, y_test) > plain.score(moved, y_test) + 0.3
    assert shifting.score(X_test, y_test) > plain.score(X_test, y_test) - 0.03
