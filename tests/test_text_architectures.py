"""Published networks for texts: shapes, weights, and texts of several lengths.

Numbers of weights are computed here from the sizes in the papers, or counted in the
modules of PyTorch.
"""

import numpy as np
import pytest
from architecture_tools import n_weights, out_shapes, weight_shapes
from scipy.special import expit, softmax
from sklearn.pipeline import make_pipeline

from skconvnet import SequentialClassifier
from skconvnet.architectures import (
    fasttext,
    han,
    rcnn,
    text_cnn,
    text_rnn,
    transformer_encoder,
)
from skconvnet.engine.network import Network
from skconvnet.layers import Dense
from skconvnet.text import DocumentTokens

N_TOKENS = 1000
ROW = (60,)
OUTPUT = ("output", Dense(5))


def test_text_cnn():
    convolutions = sum((size * 300 + 1) * 100 for size in (3, 4, 5))
    expected = N_TOKENS * 300 + convolutions + 301 * 5
    assert n_weights([*text_cnn(N_TOKENS), OUTPUT], ROW) == expected
    assert out_shapes(text_cnn(N_TOKENS), ROW) == {
        "embedding": (60, 300),
        "phrases": (300,),
        "drop": (300,),
    }
    # Each filter sees whole vectors of words.
    kernels = weight_shapes(text_cnn(N_TOKENS, 8, 6, (2, 3)), ROW)
    assert kernels["phrases/words2/conv/kernel"] == (6, 8, 2)
    assert kernels["phrases/words3/conv/kernel"] == (6, 8, 3)


def test_fasttext():
    layers = [*fasttext(N_TOKENS), OUTPUT]
    assert n_weights(layers, ROW) == N_TOKENS * 10 + 11 * 5
    model = SequentialClassifier(fasttext(9), random_state=0, dtype="float64")
    X = np.array([[3, 4, 0, 8], [5, 0, 0, 0]])
    model.initialize(X, [0, 1])
    table = model.get_weights()["embedding/table"]
    means = [table[[3, 4, 8]].mean(axis=0), table[5]]
    np.testing.assert_allclose(model.activations(X, "embedding"), means)


def n_of_cell(cell, n_in, units):
    """Count the weights of a recurrent layer that reads in one direction."""
    kernels = n_in * units + units * units
    # Candidates of a GRU have two biases.
    return {
        "simple": kernels + units,
        "gru": 3 * (kernels + 2 * units),
        "lstm": 4 * (kernels + units),
    }[cell]


def n_of_pytorch(module):
    # It has one bias for the inputs and one for the states; only a GRU needs both.
    one_bias = type(module).__name__ != "GRU"
    return sum(
        parameter.numel()
        for name, parameter in module.named_parameters()
        if not (one_bias and name.startswith("bias_hh"))
    )


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple"])
def test_text_rnn(cell):
    both = text_rnn(N_TOKENS, cell=cell)
    expected = N_TOKENS * 64 + 2 * n_of_cell(cell, 64, 50) + 101 * 5
    assert n_weights([*both, OUTPUT], ROW) == expected
    assert out_shapes(both, ROW) == {"embedding": (60, 64), "rnn1": (100,)}
    forward = text_rnn(N_TOKENS, 32, 20, cell, 2, bidirectional=False)
    expected = n_of_cell(cell, 32, 20) + n_of_cell(cell, 20, 20)
    assert n_weights(forward, ROW) == N_TOKENS * 32 + expected
    assert out_shapes(forward, ROW)["rnn1"] == (60, 20)
    assert out_shapes(forward, ROW)["rnn2"] == (20,)


@pytest.mark.torch
@pytest.mark.parametrize(("cell", "name"), [("lstm", "LSTM"), ("gru", "GRU")])
@pytest.mark.parametrize("n_layers", [1, 3])
def test_text_rnn_has_the_weights_of_pytorch(cell, name, n_layers):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.nn, name)(64, 50, n_layers, bidirectional=True)
    ours = n_weights(text_rnn(N_TOKENS, cell=cell, n_layers=n_layers), ROW)
    assert ours == N_TOKENS * 64 + n_of_pytorch(theirs)


@pytest.mark.parametrize("cell", ["simple", "gru", "lstm"])
def test_rcnn(cell):
    layers = rcnn(N_TOKENS, cell=cell)
    expected = N_TOKENS * 50 + 2 * n_of_cell(cell, 50, 50) + 151 * 100 + 101 * 5
    assert n_weights([*layers, OUTPUT], ROW) == expected
    assert list(out_shapes(layers, ROW).values()) == [
        *((60, 50), (60, 150), (60, 100), (100,))
    ]


@pytest.mark.parametrize("cell", ["gru", "lstm", "simple"])
def test_han(cell):
    layers = han(N_TOKENS, cell=cell)
    attention = 100 * 100 + 100 + 100
    words = 2 * n_of_cell(cell, 200, 50) + attention
    sentences = 2 * n_of_cell(cell, 100, 50) + attention
    expected = N_TOKENS * 200 + words + sentences + 101 * 5
    assert n_weights([*layers, OUTPUT], (7, 12)) == expected
    assert list(out_shapes(layers, (7, 12)).values()) == [*((7, 100), (7, 100), (100,))]


@pytest.mark.torch
@pytest.mark.parametrize("width", [1, 1 / 8])
def test_blocks_of_transformers_have_the_weights_of_pytorch(width):
    torch = pytest.importorskip("torch")
    dims, units = int(512 * width), int(2048 * width)
    layer = torch.nn.TransformerEncoderLayer(dims, 8, units)
    of_a_block = sum(p.numel() for p in layer.parameters())
    texts = n_weights(transformer_encoder(N_TOKENS, width=width), ROW)
    assert texts == N_TOKENS * dims + 6 * of_a_block
    series = n_weights(transformer_encoder(n_blocks=2, width=width), (60, 3))
    assert series == (3 + 1) * dims + 2 * of_a_block


def test_transformer():
    shapes = out_shapes(transformer_encoder(N_TOKENS), ROW)
    assert list(shapes) == [
        *("embedding", "scale", "positions", "drop"),
        *("block1", "block2", "block3", "block4", "block5", "block6", "pool"),
    ]
    assert shapes["block6"] == (60, 512)
    assert shapes["pool"] == (512,)
    pooled = weight_shapes(
        transformer_encoder(9, 16, 1, pooling="attention", pre_norm=True), ROW
    )
    assert pooled["pool/kernel"] == (16, 16)
    assert pooled["norm/gamma"] == (16,)


TEXTS = {
    "fasttext": fasttext(N_TOKENS),
    "rcnn": rcnn(N_TOKENS, width=1 / 8),
    "text_cnn": text_cnn(N_TOKENS, width=1 / 16),
    "text_rnn": text_rnn(N_TOKENS, 8, 4, n_layers=2),
    "text_rnn forward": text_rnn(N_TOKENS, 8, 4, "gru", bidirectional=False),
    "transformer_encoder": transformer_encoder(N_TOKENS, n_blocks=1, width=1 / 32),
    "transformer_encoder max": transformer_encoder(N_TOKENS, 8, 2, 2, 8, pooling="max"),
}


def scores_without_padding(model, row):
    """Return the scores of one text from a network that is built for its length."""
    tokens = row[row != 0].astype("float64")
    network = model.network_.for_shape(tokens.shape)
    return network.chain.predict(tokens[:, np.newaxis], network.workspaces())[:, 0]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_padding_tokens_change_nothing(name):
    layers = TEXTS[name]
    assert Network([*layers, OUTPUT], (12,), "float64").pads_samples
    rng = np.random.default_rng(0)
    X = rng.integers(1, N_TOKENS, (6, 12))
    for row, length in zip(X, (12, 5, 9, 6, 12, 7), strict=True):
        row[length:] = 0
    model = SequentialClassifier(layers, max_iter=2, random_state=0, dtype="float64")
    model.fit(X, np.arange(6) % 3)
    alone = [scores_without_padding(model, row) for row in X]
    np.testing.assert_allclose(model.decision_function(X), alone, rtol=1e-9)
    assert np.ptp(alone, axis=0).min() > 1e-6


class Published:
    """Formulas of the papers for one text, on the weights of a model, by name."""

    def __init__(self, model):
        self.arrays = model.get_weights()

    def __call__(self, name):
        return self.arrays[name]

    def both_ends(self, step, x, name):
        """Return the states of both directions at each step, (steps, 2 * units)."""
        return np.hstack(
            [
                self.states(step, x, f"{name}/forward"),
                self.states(step, x[::-1], f"{name}/backward")[::-1],
            ]
        )

    def states(self, step, x, name):
        arrays = [self(f"{name}/{a}") for a in ("kernel", "recurrent_kernel", "bias")]
        h, states = np.zeros(len(arrays[1])), []
        for x_t in x:
            h = step(x_t, h, *arrays)
            states.append(h)
        return np.array(states)

    def attention(self, x, name):
        u = np.tanh(x @ self(f"{name}/kernel") + self(f"{name}/bias"))
        return softmax(u @ self(f"{name}/context")) @ x

    def scores(self, x):
        return x @ self("output/kernel") + self("output/bias")


def simple_step(x, h, kernel, recurrent_kernel, bias):
    return np.tanh(x @ kernel + h @ recurrent_kernel + bias)


def gru_step(x, h, kernel, recurrent_kernel, bias):
    z, r, g = np.split(x @ kernel + bias[0], 3)
    z_h, r_h, g_h = np.split(h @ recurrent_kernel + bias[1], 3)
    z, r = expit(z + z_h), expit(r + r_h)
    return z * h + (1 - z) * np.tanh(g + r * g_h)


def rcnn_of_the_paper(text, w):
    words = w("embedding/table")[text]
    context = w.both_ends(simple_step, words, "words/context/rnn")
    joined = np.hstack([words, context])
    hidden = np.tanh(joined @ w("dense/kernel")[:, :, 0].T + w("dense/bias"))
    return w.scores(hidden.max(axis=0))


def han_of_the_paper(document, w):
    vectors = []
    for sentence in document:
        words = w("sentences/embedding/table")[sentence[sentence != 0]]
        states = w.both_ends(gru_step, words, "sentences/rnn")
        vectors.append(w.attention(states, "sentences/attention"))
    states = w.both_ends(gru_step, np.array(vectors), "rnn")
    return w.scores(w.attention(states, "attention"))


def texts_of(lengths):
    rng = np.random.default_rng(0)
    X = rng.integers(1, 20, (len(lengths), max(lengths)))
    for row, length in zip(X, lengths, strict=True):
        row[length:] = 0
    return X


def trained(layers, X):
    model = SequentialClassifier(layers, max_iter=3, random_state=0, dtype="float64")
    return model.set_params(learning_rate_init=0.1).fit(X, np.arange(len(X)) % 3)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_rcnn_computes_the_formulas_of_the_paper():
    X = texts_of((9, 4, 7, 9, 1, 2))
    model = trained(rcnn(20, 6, 5, 8), X)
    w = Published(model)
    expected = [rcnn_of_the_paper(text[text != 0], w) for text in X]
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-10)
    assert np.ptp(expected, axis=0).min() > 0.1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_han_computes_the_formulas_of_the_paper():
    n_sentences = (3, 1, 4, 2, 4)
    lengths = np.array([5, 2, 3, 0, 1, 0, 0, 0, 4, 4, 1, 5, 3, 2, 0, 0, 5, 1, 1, 2])
    X = texts_of(lengths).reshape(5, 4, 5)
    layers = han(20, 6, 5, 4)
    assert Network([*layers, OUTPUT], (4, 5), "float64").pads_samples
    model = trained(layers, X)
    w = Published(model)
    expected = [
        han_of_the_paper(document[:n], w)
        for document, n in zip(X, n_sentences, strict=True)
    ]
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-10)
    assert np.ptp(expected, axis=0).min() > 0.1
    # More padding changes nothing.
    more = np.pad(X, ((0, 0), (0, 2), (0, 3)))
    wide = SequentialClassifier(layers, dtype="float64").initialize(
        more, [0, 1, 2, 0, 1]
    )
    wide.set_weights(model.get_weights())
    np.testing.assert_allclose(wide.decision_function(more), expected, rtol=1e-10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_documents_to_predictions():
    good, bad = "It was good. Very good indeed!", "We left. It was bad. So bad."
    documents, y = [good, bad, "Good!", "Bad, bad!"] * 8, [1, 0, 1, 0] * 8
    net = SequentialClassifier(
        han(30, 8, 8, 8),
        batch_size=8,
        learning_rate_init=0.02,
        max_iter=15,
        random_state=0,
    )
    model = make_pipeline(DocumentTokens(30, 4, 6), net).fit(documents, y)
    assert model.score(documents, y) == 1
    assert list(model.predict(["A good one", "A bad one. Bad!"])) == [1, 0]
