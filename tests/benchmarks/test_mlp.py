"""The benchmark `benchmarks/mlp.py`, on little data."""

import pytest
from script_tools import load_benchmark


@pytest.mark.parametrize(
    "has_torch", [False, pytest.param(True, marks=pytest.mark.torch)]
)
def test_mlp_benchmark(has_torch, monkeypatch, capsys):
    mlp = load_benchmark("mlp")
    if not has_torch:
        monkeypatch.setattr(mlp, "torch", None)
    monkeypatch.setattr(mlp, "FITS", [("digits", (5,), 200, 1), ("mnist", (5,), 9, 1)])
    monkeypatch.setattr(mlp, "ROWS", (1, 20))
    monkeypatch.setattr(mlp, "PAUSE", 0.0)
    assert mlp.main(["--rounds", "1", "--dtypes", "float32"]) == 0
    out = capsys.readouterr().out
    (fit,) = [line for line in out.splitlines() if "batch 200" in line]
    # Our time, scikit-learn's and its ratio, and as much of PyTorch's.
    assert len(fit.split("batch 200")[1].split()) == (5 if has_torch else 3)
    assert "float32, digits (100,), 20 rows" in out
    assert "mnist" not in out
