"""Parameters of architectures: width, names of layers, and errors."""

import numpy as np
import pytest
from architecture_tools import PHOTO, out_shapes, weight_shapes

from skconvnet import SequentialClassifier
from skconvnet.architectures import (
    alexnet,
    cifar_convnet,
    inception_block,
    lenet,
    nin_block,
    resnet,
    resnet_bottleneck,
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
    ],
)
def test_errors_name_the_parameter(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_bottleneck_whose_input_does_not_fit():
    with pytest.raises(ValueError, match="shortcut='identity' has shape"):
        build_layers(resnet_bottleneck(64), (56, 56, 64))
