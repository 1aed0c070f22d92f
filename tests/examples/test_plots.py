"""Pictures that examples draw if requested."""

import sys

import pytest
from script_tools import ROOT, load_example

DRAWING = [
    path.stem
    for path in sorted((ROOT / "examples").glob("[!_]*.py"))
    if "--plot" in path.read_text()
]


@pytest.mark.parametrize("name", DRAWING)
def test_without_matplotlib_nothing_is_trained(name, monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit, match="--plot needs matplotlib: pip install"):
        load_example(name).main(["--plot", str(tmp_path / "picture.png")])
    assert capsys.readouterr().out == ""


def test_most_examples_draw():
    assert len(DRAWING) >= 11
