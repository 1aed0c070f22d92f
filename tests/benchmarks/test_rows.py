"""The benchmark `benchmarks/rows.py`, on small sets and few folds."""

import numpy as np
import pytest
from script_tools import load_benchmark


@pytest.fixture(scope="module")
def rows():
    return load_benchmark("rows")


def test_every_set_is_loaded_and_the_same_each_time(rows):
    for table in rows.TABLES.values():
        once, again = table.load(), table.load()
        assert len(once[0]) == len(once[1])
        for array, same in zip(once, again, strict=True):
            np.testing.assert_array_equal(array, same)


def test_tables_have_a_row_for_each_set(rows, capsys):
    argv = ["--sets", "iris", "linnerud", "--models", "linear", "tabular"]
    assert rows.main([*argv, "--folds", "2", "--repeats", "1"]) == 0
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    header = ["set", "linear", "tabular"]
    assert [row for row in cells if row[0] == "set"] == [header] * 3
    # Of scores, log losses and seconds; a regression has no log loss.
    found = [row[0] for row in cells if row[0] in ("iris", "linnerud")]
    assert found == ["iris", "linnerud", "iris", "iris", "linnerud"]
    scores = [float(cell.split(" ± ")[0]) for cell in cells[2][1:]]
    assert min(scores) > 0.8


def test_models_get_the_same_folds(rows, monkeypatch):
    seen = []

    def record(_model, train, test):
        seen.append((train[0].tobytes(), test[0].tobytes()))
        return rows.Fit(0.0, 0.0, 0.0)

    monkeypatch.setattr(rows, "fit_and_score", record)
    fits = rows.measure(rows.TABLES["iris"], ["linear", "tabular"], 3, 2)
    assert seen[::2] == seen[1::2]
    assert len(set(seen)) == len(fits["tabular"]) == 6


def test_outliers_are_in_a_share_of_the_rows():
    outliers = load_benchmark("rows_outliers")
    X = np.random.default_rng(0).normal(size=(1000, 3))
    spoiled = outliers.with_outliers(X, 0.1, 20.0, np.random.default_rng(0))
    changed = spoiled != X
    assert changed.sum() == changed.any(axis=1).sum()
    assert 70 < changed.sum() < 130
    assert (np.abs(spoiled[changed]) > 15).all()


def test_clipping_has_two_columns_for_each_place_of_outliers(capsys):
    outliers = load_benchmark("rows_outliers")
    assert outliers.main(["--sets", "linnerud", "--folds", "2"]) == 0
    *_, header, _, row = capsys.readouterr().out.splitlines()
    assert header.count("recipe") == header.count("no clipping") == 3
    assert row.startswith("| linnerud | ")
    assert all(np.isfinite(float(cell)) for cell in row.split("|")[2:-1])
