"""The benchmark `benchmarks/optimizers.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_benchmark

import skconvnet.optimizers


def table_rows(out):
    """Return the rows of the table, without its head."""
    return [line for line in out.splitlines() if line.startswith("| ")][2:]


@pytest.fixture
def optimizers_benchmark(monkeypatch):
    module = load_benchmark("optimizers")
    # The images of the tests are fewer than a batch.
    monkeypatch.setattr(module, "BATCH", 16)
    return module


def test_optimizers_benchmark_has_all_of_them(optimizers_benchmark):
    kinds = {type(o) for o, *_ in optimizers_benchmark.OPTIMIZERS.values()}
    assert kinds == set(skconvnet.optimizers.OPTIMIZERS.values())


@pytest.mark.parametrize(
    "has_torch", [False, pytest.param(True, marks=pytest.mark.torch)]
)
def test_optimizers_benchmark(
    optimizers_benchmark, has_torch, mnist_file, monkeypatch, capsys
):
    if not has_torch:
        monkeypatch.setattr(optimizers_benchmark, "torch", None)
    names = ["SGD, Nesterov", "Nadam", "schedule-free AdamW"]
    argv = ["--data", str(mnist_file), "--seeds", "2"]
    argv += ["--epochs", "2", "--optimizers", *names]
    optimizers_benchmark.main(argv)
    rows = table_rows(capsys.readouterr().out)
    assert [row.split(" | ")[0] for row in rows] == [f"| {name}" for name in names]
    blocks = [1 + has_torch, 1 + has_torch, 1]
    assert [row.count("not in 2, not in 2") for row in rows] == blocks
    assert {row.count("|") for row in rows} == {10}
    # What has arrived is not trained on.
    monkeypatch.setattr(optimizers_benchmark, "TARGET", 0.0)
    optimizers_benchmark.main(argv)
    rows = table_rows(capsys.readouterr().out)
    assert [row.count("| 1, 1 |") for row in rows] == blocks


def test_optimizers_benchmark_compares_the_same_network(
    torch, optimizers_benchmark, mnist_file
):
    with np.load(mnist_file) as file:
        X, y = file["X_train"], file["y_train"]
    adam = skconvnet.optimizers.Adam()
    model = optimizers_benchmark.our_model(adam, 0.001, 0).initialize(X, y)
    images = torch.from_numpy(X).unsqueeze(1).float() / 255
    with torch.no_grad():
        theirs = optimizers_benchmark.torch_model(model)(images).softmax(1)
    np.testing.assert_allclose(model.predict_proba(X), theirs, atol=1e-6)


def test_optimizers_benchmark_tunes_on_training_data(
    optimizers_benchmark, mnist_file, monkeypatch, capsys
):
    monkeypatch.setattr(optimizers_benchmark, "N_TUNED", 40)
    monkeypatch.setattr(optimizers_benchmark, "N_HELD_OUT", 20)
    monkeypatch.setattr(optimizers_benchmark, "TUNING_EPOCHS", 1)
    chosen = {"SGD": optimizers_benchmark.OPTIMIZERS["SGD"]}
    monkeypatch.setattr(optimizers_benchmark, "OPTIMIZERS", chosen)
    data = optimizers_benchmark.load(mnist_file)
    X, y, X_judged, y_judged = optimizers_benchmark.held_out(data)
    joined = np.concatenate([X, X_judged]).reshape(60, -1)
    np.testing.assert_array_equal(
        np.sort(joined, axis=0), np.sort(data[0].reshape(60, -1), axis=0)
    )
    assert len(X) == len(y) == 40
    assert len(X_judged) == len(y_judged) == 20
    argv = ["--data", str(mnist_file), "--tune"]
    optimizers_benchmark.main(argv)
    row = capsys.readouterr().out.splitlines()[-1].split(" | ")
    accuracies = [float(cell) for cell in row[1:-1]]
    best = optimizers_benchmark.RATES[int(np.argmax(accuracies))]
    assert row[0] == "| SGD"
    assert row[-1] == f"{best:g} |"
