"""The network of `photographs.py`, and how it is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skconvnet import SequentialClassifier
from skconvnet.augmentation import (
    Affine,
    Augmentation,
    Brightness,
    Contrast,
    Cutout,
    Flip,
)
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    Dropout,
    GlobalMaxPool,
    MaxPool2D,
    Standardize,
    WhiteningConv2D,
)
from skconvnet.losses import LogLoss
from skconvnet.params.base import LayerSpec


def photograph_layers(widths: Sequence[int] = (32, 64, 128)) -> list[LayerSpec]:
    """Return blocks of two convolutions behind one that whitens patches of 2x2."""
    layers: list[LayerSpec] = [Standardize(), WhiteningConv2D(2), Activation("relu")]
    for filters in widths:
        for layer in (MaxPool2D(2), None):
            kernel = Conv2D(filters, 3, padding="same", kernel_initializer="he_uniform")
            layers += [kernel, *([layer] if layer else []), BatchNorm()]
            layers.append(Activation("relu"))
    return [*layers, GlobalMaxPool(), Dropout(0.2)]


def photograph_augmentation() -> list[Augmentation]:
    """Return changes that leave what photographs of 32x32 show."""
    return [
        Flip(alternate=True),
        Affine(rotation=10, scaling=0.15, shift=3.0, fill="reflect"),
        Brightness(0.1),
        Contrast(0.2),
        Cutout(8),
    ]


def photograph_network(**params: object) -> SequentialClassifier:
    """Return the network with its hyperparameters, which `params` replace."""
    chosen = {
        "augmentation": photograph_augmentation(),
        "solver": "muon",
        "alpha": 0.0,
        "learning_rate": "one_cycle",
        "learning_rate_init": 0.02,
        "loss": LogLoss(label_smoothing=0.1),
        "batch_size": 64,
        "n_iter_no_change": np.inf,
        "tol": 0.0,
        "dtype": "float32",
    }
    return SequentialClassifier(photograph_layers()).set_params(**{**chosen, **params})
