"""Batch normalization: its statistics are those of whole minibatches."""

import pickle

import numpy as np
import pytest
from engine_tools import assert_close, differentiate, make_network
from layer_tools import Bench
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skconvnet import SequentialClassifier
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.micro_batches import MicroBatchLimits
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    Parallel,
    Residual,
)
from skconvnet.layers.chain import Chain
from skconvnet.layers.chain_micro_batches import Segment, segments_of
from skconvnet.losses import SquaredError
from skconvnet.optimizers import SGD

SHAPES = [(5,), (7, 2), (4, 3, 2), (3, 2, 4, 2)]


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(2.0, 3.0, size=shape)


def normalized(x, epsilon=1e-5):
    """Return what the definition gives, the means, and the variances over n - 1."""
    flat = x.reshape(-1, x.shape[-1])
    mean, variance = flat.mean(axis=0), flat.var(axis=0)
    return (x - mean) / np.sqrt(variance + epsilon), mean, flat.var(axis=0, ddof=1)


@pytest.mark.parametrize("shape", SHAPES)
def test_output_and_moving_statistics_follow_the_definition(shape):
    bench = Bench(BatchNorm(momentum=0.8), shape)
    x = draw((6, *shape))
    bench.network.buffers["layer/moving_mean"][:] = 0.5
    bench.network.buffers["layer/moving_variance"][:] = 2.0
    y = bench.forward(x, train=True)
    expected, mean, variance = normalized(x)
    gamma, beta = bench.weights["gamma"], bench.weights["beta"]
    np.testing.assert_allclose(y, gamma * expected + beta, rtol=1e-12)
    moved = bench.network.buffers
    np.testing.assert_allclose(moved["layer/moving_mean"], 0.4 + 0.2 * mean)
    np.testing.assert_allclose(moved["layer/moving_variance"], 1.6 + 0.2 * variance)
    before = bench.network.state.copy()
    y = bench.forward(x)
    frozen = (x - moved["layer/moving_mean"]) / np.sqrt(
        moved["layer/moving_variance"] + 1e-5
    )
    np.testing.assert_allclose(y, gamma * frozen + beta, rtol=1e-12)
    np.testing.assert_array_equal(bench.network.state, before)


def test_a_single_value_leaves_the_moving_variance():
    bench = Bench(BatchNorm(momentum=0.5), (3,))
    bench.network.buffers["layer/moving_variance"][:] = 2.0
    x = np.array([[1.0, -4.0, 6.0]])
    for _ in range(3):
        bench.forward(x, train=True)
    moved = bench.network.buffers
    np.testing.assert_array_equal(moved["layer/moving_variance"], [2.0, 2.0, 2.0])
    np.testing.assert_allclose(moved["layer/moving_mean"], x[0] * (1 - 0.5**3))


def test_updates_of_one_row_do_not_blow_up_predictions():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), np.tile([0, 1], 20)
    model = SequentialClassifier(
        [("norm", BatchNorm())], batch_mode="sgd", max_iter=5, random_state=0
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    assert np.abs(model.activations(X, "norm")).max() < 10


@pytest.mark.parametrize("shape", SHAPES)
def test_equal_to_pytorch(torch, shape):
    bench = Bench(BatchNorm(momentum=0.9), shape)
    bench.network.initialize(np.random.RandomState(0))
    kinds = {0: "1d", 1: "1d", 2: "2d", 3: "3d"}
    kind = getattr(torch.nn, f"BatchNorm{kinds[len(shape) - 1]}")
    peer = kind(shape[-1]).double()
    x = draw((6, *shape))
    dy = draw(x.shape, seed=1)
    theirs = torch.tensor(np.moveaxis(x, -1, 1), requires_grad=True)
    y = bench.forward(x, train=True)
    dx, views, _ = bench.backward(dy)
    out = peer(theirs)
    out.backward(torch.tensor(np.moveaxis(dy, -1, 1)))
    np.testing.assert_allclose(
        y, np.moveaxis(out.detach().numpy(), 1, -1), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(
        dx, np.moveaxis(theirs.grad.numpy(), 1, -1), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(views["gamma"], peer.weight.grad.numpy(), rtol=1e-9)
    np.testing.assert_allclose(views["beta"], peer.bias.grad.numpy(), rtol=1e-9)
    buffers = bench.network.buffers
    np.testing.assert_allclose(buffers["layer/moving_mean"], peer.running_mean)
    np.testing.assert_allclose(buffers["layer/moving_variance"], peer.running_var)


def test_no_digits_are_lost_far_from_zero():
    x = draw((50, 6, 6, 3)) + 3000.0
    single = Bench(BatchNorm(), (6, 6, 3), "float32")
    single.network.initialize(np.random.RandomState(0))
    expected, _, _ = normalized(x.astype(np.float32).astype(np.float64))
    y = single.forward(x, train=True)
    np.testing.assert_allclose(y, expected, atol=2e-4)


@pytest.mark.parametrize("activation", ["identity", "relu", "gelu"])
@pytest.mark.parametrize("ratio", [0, 3.9, 4.1, 50])  # 4 is where sums are centered
def test_few_digits_are_lost_in_float32_for_any_mean(ratio, activation):
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(40, 6, 6, 3)) + ratio).astype(np.float32)
    dy = rng.normal(size=x.shape)

    def passes(dtype):
        pair = [BatchNorm(), Activation(activation)]  # in a branch, it runs as one
        bench = Bench(Parallel([("branch", pair)]), (6, 6, 3), dtype)
        bench.network.vector[:] = rng_weights
        y = bench.forward(x, train=True).copy()
        dx, _, gradient = bench.backward(dy)
        return y, dx, gradient

    rng_weights = rng.normal(size=6)
    for exact, found in zip(passes("float64"), passes("float32"), strict=True):
        scale = np.abs(exact).max()
        np.testing.assert_allclose(found, exact, atol=4e-6 * (1 + ratio) * scale)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], []),
        ([Dense(2), Dense(3)], [(0, 2, False)]),
        ([BatchNorm()], [(0, 1, True)]),
        ([BatchNorm(), BatchNorm()], [(0, 1, True), (1, 2, True)]),
        (
            [Dense(2), BatchNorm(), Dense(3), Dense(4), BatchNorm(), Dense(2)],
            [(0, 1, False), (1, 2, True), (2, 4, False), (4, 5, True), (5, 6, False)],
        ),
        ([Dense(3), Residual([BatchNorm()])], [(0, 1, False), (1, 2, True)]),
    ],
    ids=str,
)
def test_barriers_cut_a_chain_into_segments(layers, expected):
    named = [(f"layer{i}", layer) for i, layer in enumerate(layers)]
    segments = segments_of(Chain(named, (3,)).steps)
    assert segments == [Segment(*fields) for fields in expected]


NETWORKS = [
    [("norm", BatchNorm())],
    [
        ("conv", Conv2D(3, 3)),
        ("norm1", BatchNorm(0.5)),
        ("relu", Activation("relu")),
        ("pool", MaxPool2D()),
        ("flatten", Flatten()),
        ("dense", Dense(4)),
        ("norm2", BatchNorm()),
    ],
    [
        (
            "residual",
            Residual(
                [
                    ("conv1", Conv2D(3, 3, 2, "same")),
                    ("norm", BatchNorm()),
                    ("relu", Activation("relu")),
                    ("conv2", Conv2D(3, 3, padding="same")),
                ],
                shortcut=[("short", Conv2D(3, 1, 2, "same")), ("norm", BatchNorm())],
            ),
        ),
        (
            "join",
            Parallel(
                [
                    ("a", [Residual([BatchNorm()])]),
                    ("b", [Conv2D(2, 1), BatchNorm(), Activation("tanh")]),
                ]
            ),
        ),
    ],
]


@pytest.mark.parametrize("layers", NETWORKS, ids=["one", "stack", "nested"])
@pytest.mark.parametrize("weighted", [False, True])
def test_micro_batches_share_the_statistics_of_all(layers, weighted):
    x, targets = draw((11, 7, 6, 2)), draw((11, 2), seed=1)
    weights = np.arange(11.0) if weighted else None
    results = []
    for size in (11, 4, 3):
        head = [("last", Flatten()), ("output", Dense(2))]
        network = make_network([*layers, *head], (7, 6, 2), micro_batch=size)
        samples = Samples(Inputs(x, (7, 6, 2), "float64"), targets, weights)
        with Executor(network, SquaredError(), 2) as executor:
            passed = differentiate(executor, samples)
        results.append((*passed, network.state))
    assert_close(results, rtol=1e-9, atol=1e-11)


def passed(layers, x, targets, weights, micro_batch):
    """Return loss, gradient and state of a network after a training pass."""
    head = [("last", Flatten()), ("output", Dense(2))]
    network = make_network([*layers, *head], x.shape[1:], micro_batch=micro_batch)
    samples = Samples(Inputs(x, x.shape[1:], "float64"), targets, weights)
    with Executor(network, SquaredError(), 2) as executor:
        return (*differentiate(executor, samples), network.state)


@pytest.mark.parametrize("layers", NETWORKS, ids=["one", "stack", "nested"])
@pytest.mark.parametrize("micro_batch", [100, 4, 1])
def test_weights_are_repetitions(layers, micro_batch):
    x, targets = draw((9, 7, 6, 2)), draw((9, 2), seed=1)
    weights = np.array([2, 0, 1, 3, 0, 0, 1, 4, 1])
    repeated = passed(
        layers, x.repeat(weights, 0), targets.repeat(weights, 0), None, micro_batch
    )
    weighted = passed(layers, x, targets, weights.astype(float), micro_batch)
    assert_close([repeated, weighted], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("layers", NETWORKS, ids=["one", "stack", "nested"])
@pytest.mark.parametrize("micro_batch", [100, 4])
def test_the_weighted_loss_follows_a_random_direction(layers, micro_batch):
    x, targets = draw((9, 7, 6, 2)), draw((9, 2), seed=1)
    weights = np.random.default_rng(2).exponential(size=9)
    head = [("last", Flatten()), ("output", Dense(2))]
    network = make_network([*layers, *head], (7, 6, 2), micro_batch=micro_batch)
    samples = Samples(Inputs(x, (7, 6, 2), "float64"), targets, weights)
    direction = np.random.default_rng(3).normal(size=network.vector.size)
    start, step = network.vector.copy(), 1e-6
    with Executor(network, SquaredError(), 2) as executor:
        _, gradient = differentiate(executor, samples)
        losses = []
        for sign in (1, -1):
            network.vector[:] = start + sign * step * direction
            losses.append(differentiate(executor, samples)[0])
    slope = (losses[0] - losses[1]) / (2 * step)
    assert slope == pytest.approx(gradient @ direction, rel=1e-5)


def test_the_moving_variance_does_not_depend_on_the_unit_of_the_weights():
    x, targets = draw((9, 7, 6, 2)), draw((9, 2), seed=1)
    weights = np.random.default_rng(2).uniform(0.1, 1, size=9)
    layers = [("norm", BatchNorm())]
    results = [passed(layers, x, targets, w, 4) for w in (weights, weights / 1e3)]
    assert_close(results, rtol=1e-9)


LAYERS = [
    ("conv", Conv2D(4, 3, padding="same")),
    ("norm", BatchNorm(momentum=0.5)),
    ("relu", Activation("relu")),
    ("pool", MaxPool2D()),
]


def classifier(**params):
    return SequentialClassifier(
        LAYERS, max_iter=4, random_state=0, learning_rate_init=0.01, tol=0, **params
    )


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:600].reshape(-1, 8, 8) / 16, y[:600]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_same_bits_for_every_n_jobs(digits, monkeypatch):
    monkeypatch.setattr(Network, "default_limits", MicroBatchLimits.fixed(64))
    models = [classifier(n_jobs=n).set_params(max_iter=20) for n in (1, 2, 3)]
    fits = [model.fit(*digits) for model in models]
    states = [fit.network_.state.tobytes() for fit in fits]
    assert states[0] == states[1] == states[2]
    assert fits[0].score(*digits) > 0.9


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_buffers_are_kept_with_the_weights(digits):
    X, y = digits
    fitted = classifier().fit(X, y)
    names = {"norm/moving_mean", "norm/moving_variance"}
    weights = fitted.get_weights()
    assert names < set(weights)
    assert not names & set(fitted.loss_gradients(X, y)[1])
    expected = fitted.predict_proba(X)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    other = classifier().initialize(X, y).set_weights(weights)
    np.testing.assert_array_equal(other.predict_proba(X), expected)


class FailingSGD(SGD):
    """Stops training half-way."""

    def step(self, *arguments, **options):
        if self.n_steps == 2:
            raise RuntimeError("enough")
        super().step(*arguments, **options)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_failed_call_leaves_the_buffers(digits):
    fitted = classifier().fit(*digits)
    before = fitted.network_.state.copy()
    with pytest.raises(RuntimeError, match="enough"):
        fitted.set_params(warm_start=True, solver=FailingSGD()).fit(*digits)
    np.testing.assert_array_equal(fitted.network_.state, before)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_early_stopping_restores_the_buffers_of_the_best_epoch(digits):
    X, y = digits
    model = classifier(early_stopping=True).set_params(learning_rate_init=0.05)
    model.set_params(max_iter=12).fit(X[:500], y[:500], X_val=X[500:], y_val=y[500:])
    assert model.score(X[500:], y[500:]) == model.best_validation_score_


def test_loss_gradients_take_the_moving_statistics(digits):
    X, y = digits
    model = classifier(dtype="float64").initialize(X, y)
    model.network_.buffers["norm/moving_mean"][:] = 0.3
    before = model.network_.state.copy()
    loss, gradients = model.loss_gradients(X, y)
    np.testing.assert_array_equal(model.network_.state, before)
    proba = model.predict_proba(X)
    expected = -np.log(proba[np.arange(len(y)), y]).mean()
    kernels = sum(np.sum(w**2) for n, w in model.get_weights().items() if "kernel" in n)
    assert loss == pytest.approx(expected + 0.5 * model.alpha * kernels / len(y))
    assert gradients["norm/gamma"].any()
    assert gradients["norm/beta"].any()


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (BatchNorm(momentum=1), ValueError, r"momentum must be .* in \[0, 1\); got 1"),
        (BatchNorm(momentum="x"), TypeError, "momentum must be a float"),
        (BatchNorm(momentum=np.nan), ValueError, r"in \[0, 1\); got nan"),
        (BatchNorm(epsilon=0), ValueError, "epsilon must be a finite .* 0; got 0"),
        (BatchNorm(epsilon=np.nan), ValueError, "epsilon must be a finite .*; got nan"),
        (BatchNorm(epsilon=np.inf), ValueError, "epsilon must be a finite .*; got inf"),
        (BatchNorm(epsilon=None), TypeError, "epsilon must be a finite float"),
    ],
)
def test_errors(spec, error, message):
    with pytest.raises(error, match=message):
        spec.build((4, 4, 2))
