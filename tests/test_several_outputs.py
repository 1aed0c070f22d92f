"""Several columns of class labels per sample."""

import pickle

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, data_for, make
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score
from sklearn.utils import compute_sample_weight, get_tags

from skconvnet import MLPClassifier, SequentialClassifier
from skconvnet.augmentation import Mixup
from skconvnet.losses import LogLoss
from skconvnet.losses.grouped import GroupedLoss

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_classifier = pytest.mark.parametrize("cls", CLASSIFIERS)


def columns(n=60):
    """Return a label of three classes and one of two, of which one may be wrong."""
    numbers = np.arange(n)
    return np.stack([numbers % 3, (numbers // 2) % 2], axis=1)


@every_classifier
def test_shapes(cls):
    X, _ = data_for(cls)
    y = columns()
    clf = make(cls).fit(X, y)
    assert [own.tolist() for own in clf.classes_] == [[0, 1, 2], [0, 1]]
    assert clf.n_outputs_ == 5
    assert clf.out_activation_ == "softmax"
    predicted = clf.predict(X)
    assert predicted.shape == y.shape
    scores, probabilities = clf.decision_function(X), clf.predict_proba(X)
    for j, n_classes in enumerate([3, 2]):
        assert scores[j].shape == probabilities[j].shape == (60, n_classes)
        expected = np.exp(log_softmax(scores[j], axis=1))
        np.testing.assert_allclose(probabilities[j], expected, rtol=1e-5)
        np.testing.assert_allclose(
            np.exp(clf.predict_log_proba(X)[j]), expected, rtol=1e-5
        )
        chosen = clf.classes_[j][scores[j].argmax(axis=1)]
        np.testing.assert_array_equal(predicted[:, j], chosen)
    assert clf.score(X, y) == np.mean((predicted == y).all(axis=1))
    weights = np.random.default_rng(0).uniform(size=60)
    expected = np.average((predicted == y).all(axis=1), weights=weights)
    assert clf.score(X, y, sample_weight=weights) == pytest.approx(expected)
    assert get_tags(clf).target_tags.multi_output


@every_classifier
@pytest.mark.parametrize("dtype", ["U", "O"])
def test_labels_that_are_text(cls, dtype):
    X, _ = data_for(cls)
    y = np.array(["a", "b", "c"])[columns()].astype(dtype)
    clf = make(cls).fit(X, y)
    assert set(clf.predict(X).ravel()) <= {"a", "b", "c"}
    as_numbers = make(cls).fit(X, columns())
    np.testing.assert_array_equal(clf.network_.vector, as_numbers.network_.vector)


def test_the_loss_is_the_sum_of_those_of_the_columns():
    X, _ = data_for(MLPClassifier)
    y = columns()
    weights = np.random.default_rng(0).uniform(size=60)
    clf = make(MLPClassifier, alpha=0.0).initialize(X, y)
    loss, _ = clf.loss_gradients(X, y, weights)
    expected = sum(
        log_loss(y[:, j], p, sample_weight=weights)
        for j, p in enumerate(clf.predict_proba(X))
    )
    assert loss == pytest.approx(expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("mixed", [False, True])
def test_gradient_of_a_grouped_loss(smoothing, mixed):
    rng = np.random.default_rng(0)
    loss = GroupedLoss(LogLoss(smoothing), [3, 2])
    loss = loss.for_mixtures() if mixed else loss
    target = np.concatenate(
        [np.eye(k)[rng.integers(k, size=6)].T for k in (3, 2)], axis=0
    )
    target = 0.7 * target + 0.3 * target[:, ::-1] if mixed else target
    scores, direction = rng.normal(size=(2, 5, 6))
    weight = rng.uniform(size=6)
    gradient = scores.copy()
    loss(gradient, target, weight)
    numeric = loss(scores + 1e-6 * direction, target, weight)
    numeric -= loss(scores - 1e-6 * direction, target, weight)
    assert np.vdot(gradient, direction) == pytest.approx(numeric / 2e-6, rel=1e-6)


@pytest.mark.parametrize(
    "loss", ["log_loss", "squared_error", "hinge", "squared_hinge", "perceptron"]
)
def test_every_loss_learns(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    y = np.stack([np.digitize(X[:, 0], [-0.5, 0.5]), X[:, 1] > 0], axis=1)
    clf = MLPClassifier((20,), loss=loss, max_iter=300, learning_rate_init=0.01)
    assert clf.set_params(random_state=0).fit(X, y).score(X, y) > 0.8
    assert hasattr(clf, "predict_proba") == (loss in ("log_loss", "squared_error"))


@every_classifier
def test_a_matrix_of_0_and_1_has_independent_labels(cls):
    X, _ = data_for(cls)
    y = np.stack([np.arange(60) % 2, np.arange(60) // 2 % 2], axis=1)
    clf = make(cls).fit(X, y)
    assert clf.out_activation_ == "logistic"
    assert clf.predict_proba(X).shape == (60, 2)


def test_class_weight():
    X, _ = data_for(MLPClassifier)
    y = columns()
    by_column = [{0: 1.0, 1: 2.0, 2: 0.5}, {0: 1.0, 1: 3.0}]
    for given in ("balanced", by_column):
        weighted = make(MLPClassifier, class_weight=given).fit(X, y)
        weights = compute_sample_weight(given, y)
        by_hand = make(MLPClassifier).fit(X, y, sample_weight=weights)
        np.testing.assert_allclose(weighted.loss_curve_, by_hand.loss_curve_)
    with pytest.raises(ValueError, match=r"a list of 2 dicts for the columns"):
        make(MLPClassifier, class_weight={0: 1.0}).fit(X, y)
    with pytest.raises(ValueError, match=r"y has 2 columns of labels\. Pass one dict"):
        make(MLPClassifier, class_weight=by_column[:1]).fit(X, y)
    with pytest.raises(ValueError, match=r"y has one label per sample\. Pass a dict"):
        make(MLPClassifier, class_weight=by_column).fit(X, y[:, 0])


@every_classifier
def test_partial_fit(cls):
    X, _ = data_for(cls)
    y = columns()
    clf = make(cls).partial_fit(X[:2], y[:2], classes=[[0, 1, 2], [0, 1]])
    clf.partial_fit(X, y)
    clf.partial_fit(X, y, classes=[[0, 1, 2], [0, 1]])
    assert clf.predict(X).shape == y.shape
    before = clf.network_.vector.copy()
    with pytest.raises(ValueError, match="not the same as on last call"):
        clf.partial_fit(X, y, classes=[[0, 1, 2], [0, 1, 2]])
    unknown = np.where(y == [-1, 1], 5, y)
    with pytest.raises(ValueError, match=r"Column 1 of `y` has classes not in"):
        clf.partial_fit(X, unknown)
    with pytest.raises(ValueError, match="y has 3 columns of labels"):
        clf.partial_fit(X, y[:, [0, 1, 1]])
    np.testing.assert_array_equal(clf.network_.vector, before)
    first = make(cls)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        first.partial_fit(X, y)


@every_classifier
def test_warm_start_and_early_stopping(cls):
    X, _ = data_for(cls)
    y = columns()
    clf = make(cls, warm_start=True, early_stopping=True).fit(X, y)
    assert len(clf.validation_scores_) == 2
    clf.fit(X, y)
    with pytest.raises(ValueError, match="must have the same classes as in the prev"):
        clf.fit(X, np.column_stack([np.where(y[:, 0] == 0, 2, y[:, 0]), y[:, 1]]))
    given = make(cls).fit(X, y, X_val=X[:20], y_val=y[:20])
    assert given.validation_scores_[-1] == pytest.approx(given.score(X[:20], y[:20]))


def test_mixup_blends_every_column():
    X, _ = data_for(MLPClassifier)

    clf = SequentialClassifier(augmentation=Mixup(), max_iter=3, random_state=0)
    clf.fit(X, columns())
    assert np.isfinite(clf.loss_)


@every_classifier
def test_clone_pickle_and_cross_validation(cls):
    X, _ = data_for(cls)
    y = columns()
    clf = make(cls).fit(X, y)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict(X), clf.predict(X))
    np.testing.assert_array_equal(
        clone(clf).fit(X, y).network_.vector, clf.network_.vector
    )
    assert len(cross_val_score(make(cls), X, y, cv=2)) == 2


def test_score_needs_all_columns():
    X, _ = data_for(MLPClassifier)
    clf = make(MLPClassifier).fit(X, columns())
    with pytest.raises(ValueError, match=r"y must have shape \(60, 2\), one column"):
        clf.score(X, columns()[:, 0])


@every_classifier
def test_columns_of_different_types(cls):
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    X, _ = data_for(cls)
    numbers = columns()
    y = pandas.DataFrame(
        {"kind": np.array(["a", "b", "c"])[numbers[:, 0]], "size": numbers[:, 1]}
    )
    match = r"y has columns of different types, int and str, .*as strings, y\.astype"
    classes = [["a", "b", "c"], [0, 1]]
    for own in (y, y.to_numpy()):
        for call in (
            lambda own=own: make(cls).fit(X, own),
            lambda own=own: make(cls).initialize(X, own),
            lambda own=own: make(cls).partial_fit(X, own, classes=classes),
            lambda own=own: make(cls, class_weight="balanced").fit(X, own),
        ):
            with pytest.raises(TypeError, match=match):
                call()
    predicted = make(cls).fit(X, y.astype(str)).predict(X)
    assert set(predicted[:, 1]) <= {"0", "1"}
    mixed = np.array([*"ab" * 29, 1, 2], dtype=object)
    with pytest.raises(TypeError, match="y has labels of different types, int and str"):
        make(cls).fit(X, mixed)
