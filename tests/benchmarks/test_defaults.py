"""The benchmark `benchmarks/defaults.py`, on a few tasks for a few epochs."""

import json

import numpy as np
import pytest
from script_tools import load_benchmark

FEW_EPOCHS = '{"max_iter": 2}'


@pytest.fixture(scope="module")
def defaults():
    return load_benchmark("defaults")


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name, shape in (("mnist", (28, 28)), ("cifar10-small", (32, 32, 3))):
        np.savez(
            tmp_path / f"{name}.npz",
            X_train=rng.integers(0, 256, (1250, *shape), dtype=np.uint8),
            y_train=np.arange(1250) % 10,
            X_test=rng.integers(0, 256, (20, *shape), dtype=np.uint8),
            y_test=np.arange(20) % 10,
        )
    return tmp_path


def rows_of_table(out):
    lines = [line for line in out.splitlines() if line.startswith("| ")]
    header, _, *rows = (
        [cell.strip() for cell in line.split("|")[1:-1]] for line in lines
    )
    return [dict(zip(header, row, strict=False)) for row in rows]


def test_there_are_twenty_tasks_of_every_kind(defaults):
    tasks = defaults.TASKS.values()
    assert len(tasks) == 20
    assert {task.kind for task in tasks} == {"image", "rows", "series"}
    assert {task.regression for task in tasks} == {True, False}


def test_tasks_are_the_same_for_the_same_seed(defaults, folder):
    for name, task in defaults.TASKS.items():
        assert task.is_available(folder)
        once, again, other = (task.splits(seed, folder) for seed in (0, 0, 1))
        for arrays, same in zip(once, again, strict=True):
            for array, same_array in zip(arrays, same, strict=True):
                np.testing.assert_array_equal(array, same_array)
        # The digits of scikit-learn are in one order.
        is_other = not np.array_equal(once[0][0], other[0][0])
        assert is_other == (name != "digits")


def test_training_and_test_are_alike_and_apart(defaults, folder):
    for task in defaults.TASKS.values():
        for X, y, X_test, y_test in task.splits(0, folder):
            assert (len(X), len(X_test)) == (len(y), len(y_test))
            assert X.shape[1:] == X_test.shape[1:]
            assert X.dtype == X_test.dtype
            assert np.isfinite(X).all()
            assert task.regression or set(y_test) <= set(y)
            seen = {sample.tobytes() for sample in X}
            assert not any(sample.tobytes() in seen for sample in X_test)


def test_the_table_has_a_row_for_each_unit(defaults, tmp_path, capsys):
    argv = ["--tasks", "digits-200", "--seeds", "3", "4", "--unit", "1", "16"]
    argv += ["--params", FEW_EPOCHS, "--data", str(tmp_path)]
    assert defaults.main(argv) == 0
    out = capsys.readouterr().out
    first, second = rows_of_table(out)
    assert (first["unit"], second["unit"]) == ("1", "16")
    for row in (first, second):
        assert (row["task"], row["n"], row["classes"]) == ("digits-200", "200", "10")
        assert row["epochs"] == "2"
        assert row["warnings"] == ""
    assert "mean score of 1 tasks in unit 16: " in out


def test_tasks_without_their_file_are_left_out(defaults, tmp_path, capsys):
    assert defaults.main(["--tasks", "mnist-200", "--data", str(tmp_path)]) == 0
    assert "left out: no mnist.npz in" in capsys.readouterr().out
    assert defaults.run({}, ["cifar-200"], folder=tmp_path) == []


def test_peers_are_run_once(defaults, tmp_path, monkeypatch, capsys):
    file = tmp_path / "results.json"
    argv = ["--tasks", "digits-200", "--seeds", "0", "--peers", "--json", str(file)]
    argv += ["--params", FEW_EPOCHS]
    defaults.main(argv)
    written = json.loads(file.read_text())
    models = [result["model"] for result in written["results"]]
    assert sorted(models) == sorted([*defaults.PEERS, "ConvNet"])
    assert written["params"] == {"n_jobs": "None", "max_iter": "2"}
    (row,) = rows_of_table(capsys.readouterr().out)
    assert all(float(row[peer]) > 0.8 for peer in defaults.PEERS)
    monkeypatch.setattr(defaults, "make_peer", None)
    defaults.main(argv)
    out = capsys.readouterr().out
    (again,) = rows_of_table(out)
    assert [again[peer] for peer in defaults.PEERS] == [
        row[peer] for peer in defaults.PEERS
    ]
    assert "behind a peer by more than 0.02: digits-200 (" in out


def test_peers_on_other_samples_are_kept_apart(defaults, tmp_path):
    file = tmp_path / "results.json"
    argv = ["--tasks", "digits-200", "--seeds", "0", "--peers", "--json", str(file)]
    argv += ["--params", FEW_EPOCHS]
    for seed in ("0", "1"):
        defaults.main([*argv, "--data-seed", seed])
    results = json.loads(file.read_text())["results"]
    kept = [(result["data_seed"], result["model"]) for result in results]
    assert kept == [
        *((0, model) for model in defaults.PEERS),
        *((1, model) for model in (*defaults.PEERS, "ConvNet")),
    ]
    scores = [result["score"] for result in results]
    assert scores[:3] != scores[3:6]


def test_an_error_is_a_result(defaults):
    (result,) = defaults.run({"solver": "unknown"}, ["digits-200"], [0])
    assert np.isnan(result.score)
    (name,) = result.warnings
    assert name == "InvalidParameterError"


def test_folds_are_averaged(defaults):
    (result,) = defaults.run({"max_iter": 1}, ["breast-cancer"], [0])
    assert result.n_train == 455
    assert result.n_iter == 1
    assert 0 <= result.score <= 1


def test_regression_is_scored(defaults):
    params = {"max_iter": 1, "filters": 2}
    (result,) = defaults.run(params, ["periods"], [0])
    assert result.n_classes is None
    assert result.score < 0.5


@pytest.mark.parametrize(
    ("unit", "dtype"), [(1, np.uint8), (16, np.int64), (0.5, np.float64)]
)
def test_units_keep_ints_where_they_can(defaults, unit, dtype):
    X = defaults.in_unit(np.array([[200]], dtype=np.uint8), unit)
    assert X.dtype == dtype
    assert X[0, 0] == 200 * unit
