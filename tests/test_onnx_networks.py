"""Whole networks compute the same in ONNX Runtime: architectures, and ConvNets."""

import numpy as np
import pytest
from onnx_tools import assert_close, run

from skconvnet import ConvNetClassifier, ConvNetRegressor, SequentialClassifier
from skconvnet.architectures import (
    alexnet,
    cifar_convnet,
    deepface,
    fasttext,
    fcn,
    googlenet,
    han,
    inception_time,
    lenet,
    lstm_fcn,
    nin,
    rcnn,
    resnet,
    resnet_1d,
    text_cnn,
    text_rnn,
    transformer_encoder,
    vgg,
    xception_block,
)

pytestmark = pytest.mark.onnxruntime

Y = np.arange(6) % 3


def samples(shape, dtype="float32"):
    return np.random.default_rng(0).uniform(size=(6, *shape)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        (alexnet(width=0.03), (96, 96, 3)),
        (cifar_convnet(), (32, 32, 3)),
        (deepface(width=0.1), (96, 96, 3)),
        (fcn(width=0.1), (30, 2)),
        (googlenet(width=0.1), (64, 64, 3)),
        (inception_time(width=0.1), (30, 2)),
        (lenet(), (32, 32, 1)),
        (lstm_fcn(width=0.1), (30, 2)),
        (nin(width=0.1), (32, 32, 3)),
        (resnet(50, width=0.1), (64, 64, 3)),
        (resnet_1d(width=0.1), (30, 2)),
        (transformer_encoder(n_blocks=2, width=1 / 32), (30, 2)),
        (vgg(11, width=0.05), (32, 32, 3)),
        (xception_block((4, 3), name="block"), (9, 8, 3)),
    ],
    ids=[
        "alexnet",
        "cifar",
        "deepface",
        "fcn",
        "googlenet",
        "inception_time",
        "lenet",
        "lstm_fcn",
        "nin",
        "resnet",
        "resnet_1d",
        "transformer_encoder",
        "vgg",
        "xception",
    ],
)
def test_architectures(layers, shape, dtype):
    X = samples(shape, dtype)
    model = SequentialClassifier(layers, random_state=0).initialize(X, Y)
    found = run(model.to_onnx(X, raw_scores=True), X)["scores"]
    assert_close(found, model.decision_function(X), 1e-5)
    assert np.ptp(found, axis=0).max() > 1e-3 * np.abs(found).max()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        (fasttext(30), (9,)),
        (han(30, width=1 / 10), (4, 5)),
        (rcnn(30, width=1 / 10), (9,)),
        (text_cnn(30, width=1 / 16), (9,)),
        (text_rnn(30, n_layers=2, width=1 / 10), (9,)),
        (transformer_encoder(30, n_blocks=2, width=1 / 32), (9,)),
    ],
    ids=["fasttext", "han", "rcnn", "text_cnn", "text_rnn", "transformer_encoder"],
)
def test_architectures_for_texts(layers, shape, dtype):
    X = np.random.default_rng(0).integers(1, 30, (6, *shape))
    model = SequentialClassifier(layers, random_state=0, dtype=dtype).initialize(X, Y)
    found = run(model.to_onnx(X, raw_scores=True), X)["scores"]
    assert_close(found, model.decision_function(X), 1e-5)
    assert np.ptp(found, axis=0).max() > 1e-3 * np.abs(found).max()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "params",
    [
        {"separable": True, "padding": "full", "activation": ("gelu", "selu", "elu")},
        {"residual": True, "convs_per_block": 2, "batch_norm": True},
        {"strides": 2, "pooling": None, "dropout": 0.3, "activation": "leaky_relu"},
        {"dilation": 2, "groups": (1, 2), "pooling": "avg", "global_pooling": "max"},
        {"global_pooling": "avg", "batch_norm": True, "conv_method": "winograd"},
        {"rescale": None, "kernel_size": 4, "pool_size": 3, "activation": "softplus"},
    ],
    ids=lambda params: next(iter(params)),
)
@pytest.mark.parametrize("cls", [ConvNetClassifier, ConvNetRegressor])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_convnets_after_training(cls, params, dtype):
    X = samples((13, 12, 2), dtype)
    params = {"filters": (4, 6), "hidden_layer_sizes": (5,), "max_iter": 3, **params}
    model = cls(random_state=0, **params)
    model.fit(X, Y if cls is ConvNetClassifier else X.mean(axis=(1, 2, 3)))
    found = run(model.to_onnx(X), X)
    if cls is ConvNetClassifier:
        assert_close(found["probabilities"], model.predict_proba(X), 1e-5)
        np.testing.assert_array_equal(found["label"], model.predict(X))
    else:
        assert_close(found["variable"][:, 0], model.predict(X), 1e-5)
