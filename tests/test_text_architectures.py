"""Published networks for texts: shapes, weights, and texts of several lengths.

Numbers of weights are computed here from the sizes in the papers, or counted in the
modules of PyTorch.
"""

import numpy as np
import pytest
from architecture_tools import n_weights, out_shapes, weight_shapes

from skconvnet import SequentialClassifier
from skconvnet.architectures import fasttext, text_cnn, transformer_encoder
from skconvnet.engine.network import Network
from skconvnet.layers import Dense

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
    "text_cnn": text_cnn(N_TOKENS, width=1 / 16),
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
