"""Configuration of Sphinx: how the pages of this folder become a site.

sphinx-build -W --keep-going docs docs/_build/html
"""

from __future__ import annotations

import sys
from pathlib import Path

import skconvnet

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_extensions"))

project = "skconvnet"
author = "The skconvnet developers"
copyright = author
release = skconvnet.__version__

extensions = [
    "linked_names",
    "myst_parser",
    "numpydoc",
    "repository_links",
    "shapes_in_docstrings",
    "sklearn_references",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/**.ipynb", "gallery/**.py"]
templates_path = ["_templates"]

# Quotation marks in docstrings are those of strings.
smartquotes = False

# Blocks without a language are commands, outputs and drawings. The tests run blocks of
# `python`, and leave out those of `py`.
highlight_language = "none"

# Names in single backticks become links if the reference has them, and code if not.
# Most are parameters, which no page is about: nitpicky would warn of each of them. All
# other links and anchors are checked.
default_role = "py:obj"

myst_enable_extensions = ["colon_fence"]
# Anchors of headings, as on GitHub.
myst_heading_anchors = 4

autosummary_generate = True
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"
autodoc_default_options = {
    "members": True,
    "inherited-members": True,
    # Layers, losses and optimizers inherit these, and route no metadata.
    "exclude-members": "get_metadata_routing, set_predict_request",
}
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": str(DOCS.parent / "examples" / "gallery"),
    "gallery_dirs": "gallery",
    "subsection_order": [
        f"../examples/gallery/{name}"
        for name in (
            "first_steps",
            "layers",
            "images",
            "sequences",
            "training",
            "inspection",
            "practice",
        )
    ],
    "backreferences_dir": "gallery/of_names",
    "doc_module": ("skconvnet",),
    "reference_url": {"skconvnet": None},
    "abort_on_example_error": False,
    "only_warn_on_example_error": True,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
}

copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

ICON = "_static/kernel.svg"
html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = ICON
html_show_sourcelink = False
html_sidebars: dict[str, list[str]] = {
    name: [] for name in ("index", "benchmarks", "changelog")
}
html_theme_options = {
    "logo": {"text": project, "image_light": ICON, "image_dark": ICON, "alt_text": ""},
    "github_url": "https://github.com/skconvnet/skconvnet",
    "header_links_before_dropdown": 5,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
