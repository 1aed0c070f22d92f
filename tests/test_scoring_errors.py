"""Scores that do not suit y: the error names scoring, and what to set instead."""

import re

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, REGRESSORS, data_for, make
from sklearn import metrics
from sklearn.metrics import f1_score, fbeta_score, get_scorer_names, make_scorer

from skconvnet import ConvNetClassifier

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning"),
]
N = 60
WORDS = np.array(["no", "yes"] * 30)
THREE = np.array(["a", "b", "c"] * 20)
SEVERAL = np.tri(3, dtype=int)[np.arange(N) % 3]

UNSUITABLE = [
    (
        "f1",
        WORDS,
        "scoring='f1' does not suit the validation set: pos_label=1 is not a valid "
        "label: It should be one of ['no' 'yes']. Set scoring='f1_macro' or "
        "'f1_weighted' or make_scorer(f1_score, pos_label='yes').",
    ),
    ("precision", WORDS, "make_scorer(precision_score, pos_label='yes')."),
    ("recall", THREE, "Set scoring='recall_macro' or 'recall_weighted'."),
    ("f1", np.arange(N) % 3, "Set scoring='f1_macro' or 'f1_weighted'."),
    ("jaccard", SEVERAL, "Set scoring='jaccard_macro' or 'jaccard_weighted'."),
    ("f1_samples", THREE, "Set scoring='f1_macro' or 'f1_weighted'."),
    ("roc_auc", THREE, "Set scoring='roc_auc_ovr'."),
    ("neg_brier_score", WORDS, "response_method='predict_proba', pos_label='yes')."),
    ("average_precision", WORDS, "'predict_proba'), pos_label='yes')."),
    ("r2", WORDS, "For classes, set scoring='f1_macro' or 'balanced_accuracy'."),
    (
        make_scorer(f1_score),
        WORDS,
        "Set scoring=make_scorer(f1_score, pos_label='yes')",
    ),
    (
        make_scorer(fbeta_score, beta=2),
        THREE,
        "Set scoring=make_scorer(fbeta_score, beta=2, average='macro').",
    ),
]


def error_of(model, X, y, **data):
    with pytest.raises(
        ValueError, match=r"^scoring=.* does not suit the val"
    ) as caught:
        model.fit(X, y, **data)
    assert not hasattr(model, "network_")
    return str(caught.value)


@pytest.mark.parametrize(("scoring", "y", "message"), UNSUITABLE)
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_scores_of_classes(cls, scoring, y, message):
    X, _ = data_for(cls)
    model = make(cls, scoring=scoring)
    assert message in error_of(model.set_params(early_stopping=True), X, y)
    model.set_params(early_stopping=False)
    assert message in error_of(model, X, y, X_val=X, y_val=y)
    if y.ndim == 1:
        with pytest.raises(ValueError, match="does not suit the validation set"):
            model.partial_fit(X, y, classes=np.unique(y), X_val=X, y_val=y)


@pytest.mark.parametrize("scoring", ["accuracy", "f1", "roc_auc", "neg_log_loss"])
@pytest.mark.parametrize("cls", REGRESSORS)
def test_scores_of_classes_for_numbers(cls, scoring):
    X, y = data_for(cls)
    model = make(cls, scoring=scoring, early_stopping=True)
    assert "set scoring='r2' or 'neg_mean" in error_of(model, X, y)


TARGETS = {"words": WORDS, "three": THREE, "0 and 1": np.arange(N) % 2, "many": SEVERAL}


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("scoring", get_scorer_names())
def test_what_is_suggested_works(scoring, kind):
    (X, _), y = data_for(ConvNetClassifier), TARGETS[kind]
    data = {"X_val": X, "y_val": y}
    model = make(ConvNetClassifier, scoring=scoring, max_iter=1)
    try:
        model.fit(X, y, **data)
    except ValueError as error:
        message = str(error)
    else:
        return
    assert message.startswith(f"scoring={scoring!r} does not suit")
    suggested = message.partition("et scoring=")[2].rstrip(".")
    for code in filter(None, suggested.split(" or ")):
        other = make(ConvNetClassifier, scoring=eval(code, vars(metrics)), max_iter=1)
        assert len(other.fit(X, y, **data).validation_scores_) == 1


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_errors_of_other_functions(cls):
    X, y = data_for(cls)

    def fails(*_):
        raise error

    model = make(cls, scoring=fails)
    for error in (TypeError("own"), AttributeError("own")):
        with pytest.raises(type(error), match=r"^own$"):
            model.fit(X, y, X_val=X, y_val=y)
    error = ValueError("own")
    message = error_of(model, X, y, X_val=X, y_val=y)
    assert re.search(r"^scoring=<function .*: own\.$", message)


COLUMNS = np.stack([np.arange(N) % 3, np.arange(N) // 2 % 2], axis=1)


@pytest.mark.parametrize("y", [COLUMNS, np.array(["a", "b", "c"])[COLUMNS]])
@pytest.mark.parametrize(
    "scoring",
    [
        *("accuracy", "f1_macro", "f1", "roc_auc_ovr", "neg_log_loss", "jaccard"),
        make_scorer(f1_score, average="macro"),
    ],
)
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_scores_of_several_columns_of_labels(cls, scoring, y):
    X, _ = data_for(cls)
    message = "do not take several columns of labels. Leave scoring out, so that"
    model = make(cls, scoring=scoring)
    assert message in error_of(model, X, y, X_val=X, y_val=y)
    # Half of the samples have all classes.
    model.set_params(early_stopping=True, validation_fraction=0.5)
    assert message in error_of(model, X, y)
    # What it suggests works.
    for other in (None, lambda estimator, X, y: estimator.score(X, y)):
        model.set_params(scoring=other).fit(X, y)


def test_errors_of_other_functions_for_several_columns():
    def fails(_y, _predicted):
        raise ValueError("own")

    X, _ = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, scoring=make_scorer(fails), early_stopping=True)
    assert error_of(model, X, COLUMNS).endswith(
        "does not suit the validation set: own."
    )
