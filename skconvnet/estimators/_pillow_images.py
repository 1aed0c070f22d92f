"""Images of Pillow as X, recognized without importing Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skconvnet._typing import Image

# The modes that hold numbers of colors in a palette, and what they are converted to.
_PALETTES = {"P": "RGB", "PA": "RGBA"}


def is_pillow_image(x: object) -> bool:
    """Return whether `x` is an image of Pillow."""
    # Asked of the class, since an image makes its array, and thus decodes its file.
    makes_arrays = hasattr(type(x), "__array_interface__")
    has_mode = isinstance(getattr(x, "mode", None), str)
    return makes_arrays and has_mode and callable(getattr(x, "convert", None))


def n_channels_of(image: Any) -> int:  # noqa: ANN401  Pillow need not be installed
    """Return the number of channels of an image of Pillow, as `images_to_arrays`."""
    mode = _PALETTES.get(image.mode)
    return len(image.getbands() if mode is None else mode)


def check_not_one_image(X: object) -> None:
    """Raise a TypeError if X is a single image in place of a list."""
    if is_pillow_image(X):
        raise TypeError(
            "X is a single Pillow image, but must be a list of them; pass [image]."
        )


def images_to_arrays(
    samples: Sequence[Any], *, channels_first: bool
) -> Image | list[Any]:
    """Return the pixels of Pillow images of one mode, which may be among arrays.

    Parameters
    ----------
    samples : sequence
    channels_first : bool
        Whether the pixels get the channels before the spatial axes, as other samples
        have them.

    Returns
    -------
    arrays : ndarray of shape (n_samples, ...) or list
        An array if all are images of the same size, which is filled image by image.
    """
    if not all(map(is_pillow_image, samples)) or len({x.size for x in samples}) > 1:
        return [
            _pixels(x, -3 if channels_first else -1) if is_pillow_image(x) else x
            for x in samples
        ]
    first = _pixels(samples[0])
    arrays = np.empty((len(samples), *first.shape), first.dtype)
    for array, image in zip(arrays, samples, strict=True):
        array[...] = _pixels(image)
    if channels_first and arrays.ndim == 4:
        return np.moveaxis(arrays, -1, 1)
    return arrays


def check_modes(samples: Sequence[Any]) -> None:
    """Raise a ValueError if images have different modes.

    A palette counts as the colors that it holds.
    """
    first: tuple[int, str] | None = None
    for i, image in enumerate(samples):
        if not is_pillow_image(image):
            continue
        mode = _PALETTES.get(image.mode, image.mode)
        if first is None:
            first = i, mode
        elif mode != first[1]:
            raise ValueError(
                f"X[{i}] is an image of mode {image.mode!r}, but X[{first[0]}] has "
                f"mode {samples[first[0]].mode!r}; convert all images to one mode, for "
                "example with [image.convert('RGB') for image in X]."
            )


def _pixels(
    image: Any,  # noqa: ANN401  Pillow need not be installed
    channels_axis: int = -1,
) -> Image:
    """Return the pixels: (height, width), or three axes with the channels at one."""
    if image.mode in _PALETTES:
        # By way of RGBA, as Pillow warns if opacity in a palette is dropped.
        image = image.convert("RGBA").convert(_PALETTES[image.mode])
    pixels = np.asarray(image)
    # 16-bit images may have the other byte order.
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return np.moveaxis(pixels, -1, channels_axis) if pixels.ndim == 3 else pixels
