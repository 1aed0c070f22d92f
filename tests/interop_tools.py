"""Networks whose weights are moved to other libraries and back."""

import numpy as np

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    CELU,
    ELU,
    GRU,
    LSTM,
    Activation,
    AvgPool1D,
    AvgPool2D,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LeakyReLU,
    Maxout,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    MultiHeadAttention,
    Parallel,
    Permute,
    PositionalEncoding,
    PReLU,
    Reshape,
    Residual,
    RMSNorm,
    SeparableConv1D,
    SeparableConv2D,
    SeparableConv3D,
    SimpleRNN,
    SpatiallySeparableConv2D,
    SpatialPyramidPool,
    TimeDistributed,
    TransformerEncoder,
    Upsample,
)

N_TOKENS = 7
ROWS, SEQUENCE, IMAGE, VOLUME = (12,), (9, 4), (8, 6, 3), (4, 5, 6, 2)
TOKENS = "tokens"


def filled(est, seed=1):
    """Give an estimator random weights, and statistics unlike those of a start."""
    rng = np.random.default_rng(seed)
    weights = {
        name: rng.uniform(0.5, 1.5, array.shape)
        if name.endswith(("gamma", "variance", "deviation"))
        else rng.normal(size=array.shape) / np.sqrt(max(array.shape[0], 4))
        for name, array in est.get_weights().items()
    }
    return est.set_weights(weights)


def samples(in_shape, n=6, seed=0, dtype="float64"):
    rng = np.random.default_rng(seed)
    if in_shape == TOKENS:
        return rng.integers(0, N_TOKENS, size=(n, 8)).astype(dtype)
    return rng.normal(size=(n, *in_shape)).astype(dtype)


def built(specs, in_shape, dtype="float64", n_classes=3, seed=1):
    """Return a classifier of these layers, with random weights, and its samples."""
    X = samples(in_shape, dtype=dtype)
    y = np.arange(len(X)) % n_classes
    est = SequentialClassifier(specs, dtype=dtype, random_state=0).initialize(X, y)
    return filled(est, seed), X


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def assert_close(found, expected, dtype="float64"):
    assert found.shape == expected.shape
    assert np.ptp(expected) > 1e-3  # otherwise this would tell little
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def as_tensors(torch, state):
    return {name: torch.from_numpy(array) for name, array in state.items()}


def randomize(torch, network):
    """Draw all arrays at random, but for padding, which PyTorch keeps at zero."""
    with torch.no_grad():
        for name, array in network.state_dict().items():
            if name.endswith("running_var"):
                array.uniform_(0.5, 1.5)
            elif array.dtype.is_floating_point:
                array.normal_(0, max(array.shape[0], 4) ** -0.5)


# By name: the shape of a sample, and the layers before the output layer.
NETWORKS = {
    "dense": (ROWS, [Dense(5, "relu"), Dense(4, "tanh")]),
    "empty": (ROWS, []),
    "map to output": (IMAGE, [Conv2D(4, 3)]),
    "flatten at once": (IMAGE, [Flatten(), Dense(6, "tanh")]),
    "lenet": (
        IMAGE,
        [
            Conv2D(4, 3, padding="same", activation="relu"),
            MaxPool2D(2),
            Conv2D(5, (2, 3), activation="relu"),
            Flatten(),
            Dropout(0.2),
            Dense(7, "relu"),
        ],
    ),
    "norms before flatten": (
        IMAGE,
        [Conv2D(4, 3, 2, "same"), BatchNorm(), PReLU(), LayerNorm(), Flatten()],
    ),
    "norms after flatten": (
        IMAGE,
        [
            Conv2D(4, 3),
            Flatten(),
            BatchNorm(),
            PReLU(),
            LayerNorm(),
            Activation("tanh"),
            Dense(5),
        ],
    ),
    "norm of all": (IMAGE, [Conv2D(4, 3), LayerNorm(axis="all"), PReLU(shared=True)]),
    "norms of groups": (
        IMAGE,
        [
            Conv2D(6, 3),
            GroupNorm(3),
            ELU(0.5),
            InstanceNorm(),
            RMSNorm(),
            LeakyReLU(0.2),
            MaxPool2D(2),
        ],
    ),
    "norms of features": (
        IMAGE,
        [
            Conv2D(3, 3),
            Flatten(),
            RMSNorm(),
            Dense(6),
            GroupNorm(2),
            CELU(2.0),
            RMSNorm(1e-3),
        ],
    ),
    "root mean square of all": (SEQUENCE, [Conv1D(5, 3), RMSNorm(axis="all")]),
    "separable": (
        IMAGE,
        [
            SeparableConv2D(5, 3, padding="same", depth_multiplier=2),
            DepthwiseConv2D(3, 2, activation="relu"),
            AvgPool2D(2),
        ],
    ),
    "spatially separable": (
        IMAGE,
        [SpatiallySeparableConv2D(5, 3, (2, 1), padding="same", activation="elu")],
    ),
    "groups and dilation": (
        IMAGE,
        [Conv2D(6, 3, padding="same", groups=3), Conv2D(4, 2, dilation=2, groups=2)],
    ),
    "transposed": (
        IMAGE,
        [Conv2DTranspose(4, 3, 2, "same"), Conv2DTranspose(3, (2, 3), padding="same")],
    ),
    "transposed groups": (VOLUME, [Conv3DTranspose(4, 2, 2, groups=2)]),
    "sequence": (
        SEQUENCE,
        [
            Conv1D(6, 3, padding="same"),
            BatchNorm(),
            MaxPool1D(2),
            SeparableConv1D(4, 2),
            Conv1DTranspose(3, 2, 2),
            AvgPool1D(2),
        ],
    ),
    "volume": (
        VOLUME,
        [
            Conv3D(4, 2, activation="relu"),
            BatchNorm(),
            SeparableConv3D(3, 2, padding="same"),
            MaxPool3D((1, 2, 2)),
        ],
    ),
    "global average": (IMAGE, [Conv2D(4, 3), GlobalAvgPool(), Dense(5, "relu")]),
    "global maximum": (SEQUENCE, [Conv1D(4, 3), GlobalMaxPool()]),
    "upsampled": (IMAGE, [Conv2D(2, 3), Upsample(2), Conv2D(3, 3, 2)]),
    "parallel": (
        IMAGE,
        [
            Parallel(
                [
                    ("one", Conv2D(2, 1, activation="relu")),
                    ("three", [Conv2D(3, 3, padding="same"), BatchNorm()]),
                    ("same", []),
                ]
            ),
            MaxPool2D(2),
        ],
    ),
    "parallel features": (
        IMAGE,
        [
            Parallel(
                [
                    ("mean", GlobalAvgPool()),
                    ("flat", [Conv2D(2, 3, 2), Flatten(), BatchNorm()]),
                    ("dense", [Flatten(), Dense(3, "tanh")]),
                ]
            ),
            PReLU(),
        ],
    ),
    "residual": (
        IMAGE,
        [
            Residual(
                [Conv2D(3, 3, padding="same", activation="relu"), BatchNorm()],
            ),
            Residual([Conv2D(5, 3, 2, "same"), PReLU()]),
            Activation("relu"),
        ],
    ),
    "attention": (
        SEQUENCE,
        [Conv1D(6, 3), MultiHeadAttention(3, 2), LayerNorm(), GlobalAvgPool()],
    ),
    "transformer": (
        SEQUENCE,
        [
            PositionalEncoding("learned"),
            TransformerEncoder(2, 5, activation="relu"),
            TransformerEncoder(2, 5, activation="relu", pre_norm=True),
            Conv1D(6, 3),
            MultiHeadAttention(2, 3, causal=True),
        ],
    ),
    "nested": (
        IMAGE,
        [
            Residual(
                [
                    Parallel(
                        [
                            ("a", Conv2D(1, 1)),
                            ("b", [Residual([Conv2D(3, 3, padding="same")])]),
                        ]
                    ),
                    Conv2D(3, 1),
                ]
            )
        ],
    ),
}
TOKEN_NETWORKS = {
    "words to convolution": (
        TOKENS,
        [Embedding(N_TOKENS, 4), Conv1D(5, 3, activation="relu"), GlobalMaxPool()],
    ),
    "words to attention": (
        TOKENS,
        [
            Embedding(N_TOKENS, 4),
            PositionalEncoding(),
            TransformerEncoder(2, 6),
            MultiHeadAttention(1, 4, use_bias=False),
            Flatten(),
        ],
    ),
    "words to flatten": (TOKENS, [Embedding(N_TOKENS, 4), Flatten(), Dense(5)]),
    "words to maps": (
        TOKENS,
        [Embedding(N_TOKENS, 4), Activation("tanh"), MaxPool1D(2)],
    ),
    "word maps": (TOKENS, [Embedding(N_TOKENS, 4), Reshape((8, 4, 1)), Conv2D(3, 2)]),
    "words in channels": (
        TOKENS,
        [Embedding(N_TOKENS, 4), Permute((2, 1)), Flatten(), Dense(5)],
    ),
}
BAGS = {
    f"bag {reduce} {padding}": (
        TOKENS,
        [Embedding(N_TOKENS, 4, padding_token=padding, reduce=reduce), Dense(5)],
    )
    for reduce in ("mean", "sum", "max")
    for padding in (None, 0)
}
# Other orders of features, which matter where maps are channels first.
SHAPED = {
    "dense to map": (ROWS, [Dense(24), Reshape((2, 3, 4)), Conv2D(5, 2)]),
    "norms to map": (
        ROWS,
        [
            Dense(24, "relu"),
            BatchNorm(),
            PReLU(),
            LayerNorm(),
            Reshape((2, 3, 4)),
            Conv2DTranspose(3, 2, 2),
        ],
    ),
    "rows to gray map": (ROWS, [Reshape((3, 4, 1)), Conv2D(4, 2)]),
    "flat and back": (
        IMAGE,
        [Conv2D(4, 3), Flatten(), Reshape((24, 4)), Flatten(), Dense(5)],
    ),
    "map to map": (IMAGE, [Conv2D(4, 3), Reshape((24, 4)), Conv1D(5, 3)]),
    "permuted": (IMAGE, [Conv2D(4, 3), Permute((3, 1, 2)), Conv2D(3, 2), Flatten()]),
    "cube": (ROWS, [Dense(27), Reshape((3, 3, 3)), Conv2D(4, 2)]),
    "pyramid": (IMAGE, [Conv2D(4, 3), SpatialPyramidPool((1, 3)), Dense(5)]),
    "mean pyramid": (IMAGE, [SpatialPyramidPool((2, 1), "avg"), BatchNorm()]),
    "maxout": (IMAGE, [Conv2D(6, 3), Maxout(2), Flatten(), Dense(6), Maxout(3)]),
    "residual features": (IMAGE, [Flatten(), Residual([Dense(144, "tanh")]), Dense(5)]),
    "residual to map": (
        ROWS,
        [
            Dense(24),
            Residual([BatchNorm(), Dense(24, "relu"), Dense(24)]),
            Residual([Dense(12), PReLU()], shortcut=[Dense(12)]),
            Reshape((2, 2, 3)),
            Conv2D(4, 2),
        ],
    ),
    "projected features": (IMAGE, [Flatten(), Residual([Dense(7)]), BatchNorm()]),
}
RECURRENT = {
    "lstm": (SEQUENCE, [LSTM(5)]),
    "words to lstm": (TOKENS, [Embedding(N_TOKENS, 4), LSTM(5)]),
    "stacked": (
        SEQUENCE,
        [Conv1D(6, 3), GRU(4, return_sequences=True), SimpleRNN(3, "relu")],
    ),
    "bidirectional": (
        SEQUENCE,
        [Bidirectional(LSTM(3, return_sequences=True)), Bidirectional(GRU(4))],
    ),
    "states to flatten": (
        SEQUENCE,
        [GRU(3, return_sequences=True), Flatten(), Dense(4)],
    ),
    "states to convolution": (
        SEQUENCE,
        [LSTM(3, return_sequences=True), Conv1D(4, 2), GlobalMaxPool()],
    ),
    "steps": (SEQUENCE, [TimeDistributed([Dense(4, "tanh"), Dense(3)]), Flatten()]),
    "steps of sequences": (
        IMAGE,
        [TimeDistributed([Conv1D(4, 2), GlobalMaxPool()]), GRU(3)],
    ),
}
