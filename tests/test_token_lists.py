"""Texts as lists of tokens of different lengths, against rows with padding."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from test_padded_tokens import NETWORKS, PADDING, draw_texts, make_classifier, rows_of

from skconvnet import MLPClassifier, SequentialClassifier
from skconvnet.layers import (
    GRU,
    AttentionPooling,
    BatchNorm,
    Conv1D,
    Dense,
    Embedding,
    GlobalMaxPool,
    MaxPool1D,
    TimeDistributed,
    TransformerEncoder,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FORMS = {
    "arrays": list,
    "lists": lambda texts: [text.tolist() for text in texts],
    "objects": lambda texts: np.array(texts, dtype=object),
}


def as_objects(texts):
    array = np.empty(len(texts), dtype=object)
    for i, text in enumerate(texts):
        array[i] = text.tolist()
    return array


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("form", FORMS)
def test_lists_train_as_rows_do(name, form):
    texts = draw_texts()
    y = np.arange(len(texts)) % 3
    rows, lists = rows_of(texts, "end"), FORMS[form](texts)
    of_rows, of_lists = (make_classifier(name).fit(X, y) for X in (rows, lists))
    a, b = of_rows.network_.state, of_lists.network_.state
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-13)
    expected = of_rows.predict_proba(rows)
    np.testing.assert_allclose(of_lists.predict_proba(lists), expected, rtol=1e-9)
    np.testing.assert_allclose(of_rows.predict_proba(lists), expected, rtol=1e-9)
    for i in range(5):
        one = of_lists.predict_proba(lists[i : i + 1])
        np.testing.assert_allclose(one[0], expected[i], rtol=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "layers",
    [
        [Conv1D(4, 6, activation="tanh"), BatchNorm(), GlobalMaxPool()],
        [Conv1D(4, 4), MaxPool1D(2), GRU(3)],
        [Conv1D(4, 5), TransformerEncoder(2, 4), AttentionPooling(2)],
    ],
    ids=["pooled", "read", "attended"],
)
def test_texts_shorter_than_a_kernel(form, layers):
    texts = draw_texts(shortest=1)
    y = np.arange(len(texts)) % 3
    rows, lists = rows_of(texts, "end"), FORMS[form](texts)
    net = SequentialClassifier(
        [Embedding(30, 5, padding_token=PADDING), *layers],
        max_iter=2,
        batch_size=20,
        random_state=0,
        dtype="float64",
    )
    expected = clone(net).fit(rows, y).predict_proba(rows)
    own = clone(net).fit(lists, y)
    np.testing.assert_allclose(own.predict_proba(lists), expected, rtol=1e-9)
    shortest = int(np.argmin([len(text) for text in texts]))
    assert len(texts[shortest]) < 4
    alone = own.predict_proba(lists[shortest : shortest + 1])
    np.testing.assert_allclose(alone[0], expected[shortest], rtol=1e-9)


@pytest.mark.parametrize("form", [*FORMS.values(), pd.Series])
def test_texts_of_one_length(form):
    X = np.random.default_rng(0).integers(1, 30, (40, 5))
    y = np.arange(40) % 3
    net = make_classifier("pooled")
    cells = as_objects(X) if form is FORMS["objects"] else form(list(X))
    expected = net.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(net.fit(cells, y).predict_proba(cells), expected)


def test_texts_too_short_for_a_label_of_a_token():
    texts = [np.arange(1, 4 + i) for i in range(6)]
    layers = [Embedding(30, 5, padding_token=0), Conv1D(4, 3)]
    net = SequentialClassifier(layers, max_iter=1)
    net.fit(texts, [(text[2:] % 2)[:, np.newaxis] for text in texts])
    with pytest.raises(ValueError, match=r"X\[1\] is a text of length 2, too small"):
        net.predict([texts[0], texts[0][:2]])


def test_a_text_longer_than_any_in_training():
    texts = draw_texts()
    clf = make_classifier("pooled").fit(texts, np.arange(len(texts)) % 3)
    long = np.concatenate(texts[:5])
    probabilities = clf.predict_proba([long])
    other = clf.predict_proba([long, texts[0]])
    np.testing.assert_allclose(probabilities[0], other[0], rtol=1e-12)


def test_a_label_for_each_token_of_a_list():
    texts = draw_texts()
    y = [(text % 4)[:, np.newaxis] for text in texts]
    layers = [Embedding(30, 8), Conv1D(8, 1, activation="tanh")]
    params = {"max_iter": 60, "learning_rate_init": 0.05, "random_state": 0}
    clf = SequentialClassifier(layers, batch_size=20, **params).fit(texts, y)
    predicted = clf.predict(texts)
    assert [own.shape for own in predicted] == [own.shape for own in y]
    assert clf.score(texts, y) > 0.95


@pytest.mark.parametrize("token", [PADDING, None])
def test_tokens_without_padding_token(token):
    texts = draw_texts()
    layers = [Embedding(30, 4, padding_token=token), Conv1D(5, 3, padding="same")]
    y = np.arange(len(texts)) % 2
    clf = SequentialClassifier([*layers, *NETWORKS["pooled"][-1:]], random_state=0)
    clf.set_params(max_iter=2, dtype="float64").fit(texts, y)
    together = clf.predict_proba(texts)
    alone = np.concatenate([clf.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(alone, together, rtol=1e-12)


def test_rows_where_documents_belong():
    sentence = [Embedding(9, 4, padding_token=0), GRU(3)]
    layers = [("sentences", TimeDistributed(sentence)), GRU(2)]
    X, y = np.random.default_rng(0).integers(0, 9, (6, 8)), [0, 1] * 3
    clf = SequentialClassifier(layers, max_iter=1, tol=1e9)
    with pytest.raises(ValueError, match=r"\(6, 8\), but layer 'sentences' takes"):
        clf.fit(X, y)
    rows = clone(clf).set_params(input_shape=(2, 4), random_state=0).fit(X, y)
    documents = clone(clf).set_params(random_state=0).fit(X.reshape(6, 2, 4), y)
    np.testing.assert_array_equal(
        rows.predict_proba(X), documents.predict_proba(X.reshape(6, 2, 4))
    )


def test_lists_of_univariate_series_are_no_texts():
    series = [np.arange(float(n)) for n in (5, 3, 4)]
    clf = SequentialClassifier([GRU(3)], max_iter=1, tol=1e9, random_state=0)
    flat = clf.fit(series, [0, 1, 0]).predict_proba(series)
    columns = [own[:, np.newaxis] for own in series]
    np.testing.assert_array_equal(
        clf.fit(columns, [0, 1, 0]).predict_proba(columns), flat
    )


def test_errors():
    texts = draw_texts()
    y = np.arange(len(texts)) % 3
    for estimator in (SequentialClassifier([Dense(3)]), MLPClassifier()):
        with pytest.raises(ValueError, match="rows of different lengths"):
            estimator.fit(texts, y)
    texts[4] = texts[4][:0]
    with pytest.raises(ValueError, match=r"X\[4\].*(empty|length)"):
        make_classifier("pooled").fit(texts, y)
    texts[4] = np.array([99])
    with pytest.raises(ValueError, match=r"takes tokens .* but X holds 99"):
        make_classifier("pooled").fit(texts, y)


@pytest.mark.parametrize("form", ["arrays", "lists"])
def test_lists_of_one_length_after_a_fit_on_rows(form):
    texts = draw_texts()
    y = np.arange(len(texts)) % 3
    clf = make_classifier("pooled").fit(rows_of(texts, "end"), y)
    together = clf.predict_proba(FORMS[form](texts))
    for text, expected in zip(texts[:9], together, strict=False):
        for same in ([text], [text, text]):
            values = clf.predict_proba(FORMS[form](same))
            np.testing.assert_allclose(values[0], expected, rtol=1e-12)
    with pytest.raises(ValueError, match="X has 7 features"):
        clf.predict(np.ones((2, 7), int))


def test_padding_between_the_tokens_of_lists():
    texts = draw_texts()
    y = np.arange(len(texts)) % 3
    gaps = [np.insert(text, [0, len(text) // 2], PADDING) for text in texts]
    clf = make_classifier("pooled").fit(texts, y)
    expected = clf.predict_proba(texts)
    np.testing.assert_allclose(clf.predict_proba(gaps), expected, rtol=1e-12)
    rows = np.pad(rows_of(texts, "anywhere"), ((0, 0), (3, 2)), constant_values=PADDING)
    np.testing.assert_allclose(clf.predict_proba(rows), expected, rtol=1e-12)


def test_a_label_for_each_token_of_a_list_with_padding():
    texts = draw_texts()
    y = [(text % 4)[:, np.newaxis] for text in texts]
    gaps, with_gaps = (
        [np.insert(own, [0, len(own) // 2], value, axis=0) for own in values]
        for values, value in ((texts, PADDING), (y, 1))
    )
    layers = [Embedding(30, 8, PADDING), GRU(8, return_sequences=True)]
    params = {"max_iter": 1, "random_state": 0, "dtype": "float64"}
    clf = SequentialClassifier(layers, **params).fit(texts, y)
    expected, _ = clf.loss_gradients(texts, y)
    loss, _ = clf.loss_gradients(gaps, with_gaps)
    assert loss == pytest.approx(expected, rel=1e-12)
    for text, row, probabilities in zip(
        texts, clf.predict_proba(gaps), clf.predict_proba(texts), strict=True
    ):
        own = np.insert(np.ones(len(text), bool), [0, len(text) // 2], False)
        np.testing.assert_allclose(row[own], probabilities, rtol=1e-12)


@pytest.mark.parametrize("form", [np.array, pd.DataFrame, list])
def test_padding_that_is_missing(form):
    net = SequentialClassifier([Embedding(9, 2, padding_token=0), GRU(2)], max_iter=1)
    rows = [[1, 2, 3], [4, 5, np.nan]]
    name = r"X\.iloc" if form is pd.DataFrame else "X"
    message = rf"NaN: {name}\[1\] is nan at position 2\. Fill .* the padding_token"
    with pytest.raises(ValueError, match=message):
        net.fit(form(rows), [0, 1])
    net.fit(np.nan_to_num(rows), [0, 1])
    with pytest.raises(ValueError, match=message):
        net.predict(form(rows))
    documents = np.ones((2, 3, 4))
    documents[1, 2, 3] = np.nan
    hierarchy = SequentialClassifier([TimeDistributed(net.layers), GRU(2)])
    message = r"X\[1\] is nan at position \(2, 3\)\. Fill .* the padding_token"
    with pytest.raises(ValueError, match=message):
        hierarchy.fit(documents, [0, 1])
    with pytest.raises(ValueError, match=r"X\.iloc\[0\] is nan at step 1 of channel 0"):
        SequentialClassifier([GRU(2)]).fit(pd.DataFrame([[1, np.nan]] * 2), [0, 1])
