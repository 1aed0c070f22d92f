"""The benchmark `benchmarks/memory.py`, on little data."""

import re

import pytest
from script_tools import load_benchmark

pytest.importorskip("resource", reason="resource is for Unix alone")


def test_memory_benchmark(monkeypatch, capsys):
    memory = load_benchmark("memory")
    monkeypatch.setattr(memory, "BATCHES", [32])
    assert memory.main(["--network", "digits", "--samples", "64"]) == 0
    out = capsys.readouterr().out
    found = re.findall(r"batch +(\d+): +\d+\.\d MB", out)
    assert found == ["32", "64"]


@pytest.mark.torch
def test_memory_of_torch(monkeypatch, capsys):
    memory = load_benchmark("memory")
    monkeypatch.setattr(memory, "BATCHES", [])
    assert memory.main(["--network", "digits", "--samples", "64", "--torch"]) == 0
    assert re.search(r"64: +\d+\.\d MB, PyTorch +\d+\.\d MB", capsys.readouterr().out)
