"""File names in place of the images, which an estimator does not read by itself."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Any

import numpy as np

from skconvnet._suggestions import shown_value

# What Pillow reads. Only the last part of a name tells a path from other text.
_IMAGES = (
    *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm"),
    *(".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"),
)
_READERS = {
    ".npy": "np.load(path), or skconvnet.shards.ShardedArray(path) if it is large",
    ".npz": "np.load(path)",
    ".csv": "pandas.read_csv(path)",
    ".parquet": "pandas.read_parquet(path)",
}
# Columns may begin with missing values.
_N_VALUES = 100


def refuse_no_samples(X: object, name: str) -> None:
    """Raise an error if X is a single path or text, or can be read only once.

    Parameters
    ----------
    X : object
    name : str
        What the user calls it.

    Raises
    ------
    ValueError
        For a path or text.
    TypeError
        For an iterator, such as the files that match a pattern.
    """
    if hasattr(type(X), "__next__"):
        raise TypeError(
            f"{name} must be an array or a list of samples, but is a "
            f"{type(X).__name__}; pass list({name})."
        )
    if not isinstance(X, (str, bytes, os.PathLike)):
        return
    file = _as_text(X)
    reader = f"skconvnet.datasets.load_images({file!r}, return_X_y=True)"
    if file.lower().endswith(_IMAGES):
        reader = f"[skconvnet.datasets.load_image({file!r})]"
    for suffix, other in _READERS.items():
        if file.lower().endswith(suffix):
            reader = other.replace("path", repr(file))
    raise ValueError(
        f"{name} must be an array of samples, but is the text {shown_value(file)}. If "
        f"it is a path, read the file or folder first: {reader}."
    )


def refuse_file_names(values: Any, where: str) -> None:  # noqa: ANN401  a column or an array
    """Raise a ValueError if `values` are file names, by the first of them.

    Parameters
    ----------
    values : array or column of text or objects
    where : str
        What the user calls it, such as "column 'file' of X".
    """
    texts = (
        value
        for value in np.asarray(values[:_N_VALUES]).flat
        if isinstance(value, (str, bytes, os.PathLike))
    )
    first = next(texts, None)
    if first is None:
        return
    file = _as_text(first)
    suffix = PurePath(file).suffix.lower()
    if suffix in _READERS:
        how = _READERS[suffix]
    elif suffix in _IMAGES or isinstance(first, os.PathLike):
        how = (
            "skconvnet.datasets: load_images(folder) for a folder with a sub-folder "
            "for each class, or load_image(path, size) for each file"
        )
    else:
        return
    raise ValueError(
        f"{where[0].upper()}{where[1:]} holds file names, such as {file!r}, but must "
        f"hold what is in the files. Read them with {how}."
    )


def _as_text(path: str | bytes | os.PathLike[str]) -> str:
    return str(os.fsdecode(path))  # from NumPy's str
