"""Published networks for series: shapes, weights, and series of several lengths.

Numbers of weights are computed here from the sizes in the papers. Outputs are compared
with functions of PyTorch, put together as in the published code.
"""

import numpy as np
import pytest
from architecture_tools import n_weights, out_shapes, weight_shapes

from skconvnet import SequentialClassifier
from skconvnet.architectures import fcn, inception_time, lstm_fcn, resnet_1d
from skconvnet.engine.network import Network
from skconvnet.layers import Dense

OUTPUT = ("output", Dense(5))
N_CHANNELS = [1, 3]


def conv(n_in, filters, size, *, bias=True):
    return (n_in * size + bias) * filters


def norm(channels):
    return 2 * channels


def n_of_fcn(n_in):
    convolutions = conv(n_in, 128, 8) + conv(128, 256, 5) + conv(256, 128, 3)
    return convolutions + norm(128) + norm(256) + norm(128)


def n_of_resnet(n_in):
    total = 0
    for filters in (64, 128, 128):
        total += conv(n_in, filters, 8) + conv(filters, filters, 5)
        total += conv(filters, filters, 3) + 3 * norm(filters)
        total += norm(filters) + (conv(n_in, filters, 1) if n_in != filters else 0)
        n_in = filters
    return total


def n_of_inception_time(n_in, *, bias, depth=6):
    total = 0
    n_before = n_in
    for i in range(depth):
        inside = n_before
        if n_before > 1:
            total += conv(n_before, 32, 1, bias=bias)
            inside = 32
        total += sum(conv(inside, 32, size, bias=bias) for size in (40, 20, 10))
        total += conv(n_before, 32, 1, bias=bias) + norm(128)
        n_before = 128
        if i % 3 == 2:
            total += conv(n_in, 128, 1, bias=bias) + norm(128)
            n_in = 128
    return total


@pytest.mark.parametrize("n_in", N_CHANNELS)
def test_fcn(n_in):
    assert n_weights([*fcn(), OUTPUT], (60, n_in)) == n_of_fcn(n_in) + 129 * 5
    shapes = out_shapes(fcn(), (60, n_in))
    assert [shapes[f"relu{i}"] for i in (1, 2, 3)] == [(60, 128), (60, 256), (60, 128)]
    assert shapes["mean"] == (128,)


@pytest.mark.parametrize("n_in", N_CHANNELS)
def test_resnet(n_in):
    assert n_weights([*resnet_1d(), OUTPUT], (60, n_in)) == n_of_resnet(n_in) + 129 * 5
    shapes = out_shapes(resnet_1d(), (60, n_in))
    blocks = [shapes[f"block{i}"] for i in (1, 2, 3)]
    assert blocks == [(60, 64), (60, 128), (60, 128)]
    # Only a block that changes the number of channels has a convolution as a shortcut.
    names = weight_shapes(resnet_1d((8, 8, 4)), (60, n_in))
    projections = [name for name in names if "shortcut/conv/kernel" in name]
    assert projections == ["block1/shortcut/conv/kernel", "block3/shortcut/conv/kernel"]


@pytest.mark.parametrize("n_in", N_CHANNELS)
def test_inception_time(n_in):
    layers = [*inception_time(first_bottleneck=n_in > 1), OUTPUT]
    biases = n_of_inception_time(n_in, bias=True) - n_of_inception_time(
        n_in, bias=False
    )
    assert biases == 1184 + 32 * (n_in > 1)
    published = n_of_inception_time(n_in, bias=False) + 129 * 5
    assert n_weights(layers, (60, n_in)) == published + biases
    shapes = out_shapes(layers, (60, n_in))
    assert shapes["block1"] == shapes["block2"] == (60, 128)


def test_inception_time_of_another_depth():
    layers = inception_time(4, 3, 2, (5, 2))
    assert [name for name, _ in layers] == [
        *("block1", "sum1", "module4", "norm4", "relu4", "mean")
    ]
    shapes = weight_shapes(layers, (30, 2))
    assert shapes["block1/module1/long/kernels/conv5/conv/kernel"] == (3, 2, 5)
    assert shapes["block1/module2/long/reduce/kernel"] == (2, 9, 1)
    assert shapes["module4/long/kernels/conv2/conv/kernel"] == (3, 2, 2)
    assert shapes["module4/pool/conv/kernel"] == (3, 9, 1)
    assert out_shapes(layers, (30, 2))["mean"] == (9,)


@pytest.mark.parametrize("n_in", N_CHANNELS)
@pytest.mark.parametrize("units", [8, 64])
def test_lstm_fcn(units, n_in):
    lstm = 4 * units * (60 + units + 1)
    expected = n_of_fcn(n_in) + lstm + (128 + units + 1) * 5
    assert n_weights([*lstm_fcn(units), OUTPUT], (60, n_in)) == expected
    # The LSTM sees every channel as one step.
    shapes = weight_shapes(lstm_fcn(units), (60, n_in))
    assert shapes["lstm_fcn/lstm/lstm/kernel"] == (60, 4 * units)


@pytest.mark.parametrize(
    "layers",
    [fcn(1 / 16), resnet_1d(width=1 / 16), inception_time(width=1 / 8)],
    ids=["fcn", "resnet_1d", "inception_time"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_series_of_several_lengths_are_padded(layers):
    assert Network([*layers, OUTPUT], (40, 2), "float64").pads_samples
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in (40, 9, 23, 31, 12, 40)]
    model = SequentialClassifier(layers, max_iter=2, random_state=0, dtype="float64")
    model.fit(X, np.arange(6) % 2)
    alone = np.concatenate([model.decision_function([x]) for x in X])
    np.testing.assert_allclose(model.decision_function(X), alone, rtol=1e-10)
    assert np.ptp(alone) > 1e-6


def test_lstm_fcn_takes_one_length():
    assert not Network(lstm_fcn(width=1 / 8), (20, 2), "float64").pads_samples
    X = [np.ones((20, 2)), np.ones((19, 2))]
    with pytest.raises(ValueError, match="samples of different sizes need"):
        SequentialClassifier(lstm_fcn()).fit(X, [0, 1])


def trained(layers, X):
    """Return a model whose buffers and weights are not the initial ones."""
    model = SequentialClassifier(
        layers, max_iter=3, random_state=0, dtype="float64", learning_rate_init=0.01
    )
    return model.fit(X, np.arange(len(X)) % 3)


class Published:
    """Functions of PyTorch on the weights of a model, by name."""

    def __init__(self, model):
        self.torch = pytest.importorskip("torch")
        self.functional = self.torch.nn.functional
        arrays = model.get_weights()
        self.arrays = {k: self.torch.from_numpy(v) for k, v in arrays.items()}

    def conv(self, x, name):
        kernel = self.arrays[f"{name}/kernel"]
        size = kernel.shape[-1]
        x = self.functional.pad(x, ((size - 1) // 2, size // 2))
        return self.functional.conv1d(x, kernel, self.arrays[f"{name}/bias"])

    def norm(self, x, name):
        names = ("moving_mean", "moving_variance", "gamma", "beta")
        arrays = [self.arrays[f"{name}/{array}"] for array in names]
        return self.functional.batch_norm(x, *arrays)

    def scores(self, x):
        return (
            x.mean(dim=-1) @ self.arrays["output/kernel"] + self.arrays["output/bias"]
        )


def resnet_as_published(x, w):
    for i in (1, 2, 3):
        name = f"block{i}"
        y = x
        for j in (1, 2, 3):
            y = w.norm(w.conv(y, f"{name}/conv{j}"), f"{name}/norm{j}")
            y = y.relu() if j < 3 else y
        shortcut = w.conv(x, f"{name}/shortcut/conv") if i < 3 else x
        x = (y + w.norm(shortcut, f"{name}/shortcut/norm")).relu()
    return w.scores(x)


def inception_time_as_published(x, w):
    before = x
    for i in range(6):
        block, module = f"block{i // 3 + 1}", f"block{i // 3 + 1}/module{i + 1}"
        narrow = w.conv(x, f"{module}/long/reduce") if i else x
        pooled = w.functional.max_pool1d(x, 3, 1, padding=1)
        branches = [
            w.conv(narrow, f"{module}/long/kernels/conv{size}/conv")
            for size in (40, 20, 10)
        ]
        branches.append(w.conv(pooled, f"{module}/pool/conv"))
        x = w.norm(w.torch.cat(branches, dim=1), f"{block}/norm{i + 1}").relu()
        if i % 3 == 2:
            shortcut = w.conv(before, f"{block}/shortcut/conv")
            x = (x + w.norm(shortcut, f"{block}/shortcut/norm")).relu()
            before = x
    return w.scores(x)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("layers", "published"),
    [
        (resnet_1d(width=1 / 8), resnet_as_published),
        (inception_time(width=1 / 8), inception_time_as_published),
    ],
    ids=["resnet_1d", "inception_time"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_published_code_computes_the_same(layers, published):
    X = np.random.default_rng(0).normal(size=(12, 50, 1))
    model = trained(layers, X)
    weights = Published(model)
    x = weights.torch.from_numpy(np.ascontiguousarray(X.transpose(0, 2, 1)))
    found = model.decision_function(X)
    np.testing.assert_allclose(found, published(x, weights).numpy(), rtol=1e-10)
    assert np.ptp(found) > 1e-3
