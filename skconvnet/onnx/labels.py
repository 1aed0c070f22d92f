"""Class labels as ONNX has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_LARGEST = np.iinfo(np.int64).max


def labels_as_tensor(classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return labels in a dtype of ONNX: int64, bool, float32, float64 or strings.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    labels : ndarray of shape (n_classes,)
        Strings are of dtype object.

    Raises
    ------
    TypeError, ValueError
        If ONNX has no tensors of these labels.

    Examples
    --------
    >>> import numpy as np
    >>> labels_as_tensor(np.array(["cat", "dog"]))
    array(['cat', 'dog'], dtype=object)
    """
    kind = classes.dtype.kind
    if kind == "U" or (kind == "O" and all(isinstance(c, str) for c in classes)):
        return np.array([str(label) for label in classes], dtype=object)
    if kind in "iu":
        if classes.max() > _LARGEST:
            raise ValueError(
                f"Integers as labels must be at most {_LARGEST} in ONNX; got classes_="
                f"{classes}. Fit the estimator to smaller ones."
            )
        return classes.astype(np.int64)
    if kind == "b" or classes.dtype in (np.float32, np.float64):
        return classes
    if classes.dtype == np.float16:
        return classes.astype(np.float32)
    raise TypeError(
        "ONNX has labels that are integers, strings, booleans or numbers of at most 64 "
        f"bits, all of one kind; got classes_ of dtype {classes.dtype}: {classes!r}. "
        "Fit the estimator to strings, such as y.astype(str)."
    )


def labels_as_keys(classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return labels as keys of maps, which are int64 or strings.

    Booleans become 0 and 1, and whole numbers integers.

    Raises
    ------
    TypeError, ValueError
        If ONNX has no such keys.

    Examples
    --------
    >>> import numpy as np
    >>> labels_as_keys(np.array([1.0, 2.0]))
    array([1, 2])
    """
    labels = labels_as_tensor(classes)
    if labels.dtype.kind not in "fb":
        return labels
    keys = labels.astype(np.int64)
    if not np.array_equal(keys, labels):
        raise ValueError(
            "The keys of maps of ONNX are integers or strings; got classes_="
            f"{classes}. Set zipmap=False, or fit the estimator to integers or strings."
        )
    return keys
