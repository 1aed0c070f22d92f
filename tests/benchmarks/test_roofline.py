"""The benchmark `benchmarks/roofline.py`, on few samples."""

import numpy as np
import pytest
from script_tools import load_benchmark


@pytest.mark.parametrize("peers", [False, pytest.param(True, marks=pytest.mark.torch)])
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_roofline_benchmark(peers, monkeypatch, capsys):
    roofline = load_benchmark("roofline")
    if not peers:
        monkeypatch.setattr(roofline, "torch", None)
    speeds = roofline.Speeds(flops=1e5, bytes=1e4)
    monkeypatch.setattr(roofline, "measure_speeds", lambda: speeds)
    names = ["digits", "dilated", "batch_norm", "residual", "text"]
    argv = ["--samples", "4", "--rounds", "1", "--networks", *names]
    assert roofline.main(argv) == 0
    tables = capsys.readouterr().out.split("\n\n")[1:]
    assert len(tables) == len(names)
    for name, table in zip(names, tables, strict=True):
        assert table.startswith(f"| {name} | products | maps | ours |")
        _, _, *rows, total = (
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in table.strip().splitlines()
        )
        ours = [float(row[3]) for row in rows]
        assert float(total[3]) == pytest.approx(np.sum(ours), rel=0.02)
        assert bool(total[5]) == peers


def test_the_floor_of_a_convolution():
    roofline = load_benchmark("roofline")
    row, *_ = roofline.rows_of("strided", 4, 1, roofline.Speeds(1.0, 1.0))
    # Without the gradient of the images; float32 maps of 3 and of 32 channels.
    assert row.maps == 4 * 32 * 32 * (2 * 3 + 2 * 32)
    # Of two products; padding of the rows included.
    assert row.products == pytest.approx(2 * 2 * 32 * 34 * 27 * 32, rel=0.01)
