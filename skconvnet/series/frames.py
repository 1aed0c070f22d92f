"""Sequences from the DataFrames of sktime: series in cells, or times in the index.

pandas is not imported: its objects are recognized by what they have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet.series.sequences import Sequences, as_numbers, stacked


def from_nested(X: Any) -> Sequences:  # noqa: ANN401  a DataFrame
    """Return the series that are in the cells of a DataFrame.

    Each row is a sample, and each column a channel, as in the nested DataFrames of
    sktime. Cells hold a Series, an array or a list. The index of a Series is left out:
    its values are one step each.

    Parameters
    ----------
    X : DataFrame or Series of pandas
        A Series has one channel.

    Returns
    -------
    sequences : ndarray of shape (n, length, channels), or list of ndarray
        A list of arrays of shape (length_i, channels) if the lengths differ.

    Raises
    ------
    ValueError
        If a cell is no series, or the channels of a sample differ in length.

    Examples
    --------
    >>> import pandas as pd
    >>> from skconvnet.series import from_nested
    >>> flow = [pd.Series([1.0, 2.0, 3.0]), pd.Series([4.0, 5.0, 6.0])]
    >>> from_nested(pd.DataFrame({"flow": flow, "level": flow})).shape
    (2, 3, 2)
    """
    frame = _as_frame(X)
    if 0 in frame.shape:
        raise ValueError(f"X must have rows and columns; got shape {frame.shape}.")
    columns = [
        _cells(frame.iloc[:, j], f"column {label!r} of X")
        for j, label in enumerate(frame.columns)
    ]
    sequences = []
    for i, cells in enumerate(zip(*columns, strict=True)):
        lengths = [len(cell) for cell in cells]
        if len(set(lengths)) > 1:
            raise ValueError(
                f"The series in row {i} of X have the lengths {lengths[:5]}, but all "
                "channels of a sample must have the same length."
            )
        sequences.append(np.stack(cells, axis=-1))
    return stacked(sequences)


def from_multiindex(X: Any) -> Sequences:  # noqa: ANN401  a DataFrame
    """Return the series of a DataFrame whose index has the levels (instance, time).

    Each row is a step of a sample, and each column a channel, as in the DataFrames with
    a multi-index of sktime. The samples are in the order in which they come.

    Parameters
    ----------
    X : DataFrame or Series of pandas
        The rows of a sample must come one after the other, in the order of time. A
        Series has one channel.

    Returns
    -------
    sequences : ndarray of shape (n, length, channels), or list of ndarray
        A list of arrays of shape (length_i, channels) if the lengths differ.

    Raises
    ------
    ValueError
        If the index has another number of levels, or is not in order, or a column is
        not numeric.

    Examples
    --------
    >>> import pandas as pd
    >>> from skconvnet.series import from_multiindex
    >>> index = pd.MultiIndex.from_product([["a", "b"], range(3)])
    >>> from_multiindex(pd.DataFrame({"flow": range(6)}, index=index)).shape
    (2, 3, 1)
    """
    frame = _as_frame(X)
    index = getattr(frame, "index", None)
    if getattr(index, "nlevels", 1) != 2:
        raise ValueError(
            "The index of X must have two levels, (instance, time); got "
            f"{getattr(index, 'nlevels', 'no')} level(s). For series in cells, use "
            "from_nested; for steps in columns, pass the rows as they are."
        )
    if 0 in frame.shape:
        raise ValueError(f"X must have rows and columns; got shape {frame.shape}.")
    starts = _starts_of_instances(index)
    values = _values(frame)
    lengths = np.diff(starts, append=len(values))
    if (lengths == lengths[0]).all():
        return values.reshape(len(starts), int(lengths[0]), -1)
    return np.split(values, starts[1:])


def is_nested(X: Any) -> bool:  # noqa: ANN401  what users pass
    """Return whether X is a DataFrame of pandas whose first cell is a Series.

    >>> is_nested([1, 2])
    False
    """
    if not (hasattr(X, "iloc") and hasattr(X, "columns")) or 0 in X.shape:
        return False
    cell = X.iloc[0, 0]
    return hasattr(cell, "iloc") and np.ndim(cell) == 1


def n_instances(X: Any) -> int | None:  # noqa: ANN401  what users pass
    """Return how many instances a DataFrame with two levels in its index has.

    None means that X has no such index.
    """
    if not hasattr(X, "iloc") or getattr(X.index, "nlevels", 1) != 2:
        return None
    return len(set(X.index.codes[0]))


def _as_frame(X: Any) -> Any:  # noqa: ANN401  of pandas
    if not hasattr(X, "iloc"):
        raise TypeError(
            f"X must be a DataFrame or Series of pandas; got {type(X).__name__}."
        )
    return X if hasattr(X, "columns") else X.to_frame()


def _cells(column: Any, where: str) -> Sequence[npt.NDArray[Any]]:  # noqa: ANN401  of pandas
    """Return the arrays in the cells of a column."""
    cells = []
    for i, cell in enumerate(column):
        if np.ndim(cell) != 1 or isinstance(cell, (str, bytes)):
            what = (
                f"an array of shape {np.shape(cell)}" if np.ndim(cell) else repr(cell)
            )
            raise ValueError(
                f"{where[0].upper()}{where[1:]} must hold a series in each cell; row "
                f"{i} holds {what}."
            )
        cells.append(as_numbers(cell, f"Row {i} of {where}"))
    return cells


def _starts_of_instances(index: Any) -> npt.NDArray[np.integer]:  # noqa: ANN401  a MultiIndex
    """Return the numbers of the rows at which an instance begins."""
    instances = np.asarray(index.codes[0])
    begins = np.ones(len(instances), dtype=bool)
    begins[1:] = instances[1:] != instances[:-1]
    starts = np.flatnonzero(begins)
    if len(set(instances[starts])) < len(starts):
        raise ValueError(
            "The rows of an instance must come one after the other. Sort X with "
            "X.sort_index(), and y in the same order."
        )
    times = index.get_level_values(1)
    # Steps within an instance, from each row to the next.
    is_late = np.asarray(times[1:] > times[:-1]) | begins[1:]
    if not is_late.all():
        row = int(is_late.argmin()) + 1
        raise ValueError(
            f"The times of instance {index[row][0]!r} must increase, but "
            f"{index[row - 1][1]!r} is followed by {index[row][1]!r}. Sort X with "
            "X.sort_index(), and y in the same order; leave out times that are there "
            "twice."
        )
    return starts


def _values(frame: Any) -> npt.NDArray[Any]:  # noqa: ANN401  a DataFrame
    """Return the values of a table, or an error that names the column."""
    values = np.asarray(frame)
    if values.dtype.kind in "fiub":
        return values
    columns = [
        as_numbers(frame.iloc[:, j], f"Column {label!r} of X")
        for j, label in enumerate(frame.columns)
    ]
    return np.stack(columns, axis=-1)
