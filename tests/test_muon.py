"""Muon, against plain loops over named arrays, PyTorch, and singular values."""

import pickle

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skconvnet import SequentialClassifier
from skconvnet.engine.network import Network
from skconvnet.layers import (
    GRU,
    LSTM,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Embedding,
    Flatten,
    GlobalAvgPool,
    LocallyConnected1D,
    MultiHeadAttention,
    Parallel,
    Residual,
    SeparableConv2D,
)
from skconvnet.layers.matrices import hidden_matrices_of
from skconvnet.ops.newton_schulz import orthogonalize
from skconvnet.ops.workspace import Workspace
from skconvnet.optimizers import OPTIMIZERS, Muon
from skconvnet.params.naming import name_layers

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RATE, N_STEPS = 0.01, 6

# Lists of layers, the shape of a sample, and how the weights that are matrices are
# divided: ``(parts along the first axis, parts along the last axis, are the rows of a
# part its inputs)``. All other weights are updated by Adam.
NETWORKS = {
    "convolutions": (
        [
            Conv2D(4, 3),
            BatchNorm(),
            Conv2D(6, 3, padding="same"),
            Conv2D(4, 3, groups=2, padding="same"),
            DepthwiseConv2D(3, padding="same"),
            SeparableConv2D(8, 3),
            Conv2DTranspose(6, 2, groups=2),
            Flatten(),
            Dense(5),
        ],
        (8, 8, 2),
        {
            "conv2d_2/kernel": (1, 1, False),
            "conv2d_3/kernel": (2, 1, False),
            "separableconv2d/pointwise": (1, 1, False),
            "conv2dtranspose/kernel": (2, 1, True),
            "dense/kernel": (1, 1, True),
        },
    ),
    "recurrence": (
        [
            LSTM(4, return_sequences=True),
            Bidirectional(GRU(3, return_sequences=True)),
            MultiHeadAttention(2, 2),
            LocallyConnected1D(3, 2),
            Flatten(),
        ],
        (5, 3),
        {
            "lstm/recurrent_kernel": (1, 4, True),
            "bidirectional/forward/kernel": (1, 3, True),
            "bidirectional/forward/recurrent_kernel": (1, 3, True),
            "bidirectional/backward/kernel": (1, 3, True),
            "bidirectional/backward/recurrent_kernel": (1, 3, True),
            "multiheadattention/query_kernel": (1, 1, True),
            "multiheadattention/key_kernel": (1, 1, True),
            "multiheadattention/value_kernel": (1, 1, True),
            "multiheadattention/output_kernel": (1, 1, True),
            "locallyconnected1d/kernel": (None, 1, False),
        },
    ),
    "tokens": (
        [Embedding(9, 4), Conv1D(5, 2), GlobalAvgPool()],
        (6,),
        {"conv1d/kernel": (1, 1, False)},
    ),
    "composites": (
        [
            Residual([("a", Conv2D(3, 3, padding="same")), ("b", Conv2D(3, 1))]),
            Parallel([("one", Conv2D(2, 1)), ("two", Conv2D(2, 3, padding="same"))]),
            Flatten(),
        ],
        (4, 4, 2),
        {
            "residual/b/kernel": (1, 1, False),
            "parallel/one/conv2d/kernel": (1, 1, False),
            "parallel/two/conv2d/kernel": (1, 1, False),
        },
    ),
    "perceptron": (
        [Dense(6), Dense(4), Dense(7)],
        (5,),
        {"dense_2/kernel": (1, 1, True), "dense_3/kernel": (1, 1, True)},
    ),
}
every_network = pytest.mark.parametrize("case", NETWORKS)


def network_of(case, dtype="float64"):
    layers, in_shape, _ = NETWORKS[case]
    specs = [*name_layers(layers), ("output", Dense(3))]
    network = Network(specs, in_shape, dtype)
    network.initialize(np.random.RandomState(0))
    return network


def lay_out(optimizer, network):
    hidden = hidden_matrices_of(network.layers)
    optimizer.lay_out(network.layout.arrays(hidden))


def gradients_for(network):
    rng = np.random.default_rng(1)
    shape = (N_STEPS, network.vector.size)
    return rng.normal(size=shape).astype(network.dtype)


def nearest_by_steps(matrix, n_steps):
    """Return the result of the published iteration, as it is written down."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / np.sqrt((matrix**2).sum())
    for _ in range(n_steps):
        x = a * x + b * x @ x.T @ x + c * x @ x.T @ x @ x.T @ x
    return x


def parts_of(array, division):
    """Yield the indices of each matrix, flattened to two axes, as (outputs, inputs)."""
    n_first, n_last, rows_are_inputs = division
    numbers = np.arange(array.size).reshape(array.shape)
    if n_first is None:  # all positions of a sequence
        n_first = array.shape[0]
        numbers = numbers.reshape(-1, *array.shape[2:])
    for first in np.split(numbers, n_first, axis=0):
        for part in np.split(first, n_last, axis=-1):
            matrix = part.reshape(len(part), -1)
            yield matrix.T if rows_are_inputs else matrix


def muon_by_hand(network, divisions, muon, rate):
    """Return the weights after all steps, in loops over the named arrays."""
    weights = {name: w.copy() for name, w in network.weights.items()}
    mean = {name: np.zeros_like(w) for name, w in weights.items()}
    square = {name: np.zeros_like(w) for name, w in weights.items()}
    for t, gradient in enumerate(gradients_for(network), start=1):
        for name, g in network.layout.views(gradient).items():
            w = weights[name]
            if name in divisions:
                own_rate = rate
                beta = muon.momentum
                mean[name] = beta * mean[name] + (1 - beta) * g
                ahead = (1 - beta) * g + beta * mean[name]
                ahead = ahead if muon.nesterov else mean[name]
                step = np.empty(w.size)
                for numbers in parts_of(w, divisions[name]):
                    n_out, n_in = numbers.shape
                    near = nearest_by_steps(
                        ahead.ravel()[numbers], muon.n_newton_schulz_steps
                    )
                    scale = max(1, n_out / n_in) ** 0.5
                    if muon.scaling == "adam":
                        scale = 0.2 * max(n_out, n_in) ** 0.5
                    step[numbers] = scale * near
                step = step.reshape(w.shape)
            else:
                own_rate = rate * muon.adam_rate_factor
                mean[name] = muon.beta_1 * mean[name] + (1 - muon.beta_1) * g
                square[name] = muon.beta_2 * square[name] + (1 - muon.beta_2) * g**2
                root = np.sqrt(square[name] / (1 - muon.beta_2**t)) + muon.epsilon
                step = mean[name] / (1 - muon.beta_1**t) / root
            weights[name] = w - own_rate * (step + muon.weight_decay * w)
    return weights


@pytest.mark.parametrize(
    "muon",
    [
        Muon(),
        Muon(0.8, nesterov=False, scaling="original", adam_rate_factor=0.1),
        Muon(n_newton_schulz_steps=3, beta_1=0.5, beta_2=0.7, weight_decay=0.5),
    ],
    ids=repr,
)
@every_network
def test_as_plain_loops_over_named_arrays(case, muon):
    network, muon = network_of(case), clone(muon)
    lay_out(muon, network)
    expected = muon_by_hand(network, NETWORKS[case][2], muon, RATE)
    muon.chunk_size = 50
    for gradient in gradients_for(network):
        muon.step(network.vector, gradient, RATE)
    for name, w in network.weights.items():
        np.testing.assert_allclose(w, expected[name], rtol=1e-8, atol=1e-11)


@every_network
def test_hidden_matrices(case):
    forms = hidden_matrices_of(network_of(case).layers)
    used = {name for name, f in forms.items() if min(f.n_rows_and_columns) > 1}
    assert used == set(NETWORKS[case][2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_network
def test_a_step_is_nearly_semi_orthogonal(case, dtype):
    network = network_of(case, dtype)
    muon = Muon(scaling="original")
    lay_out(muon, network)
    before = {name: w.copy() for name, w in network.weights.items()}
    muon.step(network.vector, gradients_for(network)[0], 1.0)
    for name, division in NETWORKS[case][2].items():
        change = (before[name] - network.weights[name]).ravel()
        gradient = network.layout.views(gradients_for(network)[0])[name].ravel()
        for numbers in parts_of(before[name], division):
            n_out, n_in = numbers.shape
            own = change[numbers] / max(1, n_out / n_in) ** 0.5
            u, sizes, vt = np.linalg.svd(gradient[numbers], full_matrices=False)
            inside = u.T @ own @ vt.T
            # Directions of hardly any gradient would take more steps.
            large = sizes > 0.01 * np.linalg.norm(sizes)
            diagonal = np.diag(inside)[large]
            assert ((diagonal > 0.67) & (diagonal < 1.21)).all(), name
            np.testing.assert_allclose(inside, np.diag(np.diag(inside)), atol=1e-4)


@given(
    n=st.integers(1, 4),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    n_steps=st.integers(1, 7),
    seed=st.integers(0, 99),
)
@settings(deadline=None)
def test_orthogonalize(n, rows, columns, n_steps, seed):
    matrices = np.random.default_rng(seed).normal(size=(n, rows, columns))
    expected = [nearest_by_steps(matrix, n_steps) for matrix in matrices]
    out = np.empty((columns, n, rows)).transpose(1, 2, 0)
    orthogonalize(matrices, out, n_steps, Workspace())
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-8)


def test_a_gradient_of_zero_changes_nothing():
    network = network_of("perceptron")
    muon, before = Muon(), network.vector.copy()
    lay_out(muon, network)
    muon.step(network.vector, np.zeros_like(network.vector), 1.0)
    np.testing.assert_array_equal(network.vector, before)


PEERS = [
    (Muon(scaling="original"), {"weight_decay": 0.0}),
    (Muon(weight_decay=0.3), {"weight_decay": 0.3, "adjust_lr_fn": "match_rms_adamw"}),
    (
        Muon(0.6, nesterov=False, scaling="original"),
        {"momentum": 0.6, "nesterov": False, "weight_decay": 0.0},
    ),
    (
        Muon(n_newton_schulz_steps=2, scaling="original"),
        {"ns_steps": 2, "weight_decay": 0.0},
    ),
]


@pytest.mark.parametrize(("muon", "options"), PEERS, ids=str)
@pytest.mark.parametrize("shape", [(4, 6), (9, 3), (5, 5)])
def test_step_for_step_as_pytorch(torch, monkeypatch, muon, options, shape):
    # PyTorch's rounds to bfloat16, of 8 bits, before the Newton-Schulz steps.
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    n_in, n_out = shape
    layers = [("a", Dense(n_in)), ("b", Dense(n_out)), ("c", Dense(2))]
    network = Network(layers, (3,), "float64")
    network.initialize(np.random.RandomState(0))
    kernel, muon = network.weights["b/kernel"], clone(muon)
    theirs = torch.nn.Parameter(torch.tensor(kernel.T.copy()))
    peer = torch.optim.Muon([theirs], lr=RATE, **options)
    lay_out(muon, network)
    for gradient in gradients_for(network):
        own = network.layout.views(gradient)["b/kernel"]
        theirs.grad = torch.tensor(own.T.copy())
        peer.step()
        muon.step(network.vector, gradient, RATE)
        np.testing.assert_allclose(
            kernel, theirs.detach().numpy().T, rtol=1e-6, atol=1e-6 * RATE
        )


def wide_network(n_jobs, **params):
    return SequentialClassifier(
        [
            Conv2D(16, 3, padding="same", activation="relu"),
            Conv2D(32, 3, padding="same", activation="relu"),
            Flatten(),
            Dense(200, activation="relu"),
            Dense(150, activation="relu"),
        ],
        solver="muon",
        max_iter=2,
        batch_size=20,
        dtype="float32",
        random_state=0,
        n_jobs=n_jobs,
        **params,
    )


@pytest.mark.parametrize("params", [{}, {"l1_ratio": 0.5, "alpha": 0.1}], ids=str)
def test_the_same_bits_for_any_number_of_threads(params):
    X, y = data_for(CLASSIFIERS[1])
    one, two, three = (wide_network(n, **params).fit(X, y) for n in (1, 2, 3))
    assert one.network_.vector.size > 200_000  # more than one chunk
    np.testing.assert_array_equal(two.network_.vector, one.network_.vector)
    np.testing.assert_array_equal(three.network_.vector, one.network_.vector)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_by_name_and_as_an_object(cls):
    X, y = data_for(cls)
    deep = {"hidden_layer_sizes": (5, 5)} if "Sequential" not in cls.__name__ else {}
    vectors = [
        make(cls, solver=solver, momentum=0.5, **deep).fit(X, y).network_.vector
        for solver in ("muon", Muon(), Muon(0.5), Muon(adam_rate_factor=0.1))
    ]
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert not np.array_equal(vectors[2], vectors[0])
    assert not np.array_equal(vectors[3], vectors[0])


def test_a_frozen_first_layer_is_still_the_first():
    X, y = data_for(SequentialClassifier)
    layers = [
        ("conv1", Conv2D(3, 3, trainable=False)),
        ("conv2", Conv2D(4, 3)),
        ("flatten", Flatten()),
    ]
    model = SequentialClassifier(layers, solver="muon", max_iter=1, random_state=0)
    start = model.initialize(X, y).get_weights()
    model.set_params(batch_mode="bgd", alpha=0.0, warm_start=True).fit(X, y)
    change = {name: w - start[name] for name, w in model.get_weights().items()}
    np.testing.assert_array_equal(change["conv1/kernel"], 0)
    sizes = np.linalg.svd(change["conv2/kernel"].reshape(4, -1), compute_uv=False)
    scale = 0.2 * 27**0.5 * model.learning_rate_init
    assert ((sizes > 0.67 * scale) & (sizes < 1.21 * scale)).all()


def test_a_pickle_continues_without_a_layout():
    network = network_of("convolutions")
    muon = Muon()
    lay_out(muon, network)
    *first, last = gradients_for(network)
    for gradient in first:
        muon.step(network.vector, gradient, RATE)
    other, weights = pickle.loads(pickle.dumps(muon)), network.vector.copy()
    muon.step(network.vector, last, RATE)
    other.step(weights, last, RATE)
    np.testing.assert_array_equal(weights, network.vector)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"momentum": 1.0}, r"'momentum' parameter of Muon must be .*\[0.0, 1.0\)"),
        ({"n_newton_schulz_steps": 0}, "'n_newton_schulz_steps' parameter of Muon"),
        (
            {"scaling": "rms"},
            "'scaling' parameter of Muon must be .*'adam', 'original'",
        ),
        ({"adam_rate_factor": 0.0}, "'adam_rate_factor' parameter of Muon"),
    ],
    ids=str,
)
def test_wrong_parameters(params, message):
    X, y = data_for(ESTIMATORS[0])
    with pytest.raises(ValueError, match=message):
        make(ESTIMATORS[0], solver=Muon(**params)).fit(X, y)


def test_it_has_a_name():
    assert OPTIMIZERS["muon"] is Muon
