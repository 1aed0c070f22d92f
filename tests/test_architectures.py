"""Published networks: their shapes and their numbers of weights.

Numbers of weights of whole networks, with the output layer for 1,000 classes where
nothing else is said, are those that the networks are known by: of the files that were
published of AlexNet, VGG and GoogLeNet for Caffe, and of ResNet in Keras, where
convolutions have biases too. The others are computed here from the published shapes.
"""

import tracemalloc
from math import prod

import numpy as np
import pytest
from architecture_tools import PHOTO, n_weights, out_shapes, weight_shapes

from skconvnet import SequentialClassifier
from skconvnet.architectures import (
    alexnet,
    cifar_convnet,
    deepface,
    googlenet,
    inception_3a,
    inception_block,
    lenet,
    nin,
    resnet,
    resnet_bottleneck,
    two_convolutions,
    vgg,
    xception_block,
)
from skconvnet.layers import Conv2D, Dense, Residual, SeparableConv2D
from skconvnet.layers.chain import build_layers

PUBLISHED = [
    (alexnet(), PHOTO, 1000, 60_965_224),
    (alexnet(), (227, 227, 3), 1000, 60_965_224),
    (vgg(11), PHOTO, 1000, 132_863_336),
    (vgg(13), PHOTO, 1000, 133_047_848),
    (vgg(), PHOTO, 1000, 138_357_544),
    (vgg(19), PHOTO, 1000, 143_667_240),
    (googlenet(), PHOTO, 1000, 6_998_552),
    (resnet(), PHOTO, 1000, 25_583_592),
    (resnet(101), PHOTO, 1000, 44_601_832),
    (resnet(152), PHOTO, 1000, 60_268_520),
    (nin(), (32, 32, 3), 10, 966_986),
    (lenet(), (28, 28, 1), 10, 61_706),
]


@pytest.mark.parametrize(
    ("layers", "in_shape", "classes", "published"),
    PUBLISHED,
    ids=[str(case[-1]) for case in PUBLISHED],
)
def test_number_of_weights_as_published(layers, in_shape, classes, published):
    output = ("output", Dense(classes))
    # The weights would take four bytes each and more.
    tracemalloc.start()
    try:
        assert n_weights([*layers, output], in_shape) == published
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10e6


def test_buffers_of_resnet_are_those_known():
    layers = build_layers([*resnet(50), ("output", Dense(1000))], PHOTO).values()
    buffers = sum(prod(s) for la in layers for s in la.buffer_shapes.values())
    assert buffers == 25_636_712 - 25_583_592


def test_two_convolutions():
    shapes = out_shapes([*two_convolutions(), ("output", Dense(4))], (90, 117, 3))
    assert list(shapes.values()) == [
        (30, 39, 96),
        (10, 13, 96),
        (5, 7, 256),
        (3, 5, 256),
        (3840,),
        (128,),
        (4,),
    ]
    assert weight_shapes(two_convolutions(), (90, 117, 3)) == {
        "conv1/kernel": (96, 3, 11, 11),
        "conv1/bias": (96,),
        "conv2/kernel": (256, 96, 7, 7),
        "conv2/bias": (256,),
        "dense/kernel": (3840, 128),
        "dense/bias": (128,),
    }


def test_cifar_convnet():
    shapes = out_shapes(cifar_convnet(), (32, 32, 3))
    assert list(shapes.values()) == [(32, 32, 12), (16, 16, 12)]


@pytest.mark.parametrize("size", [224, 227])
def test_alexnet(size):
    shapes = out_shapes(alexnet(), (size, size, 3))
    assert shapes["conv1"] == (55, 55, 96)
    assert prod(shapes["conv1"]) == 290_400
    assert shapes["conv2"] == (27, 27, 256)
    assert shapes["conv3"] == shapes["conv4"] == (13, 13, 384)
    assert shapes["conv5"] == (13, 13, 256)
    assert shapes["pool5"] == (6, 6, 256)
    weights = weight_shapes(alexnet(), (size, size, 3))
    assert prod(weights["conv1/kernel"]) == 34_848
    # Of a convolution in two groups a kernel sees half of the channels.
    assert weights["conv2/kernel"] == (256, 48, 5, 5)
    assert weights["conv3/kernel"] == (384, 256, 3, 3)
    assert weights["conv4/kernel"] == (384, 192, 3, 3)
    assert weights["conv5/kernel"] == (256, 192, 3, 3)


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_vgg_has_as_many_layers_with_weights_as_it_is_called_after(depth):
    weights = weight_shapes(vgg(depth), PHOTO)
    kernels = [shape for name, shape in weights.items() if name.endswith("kernel")]
    assert len(kernels) + 1 == depth
    assert all(shape[2:] in ((3, 3), ()) for shape in kernels)
    assert out_shapes(vgg(depth), PHOTO)["pool5"] == (7, 7, 512)


def test_two_convolutions_of_3x3_see_5x5_positions_with_fewer_weights():
    small = [("a", Conv2D(1, 3)), ("b", Conv2D(1, 3))]
    large = [("c", Conv2D(1, 5))]
    assert n_weights(small, (9, 9, 1), "kernel") == 3 * 3 * 2
    assert n_weights(large, (9, 9, 1), "kernel") == 5 * 5
    # Each layer has a bias.
    assert n_weights(small, (9, 9, 1), "bias") == 2
    assert n_weights(large, (9, 9, 1), "bias") == 1
    for layers in (small, large):
        net = SequentialClassifier(layers, random_state=0)
        X = np.vstack([np.zeros((1, 9, 9)), np.eye(81).reshape(81, 9, 9)])
        net.initialize(X, np.arange(82) % 2)
        y = net.activations(X, layers[-1][0])[:, 2, 2, 0]
        seen = (y[1:] != y[0]).reshape(9, 9)
        expected = np.zeros((9, 9), dtype=bool)
        expected[2:7, 2:7] = True
        np.testing.assert_array_equal(seen, expected)


def test_nin():
    shapes = out_shapes(nin(), (32, 32, 3))
    assert shapes["block1_mix2"] == (32, 32, 96)
    assert shapes["block2_mix2"] == (16, 16, 192)
    assert shapes["block3_mix1"] == (8, 8, 192)
    # The mean of a linear map is the map of the mean.
    rng = np.random.default_rng(0)
    maps, kernel = rng.normal(size=(8, 8, 192)), rng.normal(size=(192, 10))
    np.testing.assert_allclose(
        (maps @ kernel).mean(axis=(0, 1)), maps.mean(axis=(0, 1)) @ kernel
    )


def test_inception_3a():
    in_shape = (28, 28, 192)
    assert out_shapes(inception_3a(), in_shape) == {"inception3a": (28, 28, 256)}
    reduced = (
        (192 + 1) * 64
        + ((192 + 1) * 96 + (96 * 9 + 1) * 128)
        + ((192 + 1) * 16 + (16 * 25 + 1) * 32)
        + (192 + 1) * 32
    )
    assert reduced == 163_696
    assert n_weights(inception_3a(), in_shape) == reduced
    plain = inception_block(64, 128, 32, 32)
    assert out_shapes(plain, in_shape) == {"inception": (28, 28, 256)}
    direct = (192 + 1) * 64 + (192 * 9 + 1) * 128 + (192 * 25 + 1) * 32 + 193 * 32
    assert n_weights(plain, in_shape) == direct == 393_472
    # Without a convolution after the pooling, its channels come through.
    naive = inception_block(64, 128, 32)
    assert out_shapes(naive, in_shape) == {"inception": (28, 28, 224 + 192)}
    assert n_weights(naive, in_shape) == direct - 193 * 32


def test_googlenet():
    shapes = out_shapes(googlenet(), PHOTO)
    published = {
        "conv1": (112, 112, 64),
        "pool1": (56, 56, 64),
        "conv2": (56, 56, 192),
        "pool2": (28, 28, 192),
        "inception3a": (28, 28, 256),
        "inception3b": (28, 28, 480),
        "pool3": (14, 14, 480),
        "inception4a": (14, 14, 512),
        "inception4b": (14, 14, 512),
        "inception4c": (14, 14, 512),
        "inception4d": (14, 14, 528),
        "inception4e": (14, 14, 832),
        "pool4": (7, 7, 832),
        "inception5a": (7, 7, 832),
        "inception5b": (7, 7, 1024),
        "mean": (1024,),
    }
    assert {name: shapes[name] for name in published} == published


def test_bottleneck_has_a_ninth_of_the_weights():
    in_shape = (56, 56, 256)
    assert out_shapes(resnet_bottleneck(64), in_shape)["bottleneck"] == in_shape
    narrow = n_weights(resnet_bottleneck(64), in_shape, "kernel")
    assert narrow == 256 * 64 + 64 * 9 * 64 + 64 * 256 == 69_632
    wide = n_weights([("conv", Conv2D(256, 3, padding="same"))], in_shape, "kernel")
    assert wide == 256 * 3 * 3 * 256 == 589_824


@pytest.mark.parametrize(("depth", "blocks"), [(50, 16), (101, 33), (152, 50)])
def test_resnet(depth, blocks):
    layers = resnet(depth)
    assert sum(isinstance(spec, Residual) for _, spec in layers) == blocks
    kernels = [
        name
        for name in weight_shapes(layers, PHOTO)
        if name.endswith("kernel") and "shortcut" not in name
    ]
    assert len(kernels) + 1 == depth
    shapes = out_shapes(layers, PHOTO)
    assert shapes["conv1"] == (112, 112, 64)
    ends = [[n for n in shapes if n.startswith(f"block{i}_")][-1] for i in (1, 2, 3, 4)]
    assert [shapes[name] for name in ends] == [
        (56, 56, 256),
        (28, 28, 512),
        (14, 14, 1024),
        (7, 7, 2048),
    ]


def test_separable_convolution_has_a_ninth_of_the_weights():
    in_shape = (32, 32, 3)
    full = weight_shapes([("conv", Conv2D(256, 3))], in_shape)
    assert prod(full["conv/kernel"]) == 6912
    apart = weight_shapes([("conv", SeparableConv2D(256, 3))], in_shape)
    kernels = prod(apart["conv/depthwise"]) + prod(apart["conv/pointwise"])
    assert kernels == 3 * 3 * 3 + 3 * 256 == 795


def test_xception_blocks():
    middle = weight_shapes(xception_block(), (19, 19, 728))
    for i in (1, 2, 3):
        depthwise = middle[f"xception/conv{i}/depthwise"]
        pointwise = middle[f"xception/conv{i}/pointwise"]
        # As published, without a bias.
        assert prod(depthwise) + prod(pointwise) == 536_536
    shapes = out_shapes(
        [
            *xception_block((128, 128), 2, projection=True, name="block2"),
            *xception_block((256, 256), 2, projection=True, name="block3"),
            *xception_block((728, 728), 2, projection=True, name="block4"),
            *xception_block(name="block5"),
            *xception_block((728, 1024), 2, projection=True, name="block13"),
        ],
        (147, 147, 64),
    )
    assert list(shapes.values()) == [
        (74, 74, 128),
        (37, 37, 256),
        (19, 19, 728),
        (19, 19, 728),
        (10, 10, 1024),
    ]


def test_deepface():
    in_shape = (152, 152, 3)
    assert out_shapes(deepface(), in_shape) == {
        "C1": (142, 142, 32),
        "M2": (71, 71, 32),
        "C3": (63, 63, 16),
        "L4": (55, 55, 16),
        "L5": (25, 25, 16),
        "L6": (21, 21, 16),
        "flatten": (7056,),
        "F7": (4096,),
        "drop7": (4096,),
    }
    expected = {
        "C1": 32 * (3 * 11**2 + 1),
        "C3": 16 * (32 * 9**2 + 1),
        "L4": 55**2 * 16 * (16 * 9**2 + 1),
        "L5": 25**2 * 16 * (16 * 7**2 + 1),
        "L6": 21**2 * 16 * (16 * 5**2 + 1),
        "F7": (7056 + 1) * 4096,
        "output": (4096 + 1) * 4030,
    }
    weights = weight_shapes([*deepface(), ("output", Dense(4030))], in_shape)
    found = {
        layer: sum(prod(s) for n, s in weights.items() if n.startswith(f"{layer}/"))
        for layer in expected
    }
    assert found == expected
    assert sum(found.values()) == sum(map(prod, weights.values())) == 118_923_774
    shared = found["C1"] + found["C3"]
    assert shared == 53_136
    assert shared < 0.05 * sum(found.values())
