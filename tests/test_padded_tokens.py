"""Rows of tokens with padding, against the same rows without it."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import (
    BatchNorm,
    Conv1D,
    Dense,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool1D,
    Parallel,
    PositionalEncoding,
    SpatialPyramidPool,
    TransformerEncoder,
)

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"
)

LENGTH, PADDING = 20, 3


def draw_texts(n=60, shortest=1, seed=0):
    """Return texts of tokens other than PADDING, as a list."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(shortest, LENGTH + 1, n)
    texts = [rng.integers(0, 29, length) for length in lengths]
    return [np.where(text >= PADDING, text + 1, text) for text in texts]


def rows_of(texts, where):
    """Return rows of tokens with the padding at the end, the start, or anywhere."""
    rng = np.random.default_rng(1)
    X = np.full((len(texts), LENGTH), PADDING)
    for row, text in zip(X, texts, strict=True):
        n = len(text)
        positions = {
            "end": slice(n),
            "start": slice(LENGTH - n, LENGTH),
            "anywhere": np.sort(rng.permutation(LENGTH)[:n]),
        }
        row[positions[where]] = text
    return X


def embedding(**params):
    return ("embedding", Embedding(30, 5, padding_token=PADDING, **params))


NETWORKS = {
    "pooled": [embedding(), Conv1D(6, 3, padding="same"), GlobalMaxPool()],
    "norm": [embedding(), Conv1D(6, 3, padding="same"), BatchNorm(), GlobalAvgPool()],
    "max_pool": [embedding(), MaxPool1D(3, 1, "same"), GlobalAvgPool()],
    # Its "same" padding depends on the length, so that only equal lengths go together.
    "strided": [embedding(), Conv1D(6, 3, 2, padding="same"), GlobalMaxPool()],
    "branches": [
        embedding(),
        Parallel(
            [(f"b{k}", [Conv1D(3, k, padding="same"), GlobalMaxPool()]) for k in (2, 3)]
        ),
    ],
    "pyramid": [embedding(), SpatialPyramidPool((1, 2))],
    "reduced": [embedding(reduce="mean"), Dense(4, "tanh")],
}


def make_classifier(name, **params):
    given = {"max_iter": 2, "batch_size": 25, "random_state": 0, "dtype": "float64"}
    return SequentialClassifier(NETWORKS[name], **(given | params))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("where", ["start", "anywhere"])
def test_it_does_not_matter_where_padding_is(name, where):
    texts = draw_texts()
    y = np.arange(len(texts)) % 3
    X, other = rows_of(texts, "end"), rows_of(texts, where)
    a, b = (make_classifier(name).fit(rows, y) for rows in (X, other))
    np.testing.assert_allclose(a.network_.state, b.network_.state, rtol=1e-9)
    np.testing.assert_allclose(a.predict_proba(X), a.predict_proba(other), rtol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_longer_rows_do_not_change_anything(name):
    texts = draw_texts()
    y = np.arange(len(texts)) % 3
    X = rows_of(texts, "end")
    longer = np.pad(X, ((0, 0), (0, 30)), constant_values=PADDING)
    a, b = (make_classifier(name).fit(rows, y) for rows in (X, longer))
    np.testing.assert_allclose(a.network_.state, b.network_.state, rtol=1e-9)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(longer), rtol=1e-9)


@pytest.mark.parametrize("max_length", [LENGTH, LENGTH + 5])
def test_learned_positions(max_length):
    X = rows_of(draw_texts(), "end")
    layers = [
        embedding(),
        PositionalEncoding("learned", max_length),
        TransformerEncoder(1, 4),
        GlobalAvgPool(),
    ]
    clf = SequentialClassifier(layers, max_iter=1, random_state=0, dtype="float64")
    clf.fit(X, np.arange(len(X)) % 3)
    # Reads each text at its own length.
    alone = np.concatenate([clf.predict_proba([row]) for row in X])
    np.testing.assert_allclose(clf.predict_proba(X), alone, rtol=1e-12)
    texts = [row[row != PADDING] for row in X]
    np.testing.assert_allclose(clf.predict_proba(texts), alone, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "reduced"])
def test_each_text_by_itself(name):
    texts = draw_texts()
    X = rows_of(texts, "end")
    clf = make_classifier(name).fit(X, np.arange(len(texts)) % 3)
    together = clf.predict_proba(X)
    for row, text, expected in zip(X, texts, together, strict=True):
        np.testing.assert_allclose(clf.predict_proba([row])[0], expected, rtol=1e-12)
        # The network that is built for texts of this length knows nothing of padding.
        alone = clf.network_.for_shape((len(text),))
        x = text[:, np.newaxis].astype(float)
        z = alone.predict(x, alone.workspaces())[:, 0]
        softmax = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        np.testing.assert_allclose(softmax, expected, rtol=1e-12)


def test_a_layer_of_fixed_length_keeps_padding_in_place():
    X = rows_of(draw_texts(), "anywhere")
    layers = [embedding(), Conv1D(4, 3), Flatten(), Dense(5, "tanh")]
    reg = SequentialRegressor(layers, max_iter=2, random_state=0).fit(
        X, np.arange(len(X)) % 2
    )
    vectors = reg.get_weights()["embedding/table"].copy()
    vectors[PADDING] = 0
    np.testing.assert_array_equal(reg.activations(X, "embedding"), vectors[X])


@pytest.mark.parametrize("where", ["end", "start", "anywhere"])
def test_activations_have_the_positions_of_x(where):
    X = rows_of(draw_texts(), where)
    clf = make_classifier("pooled").fit(X, np.arange(len(X)) % 3)
    vectors = clf.get_weights()["embedding/table"].copy()
    vectors[PADDING] = 0
    np.testing.assert_array_equal(clf.activations(X, "embedding"), vectors[X])


@pytest.mark.parametrize("name", NETWORKS)
def test_texts_without_any_token(name):
    X = rows_of(draw_texts(), "end")
    X[::7] = PADDING
    clf = make_classifier(name).fit(X, np.arange(len(X)) % 3)
    probabilities = clf.predict_proba(X)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities[0], probabilities[7], rtol=1e-12)
    only = clf.predict_proba(X[::7])
    np.testing.assert_allclose(only, probabilities[::7], rtol=1e-12)


def test_texts_shorter_than_a_kernel():
    X = rows_of(draw_texts(shortest=1), "end")
    layers = [embedding(), Conv1D(4, 6, activation="tanh"), GlobalMaxPool()]
    clf = SequentialClassifier(layers, max_iter=2, random_state=0, dtype="float64")
    clf.fit(X, np.arange(len(X)) % 2)
    lengths = (X != PADDING).sum(axis=1)
    pooled = clf.activations(X, "globalmaxpool")
    assert (lengths < 6).any()
    assert not pooled[lengths < 6].any()
    assert pooled[lengths >= 6].all()


def test_little_is_computed_for_padding():
    texts = draw_texts()
    X = np.pad(rows_of(texts, "end"), ((0, 0), (0, 480)), constant_values=PADDING)
    clf = make_classifier("pooled").fit(X, np.arange(len(X)) % 3)
    shapes = []
    predict = type(clf.network_.chain).predict

    def spy(chain, x, *args):
        shapes.append(x.shape)
        return predict(chain, x, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(clf.network_.chain), "predict", spy)
        clf.predict(X)
    assert sum(length * n for length, n in shapes) < 2 * sum(map(len, texts))


STEPS = [embedding(), Conv1D(8, 3, padding="same", activation="tanh"), BatchNorm()]


def make_tagger(**params):
    given = {
        "max_iter": 25,
        "learning_rate_init": 0.05,
        "batch_size": 20,
        "random_state": 0,
    }
    return SequentialClassifier(STEPS, dtype="float64", **(given | params))


def tagged(X, at_padding):
    """Return a label for each token: its remainder modulo 4, in words."""
    labels = np.array(["zero", "one", "two", "three"])[X % 4]
    labels[X == PADDING] = at_padding
    return labels[..., np.newaxis]


@pytest.mark.parametrize("where", ["end", "start", "anywhere"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_a_label_per_token(where, class_weight):
    texts = draw_texts()
    X = rows_of(texts, where)
    clf = make_tagger(class_weight=class_weight).fit(X, tagged(X, "none"))
    assert list(clf.classes_) == ["one", "three", "two", "zero"]
    y = tagged(X, "none")
    assert (clf.predict(X) == y)[X != PADDING].mean() == clf.score(X, y) > 0.95
    # Neither the labels of padding, nor where it is, nor how much of it there is.
    end = np.pad(rows_of(texts, "end"), ((0, 0), (0, 7)), constant_values=PADDING)
    same = make_tagger(class_weight=class_weight).fit(end, tagged(end, "two"))
    np.testing.assert_allclose(same.loss_curve_, clf.loss_curve_, rtol=1e-9)
    assert same.score(end, tagged(end, "one")) == clf.score(X, y)
    assert (same.predict_proba(end)[end == PADDING] == 0.25).all()


def test_numbers_per_token():
    X = rows_of(draw_texts(), "anywhere")
    own = (X != PADDING)[..., np.newaxis]
    y = np.where(own, np.sin(X)[..., np.newaxis], 1e3)
    params = {"max_iter": 40, "learning_rate_init": 0.05, "random_state": 0}
    reg = SequentialRegressor(STEPS, **params).fit(X, y)
    assert not reg.predict(X)[~own].any()
    assert reg.score(X, y) > 0.95
    value, _ = reg.loss_gradients(X, y)
    other, _ = reg.loss_gradients(X, np.where(own, y, -5.0))
    assert value == other


@pytest.mark.parametrize("scoring", [None, "loss", "accuracy", "balanced_accuracy"])
def test_validation_leaves_out_padding(scoring):
    X = rows_of(draw_texts(), "end")
    curves = []
    for label in ("one", "none"):
        clf = make_tagger(early_stopping=True, scoring=scoring, max_iter=5)
        y_val = tagged(X[:20], "two" if label == "one" else "three")
        clf.fit(X, tagged(X, label), X_val=X[:20], y_val=y_val)
        curves.append(clf.validation_scores_)
    np.testing.assert_array_equal(*curves)


def test_weights_of_tokens_and_of_texts():
    X = rows_of(draw_texts(), "end")
    y = tagged(X, "one")
    clf = make_tagger(max_iter=1).fit(X, y)
    given = np.random.default_rng(0).uniform(size=len(X))
    of_texts, _ = clf.loss_gradients(X, y, given)
    of_tokens, _ = clf.loss_gradients(X, y, np.repeat(given[:, None], LENGTH, axis=1))
    np.testing.assert_allclose(of_tokens, of_texts, rtol=1e-12)
    alone = [clf.loss_gradients(X[i : i + 1], y[i : i + 1])[0] for i in range(len(X))]
    # The penalty is divided by the sum of the weights.
    penalties = clf.alpha * sum(
        np.vdot(w, w) / 2 for name, w in clf.get_weights().items() if "kernel" in name
    )
    expected = np.average(np.array(alone) - penalties, weights=given)
    np.testing.assert_allclose(of_texts - penalties / given.sum(), expected, rtol=1e-10)


@pytest.mark.parametrize("name", NETWORKS)
def test_same_bits_for_every_n_jobs(name):
    X = rows_of(draw_texts(200), "end")
    y = np.arange(len(X)) % 3
    a, b = (make_classifier(name, n_jobs=n, dtype="float32").fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(a.network_.state, b.network_.state)
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))


@pytest.mark.parametrize("is_weighted", [False, True])
def test_batch_norm_of_tagged_rows_weighs_texts_as_of_lists(is_weighted):
    texts = draw_texts()
    rng = np.random.default_rng(2)
    weights = rng.uniform(0.1, 3, len(texts)) if is_weighted else None
    X = rows_of(texts, "end")
    y = tagged(X, "none")
    lists = [labels[: len(text)] for labels, text in zip(y, texts, strict=True)]
    of_rows = make_tagger(max_iter=2).fit(X, y, weights)
    of_lists = make_tagger(max_iter=2).fit(texts, lists, weights)
    a, b = of_rows.network_.state, of_lists.network_.state
    np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-12)
    if weights is None:
        weights = np.ones(len(texts))
    given = [np.full(len(text), w) for text, w in zip(texts, weights, strict=True)]
    of_tokens = make_tagger(max_iter=2).fit(texts, lists, given)
    np.testing.assert_allclose(of_tokens.network_.state, b, rtol=1e-8, atol=1e-12)
