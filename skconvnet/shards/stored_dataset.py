"""Datasets of h5py that are opened again in another process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class StoredDataset:
    """Where a dataset of h5py is stored; h5py itself cannot pickle a dataset.

    Attributes
    ----------
    path : str
        The file.
    name : str
        The name of the dataset in the file.
    """

    path: str
    name: str

    def open(self) -> Any:  # noqa: ANN401  h5py has no types
        """Return the dataset of the file, opened for reading."""
        # Of the environment that has opened the file before.
        h5py = import_module("h5py")
        try:
            return h5py.File(self.path, "r")[self.name]
        except OSError as error:
            raise OSError(
                f"source is dataset {self.name!r} of {self.path!r}, which cannot be "
                f"opened again in another process: {error}. Open the file with mode "
                '"r", and keep it where it is.'
            ) from error


def if_of_h5py(array: Any) -> StoredDataset | None:  # noqa: ANN401  of any library
    """Return where an array is stored, None if it is not a dataset of h5py."""
    if type(array).__module__.partition(".")[0] != "h5py":
        return None
    return StoredDataset(os.path.abspath(array.file.filename), array.name)
