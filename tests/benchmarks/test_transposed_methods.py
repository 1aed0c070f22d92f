"""The benchmark `benchmarks/transposed_methods.py`, for a moment."""

from script_tools import load_benchmark


def test_judge(monkeypatch, capsys):
    methods = load_benchmark("transposed_methods")
    monkeypatch.setattr(methods, "MAX_OPERATIONS", 1e7)
    assert methods.main(["--seconds", "0.5", "--rows"]) == 0
    out = capsys.readouterr().out
    assert "convolutions: within 1.15 of the best" in out
    assert "'stride': 2" in out
