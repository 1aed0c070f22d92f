"""The benchmark `benchmarks/larger_than_memory.py`, on a small file."""

import numpy as np
import pytest
from script_tools import load_benchmark


@pytest.fixture(scope="module")
def benchmark():
    return load_benchmark("larger_than_memory")


def test_the_file_is_sparse_but_not_empty(benchmark, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "EVERY", 50)
    path = tmp_path / "images.npy"
    benchmark.make_file(path, 120)
    images = np.load(path)
    assert images.shape == (120, *benchmark.SHAPE)
    assert np.flatnonzero(images.any(axis=(1, 2, 3))).tolist() == [0, 50, 100]
    assert path.stat().st_blocks * 512 < images.nbytes / 2


@pytest.mark.slow
def test_each_way_to_pass_images_has_a_row(benchmark, capsys):
    benchmark.main(["--gigabytes", "0.004"])
    rows = capsys.readouterr().out.partition("| --- |")[2].splitlines()[1:]
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert [cell[0] for cell in cells] == ["array", "path", "path", "memory map"]
    assert all(float(cell[2]) > 50 for cell in cells)
    assert all(float(cell[3].replace(",", "")) > 0 for cell in cells)
