"""Channels last or first: the order of the axes of X, and X that has the other one."""

from __future__ import annotations

from typing import Any, Literal

from skconvnet._checks import check_choice
from skconvnet._typing import Shape
from skconvnet.estimators._shape_words import lengths

DATA_FORMATS = ("channels_last", "channels_first")

# Numbers of channels that images usually have: gray, with opacity, color, with opacity.
_MAX_USUAL_CHANNELS = 4
# Images have at least this many pixels along each side ...
_MIN_SIDE = 5
# ... and are at most this many times as long along one side as along the other.
_MAX_ASPECT = 4
# A sequence is at least this long, and this many times longer than it has channels.
_MIN_LENGTH = 16
_MIN_STEPS_PER_CHANNEL = 8
# Spectral images have up to this many channels.
_MAX_BANDS = 16


def is_channels_first(estimator: Any) -> bool:  # noqa: ANN401  estimators have no type
    """Return whether the user has the channels before the spatial axes."""
    data_format = getattr(estimator, "data_format", "channels_last")
    return check_choice("data_format", data_format, DATA_FORMATS) == "channels_first"


def is_convnet(estimator: Any) -> bool:  # noqa: ANN401  estimators have no type
    """Return whether the shape of X alone decides what the samples are.

    The layers of other networks say over how many axes they work.
    """
    return hasattr(estimator, "filters")


def first_to_last(shape: Shape) -> Shape:
    """Move the first axis of a shape to the end.

    >>> first_to_last((3, 32, 48))
    (32, 48, 3)
    """
    return (*shape[1:], shape[0])


def last_to_first(shape: Shape) -> Shape:
    """Move the last axis of a shape to the front.

    >>> last_to_first((32, 48, 3))
    (3, 32, 48)
    """
    return (shape[-1], *shape[:-1])


def first_axis_is_channels(shape: Shape) -> Literal["surely", "perhaps", "no"]:
    """Return whether the first axis of a sample looks like its channels.

    "surely" is for 1 to 4 channels before

    - two or three axes of at least 5 positions, of which the last two are images of a
      usual aspect, at most 4 times as long along one side as along the other;
    - one axis of at least 16 positions, and 8 for each channel.

    "perhaps" is for 5 to 16 channels before square images of at least 16x16 pixels and
    at least two pixels per channel and side.

    >>> first_axis_is_channels((3, 32, 32)), first_axis_is_channels((2, 100))
    ('surely', 'surely')
    >>> first_axis_is_channels((13, 64, 64))
    'perhaps'
    >>> [first_axis_is_channels(s) for s in [(1, 200, 8), (4, 4, 64), (3, 3, 16)]]
    ['no', 'no', 'no']
    """
    first, *others = shape
    if len(others) == 1:
        shortest = max(_MIN_LENGTH, _MIN_STEPS_PER_CHANNEL * first)
        is_sequence = first <= _MAX_USUAL_CHANNELS and others[0] >= shortest
        return "surely" if is_sequence else "no"
    low, high = sorted(others[-2:])
    is_image = min(others) >= _MIN_SIDE and high <= _MAX_ASPECT * low
    if first <= _MAX_USUAL_CHANNELS and is_image:
        return "surely"
    is_square = low == high >= max(16, 2 * first)
    return "perhaps" if is_square and first <= _MAX_BANDS else "no"


def order_in_doubt(
    shape: Shape, *, channels_first: bool
) -> Literal["surely", "perhaps", "no"]:
    """Return whether samples look as if their channels were at the other end."""
    return first_axis_is_channels(last_to_first(shape) if channels_first else shape)


def wrong_order(
    estimator: Any,  # noqa: ANN401  estimators have no type
    shape: Shape,
    *,
    is_list: bool = False,
) -> str:
    """Return how samples of a shape are read, and what to do about it.

    Parameters
    ----------
    estimator : estimator
    shape : tuple of int
        Shape of a sample, in the order that X has.
    is_list : bool
        Whether X is a list of samples of different sizes.
    """
    channels_first = is_channels_first(estimator)
    read_as = lengths(first_to_last(shape) if channels_first else shape)
    order = "first with data_format='channels_first'" if channels_first else "last"
    remedy = to_other_order(estimator, len(shape), is_list=is_list)
    pattern = (None,) * len(shape) if is_list else shape
    return (
        f"{read_as}; channels come {order}. {remedy}; if it is meant, set input_shape="
        f"{pattern}."
    )


def to_other_order(
    estimator: Any,  # noqa: ANN401  estimators have no type
    n_axes: int,
    *,
    input_shape: Shape | None = None,
    is_list: bool = False,
) -> str:
    """Return what a user can do whose X has its channels at the other end.

    Parameters
    ----------
    estimator : estimator
    n_axes : int
        Number of axes of a sample.
    input_shape : tuple, optional
        What `input_shape` must be with the other `data_format`.
    is_list : bool
        Whether X is a list of samples of different sizes.

    Examples
    --------
    >>> from skconvnet import ConvNetClassifier
    >>> to_other_order(ConvNetClassifier(), 3)
    "Set data_format='channels_first', or transpose with X.transpose(0, 2, 3, 1)"
    """
    channels_first = is_channels_first(estimator)
    own = range(n_axes)
    axes = last_to_first(tuple(own)) if channels_first else first_to_last(tuple(own))
    if is_list:
        transpose = f"ranspose each sample with x.transpose{axes}"
    else:
        transpose = f"ranspose with X.transpose{(0, *(axis + 1 for axis in axes))}"
    parameters = f"data_format={DATA_FORMATS[not channels_first]!r}"
    if input_shape is not None:
        parameters += f" and input_shape={input_shape}"
    return f"Set {parameters}, or t{transpose}"
