"""The benchmark `benchmarks/cluster.py`, on few images."""

import pytest
from script_tools import load_benchmark

pytestmark = pytest.mark.distributed


@pytest.fixture(scope="module")
def benchmark():
    pytest.importorskip("distributed", reason="distributed is optional")
    return load_benchmark("cluster")


def test_the_model_divides_the_computation_only(benchmark):
    costs = benchmark.Costs(1e-3, 0.0, 0.0, 0.0)
    assert benchmark.modeled(costs, 1.0, 100, 4, n_cpus=4) == pytest.approx(0.025)
    assert benchmark.modeled(costs, 1.0, 100, 4, n_cpus=2) == pytest.approx(0.05)
    costs = costs._replace(megabyte=1.0, sample=0.0)
    assert benchmark.modeled(costs, 2.0, 100, 4, n_cpus=4) == pytest.approx(14.0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_each_number_of_workers_has_a_row(benchmark, capsys):
    argv = ["--workers", "1", "2", "--images", "64", "--batch", "32", "--epochs", "2"]
    benchmark.main(argv)
    out = capsys.readouterr().out
    for n in ("1", "2"):
        rows = [line for line in out.splitlines() if line.startswith(f"| {n} |")]
        assert len(rows) == len(benchmark.NETWORKS)
        assert all(float(cell) > 0 for row in rows for cell in row.split("|")[2:5])
    assert out.count("machines, 10 Gb/s") == 4 * len(benchmark.NETWORKS)
