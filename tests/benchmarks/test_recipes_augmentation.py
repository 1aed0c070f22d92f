"""The benchmark `benchmarks/recipes_augmentation.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_benchmark


@pytest.fixture(scope="module")
def recipes():
    return load_benchmark("recipes_augmentation")


def rows_of(out, head):
    table = out.partition(f"| {head} |")[2].partition("\n\n")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


def test_recipes_are_chosen_on_images_that_are_held_out(recipes, mnist_file, capsys):
    argv = ["--data", str(mnist_file), "--train", "55", "--epochs", "1"]
    recipes.main([*argv, "--seeds", "3", "4"])
    out = capsys.readouterr().out
    assert "training (55, 28, 28), held out (" in out
    flips = rows_of(out, "flip | held out | CPU seconds of a fit")
    assert [row[0] for row in flips] == list(recipes.FLIPS)
    means = [float(row[1].split(" +- ")[0]) for row in flips]
    best = flips[int(np.argmax(means))][0]
    fills = rows_of(out, f"{best}, and | held out | CPU seconds of a fit")
    assert [row[0] for row in fills] == ["shift, constant", "shift, reflect"]
    test = rows_of(out, "chosen on held-out images | test")
    assert test[0][0] == "no flip"
    assert all(row[0].startswith(best) for row in test[1:])


def test_one_seed_has_no_standard_error(recipes):
    assert recipes.in_percent([0.5]) == "50.00"
    assert recipes.in_percent([0.5, 0.52]) == "51.00 +- 1.00"


def test_predictions_are_set_on_fitted_networks(recipes):
    X = np.random.default_rng(0).integers(0, 255, (20, 8, 8, 1)).astype(np.uint8)
    model = recipes.make_model([], 1, 0, 1).initialize(X, np.arange(20) % 2)
    alone = model.predict_proba(X)
    (changed,) = recipes.with_versions([model], "mirror")
    assert changed.predict_augmentation == "mirror"
    assert not np.array_equal(changed.predict_proba(X), alone)
