"""Link names of the package in the guide to their pages in the reference.

On GitHub they are code, and here they are links as well: `Conv2D`, `RMSprop(rho=0.9)`
or `skconvnet.distributed.fit`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

# Pages in which most names belong to another library.
FOREIGN = "coming_from"
_NAME = re.compile(r"(?P<name>[\w.]+)(\(.*\))?")


def linkable_names(app: Sphinx) -> dict[str, str]:
    """Return the full name of what each name in code can only mean.

    Classes are known by their last word, and functions if that has an underscore: one
    word, such as `fit`, may mean something else. Full names are always known.
    """
    full_names: defaultdict[str, set[str]] = defaultdict(set)
    for full_name, entry in app.env.domains["py"].objects.items():
        # Aliases are the modules that names are defined in.
        if entry.aliased or entry.objtype not in {"class", "function"}:
            continue
        full_names[full_name].add(full_name)
        name = full_name.rpartition(".")[2]
        if entry.objtype == "class" or "_" in name:
            full_names[name].add(full_name)
    return {name: full.pop() for name, full in full_names.items() if len(full) == 1}


def _link_names(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    is_guide = Path(app.env.doc2path(docname)).suffix == ".md"
    if not is_guide or docname.startswith(FOREIGN):
        return
    known = linkable_names(app)
    for literal in list(doctree.findall(nodes.literal)):
        match = _NAME.fullmatch(literal.astext())
        if match is None or match["name"] not in known:
            continue
        if isinstance(literal.parent, nodes.reference | nodes.title):
            continue
        full_name = known[match["name"]]
        entry = app.env.domains["py"].objects[full_name]
        page = app.builder.get_relative_uri(docname, entry.docname)
        link = nodes.reference("", "", internal=True, refuri=f"{page}#{entry.node_id}")
        literal.replace_self(link)
        link += literal


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the event of Sphinx for pages that are about to be written."""
    app.connect("doctree-resolved", _link_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
