"""Keep shapes in docstrings from being read as markup.

In `(n, *axes)` a star would begin emphasis, and `n_features_in_` would be the name of a
link. `help` shows docstrings as they are, so they have no backslashes of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# Before numpydoc, which has the default of 500.
_PRIORITY = 400
_LITERAL = re.compile(r"(``.*?``)")
_STAR = re.compile(r"(?<=[(, ])\*(?=[a-z_]+[,)])")
_LAST_UNDERSCORE = re.compile(r"(?<=\w)_(?=[,)])")


def escaped(line: str) -> str:
    """Return a line of a docstring with the markup in its shapes escaped."""
    if line.lstrip().startswith((">>>", "...")):
        return line
    parts = _LITERAL.split(line)
    # Every second part is a literal.
    parts[::2] = [
        _LAST_UNDERSCORE.sub(r"\\_", _STAR.sub(r"\\*", part)) for part in parts[::2]
    ]
    return "".join(parts)


def _escape_docstring(
    _app: Sphinx,
    _what: str,
    _name: str,
    _obj: object,
    _options: object,
    lines: list[str],
) -> None:
    lines[:] = [escaped(line) for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the event of autodoc that hands over docstrings."""
    app.connect("autodoc-process-docstring", _escape_docstring, priority=_PRIORITY)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
