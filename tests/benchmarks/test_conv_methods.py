"""The benchmark `benchmarks/conv_methods.py`, for a moment."""

import sys

from script_tools import load_benchmark


def test_sweep_judge_fit_and_tune(monkeypatch, tmp_path, capsys):
    methods = load_benchmark("conv_methods")
    monkeypatch.setattr(methods, "SIZES", (8, 12))
    monkeypatch.setattr(methods, "CHANNELS", (3, 8))
    monkeypatch.setattr(methods, "BATCHES", (4,))
    path = str(tmp_path / "sweep.csv")
    for arguments in (
        ["--seconds", "3", "--csv", path],
        ["--judge", path],
        ["--fit", path],
    ):
        monkeypatch.setattr(sys, "argv", ["conv_methods.py", *arguments])
        methods.main()
    out = capsys.readouterr().out
    assert out.count("points: within 1.15 of the best in") == 2
    for terms in ("Im2colTerms", "WinogradTerms", "FFTTerms"):
        assert f"{terms}(" in out
