"""The drawings: written by their scripts, and shown by a page."""

import runpy
import sys
import xml.etree.ElementTree as ET

import pytest
from docs_tools import DOCS, PAGES, links, read

DRAWINGS = sorted((DOCS / "engine").glob("*.svg"))
NAMESPACE = "{http://www.w3.org/2000/svg}"


def run_script(monkeypatch, name, *arguments):
    """Run a script of the documentation, which finds the modules beside it."""
    monkeypatch.syspath_prepend(DOCS)
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(DOCS / name), run_name="__main__")


def test_the_drawings_are_those_of_their_script(tmp_path, monkeypatch):
    run_script(monkeypatch, "draw_engine.py", "--folder", str(tmp_path))
    drawn = {path.name: read(path) for path in tmp_path.iterdir()}
    assert drawn == {path.name: read(path) for path in DRAWINGS}


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)
def test_each_drawing_is_shown_by_a_page(drawing):
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in links(read(page))
        if link.endswith(".svg")
    }
    assert drawing in shown


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)
def test_drawings_are_seen_on_dark_pages(drawing):
    root = ET.fromstring(read(drawing))
    background = root.find(f"{NAMESPACE}rect")
    assert background.get("fill") == "#ffffff"
    for side in ("width", "height"):
        assert background.get(side) == root.get(side)


def test_the_digit_is_drawn_by_its_script(tmp_path, monkeypatch):
    output = tmp_path / "digit.svg"
    run_script(monkeypatch, "draw_digit.py", "--output", str(output))
    committed, drawn = (
        ET.parse(path).getroot() for path in (DOCS / "digit.svg", output)
    )
    # Shades may differ from machine to machine, what is drawn may not.
    assert [e.tag for e in committed.iter()] == [e.tag for e in drawn.iter()]
    texts = [[e.text for e in root.iter() if e.text] for root in (committed, drawn)]
    assert texts[0] == texts[1]
    assert (DOCS / "digit.svg").stat().st_size < 200_000
