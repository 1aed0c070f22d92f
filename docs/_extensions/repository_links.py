"""Make links between files of the repository work on the site.

Pages link to each other by the paths that they have in the repository, as GitHub needs
it. Files that the site has as pages become links to these pages, pictures stay
pictures, and all others, such as scripts, become links to GitHub.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ON_GITHUB = "https://github.com/skconvnet/skconvnet/blob/main"
# The pages that include a file of another folder, or replace it.
PAGES = {
    ROOT / "README.md": DOCS / "index.md",
    ROOT / "CHANGELOG.md": DOCS / "changelog.md",
    ROOT / "CONTRIBUTING.md": DOCS / "contributing.md",
    ROOT / "benchmarks" / "README.md": DOCS / "benchmarks.md",
}
PICTURES = {".png", ".svg"}

_LINK = re.compile(r"\]\((?P<path>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")


def on_the_site(text: str, written_in: Path, shown_in: Path) -> str:
    """Return a page with its links to files as they work on the site.

    Parameters
    ----------
    text : str
        A page, or an included part of it, in Markdown.
    written_in, shown_in : Path
        The file that has the text, and the page of the site that shows it. Links are
        relative to the folder of the first, and become relative to that of the second.

    Returns
    -------
    text : str
    """

    def translated(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(written_in.parent / link["path"]))
        if not target.exists():
            return link[0]
        target = PAGES.get(target, target)
        is_shown = DOCS in target.parents and target.suffix == ".md"
        if is_shown or target.suffix in PICTURES:
            place = os.path.relpath(target, shown_in.parent)
        else:
            place = f"{ON_GITHUB}/{target.relative_to(ROOT).as_posix()}"
        return f"]({place}{link['anchor'] or ''})"

    return _LINK.sub(translated, text)


def _read_page(app: Sphinx, docname: str, content: list[str]) -> None:
    page = Path(app.env.doc2path(docname))
    if page.suffix == ".md":
        content[0] = on_the_site(content[0], page, page)


def _read_included(
    app: Sphinx, relative_path: Path, parent_docname: str, content: list[str]
) -> None:
    written_in = Path(os.path.normpath(Path(app.srcdir) / relative_path))
    shown_in = Path(app.env.doc2path(parent_docname))
    content[0] = on_the_site(content[0], written_in, shown_in)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the events of Sphinx that read files."""
    app.connect("source-read", _read_page)
    app.connect("include-read", _read_included)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
