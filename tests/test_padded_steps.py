"""A target for each step of padded texts and documents, against lists without."""

import warnings

import numpy as np
import pytest
from test_padded_tokens import LENGTH, PADDING, draw_texts, embedding, rows_of, tagged

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import (
    GRU,
    AvgPool1D,
    BatchNorm,
    Conv1D,
    Dense,
    Embedding,
    EncoderDecoder,
    Flatten,
    TimeDistributed,
    Upsample,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PARAMS = {"max_iter": 2, "batch_size": 20, "random_state": 0, "dtype": "float64"}
# Layers, and how many steps of outputs a text has.
OTHER_LENGTHS = {
    "valid": (Conv1D(4, 3, activation="tanh"), lambda n: n - 2),
    "strided": (Conv1D(4, 3, 2), lambda n: (n - 1) // 2),
    "full": (Conv1D(4, 3, padding="full"), lambda n: n + 2),
    "enlarged": (Upsample(2), lambda n: 2 * n),
}


@pytest.mark.parametrize("name", OTHER_LENGTHS)
@pytest.mark.parametrize("where", ["end", "anywhere"])
def test_outputs_of_another_length_than_the_rows(name, where):
    layer, n_outputs = OTHER_LENGTHS[name]
    texts = draw_texts(shortest=4)
    rng = np.random.default_rng(0)
    lists = [rng.integers(0, 3, (n_outputs(len(text)), 1)) for text in texts]
    y = np.full((len(texts), n_outputs(LENGTH), 1), 7)
    for row, own in zip(y, lists, strict=True):
        row[: len(own)] = own
    weights = rng.uniform(0.1, 2, len(texts))
    X = rows_of(texts, where)
    clf = SequentialClassifier([embedding(), layer, BatchNorm()], **PARAMS)
    clf.fit(X, y, weights)
    assert list(clf.classes_) == [0, 1, 2]
    loss, _ = clf.loss_gradients(X, y, weights)
    score = clf.score(X, y)
    clf.fit(texts, lists, weights)
    assert score == pytest.approx(clf.score(texts, lists), rel=1e-12)
    expected, _ = clf.loss_gradients(texts, lists, weights)
    assert loss == pytest.approx(expected, rel=1e-8)


def documents(n=30, n_sentences=6, n_words=5):
    """Return documents of tokens from 1 on, and their numbers of sentences."""
    rng = np.random.default_rng(0)
    counts = rng.integers(1, n_sentences + 1, n)
    X = rng.integers(1, 20, (n, n_sentences, n_words))
    X[np.arange(n_words) >= rng.integers(1, n_words + 1, X.shape[:2])[..., None]] = 0
    X[np.arange(n_sentences) >= counts[:, None]] = 0
    return X, counts


def test_a_label_per_sentence():
    X, counts = documents()
    own = np.arange(X.shape[1]) < counts[:, None]
    words = [Embedding(20, 4, padding_token=0), GRU(3)]
    layers = [TimeDistributed(words), GRU(4, return_sequences=True)]
    fits = []
    for label in (0, 7):
        y = np.where(own, X[..., 0] % 3, label)[..., None]
        clf = SequentialClassifier(layers, alpha=0, **PARAMS).fit(X, y)
        assert list(clf.classes_) == [0, 1, 2]
        right = (clf.predict(X) == y)[own].mean()
        assert clf.score(X, y) == pytest.approx(right)
        fits.append(clf)
    np.testing.assert_array_equal(fits[0].network_.state, fits[1].network_.state)
    # The loss is the mean over documents, of the mean over their sentences.
    alone = [
        clf.loss_gradients(X[i : i + 1, :n], y[i : i + 1, :n])[0]
        for i, n in enumerate(counts)
    ]
    loss, _ = clf.loss_gradients(X, y)
    assert loss == pytest.approx(np.mean(alone), rel=1e-12)


def test_steps_after_the_end_of_a_target():
    X = documents(n_sentences=9, n_words=1)[0][..., 0]
    X[:, :5] = np.maximum(X[:, :5], 1)
    y = np.roll(X, -1, axis=1)[:, 5:, None] % 3
    own = X[:, 5:] != 0
    part = [Embedding(20, 4, padding_token=0), GRU(3, return_sequences=True)]
    layer = EncoderDecoder(part, part, source_length=5)
    clf = SequentialClassifier([layer], **PARAMS).fit(X, np.where(own[..., None], y, 9))
    assert list(clf.classes_) == [0, 1, 2]
    right = (clf.predict(X) == y)[own].mean()
    assert clf.score(X, y) == pytest.approx(right)


def test_the_padding_token_of_a_new_fit():
    X = rows_of(draw_texts(), "end")
    y = tagged(X, "none")
    clf = SequentialClassifier([("e", Embedding(40, 4, PADDING)), GRU(3)], **PARAMS)
    clf.set_params(layers=[embedding(), GRU(3, return_sequences=True)]).fit(X, y)
    other = np.where(X == PADDING, 0, np.where(X == 0, PADDING, X))
    clf.set_params(embedding__padding_token=0).fit(other, y)
    assert list(clf.classes_) == ["one", "three", "two", "zero"]


def test_layers_for_which_padding_is_not_left_out():
    texts = draw_texts()
    X = rows_of(texts, "end")
    y = np.cos(X)[..., None]
    reg = SequentialRegressor([embedding(), AvgPool1D(3, 1, "same")], **PARAMS)
    with pytest.raises(ValueError, match=r"layer 'avgpool1d' .* Pass X as a list"):
        reg.fit(X, y)
    reg.fit(texts, [own[: len(text)] for own, text in zip(y, texts, strict=True)])
    full = 4 + np.arange(20 * LENGTH).reshape(20, LENGTH) % 9
    reg.fit(full, np.cos(full)[..., None])
    with pytest.raises(ValueError, match="layer 'avgpool1d'"):
        reg.score(X, y)


@pytest.mark.parametrize("value", [np.nan, None])
def test_missing_targets_of_padding(value):
    X = rows_of(draw_texts(), "end")
    y = np.where(X == PADDING, value, np.cos(X))[..., None]
    reg = SequentialRegressor([embedding(), GRU(3, return_sequences=True)], **PARAMS)
    match = r"\(axis=\(1, 2\)\)\), or fill them in; any value .* where X has padding"
    with pytest.raises(ValueError, match=match):
        reg.fit(X, y)
    mask = ~np.isnan(y.astype(float)).any(axis=(1, 2))
    assert mask.shape == (len(X),)


def test_dense_layers_at_every_step():
    texts = draw_texts()
    X = rows_of(texts, "anywhere")
    y = np.cos(X)[..., None]
    layers = [embedding(), GRU(3, return_sequences=True), TimeDistributed(Dense(4))]
    of_rows = SequentialRegressor(layers, **PARAMS).fit(X, y)
    lists = [np.cos(text)[:, None] for text in texts]
    of_lists = SequentialRegressor(layers, **PARAMS).fit(texts, lists)
    a, b = of_rows.network_.state, of_lists.network_.state
    np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-12)
    assert of_rows.network_.pads_samples


def test_a_column_for_each_step_is_told_from_a_label_for_each_step():
    cls = SequentialClassifier
    X = np.random.default_rng(0).normal(size=(8, 5, 3))
    y = np.random.default_rng(1).integers(0, 3, (8, 5))
    layers = [("rnn", GRU(2, return_sequences=True))]
    message = r"5 outputs .*'rnn' are flat.*y\[\.\.\., None"
    for own, targets in ((cls, y), (cls, y > 1), (SequentialRegressor, y * 0.1)):
        with pytest.warns(UserWarning, match=message):
            own(layers, random_state=0).initialize(X, targets)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            own([*layers, Flatten()], random_state=0).initialize(X, targets)
            own(layers, random_state=0).initialize(X, targets[..., np.newaxis])
            own(layers, random_state=0).initialize(X, targets[:, :4])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # As many classes as steps.
        cls(layers, random_state=0).initialize(X, [0, 1, 2, 3, 4, 0, 1, 2])
