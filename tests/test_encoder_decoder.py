"""EncoderDecoder against its formula, and a network that learns to reverse."""

import numpy as np
import pytest
from layer_tools import Bench, assert_build_fails, batch_last
from sklearn.base import clone

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    GRU,
    BatchNorm,
    Conv1D,
    Embedding,
    EncoderDecoder,
    GlobalMaxPool,
    LayerNorm,
)
from skconvnet.ops.workspace import Workspace


def recurrent(units, **params):
    return GRU(units, return_sequences=True, **params)


def of_tokens(source_length, **params):
    return EncoderDecoder(
        [Embedding(9, 4, padding_token=0), recurrent(3)],
        [Embedding(9, 2, padding_token=0), recurrent(5)],
        source_length,
        units=4,
        **params,
    )


def plain_attention(memory, decoded, weights):
    """Return the outputs of one sample, step by step."""
    outputs = []
    for h in decoded:
        scores = [
            np.tanh(
                h @ weights["query_kernel"]
                + m @ weights["key_kernel"]
                + weights["bias"]
            )
            @ weights["context"]
            for m in memory
        ]
        shares = np.exp(scores) / np.sum(np.exp(scores))
        outputs.append([*h, *(shares @ memory)])
    return np.array(outputs)


def test_against_the_formula():
    spec = EncoderDecoder([Conv1D(4, 3)], [("rnn", recurrent(2))], 6, units=3)
    bench = Bench(spec, (10, 2))
    x = np.random.default_rng(1).normal(size=(5, 10, 2))
    y = bench.forward(x)
    for sample, own in zip(x, y, strict=True):
        parts = []
        for part, steps in (("encoder", sample[:6]), ("decoder", sample[6:])):
            chain = bench.layer.chains[part]
            spaces = chain.workspaces(Workspace())
            parts.append(chain.predict(batch_last(steps[None]), spaces)[..., 0].T)
        expected = plain_attention(*parts, bench.weights)
        np.testing.assert_allclose(own, expected, rtol=1e-12)


def test_names_of_weights():
    layer = of_tokens(6).build((10,))
    assert layer.out_shape == (4, 8)
    own = {name: s for name, s in layer.weight_shapes.items() if "/" not in name}
    assert own == {
        "query_kernel": (5, 4),
        "key_kernel": (3, 4),
        "bias": (4,),
        "context": (4,),
    }
    assert layer.weight_shapes["encoder/gru/kernel"] == (4, 9)
    assert layer.weight_shapes["decoder/embedding/table"] == (9, 2)


def test_parameters_of_inner_layers():
    spec = of_tokens(6).set_params(encoder__gru__units=7, decoder__gru=recurrent(1))
    assert spec.build((10,)).out_shape == (4, 8)
    assert clone(spec).get_params()["encoder__gru__units"] == 7


def test_padding_of_source_and_target():
    # The same sequences with more padding in both parts.
    short, long = Bench(of_tokens(5), (9,)), Bench(of_tokens(8), (15,))
    rng = np.random.default_rng(0)
    sources, targets = rng.integers(1, 9, (6, 5)), rng.integers(1, 9, (6, 4))
    for i, (n, m) in enumerate([(5, 4), (1, 4), (3, 1), (5, 2), (0, 3), (2, 0)]):
        sources[i, n:] = targets[i, m:] = 0
    x = np.hstack([sources, targets])
    wide = np.pad(sources, ((0, 0), (0, 3))), np.pad(targets, ((0, 0), (0, 3)))
    lengths = short.layer.lengths_after(x.T, None)
    assert list(lengths) == [4, 4, 1, 2, 3, 0]
    results = []
    for bench, own in ((short, x), (long, np.hstack(wide))):
        y = bench.forward(own)[:, :4]
        dy = np.zeros((6, bench.layer.out_shape[0], 8))
        for i, n in enumerate(lengths):
            dy[i, :n] = np.cos(np.arange(n * 8)).reshape(n, 8)
            y[i, n:] = 0
        _, _, gradient = bench.backward(dy)
        results.append((y, gradient))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


def test_padding_before_tokens_is_refused():
    X = np.random.default_rng(0).integers(1, 9, (6, 10))
    X[:, 4:6] = X[:, 9:] = 0
    y = np.arange(24).reshape(6, 4, 1) % 3
    layers = [("translate", of_tokens(6))]
    net = SequentialClassifier(layers, max_iter=1, batch_size=6).initialize(X, y)
    between = X.copy()
    between[2, 7] = 0  # in a target
    assert net.predict(between).shape == (6, 4, 1)
    for position, message in (
        (1, r"each source, .* source \[\d, 0, .*_token=0 before other tokens\. Move"),
        (6, r"each target, .* target \[0, \d, \d, 0\] with"),
    ):
        wrong = X.copy()
        wrong[3, position] = 0
        for call in (net.predict, lambda X: net.fit(X, y)):
            with pytest.raises(ValueError, match=message):
                call(wrong)
    wide = SequentialClassifier(
        [("translate", of_tokens(6).set_params(encoder__embedding__padding_token=None))]
    )
    wrong[:, 6] = 1
    wrong[:, 1] = 0  # a token like others
    assert wide.initialize(wrong, y).predict(wrong).shape == (6, 4, 1)


def test_attention_weights():
    bench = Bench(of_tokens(6), (10,))
    x = np.random.default_rng(0).integers(1, 9, (3, 10))
    x[1, 2:6] = 0
    weights = bench.layer.attention_weights(x.T * 1.0, Workspace())
    assert weights.shape == (1, 4, 6, 3)
    np.testing.assert_allclose(weights.sum(axis=2), 1, rtol=1e-12)
    assert not weights[:, :, 2:, 1].any()


def test_wrong_parameters():
    parts = [recurrent(3)], [recurrent(3)]
    for wrong in (4, 9):
        spec = EncoderDecoder(*parts, wrong)
        assert_build_fails(ValueError, spec, (4, 2), f"source_length={wrong}", "4")
    assert_build_fails(ValueError, EncoderDecoder(*parts, 0), (4, 2), "source_length")
    spec = EncoderDecoder([GRU(3)], [recurrent(3)], 2)
    assert_build_fails(ValueError, spec, (4, 2), "encoder", "return_sequences=True")
    spec = EncoderDecoder([recurrent(3)], [recurrent(3), GlobalMaxPool()], 2)
    assert_build_fails(ValueError, spec, (4, 2), "decoder", "pooling")
    spec = EncoderDecoder([recurrent(3), BatchNorm()], [recurrent(3)], 2)
    assert_build_fails(ValueError, spec, (4, 2), "encoder", "LayerNorm")
    assert_build_fails(ValueError, EncoderDecoder(*parts, 2, units=0), (4, 2), "units")
    EncoderDecoder([recurrent(3), LayerNorm()], [recurrent(3)], 2).build((4, 2))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_frozen_layer_keeps_its_weights():
    rng = np.random.default_rng(0)
    X, y = rng.integers(1, 9, (20, 10)), rng.integers(0, 3, (20, 4, 1))
    frozen = of_tokens(6, trainable=False)
    net = SequentialClassifier([frozen], max_iter=1, warm_start=True, random_state=0)
    net.initialize(X, y)
    before = net.get_weights()
    after = net.fit(X, y).get_weights()
    for name, array in before.items():
        assert (after[name] == array).all() == name.startswith("encoderdecoder/")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_learns_to_reverse():
    rng = np.random.default_rng(0)
    start, n_steps = 1, 5
    X, y = np.zeros((1500, 2 * n_steps), int), np.zeros((1500, n_steps, 1), int)
    for row, targets in zip(X, y, strict=True):
        n = rng.integers(2, n_steps + 1)
        row[:n] = rng.integers(2, 9, n)
        targets[:n, 0] = row[:n][::-1]
        row[n_steps] = start
        row[n_steps + 1 : n_steps + n] = targets[: n - 1, 0]
    parts = ([Embedding(9, 12, padding_token=0), recurrent(32)] for _ in range(2))
    net = SequentialClassifier(
        [EncoderDecoder(*parts, n_steps, units=16)],
        max_iter=25,
        batch_size=32,
        learning_rate_init=0.02,
        random_state=0,
    )
    weights = (y[..., 0] > 0).astype(float)
    net.fit(X[:1300], y[:1300], weights[:1300])
    # Greedy: each element is the one predicted after those before it.
    generated = X[1300:].copy()
    generated[:, n_steps + 1 :] = 0
    for step in range(n_steps - 1):
        generated[:, n_steps + 1 + step] = net.predict(generated)[:, step, 0]
    predicted, own = net.predict(generated)[..., 0], weights[1300:] > 0
    is_right = ((predicted == y[1300:, :, 0]) | ~own).all(axis=1)
    assert is_right.mean() > 0.9
