"""The drawings of the engine: written by their script, and shown by a page."""

import runpy
import sys
import xml.etree.ElementTree as ET

import pytest
from docs_tools import DOCS, PAGES, links, read

DRAWINGS = sorted((DOCS / "engine").glob("*.svg"))
NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_the_drawings_are_those_of_their_script(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    monkeypatch.setattr(sys, "argv", ["draw_engine.py", "--folder", str(tmp_path)])
    runpy.run_path(str(DOCS / "draw_engine.py"), run_name="__main__")
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
