"""The benchmark `benchmarks/blocks.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_benchmark


@pytest.fixture(scope="module")
def blocks():
    return load_benchmark("blocks")


def test_blocks_have_the_same_number_of_weights(blocks):
    images, labels = np.zeros((10, 32, 32, 3), dtype=np.uint8), np.arange(10)
    models = {name: blocks.make_model(name, 1, 0, None) for name in blocks.NETWORKS}
    n_weights = {
        name: blocks.n_weights(model.initialize(images, labels))
        for name, model in models.items()
    }
    for number in n_weights.values():
        assert abs(number / n_weights["plain"] - 1) < 0.03
    # A shortcut by itself adds no weights: these two have the same convolutions.
    assert n_weights["deep plain"] == n_weights["deep residual"]
    assert n_weights["deep plain + bn"] == n_weights["deep residual + bn"]
    kinds = {
        name: {type(layer).__name__ for layer in model.network_.layers.values()}
        for name, model in models.items()
    }
    for name in blocks.NETWORKS:
        assert ("ParallelLayer" in kinds[name]) == ("inception" in name)
        assert ("ResidualLayer" in kinds[name]) == ("residual" in name)
        assert ("BatchNormLayer" in kinds[name]) == name.endswith(" + bn")


def test_blocks_benchmark(blocks, mnist_file, capsys):
    argv = ["--data", str(mnist_file), "--epochs", "1", "--train", "40"]
    argv += ["--seeds", "3", "4", "--networks", "plain", "deep residual + bn"]
    blocks.main(argv)
    out = capsys.readouterr().out
    assert "training (40, 28, 28), test (20, 28, 28), 1 epochs" in out
    assert "| network | weights | mean | seed 3 | seed 4 | CPU seconds |" in out
    rows = [line for line in out.splitlines() if line[:3] in ("| p", "| d")]
    for row, name in zip(rows, ["plain", "deep residual + bn"], strict=True):
        cells = row.strip("| ").split(" | ")
        assert cells[0] == name
        mean, first, second = (float(cell) for cell in cells[2:5])
        assert mean == pytest.approx((first + second) / 2, abs=0.01)
