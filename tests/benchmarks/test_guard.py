"""The benchmark `benchmarks/guard.py`, on one small network."""

import re

import pytest
from script_tools import ROOT, load_benchmark


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="compares commits of git")
def test_a_commit_with_itself(capsys):
    guard = load_benchmark("guard")
    argv = ["--base", "HEAD", "--networks", "digits", "--batches", "512"]
    assert guard.main([*argv, "--rounds", "1", "--jobs", "1"]) == 0
    row = capsys.readouterr().out.splitlines()[-1]
    name, batch, before, now, ratio, _ = row.strip("| ").split(" | ")
    assert (name, batch) == ("digits", "512")
    assert re.fullmatch(r"\d+\.\d\d", ratio)
    assert float(ratio) == pytest.approx(float(before) / float(now), rel=0.02)


def test_a_process_that_ends(monkeypatch, tmp_path):
    guard = load_benchmark("guard")
    monkeypatch.setattr(guard, "__file__", str(tmp_path / "missing.py"))
    with pytest.raises(RuntimeError, match="has ended"):
        guard.Contestant(ROOT, None)
