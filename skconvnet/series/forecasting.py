"""Windows of a series, and what follows them: forecasting as regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from skconvnet._checks import check_positive_int, is_int
from skconvnet.series.sequences import as_numbers


def windows(
    y: npt.ArrayLike,
    length: int,
    horizon: int = 1,
    step: int = 1,
    *,
    target: int | str | None = None,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Cut a series into windows, and into the values that follow each of them.

    Nothing is copied: both arrays are views of the series, of which neighboring windows
    share most of the values. They are read-only for that reason. Estimators convert
    them one minibatch at a time.

    Parameters
    ----------
    y : array-like of shape (n_steps,) or (n_steps, n_channels)
        The series, with the oldest step first: an array, a Series or a DataFrame with a
        column for each channel.
    length : int
        The number of steps in a window, from which is forecast.
    horizon : int, default=1
        The number of steps after a window that are forecast.
    step : int, default=1
        The number of steps from the start of a window to that of the next.
    target : int or str, default=None
        The channel that is forecast, by its number or, in a DataFrame, its name. A
        series with several channels needs it.

    Returns
    -------
    X : ndarray of shape (n_windows, length, n_channels)
        The windows, in the order of time.
    y : ndarray of shape (n_windows, horizon)
        The values of the target in the steps after each window. With ``horizon=1`` it
        has shape (n_windows,), as scikit-learn has a single output.

    Raises
    ------
    ValueError
        If the series is too short for one window and its horizon, has another number of
        axes, or has several channels and no `target`.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.series import windows
    >>> X, y = windows(np.arange(6), length=3, horizon=2)
    >>> X[..., 0]
    array([[0, 1, 2],
           [1, 2, 3]])
    >>> y
    array([[3, 4],
           [4, 5]])
    """
    length = check_positive_int("length", length)
    horizon = check_positive_int("horizon", horizon)
    step = check_positive_int("step", step)
    values = as_numbers(y, "y")
    if values.ndim not in (1, 2):
        raise ValueError(
            "y must have shape (n_steps,) or (n_steps, n_channels); got "
            f"{values.shape}. For several series, call windows for each of them, and "
            "concatenate the results."
        )
    if getattr(getattr(y, "index", None), "nlevels", 1) > 1:
        raise ValueError(
            "y has an index of several levels, such as instances and times, but must "
            "be one series. Call windows for each of them, and concatenate the results."
        )
    if values.ndim == 1:
        values = values[:, np.newaxis]
    n_steps, n_channels = values.shape
    if n_steps < length + horizon:
        raise ValueError(
            f"y has {n_steps} steps, but a window of length={length} and the "
            f"horizon={horizon} after it take {length + horizon}."
        )
    channel = _channel(target, n_channels, getattr(y, "columns", None))
    # (n_steps - length + 1, n_channels, length), of which only windows stay that are
    # followed by a whole horizon.
    views = sliding_window_view(values, length, axis=0)
    X = views[: n_steps - length - horizon + 1 : step].swapaxes(1, 2)
    following = sliding_window_view(values[length:, channel], horizon)
    targets = following[::step]
    return X, targets[:, 0] if horizon == 1 else targets


def _channel(
    target: object,
    n_channels: int,
    names: Any,  # noqa: ANN401  the columns of a DataFrame, or None
) -> int:
    """Return the number of the channel that is forecast."""
    known = None if names is None else list(names)
    if target is None:
        if n_channels == 1:
            return 0
        which = f"{n_channels} channels" if known is None else f"the channels {known}"
        raise ValueError(
            f"y has {which}; set target to the one that is forecast, such as "
            f"target={0 if known is None else known[0]!r}."
        )
    if known is not None and target in known:
        return known.index(target)
    if is_int(target) and -n_channels <= target < n_channels:
        return int(target)
    allowed = f"an int from 0 to {n_channels - 1}"
    if known is not None:
        allowed += f", or one of {known}"
    raise ValueError(f"target must be {allowed}; got {target!r}.")
