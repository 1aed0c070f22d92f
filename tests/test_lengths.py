"""Sequences that are padded to share a micro-batch, against each of them alone."""

import numpy as np
import pytest
from engine_tools import assert_close, assert_same_bits, differentiate, make_network
from hypothesis import given
from hypothesis import strategies as st
from layer_cases import CASES, TAKES_TOKENS, name
from layer_tools import Bench, batch_last

from skconvnet import SequentialRegressor
from skconvnet.engine.executor import Executor
from skconvnet.engine.micro_batches import cut_minibatch
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.engine.ragged import MapList, RaggedInputs
from skconvnet.layers import (
    LSTM,
    Activation,
    AvgPool1D,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv1DTranspose,
    Dense,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool1D,
    PositionalEncoding,
    Residual,
    SpatialPyramidPool,
    TimeDistributed,
    Upsample,
)
from skconvnet.losses import SquaredError
from skconvnet.ops.lengths import clear_padding
from skconvnet.ops.workspace import Workspace

# Longer than the sequences of the cases, and not in order.
LENGTHS = np.array([5, 12, 0, 1, 7, 12, 3])

# More cases with one spatial axis, in which the ends of a sequence matter.
MORE = [
    (AvgPool1D(2), (12, 3)),
    (AvgPool1D(3, 1), (12, 3)),
    (BatchNorm(), (12, 3)),
    (Conv1D(2, 3, padding="full"), (12, 3)),
    (Conv1D(2, 3, 2, padding=((2, 0),)), (12, 3)),
    (Conv1D(24, 3, padding="same", activation="silu"), (12, 24)),
    (Conv1DTranspose(2, 3, 2, "same"), (12, 3)),
    (Conv1DTranspose(2, 4, 3, output_padding=2), (12, 3)),
    (Embedding(9, 3, padding_token=0), (12,)),
    (MaxPool1D(2), (12, 3)),
    (MaxPool1D(3, 1, "same"), (12, 3)),
    (PositionalEncoding("learned", max_length=14), (12, 3)),
    (Residual([Conv1D(3, 3, padding="same"), BatchNorm()]), (12, 3)),
    (TimeDistributed(Dense(2, "tanh")), (12, 3)),
    (TimeDistributed([Dense(2), BatchNorm()]), (12, 3)),
    (Upsample(3), (12, 3)),
]


def takes_lengths(case):
    spec, in_shape = case
    network = Network([("layer", spec)], in_shape, "float64")
    is_sequence = len(in_shape) == 2 or isinstance(spec, TAKES_TOKENS)
    if not (is_sequence and network.pads_samples):
        return False
    try:
        network.for_shape((int(LENGTHS.max()), *in_shape[1:]))
    except ValueError:  # such as a table with a vector for each position
        return False
    return True


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SEQUENCES = [case for case in CASES + MORE if takes_lengths(case)]
of_sequences = pytest.mark.parametrize(
    ("spec", "in_shape"), SEQUENCES, ids=[name(case) for case in SEQUENCES]
)


def padded(spec, in_shape, lengths):
    """Draw sequences of these lengths, and pad them to the longest."""
    rng = np.random.default_rng(0)
    shape = (len(lengths), max(lengths), *in_shape[1:])
    if isinstance(spec, TAKES_TOKENS):
        token = spec.padding_token
        X = rng.integers(0, spec.n_tokens, shape)
        X[token == X] = (token or 0) + 1 if token != spec.n_tokens - 1 else 0
        value = 0 if token is None else token
    else:
        X, value = rng.normal(size=shape), 0
    for one, length in zip(X, lengths, strict=True):
        one[length:] = value
    return X * 1.0


def run(network, x, lengths, dy):
    """Run a chain forward and backward; return outputs and gradients."""
    workspaces = network.workspaces()
    rng = np.random.default_rng(5)
    y, caches = network.chain.forward(
        x, train=False, rng=rng, workspaces=workspaces, lengths=lengths
    )
    after = network.chain.lengths_after(x, lengths)
    y, dy = y.copy(), dy.copy()
    clear_padding(dy, after)
    gradient = np.full_like(network.vector, np.nan)
    dx = network.chain.backward(
        dy,
        caches,
        gradients=network.by_layer(gradient),
        workspaces=workspaces,
        need_dx=True,
    )
    return y, after, dx.copy(), gradient


@of_sequences
def test_padded_sequences_give_what_each_gives_alone(spec, in_shape):
    network = make_network([("layer", spec)], in_shape)
    network.vector[:] = np.random.default_rng(1).normal(size=network.vector.size)
    whole = network.for_shape((int(LENGTHS.max()), *in_shape[1:]))
    X = padded(spec, in_shape, LENGTHS)
    shape = (len(LENGTHS), *whole.chain.out_shape)
    slopes = batch_last(np.random.default_rng(2).normal(size=shape))
    y, after, dx, gradient = run(whole, batch_last(X), LENGTHS, slopes)
    total = np.zeros_like(gradient)
    for i, length in enumerate(LENGTHS):
        n_outputs = after[i] if after is not None else None
        if length == 0 or n_outputs == 0:
            assert not y[..., i].any()
            continue
        alone = network.for_shape((int(length), *in_shape[1:]))
        one = batch_last(X[i : i + 1, :length])
        own = slice(None) if n_outputs is None else (slice(None), slice(n_outputs))
        dy = slopes[..., i : i + 1][own]
        y_one, _, dx_one, gradient_one = run(alone, one, None, dy)
        y_own = y[..., i : i + 1][own]
        np.testing.assert_allclose(y_own, y_one, rtol=1e-12, atol=1e-14)
        if not isinstance(spec, TAKES_TOKENS):
            own_dx = dx[:, :length, i : i + 1]
            np.testing.assert_allclose(own_dx, dx_one, rtol=1e-11, atol=1e-13)
            assert not dx[:, length:, i].any()
        total += gradient_one
    np.testing.assert_allclose(gradient, total, rtol=1e-10, atol=1e-12)


DETERMINED = [case for case in SEQUENCES if not Bench(*case).layer.is_random]


@pytest.mark.parametrize(
    ("spec", "in_shape"), DETERMINED, ids=[name(case) for case in DETERMINED]
)
def test_training_on_padded_sequences_is_that_on_sequences_of_equal_length(
    spec, in_shape, monkeypatch
):
    # Unlike the test above, this is for layers that need the whole minibatch too, and
    # for the weights of samples.
    lengths = np.array([5, 12, 4, 7, 12, 5, 11])
    X = padded(spec, in_shape, lengths)
    maps = [one[:n] for one, n in zip(X, lengths, strict=True)]
    pool = [] if len(Bench(spec, in_shape).layer.out_shape) == 1 else [GlobalAvgPool()]
    specs = [("layer", spec), *(("pool", own) for own in pool), ("out", Dense(2))]
    results = []
    for pads in (True, False):
        network = make_network(specs, in_shape)
        monkeypatch.setattr(Network, "pads_samples", pads)
        value = getattr(spec, "padding_token", None) or 0
        inputs = RaggedInputs(MapList(maps), in_shape, "float64", padding_value=value)
        n_cuts = len(cut_minibatch(network, inputs, slice(0, len(maps))))
        assert n_cuts == (1 if pads else 5)
        weights = np.array([1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.0])
        samples = Samples(inputs, np.ones((len(maps), 2)), weights)
        with Executor(network, SquaredError(), 1) as executor:
            loss, gradient = differentiate(executor, samples, seed=3)
        results.append((loss, gradient, network.state))
    assert_close(results, rtol=1e-10, atol=1e-13)


LAYERS = [
    Conv1D(4, 3, padding="same"),
    BatchNorm(),
    Activation("relu"),
    MaxPool1D(2),
    Conv1D(4, 2, activation="tanh"),
    Upsample(2),
    Residual([Conv1D(4, 3, padding="same")]),
    Bidirectional(LSTM(2, return_sequences=True)),
    TimeDistributed([Dense(4, "tanh"), BatchNorm()]),
]


@given(st.lists(st.sampled_from(LAYERS), min_size=1, max_size=5), st.data())
def test_any_network_of_sequences(layers, data):
    # Halved five times, 32 steps leave one.
    lengths = data.draw(st.lists(st.integers(32, 40), min_size=2, max_size=9))
    pool = data.draw(st.sampled_from([GlobalAvgPool(), GlobalMaxPool()]))
    specs = [(f"layer{i}", layer) for i, layer in enumerate([*layers, pool])]
    network = make_network([*specs, ("out", Dense(1))], (40, 4), micro_batch=4)
    X = [np.random.default_rng(n).normal(size=(n, 4)) for n in lengths]
    inputs = RaggedInputs(MapList(X), (40, 4), "float64")
    with Executor(network, SquaredError(), 2) as executor:
        together = executor.outputs(inputs)
        alone = [executor.outputs(inputs, slice(i, i + 1))[0] for i in range(len(X))]
    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("layer", "lengths"),
    [
        (Residual([MaxPool1D(3), Upsample(3)]), [39, 33, 36, 39]),  # not 40
        (PositionalEncoding("learned", max_length=33), [33, 20, 30]),  # not 36
    ],
)
def test_rounded_lengths_that_do_not_fit(layer, lengths):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)) for length in lengths]
    reg = SequentialRegressor([layer, GlobalAvgPool()], max_iter=1, random_state=0)
    reg.set_params(dtype="float64").fit(X, np.arange(len(X)) * 1.0)
    alone = np.concatenate([reg.predict([one]) for one in X])
    np.testing.assert_allclose(reg.predict(X), alone, rtol=1e-12)


def test_a_micro_batch_has_sequences_of_similar_length():
    lengths = np.random.default_rng(0).integers(10, 1000, 512)
    X = MapList([np.zeros((n, 1)) for n in lengths])
    specs = [("conv", Conv1D(2, 3, padding="same")), ("pool", GlobalMaxPool())]
    network = make_network(specs, (100, 1))
    inputs = RaggedInputs(X, (100, 1), "float64")
    cuts = cut_minibatch(network, inputs, slice(0, 512))
    assert sorted(np.concatenate(cuts)) == list(range(512))
    read = sum(inputs.shape_of(cut)[0] * len(cut) for cut in cuts)
    assert read < 1.25 * lengths.sum()
    assert len(cuts) < 512 / 16 + 1


@pytest.mark.parametrize(
    "layers",
    [
        [Flatten(), Dense(2)],
        [Conv1D(3, 3, 2, "same"), GlobalMaxPool()],
        [AvgPool1D(3, 1, "same"), GlobalMaxPool()],
        [SpatialPyramidPool()],
    ],
)
def test_networks_that_must_not_pad(layers):
    specs = [(f"layer{i}", layer) for i, layer in enumerate(layers)]
    assert not Network(specs, (12, 3), "float64").pads_samples


def test_maps_are_never_padded():
    assert not Network([("act", Activation())], (4, 5, 3), "float64").pads_samples


@pytest.mark.parametrize("n_threads", [1, 2])
def test_same_bits_for_any_number_of_threads(n_threads):
    lengths = np.random.default_rng(0).integers(5, 60, 200)
    X = [np.random.default_rng(n).normal(size=(n, 3)) for n in lengths]
    specs = [
        ("conv", Conv1D(8, 3, padding="same")),
        ("norm", BatchNorm()),
        ("pool", GlobalMaxPool()),
        ("out", Dense(2)),
    ]
    samples = Samples(
        RaggedInputs(MapList(X), (60, 3), "float32"), np.ones((200, 2), "float32")
    )
    results = []
    for threads in (1, n_threads):
        network = make_network(specs, (60, 3), "float32")
        with Executor(network, SquaredError(), threads) as executor:
            results.append((*differentiate(executor, samples, seed=0), network.state))
    assert_same_bits(results)


def test_batch_norm_of_empty_sequences_keeps_its_statistics():
    bench = Bench(BatchNorm(), (4, 2))
    workspace = Workspace()
    workspace.lengths = np.zeros(3, int)
    before = bench.network.state.copy()
    y, _ = bench.layer.forward(
        np.zeros((2, 4, 3)), train=True, rng=None, workspace=workspace
    )
    assert np.isfinite(y).all()
    np.testing.assert_array_equal(bench.network.state, before)
