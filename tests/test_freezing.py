"""Estimators with frozen layers: which bits stay, in whatever way they are trained."""

import pickle
from typing import ClassVar

import numpy as np
import pytest
from estimator_cases import data_for
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    Dense,
    Embedding,
    GlobalMaxPool,
    Residual,
)
from skconvnet.optimizers import Adam

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # What freezing does can be seen on random weights.
    pytest.mark.filterwarnings("ignore:The weights of .* are frozen:UserWarning"),
]
CLASSES = [SequentialClassifier, SequentialRegressor]
every = pytest.mark.parametrize("cls", CLASSES)
WAYS = [
    {"solver": "adam", "alpha": 10.0},
    {"solver": "sgd", "alpha": 10.0, "l1_ratio": 0.5, "max_grad_norm": 0.1},
    {"solver": "lbfgs", "alpha": 10.0, "l1_ratio": 0.5},
    {"solver": "adamw", "averaging": 0.9},
    {"solver": "adam", "averaging": "swa", "max_iter": 8},
    {"solver": "schedule_free_adamw", "learning_rate_init": 0.01},
    {"solver": "adam", "early_stopping": True},
]


def body(**params):
    """Layers of which the first two, a later one and a whole block are frozen."""
    layers = [
        ("conv1", Conv2D(3, 3, trainable=False)),
        ("norm1", BatchNorm(trainable=False)),
        ("act1", Activation("relu")),
        ("conv2", Conv2D(3, 2, activation="relu")),
        ("norm2", BatchNorm()),
        ("block", Residual([Conv2D(3, 3, padding="same"), BatchNorm()])),
        ("dense", Dense(5, "tanh")),
    ]
    layers[5][1].set_params(trainable=False)
    layers.insert(6, ("pool", GlobalMaxPool()))
    layers[-1][1].set_params(trainable=False)
    return {"layers": layers, "max_iter": 3, "random_state": 0, **params}


def changed(before, after):
    """Return the names of the layers of which any bit changed."""
    assert list(before) == list(after)
    return {
        name.partition("/")[0]
        for name, array in before.items()
        if array.tobytes() != after[name].tobytes()
    }


TRAINED = {"conv2", "norm2", "output"}


@every
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_frozen_layers_keep_their_bits_and_others_learn(cls, way):
    X, y = data_for(cls)
    weights = []
    for n_jobs in (1, 2):
        model = cls(**body(batch_size=20, n_jobs=n_jobs, **way))
        before = model.initialize(X, y).get_weights()
        after = model.fit(X, y).get_weights()
        assert changed(before, after) == TRAINED
        weights.append(after)
    assert not changed(*weights)


@every
@pytest.mark.parametrize("way", [*WAYS[:2], WAYS[3]], ids=str)
def test_partial_fit_and_warm_start_keep_them_as_well(cls, way):
    X, y = data_for(cls)
    model = cls(**body(batch_size=20, **way))
    before = model.initialize(X, y).get_weights()
    for _ in range(3):
        model.partial_fit(X, y)
    assert changed(before, model.get_weights()) == TRAINED
    model.set_params(warm_start=True)
    for _ in range(2):
        model.fit(X, y)
    assert changed(before, model.get_weights()) == TRAINED


@every
def test_updates_are_those_without_freezing(cls):
    # One step of plain descent does not depend on what happens to other layers.
    X, y = data_for(cls)
    params = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1, "alpha": 0.0}
    params |= {"batch_mode": "bgd", "max_iter": 1, "dtype": "float64"}
    model = cls(**body(**params))
    model.set_params(norm1="passthrough", norm2="passthrough", block="passthrough")
    frozen = clone(model).fit(X, y)
    whole = model.set_params(conv1__trainable=True, dense__trainable=True).fit(X, y)
    for name in ("conv2/kernel", "conv2/bias", "output/kernel", "output/bias"):
        np.testing.assert_allclose(
            frozen.get_weights()[name], whole.get_weights()[name], rtol=1e-9, atol=1e-12
        )
    assert changed(frozen.get_weights(), whole.get_weights()) >= {"conv1", "dense"}


@every
def test_loss_gradients_leave_out_frozen_arrays_and_their_penalty(cls):
    X, y = data_for(cls)
    model = cls(**body(alpha=3.0, dtype="float64")).initialize(X, y)
    loss, gradients = model.loss_gradients(X, y)
    assert {name.partition("/")[0] for name in gradients} == TRAINED
    weights = model.get_weights()
    for name, gradient in gradients.items():
        direction = np.random.default_rng(0).normal(size=gradient.shape)
        losses = []
        for step in (1e-6, -1e-6):
            moved = model.set_weights(
                {**weights, name: weights[name] + step * direction}
            )
            losses.append(moved.loss_gradients(X, y)[0])
        slope = (losses[0] - losses[1]) / 2e-6
        assert abs(slope - np.vdot(gradient, direction)) < 1e-6 * max(abs(slope), 1)
    model.set_weights(weights)
    without, _ = model.set_params(alpha=0.0).loss_gradients(X, y)
    penalty = sum(
        (weights[f"{layer}/kernel"] ** 2).sum() for layer in ("conv2", "output")
    )
    np.testing.assert_allclose(loss - without, 3.0 / len(X) / 2 * penalty, rtol=1e-9)


class SeesSizes(Adam):
    """Keeps how many weights it is asked to update."""

    sizes: ClassVar[set[int]] = set()

    def step(self, weights, gradient, *args, **kwargs):
        self.sizes.add(weights.size)
        self.sizes.add(gradient.size)
        super().step(weights, gradient, *args, **kwargs)


def test_the_optimizer_never_sees_them():
    X, y = data_for(SequentialClassifier)
    SeesSizes.sizes.clear()
    model = SequentialClassifier(**body(solver=SeesSizes())).fit(X, y)
    n_trained = sum(g.size for g in model.loss_gradients(X, y)[1].values())
    assert SeesSizes.sizes == {n_trained}


@every
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_fitted_estimator_can_be_frozen_and_unfrozen(cls, solver):
    X, y = data_for(cls)
    model = cls(**body(solver=solver)).fit(X, y)
    first = model.get_weights()
    model.set_params(
        conv1__trainable=True, conv2__trainable=False, warm_start=True
    ).fit(X, y)
    second = model.get_weights()
    assert changed(first, second) == {"conv1", "norm2", "output"}
    model.set_params(conv1__trainable=False, conv2__trainable=True).fit(X, y)
    assert changed(second, model.get_weights()) == TRAINED


@every
@pytest.mark.parametrize("way", [*WAYS[:2], *WAYS[3:6]], ids=str)
def test_partial_fit_goes_on_after_other_layers_are_frozen(cls, way):
    X, y = data_for(cls)
    model = cls(**body(batch_size=20, **way))
    model.initialize(X, y).partial_fit(X, y).partial_fit(X, y)
    first = model.get_weights()
    model.set_params(conv1__trainable=True, conv2__trainable=False).partial_fit(X, y)
    assert changed(first, model.get_weights()) == {"conv1", "norm2", "output"}
    assert len(model.loss_curve_) == 3


def test_partial_fit_with_best_weights_begins_anew_after_freezing():
    X, y = data_for(SequentialClassifier)
    params = body(early_stopping=True)
    model = SequentialClassifier(**params)
    held_out = {"X_val": X[:20], "y_val": y[:20]}
    model.partial_fit(X, y, classes=[0, 1, 2], **held_out)
    model.set_params(conv2__trainable=False)
    before = model.get_weights()
    model.partial_fit(X, y, **held_out)
    assert changed(before, model.get_weights()) == {"norm2", "output"}
    assert model.best_validation_score_ == model.validation_scores_[-1]
    assert len(model.validation_scores_) == 2


@every
def test_new_fits_draw_frozen_weights_as_they_draw_others(cls):
    X, y = data_for(cls)
    model = cls(**body())
    drawn = model.initialize(X, y).get_weights()
    model.set_params(conv1__trainable=True, norm1__trainable=True)
    assert not changed(drawn, model.initialize(X, y).get_weights())
    model.fit(X, y)
    model.set_params(conv1__trainable=False, norm1__trainable=False).fit(X, y)
    assert changed(drawn, model.get_weights()) == TRAINED


@every
def test_set_weights_and_get_weights_know_frozen_arrays(cls):
    X, y = data_for(cls)
    donor = cls(**body()).set_params(conv1__trainable=True).fit(X, y)
    model = cls(**body()).initialize(X, y).set_weights(donor.get_weights()).fit(X, y)
    assert list(model.get_weights()) == list(donor.get_weights())
    assert changed(donor.get_weights(), model.get_weights()) == TRAINED


@every
def test_pickles_and_clones_stay_frozen(cls):
    X, y = data_for(cls)
    model = cls(**body(warm_start=True)).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    before = again.get_weights()
    assert not changed(model.get_weights(), before)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert changed(before, again.fit(X, y).get_weights()) == TRAINED
    params = clone(model).get_params()
    assert params["conv1__trainable"] is False
    assert params["conv2__trainable"] is True
    assert params["block__trainable"] is False
    assert params["block__conv2d__trainable"] is True


def test_a_search_over_freezing():
    X, y = data_for(SequentialClassifier)
    model = SequentialClassifier(**body())
    grid = {"conv2__trainable": [True, False], "block__conv2d__trainable": [True]}
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert set(search.best_params_) == set(grid)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_frozen_embedding_of_tokens(solver):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 9, size=(40, 6)), np.arange(40) % 2
    layers = [
        ("emb", Embedding(9, 4, reduce="mean", trainable=False)),
        Dense(3, "tanh"),
    ]
    model = SequentialClassifier(layers, solver=solver, max_iter=3, random_state=0)
    before = model.initialize(X, y).get_weights()
    assert changed(before, model.fit(X, y).get_weights()) == {"dense", "output"}


def test_samples_of_different_sizes():
    rng = np.random.default_rng(0)
    X = [rng.uniform(size=(6 + i % 3, 7, 1)) for i in range(30)]
    y = np.arange(30) % 2
    layers = [
        ("conv1", Conv2D(3, 3, activation="relu", trainable=False)),
        ("norm1", BatchNorm(trainable=False)),
        ("conv2", Conv2D(3, 3, activation="relu")),
        ("norm2", BatchNorm()),
        ("pool", GlobalMaxPool()),
    ]
    weights = []
    for n_jobs in (1, 2):
        model = SequentialClassifier(layers, max_iter=2, random_state=0, n_jobs=n_jobs)
        before = model.initialize(X, y).get_weights()
        weights.append(model.fit(X, y).get_weights())
        assert changed(before, weights[-1]) == TRAINED
    assert not changed(*weights)


def test_summaries_tell_what_is_frozen():
    X, y = data_for(SequentialClassifier)
    model = SequentialClassifier(**body()).initialize(X, y)
    rows = {line.split()[0]: line for line in model.summary().splitlines()}
    is_marked = {name for name, line in rows.items() if ", frozen" in line}
    assert is_marked == {"conv1", "norm1", "block", "conv2d", "batchnorm", "dense"}
    n_trained = sum(g.size for g in model.loss_gradients(X, y)[1].values())
    buffers = sum(v.size for k, v in model.get_weights().items() if "moving" in k)
    n_weights = sum(v.size for v in model.get_weights().values()) - buffers
    assert rows["total"].split()[-1] == str(n_weights)
    assert rows["frozen"].split()[-1] == str(n_weights - n_trained)
    assert "Conv2D, frozen" in model._repr_html_()
    model.set_params(
        **{f"{name}__trainable": True for name in ("conv1", "norm1", "block", "dense")}
    )
    assert "frozen" not in model.initialize(X, y).summary()
