"""The benchmark `benchmarks/recipes_layer_factors.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_benchmark


@pytest.fixture(scope="module")
def recipes():
    return load_benchmark("recipes_layer_factors")


def test_each_change_has_a_row(recipes, mnist_file, capsys):
    argv = ["--data", str(mnist_file), "--train", "55", "--epochs", "1"]
    recipes.main([*argv, "--seeds", "0"])
    table = capsys.readouterr().out.partition("| --- |")[2]
    names = [line.strip("| ").split(" | ")[0] for line in table.splitlines()[1:]]
    assert names == list(recipes.CASES)


def test_factors_are_those_of_all_but_kernels(recipes):
    make_model = load_benchmark("recipes_augmentation").make_model
    X, y = np.random.default_rng(0).random((10, 8, 8, 1)), np.arange(10) % 2
    names = set(make_model([], 1, 0, None).initialize(X, y).get_weights())
    for case, params in recipes.CASES.items():
        for factors in params.get("layer_alphas"), params.get("layer_learning_rates"):
            assert {name.split("/")[0] for name in factors or {}} <= {
                name.split("/")[0] for name in names
            }, case
    decayed = {n for n in names if n.endswith(("kernel", "bias", "gamma", "beta"))}
    spared = recipes.KERNELS_ALONE["layer_alphas"]
    kept = {n for n in decayed if n not in spared and n.split("/")[0] not in spared}
    assert kept == {name for name in names if name.endswith("/kernel")}
