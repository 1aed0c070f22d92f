"""Where the rows of a sharded array are stored, and how consecutive ones are read."""

from __future__ import annotations

import mmap
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from skconvnet._checks import is_path
from skconvnet._suggestions import shown_value
from skconvnet._typing import Shape, override
from skconvnet.shards.stored_dataset import StoredDataset, if_of_h5py

_WANTED = (
    "an object with shape, dtype and slicing, such as a memory map, an h5py.Dataset or "
    "a zarr.Array, the path of a .npy file, or a list of such paths"
)


class Source(ABC):
    """Rows that are stored somewhere else than in memory.

    Attributes
    ----------
    shape : tuple of int
        (n_rows, ...)
    dtype : dtype
    rows_per_chunk : int
        How many rows are stored together, so that reading one of them takes as long as
        reading all. 1 if each row is stored by itself.
    """

    shape: Shape
    dtype: np.dtype[Any]
    rows_per_chunk = 1

    @abstractmethod
    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return consecutive rows, as a new array in memory."""


class SlicedSource(Source):
    """An object with shape, dtype and slicing.

    Parameters
    ----------
    array : object
        It is kept, so that pickling it is up to its own class. Files of h5py are opened
        again.
    """

    def __init__(self, array: Any) -> None:  # noqa: ANN401  of any library
        if issparse(array):
            raise TypeError(
                f"source must be {_WANTED}; got a sparse matrix. Pass it as X itself, "
                "as a CSR matrix."
            )
        try:
            shape = tuple(int(n) for n in array.shape)
            dtype = np.dtype(array.dtype)
        except (AttributeError, TypeError) as error:
            raise TypeError(
                f"source must be {_WANTED}; got {_in_words(array)}."
            ) from error
        except ValueError as error:  # NaN in the shape of a Dask array
            raise ValueError(
                f"source must have a known number of samples; got shape {array.shape}. "
                "Call compute_chunk_sizes() of a Dask array."
            ) from error
        self.array = array
        self.shape = shape
        self.dtype = dtype
        self.rows_per_chunk = _rows_per_chunk(array)

    def __getstate__(self) -> dict[str, Any]:
        stored = if_of_h5py(self.array)
        return vars(self) if stored is None else {**vars(self), "array": stored}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if isinstance(self.array, StoredDataset):
            self.array = self.array.open()

    @override
    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        part = self.array[start:stop]
        if np.ma.is_masked(part):
            row = int(np.argwhere(np.ma.getmaskarray(part))[0, 0])
            raise ValueError(
                f"source has masked values, such as in row {start + row}. Fill them "
                "where the samples are stored, or leave these rows out."
            )
        rows = np.array(part, self.dtype)
        _forget_pages(self.array)
        return rows


def _rows_per_chunk(array: Any) -> int:  # noqa: ANN401  of any library
    """Return the rows of the largest chunk, in the words of h5py, Zarr and Dask."""
    chunks = getattr(array, "chunks", None)
    if not chunks:
        return 1
    first = chunks[0]
    return int(max(first) if isinstance(first, Sequence) else first)


def _forget_pages(array: object) -> None:
    """Give the memory of pages that were read back to the operating system.

    They would be freed only once memory is short, and count as memory of the process
    until then. In a private copy ("c"), they would lose what was written.
    """
    if not isinstance(array, np.memmap) or array.mode == "c":
        return
    owner: Any = array
    while owner is not None and not isinstance(owner, mmap.mmap):
        owner = getattr(owner, "base", None)
    if owner is not None and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


class FilesSource(Source):
    """The rows of .npy files, one file after the other.

    Files are opened for each read, and are not mapped to memory.

    Parameters
    ----------
    paths : sequence of path
    """

    def __init__(self, paths: Sequence[str | os.PathLike[str]]) -> None:
        if not paths:
            raise ValueError("source must have at least one path; got an empty list.")
        self.files = [_NpyFile(path) for path in paths]
        first = self.files[0]
        for file in self.files[1:]:
            if file.shape[1:] != first.shape[1:] or file.dtype != first.dtype:
                raise ValueError(
                    f"The files of source must have rows of the same shape and dtype; "
                    f"{file.path!r} has {_rows_of(file)}, and {first.path!r} has "
                    f"{_rows_of(first)}."
                )
        self.dtype = first.dtype
        # The first row of each file, and the number of all rows.
        self._starts = np.cumsum([0, *(len(file) for file in self.files)])
        self.shape = (int(self._starts[-1]), *first.shape[1:])

    @override
    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        rows = np.empty((stop - start, *self.shape[1:]), self.dtype)
        number = int(np.searchsorted(self._starts, start, side="right")) - 1
        done = start
        while done < stop:
            first, last = self._starts[number : number + 2].tolist()
            until = min(stop, last)
            self.files[number].read_into(
                rows[done - start : until - start], done - first
            )
            done, number = until, number + 1
        return rows


class _NpyFile:
    """A .npy file whose header has been read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        # NumPy reads the header, and maps the rest.
        try:
            mapped = np.load(self.path, mmap_mode="r")
        except ValueError as error:
            raise ValueError(
                f"{self.path!r} must be a .npy file of numbers, as np.save(path, X) "
                f"writes it: {error}"
            ) from error
        if not isinstance(mapped, np.memmap) or mapped.ndim < 1:
            raise ValueError(f"{self.path!r} must be a .npy file with rows.")
        if not mapped.flags.c_contiguous:
            raise ValueError(
                f"{self.path!r} is in Fortran order, in which rows are not stored one "
                "after the other. Save np.ascontiguousarray(X)."
            )
        self.shape, self.dtype = mapped.shape, mapped.dtype
        self._offset = mapped.offset

    def __len__(self) -> int:
        return int(self.shape[0])

    def read_into(self, rows: npt.NDArray[Any], start: int) -> None:
        """Read rows from `start` on."""
        offset = self._offset + start * prod(self.shape[1:]) * self.dtype.itemsize
        numbers = np.fromfile(self.path, self.dtype, rows.size, offset=offset)
        if len(numbers) < rows.size:
            raise ValueError(
                f"{self.path!r} has fewer rows than when it was opened: it ends before "
                f"row {start + len(rows) - 1}."
            )
        rows[...] = numbers.reshape(rows.shape)


def _in_words(value: object) -> str:
    text = shown_value(value)
    return f"an object of type {type(value).__name__}" if text == "..." else text


def _rows_of(file: _NpyFile) -> str:
    return f"rows of shape {file.shape[1:]} and dtype {file.dtype}"


def as_source(source: object) -> Source:
    """Return the rows of an object, a path, or a list of paths.

    Raises
    ------
    TypeError
        If `source` is something else.
    ValueError
        If files do not fit to each other.
    """
    if is_path(source):
        return FilesSource([source])
    if isinstance(source, list | tuple):
        if not all(map(is_path, source)):
            raise TypeError(f"source must be {_WANTED}; got {_in_words(source)}.")
        return FilesSource(source)
    return SlicedSource(source)
