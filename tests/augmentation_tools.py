"""What the tests of augmentations share."""

import numpy as np
from layer_tools import batch_first, batch_last
from sklearn.base import clone

from skconvnet._typing import override
from skconvnet.augmentation import (
    Affine,
    Brightness,
    Compose,
    Contrast,
    Crop,
    Cutout,
    Elastic,
    Flip,
    Mixup,
    Rotation,
    Scaling,
    Shear,
    Shift,
    Versions,
)
from skconvnet.augmentation.base import Augmentation, Batch, MapAugmenter
from skconvnet.augmentation.origin import Epoch, Origin
from skconvnet.engine.micro_batches import MicroBatchLimits
from skconvnet.engine.network import Network
from skconvnet.ops.workspace import Workspace

# One of each that changes samples of 6x5 pixels.
EVERY = [
    Shift(2),
    Shift((1, 3), fill="nearest"),
    Crop(1, fill_value=0.5),
    Crop((3, 4), fill="reflect"),
    Flip(),
    Flip(horizontal=False, vertical=True),
    Flip(alternate=True),
    Rotation(20),
    Scaling(0.2, fill="nearest"),
    Scaling((0.5, 0.7)),
    Shear(15),
    Affine(rotation=10, scaling=0.1, shear=5, shift=(1.5, 1)),
    Affine(rotation=40, shift=3, fill="reflect"),
    Elastic(alpha=3, sigma=1),
    Brightness(),
    Contrast((0.5, 1.5), value_range=(-1, 2)),
    Cutout(3),
    Mixup(1.0),
    Compose([Shift(1), Rotation(5), ("dark", Brightness((-0.5, 0))), Mixup(0.5)]),
]
# The values of `predict_augmentation` that have names.
NAMED = {
    "mirror": Versions(),
    "shifts": Versions(horizontal=False, shifts=1),
    "mirror+shifts": Versions(shifts=1),
}
NUMPY_MODES = {"nearest": "edge", "reflect": "reflect"}
MAPS = [case for case in EVERY if not isinstance(case, (Mixup, Compose))]


def run(augmentation, X, y=None, weights=1.0, seed=0, dtype="float64"):
    """Apply it to channels-last samples as training does; (X, y, weights) come back."""
    y = np.zeros((len(X), 1)) if y is None else y
    augmenter = augmentation.build(X.shape[1:])
    origin = Origin(np.arange(len(X)), Epoch(0, 0, 9))
    batch = Batch(batch_last(X.astype(dtype)), y.astype(dtype).T, weights, origin)
    changed = augmenter(batch, np.random.default_rng(seed), Workspace())
    return batch_first(changed.x).copy(), changed.targets.T.copy(), changed.weights


def images(n=7, shape=(6, 5, 2), seed=0):
    return np.random.default_rng(seed).uniform(size=(n, *shape))


def cut_minibatches(monkeypatch, n_samples):
    """Have networks cut minibatches into micro-batches of `n_samples`.

    Estimators make the network themselves, and have no parameter for this: the public
    attribute of the class is changed.
    """
    limits = MicroBatchLimits.fixed(n_samples)
    monkeypatch.setattr(Network, "default_limits", limits)


def moved_by_hand(sample, pixels, fill):
    """One sample, padded on all sides and cut out again."""
    widths = [(abs(p), abs(p)) for p in pixels] + [(0, 0)]
    if fill in NUMPY_MODES:
        options = {"mode": NUMPY_MODES[fill]}
    else:
        options = {"mode": "constant", "constant_values": fill}
    padded = np.pad(sample, widths, **options)
    pairs = zip(pixels, sample.shape, strict=False)
    window = [slice(abs(p) - p, abs(p) - p + n) for p, n in pairs]
    return padded[tuple(window)]


def mean_by_hand(predict, X, versions):
    """Return the weighted mean of the predictions for all versions of X."""
    built = versions.build(X.shape[1:])
    weights = [own.weight for own in built]
    return np.average([predict(own) for own in versions.of(X)], axis=0, weights=weights)


def plain(model):
    """Return an unfitted copy whose predictions are of the sample alone."""
    return clone(model).set_params(predict_augmentation=None)


def versions_of(case):
    """Return the object that a value of `predict_augmentation` stands for."""
    return NAMED.get(case, case) if isinstance(case, str) else case


class Recorder(Augmentation):
    """Keeps what it is given, and changes nothing."""

    def __init__(self):
        self.seen = []

    def _build(self, in_shape):
        spec = self

        class RecordingAugmenter(MapAugmenter):
            @override
            def change(self, x, rng, workspace):
                spec.seen.append((x.copy(), rng.random()))
                return x

        return RecordingAugmenter(in_shape)

    def __sklearn_clone__(self):
        return self
