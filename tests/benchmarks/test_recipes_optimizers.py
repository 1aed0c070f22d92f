"""The benchmark `benchmarks/recipes_optimizers.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_benchmark

from skconvnet.optimizers import SGD, Lookahead


@pytest.fixture
def recipes():
    return load_benchmark("recipes_optimizers")


def test_each_optimizer_is_there_with_and_without_lookahead(recipes):
    for name in ("Adam", "AdamW", "SGD, Nesterov", "Muon"):
        plain, wrapped = recipes.RECIPES[name], recipes.RECIPES[f"{name}, Lookahead"]
        assert isinstance(wrapped.optimizer, Lookahead)
        assert wrapped.optimizer.optimizer is plain.optimizer
        assert wrapped[1:] == plain[1:]


def test_rates_are_chosen_on_training_images(recipes, mnist_file):
    data = recipes.load(mnist_file, 40)
    assert len(data.X) == len(data.y) == 40
    inner = recipes.held_out(data)
    assert len(inner.X) == 30
    joined = np.concatenate([inner.X, inner.X_judged]).reshape(40, -1)
    np.testing.assert_array_equal(
        np.sort(joined, axis=0), np.sort(data.X.reshape(40, -1), axis=0)
    )


def test_a_rate_that_diverges_is_not_chosen(recipes, mnist_file):
    data = recipes.held_out(recipes.load(mnist_file, 40))
    recipe = recipes.Recipe(SGD(), 0.0, (1e30, 0.001))
    assert recipes.train(recipe, 1e30, data, 1, 0)[0] == 0.0
    assert recipes.choose_rate(recipe, data, 1) == 0.001


def test_table(recipes, mnist_file, monkeypatch, capsys):
    monkeypatch.setattr(recipes, "FILTERS", (2,))
    argv = ["--data", str(mnist_file), "--train", "40", "--epochs", "5"]
    recipes.main([*argv, "--seeds", "2", "--optimizers", "Adam", "Muon, Lookahead"])
    out = capsys.readouterr().out
    assert "40 images of (28, 28), 5 epochs" in out
    rows = [line for line in out.splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[0] for row in rows] == ["| Adam", "| Muon, Lookahead"]
    assert all(row.count("|") == 5 and " +- " in row for row in rows)
