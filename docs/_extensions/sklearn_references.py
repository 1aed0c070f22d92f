"""Lead references of inherited docstrings to the site of scikit-learn.

Its method `set_output` refers to an example of its gallery. The table has the labels
that occur, so that a build needs no network; any other is a warning.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_EXAMPLE = "auto_examples/miscellaneous/plot_set_output"
PAGE = f"https://scikit-learn.org/stable/{_EXAMPLE}.html"
# The text of a link for each label, where the docstring has none.
TEXTS = {
    "df_output_transform": "the user guide",
    f"sphx_glr_{_EXAMPLE.replace('/', '_')}.py": "Introducing the set_output API",
}


def _to_sklearn(
    _app: Sphinx,
    _env: BuildEnvironment,
    node: pending_xref,
    content: nodes.TextElement,
) -> nodes.reference | None:
    """Return a link to scikit-learn, or None if the table has none."""
    label = node["reftarget"]
    if node["refdomain"] != "std" or label not in TEXTS:
        return None
    if not node["refexplicit"]:
        content = nodes.inline(text=TEXTS[label])
    return nodes.reference("", "", content, internal=False, refuri=PAGE)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the event of Sphinx for references without a target."""
    app.connect("missing-reference", _to_sklearn)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
