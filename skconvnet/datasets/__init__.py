"""Data from files. Reading images needs Pillow, from the extra ``image``."""

from typing import TYPE_CHECKING

from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.datasets.image_file import load_image as load_image
    from skconvnet.datasets.image_folder import load_images as load_images

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "image_file": ["load_image"],
        "image_folder": ["load_images"],
    },
)
