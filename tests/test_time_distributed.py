"""Layers at every step, and documents of sentences of different lengths."""

import numpy as np
import pytest
from layer_tools import Bench, assert_build_fails, batch_last
from numpy.testing import assert_allclose

from skconvnet import SequentialClassifier
from skconvnet.engine.network import Network
from skconvnet.layers import (
    GRU,
    LSTM,
    AvgPool1D,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    SpatialPyramidPool,
    TimeDistributed,
)
from skconvnet.layers.micro_batch_runner import MicroBatchRunner
from skconvnet.ops.steps import fold_steps, unfold_steps
from skconvnet.ops.workspace import Workspace

N_TOKENS = 12


def documents(rng, shapes, n_steps, n_words):
    """Draw tokens of documents, with a list of lengths of sentences for each."""
    X = np.zeros((len(shapes), n_steps, n_words), int)
    for document, lengths in zip(X, shapes, strict=True):
        for sentence, n in zip(document, lengths, strict=False):
            sentence[:n] = rng.integers(1, N_TOKENS, n)
    return X


@pytest.mark.parametrize(
    ("inner", "step"),
    [
        ([Dense(3, "tanh")], (4,)),
        ([LSTM(3)], (5, 2)),
        ([Conv1D(3, 2), GlobalMaxPool()], (5, 2)),
        ([Conv2D(2, 3)], (5, 6, 2)),
        ([Conv2D(2, 3), Flatten(), Dense(2)], (5, 6, 2)),
    ],
)
def test_every_step_goes_through_the_layers(inner, step):
    bench = Bench(TimeDistributed(inner), (3, *step))
    names = [f"layer{i}" for i in range(len(inner))]
    single = Network(list(zip(names, inner, strict=True)), step, "float64")
    single.vector[:] = bench.network.vector
    x = np.random.default_rng(1).normal(size=(4, 3, *step))
    y = bench.forward(x)
    for t in range(3):
        own = single.predict(batch_last(x[:, t]), single.workspaces())
        assert_allclose(batch_last(y[:, t]), own, rtol=1e-12)


def test_steps_folded_and_unfolded_are_unchanged():
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 5))
    folded = fold_steps(x, Workspace())
    assert folded.shape == (2, 4, 15)
    np.testing.assert_array_equal(folded[:, :, 1 * 5 + 2], x[:, 1, :, 2])
    np.testing.assert_array_equal(unfold_steps(folded, 3, "x", Workspace()), x)


HIERARCHY = [
    TimeDistributed([Embedding(N_TOKENS, 4, padding_token=0), Bidirectional(GRU(3))]),
    GRU(3),
]
SHAPES = [(3, 1), (4,), (), (2, 0, 5), (1, 1, 1)]


@pytest.mark.parametrize(
    "layers",
    [
        HIERARCHY,
        [
            TimeDistributed(
                [
                    Embedding(N_TOKENS, 4, padding_token=0),
                    BatchNorm(),
                    GlobalAvgPool(),
                    Dense(3, "tanh"),
                    BatchNorm(),
                ]
            ),
            GlobalMaxPool(),
        ],
        [
            TimeDistributed(Embedding(N_TOKENS, 3, padding_token=0, reduce="max")),
            Bidirectional(LSTM(2, return_sequences=True)),
            GlobalAvgPool(),
        ],
    ],
    ids=["hierarchy", "batch norm", "reduced"],
)
def test_more_padding_changes_nothing(layers):
    rng = np.random.default_rng(1)
    X = documents(rng, SHAPES, 3, 5)
    y = np.array([0, 1, 0, 1, 1])
    longer = np.pad(X, ((0, 0), (0, 2), (0, 3)))
    results = []
    for own in (X, longer):
        est = SequentialClassifier(layers, dtype="float64", random_state=0)
        est.initialize(own, y)
        loss, gradients = est.loss_gradients(own, y)
        results.append([loss, est.predict_proba(own), *gradients.values()])
        results[-1].append(est.partial_fit(own, y).predict_proba(own))
    for one, other in zip(*results, strict=True):
        assert_allclose(one, other, rtol=1e-8, atol=1e-12)


def test_padding_before_the_words_changes_nothing():
    X = documents(np.random.default_rng(1), SHAPES, 3, 5)
    before = np.take_along_axis(X, np.argsort(X != 0, axis=2, kind="stable"), axis=2)
    assert not np.array_equal(X, before)
    est = SequentialClassifier(HIERARCHY, random_state=0)
    est.initialize(X, np.array([0, 1, 0, 1, 1]))
    assert_allclose(est.predict_proba(X), est.predict_proba(before), rtol=1e-12)


@pytest.mark.parametrize("token", [0, N_TOKENS - 1])
def test_lists_of_documents_are_padded(token):
    rng = np.random.default_rng(1)
    words = np.setdiff1d(np.arange(N_TOKENS), [token])
    X = [rng.choice(words, (n, 4)) for n in (3, 1, 2, 3, 2, 5)]
    y = np.array([0, 1, 0, 1, 0, 1])
    padded = np.full((6, 7, 4), token)
    for whole, own in zip(padded, X, strict=True):
        own[:, 3] = token
        whole[: len(own)] = own
    sentences = TimeDistributed([Embedding(N_TOKENS, 3, padding_token=token), GRU(3)])
    layers = [sentences, GRU(2)]
    results = []
    for own in (X, padded):
        est = SequentialClassifier(layers, dtype="float64", random_state=0)
        est.initialize(own, y)
        loss, gradients = est.loss_gradients(own, y)
        results.append([loss, est.predict_proba(own), *gradients.values()])
    for one, other in zip(*results, strict=True):
        assert_allclose(one, other, rtol=1e-10, atol=1e-14)


def test_lengths_are_the_last_sentences_with_words():
    layer = HIERARCHY[0].build((3, 5))
    X = documents(np.random.default_rng(1), SHAPES, 3, 5)
    lengths = layer.lengths_after(batch_last(X * 1.0), None)
    np.testing.assert_array_equal(lengths, [2, 1, 0, 3, 3])
    # Without any padding, or without a padding token, there are none.
    assert layer.lengths_after(np.ones((5, 3, 2)), None) is None
    plain = TimeDistributed([Embedding(N_TOKENS, 4), GRU(3)]).build((3, 5))
    assert plain.lengths_after(batch_last(X * 1.0), None) is None


def test_a_layer_for_a_fixed_number_of_sentences_counts_padding():
    X = documents(np.random.default_rng(1), SHAPES, 3, 5)
    layers = [HIERARCHY[0], Flatten(), Dense(4, "tanh")]
    est = SequentialClassifier(layers, random_state=0)
    est.initialize(X, np.array([0, 1, 0, 1, 1]))
    layer = est.network_.layers["timedistributed"]
    assert layer.lengths_after(batch_last(X * 1.0), None) is None


def test_a_layer_that_cannot_leave_out_padding_is_refused():
    X = documents(np.random.default_rng(1), SHAPES, 3, 5)
    layers = [HIERARCHY[0], AvgPool1D(2, padding="same"), GlobalMaxPool()]
    est = SequentialClassifier(layers, random_state=0)
    with pytest.raises(ValueError, match="'avgpool1d' cannot leave out padding"):
        est.initialize(X, np.array([0, 1, 0, 1, 1]))


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 0.0, 1.0])])
def test_statistics_are_over_the_own_steps_of_all_samples(weights):
    spec = TimeDistributed([BatchNorm(momentum=0.0)])
    layer = Bench(spec, (3, 2)).layer
    x = np.random.default_rng(1).normal(size=(4, 3, 2))
    lengths = np.array([3, 1, 2, 0])
    own = [values[:n] for values, n in zip(x, lengths, strict=True)]
    for values, n in zip(x, lengths, strict=True):
        values[n:] = 0
    workspaces = [Workspace(), Workspace()]
    workspaces[0].lengths, workspaces[1].lengths = lengths[:2], lengths[2:]
    runner = MicroBatchRunner(
        lambda n, task: [task(i, 0) for i in range(n)],
        [None, None],
        None if weights is None else [weights[:2], weights[2:]],
    )
    layer.forward_micro_batches(
        [layer, layer],
        [batch_last(x[:2]), batch_last(x[2:])],
        runner=runner,
        workspaces=workspaces,
    )
    counts = np.ones(4) if weights is None else weights
    of_steps = np.repeat(counts, lengths)
    values = np.concatenate(own)
    mean = np.average(values, axis=0, weights=of_steps)
    assert_allclose(layer.buffers["batchnorm/moving_mean"], mean, rtol=1e-12)


def test_micro_batches_and_threads_do_not_matter():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(90, 6, 5, 3)), rng.integers(0, 2, 90)
    layers = [
        TimeDistributed([Conv1D(4, 3), BatchNorm(), GlobalMaxPool()]),
        LSTM(3),
    ]
    probabilities = []
    for n_jobs in (1, 2):
        est = SequentialClassifier(layers, random_state=0, n_jobs=n_jobs)
        for _ in range(3):
            est.partial_fit(X, y, classes=[0, 1])
        probabilities.append(est.predict_proba(X))
    np.testing.assert_array_equal(*probabilities)


def test_layers_for_a_fixed_number_of_words_count_padding():
    inner = [Embedding(N_TOKENS, 4, padding_token=0), Flatten(), Dense(3)]
    layer = TimeDistributed(inner).build((3, 5))
    X = documents(np.random.default_rng(1), SHAPES, 3, 5)
    words = layer.chain.layers["embedding"]
    assert words.lengths_after(X[0].T * 1.0, None) is None
    # The number of sentences may still be any.
    assert layer.takes_lengths
    assert layer.lengths_after(batch_last(X * 1.0), None) is not None


def test_parameters_of_the_layers_are_their_own():
    spec = TimeDistributed([("embed", Embedding(9, 4)), GRU(3)])
    spec.set_params(gru__units=5, embed__n_dims=2)
    layer = spec.build((4, 6))
    assert layer.out_shape == (4, 5)
    assert layer.weight_shapes["embed/table"] == (9, 2)
    single = TimeDistributed(Dense(3))
    assert single.set_params(layers__units=4).build((4, 6)).out_shape == (4, 4)
    assert single.spatial_ndim == 1
    assert TimeDistributed([Conv2D(3, 3)]).spatial_ndim == 3


def test_wrong_inputs_are_refused():
    assert_build_fails(ValueError, TimeDistributed(Dense(3)), (5,), "steps", "(5,)")
    wrong = TimeDistributed([Dense(3), Conv1D(3, 2)])
    assert_build_fails(ValueError, wrong, (5, 4), "layers", "Conv1D")
    assert_build_fails(TypeError, TimeDistributed(3), (5, 4), "layers")


@pytest.mark.parametrize(
    "layer",
    [
        Conv1D(3, 3, 2, padding="same"),
        AvgPool1D(3, 1, "same"),
        SpatialPyramidPool((1, 2)),
    ],
)
def test_layers_that_cannot_leave_out_padding_are_refused(layer):
    words = Embedding(9, 4, padding_token=0)
    match = r"layer '.*' cannot leave out padding, but .* padding_token=0"
    with pytest.raises(ValueError, match=match):
        TimeDistributed([words, layer]).build((6, 5))
    documents = [("sentences", TimeDistributed([words, GRU(4)])), ("layer", layer)]
    with pytest.raises(ValueError, match=match):
        Network(documents, (6, 5), "float64")
    words = Embedding(9, 4)
    Network(
        [("sentences", TimeDistributed([words, GRU(4)])), ("layer", layer)],
        (6, 5),
        "float64",
    )


def test_maps_of_words_are_refused_if_there_is_padding():
    layers = [
        ("e", TimeDistributed(Embedding(9, 4, padding_token=0))),
        ("c", Conv2D(3, 3)),
    ]
    match = r"layer 'e' cannot .* the end of TimeDistributed"
    with pytest.raises(ValueError, match=match):
        Network(layers, (6, 5), "float64")
