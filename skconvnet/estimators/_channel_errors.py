"""Errors about samples whose number of channels differs from that in fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skconvnet._typing import Shape
from skconvnet.estimators._pillow_images import is_pillow_image, n_channels_of

# The modes of Pillow, and of load_images, with a number of channels.
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def what_of_channels(shape: Shape, in_shape: Shape) -> str:
    """Return what to say about samples with another number of channels than in fit.

    Parameters
    ----------
    shape, in_shape : tuple of int
        Shapes of a sample of X, and of those in fit, channels last.

    Examples
    --------
    >>> print(what_of_channels((8, 8, 3), (8, 8, 4)))
    3 channels instead of 4. Load images as for fit, as with mode='RGBA' of load_images
    """
    now, before = shape[-1], in_shape[-1]
    text = f"{now} channel{'' if now == 1 else 's'} instead of {before}"
    if len(in_shape) == 3 and before in _MODES and now in _MODES:
        mode = _MODES[before]
        text += f". Load images as for fit, as with mode={mode!r} of load_images"
    return text


def check_channels_of_images(
    estimator: Any,  # noqa: ANN401  estimators have no type
    samples: Sequence[Any],
    name: str,
) -> None:
    """Raise a ValueError if Pillow images have other channels than samples in fit.

    Parameters
    ----------
    estimator : estimator
        With its network.
    samples : sequence
        Among which there may be images.
    name : str
        What the user calls X.
    """
    in_shape = estimator.network_.in_shape
    if len(in_shape) != 3:
        return
    for i, image in enumerate(samples):
        if not is_pillow_image(image) or n_channels_of(image) == in_shape[-1]:
            continue
        mode = _MODES.get(in_shape[-1])
        remedy = "."
        if mode is not None:
            remedy = f": pass [image.convert({mode!r}) for image in {name}]."
        n = n_channels_of(image)
        raise ValueError(
            f"{name}[{i}] is an image of mode {image.mode!r}, with {n} "
            f"channel{'' if n == 1 else 's'}, but {type(estimator).__name__} was "
            f"fitted on samples with {in_shape[-1]}{remedy}"
        )
