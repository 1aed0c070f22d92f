"""The benchmark `benchmarks/recipes_sizes.py`, on little data."""

import pytest
from script_tools import load_benchmark

from skconvnet.augmentation import ProgressiveResizing


@pytest.fixture(scope="module")
def recipes():
    return load_benchmark("recipes_sizes")


def test_longer_trainings_have_as_many_pixels(recipes, mnist_file, capsys):
    argv = ["--data", str(mnist_file), "--train", "55", "--epochs", "2"]
    recipes.main([*argv, "--seeds", "0"])
    table = capsys.readouterr().out.partition("| --- |")[2]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[1:]]
    epochs = {}
    for name, n, *_ in rows:
        epochs.setdefault(name, []).append(int(n))
    assert epochs.pop("full") == [2, 3]
    assert list(epochs) == list(recipes.RESIZED)
    for name, (as_many, longer) in epochs.items():
        assert as_many == 2
        assert longer == round(2 / recipes.share_of_pixels(recipes.RESIZED[name]))


def test_the_share_of_pixels_is_a_mean_over_the_stages(recipes):
    share = recipes.share_of_pixels(ProgressiveResizing(0.5, stages=3))
    assert share == pytest.approx((0.25 + 0.5625 + 1) / 3)
