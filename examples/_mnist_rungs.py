"""The networks of the MNIST ladder, and how long each is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from _slant import without_slant
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from skconvnet import ConvNetClassifier, MLPClassifier, SequentialClassifier
from skconvnet.augmentation import Affine, Shift, Versions
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    DepthwiseConv2D,
    Flatten,
    MaxPool2D,
    Rescaling,
    SeparableConv2D,
)
from skconvnet.params.base import LayerSpec

TRAINING = {
    "solver": "adam",
    "learning_rate": "one_cycle",
    "learning_rate_init": 0.003,
    "batch_size": 128,
    "tol": 0.0,
    "n_iter_no_change": np.inf,
    "dtype": "float32",
}

# After two blocks, and after two dense layers. The book drops the inputs of its two
# dense layers and of its output: the maps of the second block, and the dense units.
DROPOUT = (0.0, 0.5, 0.5, 0.5)

# On held-out images, the network with dropout was better with SGD than with Adam.
WITH_DROPOUT = {
    "hidden_layer_sizes": (1000, 1000),
    "dropout": DROPOUT,
    "alpha": 0.0,
    "solver": "sgd",
    "learning_rate_init": 0.02,
    "batch_size": 64,
}

LARGER_TURNS = Affine(rotation=18, scaling=0.18, shear=10, shift=4.0)

# Seven blocks of one convolution each. Only the first has pooling.
SEVEN_BLOCKS = {
    "filters": (32, 48, 64, 80, 96, 112, 128),
    "kernel_size": 3,
    "convs_per_block": 1,
    "pool_size": (2, 1, 1, 1, 1, 1, 1),
}

# Predictions are means over an image and the same image moved by a pixel.
MOVED = Versions(horizontal=False, shifts=1, fill="constant")


@dataclass(frozen=True)
class Rung:
    """A step of the ladder.

    Attributes
    ----------
    change : str
        What is new.
    printed : float or None
        The accuracy in the book, in percent. None for rungs beyond it.
    epochs : int
        How long we train; for a vote, the longest training of its networks.
    make : callable or None
        ``make(max_iter=..., random_state=...)`` returns the estimator. None if networks
        of other rungs vote.
    is_expanded : bool
        Whether the training set has five of each image, moved by a pixel.
    voters : tuple of str
        The rungs whose networks vote. A rung that is named again votes with its next
        seed.
    teacher : str
        The rung whose network, trained with the same seed, provides probabilities. The
        network is trained on these in place of the labels. Empty if it learns labels.
    """

    change: str
    printed: float | None
    epochs: int
    make: Callable[..., Pipeline] | None
    is_expanded: bool = False
    voters: tuple[str, ...] = ()
    teacher: str = ""


def dense(**params: object) -> Pipeline:
    """Return a network of 100 hidden units, trained as in the book.

    It overfits less with many small steps than with Adam, by 0.3 points.
    """
    own = {"solver": "sgd", "momentum": 0.0, "batch_size": 10}
    rates = {"learning_rate": "constant", "learning_rate_init": 0.1, "alpha": 0.0}
    net = MLPClassifier(
        (100,), activation="logistic", **{**TRAINING, **own, **rates, **params}
    )
    return Pipeline([("scale", MinMaxScaler()), ("net", net)])


def convolutional(filters: Sequence[int], **params: object) -> Pipeline:
    """Return blocks of 5x5 convolutions and 2x2 pooling, and dense layers."""
    images = FunctionTransformer(np.reshape, kw_args={"shape": (-1, 28, 28)})
    chosen = {"hidden_layer_sizes": (100,), "alpha": 0.0, **TRAINING}
    book = {"kernel_size": 5, "padding": "valid", "batch_norm": False}
    net = ConvNetClassifier(filters, **{**book, **chosen, **params})
    return Pipeline([("images", images), ("net", net)])


def one_block(**params: object) -> Pipeline:
    """Return a network of one block with logistic units."""
    return convolutional((20,), activation="logistic", **params)


def two_blocks(**params: object) -> Pipeline:
    """Return a network of two blocks with logistic units."""
    return convolutional((20, 40), activation="logistic", **params)


def with_relu(**params: object) -> Pipeline:
    """Return a network of two blocks with ReLU, and a penalty on large weights."""
    return convolutional((20, 40), activation="relu", **{"alpha": 0.01, **params})


def with_shifts(**params: object) -> Pipeline:
    """Return two blocks with ReLU that see images moved by a pixel."""
    return with_relu(augmentation=Shift(1), **params)


def normalized(**params: object) -> Pipeline:
    """Return three blocks with batch normalization, for digits that are turned.

    The network predicts by the mean over images that are moved by a pixel.
    """
    chosen = {
        "filters": (32, 64, 128),
        "kernel_size": (5, 3, 3),
        "convs_per_block": (1, 3, 1),
        "pool_size": (2, 2, 1),
        "hidden_layer_sizes": (),
        "activation": "relu",
        "batch_norm": True,
        "dropout": 0.1,
        "augmentation": Affine(rotation=12, scaling=0.12, shear=6, shift=2.0),
        "predict_augmentation": MOVED,
        "learning_rate_init": 0.005,
    }
    return convolutional(**{**chosen, **params})


def few_weights(filters: Sequence[int], **params: object) -> Pipeline:
    """Return separable convolutions of few weights, for digits without slant."""
    first, second, third, fourth, fifth = filters
    layers = [
        Rescaling(1 / 255),
        *_active(Conv2D(first, 3, padding="valid")),
        *_active(SeparableConv2D(second, 3, padding="valid")),
        MaxPool2D(2),
        *_active(SeparableConv2D(third, 3, padding="valid")),
        *_active(SeparableConv2D(fourth, 3, padding="valid")),
        MaxPool2D(2),
        *_active(SeparableConv2D(fifth, 3, padding="valid")),
        *_active(DepthwiseConv2D(2, padding="valid")),
        Flatten(),
    ]
    rates = {"learning_rate_init": 0.05, "batch_size": 64, "alpha": 0.0}
    net = SequentialClassifier(layers, predict_augmentation=MOVED)
    net.set_params(**{**TRAINING, **rates, **params})
    return Pipeline([("upright", FunctionTransformer(without_slant)), ("net", net)])


def _active(layer: LayerSpec) -> list[LayerSpec]:
    return [layer, BatchNorm(), Activation("relu")]


RUNGS = {
    "1": Rung("dense 100", 97.80, 60, dense),
    "2": Rung("20 filters", 98.78, 20, one_block),
    "3": Rung("and 40 filters", 99.06, 20, two_blocks),
    "4": Rung("ReLU, penalty", 99.23, 20, with_relu),
    "5": Rung("shifts", 99.37, 60, with_shifts),
    "5x": Rung("set of shifts", 99.37, 12, with_relu, is_expanded=True),
    "6a": Rung("dense 300", 99.46, 60, partial(with_shifts, hidden_layer_sizes=(300,))),
    "6b": Rung(
        "dense 1000", 99.43, 60, partial(with_shifts, hidden_layer_sizes=(1000,))
    ),
    "6c": Rung(
        "dense 100, 100", 99.43, 60, partial(with_shifts, hidden_layer_sizes=(100, 100))
    ),
    "7": Rung(
        "dense 1000, 1000, dropout",
        99.60,
        80,
        partial(with_shifts, **WITH_DROPOUT),
    ),
    "8": Rung("five of rung 7 vote", 99.67, 80, None, voters=("7",) * 5),
    "9": Rung("batch norm, turned digits", None, 30, normalized),
    "9a": Rung("more filters", None, 40, partial(normalized, filters=(48, 96, 160))),
    "9b": Rung(
        "larger turns", None, 60, partial(normalized, augmentation=LARGER_TURNS)
    ),
    "9c": Rung("seven convolutions", None, 30, partial(normalized, **SEVEN_BLOCKS)),
    "10": Rung("five of rung 9 vote", None, 30, None, voters=("9",) * 5),
    "11": Rung(
        "different networks vote", None, 60, None, voters=("9", "9", "9a", "9b", "9c")
    ),
    "small": Rung(
        "few weights, no slant", None, 60, partial(few_weights, (6, 8, 10, 10, 12))
    ),
    "smaller": Rung(
        "taught by rung 9c",
        None,
        90,
        partial(few_weights, (5, 6, 8, 8, 9), augmentation=Shift(1), batch_size=96),
        teacher="9c",
    ),
}


def vote(networks: Sequence[Pipeline]) -> VotingClassifier:
    """Return fitted networks that vote by the mean of their probabilities."""
    voters = [(f"net{i}", FrozenEstimator(net)) for i, net in enumerate(networks)]
    return VotingClassifier(voters, voting="soft")
