"""The benchmark `benchmarks/augmentation.py`, on little data."""

import pytest
from script_tools import load_benchmark


@pytest.fixture(scope="module")
def augmentation_benchmark():
    return load_benchmark("augmentation")


def test_augmentation_benchmark(augmentation_benchmark, monkeypatch, capsys):
    monkeypatch.setattr(augmentation_benchmark, "_DURATION", 0.0)
    argv = ["--rounds", "1", "--networks", "digits"]
    augmentation_benchmark.main(argv)
    out = capsys.readouterr().out
    for batch in (32, 128):
        assert f"| digits | {batch} | none | 0.0 |" in out
        assert f"| digits | {batch} | Compose |" in out
