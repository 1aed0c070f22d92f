"""Lead references of inherited docstrings to the site of scikit-learn.

Its methods, such as `set_fit_request`, refer to sections of its user guide. The table
has the few that occur, so that a build needs no network; any other is a warning.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

SKLEARN = "https://scikit-learn.org/stable"
PAGES = {
    "metadata_routing": "metadata_routing.html",
    "df_output_transform": "auto_examples/miscellaneous/plot_set_output.html",
    "sphx_glr_auto_examples_miscellaneous_plot_set_output.py": (
        "auto_examples/miscellaneous/plot_set_output.html"
    ),
    "meta-estimator": "glossary.html#term-meta-estimator",
}


def _to_sklearn(
    _app: Sphinx,
    _env: BuildEnvironment,
    node: pending_xref,
    content: nodes.TextElement,
) -> nodes.reference | None:
    """Return a link to scikit-learn, or None if the table has none."""
    if node["refdomain"] != "std" or node["reftarget"] not in PAGES:
        return None
    url = f"{SKLEARN}/{PAGES[node['reftarget']]}"
    return nodes.reference("", "", content, internal=False, refuri=url)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the event of Sphinx for references without a target."""
    app.connect("missing-reference", _to_sklearn)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
