"""Estimators that train on changed samples, and do all else on the samples as given."""

import pickle

import numpy as np
import pytest
from augmentation_tools import EVERY, images
from engine_tools import peak_allocation
from estimator_cases import data_for, make
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet._typing import override
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
from skconvnet.augmentation.base import Augmentation, Augmenter, MapAugmenter
from skconvnet.augmentation.mixup import mixed
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs, Samples
from skconvnet.engine.micro_batches import MicroBatchLimits
from skconvnet.engine.network import Network
from skconvnet.layers import (
    BatchNorm,
    Conv1D,
    Conv2D,
    Conv3D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
)
from skconvnet.losses import LogLoss, SquaredError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
WITH_MAPS = [
    ConvNetClassifier,
    ConvNetRegressor,
    SequentialClassifier,
    SequentialRegressor,
]


class Recorder(Augmentation):
    """Keeps what it is given, and changes nothing."""

    def __init__(self):
        self.seen = []

    def _build(self, in_shape):
        spec = self

        class RecordingAugmenter(MapAugmenter):
            @override
            def change(self, x, rng, workspace):
                spec.seen.append((x.copy(), rng.random()))
                return x

        return RecordingAugmenter(in_shape)

    def __sklearn_clone__(self):
        return self


@pytest.mark.parametrize("case", EVERY, ids=repr)
@pytest.mark.parametrize("cls", [ConvNetClassifier, SequentialRegressor])
def test_same_bits_for_every_number_of_threads(cls, case, monkeypatch):
    monkeypatch.setattr(Network, "default_limits", MicroBatchLimits.fixed(7))
    X, y = data_for(cls)
    params = {"augmentation": case, "batch_size": 25, "max_iter": 3}
    weights = np.linspace(0, 2, len(X))
    one, two, three = (
        make(cls, n_jobs=n, **params).fit(X, y, weights).network_.vector
        for n in (1, 2, 3)
    )
    assert one.tobytes() == two.tobytes() == three.tobytes()
    plain = make(cls, **{**params, "augmentation": None}).fit(X, y, weights)
    assert plain.network_.vector.tobytes() != one.tobytes()


@pytest.mark.parametrize("case", [Shift(2), Mixup(0.5)], ids=repr)
def test_same_bits_with_statistics_of_the_whole_minibatch(case, monkeypatch):
    monkeypatch.setattr(Network, "default_limits", MicroBatchLimits.fixed(7))
    X, y = data_for(SequentialClassifier)
    layers = [Conv2D(3, 3), BatchNorm(), Dropout(0.2), Flatten()]
    params = {"layers": layers, "batch_size": 25, "max_iter": 3}
    vectors = [
        make(SequentialClassifier, augmentation=augmentation, n_jobs=n, **params)
        .fit(X, y, np.linspace(0, 2, len(X)))
        .network_.vector.tobytes()
        for augmentation, n in ((case, 1), (case, 2), (case, 3), (None, 1))
    ]
    assert vectors[0] == vectors[1] == vectors[2] != vectors[3]


@pytest.mark.parametrize("none", [Shift(0), [], [Flip(False), "passthrough"]])
@pytest.mark.parametrize("cls", WITH_MAPS)
def test_without_a_change_the_random_numbers_are_those_of_before(cls, none):
    X, y = data_for(cls)
    rng, other = np.random.RandomState(0), np.random.RandomState(0)
    plain = make(cls, random_state=rng).fit(X, y)
    same = make(cls, random_state=other, augmentation=none).fit(X, y)
    assert plain.network_.vector.tobytes() == same.network_.vector.tobytes()
    assert rng.randint(2**31) == other.randint(2**31)


def test_each_micro_batch_of_each_update_draws_anew(monkeypatch):
    monkeypatch.setattr(Network, "default_limits", MicroBatchLimits.fixed(10))
    X, y = data_for(ConvNetClassifier)
    recorder = Recorder()
    model = make(ConvNetClassifier, augmentation=recorder, batch_size=30, n_jobs=1)
    model.fit(X, y)
    draws = [draw for _, draw in recorder.seen]
    # Two epochs of two updates of three micro-batches.
    assert len(draws) == 12 == len(set(draws))
    # An epoch sees every sample once.
    seen = np.concatenate([x[0].reshape(36, -1).T for x, _ in recorder.seen[:6]])
    order = np.lexsort(seen.T)
    expected = X.reshape(60, 36)
    np.testing.assert_array_equal(seen[order], expected[np.lexsort(expected.T)])


@pytest.mark.parametrize("cls", WITH_MAPS)
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


@pytest.mark.parametrize("cls", WITH_MAPS)
def test_mixup_in_every_kind_of_estimator(cls):
    X, y = data_for(cls)
    mixing = make(cls, augmentation=Mixup(0.5), max_iter=4, batch_size=20)
    assert np.isfinite(mixing.fit(X, y, np.arange(60) % 3).loss_curve_).all()
    if "Classifier" in cls.__name__:
        two, many = y == 0, np.eye(3, dtype=int)[y]
        for labels in (two, many):
            clone(mixing).fit(X, labels)
        clone(mixing).set_params(class_weight="balanced").fit(X, y)
    else:
        clone(mixing).fit(X, np.stack([y, -y], axis=1))
        clone(mixing).set_params(loss="poisson").fit(X, y)


class Halves(Augmentation):
    """Mixes each sample with the one that stands as far from the end, half and half."""

    spatial_ndims = None

    def _build(self, in_shape):
        class HalvingAugmenter(Augmenter):
            mixes_targets = True

            @override
            def __call__(self, batch, rng, workspace):
                n = batch.x.shape[-1]
                return mixed(batch, np.arange(n)[::-1], np.full(n, 0.5), workspace)

        return HalvingAugmenter(in_shape)


def test_the_loss_of_mixtures_is_their_cross_entropy():
    X, y = np.ones((6, 4)), np.array([0, 0, 1, 2, 2, 2])
    model = SequentialClassifier(
        [], augmentation=Halves(), warm_start=True, max_iter=1, alpha=0, shuffle=False
    )
    bias = np.array([1.0, 0.5, -2.0])
    model.initialize(X, y)
    model.set_weights({"output/kernel": np.zeros((4, 3)), "output/bias": bias})
    model.fit(X, y)
    targets = (np.eye(3)[y] + np.eye(3)[y[::-1]]) / 2
    logarithms = bias - np.log(np.exp(bias).sum())
    assert model.loss_curve_ == [pytest.approx(-(targets @ logarithms).mean())]


def test_the_executor_augments_in_training_only():
    X, y = data_for(ConvNetRegressor)
    recorder = Recorder()
    model = make(ConvNetRegressor).initialize(X, y)
    samples = Samples(Inputs(X, (6, 6, 1), "float64"), y[:, np.newaxis])
    gradient = np.empty_like(model.network_.vector)
    augmenter = recorder.build((6, 6, 1))
    with Executor(model.network_, SquaredError(), 1, augmenter) as executor:
        options = {"train": False, "seed": 0}
        executor.loss_and_gradient(samples, slice(0, 60), gradient, **options)
        executor.outputs(samples.inputs)
        assert not recorder.seen
        options["train"] = True
        executor.loss_and_gradient(samples, slice(0, 60), gradient, **options)
        assert recorder.seen


def test_mixup_of_integer_targets_and_weights_of_one_change_nothing():
    X, y = data_for(ConvNetRegressor)
    y = np.rint(10 * y)
    one = make(ConvNetRegressor, augmentation=Mixup(0.5)).fit(X, y)
    two = make(ConvNetRegressor, augmentation=Mixup(0.5)).fit(
        X, y.astype(int), np.ones(len(X))
    )
    np.testing.assert_allclose(one.network_.vector, two.network_.vector, rtol=1e-9)


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


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(
    "case",
    [
        Shift(2),
        Flip(),
        Affine(rotation=10, scaling=0.1, fill="nearest"),
        Elastic(),
        Brightness(),
        Contrast(),
        Cutout(8),
        Mixup(),
        Compose([Shift(2), Elastic(), Cutout(8), Mixup()]),
    ],
    ids=repr,
)
def test_a_step_allocates_no_large_arrays(case, n_threads):
    n, shape = 64, (24, 24, 4)
    X = images(2 * n, shape).astype("float32")
    y = np.arange(2 * n) % 3
    model = SequentialClassifier([Conv2D(4, 3), Flatten()], dtype="float32")
    network = model.initialize(X, y).network_
    targets = np.eye(3, dtype=np.float32)[y]
    samples = Samples(Inputs(X, shape, "float32"), targets)
    gradient = np.empty_like(network.vector)
    augmenter: Augmenter = case.build(shape)
    loss = LogLoss().for_mixtures()
    order = np.random.default_rng(0).permutation(2 * n)
    with Executor(network, loss, n_threads, augmenter) as executor:

        def step(index):
            executor.loss_and_gradient(samples, index, gradient, train=True, seed=0)

        peak = peak_allocation(
            executor, lambda: step(order[:n]), lambda: step(order[n:])
        )
    # The batch has 590 kB. NumPy's buffers for broadcasting two arrays of int64 have
    # 131 kB, whatever their sizes.
    assert peak < 200_000 * n_threads


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


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "perceptron"])
def test_margins_have_no_mixtures(loss):
    X = np.random.default_rng(0).uniform(size=(6, 4, 4))
    model = ConvNetClassifier(2, loss=loss, augmentation=Mixup())
    with pytest.raises(ValueError, match=f"loss='{loss}' cannot be used with Mixup"):
        model.fit(X, [0, 1] * 3)
    assert not hasattr(model, "network_")
