"""The memory of this machine, and the refusal of arrays that cannot fit into it."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from math import inf, prod
from pathlib import Path

from skconvnet._typing import Shape

# Bytes of the smallest dtype that a network computes in, float32.
SMALLEST_ITEMSIZE = 4
# Files in which Linux bounds the memory of a container, in versions 2 and 1 of cgroups.
_CONTAINER_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


@lru_cache
def total_memory() -> float:
    """Return the bytes of memory that there are, or infinity if that is unknown.

    It includes swap space, and is at most what a container may use.
    """
    total = inf
    with suppress(AttributeError, OSError, ValueError):  # as on Windows
        total = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    total += _swap_space()
    for path in _CONTAINER_LIMITS:
        with suppress(OSError, ValueError):  # "max" is no limit
            total = min(total, float(int(Path(path).read_text(encoding="ascii"))))
    return total if total > 0 else inf


def _swap_space() -> float:
    """Return the bytes of swap space, or 0 if it is unknown."""
    with suppress(OSError, ValueError, IndexError):
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        return 1024 * float(text.split("SwapTotal:")[1].split()[0])
    return 0.0


def in_words(n_bytes: float) -> str:
    """Return a number of bytes in the largest unit that fits.

    >>> in_words(618e9), in_words(2048)
    ('618 GB', '2.05 kB')
    """
    power = 0
    n_bytes = float(min(n_bytes, 10**300))
    while n_bytes >= 999.5 and power < len(_UNITS) - 1:
        n_bytes, power = n_bytes / 1000, power + 1
    return f"{n_bytes:.3g} {_UNITS[power]}"


def check_map_fits(shape: Shape, what: str, cure: str) -> None:
    """Raise a ValueError if the map of one sample is larger than all memory.

    Parameters
    ----------
    shape : tuple of int
    what : str
        What has this shape, as the subject of a sentence.
    cure : str
        What the user may do about it, as a sentence.
    """
    n_bytes = SMALLEST_ITEMSIZE * prod(shape)
    if n_bytes > total_memory():
        raise ValueError(
            f"{what} would have shape {tuple(shape)}, and need {in_words(n_bytes)} per "
            f"sample; this machine has {in_words(total_memory())} of memory. {cure}"
        )
