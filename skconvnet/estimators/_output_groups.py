"""Several columns of class labels per sample, each with a group of outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.multiclass import type_of_target

from skconvnet._typing import Rows


def has_several_outputs(y: npt.NDArray[Any]) -> bool:
    """Whether y has several columns of labels, rather than 0 and 1 for each label.

    >>> has_several_outputs(np.array([[0, 2], [1, 1]]))
    True
    >>> has_several_outputs(np.array([[0, 1], [1, 1]]))
    False
    """
    return y.ndim == 2 and type_of_target(y) == "multiclass-multioutput"


def classes_of_outputs(classes: object) -> list[Any] | None:
    """Return `classes` of partial_fit if they are a list of those of each output.

    >>> classes_of_outputs([[0, 1], ["a", "b", "c"]])
    [[0, 1], ['a', 'b', 'c']]
    >>> classes_of_outputs([0, 1]) is None
    True
    """
    if not isinstance(classes, (list, tuple)) or not classes:
        return None
    return list(classes) if all(np.ndim(own) == 1 for own in classes) else None


class OutputGroups:
    """The classes of each column of y.

    Parameters
    ----------
    classes : sequence of ndarray of shape (n_classes,)

    Attributes
    ----------
    sizes : list of int
        The number of classes of each column, and of its outputs.
    """

    def __init__(self, classes: Sequence[npt.NDArray[Any]]) -> None:
        self.classes = list(classes)
        self.sizes = [len(own) for own in self.classes]

    @classmethod
    def of(cls, y: npt.NDArray[Any]) -> OutputGroups:
        """Return the classes that the columns of y have."""
        return cls([np.unique(column) for column in y.T])

    @classmethod
    def given(cls, classes: Sequence[Any]) -> OutputGroups:
        """Return the classes that a user passed to partial_fit."""
        return cls([np.unique(np.asarray(own)) for own in classes])

    def check(self, y: npt.NDArray[Any], *, exact: bool) -> None:
        """Raise a ValueError if y has other columns or classes."""
        n_columns = y.shape[1] if y.ndim > 1 else 1
        if n_columns != len(self.classes):
            raise ValueError(
                f"y has {n_columns} columns of labels, but the network has outputs for "
                f"{len(self.classes)}."
            )
        for j, (column, known) in enumerate(zip(y.T, self.classes, strict=True)):
            labels = np.unique(column)
            unknown = np.setdiff1d(labels, known, assume_unique=True)
            if len(unknown) or (exact and len(labels) < len(known)):
                what = (
                    f"has classes not in `classes_[{j}]`"
                    if len(unknown)
                    else "must have the same classes as in the previous call to fit"
                )
                raise ValueError(
                    f"Column {j} of `y` {what}. `classes_[{j}]` is {known}, the column "
                    f"has {labels}."
                )

    def encode(self, y: npt.NDArray[Any]) -> Rows:
        """Return one-hot rows of all columns, (n_samples, sum of the sizes)."""
        pairs = zip(y.T, self.classes, strict=True)
        return np.hstack([column[:, None] == known for column, known in pairs])

    def split(self, scores: Rows) -> list[Rows]:
        """Return the columns of scores that belong to each output."""
        return np.split(scores, np.cumsum(self.sizes)[:-1], axis=1)

    def chosen(self, scores: Rows) -> npt.NDArray[np.integer]:
        """Return the index of the class with the largest score, for each output."""
        return np.stack([own.argmax(axis=1) for own in self.split(scores)], axis=1)

    def decode(self, scores: Rows) -> npt.NDArray[Any]:
        """Return the labels, of shape (n_samples, n_columns)."""
        chosen = self.chosen(scores)
        return np.stack(
            [known[i] for known, i in zip(self.classes, chosen.T, strict=True)], axis=1
        )
