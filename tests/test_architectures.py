"""Published networks: their shapes, their numbers of weights, and a training step.

Numbers of weights of whole networks, with the output layer for 1,000 classes where
nothing else is said, are those that the networks are known by: of the files that were
published of AlexNet, VGG and GoogLeNet for Caffe, and of ResNet in Keras, where
convolutions have biases too. The others are computed here from the published shapes.
"""

import tracemalloc
from math import prod

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skconvnet import SequentialClassifier, architectures
from skconvnet.architectures import (
    alexnet,
    cifar_convnet,
    deepface,
    googlenet,
    inception_3a,
    inception_block,
    lenet,
    nin,
    nin_block,
    resnet,
    resnet_bottleneck,
    two_convolutions,
    vgg,
    xception_block,
)
from skconvnet.layers import Conv2D, Dense, GlobalAvgPool, Residual, SeparableConv2D
from skconvnet.layers.chain import build_layers

PHOTO = (224, 224, 3)
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


def weight_shapes(layers, in_shape):
    return {
        f"{name}/{array}": shape
        for name, layer in build_layers(layers, in_shape).items()
        for array, shape in layer.weight_shapes.items()
    }


def n_weights(layers, in_shape, ending=""):
    shapes = weight_shapes(layers, in_shape)
    return sum(prod(s) for name, s in shapes.items() if name.endswith(ending))


def out_shapes(layers, in_shape):
    built = build_layers(layers, in_shape)
    return {name: layer.out_shape for name, layer in built.items()}


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


def test_two_convolutions_of_3x3_see_5x5_cells_with_fewer_weights():
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
    # Without a convolution behind the pooling its channels come through.
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


# Each at a reduced width, with a size of images that it is made for or a smaller one.
STEPS = {
    "alexnet": (alexnet(1 / 16), (67, 67, 3)),
    "cifar_convnet": (cifar_convnet(0.5), (32, 32, 3)),
    "deepface": (deepface(1 / 16), (152, 152, 3)),
    "googlenet": (googlenet(1 / 4), (64, 64, 3)),
    "inception_3a": (inception_3a(1 / 8), (14, 14, 24)),
    "inception_block": (inception_block(8, 8, 8, width=0.5), (9, 8, 3)),
    "lenet": (lenet(0.5), (28, 28, 1)),
    "nin": (nin(1 / 16), (32, 32, 3)),
    "nin_block": (nin_block((6, 4, 3), (3, 2), 2, "valid"), (9, 8, 2)),
    "resnet": (resnet(50, 1 / 16), (64, 64, 3)),
    "resnet_bottleneck": (resnet_bottleneck(64, width=1 / 16), (8, 7, 16)),
    "two_convolutions": (two_convolutions(1 / 16), (90, 117, 3)),
    "vgg": (vgg(16, 1 / 16), (32, 32, 3)),
    "xception_block": (xception_block((6, 8), 2, True), (9, 8, 4)),
}


def test_every_architecture_takes_a_step():
    assert set(STEPS) == set(architectures.__all__)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", STEPS)
def test_training_step(name):
    layers, in_shape = STEPS[name]
    X = np.random.default_rng(0).normal(size=(8, *in_shape)).astype("float32")
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
        # A bias in front of a BatchNorm is subtracted again.
        if array.endswith(("kernel", "depthwise", "pointwise", "gamma")):
            assert (values != before[array]).any(), array
    assert net.predict_proba(X[:3]).shape == (3, 2)


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
    # 48 convolutions learn with a way around them, and without one no more than to
    # guess, though six of them do.
    guess = np.log(10)
    assert losses[2, False] < guess - 0.4
    assert losses[16, False] > guess - 0.1
    assert losses[16, True] < guess - 0.7
