"""The example `examples/rows.py`, on one drawing."""

import numpy as np
from script_tools import load_example


def test_rows(monkeypatch, capsys):
    example = load_example("rows")
    monkeypatch.setattr(example, "SEEDS", (3,))
    assert example.main() == 0
    out = capsys.readouterr().out
    rows = out.splitlines()[2:]
    assert len(rows) == len(example.make_models())
    scores = {row[:20].strip(): [float(v) for v in row[20:].split()] for row in rows}
    recipe = scores.pop("recipe for tables")
    assert (np.diff(recipe) > 0).all()
    for other in scores.values():
        assert recipe[-1] > other[-1]
