"""Maps as outputs: samples of other sizes, and augmentation."""

import numpy as np
import pytest
from map_tools import labels, make, maps, ragged
from sklearn.metrics import accuracy_score, r2_score

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.augmentation import Brightness, Flip, Mixup, Rotation, Shift
from skconvnet.layers import (
    AvgPool2D,
    Conv2D,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Sizes


@pytest.mark.parametrize("cls", [SequentialClassifier, SequentialRegressor])
def test_samples_of_different_sizes(cls):
    X = ragged()
    y = [labels(x) if cls is SequentialClassifier else x**2 for x in X]
    weights = [np.full(x.shape[:-1], 0.5) for x in X]
    model = make(cls, early_stopping=True).fit(X, y, sample_weight=weights)
    predicted = model.predict(X)
    assert [p.shape for p in predicted] == [own.shape for own in y]
    for i in (0, 1, 3):
        alone = model.predict(X[i][np.newaxis])
        np.testing.assert_allclose(alone[0], predicted[i], rtol=1e-12)
    flat = [np.concatenate([np.ravel(m) for m in maps]) for maps in (y, predicted)]
    metric = accuracy_score if cls is SequentialClassifier else r2_score
    assert model.score(X, y) == pytest.approx(metric(*flat))
    assert model.score(X, y, sample_weight=weights) == pytest.approx(metric(*flat))
    model.set_params(early_stopping=False).partial_fit(X, y)
    wrong = [*y[:-1], y[-1][:-1]]
    with pytest.raises(ValueError, match=r"y\[11\] has shape \(7, 8.*maps of 8x8"):
        model.fit(X, wrong)


def test_equal_samples_in_a_list_are_an_array():
    X = maps()
    y = labels(X)
    first = make(SequentialClassifier).fit(list(X), list(y))
    second = make(SequentialClassifier).fit(X, y)
    np.testing.assert_array_equal(first.network_.vector, second.network_.vector)


def test_a_sample_of_a_list_weighs_as_much_as_any_other():
    X = ragged()
    y = [x**2 for x in X]
    reg = make(SequentialRegressor, alpha=0.0).initialize(X, y)
    losses = [
        ((p - own) ** 2).mean() / 2 for p, own in zip(reg.predict(X), y, strict=True)
    ]
    assert reg.loss_gradients(X, y)[0] == pytest.approx(np.mean(losses))


def test_other_sizes_than_in_fit():
    X = maps()
    reg = make(SequentialRegressor).fit(X, X**2)
    larger = np.random.default_rng(1).normal(size=(4, 9, 10, 1))
    predicted = reg.predict(larger)
    assert predicted.shape == (4, 9, 10, 1)
    # Far from the edges, a position does not see the size.
    np.testing.assert_allclose(
        reg.predict(larger[:, :6, :5])[:, :4, :3], predicted[:, :4, :3]
    )
    assert reg.score(larger, larger**2) == pytest.approx(
        r2_score((larger**2).ravel(), predicted.ravel())
    )
    assert reg.loss_gradients(larger, larger)[0] > 0
    reg.partial_fit(larger, larger**2)
    with pytest.raises(ValueError, match="fitted on samples of shape"):
        reg.predict(np.zeros((4, 9, 10, 2)))


def test_rows_with_an_input_shape():
    X = maps()
    reg = make(SequentialRegressor, input_shape=(6, 5, 1)).fit(X.reshape(20, -1), X)
    np.testing.assert_array_equal(
        reg.predict(X.reshape(20, -1)), make(SequentialRegressor).fit(X, X).predict(X)
    )


# Augmentation


@pytest.mark.parametrize("augmentation", [Flip(vertical=True), Shift(2)])
def test_targets_move_with_their_samples(augmentation):
    X = maps(channels=1)
    moved, targets = augmentation.augment(X, 3 * X, random_state=0)
    assert not np.array_equal(moved, X)
    np.testing.assert_allclose(targets, 3 * moved)


def test_rotated_targets_are_those_of_rotated_samples():
    X = maps()
    moved, targets = Rotation(40).augment(X, 3 * X, random_state=0)
    has_target = targets != 0  # others come from outside, and weigh nothing
    # Positions at the edge are a mean of fewer pixels.
    inside = has_target[:, 2:-2, 2:-2]
    np.testing.assert_allclose(
        targets[:, 2:-2, 2:-2][inside], 3 * moved[:, 2:-2, 2:-2][inside], rtol=1e-6
    )


@pytest.mark.parametrize(
    "augmentation", [Flip(), Shift(1), Rotation(20), Brightness(0.1), Mixup()]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_training_with_augmentation(augmentation, weighted):
    X = maps(40)
    y = labels(X)
    weights = np.random.default_rng(0).uniform(size=y.shape) if weighted else None
    for own in (y, labels(X, 2)):
        clf = make(SequentialClassifier, augmentation=augmentation, max_iter=40)
        assert clf.fit(X, own, sample_weight=weights).score(X, own) > 0.6
    reg = make(SequentialRegressor, augmentation=augmentation, max_iter=40)
    assert reg.fit(X, X, sample_weight=weights).score(X, X) > 0.6


def test_augmentation_that_cannot_move_targets():
    X = maps()
    pooled = [Conv2D(3, 3, padding="same"), AvgPool2D((2, 1))]
    reg = make(SequentialRegressor, pooled, augmentation=Flip())
    with pytest.raises(ValueError, match=r"moves the pixels.*6x5.*of 3x5"):
        reg.fit(X, X[:, ::2])
    clf = make(SequentialClassifier, augmentation=Rotation(9), loss="hinge")
    with pytest.raises(ValueError, match=r"loss='hinge'.*interpolates the labels"):
        clf.fit(X, labels(X))
