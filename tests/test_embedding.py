"""Embedding against plain loops, PyTorch, and in networks of its estimators."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench
from sklearn.base import clone

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.engine.network import Network
from skconvnet.layers import Conv1D, Dense, Embedding, GlobalMaxPool, Parallel


def looked_up(table, X, padding, reduce):
    """Word by word: one list of vectors a text, then what is taken of them."""
    outputs = []
    for text in X:
        if reduce is None:
            zero = np.zeros(table.shape[1])
            outputs.append([zero if t == padding else table[t] for t in text])
            continue
        vectors = [table[t] for t in text if t != padding]
        take = {"sum": np.sum, "mean": np.mean, "max": np.max}[reduce]
        empty = np.zeros(table.shape[1])
        outputs.append(take(vectors, axis=0) if vectors else empty)
    return np.array(outputs)


def gradient_of_table(table, X, dy, padding, reduce):
    """Each token of each text hands its share of dy to its row of the table."""
    gradient = np.zeros_like(table)
    for text, d in zip(X, dy, strict=True):
        kept = [(i, t) for i, t in enumerate(text) if t != padding]
        for i, t in kept:
            if reduce is None:
                gradient[t] += d[i]
            elif reduce == "sum":
                gradient[t] += d
            elif reduce == "mean":
                gradient[t] += d / len(kept)
        if reduce == "max" and kept:
            for dim in range(table.shape[1]):
                _, winner = max(kept, key=lambda it, dim=dim: table[it[1], dim])
                gradient[winner, dim] += d[dim]
    return gradient


@settings(max_examples=80, deadline=None)
@given(
    n_tokens=st.integers(1, 12),
    n_dims=st.integers(1, 6),
    length=st.integers(1, 9),
    n=st.integers(1, 7),
    has_padding=st.booleans(),
    reduce=st.sampled_from([None, "sum", "mean", "max"]),
    block=st.sampled_from([1, 20, 2**17]),
    seed=st.integers(0, 2**31),
)
def test_against_plain_loops(
    n_tokens, n_dims, length, n, has_padding, reduce, block, seed
):
    rng = np.random.default_rng(seed)
    padding = int(rng.integers(n_tokens)) if has_padding else None
    X = rng.integers(0, n_tokens, (n, length))
    bench = Bench(Embedding(n_tokens, n_dims, padding, reduce), (length,), seed=seed)
    table = bench.weights["table"].copy()
    bench.layer.block_size = block
    y = bench.forward(X, train=True)
    dy = rng.normal(size=y.shape)
    _, views, _ = bench.backward(dy, need_dx=False)
    np.testing.assert_allclose(y, looked_up(table, X, padding, reduce), rtol=1e-13)
    expected = gradient_of_table(table, X, dy, padding, reduce)
    np.testing.assert_allclose(views["table"], expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("reduce", [None, "sum", "mean", "max"])
def test_text_of_padding_alone_is_zero_and_teaches_nothing(reduce):
    bench = Bench(Embedding(4, 3, padding_token=2, reduce=reduce), (5,))
    assert bench.weights["table"][2].all()
    y = bench.forward(np.full((2, 5), 2))
    _, views, _ = bench.backward(np.ones(y.shape))
    assert not y.any()
    assert not views["table"].any()


@pytest.mark.parametrize("reduce", [None, "max"])
def test_input_has_no_gradient(reduce):
    bench = Bench(Embedding(4, 3, reduce=reduce), (5,), "float32")
    y = bench.forward(np.ones((6, 5)))
    dx, _, _ = bench.backward(np.ones(y.shape))
    assert dx.shape == (6, 5)
    assert dx.dtype == np.float32
    assert not dx.any()


def test_starting_weights():
    network = Network([("words", Embedding(2000, 8, padding_token=5))], (3,), "float64")
    network.initialize(np.random.RandomState(0))
    table = network.weights["words/table"]
    assert table.shape == (2000, 8)
    assert not table[5].any()
    others = np.delete(table, 5, axis=0)
    assert -0.05 <= others.min() < -0.0499
    assert 0.0499 < others.max() <= 0.05
    assert abs(others.mean()) < 1e-3
    assert others.std() == pytest.approx(0.1 / np.sqrt(12), rel=0.02)


def test_alpha_leaves_the_table_alone():
    layers = [("words", Embedding(4, 3)), ("out", Dense(2))]
    network = Network(
        [layers[0], ("pool", GlobalMaxPool()), layers[1]], (5,), "float32"
    )
    assert network.layout.n_penalized == 3 * 2


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (Embedding(0, 3), ValueError, "n_tokens must be an int of at least 1; got 0"),
        (Embedding(2.0, 3), TypeError, "n_tokens must be an int .* got 2.0"),
        (Embedding(2**24 + 1, 1), ValueError, "n_tokens must be at most .* 16777217"),
        (Embedding(4, -1), ValueError, "n_dims must be an int of at least 1; got -1"),
        (Embedding(4, 2, 4), ValueError, "padding_token .* n_tokens - 1 = 3.* got 4"),
        (Embedding(4, 2, -1), ValueError, "padding_token .* got -1"),
        (Embedding(4, 2, True), TypeError, "padding_token .* got True"),
        (Embedding(4, 2, 0.0), TypeError, "padding_token .* got 0.0"),
        (Embedding(4, 2, None, "avg"), ValueError, "reduce .*'mean'.* got 'avg'"),
    ],
)
def test_parameters_out_of_range(spec, error, message):
    with pytest.raises(error, match=message):
        spec.build((5,))


def test_input_must_be_rows():
    with pytest.raises(ValueError, match=r"Embedding needs flat input.*\(5, 2\)"):
        Embedding(4, 3).build((5, 2))


def test_largest_table_is_allowed():
    layer = Embedding(2**24, 1).build((3,))
    assert layer.weight_shapes == {"table": (2**24, 1)}
    assert np.float32(2**24 - 1) != np.float32(2**24 - 2)


@pytest.fixture(scope="module")
def texts():
    """Two kinds of texts: those where 3 follows 2, and those where 2 follows 3."""
    rng = np.random.default_rng(0)
    X = rng.integers(4, 12, (300, 12)).astype(np.uint16)
    y = rng.integers(0, 2, 300)
    at = rng.integers(0, 11, 300)
    X[np.arange(300), at] = 2 + y
    X[np.arange(300), at + 1] = 3 - y
    return X, np.where(y == 1, "back", "forth")


def text_cnn(**params):
    return SequentialClassifier(
        layers=[
            ("words", Embedding(12, 6, padding_token=0)),
            ("conv", Conv1D(8, 2, activation="relu")),
            ("pool", GlobalMaxPool()),
        ],
        batch_size=32,
        learning_rate_init=0.02,
        max_iter=30,
        tol=0.01,
        n_iter_no_change=3,
        random_state=0,
        **params,
    )


def test_convolution_over_vectors_learns_the_order_of_words(texts):
    X, y = texts
    model = text_cnn().fit(X[:200], y[:200])
    assert model.network_.dtype == np.float32
    assert model.score(X[200:], y[200:]) == 1.0
    assert model.get_weights()["words/table"].shape == (12, 6)
    # Lists, DataFrames of tokens and rows of floats are the same texts.
    expected = model.predict_proba(X)
    np.testing.assert_array_equal(model.predict_proba(X.tolist()), expected)
    np.testing.assert_array_equal(model.predict_proba(X.astype("float64")), expected)


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_same_bits_whatever_the_threads(texts, n_jobs):
    one = text_cnn(n_jobs=1).set_params(max_iter=5, tol=1.0, n_iter_no_change=1)
    many = clone(one).set_params(n_jobs=n_jobs)
    one, many = (model.fit(*texts).get_weights() for model in (one, many))
    assert all(np.array_equal(one[name], many[name]) for name in one)


def test_padding_keeps_its_vector_in_training(texts):
    X, y = texts
    X = X.copy()
    X[:, -3:] = 0
    model = text_cnn(solver="adamw").fit(X, y)
    assert not model.get_weights()["words/table"][0].any()


@pytest.mark.parametrize("reduce", ["mean", "sum", "max"])
def test_reduced_embeddings_learn_which_words_occur(reduce):
    rng = np.random.default_rng(0)
    X = rng.integers(1, 30, (300, 9))
    y = (X == 7).any(axis=1) * 1.0
    model = SequentialRegressor(
        [Embedding(30, 4, padding_token=0, reduce=reduce), Dense(8, "relu")],
        batch_size=20,
        learning_rate_init=0.02,
        max_iter=60,
        tol=1e-3,
        random_state=0,
    )
    assert model.fit(X[:250], y[:250]).score(X[250:], y[250:]) > 0.9


def test_two_tables_side_by_side(texts):
    X, y = texts
    tables = [
        ("mean", Embedding(12, 6, 0, "mean")),
        ("max", Embedding(12, 4, 0, "max")),
    ]
    model = text_cnn().set_params(
        layers=[("words", Parallel(tables)), Dense(8, "relu")]
    )
    model.initialize(X, y)
    assert model.activations(X, "words").shape == (300, 10)
    _, gradients = model.loss_gradients(X, y)
    weights = model.get_weights()
    tables = {name for name in gradients if name.endswith("/table")}
    assert len(tables) == 2
    for name in tables:
        step = np.zeros_like(weights[name])
        step[5, 1] = 1e-2
        losses = []
        for sign in (1, -1):
            model.set_weights({name: weights[name] + sign * step})
            losses.append(model.loss_gradients(X, y)[0])
        model.set_weights(weights)
        slope = (losses[0] - losses[1]) / 2e-2
        assert gradients[name][5, 1] == pytest.approx(slope, rel=0.02, abs=1e-5)


@pytest.mark.parametrize("value", [12, -1, 2.5, 1e30])
def test_tokens_that_are_none(texts, value):
    X, y = texts
    bad = X.astype(np.float64)
    bad[3, 4] = value
    message = f"n_tokens=12 .*whole numbers from 0 to 11, but X holds {value:.15g};"
    untrained = text_cnn()
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        untrained.fit(bad, y)
    assert not hasattr(untrained, "network_")
    model = untrained.initialize(X, y)
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        model.predict(bad)
    assert model.predict(X).shape == (300,)


@pytest.mark.parametrize("reduce", [None, "mean", "max"])
def test_a_step_allocates_neither_a_table_nor_a_map(reduce):
    bench = Bench(Embedding(20_000, 64, 0, reduce), (200,), "float32")
    rng = np.random.default_rng(0)
    x = rng.integers(0, 20_000, (200, 64)).astype("float32")
    gradients = {"table": np.empty_like(bench.weights["table"])}
    options = {"workspace": bench.workspace}

    def step(dy=None):
        y, cache = bench.layer.forward(x, train=True, rng=None, **options)
        dy = np.ones_like(y) if dy is None else dy
        bench.layer.backward(dy, cache, gradients=gradients, need_dx=False, **options)
        return dy

    dy = step(step())
    tracemalloc.start()
    step(dy)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The table has 5.1 MB, the map 3.3 MB, and a block of tokens 0.5 MB.
    assert peak < 1_300_000


@pytest.mark.parametrize("padding", [None, 0, 3])
@pytest.mark.parametrize("reduce", [None, "sum", "mean", "max"])
def test_against_torch(torch, padding, reduce):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 40, (11, 17))
    bench = Bench(Embedding(40, 6, padding, reduce), (17,))
    table = torch.tensor(bench.weights["table"].copy())
    if padding is not None:
        table[padding] = 0
    table.requires_grad_()
    if reduce is None:
        theirs = torch.nn.functional.embedding(
            torch.tensor(X), table, padding_idx=padding
        )
    else:
        theirs = torch.nn.functional.embedding_bag(
            torch.tensor(X), table, mode=reduce, padding_idx=padding
        )
    y = bench.forward(X)
    np.testing.assert_allclose(y, theirs.detach().numpy(), rtol=1e-13)
    dy = rng.normal(size=y.shape)
    theirs.backward(torch.tensor(dy))
    _, views, _ = bench.backward(dy)
    np.testing.assert_allclose(views["table"], table.grad.numpy(), rtol=1e-12)
