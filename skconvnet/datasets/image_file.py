"""Reading one image file into an array, with Pillow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from skconvnet._checks import per_axis
from skconvnet._optional import import_optional

if TYPE_CHECKING:
    from PIL import Image

MODES = {"RGB": 3, "L": 1, "RGBA": 4}


def load_image(
    file: str | os.PathLike[str],
    size: int | tuple[int, int] | None = None,
    *,
    mode: str = "RGB",
    crop_to_aspect_ratio: bool = False,
) -> npt.NDArray[np.uint8]:
    """Load one image as `load_images` loads those of a folder.

    Parameters
    ----------
    file : str or path-like
        The file.
    size : int, tuple of (height, width) or None, default=None
        The size to which the image is resized. None keeps its own size.
    mode : {"RGB", "L", "RGBA"}, default="RGB"
        The channels, see `load_images`.
    crop_to_aspect_ratio : bool, default=False
        Whether to crop the image, see `load_images`.

    Returns
    -------
    image : ndarray of shape (height, width, channels), dtype uint8
        For a prediction, add the axis of samples: ``clf.predict(image[None])``.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is not an image that can be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from skconvnet.datasets import load_image
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("RGB", (40, 30), "red").save(f"{folder}/red.png")
    ...     load_image(f"{folder}/red.png", size=16).shape
    (16, 16, 3)
    """
    check_pillow()
    check_mode(mode)
    return read_image(
        file, check_size(size), mode, crop_to_aspect_ratio=crop_to_aspect_ratio
    )


def check_pillow() -> None:
    """Raise an ImportError that says how to install Pillow if it is missing."""
    import_optional("PIL.Image", "Loading images needs Pillow", "image", "pillow")


def check_mode(mode: object) -> None:
    """Raise a ValueError if `mode` is not the name of a mode."""
    if not isinstance(mode, str) or mode not in MODES:
        names = {
            "rgb": "RGB",
            "grayscale": "L",
            "gray": "L",
            "grey": "L",
            "rgba": "RGBA",
        }
        ours = names.get(str(mode).lower(), "RGB")
        raise ValueError(
            'mode must be "RGB" (color), "L" (gray) or "RGBA" (color and opacity); '
            f"got {mode!r}. Did you mean {ours!r}?"
        )


def check_size(size: object) -> tuple[int, int] | None:
    """Return `size` as (height, width), or None if it is None.

    >>> check_size(32), check_size((48, 64))
    ((32, 32), (48, 64))
    """
    if size is None:
        return None
    height, width = per_axis("size", size, ndim=2)
    return height, width


def read_image(
    file: str | os.PathLike[str],
    size: tuple[int, int] | None,
    mode: str,
    *,
    crop_to_aspect_ratio: bool = False,
) -> npt.NDArray[np.uint8]:
    """Return the image in a file as an array of shape (height, width, channels)."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened)
            image = _converted(image, mode, opened.format)
            if size is not None:
                image = _resized(image, size, crop=crop_to_aspect_ratio)
            array = np.asarray(image, dtype=np.uint8)
    except FileNotFoundError:
        raise
    except Exception as error:  # what decoders raise for broken files has no bounds
        raise ValueError(
            f"{os.fspath(file)!r} is not an image that Pillow can read ({error}). "
            "Remove the file from the folder, or save it anew as a PNG or JPEG."
        ) from error
    return array.reshape(*array.shape[:2], MODES[mode])


def _converted(image: Image.Image, mode: str, file_format: str | None) -> Image.Image:
    """Return the image in one of our modes, 8 bits per channel."""
    from PIL import Image

    if image.mode.startswith("I;16") or (image.mode == "I" and file_format == "PNG"):
        # As for colors of 16 bits, of which Pillow reads the upper eight.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError("32 bits per pixel, of unknown range")
    if mode != "RGBA" and image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert(mode)


def _resized(image: Image.Image, size: tuple[int, int], *, crop: bool) -> Image.Image:
    """Resize the image, each pixel from all that it covers."""
    from PIL import Image

    height, width = size
    box = None
    if crop:
        scale = min(image.width / width, image.height / height)
        left = (image.width - scale * width) / 2
        top = (image.height - scale * height) / 2
        box = (left, top, image.width - left, image.height - top)
    return image.resize((width, height), Image.Resampling.BILINEAR, box=box)
