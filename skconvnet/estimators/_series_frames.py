"""DataFrames of series as X: series in cells, or times in the index."""

from __future__ import annotations

from typing import Any

from skconvnet.estimators._cell_arrays import cells_as_list
from skconvnet.estimators._data_format import is_channels_first, is_convnet
from skconvnet.series.frames import (
    from_multiindex,
    from_nested,
    is_nested,
    n_instances,
)


def without_frames(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: Any,  # noqa: ANN401  what users pass
    y: Any = None,  # noqa: ANN401  what users pass
    *,
    reset: bool,
) -> Any:  # noqa: ANN401  X, or an array or a list of sequences
    """Return the sequences in X if it is a DataFrame of series, else X as it is.

    A DataFrame with a Series in its cells always is. One whose index has two levels is
    a table of rows for scikit-learn, and has series only

    - in `fit`, if y has as many targets as the first level has labels, and fewer than
      there are rows;
    - after it, if the network takes sequences of as many channels as X has columns,
      since rows have all steps of a sample.

    The frames of a list have series already, whose channels are checked here.

    Parameters
    ----------
    estimator : estimator
        Only those with `input_shape` take sequences.
    X, y : object
    reset : bool
        Whether the estimator learns the shape of samples from X.

    Returns
    -------
    X : object
        Sequences are in the order of axes that the estimator reads.

    Raises
    ------
    ValueError
        If the channels are not those of `fit`, or the estimator would read the
        sequences as images.
    """
    if reset:
        vars(estimator).pop("_channel_names", None)
    if not hasattr(estimator, "input_shape"):
        return X
    _check_frames_in_list(estimator, cells_as_list(X), reset=reset)
    if not hasattr(X, "iloc"):
        return X
    if is_nested(X):
        sequences = from_nested(X)
    elif _has_times_in_index(estimator, X, y, reset=reset):
        sequences = from_multiindex(X)
    else:
        return X
    _check_names(estimator, X, reset=reset)
    n_channels = sequences[0].shape[-1]
    if is_convnet(estimator) and estimator.input_shape is None and n_channels > 1:
        shape = (None, n_channels)
        if is_channels_first(estimator):
            shape = (n_channels, None)
        raise ValueError(
            f"X has series of {n_channels} channels, which "
            f"{type(estimator).__name__} would read as images; set "
            f"input_shape={shape}."
        )
    if not is_channels_first(estimator):
        return sequences
    if isinstance(sequences, list):
        return [one.T for one in sequences]
    return sequences.transpose(0, 2, 1)


def _has_times_in_index(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: Any,  # noqa: ANN401  a DataFrame or a Series
    y: Any,  # noqa: ANN401  what users pass
    *,
    reset: bool,
) -> bool:
    n = n_instances(X)
    if n is None or not n:
        return False
    if reset:
        n_targets = len(y) if hasattr(y, "__len__") else len(X)
        if n_targets not in (n, len(X)):
            raise ValueError(
                f"X has {len(X)} rows of {n} instances, but y has {n_targets} targets; "
                "it must have one for each instance, or one for each row if the rows "
                "are samples."
            )
        return n_targets == n < len(X)
    in_shape = estimator.network_.in_shape
    n_columns = X.shape[1] if X.ndim == 2 else 1
    if len(in_shape) != 2 or n_columns == getattr(estimator, "n_features_in_", None):
        return False
    return n_columns == in_shape[-1] or hasattr(estimator, "_channel_names")


def _is_frame(X: object) -> bool:
    return hasattr(X, "iloc") and hasattr(X, "columns")


def _check_frames_in_list(
    estimator: Any,  # noqa: ANN401  estimators have no type
    frames: Any,  # noqa: ANN401  what users pass
    *,
    reset: bool,
) -> None:
    """Check that frames in a list, of (length_i, channels), have the same channels.

    Those of other numbers of channels have an error of their own.
    """
    is_list = isinstance(frames, (list, tuple)) and len(frames) > 0
    if not is_list or not _is_frame(frames[0]) or is_channels_first(estimator):
        return
    first = list(frames[0].columns)
    for i, frame in enumerate(frames):
        own = list(frame.columns) if _is_frame(frame) else first
        if own != first and len(own) == len(first):
            raise ValueError(
                f"X[{i}] has the columns {own}, but X[0] has {first}: all must have "
                "the same channels, in the same order. Pass [x[X[0].columns] for x in "
                "X], or rename columns."
            )
    if first != list(range(len(first))):  # as those without names are numbered
        _check_names(estimator, frames[0], reset=reset)


def _check_names(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: Any,  # noqa: ANN401  a DataFrame or a Series
    *,
    reset: bool,
) -> None:
    """Learn the names of the channels, or raise an error if they are others."""
    names = list(getattr(X, "columns", [getattr(X, "name", None)]))
    if reset:
        estimator._channel_names = names  # noqa: SLF001  of this package's base class
        return
    known = getattr(estimator, "_channel_names", None)
    if known is None or known == names:
        return
    raise ValueError(
        f"The columns of X, {names}, must be the channels that "
        f"{type(estimator).__name__} was fitted on, in the same order: {known}."
    )
