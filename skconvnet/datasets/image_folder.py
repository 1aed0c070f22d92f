"""Images from a folder whose sub-folders are the classes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn.utils import Bunch

from skconvnet.datasets.class_folders import (
    class_names,
    existing_folder,
    files_of_class,
)
from skconvnet.datasets.image_file import (
    MODES,
    check_mode,
    check_pillow,
    check_size,
    read_image,
)

Images: TypeAlias = npt.NDArray[np.uint8] | list[npt.NDArray[np.uint8]]


def load_images(
    folder: str | os.PathLike[str],
    size: int | tuple[int, int] | None = None,
    *,
    mode: str = "RGB",
    categories: Sequence[str] | None = None,
    crop_to_aspect_ratio: bool = False,
    return_X_y: bool = False,
    n_jobs: int | None = None,
) -> Bunch | tuple[Images, npt.NDArray[np.integer]]:
    """Load the images of a folder whose sub-folders are the classes.

    The layout is that of `sklearn.datasets.load_files`::

        photos/
            cat/
                1.jpg
                2.png
            dog/
                1.jpg

    Needs Pillow: ``pip install "skconvnet[image]"``.

    Parameters
    ----------
    folder : str or path-like
        The folder. The images of a class may be in folders below that of the class.
        Links are followed. Hidden files, and those that operating systems leave behind,
        are left out.
    size : int, tuple of (height, width) or None, default=None
        The size to which every image is resized, with antialiasing; an int gives
        squares. None keeps the sizes of the files.
    mode : {"RGB", "L", "RGBA"}, default="RGB"
        The channels: red, green and blue ("RGB"); one channel of gray ("L"); or the
        colors and the opacity ("RGBA"). Images of other kinds are converted. For "RGB"
        and "L", transparent pixels show a white background. Of 16 bits per pixel the
        upper eight are used.
    categories : list of str, default=None
        The sub-folders to load, in the order of the integers in `target`; for test
        images, the `target_names` of the training images. None means all sub-folders in
        alphabetical order.
    crop_to_aspect_ratio : bool, default=False
        Whether to crop images, in equal parts from opposite sides, that do not have the
        aspect ratio of `size`. If False, they are stretched or squeezed.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.
    n_jobs : int, default=None
        The number of threads. None means 1, -1 all CPUs.

    Returns
    -------
    images : Bunch
        With the attributes

        - ``data``: an array of shape (n_samples, height, width, channels) and dtype
          uint8. If `size` is None and the images differ in size, a list of arrays of
          shape (height, width, channels).
        - ``target``: an array of shape (n_samples,), the index of each class.
        - ``target_names``: the names of the classes, a list.
        - ``filenames``: an array of shape (n_samples,), the path of each image.

        Images are in the order of the classes, and sorted by path within a class: on
        every file system, the order is the same. Shuffle them before a split, as
        `sklearn.model_selection.train_test_split` does.

    Raises
    ------
    ImportError
        If Pillow is not installed.
    FileNotFoundError, NotADirectoryError
        If `folder` does not exist or is a file.
    ValueError
        If it has no sub-folders or no images, or if a file is not an image that can be
        read. The error names the file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from skconvnet.datasets import load_images
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("blue", "red"):
    ...         Path(folder, name).mkdir()
    ...         Image.new("RGB", (40, 30), name).save(Path(folder, name, "1.png"))
    ...     images = load_images(folder, size=16)
    >>> images.data.shape, images.target, images.target_names
    ((2, 16, 16, 3), array([0, 1]), ['blue', 'red'])
    """
    check_pillow()
    check_mode(mode)
    shape = check_size(size)
    path = existing_folder(folder)
    names = class_names(path, categories)
    files = [files_of_class(path, name) for name in names]
    target = np.repeat(np.arange(len(names)), [len(of_class) for of_class in files])
    if not len(target):
        raise ValueError(
            f"folder {str(folder)!r} has no images: its sub-folders "
            f"{', '.join(map(repr, names))} are empty."
        )
    paths = [file for of_class in files for file in of_class]
    data = _read_all(paths, shape, mode, crop=crop_to_aspect_ratio, n_jobs=n_jobs)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=names,
        filenames=np.array([str(file) for file in paths]),
    )


def _read_all(
    paths: Sequence[Path],
    size: tuple[int, int] | None,
    mode: str,
    *,
    crop: bool,
    n_jobs: int | None,
) -> Images:
    images: Images = [np.empty(0, np.uint8)] * len(paths)
    if size is not None:
        images = np.empty((len(paths), *size, MODES[mode]), np.uint8)

    def read(i: int) -> None:
        images[i] = read_image(paths[i], size, mode, crop_to_aspect_ratio=crop)

    Parallel(n_jobs, require="sharedmem")(delayed(read)(i) for i in range(len(paths)))
    return images if isinstance(images, np.ndarray) else _stacked(images)


def _stacked(images: list[npt.NDArray[np.uint8]]) -> Images:
    """Return one array if all images have the same shape, else the list."""
    if len({image.shape for image in images}) > 1:
        return images
    stacked = np.empty((len(images), *images[0].shape), np.uint8)
    for i in range(len(images)):
        # Released one by one, so that memory never holds all of them twice.
        stacked[i] = images[i]
        images[i] = stacked[i]
    return stacked
