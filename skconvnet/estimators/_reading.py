"""What is told about how X is read: a line if verbose, a warning, or an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skconvnet._typing import Shape
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._data_format import (
    is_channels_first,
    is_convnet,
    last_to_first,
    order_in_doubt,
    to_other_order,
    wrong_order,
)
from skconvnet.estimators._guessed_shape import (
    doubt_about_guess,
    doubt_about_size,
    guess_in_words,
)
from skconvnet.estimators._input_validation import CheckedX
from skconvnet.estimators._shape_words import kind, lengths, of_many

# Gray images of at most so many pixels across are seldom so many times as long.
_STRIPS = ((4, 4), (12, 8))
_MIN_LENGTH_OF_STRIP = 16
# Images of so many pixels seldom have as many channels as pixels along each side.
_MIN_SIDE_OF_VOLUME = 8


def tell_reading(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: CheckedX,
    in_shape: Shape,
) -> None:
    """Tell how X is read, if this follows from a guess or looks unintended.

    This is for networks over spatial axes.

    Parameters
    ----------
    estimator : estimator
    X : array or MapList
        The training samples.
    in_shape : tuple of int
        Shape of a sample, channels last.

    Raises
    ------
    ValueError
        If the channels of X seem to be at the other end.
    """
    input_shape = getattr(estimator, "input_shape", None)
    if input_shape is not None:
        if any(n is None for n in input_shape):
            return
        if X.ndim == 2 and len(input_shape) > 2:
            _doubt_order_of_rows(estimator, in_shape)
        elif len(in_shape) == 2 and is_convnet(estimator):
            _doubt_sequences(estimator, in_shape)
    elif X.ndim == 2:
        _tell_guess(estimator, in_shape)
    elif _n_axes(X) == len(in_shape):
        _check_order(estimator, in_shape, is_list=isinstance(X, MapList))
        if len(in_shape) == 2 and is_convnet(estimator):
            _tell_sequences(estimator, in_shape)
    elif is_convnet(estimator):
        _tell_gray(estimator, X, in_shape)


def warn_of_row_order(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: CheckedX,
    in_shape: Shape,
) -> None:
    """Warn of rows for a network of images if nothing has said what order they have."""
    is_ordered = len(in_shape) > 1 and in_shape[-1] > 1
    knows_order = getattr(estimator, "_knows_row_order", True)
    if X.ndim != 2 or not is_ordered or knows_order:
        return
    if is_channels_first(estimator):
        return
    warn_caller(
        f"X has rows, but {type(estimator).__name__} was fitted on samples of shape "
        f"{in_shape}: each row is read in that order, channels last. If it is, pass "
        f"X.reshape{(-1, *in_shape)}. If it has one channel after the other, pass "
        f"X.reshape{(-1, *last_to_first(in_shape))}.transpose"
        f"{(0, *range(2, len(in_shape) + 1), 1)}."
    )


def tell_size_of_guess(
    estimator: Any,  # noqa: ANN401  estimators have no type
    in_shape: Shape,
    n_weights: int,
) -> None:
    """Warn of a large network for a shape that was guessed."""
    if len(in_shape) == 3 and doubt_about_guess(estimator, in_shape) is not None:
        return  # a warning has told how X is read
    doubt = doubt_about_size(estimator, in_shape, n_weights)
    if doubt is not None:
        warn_caller(doubt)


def sequences_meant(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: CheckedX,
    in_shape: Shape,
) -> str | None:
    """Return how samples that are read as images are read as sequences, after "For".

    None means that they look like images, or that they are stated to be.
    """
    is_stated = getattr(estimator, "input_shape", None) is not None
    if is_stated or len(in_shape) != 3 or not is_convnet(estimator):
        return None
    *spatial, channels = in_shape
    if _n_axes(X) == 2 and _is_strip(spatial):
        return _sequences_instead(estimator, X, spatial)
    if _n_axes(X) == 3 and min(spatial) == 1:
        series = (max(spatial), channels)
        if is_channels_first(estimator):
            series = (channels, max(spatial))
        return (
            f"sequences of length {max(spatial)}, set input_shape={series} and pass "
            f"X.reshape{(-1, *series)}"
        )
    return None


def _n_axes(X: CheckedX) -> int:
    """Return the number of axes of one sample."""
    return X.maps[0].ndim if isinstance(X, MapList) else X.ndim - 1


def _say(estimator: Any, line: str) -> None:  # noqa: ANN401  estimators have no type
    if estimator.verbose:
        print(line)


def _tell_guess(
    estimator: Any,  # noqa: ANN401  estimators have no type
    in_shape: Shape,
) -> None:
    doubt = doubt_about_guess(estimator, in_shape) if len(in_shape) == 3 else None
    if doubt is None:
        _say(estimator, guess_in_words(in_shape))
    else:
        warn_caller(doubt)


def _check_order(
    estimator: Any,  # noqa: ANN401  estimators have no type
    in_shape: Shape,
    *,
    is_list: bool,
) -> None:
    channels_first = is_channels_first(estimator)
    # In a list, sizes differ: the largest one of each axis decides.
    own = last_to_first(in_shape) if channels_first else in_shape
    doubt = order_in_doubt(own, channels_first=channels_first)
    if doubt == "surely":
        raise ValueError(
            f"X of shape {of_many(own)} would be read as "
            f"{wrong_order(estimator, own, is_list=is_list)}"
        )
    may_be_volume = is_convnet(estimator) and len(in_shape) == 3
    if doubt == "perhaps":
        text = wrong_order(estimator, own, is_list=is_list)
    elif may_be_volume and min(in_shape) == max(in_shape) >= _MIN_SIDE_OF_VOLUME:
        text = f"{kind(in_shape)}; if that is meant, set input_shape={own}."
    else:
        return
    if may_be_volume:
        text += f" For volumes, set input_shape={(*own, 1)}."
    warn_caller(f"X of shape {of_many(own)} is read as {text}")


def _tell_sequences(
    estimator: Any,  # noqa: ANN401  estimators have no type
    in_shape: Shape,
) -> None:
    """Tell that samples with one channel of two axes are sequences."""
    own = last_to_first(in_shape) if is_channels_first(estimator) else in_shape
    _say(
        estimator,
        f"X of shape {of_many(own)} is read as {kind(in_shape)}; set input_shape to "
        "change that",
    )


def _tell_gray(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: CheckedX,
    in_shape: Shape,
) -> None:
    """Tell that samples of two axes are images, or warn if they look like sequences."""
    own = in_shape[:-1]
    pattern = _pattern(X, own)
    gray = (1, *pattern) if is_channels_first(estimator) else (*pattern, 1)
    text = f"X of shape {of_many(own)} is read as {kind(in_shape)}"
    if not _is_strip(own):
        _say(estimator, f"{text}; set input_shape to change that")
        return
    sequences = _sequences_instead(estimator, X, own)
    warn_caller(
        f"{text}. For {sequences}; if images are meant, set input_shape={gray}."
    )


def _pattern(X: CheckedX, own: Sequence[int]) -> tuple[int | None, ...]:
    """Return the lengths of all axes for `input_shape`, None for those that differ."""
    if not isinstance(X, MapList):
        return tuple(own)
    lengths_of_axes = zip(*X.shapes, strict=True)
    return tuple(
        n if len(set(all_lengths)) == 1 else None
        for n, all_lengths in zip(own, lengths_of_axes, strict=True)
    )


def _is_strip(own: Sequence[int]) -> bool:
    """Return whether gray images are so narrow that they may be sequences."""
    low, high = min(own), max(own)
    return (
        len(own) == 2
        and high >= _MIN_LENGTH_OF_STRIP
        and any(low <= width and high >= times * low for width, times in _STRIPS)
    )


def _sequences_instead(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: CheckedX,
    own: Sequence[int],
) -> str:
    """Return how samples of two axes are read as sequences, after "For"."""
    low, high = min(own), max(own)
    order = "channels_first" if own[0] < own[1] else "channels_last"
    parameters = f"input_shape={_pattern(X, own)}"
    if order != estimator.data_format:
        parameters = f"data_format={order!r} and {parameters}"
    plural = "" if low == 1 else "s"
    length = f"up to {high}" if isinstance(X, MapList) else high
    return f"sequences of length {length} with {low} channel{plural}, set {parameters}"


def _doubt_sequences(
    estimator: Any,  # noqa: ANN401  estimators have no type
    in_shape: Shape,
) -> None:
    """Warn if an `input_shape` of two entries looks like one of gray images."""
    channels_first = is_channels_first(estimator)
    length, channels = in_shape
    own = (channels, length) if channels_first else in_shape
    gray = (1, *in_shape) if channels_first else (*in_shape, 1)
    if length == channels:
        remedy = f"For gray images, set input_shape={gray}"
    elif order_in_doubt(own, channels_first=channels_first) == "surely":
        remedy = to_other_order(estimator, 2)
    else:
        return
    pattern = (channels, None) if channels_first else (None, channels)
    warn_caller(
        f"input_shape={own} is read as sequences of {lengths(in_shape)}. {remedy}; if "
        f"sequences are meant, set input_shape={pattern}."
    )


def _doubt_order_of_rows(
    estimator: Any,  # noqa: ANN401  estimators have no type
    in_shape: Shape,
) -> None:
    """Warn if an `input_shape` for rows seems to have the channels at the other end."""
    channels_first = is_channels_first(estimator)
    own = last_to_first(in_shape) if channels_first else in_shape
    if order_in_doubt(own, channels_first=channels_first) == "no":
        return
    maps = f"X.reshape{(-1, *own)}"
    remedy = "set data_format=" + repr(
        "channels_last" if channels_first else "channels_first"
    )
    warn_caller(
        f"input_shape={own} means {lengths(in_shape)}. If the channels are at the "
        f"other end, {remedy}; if it is meant, pass {maps}."
    )
