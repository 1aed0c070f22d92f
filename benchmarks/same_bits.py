"""Fixed trainings over all estimators, layers and solvers, and a hash of their weights.

A change that is meant to leave behavior alone must leave every bit of every weight
alone. Write the hashes before it, compare after it, on one machine with one BLAS:

    python benchmarks/same_bits.py --write before.json
    python benchmarks/same_bits.py --compare before.json

Only public names are used, so that the same file runs on either side of the change.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from _machine import print_machine
from sklearn.datasets import load_digits

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet import layers as la
from skconvnet.architectures import googlenet, lenet, nin, resnet, xception_block
from skconvnet.augmentation import (
    Affine,
    Brightness,
    Contrast,
    Crop,
    Cutout,
    Elastic,
    Flip,
    Mixup,
    Shift,
)
from skconvnet.losses import Huber, LogLoss, Quantile
from skconvnet.optimizers import (
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lookahead,
    Muon,
    Nadam,
    RMSprop,
    ScheduleFreeAdamW,
)
from skconvnet.schedules import Cosine, OneCycle, Polynomial, ReduceOnPlateau

if TYPE_CHECKING:
    from skconvnet.params.base import LayerSpec

Estimator: TypeAlias = (
    ConvNetClassifier
    | ConvNetRegressor
    | MLPClassifier
    | MLPRegressor
    | SequentialClassifier
    | SequentialRegressor
)

SEED = {"random_state": 0, "max_iter": 3, "n_iter_no_change": 100}
# Networks are the same whatever the defaults are.
PLAIN = {
    "rescale": None,
    "batch_norm": False,
    "alpha": 1e-4,
    "learning_rate_init": 0.001,
}
SMALL = {"filters": (6, 8), "hidden_layer_sizes": 16, "batch_size": 64}
SMALL = {**SMALL, **PLAIN, "learning_rate": "constant", **SEED}


def digits(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of 64 pixels from 0 to 1, and their digits."""
    X, y = load_digits(return_X_y=True)
    return (X[:n] / 16).astype(np.float32), y[:n]


def photographs(n: int, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images or volumes of noise in uint8, of four classes."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, size=(n, *shape), dtype=np.uint8)
    return X, rng.integers(0, 4, size=n)


def sequential(*layers: LayerSpec, **params: object) -> SequentialClassifier:
    """Return a classifier of these layers that trains for a few epochs."""
    return SequentialClassifier(list(layers), **{"batch_size": 32, **SEED, **params})


def trainings() -> dict[str, tuple[Estimator, np.ndarray, np.ndarray]]:
    """Return unfitted estimators with their data, by name."""
    X, y = digits()
    X64, value = X.astype(np.float64), X[:, 10:20].sum(axis=1).astype(np.float64)
    images = X.reshape(-1, 8, 8, 1)
    photos, kinds = photographs(80, 16, 16, 3)
    large, large_kinds = photographs(48, 32, 32, 3)
    series = np.random.default_rng(1).normal(size=(60, 50, 3)).astype(np.float32)
    volumes, volume_kinds = photographs(40, 6, 7, 8, 2)
    tokens = np.random.default_rng(2).integers(0, 40, size=(120, 12))
    few = np.arange(len(tokens)) % 3
    scale = la.Rescaling(1 / 255)
    conv, flat = la.Conv2D(6, 3, activation="relu"), la.Flatten()
    cases: dict[str, tuple[Estimator, np.ndarray, np.ndarray]] = {}

    def add(name: str, estimator: Estimator, *data: np.ndarray) -> None:
        cases[name] = (estimator, data[0], data[1])

    # The perceptrons, every solver by name, and the schedules that have names.
    add("mlp adam", MLPClassifier((30, 20), **SEED), X64, y)
    add("mlp regressor", MLPRegressor(hidden_layer_sizes=(20,), **SEED), X64, value)
    sgd = {"learning_rate": "invscaling", "learning_rate_init": 0.1}
    add("mlp sgd", MLPClassifier((20,), solver="sgd", **sgd, **SEED), X, y)
    add("mlp lbfgs", MLPClassifier((20,), solver="lbfgs", **SEED), X64, y)
    early = MLPClassifier((20,), early_stopping=True, learning_rate="adaptive", **SEED)
    add("mlp early stopping", early.set_params(solver="sgd"), X, y)
    sparse = MLPClassifier((20,), alpha=0.5, l1_ratio=0.7, max_grad_norm=1.0, **SEED)
    add("mlp sparse", sparse, X, y)
    add("mlp sparse unclipped", MLPClassifier((20,), l1_ratio=1.0, **SEED), X, y)
    for solver in (
        *("adamw", "nadam", "adamax", "rmsprop", "adagrad", "adadelta"),
        "schedule_free_adamw",
    ):
        add(f"mlp {solver}", MLPClassifier((20,), solver=solver, **SEED), X, y)
    # Optimizers, schedules and losses as objects, averages, class weights.
    for solver in (
        *(SGD(momentum=0.5, nesterov=True), RMSprop(centered=True), Adagrad()),
        *(Adadelta(rho=0.9), Adam(amsgrad=True), AdamW(weight_decay=0.1)),
        *(Nadam(), Adamax(), ScheduleFreeAdamW(), Muon(), Lookahead(SGD())),
    ):
        name = f"convnet {type(solver).__name__}"
        add(name, ConvNetClassifier(solver=solver, **SMALL), X, y)
    add("convnet LBFGS", ConvNetClassifier(solver=LBFGS(history=5), **SMALL), X64, y)
    for schedule in (Cosine(warmup_epochs=1), OneCycle(), Polynomial()):
        name = f"convnet {type(schedule).__name__}"
        add(name, ConvNetClassifier(**{**SMALL, "learning_rate": schedule}), X, y)
    plateau = ConvNetClassifier(
        **{**SMALL, "learning_rate": ReduceOnPlateau(patience=1)}
    )
    add("convnet plateau", plateau, X, y)
    smooth = {"loss": LogLoss(label_smoothing=0.1), "class_weight": "balanced"}
    add("convnet smooth", ConvNetClassifier(averaging=0.9, **smooth, **SMALL), X, y)
    for loss in ("squared_error", "hinge", "squared_hinge", "perceptron"):
        add(f"convnet {loss}", ConvNetClassifier(loss=loss, **SMALL), X, y)
    for loss in ("squared_error", Huber(), Quantile(0.8), "poisson", "absolute_error"):
        regressor = ConvNetRegressor(loss=loss, averaging="swa", **SMALL)
        add(f"convnet regressor {loss}", regressor, images, value)
    # Blocks, algorithms of convolution, full batches, single samples, and large
    # minibatches. The names stay as they are: hashes are compared by name.
    rich = {"batch_norm": True, "convs_per_block": 2, "residual": True, "dropout": 0.2}
    add("convnet residual", ConvNetClassifier(**{**SMALL, **rich}), X, y)
    add("convnet separable", ConvNetClassifier(separable=True, **SMALL), X, y)
    pools = {"pooling": ("avg", None), "strides": (1, 2), "global_pooling": "avg"}
    add("convnet strided", ConvNetClassifier(kernel_size=5, **pools, **SMALL), X, y)
    for method in ("im2col", "winograd", "fft"):
        add(method, ConvNetClassifier(conv_method=method, **SMALL), images, y)
    full = ConvNetClassifier(**{**SMALL, "batch_mode": "bgd", "alpha": 0.1})
    add("convnet whole set", full, X, y)
    one = ConvNetClassifier(**{**SMALL, "batch_mode": "sgd", "max_iter": 1})
    add("convnet one by one", one, X[:50], y[:50])
    wide = {**SMALL, "filters": (32, 32), "hidden_layer_sizes": (128,)}
    wide = {**wide, "batch_size": 128, "n_jobs": 2}
    add("convnet threads", ConvNetClassifier(**wide), *photographs(300, 28, 28))
    augmented = [Shift(1), Flip(), Affine(), Brightness(), Contrast(), Cutout(3)]
    jobs = {"n_jobs": 2, **SMALL}
    add(
        "augmentation", ConvNetClassifier(augmentation=augmented, **jobs), photos, kinds
    )
    mixed = [Crop(), Elastic(), Mixup()]
    add(
        "augmentation mixed",
        ConvNetClassifier(augmentation=mixed, **SMALL),
        photos,
        kinds,
    )
    # Every family of layers.
    add(
        "layers of maps",
        sequential(
            *(scale, la.Conv2D(8, 3, 1, "same", groups=1), la.BatchNorm()),
            *(la.Activation("gelu"), la.LocalResponseNorm(), la.MaxPool2D(2)),
            *(
                la.Conv2D(8, 3, dilation=2, groups=2),
                la.PReLU(),
                la.SpatialDropout(0.2),
            ),
            *(la.DepthwiseConv2D(3, depth_multiplier=2, padding="same"), la.RReLU()),
            *(la.SeparableConv2D(8, 3, padding="same"), la.LayerNorm()),
            *(la.AvgPool2D(2), flat, la.Maxout(4), la.Dropout(0.3)),
        ),
        *(photos, kinds),
    )
    add(
        "layers that grow maps",
        sequential(
            *(la.Standardize(), la.Conv2DTranspose(5, 4, 2, "same", activation="relu")),
            *(la.Upsample(2), la.Conv2D(4, 5, 2), la.Conv2DTranspose(3, 3, dilation=2)),
            *(la.SpatiallySeparableConv2D(4, 3), la.GaussianNoise(0.1)),
            *(la.LocallyConnected2D(2, 3, 2), la.GlobalMaxPool()),
        ),
        *(photos, kinds),
    )
    inception = [
        ("a", la.Conv2D(4, 1, activation="relu")),
        ("b", [la.Conv2D(3, 1), la.BatchNorm(), la.Conv2D(4, 3, padding="same")]),
        ("c", [la.MaxPool2D(3, 1, "same"), la.Conv2D(2, 1)]),
    ]
    block = la.Residual([la.Conv2D(10, 3, padding="same"), la.BatchNorm()])
    add(
        "layers of layers",
        sequential(scale, conv, la.Parallel(inception), block, la.GlobalAvgPool()),
        *(photos, kinds),
    )
    add(
        "pyramid",
        sequential(scale, conv, la.SpatialPyramidPool((1, 2)), la.Dense(8, "tanh")),
        *(photos, kinds),
    )
    add(
        "series",
        sequential(
            *(la.Conv1D(6, 10, activation="relu"), la.MaxPool1D(2), la.Conv1D(8, 12)),
            *(la.Conv1DTranspose(4, 3, 2), la.LocallyConnected1D(2, 4, 4)),
            *(la.AvgPool1D(2), la.Flatten()),
        ),
        *(series, np.arange(60) % 2),
    )
    add(
        "volumes",
        sequential(
            *(scale, la.Conv3D(4, 3, padding="same", activation="elu")),
            *(la.MaxPool3D(2), la.Conv3DTranspose(3, 2, 2), la.AvgPool3D(2), flat),
        ),
        *(volumes, volume_kinds),
    )
    text = [la.Embedding(40, 8), la.Conv1D(6, 3, activation="relu"), la.GlobalMaxPool()]
    add("text", sequential(*text), tokens, few)
    shaped = [la.Reshape((4, 16)), la.Permute((2, 1)), la.Flatten(), la.Dense(9)]
    rows = SequentialRegressor([*shaped, la.Activation("selu")], **SEED)
    add("shapes", rows, X64, value)
    # Published networks at a small width.
    size = {"batch_size": 16, **SEED, "max_iter": 1}
    add(
        "lenet",
        SequentialClassifier(lenet(), **size),
        images.repeat(4, 1).repeat(4, 2),
        y,
    )
    for name, layers in {
        "nin": nin(width=1 / 16),
        "resnet": resnet(depth=50, width=1 / 16),
        "googlenet": googlenet(width=1 / 16),
        "xception": [
            *xception_block((8, 8), projection=True),
            ("mean", la.GlobalAvgPool()),
        ],
    }.items():
        add(
            name,
            SequentialClassifier([("scale", scale), *layers], **size),
            large,
            large_kinds,
        )
    return cases


def fingerprint(estimator: Estimator, X: np.ndarray, y: np.ndarray) -> str:
    """Train, and hash the weights, buffers, curve and a few predictions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X, y)
        if hasattr(estimator, "partial_fit") and estimator.solver != "lbfgs":
            # Not with L-BFGS, early stopping or balanced weights.
            with suppress(AttributeError, ValueError):
                estimator.partial_fit(X[:40], y[:40])
    state = hashlib.sha256()
    for name, array in sorted(estimator.get_weights().items()):
        state.update(name.encode())
        state.update(np.ascontiguousarray(array).tobytes())
    state.update(np.asarray(getattr(estimator, "loss_curve_", [])).tobytes())
    state.update(np.ascontiguousarray(estimator.predict(X[:20])).tobytes())
    if not all(np.isfinite(array).all() for array in estimator.get_weights().values()):
        raise FloatingPointError("a weight is not finite")
    return state.hexdigest()


def main(argv: list[str] | None = None) -> int:
    """Train, print the hashes, and write or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", type=Path, metavar="FILE")
    action.add_argument("--compare", type=Path, metavar="FILE")
    parser.add_argument("--only", default="", help="names that contain this")
    arguments = parser.parse_args(argv)
    print_machine()
    found = {}
    for name, case in trainings().items():
        if arguments.only in name:
            found[name] = fingerprint(*case)
            print(f"{found[name][:12]}  {name}", flush=True)
    if arguments.write:
        arguments.write.write_text(json.dumps(found, indent=1))
        return 0
    before = json.loads(arguments.compare.read_text())
    differs = [name for name in found if found[name] != before.get(name)]
    missing = [] if arguments.only else [name for name in before if name not in found]
    print(f"{len(found)} trainings, {len(differs)} differ: {differs}; gone: {missing}")
    return 1 if differs or missing else 0


if __name__ == "__main__":
    sys.exit(main())
