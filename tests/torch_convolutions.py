"""Our convolutions as modules of PyTorch, built from the hyperparameters alone."""

from oracles import crop_amounts, pad_amounts
from torch import nn
from torch_lambda import Lambda

from skconvnet._checks import per_axis


def pad(amounts):
    """Return a module that adds zeros before and after each axis."""
    flat = tuple(n for pair in reversed(amounts) for n in pair)
    return getattr(nn, f"ZeroPad{len(amounts)}d")(flat)


def convolution(spec, in_shape, filters=None, groups=None, *, bias=True):
    filters, groups = filters or spec.filters, groups or spec.groups
    ndim = len(in_shape) - 1
    size, strides, dilation = (
        per_axis("", getattr(spec, name), ndim)
        for name in ("kernel_size", "strides", "dilation")
    )
    amounts = pad_amounts(in_shape[:-1], size, strides, spec.padding, dilation)
    kind = getattr(nn, f"Conv{ndim}d")
    own = kind(
        in_shape[-1],
        filters,
        size,
        strides,
        dilation=dilation,
        groups=groups,
        bias=bias,
    )
    return [pad(amounts), own]


def depthwise(spec, in_shape):
    channels = in_shape[-1]
    return convolution(spec, in_shape, channels * spec.depth_multiplier, channels)


def separable(spec, in_shape):
    channels, ndim = in_shape[-1], len(in_shape) - 1
    between = channels * spec.depth_multiplier
    return [
        *convolution(spec, in_shape, between, channels, bias=False),
        getattr(nn, f"Conv{ndim}d")(between, spec.filters, 1),
    ]


def whitening(spec, in_shape):
    filters = spec.build(in_shape).out_shape[-1]
    return convolution(spec, in_shape, filters=filters, groups=1)


def two_steps(spec, in_shape):
    size, strides = (
        per_axis("", value, 2) for value in (spec.kernel_size, spec.strides)
    )
    amounts = pad_amounts(in_shape[:-1], size, strides, spec.padding, (1, 1))
    return [
        pad(amounts),
        nn.Conv2d(
            in_shape[-1], spec.filters, (size[0], 1), (strides[0], 1), bias=False
        ),
        nn.Conv2d(spec.filters, spec.filters, (1, size[1]), (1, strides[1])),
    ]


def transposed(spec, in_shape):
    ndim = len(in_shape) - 1
    size, strides, dilation = (
        per_axis("", getattr(spec, name), ndim)
        for name in ("kernel_size", "strides", "dilation")
    )
    kind = getattr(nn, f"ConvTranspose{ndim}d")
    own = kind(
        in_shape[-1],
        spec.filters,
        size,
        strides,
        groups=spec.groups,
        dilation=dilation,
    )
    crops = crop_amounts(in_shape[:-1], size, strides, spec.padding, dilation)
    assert min(n for pair in crops for n in pair) >= 0

    def cropped(x, own):
        for axis, (before, after) in enumerate(crops, start=2):
            x = own(x) if axis == 2 else x
            x = x.narrow(axis, before, x.shape[axis] - before - after)
        return x

    return [Lambda(cropped, own)]
