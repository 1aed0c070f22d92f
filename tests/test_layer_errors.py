"""Bad hyperparameters of layers: the message names the parameter and the value."""

import numpy as np
import pytest
from layer_tools import assert_build_fails

from skconvnet import layers
from skconvnet.engine.network import Network
from skconvnet.layers import (
    Activation,
    AvgPool2D,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    LocallyConnected2D,
    MaxPool2D,
    Rescaling,
    SeparableConv2D,
    SpatiallySeparableConv2D,
    Upsample,
)

TRANSPOSED = [layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose]
CONVOLUTIONS = [layers.Conv1D, layers.Conv2D, layers.Conv3D, *TRANSPOSED]
KINDRED = [
    DepthwiseConv2D,
    SeparableConv2D,
    SpatiallySeparableConv2D,
    layers.LocallyConnected1D,
    LocallyConnected2D,
]
POOLS = [
    getattr(layers, f"{kind}Pool{ndim}D") for kind in ("Max", "Avg") for ndim in (1, 2)
] + [layers.MaxPool3D, layers.AvgPool3D]
NOT_COUNTS = [0, -1, 2.5, "3", True, None]


def make(kind, **changed):
    """Make a layer that fits `in_shape_of(kind)` but for what is changed."""
    start = {"filters": 4, "kernel_size": 2} if kind not in POOLS else {}
    if kind is DepthwiseConv2D:
        del start["filters"]
    return kind(**{**start, **changed})


def in_shape_of(kind):
    return (*(6, 7, 8)[: kind.spatial_ndim], 4)


@pytest.mark.parametrize("value", NOT_COUNTS)
@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in CONVOLUTIONS for name in ("filters", "groups")]
    + [(kind, "filters") for kind in KINDRED if kind is not DepthwiseConv2D]
    + [(kind, "depth_multiplier") for kind in (DepthwiseConv2D, SeparableConv2D)],
)
def test_counts_of_convolutions(kind, name, value):
    spec = make(kind, **{name: value})
    assert_build_fails(
        (TypeError, ValueError), spec, in_shape_of(kind), name, repr(value)
    )


@pytest.mark.parametrize("value", NOT_COUNTS)
def test_units(value):
    assert_build_fails(
        (TypeError, ValueError), Dense(value), (4,), "units", repr(value)
    )


WINDOW_SIZES = [
    (kind, name)
    for kind in CONVOLUTIONS + KINDRED
    for name in ("kernel_size", "strides", "dilation")
] + [(kind, name) for kind in POOLS for name in ("pool_size", "strides")]
NOT_SIZES = [*NOT_COUNTS, (), (2, 2, 2, 2), (0, 0, 0), {2}]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, value)
        for kind, name in WINDOW_SIZES
        for value in NOT_SIZES
        # Where pools are concerned, strides=None stands for pool_size.
        if not (kind in POOLS and name == "strides" and value is None)
    ],
)
def test_sizes(kind, name, value):
    spec = make(kind, **{name: value})
    assert_build_fails(
        (TypeError, ValueError), spec, in_shape_of(kind), name, repr(value)
    )


@pytest.mark.parametrize("kind", CONVOLUTIONS + KINDRED + POOLS)
@pytest.mark.parametrize(
    "value",
    ["Same", "reflect", "", -1, 1.0, None, True, (1, 1, 1, 1), ((1, 1, 1),) * 3],
)
def test_padding(kind, value):
    words = ["padding must", "'same'", f"got {value!r}"]
    assert_build_fails(ValueError, make(kind, padding=value), in_shape_of(kind), *words)


@pytest.mark.parametrize("value", ["ReLU", "sofplus", 1, ("relu",), np.tanh])
@pytest.mark.parametrize(
    ("spec", "in_shape"),
    [
        (lambda value: Dense(3, activation=value), (4,)),
        (lambda value: Conv1D(3, 2, activation=value), (4, 2)),
        (lambda value: layers.Conv1DTranspose(3, 2, activation=value), (4, 2)),
        *(
            (lambda value, kind=kind: make(kind, activation=value), in_shape)
            for kind, in_shape in zip(
                KINDRED, [(4, 4, 2)] * 3 + [(4, 2), (4, 4, 2)], strict=True
            )
        ),
    ],
    ids=[
        "Dense",
        "Conv1D",
        "Conv1DTranspose",
        *(kind.__name__ for kind in KINDRED),
    ],
)
def test_activation(spec, in_shape, value):
    assert_build_fails(
        ValueError, spec(value), in_shape, "activation", f"got {value!r}", "'relu'"
    )


@pytest.mark.parametrize("value", ["ReLU", "sofplus", 1, ("relu",), np.tanh])
def test_function_of_activation(value):
    assert_build_fails(
        ValueError, Activation(value), (4,), "function must", f"got {value!r}", "relu"
    )


@pytest.mark.parametrize("value", [1, 1.5, -0.1, np.nan, np.inf, "0.5", None, True])
def test_rate(value):
    assert_build_fails(
        (TypeError, ValueError), Dropout(value), (4,), "rate", repr(value), "[0, 1)"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, "0.5", None, True])
@pytest.mark.parametrize("name", ["scale", "offset"])
def test_rescaling(name, value):
    spec = Rescaling(**{name: value})
    assert_build_fails((TypeError, ValueError), spec, (4,), name, repr(value))


@pytest.mark.parametrize(
    ("spec", "in_shape", "words"),
    [
        (Conv2D(2, 5), (4, 9, 1), ["kernel_size", "5", "4"]),
        (Conv2D(2, (1, 4)), (9, 3, 1), ["kernel_size", "4", "3"]),
        (Conv2D(2, 3, dilation=3), (6, 6, 1), ["kernel_size", "dilation", "6"]),
        (Conv2D(2, 7, padding=1), (4, 9, 1), ["kernel_size", "7", "6"]),
        (DepthwiseConv2D(5), (9, 4, 1), ["kernel_size", "5", "4"]),
        (SeparableConv2D(2, 5), (4, 9, 1), ["kernel_size", "5", "4"]),
        (SpatiallySeparableConv2D(2, 5), (9, 4, 1), ["kernel_size", "5", "4"]),
        (LocallyConnected2D(2, 5), (4, 9, 1), ["kernel_size", "5", "4"]),
        (MaxPool2D(3), (2, 9, 1), ["pool_size", "3", "2"]),
        (AvgPool2D((1, 5)), (9, 4, 1), ["pool_size", "5", "4"]),
    ],
    ids=str,
)
def test_window_larger_than_the_map_leaves_no_output(spec, in_shape, words):
    assert_build_fails(ValueError, spec, in_shape, *words, "no output")


@pytest.mark.parametrize("value", [-1, 2.5, "1", True, None, (1,), (0, 2), {1}, 2])
def test_output_padding(value):
    spec = Conv2DTranspose(3, 3, strides=2, output_padding=value)
    assert_build_fails(
        (TypeError, ValueError), spec, (4, 4, 2), "output_padding must", repr(value)
    )


def test_output_padding_is_smaller_than_strides_or_dilation():
    for strides, dilation in ((3, 1), (1, 3), (2, 3)):
        spec = Conv1DTranspose(2, 2, strides, dilation=dilation, output_padding=2)
        assert spec.build((4, 1)).out_shape == (3 * strides + dilation + 1 + 2, 2)
        spec.set_params(output_padding=3)
        words = ["output_padding must", f"({strides},)", f"({dilation},)", "got 3"]
        assert_build_fails(ValueError, spec, (4, 1), *words)


@pytest.mark.parametrize(
    ("padding", "kernel_size"), [("full", 6), (4, 3), (((0, 7), 0), 3)], ids=str
)
def test_transposed_convolution_that_leaves_no_output(padding, kernel_size):
    spec = Conv2DTranspose(2, kernel_size, padding=padding)
    assert_build_fails(
        ValueError, spec, (5, 5, 1), f"padding={padding!r}", "no output", "5 positions"
    )


@pytest.mark.parametrize("value", [0, -1, 2.5, "2", True, None, (), (2,), (2, 0)])
def test_size_of_upsample(value):
    assert_build_fails(
        (TypeError, ValueError), Upsample(value), (4, 4, 2), "size must", repr(value)
    )


@pytest.mark.parametrize("value", ["linear", "Nearest", None, 1, ["nearest"]])
def test_mode_of_upsample(value):
    words = ["mode must", "'nearest'", "'bilinear'", f"got {value!r}"]
    assert_build_fails(ValueError, Upsample(2, value), (4, 4, 2), *words)


@pytest.mark.parametrize("in_shape", [(4,), (2, 2, 2, 2, 2)])
def test_upsample_needs_a_map(in_shape):
    assert_build_fails(ValueError, Upsample(), in_shape, "Upsample", str(in_shape))


@pytest.mark.parametrize("kind", [Conv2D, Conv2DTranspose])
@pytest.mark.parametrize(
    ("filters", "channels", "groups"), [(4, 6, 4), (6, 4, 4), (5, 5, 2), (2, 2, 4)]
)
def test_groups_divide_channels_and_filters(kind, filters, channels, groups):
    spec = kind(filters, 2, groups=groups)
    words = ["groups must divide", str(channels), f"filters={filters}", str(groups)]
    assert_build_fails(ValueError, spec, (5, 5, channels), *words)


@pytest.mark.parametrize("in_shape", [(4,), (4, 4), (4, 4, 4), (4, 4, 4, 4)])
@pytest.mark.parametrize("kind", [*CONVOLUTIONS, *KINDRED, *POOLS, Dense])
def test_input_of_another_number_of_axes(kind, in_shape):
    spec = Dense(2) if kind is Dense else make(kind)
    if len(in_shape) == kind.spatial_ndim + 1:
        assert spec.build(in_shape).in_shape == in_shape
    else:
        assert_build_fails(ValueError, spec, in_shape, kind.__name__, str(in_shape))


@pytest.mark.parametrize("integer", [np.int64, np.int32, np.uint8])
def test_numbers_of_numpy_are_as_good(integer):
    two = integer(2)
    assert Conv2D(two, two, two, two, two, two).build((8, 8, 2)).out_shape == (5, 5, 2)
    assert MaxPool2D(two, (two, two)).build((8, 8, 2)).out_shape == (4, 4, 2)
    assert Upsample(two).build((8, 8, 2)).out_shape == (16, 16, 2)
    assert Dense(two).build((4,)).out_shape == (2,)
    assert Dropout(np.float32(0.25)).build((4,)).out_shape == (4,)


def test_network_puts_the_name_of_the_layer_before_the_message():
    specs = [("conv1", Conv2D(2, 3)), ("conv2", Conv2D(2, 9)), ("flat", Flatten())]
    with pytest.raises(ValueError, match=r"^layer 'conv2': .*kernel_size"):
        Network(specs, (8, 8, 1), "float64")
    with pytest.raises(TypeError, match=r"^layer 'conv1': filters must .* got 'many'"):
        Network([("conv1", Conv2D("many", 3))], (8, 8, 1), "float64")
