"""Finding the files of a folder whose sub-folders are classes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

# Files that operating systems leave in folders, besides those that begin with a dot.
_LITTER = {"thumbs.db", "desktop.ini", "__macosx"}
_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


def existing_folder(folder: str | os.PathLike[str]) -> Path:
    """Return the folder as a path, or raise an error if there is none.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
    """
    path = Path(folder).expanduser()
    if not path.exists():
        where = "" if path.is_absolute() else f" (looked for in {Path.cwd()})"
        raise FileNotFoundError(f"folder {str(folder)!r} does not exist{where}.")
    if not path.is_dir():
        raise NotADirectoryError(
            f"folder must be a folder with one sub-folder per class; {str(folder)!r} "
            "is a file."
        )
    return path


def class_names(folder: Path, categories: Sequence[str] | None) -> list[str]:
    """Return the names of the sub-folders, sorted, or `categories` if all exist.

    Hidden folders are no classes.

    Raises
    ------
    ValueError
        If there are no sub-folders, or not those of `categories`.
    """
    entries = _visible(folder)
    found = [path.name for path in entries if path.is_dir()]
    loose = [path.name for path in entries if path.suffix.lower() in _SUFFIXES]
    if not found:
        holds = f"holds {len(loose)} images but" if loose else "has"
        raise ValueError(
            f"folder {str(folder)!r} {holds} no sub-folders, whose names are the "
            "classes. Put the images of each class into a sub-folder of its own, such "
            f"as {str(folder / 'cat' / (loose or ['1.jpg'])[0])!r}."
        )
    if loose:
        warnings.warn(
            f"{len(loose)} images directly in {str(folder)!r}, such as {loose[0]!r}, "
            "are left out: they are in no sub-folder, and so they have no class.",
            stacklevel=3,
        )
    if categories is None:
        return found
    if isinstance(categories, (str, bytes)):
        raise TypeError(
            "categories must be a list of names of sub-folders; got the string "
            f"{categories!r}. Pass [{categories!r}]."
        )
    names = list(categories)
    missing = [name for name in names if name not in found]
    if missing or not names or len(set(names)) < len(names):
        raise ValueError(
            f"categories must be different names of sub-folders of {str(folder)!r}, "
            f"which are {', '.join(map(repr, found))}; got {names!r}."
        )
    return names


def files_of_class(folder: Path, name: str) -> list[Path]:
    """Return the files below the folder of a class in sorted order, any depth.

    Links are followed, and hidden files are left out.
    """
    own = folder / name
    files = sorted(_walk(own, {own.resolve()}), key=lambda path: path.parts)
    if not files:
        warnings.warn(
            f"sub-folder {str(own)!r} is empty: the class {name!r} has no images.",
            stacklevel=3,
        )
    return files


def _walk(folder: Path, ancestors: set[Path]) -> Iterator[Path]:
    for path in _visible(folder):
        if not path.is_dir():
            yield path
            continue
        # A link to a folder above would have no end.
        target = path.resolve()
        if target not in ancestors:
            yield from _walk(path, ancestors | {target})


def _visible(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.name.lower() not in _LITTER
    )
