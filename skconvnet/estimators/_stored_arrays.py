"""Arrays of other libraries that are read from a file, as X."""

from __future__ import annotations

from typing import Any

from skconvnet.shards.sharded_array import ShardedArray

# The packages of arrays that stay in files, or are computed when they are read.
_PACKAGES = ("h5py", "zarr", "dask")


def sharded_if_stored(X: Any, name: str) -> Any:  # noqa: ANN401  anything that users pass
    """Return an array of h5py, Zarr or Dask as a `ShardedArray`, other things as given.

    Raises
    ------
    TypeError, ValueError
        If it is not an array of numbers with a known number of samples. `name` is what
        the user calls it.
    """
    package = type(X).__module__.partition(".")[0]
    # DataFrames of Dask have columns.
    if package not in _PACKAGES or hasattr(X, "columns") or not hasattr(X, "shape"):
        return X
    try:
        return ShardedArray(X)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} is a {package} array: {error}") from error
