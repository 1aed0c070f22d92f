"""Images for training and for testing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Self

import numpy as np


class SplitImages(NamedTuple):
    """Images, or rows of their pixels, from 0 to 255, and what they show."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the arrays of these names in an .npz file."""
        with np.load(path) as file:
            return cls(*(file[name] for name in cls._fields))

    def held_out(self, n_parts: int) -> Self:
        """Return the training images alone, with the last of n parts to choose by."""
        X, y = self.X_train, self.y_train
        n = len(X) // n_parts
        return type(self)(X[:-n], y[:-n], X[-n:], y[-n:])
