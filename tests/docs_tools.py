"""Reading the pages of the documentation: blocks of Python, tables, links."""

import re
import sys
import types
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
INDEX = DOCS / "index.md"
# Pages of the site that only arrange others.
CONTENTS = [INDEX, DOCS / "user_guide.md", DOCS / "api.md", DOCS / "coming_from.md"]
# Pages of the site that show a file of another folder.
SHOWN = {
    DOCS / "benchmarks.md": ROOT / "benchmarks" / "README.md",
    DOCS / "changelog.md": ROOT / "CHANGELOG.md",
    DOCS / "contributing.md": ROOT / "CONTRIBUTING.md",
}
GUIDE = [page for page in sorted(DOCS.glob("*.md")) if page not in {*CONTENTS, *SHOWN}]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *CONTENTS,
    *GUIDE,
]

_FENCED = re.compile(r"^```.*?^```$", re.M | re.S)


def read(page):
    return page.read_text(encoding="utf-8")


def section(page, heading):
    """Return the text under a heading of the second level."""
    _, text = read(page).split(f"## {heading}\n", 1)
    return text.split("\n## ")[0]


def without_code(text):
    """Return a page without its fenced blocks."""
    return _FENCED.sub("", text)


def anchors(text):
    """Return the anchors of all headings, as GitHub derives them."""
    headings = re.findall(r"^#+ (.*)$", without_code(text), re.M)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


def links(text):
    """Return the targets of all links and pictures outside of code."""
    return re.findall(r"\]\(([^)\s]+)\)", without_code(text))


def run_blocks(page, monkeypatch):
    """Run the blocks of Python on `page` in order, each at its own line numbers.

    Returns
    -------
    namespace : dict
        What they left behind.
    n_blocks : int
    """
    # Dataclasses look their module up.
    module = types.ModuleType("documented")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    text = read(page)
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks:
            code = "\n" * text.count("\n", 0, block.start(1)) + block[1]
            exec(compile(code, str(page), "exec"), vars(module))
    return vars(module), len(blocks)
