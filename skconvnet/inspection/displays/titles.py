"""Titles of panels: the size of their letters, and where their lines are broken."""

from __future__ import annotations

import re
from math import floor

# Width of a letter, and distance of lines, as multiples of the size of the font.
_LETTER, _LINE = 0.6, 1.35
_POINTS_PER_INCH = 72
# Lines that one line of a title may be broken into, and how short these may be.
_MAX_LINES, _FEWEST_LETTERS = 3, 8


def title_size() -> float:
    """Return the size of small text in the present style, in points."""
    from matplotlib.font_manager import FontProperties

    return float(FontProperties(size="small").get_size_in_points())


def width_of(letters: int) -> float:
    """Return the width of a line with this number of letters, in inches."""
    return letters * title_size() * _LETTER / _POINTS_PER_INCH


def line_height() -> float:
    """Return the distance of two lines, in inches."""
    return _LINE * title_size() / _POINTS_PER_INCH


def wrapped(text: str, width: float) -> str:
    """Break the lines of a title that are longer than a panel is wide, in inches."""
    letters = max(_FEWEST_LETTERS, floor(width / width_of(1)))
    return broken(text, letters)


def broken(text: str, letters: int) -> str:
    """Break each line after this number of letters, into three lines at most.

    >>> print(broken("true: a rather long name", 16))
    true: a rather
    long name
    >>> print(broken("predicted: some_name_that_goes_on", 20))
    predicted: some_
    name_that_goes_on
    >>> print(broken("unbreakable " + 40 * "x" + " and three more words", 14))
    unbreakable
    xxxxxxxxxxxxx…
    and three mor…
    """
    return "\n".join(
        line for own in text.split("\n") for line in _broken_line(own, letters)
    )


def _broken_line(text: str, letters: int) -> list[str]:
    lines = [""]
    # Names of classes are often words with underscores.
    for word in re.findall(r"[^\s_/-]*(?:[\s_/-]+|$)", text):
        if lines[-1] and len(lines[-1] + word.rstrip()) > letters:
            lines.append("")
        lines[-1] += word
    lines = [line.rstrip() for line in lines]
    is_cut = len(lines) > _MAX_LINES
    lines = lines[:_MAX_LINES]
    if is_cut:
        lines[-1] = lines[-1][: letters - 1] + "…"
    return [
        line if len(line) <= letters else f"{line[: letters - 1]}…" for line in lines
    ]
