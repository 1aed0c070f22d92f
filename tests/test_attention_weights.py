"""attention_weights of fitted estimators."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skconvnet import SequentialClassifier
from skconvnet.inspection import attention_weights
from skconvnet.layers import (
    AdditiveAttention,
    AttentionPooling,
    Conv1D,
    Embedding,
    GlobalAvgPool,
    MultiHeadAttention,
    TransformerEncoder,
)

LAYERS = {
    "heads": MultiHeadAttention(2, 3),
    "block": TransformerEncoder(2, 8),
    "additive": AdditiveAttention(3),
}


def fitted(X, *layers):
    clf = SequentialClassifier(list(layers), random_state=0, dtype="float64")
    return clf.initialize(X, np.arange(len(X)) % 2)


@pytest.mark.parametrize("name", LAYERS)
def test_series(name):
    X = np.random.default_rng(0).normal(size=(5, 7, 4))
    clf = fitted(X, Conv1D(4, 3, padding="same"), (name, LAYERS[name]), GlobalAvgPool())
    weights = attention_weights(clf, X, name)
    assert weights.shape == (5, 1 if name == "additive" else 2, 7, 7)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-12)
    # Of series of other lengths, each by itself.
    some = [X[0], X[1, :4], X[2, :4], X[3, :1]]
    for one, own in zip(some, attention_weights(clf, some, name), strict=True):
        np.testing.assert_allclose(own, attention_weights(clf, one[None], name)[0])
    doubled = make_pipeline(FunctionTransformer(lambda X: X * 2), clf)
    np.testing.assert_allclose(
        attention_weights(doubled, X, name), attention_weights(clf, 2 * X, name)
    )


@pytest.mark.parametrize("name", LAYERS)
def test_tokens_with_padding_anywhere(name):
    rng = np.random.default_rng(0)
    X = rng.integers(1, 9, (8, 6))
    X[rng.uniform(size=X.shape) < 0.3] = 0
    embedding = Embedding(9, 4, padding_token=0)
    clf = fitted(X, embedding, (name, LAYERS[name]), GlobalAvgPool())
    weights = attention_weights(clf, X, name)
    assert weights.shape[2:] == (6, 6)
    for row, own in zip(X, weights, strict=True):
        is_own = row != 0
        assert not own[..., ~is_own].any()
        compact = np.pad(row[is_own], (0, 6 - sum(is_own)))
        (alone,) = attention_weights(clf, [compact], name)
        n = sum(is_own)
        of_own = own[:, is_own][..., is_own]
        np.testing.assert_allclose(of_own, alone[:, :n, :n], rtol=1e-12)


def test_pooling():
    X = np.array([[1, 2, 0, 3], [0, 0, 4, 0]])
    clf = fitted(X, Embedding(9, 4, padding_token=0), ("pool", AttentionPooling(3)))
    weights = attention_weights(clf, X, "pool")
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    assert ((weights > 0) == (X > 0)).all()
    assert weights[1, 2] == 1


def test_errors():
    X = np.zeros((4, 5, 4))
    clf = fitted(X, ("att", MultiHeadAttention(2, 2)), GlobalAvgPool())
    with pytest.raises(ValueError, match="'att', which have attention; got 'at'"):
        attention_weights(clf, X, "at")
    with pytest.raises(ValueError, match="no layer of attention"):
        attention_weights(fitted(X, Conv1D(2, 2)), X, "conv1d")
    with pytest.raises(TypeError, match="attention_weights needs an estimator"):
        attention_weights(FunctionTransformer().fit(X[0]), X, "att")


def test_rows_of_texts_that_a_layer_shortens():
    rng = np.random.default_rng(0)
    texts = [rng.integers(1, 9, n) for n in rng.integers(4, 30, 100)]
    X = np.zeros((100, 30), int)
    for row, text in zip(X, texts, strict=True):
        row[: len(text)] = text
    layers = [
        Embedding(9, 4, padding_token=0),
        Conv1D(4, 3),
        ("attention", MultiHeadAttention(2, 2)),
        ("pool", AttentionPooling(3)),
    ]
    clf = SequentialClassifier(layers, random_state=0).initialize(X, np.arange(100) % 2)
    for name, shape in (("attention", (2, 28, 28)), ("pool", (28,))):
        weights = attention_weights(clf, X, name)
        assert weights.shape == (100, *shape)
        few = attention_weights(clf, X[:3], name)
        np.testing.assert_allclose(few, weights[:3], rtol=1e-5, atol=1e-7)
