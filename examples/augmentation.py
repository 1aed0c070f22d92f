"""Train on shifted digits, and show the effect of each augmentation.

    python examples/augmentation.py [--plot FILE]

The images of 8x8 pixels that come with scikit-learn are placed in a frame of 12x12. A
network that has only seen them in the middle fails when they are shifted; a network
trained with `augmentation=Shift(2)` does not. A grid search reaches into a list of
augmentations as it does into a Pipeline. With `--plot`, which requires matplotlib, the
example draws some digits and their augmented versions to FILE.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
from _command_line import picture_file
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split

from skconvnet import ConvNetClassifier
from skconvnet.augmentation import (
    Affine,
    Augmentation,
    Brightness,
    Contrast,
    Crop,
    Cutout,
    Elastic,
    Flip,
    Mixup,
    ProgressiveResizing,
    Rotation,
    Scaling,
    Shear,
    Shift,
)

EPOCHS = 40
SHOWN: list[Augmentation] = [
    Shift(2),
    Crop(2, fill="nearest"),
    Flip(probability=1.0),
    Rotation(30),
    Scaling(0.3),
    Shear(30),
    Affine(rotation=20, scaling=0.2, shear=10, shift=1),
    Elastic(alpha=8, sigma=2),
    Brightness(0.5),
    Contrast((0.2, 0.8)),
    Cutout(4, fill_value=8),
    Mixup(1.0),
    ProgressiveResizing(),
]


def framed_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return images of shape (n, 12, 12, 1), values from 0 to 16, and their labels."""
    X, y = load_digits(return_X_y=True)
    images = X.reshape(-1, 8, 8, 1).astype(np.float32)
    return np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0))), y


def make_model(augmentation: object) -> ConvNetClassifier:
    """Return a small network that trains with this augmentation."""
    return ConvNetClassifier(
        filters=(16, 32),
        hidden_layer_sizes=64,
        batch_size=32,
        learning_rate_init=0.002,
        max_iter=EPOCHS,
        augmentation=augmentation,
        random_state=0,
    )


def compare(X: np.ndarray, y: np.ndarray) -> dict[str, tuple[float, float]]:
    """Print and return accuracies on digits in the middle, and on shifted ones."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.4, stratify=y, random_state=0
    )
    shifted = Shift(2).augment(X_test, random_state=1)
    accuracies = {}
    print(f"{'augmentation':15}{'in the middle':>15}{'shifted':>10}")
    for name, augmentation in {"none": None, "Shift(2)": Shift(2)}.items():
        model = make_model(augmentation).fit(X_train, y_train)
        scores = model.score(X_test, y_test), model.score(shifted, y_test)
        accuracies[name] = scores
        print(f"{name:15}{scores[0]:15.4f}{scores[1]:10.4f}")
    return accuracies


def search(X: np.ndarray, y: np.ndarray) -> GridSearchCV:
    """Print the scores of a grid over the parameters of a list of augmentations."""
    model = make_model([Shift(1), ("warp", Rotation(10))])
    grid = {
        "augmentation__shift__max_pixels": [0, 1],
        "augmentation__warp": ["passthrough", Rotation(10), Elastic(6, 2)],
    }
    found = GridSearchCV(model, grid, cv=2, n_jobs=2).fit(X, y)
    results = found.cv_results_
    print(f"\nGrid search on {len(y)} digits in the middle, 2 folds")
    for params, score in zip(
        results["params"], results["mean_test_score"], strict=True
    ):
        pixels, warp = params.values()
        print(f"  {score:.4f}  max_pixels={pixels}, warp={warp}")
    return found


def plot(X: np.ndarray, y: np.ndarray, file: Path, n: int = 8) -> None:
    """Draw a row of unchanged digits, then one row per augmentation."""
    from matplotlib.figure import Figure

    X, y = X[:n], y[:n]
    rows = {"as given": X}
    for augmentation in SHOWN:
        changed, _ = augmentation.augment(X, np.eye(10)[y], random_state=0)
        rows[type(augmentation).__name__] = changed
    figure = Figure(figsize=(n, len(rows)))
    axes = figure.subplots(len(rows), n)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for axis, image in zip(line, images, strict=True):
            axis.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=16)
            axis.set(xticks=[], yticks=[])
    figure.savefig(file, dpi=100, bbox_inches="tight")
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Compare trainings with and without augmentation, then search a grid."""
    file = picture_file(__doc__, argv)
    X, y = framed_digits()
    with warnings.catch_warnings():
        # All are trained for the same number of epochs, converged or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        compare(X, y)
        search(X[:400], y[:400])
    if file:
        plot(X, y, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
