"""The benchmark `benchmarks/recipes_initial_weights.py`, on few images of noise."""

import numpy as np
import pytest
from script_tools import load_benchmark

from skconvnet import SequentialClassifier


@pytest.fixture(scope="module")
def recipes():
    return load_benchmark("recipes_initial_weights")


@pytest.fixture
def data_file(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "images.npz"
    np.savez(
        path,
        X_train=rng.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8),
        y_train=np.arange(40) % 2,
        X_test=rng.integers(0, 256, (10, 16, 16, 3), dtype=np.uint8),
        y_test=np.arange(10) % 2,
    )
    return path


def test_every_recipe_has_a_row(recipes, data_file, monkeypatch, capsys):
    monkeypatch.setattr(recipes, "BATCH", 16)
    argv = ["--data", str(data_file), "--epochs", "1", "--seeds", "1"]
    recipes.main([*argv, "--rates", "0.003"])
    out = capsys.readouterr().out
    assert "[32, 8, 10] samples for training, validation and test" in out
    for network, (_, own) in recipes.NETWORKS.items():
        for recipe in ("as it is", *own):
            assert out.count(f"\n| {network} | {recipe} | 0.003 | ") == 1


def test_recipes_have_what_they_are_named_after(recipes, data_file):
    data = recipes.load(data_file)

    def weights(network, recipe):
        make, own = recipes.NETWORKS[network]
        model = SequentialClassifier(make(**own[recipe]), random_state=0)
        return model.initialize(data.X, data.y).get_weights()

    for network in recipes.NETWORKS:
        for recipe in ("whitening", "all"):
            kernel = weights(network, recipe)["whiteningconv2d/kernel"]
            assert kernel.shape == (24, 3, 2, 2)
    dirac = weights("plain", "Dirac")["conv2d_3/kernel"]
    np.testing.assert_array_equal(dirac[..., 1, 1], np.eye(16))
    gammas = [
        array
        for name, array in weights("residual", "zero gamma").items()
        if name.startswith("residual") and name.endswith("batchnorm_2/gamma")
    ]
    assert len(gammas) == 4
    assert not np.concatenate(gammas).any()
    layers = recipes.residual(depth=True)
    rates = [layer.layers[-1].rate for layer in layers if hasattr(layer, "shortcut")]
    assert rates == [0.05, 0.1, pytest.approx(0.15), 0.2]
