"""Our layers as layers of Keras, built from the hyperparameters alone."""

import keras

from skconvnet import layers as la
from skconvnet.layers.positional_encoding import sinusoids

kl = keras.layers
ACTIVATIONS = {"logistic": "sigmoid", None: None}
SAME_ARGUMENTS = ("strides", "padding", "groups")


def predict(model, X):
    outputs = model(keras.ops.convert_to_tensor(X), training=False)
    return outputs.detach().numpy()


class Positions(kl.Layer):
    """Adds an array to each sample."""

    def __init__(self, table):
        super().__init__()
        self.table = table

    def call(self, x):
        return x + keras.ops.cast(self.table, x.dtype)


class LearnedPositions(kl.Layer):
    """Adds the first rows of an embedding to each sample."""

    def __init__(self, embedding):
        super().__init__()
        self.embedding = embedding

    def call(self, x):
        return x + self.embedding(keras.ops.arange(x.shape[1]))


class Builder:
    """Builds a functional model, and keeps its layers in our order."""

    def __init__(self, specs, est):
        self.layers = []
        if isinstance(next(iter(specs), None), la.Embedding):
            inputs = keras.Input(est.network_.in_shape, dtype="int32")
        else:
            inputs = keras.Input(est.network_.in_shape)
        x = self.run(specs, inputs, est.network_.in_shape)
        if len(x.shape) > 2:
            x = kl.Flatten()(x)
        x = self.with_weights(kl.Dense(est.n_outputs_), x)
        self.model = keras.Model(inputs, x)

    def with_weights(self, layer, x):
        self.layers.append(layer)
        return layer(x)

    def all_layers(self):
        """Return the layers of the model, and those inside of layers of it."""
        for layer in self.model.layers:
            if isinstance(layer, kl.TimeDistributed):
                yield from layer.layer.layers
            else:
                yield layer

    def run(self, specs, x, in_shape):
        for spec in specs:
            if isinstance(spec, tuple):
                spec = spec[1]
            x = self.add(spec, x, in_shape)
            in_shape = spec.build(in_shape).out_shape
        return x

    def add(self, spec, x, in_shape):
        kind = type(spec).__name__
        if isinstance(spec, la.Parallel):
            ends = [
                self.run(own if isinstance(own, list) else [own], x, in_shape)
                for _, own in spec.branches
            ]
            return kl.Concatenate()(ends)
        if isinstance(spec, la.Residual):
            return kl.Add()(self.paths(spec, x, in_shape))
        if isinstance(spec, la.TransformerEncoder):
            return self.encoder_block(spec, x)
        if isinstance(spec, la.MultiHeadAttention):
            return self.attention(spec, x)
        if isinstance(spec, la.PositionalEncoding):
            return self.positions(spec, x, *in_shape)
        if isinstance(spec, la.TimeDistributed):
            inputs = keras.Input(in_shape[1:])
            steps = self.run(spec.layers, inputs, in_shape[1:])
            return kl.TimeDistributed(keras.Model(inputs, steps))(x)
        if hasattr(spec, "kernel_size"):
            return self.convolution(kind, spec, x)
        if kind in MAKE:
            return self.with_weights(MAKE[kind](spec, len(in_shape)), x)
        return WEIGHTLESS[kind](spec)(x)

    def convolution(self, kind, spec, x):
        own = {name: getattr(spec, name, 1) for name in SAME_ARGUMENTS}
        if isinstance(own["strides"], tuple) and len(set(own["strides"])) > 1:
            own.pop("groups")
        activation = ACTIVATIONS.get(spec.activation, spec.activation)
        if kind == "DepthwiseConv2D":
            layer = kl.DepthwiseConv2D(
                spec.kernel_size,
                own["strides"],
                own["padding"],
                spec.depth_multiplier,
                activation=activation,
            )
            return self.with_weights(layer, x)
        if kind == "SeparableConv3D":
            channels = x.shape[-1]
            x = self.with_weights(
                kl.Conv3D(
                    channels * spec.depth_multiplier,
                    spec.kernel_size,
                    padding=spec.padding,
                    groups=channels,
                    use_bias=False,
                ),
                x,
            )
            return self.with_weights(kl.Conv3D(spec.filters, 1), x)
        if kind == "SpatiallySeparableConv2D":
            height, width = spec.strides
            size, filters, padding = spec.kernel_size, spec.filters, spec.padding
            x = self.with_weights(
                kl.Conv2D(filters, (size, 1), (height, 1), padding, use_bias=False), x
            )
            last = kl.Conv2D(filters, (1, size), (1, width), padding)
            x = self.with_weights(last, x)
            return kl.Activation(activation)(x)
        if kind.startswith("Separable"):
            own["depth_multiplier"] = spec.depth_multiplier
        if kind.startswith("Separable") or kind.endswith("Transpose"):
            own.pop("groups")
        layer = getattr(kl, kind)(
            spec.filters,
            spec.kernel_size,
            dilation_rate=spec.dilation,
            activation=activation,
            **own,
        )
        return self.with_weights(layer, x)

    def attention(self, spec, x):
        own = kl.MultiHeadAttention(
            spec.num_heads, spec.key_dim, use_bias=spec.use_bias
        )
        self.layers.append(own)
        return own(x, x, use_causal_mask=spec.causal)

    def encoder_block(self, spec, x):
        def norm(x):
            return self.with_weights(kl.LayerNormalization(epsilon=spec.epsilon), x)

        def attend(x):
            size = x.shape[-1] // spec.num_heads
            own = la.MultiHeadAttention(spec.num_heads, size, causal=spec.causal)
            return self.attention(own, x)

        def dense(x):
            channels = x.shape[-1]
            x = self.with_weights(kl.Dense(spec.units, spec.activation), x)
            return self.with_weights(kl.Dense(channels), x)

        for body in (attend, dense):
            y = body(norm(x)) if spec.pre_norm else body(x)
            x = kl.Add()([x, y])
            x = x if spec.pre_norm else norm(x)
        return x

    def positions(self, spec, x, length, channels):
        if spec.kind == "sinusoidal":
            return Positions(sinusoids(length, channels))(x)
        table = kl.Embedding(spec.max_length or length, channels)
        return self.with_weights(LearnedPositions(table), x)

    def paths(self, spec, x, in_shape):
        y = self.run(spec.layers, x, in_shape)
        if isinstance(spec.shortcut, list):
            return y, self.run(spec.shortcut, x, in_shape)
        if y.shape == x.shape:
            return y, x
        if len(in_shape) == 1:
            return y, self.with_weights(kl.Dense(y.shape[-1]), x)
        pairs = zip(x.shape[1:-1], y.shape[1:-1], strict=True)
        strides = tuple(-(-n // m) for n, m in pairs)
        kind = getattr(kl, f"Conv{len(strides)}D")
        return y, self.with_weights(kind(y.shape[-1], 1, strides, "same"), x)


def recurrent(spec, _):
    kind = getattr(kl, type(spec).__name__)
    return kind(
        spec.units,
        ACTIVATIONS.get(spec.activation, spec.activation),
        use_bias=spec.use_bias,
        return_sequences=spec.return_sequences,
    )


MAKE = {
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), recurrent),
    "Bidirectional": lambda spec, n: kl.Bidirectional(
        recurrent(spec.layer, n), spec.merge
    ),
    "Dense": lambda spec, _: kl.Dense(
        spec.units, ACTIVATIONS.get(spec.activation, spec.activation)
    ),
    "BatchNorm": lambda spec, _: kl.BatchNormalization(epsilon=spec.epsilon),
    "LayerNorm": lambda spec, n: kl.LayerNormalization(
        list(range(1, n + 1)) if spec.axis == "all" else -1, spec.epsilon
    ),
    "RMSNorm": lambda spec, n: kl.RMSNormalization(
        list(range(1, n + 1)) if spec.axis == "all" else -1, spec.epsilon
    ),
    "GroupNorm": lambda spec, _: kl.GroupNormalization(
        spec.groups, epsilon=spec.epsilon
    ),
    "InstanceNorm": lambda spec, _: kl.GroupNormalization(-1, epsilon=spec.epsilon),
    "PReLU": lambda spec, n: kl.PReLU(
        shared_axes=list(range(1, n + spec.shared)) or None
    ),
    "Embedding": lambda spec, _: kl.Embedding(spec.n_tokens, spec.n_dims),
}
WEIGHTLESS = {
    "Activation": lambda spec: kl.Activation(
        ACTIVATIONS.get(spec.function, spec.function)
    ),
    "CELU": lambda spec: kl.Activation(lambda x: keras.activations.celu(x, spec.alpha)),
    "ELU": lambda spec: kl.ELU(spec.alpha),
    "LeakyReLU": lambda spec: kl.LeakyReLU(spec.negative_slope),
    "SmoothClip": lambda spec: kl.Lambda(
        lambda x: x / (1 + (x / spec.limit) ** 2) ** 0.5
    ),
    "Dropout": lambda spec: kl.Dropout(spec.rate),
    "Flatten": lambda _: kl.Flatten(),
    "Reshape": lambda spec: kl.Reshape(spec.shape),
    "Permute": lambda spec: kl.Permute(spec.dims),
    "GlobalAvgPool": lambda _: kl.Lambda(
        lambda x: keras.ops.mean(x, axis=tuple(range(1, len(x.shape) - 1)))
    ),
    "GlobalMaxPool": lambda _: kl.Lambda(
        lambda x: keras.ops.max(x, axis=tuple(range(1, len(x.shape) - 1)))
    ),
    "Upsample": lambda spec: kl.UpSampling2D(spec.size),
    **{
        f"{ours}{n}D": lambda spec, name=f"{theirs}Pooling{n}D": getattr(kl, name)(
            spec.pool_size
        )
        for n in (1, 2, 3)
        for ours, theirs in (("MaxPool", "Max"), ("AvgPool", "Average"))
    },
}
