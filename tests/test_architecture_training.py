"""Every architecture takes a training step, and bottlenecks train deep stacks."""

from inspect import signature

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skconvnet import SequentialClassifier, architectures
from skconvnet.architectures import (
    alexnet,
    cifar_convnet,
    deepface,
    fasttext,
    fcn,
    googlenet,
    han,
    inception_3a,
    inception_block,
    inception_time,
    lenet,
    lstm_fcn,
    nin,
    nin_block,
    rcnn,
    resnet,
    resnet_1d,
    resnet_bottleneck,
    tabular,
    text_cnn,
    text_rnn,
    transformer_encoder,
    two_convolutions,
    vgg,
    xception_block,
)
from skconvnet.layers import Conv2D, GlobalAvgPool

N_TOKENS = 9
# Each at a reduced width, with a size of samples that it is made for or a smaller one.
STEPS = {
    "alexnet": (alexnet(1 / 16), (67, 67, 3)),
    "cifar_convnet": (cifar_convnet(0.5), (32, 32, 3)),
    "deepface": (deepface(1 / 16), (152, 152, 3)),
    "fasttext": (fasttext(N_TOKENS), (12,)),
    "fcn": (fcn(1 / 16), (25, 2)),
    "googlenet": (googlenet(1 / 4), (64, 64, 3)),
    "han": (han(N_TOKENS, width=1 / 8), (5, 6)),
    "inception_3a": (inception_3a(1 / 8), (14, 14, 24)),
    "inception_block": (inception_block(8, 8, 8, width=0.5), (9, 8, 3)),
    "inception_time": (inception_time(width=1 / 8), (25, 2)),
    "lenet": (lenet(0.5), (28, 28, 1)),
    "lstm_fcn": (lstm_fcn(width=1 / 4), (25, 2)),
    "nin": (nin(1 / 16), (32, 32, 3)),
    "nin_block": (nin_block((6, 4, 3), (3, 2), 2, "valid"), (9, 8, 2)),
    "rcnn": (rcnn(N_TOKENS, width=1 / 8), (12,)),
    "resnet": (resnet(50, 1 / 16), (64, 64, 3)),
    "resnet_1d": (resnet_1d(width=1 / 16), (25, 2)),
    "resnet_bottleneck": (resnet_bottleneck(64, width=1 / 16), (8, 7, 16)),
    "tabular": (tabular(width=1 / 8), (5,)),
    "text_cnn": (text_cnn(N_TOKENS, width=1 / 16), (12,)),
    "text_rnn": (text_rnn(N_TOKENS, width=1 / 8), (12,)),
    "transformer_encoder": (transformer_encoder(N_TOKENS, width=1 / 32), (12,)),
    "two_convolutions": (two_convolutions(1 / 16), (90, 117, 3)),
    "vgg": (vgg(16, 1 / 16), (32, 32, 3)),
    "xception_block": (xception_block((6, 8), 2, True), (9, 8, 4)),
}
# Arrays whose gradient is not zero.
TRAINED = ("kernel", "depthwise", "pointwise", "gamma", "table", "context")


def test_every_architecture_takes_a_step():
    assert set(STEPS) == set(architectures.__all__)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", STEPS)
def test_training_step(name):
    layers, in_shape = STEPS[name]
    rng = np.random.default_rng(0)
    if "n_tokens" in signature(getattr(architectures, name)).parameters:
        X = rng.integers(0, N_TOKENS, (8, *in_shape), dtype="uint16")
    else:
        X = rng.normal(size=(8, *in_shape)).astype("float32")
    y = np.arange(8) % 2
    net = SequentialClassifier(layers, max_iter=1, random_state=0, alpha=0.0)
    net.initialize(X, y)
    before = net.get_weights()
    net.fit(X, y)
    after = net.get_weights()
    assert net.n_iter_ == 1
    assert np.isfinite(net.loss_)
    assert before.keys() == after.keys()
    for array, values in after.items():
        assert np.isfinite(values).all(), array
        # A bias before a BatchNorm is subtracted again.
        if array.endswith(TRAINED):
            assert (values != before[array]).any(), array
    assert net.predict_proba(X[:3]).shape == (3, 2)


def bottlenecks(n, is_residual):
    """Return a stack of `n` bottlenecks, or of their layers without a shortcut."""
    layers = [("stem", Conv2D(16, 3, padding="same", activation="relu"))]
    for i in range(n):
        (name, block), relu = resnet_bottleneck(4, name=f"block{i}")
        plain = [(f"{name}_{layer}", spec) for layer, spec in block.layers]
        layers += [*([(name, block)] if is_residual else plain), relu]
    return [*layers, ("mean", GlobalAvgPool())]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_bottlenecks_train_deeper_than_the_plain_stack():
    X, y = load_digits(return_X_y=True)
    X, y = X[:500].reshape(-1, 8, 8, 1).astype("float32") / 16, y[:500]
    losses = {}
    for n, is_residual in [(2, False), (16, False), (16, True)]:
        net = SequentialClassifier(
            bottlenecks(n, is_residual),
            batch_size=32,
            learning_rate_init=0.005,
            max_iter=5,
            random_state=0,
        )
        losses[n, is_residual] = net.fit(X, y).loss_curve_[-1]
    # 48 convolutions learn with shortcuts. Without them they only learn to guess, while
    # six convolutions learn more.
    guess = np.log(10)
    assert losses[2, False] < guess - 0.4
    assert losses[16, False] > guess - 0.1
    assert losses[16, True] < guess - 0.7
