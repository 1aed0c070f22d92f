"""Arrays in the cells of a column, where there could be one array of all samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from skconvnet.estimators._pillow_images import is_pillow_image


def refuse_cell_arrays(values: Any, where: str, code: str, frame: str = "") -> None:  # noqa: ANN401  a column or an array
    """Raise a ValueError if each of the `values` is an array, a list or an image.

    Parameters
    ----------
    values : array or column of objects
    where : str
        What the user calls it, such as "column 'image' of X".
    code : str
        The same as an expression, such as "X['image']".
    frame : str, optional
        What the user calls the DataFrame that has the column.
    """
    cells = np.asarray(values)
    first = cells.flat[0] if cells.size else None
    is_image = is_pillow_image(first)
    if not is_image and not _shape(first):
        return
    is_one_size = len({_shape(cell) for cell in cells.flat}) == 1
    if not is_one_size and isinstance(first, (list, tuple)):
        return  # scikit-learn says that these have different lengths
    what = "an image" if is_image else f"an array of shape {_shape(first)}"
    advice = f"Pass a list of all samples, list({code})"
    if not is_image and is_one_size and cells.ndim == 1:
        advice = f"Pass one array of all samples, np.stack({code})"
    if frame and len(_shape(first)) == 1:
        advice += f", or skconvnet.series.from_nested({frame}) for series"
    raise ValueError(
        f"{where[0].upper()}{where[1:]} holds {what} in each cell. {advice}."
    )


def cells_as_list(values: Any) -> Any:  # noqa: ANN401  what users pass
    """Return a column whose cells hold arrays as a list of them, all else as it is.

    >>> column = np.empty(2, dtype=object)
    >>> column[:] = [[1, 2], [3]]
    >>> cells_as_list(column)
    [[1, 2], [3]]
    """
    dtype = getattr(values, "dtype", None)
    is_column = getattr(dtype, "kind", None) == "O" and values.ndim == 1
    cells = list(values) if is_column else []
    return cells if cells and _shape(cells[0]) else values


def _shape(cell: Any) -> tuple[int, ...]:  # noqa: ANN401  any object
    """Return the shape of the array in a cell, () for anything else."""
    if not isinstance(cell, (list, tuple)) and not hasattr(cell, "shape"):
        return ()
    try:
        return tuple(np.shape(cell))
    except ValueError:  # rows of different lengths
        return (len(cell),)
