"""Class weights: classes that do not exist are named, and batches may lack classes."""

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, data_for, make

from skconvnet import ConvNetClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
WORDS = np.array(["cat", "dog", "rare"])

UNKNOWN = [
    (
        {"cat": 2, "rar": 5},
        WORDS,
        r"^class_weight has 'rar', but the classes are \['cat', 'dog', 'rare'\]\. "
        r"Did you mean 'rare'\?$",
    ),
    ({"Cat": 2, "zebra": 5}, WORDS, r"has 'Cat', 'zebra', but .* mean 'cat'\?$"),
    ({"zebra": 2}, WORDS, r"'zebra', but the classes are \['cat', 'dog', 'rare'\]\.$"),
    (
        {"0": 2},
        np.arange(3),
        r"'0', but the classes are \[0, 1, 2\]\. Did you mean 0, an int rather than a "
        r"str\? The keys must have the type of the labels\.$",
    ),
    ({0: 2, "2": 3}, np.arange(3), "mean 2, an int rather than a str"),
    ({0: 2}, np.array(["0", "1", "2"]), "mean '0', a str rather than an int"),
    ({0: 1, 7: 2}, np.arange(3), r"has 7, but the classes are \[0, 1, 2\]\.$"),
    ({5: 1}, np.arange(3) % 2 == 1, r"has 5, but the classes are \[False, True\]\.$"),
]


@pytest.mark.parametrize(("class_weight", "classes", "message"), UNKNOWN)
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_unknown_classes(cls, class_weight, classes, message):
    X, y = data_for(cls)
    model = make(cls, class_weight=class_weight)
    with pytest.raises(ValueError, match=message):
        model.fit(X, classes[y])
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X[:8], classes[y[:8]], classes=np.unique(classes))
    assert not hasattr(model, "network_")


SAME = [
    ({"cat": 2.0}, {"cat": 2.0, "dog": 1, "rare": 1}),
    ({}, None),
    # A fold may lack a class.
    ({"cat": 2.0, "dog": 1, "rare": 3.0, "none": 5}, {"cat": 2.0, "rare": 3.0}),
    ({np.str_("cat"): np.float32(2)}, {"cat": 2.0}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_what_may_be_left_out_or_unknown(cls, one, other):
    X, y = data_for(cls)
    weights = [
        make(cls, class_weight=class_weight).fit(X, WORDS[y]).network_.vector
        for class_weight in (one, other)
    ]
    np.testing.assert_array_equal(*weights)


def test_keys_equal_to_the_labels():
    X, y = data_for(ConvNetClassifier)
    expected = make(ConvNetClassifier, class_weight={1: 5}).fit(X, y).network_.vector
    for key in (1.0, np.int8(1), True):
        model = make(ConvNetClassifier, class_weight={key: 5}).fit(X, y)
        np.testing.assert_array_equal(model.network_.vector, expected)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_batch_without_the_class_of_a_weight(cls):
    X, y = data_for(cls)
    two = y < 2
    weighted = make(cls, class_weight={1: 3.0, 2: 5.0})
    weighted.partial_fit(X[two], y[two], classes=[0, 1, 2])
    by_hand = make(cls).partial_fit(
        X[two], y[two], np.where(y[two] == 1, 3.0, 1.0), classes=[0, 1, 2]
    )
    np.testing.assert_array_equal(weighted.network_.vector, by_hand.network_.vector)
    only_others = make(cls, class_weight={2: 5.0})
    only_others.partial_fit(X[two], y[two], classes=[0, 1, 2])
    plain = make(cls).partial_fit(X[two], y[two], classes=[0, 1, 2])
    np.testing.assert_allclose(only_others.network_.vector, plain.network_.vector)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_several_labels_per_sample(cls):
    X, y = data_for(cls)
    several = np.tri(3, dtype=int)[y]
    with pytest.raises(ValueError, match="class_weight must be 'balanced' or None"):
        make(cls, class_weight={1: 5}).fit(X, several)
    make(cls, class_weight="balanced").fit(X, several)
