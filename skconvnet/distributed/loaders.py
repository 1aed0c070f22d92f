"""The shards of a training set, as users pass them, and how a worker loads one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import numpy.typing as npt

from skconvnet._checks import is_path
from skconvnet._optional import import_optional
from skconvnet._suggestions import shown_value

_WANTED = (
    "a pair of Dask arrays (X, y), a list of delayed pairs (X, y), a list of pairs of "
    "arrays, a folder, or a list of paths"
)
# The column of Parquet files that holds y, unless another is named.
_TARGET = "y"
_SUFFIXES = (".npz", ".npy", ".parquet")


class ShardArrays(NamedTuple):
    """What a shard consists of.

    Attributes
    ----------
    X : ndarray of shape (n_samples, ...)
    y : ndarray of shape (n_samples,), (n_samples, n_outputs) or (n_samples, *spatial)
    sample_weight : ndarray of shape (n_samples,) or (n_samples, *spatial), or None
    """

    X: npt.NDArray[Any]
    y: npt.NDArray[Any]
    sample_weight: npt.NDArray[Any] | None = None


@dataclass(frozen=True)
class Loader:
    """Loads a shard, on whichever machine it is called.

    Attributes
    ----------
    name : str
        What error messages call the shard.
    source : object
        Paths, or a tuple of arrays. A delayed object or tuple of them, which the pool
        computes first.
    target : str
        The column of a Parquet file that holds y.
    is_delayed : bool
    """

    name: str
    source: Any
    target: str = _TARGET
    is_delayed: bool = False

    def __call__(self, source: object) -> ShardArrays:
        """Return the arrays of the shard, given its `source`, computed."""
        if is_path(source):
            return _read_file(Path(source), self.target)
        if not _is_pair(source):
            raise ValueError(
                f"{self.name} must be a pair (X, y), or (X, y, sample_weight); got "
                f"{type(source).__name__}."
            )
        if all(map(is_path, source)):
            source = [np.load(path) for path in source]
        try:
            return ShardArrays(*map(np.asarray, source))
        except ValueError as error:
            raise ValueError(
                f"{self.name} must have arrays, whose rows have one shape: {error}"
            ) from error


def _read_file(path: Path, target: str) -> ShardArrays:
    if path.suffix == ".npz":
        with np.load(path) as file:
            missing = {"X", "y"} - set(file)
            if missing:
                raise ValueError(
                    f"{str(path)!r} must have arrays X and y, and may have "
                    f"sample_weight; it has {sorted(file)}."
                )
            return ShardArrays(file["X"], file["y"], file.get("sample_weight"))
    pandas = import_optional(
        "pandas", "Reading Parquet files needs pandas and pyarrow", "dask", "pyarrow"
    )
    frame = pandas.read_parquet(path)
    if target not in frame:
        raise ValueError(
            f"{str(path)!r} has no column {target!r}, of targets; it has "
            f"{list(frame.columns)}. Pass target=, the name of that column."
        )
    y = frame.pop(target).to_numpy()
    return ShardArrays(frame.to_numpy(), y)


def as_loaders(shards: object, target: str) -> list[Loader]:
    """Return a loader for each shard.

    Raises
    ------
    TypeError, ValueError
        If `shards` is something else than documented, or there are none.
    """
    if is_path(shards):
        shards = _files_of(Path(shards))
    if _is_pair(shards) and any(map(_is_dask_array, shards)):
        shards = _delayed_parts(*shards)
    if not isinstance(shards, Sequence):
        raise TypeError(f"shards must be {_WANTED}; got {shown_value(shards)}.")
    if not shards:
        raise ValueError("shards must have at least one shard; got none.")
    loaders = [_loader(i, own, target) for i, own in enumerate(shards)]
    if target != _TARGET and not any(_is_parquet(own.source) for own in loaders):
        raise ValueError(
            f"target={target!r} is about the columns of Parquet files, of which there "
            "are none among the shards. Leave it out."
        )
    return loaders


def _is_parquet(source: object) -> bool:
    return is_path(source) and Path(source).suffix == ".parquet"


def _loader(number: int, source: object, target: str) -> Loader:
    if is_path(source):
        path = Path(source)
        if path.suffix not in (".npz", ".parquet"):
            raise ValueError(
                f"shards[{number}] is {str(path)!r}, but must be an .npz file with X "
                "and y, a .parquet file, or a pair of .npy files (X, y)."
            )
        return Loader(_name(number, source), source, target)
    parts = source if isinstance(source, tuple | list) else (source,)
    is_delayed = any(hasattr(own, "__dask_graph__") for own in parts)
    if _is_pair(source):
        is_on_disk = all(map(is_path, source))
        name = _name(number, source[0]) if is_on_disk else f"shard {number}"
        return Loader(name, tuple(source), target, is_delayed)
    if not is_delayed:
        raise TypeError(
            f"shards[{number}] must be a pair (X, y), a delayed pair, or a path; got "
            f"{_in_words(source)}. A single shard is a list of one pair, [(X, y)]."
        )
    return Loader(f"shard {number}", source, target, is_delayed)


def _in_words(source: object) -> str:
    if isinstance(source, np.ndarray):
        return f"an array of shape {source.shape}"
    if isinstance(source, tuple | list):
        return f"a {type(source).__name__} of length {len(source)}"
    return shown_value(source)


def _name(number: int, path: str | os.PathLike[str]) -> str:
    return f"shard {number} ({os.fspath(path)!r})"


def _files_of(folder: Path) -> list[Any]:
    """Return the shards in a folder: .npz or Parquet files, or pairs of .npy files."""
    if not folder.is_dir():
        raise ValueError(
            f"shards is the path {str(folder)!r}, which is not a folder. Pass a list "
            "of paths for single files."
        )
    by_suffix = {suffix: sorted(folder.glob(f"*{suffix}")) for suffix in _SUFFIXES}
    found = [suffix for suffix, files in by_suffix.items() if files]
    if len(found) != 1:
        raise ValueError(
            f"The folder {str(folder)!r} must have shards of one kind, .npz, .parquet, "
            f"or .npy files called X*.npy and y*.npy; it has {found or 'none'}."
        )
    files = by_suffix[found[0]]
    if found != [".npy"]:
        return list(files)
    X, y = ([own for own in files if own.name.startswith(letter)] for letter in "Xy")
    if [own.name[1:] for own in X] != [own.name[1:] for own in y] or not X:
        raise ValueError(
            f"The folder {str(folder)!r} must have a file y*.npy for each X*.npy, such "
            f"as X_07.npy and y_07.npy; it has {[own.name for own in files][:6]}."
        )
    return list(zip(X, y, strict=True))


def _is_pair(source: object) -> TypeGuard[tuple[Any, ...] | list[Any]]:
    """Whether a value is a pair (X, y), or has sample weights as well."""
    return isinstance(source, tuple | list) and 2 <= len(source) <= 3


def _is_dask_array(value: object) -> bool:
    # Of its class, since a delayed object has whatever attribute it is asked for.
    return all(hasattr(type(value), name) for name in ("to_delayed", "chunks"))


def _delayed_parts(X: Any, *others: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401  Dask arrays
    """Cut Dask arrays along their first axis, at the chunks of X."""
    in_memory = [own for own in (X, *others) if not _is_dask_array(own)]
    if in_memory:
        raise TypeError(
            "shards is a pair of which only a part is an array of Dask; got also "
            f"{_in_words(in_memory[0])}. Make all of them arrays of Dask with the same "
            "chunks, as dask.array.from_array(y, chunks=X.chunks[0]) does."
        )
    names = ("y", "sample_weight")
    X = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
    parts = [list(X.to_delayed().reshape(-1))]
    for name, own in zip(names, others, strict=False):
        if not _are_alike(X.chunks[0], own.chunks[0]):
            raise ValueError(
                f"X and {name} must have the same chunks along their first axis; got "
                f"{X.chunks[0]} and {own.chunks[0]}. Use {name}.rechunk; if lengths "
                "are nan, call compute_chunk_sizes() before."
            )
        whole = own.rechunk(dict.fromkeys(range(1, own.ndim), -1))
        parts.append(list(whole.to_delayed().reshape(-1)))
    return list(zip(*parts, strict=True))


def _are_alike(lengths: tuple[float, ...], others: tuple[float, ...]) -> bool:
    """Return whether chunks have the same lengths, as far as Dask knows them."""
    return len(lengths) == len(others) and all(
        one == other or isnan(one) or isnan(other)
        for one, other in zip(lengths, others, strict=True)
    )
