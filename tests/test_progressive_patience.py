"""Patience while images grow: it begins when they have the full size."""

import pickle
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from checkpoint_tools import assert_equal, interrupted
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier
from skconvnet.augmentation import Compose, Flip, ProgressiveResizing, Shift
from skconvnet.augmentation.origin import Epoch
from skconvnet.augmentation.several_sizes import build_for_shapes
from skconvnet.callbacks import Checkpoint, Prune
from skconvnet.callbacks.checkpoint import is_best_epoch
from skconvnet.schedules import Adaptive, ReduceOnPlateau

X = np.random.default_rng(0).uniform(size=(48, 8, 8, 1))
y = np.arange(48) % 3
# Epochs 9 to 12 of 12 have the full size.
N_EPOCHS, N_SMALL = 12, 8
# Every epoch stalls that has another one to be compared with.
IMPATIENT = {"tol": 1e9, "n_iter_no_change": 1}


def network(**params):
    params = {
        "augmentation": [Flip(), ProgressiveResizing(0.5, stages=3)],
        "max_iter": N_EPOCHS,
        "random_state": 0,
        **params,
    }
    return ConvNetClassifier((3,), hidden_layer_sizes=4, global_pooling="avg", **params)


def test_the_loss_is_compared_at_the_full_size():
    clf = network(**IMPATIENT).fit(X, y)
    # The first epoch of the full size has none before it to be compared with.
    assert (clf.n_iter_, clf.stopped_) == (N_SMALL + 3, True)
    assert clf.best_loss_ == min(clf.loss_curve_[N_SMALL:])
    assert network(augmentation=[Flip()], **IMPATIENT).fit(X, y).n_iter_ == 3


def test_the_score_is_that_of_the_full_size_in_every_epoch():
    scores = iter([0.1, 0.5, 0.9, *[0.3] * 20])
    seen = []

    def score(estimator, _X, _y):
        seen.append(estimator.network_.vector.copy())
        return next(scores)

    clf = network(scoring=score, early_stopping=True, n_iter_no_change=1)
    clf.fit(X, y, X_val=X, y_val=y)
    assert (clf.n_iter_, clf.stopped_) == (N_SMALL + 2, True)
    assert clf.best_validation_score_ == 0.9
    np.testing.assert_array_equal(clf.network_.vector, seen[2])


@pytest.mark.parametrize("early_stopping", [False, True])
def test_calls_of_partial_fit(early_stopping):
    clf = network(early_stopping=early_stopping, **IMPATIENT)
    validation = {"X_val": X, "y_val": y} if early_stopping else {}
    for number in range(1, 20):
        clf.partial_fit(X, y, classes=[0, 1, 2], **validation)
        clf = pickle.loads(pickle.dumps(clf))
        if number <= N_SMALL and not early_stopping:
            assert clf.best_loss_ == np.inf
        if clf.stopped_:
            break
    assert number == N_SMALL + (2 if early_stopping else 3)
    if early_stopping:
        assert clf.score(X, y) == max(clf.validation_scores_)


def test_more_epochs_for_partial_fit_begin_anew():
    clf = network(**IMPATIENT)
    for _ in range(N_SMALL + 1):
        clf.partial_fit(X, y, classes=[0, 1, 2])
    assert np.isfinite(clf.best_loss_)
    clf.set_params(max_iter=10 * N_EPOCHS)
    for _ in range(3):
        clf.partial_fit(X, y)
        assert (clf.best_loss_, clf.stopped_) == (np.inf, False)


def test_images_of_several_sizes():
    images = [*X[:24], *X[24:, :6]]
    clf = network(**IMPATIENT).fit(images, y)
    assert (clf.n_iter_, clf.stopped_) == (N_SMALL + 3, True)


@pytest.mark.parametrize("after", [N_SMALL - 1, N_SMALL + 1])
def test_patience_goes_on_from_a_checkpoint(after, tmp_path):
    path = tmp_path / "checkpoint"
    whole, broken, resumed = (network(**IMPATIENT) for _ in range(3))
    interrupted(broken, path, after, X, y)
    resumed.fit(X, y, resume_from=path)
    assert_equal(resumed, whole.fit(X, y))
    assert resumed.n_iter_ == N_SMALL + 3


@pytest.mark.parametrize(
    ("schedule", "patience"),
    [(Adaptive(), 1), (ReduceOnPlateau(patience=0, tol=1e9), np.inf)],
)
@pytest.mark.parametrize("validated", [False, True])
def test_schedules_wait_for_the_full_size(schedule, patience, validated):
    validation = {"X_val": X, "y_val": y} if validated else {}
    clf = network(learning_rate=schedule, learning_rate_init=0.01, tol=1e9)
    clf.set_params(n_iter_no_change=patience)
    with pytest.warns(match="hasn't converged"):
        clf.fit(X, y, **validation)
    rates = np.array(clf.learning_rate_curve_)
    assert (rates[: N_SMALL + 1] == 0.01).all()
    assert rates[-1] < 0.01


class Trial:
    """Gives up after the second epoch."""

    def report(self, _value, step):
        self.step = step

    def should_prune(self):
        return self.step == 2


def test_a_callback_ends_training_on_small_images():
    clf = network().set_callbacks(Prune(Trial(), monitor="loss")).fit(X, y)
    assert (clf.n_iter_, clf.stopped_) == (2, True)
    assert (clf.best_loss_, clf.loss_) == (np.inf, clf.loss_curve_[-1])


def test_the_best_checkpoint_has_seen_the_full_size(tmp_path):
    checkpoint = Checkpoint(tmp_path / "model.joblib", keep_best=True)
    network().set_callbacks(checkpoint, Prune(Trial(), monitor="loss")).fit(X, y)
    assert checkpoint.path.exists()
    assert not checkpoint.best_path.exists()
    network().set_callbacks(checkpoint).fit(X, y)
    assert joblib.load(checkpoint.best_path).n_iter_ > N_SMALL


@pytest.mark.parametrize(
    ("n_comparable", "losses", "is_best"),
    [
        (0, [3.0, 2.0], False),
        (1, [1.0, 2.0], True),
        (2, [1.0, 3.0, 2.0], True),
        (2, [1.0, 2.0, 3.0], False),
        (9, [1.0, 3.0, 2.0], True),  # of a warm start, whose first epoch was earlier
    ],
)
def test_which_checkpoint_is_the_best(n_comparable, losses, is_best):
    view = SimpleNamespace(
        epoch=2,
        is_validated=False,
        loss_curve=tuple(losses),
        history=SimpleNamespace(n_comparable=n_comparable),
    )
    assert is_best_epoch(view) is is_best


def comparable(augmenter, n_planned=N_EPOCHS):
    """Return the numbers of the epochs whose losses can be compared."""
    epochs = (Epoch(number, 0, n_planned) for number in range(n_planned + 2))
    return [epoch.number for epoch in epochs if augmenter.is_comparable(epoch)]


def test_which_epochs_can_be_compared():
    resizing = ProgressiveResizing(0.5, stages=3)
    full = list(range(N_SMALL, N_EPOCHS + 2))
    assert comparable(resizing.build((8, 8, 1))) == full
    assert comparable(Compose([Shift(1), resizing]).build((8, 8, 1))) == full
    assert comparable(build_for_shapes(resizing, [(8, 8, 1), (6, 8, 1)])) == full
    assert comparable(resizing.build((8, 8, 1)), n_planned=1) == [0, 1, 2]
    assert comparable(Shift(1).build((8, 8, 1)), n_planned=1) == [0, 1, 2]
    # Of 8 pixels, 0.95 are 8: the second stage has the full size already.
    early = list(range(N_EPOCHS // 3, N_EPOCHS + 2))
    assert comparable(ProgressiveResizing(0.9).build((8, 8, 1))) == early


def test_the_split_of_early_stopping_scores_at_the_full_size():
    X_fit, X_val, y_fit, y_val = train_test_split(X, y, random_state=0)
    clf = network(early_stopping=True, n_iter_no_change=1)
    clf.fit(X_fit, y_fit, X_val=X_val, y_val=y_val)
    assert clf.n_iter_ > N_SMALL
    assert clf.best_validation_score_ == max(clf.validation_scores_)
    assert clf.score(X_val, y_val) == clf.best_validation_score_
