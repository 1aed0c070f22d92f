"""Parameters of architectures: width, names of layers, and errors."""

import numpy as np
import pytest
from architecture_tools import PHOTO, out_shapes, weight_shapes

from skconvnet import SequentialClassifier
from skconvnet.architectures import (
    alexnet,
    cifar_convnet,
    fasttext,
    fcn,
    han,
    inception_block,
    inception_time,
    lenet,
    lstm_fcn,
    nin_block,
    rcnn,
    resnet,
    resnet_1d,
    resnet_bottleneck,
    text_cnn,
    text_rnn,
    transformer_encoder,
    vgg,
    xception_block,
)
from skconvnet.layers.chain import build_layers


def test_layers_are_found_by_name():
    net = SequentialClassifier(resnet(50, 1 / 16))
    net.set_params(block1_1__conv__kernel_size=5, mean="passthrough")
    assert net.get_params()["block1_1__conv__kernel_size"] == 5
    assert net.layers[-1] == ("mean", "passthrough")


def test_width_scales_every_layer():
    half = weight_shapes(vgg(16, 0.5), PHOTO)
    for array, shape in weight_shapes(vgg(16), PHOTO).items():
        expected = tuple(n if n == 3 else n // 2 for n in shape)
        assert half[array] == expected
    narrowest = out_shapes(alexnet(1e-9), PHOTO)
    # One channel in each of the two groups.
    assert narrowest["conv1"] == (55, 55, 2)
    assert narrowest["dense7"] == (1,)
    # Halves are rounded up, and all but alexnet may have one channel.
    assert out_shapes(lenet(0.25), (28, 28, 1))["conv1"] == (28, 28, 2)
    assert out_shapes(lenet(1e-9), (28, 28, 1))["conv3"] == (1, 1, 1)
    wide = out_shapes(cifar_convnet(width=np.float64(2)), (32, 32, 3))
    assert wide["conv"] == (32, 32, 24)


@pytest.mark.parametrize(
    ("make", "in_shape"),
    [
        (lambda width: fasttext(9, 80, width=width), (30,)),
        (lambda width: fcn(width), (30, 2)),
        (lambda width: inception_time(width=width), (30, 2)),
        (lambda width: han(9, 80, 60, width=width), (5, 4)),
        (lambda width: rcnn(9, width=width), (30,)),
        (lambda width: resnet_1d(width=width), (30, 2)),
        (lambda width: text_cnn(9, width=width), (30,)),
        (lambda width: text_rnn(9, n_layers=2, width=width), (30,)),
        (lambda width: transformer_encoder(9, n_blocks=2, width=width), (30,)),
    ],
)
def test_width_scales_networks_for_sequences(make, in_shape):
    half = weight_shapes(make(0.5), in_shape)
    for array, shape in weight_shapes(make(1), in_shape).items():
        for n, other in zip(shape, half[array], strict=True):
            # The channels of X, tokens, and the steps of kernels.
            stays = n in (1, 2, 3, 4, 5, 8, 9, 10, 20, 40)
            assert other == (n if stays else n // 2), array
    narrowest = weight_shapes(make(1e-9), in_shape)
    assert narrowest.keys() == half.keys()


def test_a_narrow_transformer_keeps_its_heads():
    layers = dict(transformer_encoder(9, 96, num_heads=6, width=1 / 5))
    assert layers["embedding"].n_dims == 18
    assert layers["block1"].num_heads == 6
    assert layers["scale"].scale == np.sqrt(18)
    assert "norm" not in layers
    assert "norm" in dict(transformer_encoder(9, pre_norm=True))


@pytest.mark.parametrize("width", [0, -1.0, np.nan, np.inf])
def test_width_out_of_range(width):
    with pytest.raises(ValueError, match="width must be a finite float above 0; got"):
        vgg(16, width)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: lenet("1"), TypeError, "width must be a finite float above 0"),
        (lambda: vgg(12), ValueError, "depth must be 11, 13, 16 or 19; got 12"),
        (lambda: resnet(18), ValueError, "depth must be 50, 101 or 152; got 18"),
        (lambda: nin_block(8, 3), TypeError, "filters must be a sequence of ints"),
        (lambda: nin_block((), 3), ValueError, "filters must have at least one entry"),
        (lambda: nin_block((8, 0), 3), ValueError, "each of filters must be an int"),
        (lambda: xception_block(8), TypeError, "filters must be a sequence of ints"),
        (lambda: xception_block((8, 8), 2), ValueError, "set projection=True"),
        (lambda: resnet_bottleneck(8, 2), ValueError, "set projection=True"),
        (lambda: resnet_bottleneck(0), ValueError, "filters must be an int of at"),
        (lambda: resnet_bottleneck(8, 0), ValueError, "strides must be an int of at"),
        (lambda: resnet_bottleneck(8, name="a__b"), ValueError, "name must be a non-"),
        (lambda: inception_block(8, 8, 8, 0), ValueError, "filters_pool must be an"),
        (lambda: inception_block(8, 8, 8, name=3), ValueError, "name must be a non-"),
        (lambda: inception_time(0), ValueError, "depth must be an int of at least 1"),
        (lambda: inception_time(bottleneck=0), ValueError, "bottleneck must be an int"),
        (lambda: inception_time(kernel_sizes=9), TypeError, "kernel_sizes must be a s"),
        (lambda: inception_time(kernel_sizes=()), ValueError, "at least one entry"),
        (lambda: inception_time(kernel_sizes=(3, 3)), ValueError, "all must be differ"),
        (
            lambda: inception_time(first_bottleneck=1),
            TypeError,
            "first_bottleneck must",
        ),
        (lambda: resnet_1d(64), TypeError, "filters must be a sequence of ints"),
        (
            lambda: lstm_fcn(dropout=1),
            ValueError,
            r"dropout must be a float in \[0, 1\)",
        ),
        (lambda: lstm_fcn(0), ValueError, "units must be an int of at least 1"),
        (lambda: fasttext(0), ValueError, "n_tokens must be an int of at least 1"),
        (lambda: fasttext(9, padding_token=-1), ValueError, "padding_token must be an"),
        (lambda: text_cnn(9, 0), ValueError, "n_dims must be an int of at least 1"),
        (lambda: text_cnn(9, filters=0), ValueError, "filters must be an int of at"),
        (lambda: text_cnn(9, kernel_sizes=(0,)), ValueError, "each of kernel_sizes m"),
        (lambda: text_rnn(9, units=0), ValueError, "units must be an int of at least"),
        (
            lambda: text_rnn(9, cell="LSTM"),
            ValueError,
            "cell must be one of 'simple', ",
        ),
        (
            lambda: text_rnn(9, n_layers=0),
            ValueError,
            "n_layers must be an int of at l",
        ),
        (lambda: text_rnn(9, bidirectional=2), TypeError, "bidirectional must be True"),
        (lambda: rcnn(9, context_units=0), ValueError, "context_units must be an int"),
        (lambda: rcnn(9, padding_token=0.0), TypeError, "padding_token must be an int"),
        (lambda: han(9, attention_units=0), ValueError, "attention_units must be an i"),
        (lambda: transformer_encoder(9, 10), ValueError, "multiple of num_heads=8"),
        (
            lambda: transformer_encoder(n_blocks=0),
            ValueError,
            "n_blocks must be an int",
        ),
        (
            lambda: transformer_encoder(units=0),
            ValueError,
            "units must be an int of at",
        ),
        (lambda: transformer_encoder(pre_norm=0), TypeError, "pre_norm must be True"),
        (lambda: transformer_encoder(pooling="avg"), ValueError, "pooling must be one"),
    ],
)
def test_errors_name_the_parameter(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_bottleneck_whose_input_does_not_fit():
    with pytest.raises(ValueError, match="shortcut='identity' has shape"):
        build_layers(resnet_bottleneck(64), (56, 56, 64))
