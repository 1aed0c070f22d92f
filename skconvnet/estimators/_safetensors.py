"""Files of safetensors: named arrays after a header of text, and no code [1]_.

References
----------
.. [1] https://github.com/huggingface/safetensors
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy.typing as npt

from skconvnet._optional import import_optional
from skconvnet._typing import NamedArrays, Shape
from skconvnet._whole_files import written_as_a_whole


class WeightFile:
    """The arrays and the metadata of a file, of which arrays are read when needed.

    Attributes
    ----------
    path : str
    shapes : dict of str to tuple of int
    metadata : dict of str to str
    """

    def __init__(self, path: str, handle: Any) -> None:  # noqa: ANN401  of safetensors
        self.path = path
        self._handle = handle
        self.metadata: dict[str, str] = dict(handle.metadata() or {})
        names: list[str] = handle.keys()
        self.shapes: dict[str, Shape] = {
            name: tuple(handle.get_slice(name).get_shape()) for name in names
        }

    def read(self, name: str) -> npt.NDArray[Any]:
        """Return an array of the file."""
        try:
            array: npt.NDArray[Any] = self._handle.get_tensor(name)
        except TypeError as error:
            dtype = self._handle.get_slice(name).get_dtype()
            raise ValueError(
                f"{self.path!r} has the array {name!r} in {dtype}, which NumPy does "
                "not have. Write the file anew in float32."
            ) from error
        return array


@contextmanager
def opened(path: str) -> Iterator[WeightFile]:
    """Open a file of safetensors for reading.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If there is no file that can be read.
    ValueError
        If it is not a file of safetensors.
    """
    package = import_safetensors()
    with open(path, "rb"):  # for Python's own errors, which name the path
        pass
    try:
        handle = package.safe_open(path, framework="numpy")
    except package.SafetensorError as error:
        raise ValueError(
            f"{path!r} is not a file of safetensors ({error}). Files of joblib are "
            "read by joblib.load(path)."
        ) from error
    with handle:
        yield WeightFile(path, handle)


def write(path: str, arrays: NamedArrays, metadata: Mapping[str, str]) -> None:
    """Write a file of safetensors; a file of this name stays until all is written."""
    import_safetensors()
    from safetensors.numpy import save_file

    folder, name = os.path.split(os.path.realpath(path))
    if os.path.isdir(path):
        raise IsADirectoryError(f"path must be that of a file; {path!r} is a folder.")
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"There is no folder {folder!r} to write {name!r} to.")
    with written_as_a_whole(path) as unfinished:
        save_file(dict(arrays), unfinished, dict(metadata))


def import_safetensors() -> ModuleType:
    """Return the package, or raise an ImportError that says how to install it."""
    needed = "save_weights and load_weights need safetensors"
    return import_optional("safetensors", needed, "safetensors", "safetensors")
