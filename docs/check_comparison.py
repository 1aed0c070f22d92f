"""Check what the README says of other libraries, by trying it.

    pip install skorch torch keras
    KERAS_BACKEND=torch python docs/check_comparison.py

Fits a small perceptron of each library to 300 digits, given in different forms, and
prints what works and what error is raised otherwise.
"""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier as SklearnMLP
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skconvnet import MLPClassifier

X, y = load_digits(return_X_y=True)
X, y = X[:300] / 16, y[:300]
X32 = X.astype(np.float32)
FRAME = pd.DataFrame(X32, columns=[f"pixel{i}" for i in range(64)])
NAMES = np.array([f"digit {i}" for i in y])

Check = Callable[[Any], object]
CHECKS: dict[str, Check] = {
    "float32 rows": lambda net: net.fit(X32, y).predict(X32),
    "float64 rows": lambda net: net.fit(X, y).predict(X),
    "DataFrame": lambda net: net.fit(FRAME, y).predict(FRAME),
    "lists": lambda net: net.fit(X.tolist(), y.tolist()),
    "sparse rows": lambda net: net.fit(csr_matrix(X32), y),
    "string labels": lambda net: net.fit(X32, NAMES).predict(X32),
    "sample_weight": lambda net: net.fit(X32, y, sample_weight=np.ones(300)),
    "partial_fit": lambda net: net.partial_fit(X32, y, classes=np.arange(10)),
    "X_val": lambda net: net.fit(X32, y, X_val=X32, y_val=y),
    "in a pipeline": lambda net: make_pipeline(MinMaxScaler(), net).fit(X32, y),
    "cross-validation": lambda net: cross_val_score(net, X32, y, error_score="raise"),
    "clone": clone,
    "pickle": lambda net: pickle.loads(pickle.dumps(net.fit(X32, y))).predict(X32),
}


def make_ours() -> BaseEstimator:
    """Return the perceptron of this package."""
    return MLPClassifier((20,), max_iter=3, random_state=0)


def make_sklearn() -> BaseEstimator:
    """Return scikit-learn's perceptron."""
    return SklearnMLP((20,), max_iter=3, random_state=0)


def make_skorch() -> BaseEstimator:
    """Return skorch's classifier with a module of PyTorch."""
    from skorch import NeuralNetClassifier
    from torch import nn

    module = nn.Sequential(nn.Linear(64, 20), nn.ReLU(), nn.Linear(20, 10))
    return NeuralNetClassifier(
        module, criterion=nn.CrossEntropyLoss, max_epochs=3, lr=0.1, verbose=0
    )


def make_keras() -> BaseEstimator:
    """Return Keras' own wrapper for scikit-learn."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    from keras.wrappers import SKLearnClassifier

    return SKLearnClassifier(_keras_model, fit_kwargs={"epochs": 3, "verbose": 0})


def _keras_model(X: np.ndarray, y: np.ndarray) -> object:
    import keras

    layers = [
        keras.layers.Input(X.shape[1:]),
        keras.layers.Dense(20, "relu"),
        keras.layers.Dense(y.shape[1], "softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", "categorical_crossentropy")
    return model


LIBRARIES: dict[str, Callable[[], BaseEstimator]] = {
    "skconvnet": make_ours,
    "scikit-learn": make_sklearn,
    "skorch": make_skorch,
    "Keras": make_keras,
}


def results(make: Callable[[], BaseEstimator]) -> Iterator[tuple[str, str]]:
    """Yield what is checked, and "yes" or the error."""
    for name, check in CHECKS.items():
        try:
            check(make())
        except Exception as error:
            message = str(error).splitlines()[0] if str(error) else ""
            yield name, f"{type(error).__name__}: {message[:60]}"
        else:
            yield name, "yes"


def main() -> None:
    """Print a table for each library that is installed."""
    warnings.simplefilter("ignore")
    for library, make in LIBRARIES.items():
        print(f"\n{library}")
        try:
            make()
        except ImportError as error:
            print(f"  not installed: {error}")
            continue
        for name, result in results(make):
            print(f"  {name:17} {result}")


if __name__ == "__main__":
    main()
