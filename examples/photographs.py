"""Classify photographs of 32x32 pixels after training on a few thousand of them.

    python examples/photographs.py --data cifar10-small.npz --epochs 60

The file has the arrays X_train, y_train, X_test and y_test, images with three colors as
uint8, such as CIFAR-10. Without it, all 60,000 photographs of CIFAR-10 are fetched from
OpenML, which needs pandas, and 5,000 of them are used; --train changes that.

The recipe is that of fast networks for CIFAR-10: a first convolution that whitens
patches, blocks of two convolutions with batch normalization, Muon, smoothed labels, a
rate that rises and falls once, and images that are turned, moved, dimmed and covered in
part. It predicts by the mean over mirrored and shifted images. With --validate, the
last fifth of the training images is held out, and measured on instead of the test
images. --baselines fits what scikit-learn has for photographs as well.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from _hog import hog_features
from _photograph_network import photograph_network
from _split_images import SplitImages
from sklearn.base import ClassifierMixin
from sklearn.datasets import fetch_openml
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

N_ALL, N_TEST = 60_000, 10_000


def load_photographs(path: Path | None) -> SplitImages:
    """Return the photographs of a file, or those of CIFAR-10."""
    if path is not None:
        return SplitImages.load(path)
    X, y = fetch_openml("CIFAR_10", return_X_y=True, as_frame=False)
    X = X.astype(np.uint8).reshape(N_ALL, 3, 32, 32).transpose(0, 2, 3, 1)
    n = N_ALL - N_TEST
    return SplitImages(X[:n], y[:n], X[n:], y[n:])


def make_baselines() -> dict[str, ClassifierMixin]:
    """Return what classifies photographs best with scikit-learn alone."""
    features = FunctionTransformer(hog_features)
    return {
        "SVC on gradients": make_pipeline(features, StandardScaler(), SVC(C=3)),
        "boosted trees on gradients": make_pipeline(
            features, HistGradientBoostingClassifier(random_state=0)
        ),
    }


def main(argv: list[str] | None = None) -> int:
    """Train the network, and print its accuracy."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="FILE", help="an .npz file")
    parser.add_argument("--train", type=int, default=5000, help="number of images")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validate", action="store_true", help="spare the test set")
    parser.add_argument("--baselines", action="store_true")
    options = parser.parse_args(argv)
    photographs = load_photographs(options.data)
    X, y, X_test, y_test = photographs
    photographs = SplitImages(X[: options.train], y[: options.train], X_test, y_test)
    if options.validate:
        photographs = photographs.held_out(5)
    X, y, X_test, y_test = photographs
    models: dict[str, ClassifierMixin] = {
        "network": photograph_network(
            max_iter=options.epochs,
            predict_augmentation="mirror+shifts",
            random_state=options.seed,
            verbose=True,
        )
    }
    if options.baselines:
        models |= make_baselines()
    for name, model in models.items():
        start = time.perf_counter()
        with warnings.catch_warnings():
            # That the loss still falls after all epochs is no reason to worry here.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        minutes = (time.perf_counter() - start) / 60
        accuracy = model.score(X_test, y_test)
        print(f"{name}: {accuracy:.1%} after {minutes:.1f} minutes", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
