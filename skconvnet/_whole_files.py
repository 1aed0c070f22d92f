"""Files that are there as a whole, or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def written_as_a_whole(path: str | os.PathLike[str]) -> Iterator[str]:
    """Give the path of a new file that takes the place of `path` in the end.

    It is in the same folder. Until the context ends, a file that is called `path` stays
    as it is; after an error it stays for good. If `path` is a link, it remains one.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "note.txt"
    ...     with written_as_a_whole(path) as unfinished:
    ...         _ = Path(unfinished).write_text("all of it")
    ...         is_there = path.exists()
    ...     is_there, path.read_text()
    (False, 'all of it')
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    unfinished = os.path.join(folder, f".{name}.{uuid.uuid4().hex}")
    try:
        yield unfinished
        with open(unfinished, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, target)
    except BaseException:
        if os.path.exists(unfinished):
            os.remove(unfinished)
        raise
