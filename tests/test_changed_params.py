"""Hyperparameters that are changed between the calls of partial_fit."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skconvnet import ConvNetClassifier, MLPClassifier, MLPRegressor
from skconvnet.optimizers import SGD, Lookahead
from skconvnet.schedules import Cosine, StepDecay

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 5))
y = (X[:, 0] > 0).astype(int)


def trained(n_calls=2, **params):
    """Return a network after calls that each take all samples, in their order."""
    clf = MLPClassifier((4,), random_state=0, shuffle=False, **params)
    return train(clf, n_calls)


def train(clf, n_calls):
    for _ in range(n_calls):
        clf.partial_fit(X, y, classes=[0, 1])
    return clf


def moved(clf):
    """Return how far an update moves the weights, at most."""
    before = clf.coefs_[0].copy()
    clf.partial_fit(X, y)
    return np.abs(clf.coefs_[0] - before).max()


def rates(clf):
    return clf.learning_rate_curve_


def test_the_learning_rate_takes_effect_in_the_next_call():
    clf = trained(1, solver="sgd", momentum=0.0, alpha=0.0, learning_rate_init=1e-3)
    copy = pickle.loads(pickle.dumps(clf))
    step = moved(clf)
    assert moved(copy.set_params(learning_rate_init=1e-4)) == pytest.approx(
        step / 10, rel=1e-6
    )
    assert rates(copy) == [1e-3, 1e-4]


def test_moments_are_kept_when_the_learning_rate_changes():
    # With one learning rate, every step of Adam is as long as if nothing was set.
    clf = trained(3)
    copy = pickle.loads(pickle.dumps(clf))
    train(clf, 1)
    train(copy.set_params(learning_rate_init=1e-3, momentum=0.5), 1)
    assert_array_equal(clf.coefs_[0], copy.coefs_[0])
    step = moved(pickle.loads(pickle.dumps(clf)))
    assert moved(clf.set_params(learning_rate_init=2e-3)) == pytest.approx(2 * step)


def test_a_changed_schedule_restarts():
    clf = trained(3, learning_rate=StepDecay(every=2, factor=0.5))
    clf.set_params(learning_rate__factor=0.1)
    train(clf, 3)
    assert rates(clf) == pytest.approx([1e-3, 1e-3, 5e-4, 1e-3, 1e-3, 1e-4])
    train(clf.set_params(learning_rate="constant"), 1)
    assert rates(clf)[-1] == 1e-3


def test_another_max_iter_moves_the_planned_end():
    clf = trained(2, learning_rate="polynomial", max_iter=4, batch_size=60)
    train(clf.set_params(max_iter=8), 2)
    assert rates(clf) == pytest.approx([1e-3, 7.5e-4, 7.5e-4, 6.25e-4])


def test_another_solver_starts_anew():
    clf = trained(3, solver=SGD(momentum=0.9))
    clf.set_params(solver__momentum=0.0, learning_rate_init=1e-3)
    plain = MLPClassifier((4,), solver=SGD(momentum=0.0), warm_start=True)
    plain.set_params(shuffle=False, random_state=0, max_iter=1)
    plain.initialize(X, y).set_weights(clf.get_weights())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # training ends after one epoch
        plain.fit(X, y)
    train(clf, 1)
    assert_array_equal(clf.coefs_[0], plain.coefs_[0])


def test_a_solver_of_another_class_can_go_on():
    clf = trained(3, solver=SGD(momentum=0.9))
    for solver in (Lookahead(SGD(), every=1), "schedule_free_adamw", "adam"):
        assert moved(clf.set_params(solver=solver)) > 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"averaging": 0.9}, {"averaging": 0.5}),
        ({"averaging": 0.9}, {"averaging": None}),
        ({"averaging": None}, {"averaging": 0.9}),
        ({"averaging": "swa", "max_iter": 2}, {"averaging": "swa", "max_iter": 9}),
    ],
)
def test_training_goes_on_with_its_own_weights_when_the_average_changes(before, after):
    clf = trained(3, **before).set_params(**after)
    # Without an average, the weights in training are those of the network.
    reference = trained(3, **{**before, "averaging": None})
    train(clf, 1)
    train(reference.set_params(**after), 1)
    assert_array_equal(clf.coefs_[0], reference.coefs_[0])


def test_an_unchanged_average_goes_on():
    clf = trained(4, averaging=0.9)
    again = trained(2, averaging=0.9)
    assert_array_equal(train(again, 2).coefs_[0], clf.coefs_[0])


def test_automatic_rates_are_constant_after_fit():
    images = rng.normal(size=(40, 6, 6))
    clf = ConvNetClassifier((2,), hidden_layer_sizes=3, max_iter=3, random_state=0)
    clf.fit(images, y[:40])
    assert rates(clf)[-1] < 1e-4
    clf.partial_fit(images, y[:40])
    assert rates(clf)[-1] == clf.learning_rate_init


def test_a_completed_schedule_is_told():
    clf = trained(2, learning_rate="one_cycle", max_iter=2)
    message = (
        "learning_rate='one_cycle' has reached its planned end, so that partial_fit "
        'trains at a learning rate of 4e-09. Set learning_rate="constant" or a larger '
        "max_iter"
    )
    with pytest.warns(UserWarning, match=message):
        clf.partial_fit(X, y)
    train(clf.set_params(max_iter=10), 1)  # without a warning
    assert rates(clf)[-1] > 1e-5


def test_a_minimum_that_is_meant_is_not_told():
    clf = MLPRegressor(
        hidden_layer_sizes=3, learning_rate=Cosine(minimum=1e-4), max_iter=2
    )
    for _ in range(4):
        clf.partial_fit(X, X[:, 0])
    assert rates(clf)[-1] == pytest.approx(1e-4)


def test_a_failed_call_changes_nothing():
    clf = trained(2)
    weights = clf.coefs_[0].copy()
    clf.set_params(learning_rate=Cosine(warmup_epochs=300), averaging=0.9)
    with pytest.raises(ValueError, match="warmup_epochs=300"):
        clf.partial_fit(X, y)
    assert_array_equal(clf.coefs_[0], weights)
    train(clf.set_params(learning_rate="constant", averaging=None), 1)
    assert_array_equal(clf.coefs_[0], trained(3).coefs_[0])
