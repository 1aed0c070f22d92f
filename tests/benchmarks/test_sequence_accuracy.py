"""The benchmark `benchmarks/sequence_accuracy.py`, on few texts."""

import numpy as np
import pytest
from script_tools import load_benchmark

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def benchmark(torch):
    assert torch.get_num_threads() == 1
    return load_benchmark("sequence_accuracy")


@pytest.fixture
def data(benchmark):
    rng = np.random.default_rng(0)
    X = rng.integers(1, benchmark.N_TOKENS, (40, 12)).astype(np.uint16)
    for row, length in zip(X, rng.integers(1, 13, 40), strict=True):
        row[length:] = 0
    y = rng.integers(0, 3, 40)
    y[:3] = range(3)
    return X, y, X[:20], y[:20]


@pytest.mark.parametrize("name", ["text_cnn", "lstm", "transformer"])
def test_both_networks_start_from_the_same_function(benchmark, torch, data, name):
    X, y, *_ = data
    ours = benchmark.our_network(name, 3).initialize(X, y)
    theirs = benchmark.torch_network(name, 3, X, y)
    with torch.no_grad():
        scores = theirs(torch.from_numpy(X.astype(np.int64))).numpy()
    np.testing.assert_allclose(ours.decision_function(X), scores, rtol=0, atol=2e-6)


def test_texts_are_rows_with_padding(benchmark):
    X, y, X_test, y_test = benchmark.load(50)
    assert X.shape == (50, benchmark.LENGTH)
    assert X_test.shape[1] == benchmark.LENGTH
    assert len(X_test) == len(y_test) > 100
    assert set(y_test) == set(range(benchmark.N_CLASSES)) >= set(y)
    assert (X == 0).any()


def test_accuracies(benchmark, data, monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "load", lambda _n_texts: data)
    monkeypatch.setattr(benchmark, "BATCH", 16)  # fewer than there are texts
    benchmark.main(["--epochs", "1", "--seeds", "2", "--texts", "40"])
    out = capsys.readouterr().out
    assert "40 texts for training, 20 for testing" in out
    for name in benchmark.NETWORKS:
        (line,) = [own for own in out.splitlines() if own.startswith(name)]
        assert line.count("+-") == 2
