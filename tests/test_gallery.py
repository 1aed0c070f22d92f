"""The gallery: the form of its scripts, what they show, and that they run."""

import ast
import runpy
from collections import defaultdict

import pytest
from script_tools import ROOT

from skconvnet import estimators, inspection, layers

GALLERY = ROOT / "examples" / "gallery"
SCRIPTS = sorted(GALLERY.glob("*/plot_*.py"))
MAX_LINES = 100

every_script = pytest.mark.parametrize(
    "script", SCRIPTS, ids=lambda script: f"{script.parent.name}/{script.stem}"
)


def imported_names(script):
    """Return what a script imports from the package; ruff sees that it is used."""
    return {
        alias.name
        for node in ast.walk(ast.parse(script.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("skconvnet")
        for alias in node.names
    }


SHOWN = set().union(*map(imported_names, SCRIPTS))


def families_of_layers():
    """Return the public layers of each module, which has one family of them."""
    families = defaultdict(set)
    for name in layers.__all__:
        families[getattr(layers, name).__module__].add(name)
    return families


def test_there_are_scripts_in_every_section():
    sections = {path for path in GALLERY.iterdir() if path.is_dir()}
    assert sections == {script.parent for script in SCRIPTS}
    assert len(SCRIPTS) >= 30


def check_title(lines, character):
    """Check a title, its underline, an empty line and sentences."""
    title, underline, empty, *_, last = lines
    assert title
    assert underline == character * len(title)
    assert empty == ""
    assert last.endswith((".", "?"))


def test_the_gallery_has_a_header():
    check_title((GALLERY / "GALLERY_HEADER.rst").read_text().splitlines(), "=")


@pytest.mark.parametrize(
    "section", sorted({script.parent for script in SCRIPTS}), ids=lambda path: path.name
)
def test_every_section_has_a_header(section):
    check_title((section / "GALLERY_HEADER.rst").read_text().splitlines(), "-")


def docstring_lines(script):
    return ast.get_docstring(ast.parse(script.read_text())).splitlines()


@every_script
def test_a_script_has_the_form_that_sphinx_gallery_reads(script):
    check_title(docstring_lines(script), "=")
    text = script.read_text()
    assert text.count("\n# %%\n# ") >= 2
    assert len(text.splitlines()) <= MAX_LINES


def test_titles_differ():
    titles = [
        ast.get_docstring(ast.parse(s.read_text())).split("\n")[0] for s in SCRIPTS
    ]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", estimators.__all__)
def test_every_estimator_is_shown(name):
    assert name in SHOWN


@pytest.mark.parametrize(
    "name", [name for name in inspection.__all__ if name.endswith("Display")]
)
def test_every_display_is_shown(name):
    assert name in SHOWN


@pytest.mark.parametrize("module", families_of_layers())
def test_every_family_of_layers_is_shown(module):
    assert families_of_layers()[module] & SHOWN


@every_script
def test_a_script_runs_and_draws(script, pyplot, monkeypatch, capsys):
    # Where there is a screen, `show` warns that "agg" does not use it.
    monkeypatch.setattr(pyplot, "show", lambda: None)
    with pyplot.rc_context():
        runpy.run_path(str(script))
    assert pyplot.get_fignums()
    assert capsys.readouterr().out or "print(" not in script.read_text()
