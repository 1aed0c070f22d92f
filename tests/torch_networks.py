"""Our layers as modules of PyTorch, built from the hyperparameters alone."""

from math import prod

import numpy as np
import torch
from torch_convolutions import (
    convolution,
    depthwise,
    separable,
    transposed,
    two_steps,
    whitening,
)
from torch_lambda import Lambda

from skconvnet import layers as la
from skconvnet.layers.positional_encoding import sinusoids

nn = torch.nn
ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
    "elu": nn.ELU,
}
WHITENING = (la.WhiteningConv1D, la.WhiteningConv2D, la.WhiteningConv3D)
CONVOLUTIONS = (la.Conv1D, la.Conv2D, la.Conv3D)
# Their maps are channels last.
BY_STEP = (la.LSTM, la.GRU, la.SimpleRNN, la.Bidirectional, la.TimeDistributed)
TRANSPOSED = (la.Conv1DTranspose, la.Conv2DTranspose, la.Conv3DTranspose)
# Modules of (batch, steps, channels), as the output of an embedding is.
STEPS_FIRST = (la.MultiHeadAttention, la.PositionalEncoding, la.TransformerEncoder)
SEPARABLE = (la.SeparableConv1D, la.SeparableConv2D, la.SeparableConv3D)


def channels_first(X):
    return np.ascontiguousarray(np.moveaxis(X, -1, 1)) if X.ndim > 2 else X


def predict(network, X):
    """Return the output of a network for samples that are channels last."""
    network.eval()
    with torch.no_grad():
        return network(torch.from_numpy(channels_first(X))).numpy()


def torch_network(est, specs, dtype=None):
    """Return the network of an estimator with the layers `specs` and an output."""
    in_shape = est.network_.in_shape
    modules, shape, _ = sequence(specs, in_shape)
    if len(shape) > 1:
        modules.append(nn.Flatten())
    modules.append(nn.Linear(prod(shape), est.n_outputs_))
    network = nn.Sequential(*modules)
    return network.to(getattr(torch, str(dtype or est.network_.dtype)))


def sequence(specs, in_shape, is_embedded=False):
    """Return modules, the shape of their output, and whether it is channels last."""
    modules = []
    for spec in specs:
        if isinstance(spec, tuple):
            spec = spec[1]
        takes_any = (la.Activation, la.Dropout, la.Flatten, la.Reshape, la.Permute)
        takes_any += BY_STEP
        wants_steps_first = isinstance(spec, STEPS_FIRST)
        if is_embedded != wants_steps_first and not isinstance(spec, takes_any):
            modules.append(Lambda(lambda x: x.transpose(1, 2)))
            is_embedded = wants_steps_first
        modules += modules_of(spec, in_shape, is_embedded)
        in_shape = spec.build(in_shape).out_shape
        if isinstance(spec, la.Embedding):
            is_embedded = spec.reduce is None
        elif isinstance(spec, BY_STEP):
            is_embedded = len(in_shape) > 1
        elif isinstance(spec, (la.Flatten, la.Reshape)):
            is_embedded = False
    return modules, in_shape, is_embedded


def modules_of(spec, in_shape, is_embedded=False):
    if isinstance(spec, BY_STEP):
        first = [] if is_embedded else [Lambda(lambda x: x.movedim(1, -1))]
        return [*first, *by_step(spec, in_shape)]
    is_block = isinstance(spec, la.TransformerEncoder)
    name = None if is_block else getattr(spec, "activation", None)
    activation = [] if name is None else [ACTIVATIONS[name]()]
    for kinds, make in WITH_WEIGHTS.items():
        if isinstance(spec, kinds):
            return [*make(spec, in_shape), *activation]
    return [weightless(spec, in_shape, is_embedded)]


def by_step(spec, in_shape):
    """Return the modules of a layer that reads sequences, channels last."""
    if isinstance(spec, la.TimeDistributed):
        inner = nn.Sequential(*sequence(as_list(spec.layers), in_shape[1:])[0])
        return [Lambda(applied_to_steps, inner)]
    both = isinstance(spec, la.Bidirectional)
    own = spec.layer if both else spec
    kind = {"SimpleRNN": "RNN"}.get(type(own).__name__, type(own).__name__)
    params = {"nonlinearity": own.activation} if kind == "RNN" else {}
    module = getattr(nn, kind)(
        in_shape[-1],
        own.units,
        bias=own.use_bias,
        batch_first=True,
        bidirectional=both,
        **params,
    )
    return [Lambda(lambda x, module: states(x, module, own.return_sequences), module)]


def states(x, module, return_sequences):
    """Return all states, or the last one of each direction."""
    ys, last = module(x)
    if return_sequences:
        return ys
    last = last[0] if isinstance(last, tuple) else last
    return torch.cat(list(last), dim=-1)


def applied_to_steps(x, inner):
    steps = x.flatten(0, 1)
    if steps.ndim > 2:
        steps = steps.movedim(-1, 1)
    return inner(steps).unflatten(0, x.shape[:2])


def dense(spec, in_shape):
    return [nn.Linear(in_shape[0], spec.units)]


def batch_norm(spec, in_shape):
    ndim = max(len(in_shape) - 1, 1)
    return [getattr(nn, f"BatchNorm{ndim}d")(in_shape[-1], spec.epsilon)]


def prelu(spec, in_shape):
    return [nn.PReLU(1 if spec.shared else in_shape[-1])]


def embedding(spec, _):
    sizes, padding = (spec.n_tokens, spec.n_dims), spec.padding_token
    if spec.reduce is None:
        own = nn.Embedding(*sizes, padding)
    else:
        own = nn.EmbeddingBag(*sizes, mode=spec.reduce, padding_idx=padding)
    return [Lambda(lambda x, own: own(x.long()), own)]


def later_steps(length):
    return torch.triu(torch.ones(length, length, dtype=torch.bool), 1)


def attention(spec, in_shape):
    own = nn.MultiheadAttention(
        in_shape[-1], spec.num_heads, bias=spec.use_bias, batch_first=True
    )
    mask = later_steps(in_shape[0]) if spec.causal else None
    return [Lambda(lambda x, own: own(x, x, x, attn_mask=mask)[0], own)]


def encoder_block(spec, in_shape):
    own = nn.TransformerEncoderLayer(
        in_shape[-1],
        spec.num_heads,
        spec.units,
        0.0,
        spec.activation,
        spec.epsilon,
        batch_first=True,
        norm_first=spec.pre_norm,
    )
    mask = later_steps(in_shape[0]) if spec.causal else None
    return [Lambda(lambda x, own: own(x, mask), own)]


def positions(spec, in_shape):
    length, channels = in_shape
    if spec.kind == "sinusoidal":
        table = torch.from_numpy(sinusoids(length, channels))
        return [Lambda(lambda x: x + table.to(x.dtype))]
    own = nn.Embedding(spec.max_length or length, channels)
    return [Lambda(lambda x, own: x + own(torch.arange(length)), own)]


def parallel(spec, in_shape):
    branches = [
        nn.Sequential(*sequence(as_list(own), in_shape)[0]) for _, own in spec.branches
    ]
    return [Lambda(lambda x, *own: torch.cat([b(x) for b in own], 1), *branches)]


def as_list(layers):
    return layers if isinstance(layers, (list, tuple)) else [layers]


def layer_norm(spec, in_shape):
    if len(in_shape) == 1:
        return [nn.LayerNorm(in_shape[0], spec.epsilon)]
    if spec.axis == "all":
        return [nn.LayerNorm((in_shape[-1], *in_shape[:-1]), spec.epsilon)]
    own = nn.LayerNorm(in_shape[-1], spec.epsilon)
    return [Lambda(lambda x, own: own(x.movedim(1, -1)).movedim(-1, 1), own)]


def rms_norm(spec, in_shape):
    if spec.axis == "all" or len(in_shape) == 1:
        return [nn.RMSNorm((in_shape[-1], *in_shape[:-1]), spec.epsilon)]
    own = nn.RMSNorm(in_shape[-1], spec.epsilon)
    return [Lambda(lambda x, own: own(x.movedim(1, -1)).movedim(-1, 1), own)]


def group_norm(spec, in_shape):
    return [nn.GroupNorm(spec.groups, in_shape[-1], spec.epsilon)]


def instance_norm(spec, in_shape):
    kind = getattr(nn, f"InstanceNorm{len(in_shape) - 1}d")
    return [kind(in_shape[-1], spec.epsilon, affine=True)]


def residual(spec, in_shape):
    main, shape, _ = sequence(spec.layers, in_shape)
    if isinstance(spec.shortcut, list):
        shortcut = sequence(spec.shortcut, in_shape)[0]
    elif shape == in_shape:
        shortcut = []
    elif len(in_shape) == 1:
        shortcut = [nn.Linear(in_shape[0], shape[0])]
    else:
        kind = getattr(nn, f"Conv{len(shape) - 1}d")
        strides = tuple(
            -(-n // m) for n, m in zip(in_shape[:-1], shape[:-1], strict=True)
        )
        shortcut = [kind(in_shape[-1], shape[-1], 1, strides)]
    paths = nn.Sequential(*main), nn.Sequential(*shortcut)
    return [Lambda(lambda x, one, two: one(x) + two(x), *paths)]


def weightless(spec, in_shape, is_embedded):
    ndim = len(in_shape) - 1
    kind = type(spec).__name__
    if kind in LIKE_PYTORCH:
        return LIKE_PYTORCH[kind](spec)
    if isinstance(spec, la.Reshape):
        *spatial, channels = spec.build(in_shape).out_shape
        return Lambda(lambda x: x.reshape(len(x), channels, *spatial))
    if isinstance(spec, la.Permute):
        return Lambda(lambda x: permuted(x, spec.dims, is_embedded))
    if isinstance(spec, la.SpatialPyramidPool):
        kind = "Max" if spec.pooling == "max" else "Avg"
        pools = [getattr(nn, f"Adaptive{kind}Pool{ndim}d")(n) for n in spec.levels]
        return Lambda(
            lambda x, *pools: torch.cat([pool(x).flatten(1) for pool in pools], 1),
            *pools,
        )
    # MaxPool2D or AvgPool2D, for example
    return getattr(nn, f"{kind[:-1]}d")(spec.pool_size, spec.strides)


LIKE_PYTORCH = {
    "Activation": lambda spec: ACTIVATIONS[spec.function](),
    "CELU": lambda spec: nn.CELU(spec.alpha),
    "ELU": lambda spec: nn.ELU(spec.alpha),
    "LeakyReLU": lambda spec: nn.LeakyReLU(spec.negative_slope),
    "SmoothClip": lambda spec: Lambda(lambda x: x / (1 + (x / spec.limit) ** 2) ** 0.5),
    "Dropout": lambda _: nn.Identity(),
    "StochasticDepth": lambda _: nn.Identity(),
    "Flatten": lambda _: nn.Flatten(),
    "Upsample": lambda spec: nn.Upsample(scale_factor=spec.size, mode=spec.mode),
    "Maxout": lambda spec: Lambda(lambda x: x.unflatten(1, (-1, spec.pieces)).amax(2)),
    "GlobalAvgPool": lambda _: Lambda(lambda x: x.flatten(2).mean(2)),
    "GlobalMaxPool": lambda _: Lambda(lambda x: x.flatten(2).amax(2)),
}


def permuted(x, dims, is_embedded):
    """Permute the axes of samples as if they were channels last."""
    if is_embedded:
        return x.permute(0, *dims)
    if x.ndim > 2:
        x = x.movedim(1, -1)
    x = x.permute(0, *dims)
    return x.movedim(-1, 1) if x.ndim > 2 else x


WITH_WEIGHTS = {
    la.Dense: dense,
    CONVOLUTIONS: convolution,
    la.DepthwiseConv2D: depthwise,
    WHITENING: whitening,
    SEPARABLE: separable,
    la.SpatiallySeparableConv2D: two_steps,
    TRANSPOSED: transposed,
    la.BatchNorm: batch_norm,
    la.LayerNorm: layer_norm,
    la.RMSNorm: rms_norm,
    la.GroupNorm: group_norm,
    la.InstanceNorm: instance_norm,
    la.PReLU: prelu,
    la.Embedding: embedding,
    la.Parallel: parallel,
    la.Residual: residual,
    la.MultiHeadAttention: attention,
    la.PositionalEncoding: positions,
    la.TransformerEncoder: encoder_block,
}
