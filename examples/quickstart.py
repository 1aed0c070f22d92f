"""Recognize handwritten digits with a small convolutional network.

    python examples/quickstart.py

Here a ConvNetClassifier does what any scikit-learn classifier does: it works in a
Pipeline after a scaler, is cross-validated and grid-searched, and is saved and loaded
with joblib. The 1,797 images of 8x8 pixels come with scikit-learn.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from skconvnet import ConvNetClassifier

GRID = {
    "convnet__filters": [(16, 32), (32, 64)],
    "convnet__learning_rate_init": [0.003, 0.006],
}


def make_model() -> Pipeline:
    """Return a scaler and a network; rows of 64 features become images of 8x8x1."""
    convnet = ConvNetClassifier(
        filters=(32, 64),
        hidden_layer_sizes=128,
        # Nothing is dropped after the two blocks, half after the dense layer.
        dropout=(0.0, 0.0, 0.5),
        dtype="float32",
        random_state=0,
    )
    return Pipeline([("scale", MinMaxScaler()), ("convnet", convnet)])


def cross_validate(model: Pipeline, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Print and return the accuracy of each of five folds."""
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    accuracies = cross_val_score(model, X, y, cv=folds)
    print("5-fold cross-validation")
    print("  folds:  " + "  ".join(f"{a:.4f}" for a in accuracies))
    print(f"  mean accuracy: {accuracies.mean():.4f}")
    return accuracies


def search(model: Pipeline, X: np.ndarray, y: np.ndarray) -> GridSearchCV:
    """Print the scores of a small grid, and return the fitted search."""
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    # Each of the two processes gets its share of the CPUs, so that the threads of
    # their networks do not compete.
    grid = GridSearchCV(model, GRID, cv=folds, n_jobs=2).fit(X, y)
    print(f"Grid search, {len(y)} training images, 3 folds, two processes")
    results = grid.cv_results_
    for params, score in zip(
        results["params"], results["mean_test_score"], strict=True
    ):
        print(f"  {score:.4f}  {_without_prefix(params)}")
    print(f"  best: {_without_prefix(grid.best_params_)}")
    return grid


def _without_prefix(params: dict) -> str:
    return ", ".join(f"{name.split('__')[-1]}={v}" for name, v in params.items())


def report_confusions(model: Pipeline, X: np.ndarray, y: np.ndarray) -> None:
    """Print the accuracy on unseen images, and which digits were confused."""
    predicted = model.predict(X)
    print(f"Best model on {len(y)} images held out from the search")
    print(f"  accuracy: {np.mean(predicted == y):.4f}")
    counts = confusion_matrix(y, predicted)
    np.fill_diagonal(counts, 0)
    if not counts.any():
        print("  no digit was taken for another")
    for cell in np.argsort(counts, axis=None)[::-1][:5]:
        true, wrong = np.unravel_index(cell, counts.shape)
        if counts[true, wrong]:
            print(f"  {true} taken for {wrong}: {counts[true, wrong]} time(s)")


def survives_saving(model: Pipeline, X: np.ndarray) -> bool:
    """Save and load `model`, and say whether its predictions are the same bits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.joblib"
        joblib.dump(model, path)
        size = path.stat().st_size
        loaded = joblib.load(path)
    is_same = np.array_equal(model.predict_proba(X), loaded.predict_proba(X))
    weights = sum(a.nbytes for a in model[-1].get_weights().values())
    print("Saved with joblib and loaded again")
    print(f"  file: {size / 1000:.0f} kB, of which weights {weights / 1000:.0f} kB")
    print(f"  predictions: {'identical' if is_same else 'DIFFERENT'}")
    return is_same


def main() -> int:
    """Cross-validate, search, report and save; return 1 if loading changed anything."""
    start = time.perf_counter()
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=0
    )
    model = make_model()
    print("Network")
    table = model[-1].initialize(X, y).summary()
    print("\n".join(f"  {line}" for line in table.splitlines()), end="\n\n")
    cross_validate(model, X, y)
    print(f"  {time.perf_counter() - start:.1f} s so far\n")
    grid = search(model, X_train, y_train)
    print(f"  {time.perf_counter() - start:.1f} s so far\n")
    report_confusions(grid.best_estimator_, X_test, y_test)
    print()
    is_same = survives_saving(grid.best_estimator_, X_test)
    print(f"\nDone in {time.perf_counter() - start:.1f} s")
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
