"""The benchmark `benchmarks/photographs.py`, on few images of noise."""

import re

import numpy as np
import pytest
from script_tools import load_benchmark

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.integers(0, 256, (100, 32, 32, 3), dtype=np.uint8)
y = np.arange(100) % 10


@pytest.fixture
def benchmark(torch):
    assert torch.get_num_threads() == 1
    return load_benchmark("photographs")


def test_both_networks_start_from_the_same_function(benchmark, torch):
    ours = benchmark.our_network(3, 1).initialize(X, y)
    theirs = benchmark.TorchNetwork(3, X, y).eval()
    with torch.no_grad():
        scores = theirs(torch.from_numpy(X).permute(0, 3, 1, 2).float()).numpy()
    np.testing.assert_allclose(ours.decision_function(X), scores, rtol=0, atol=1e-4)


def test_images_are_moved_in_the_same_way(benchmark, torch):
    """Every image of theirs is one that a flip and a shift can give."""
    n, pixels = 200, benchmark.PIXELS
    image = X[0].astype(np.float32)
    padded = np.pad(image, ((pixels, pixels), (pixels, pixels), (0, 0)), "reflect")
    possible = set()
    for top in range(2 * pixels + 1):
        for left in range(2 * pixels + 1):
            moved = padded[top : top + 32, left : left + 32]
            # The shift follows the flip, whose shifts are the same.
            possible |= {moved.tobytes(), moved[:, ::-1].tobytes()}
    images = torch.from_numpy(np.tile(image, (n, 1, 1, 1))).permute(0, 3, 1, 2)
    generator = torch.Generator().manual_seed(0)
    found = benchmark.augmented(images, generator).permute(0, 2, 3, 1).numpy()
    seen = {own.tobytes() for own in found}
    assert seen <= possible
    assert len(seen) > len(possible) / 2


def test_accuracies_of_both(benchmark, tmp_path, capsys):
    path = tmp_path / "photographs.npz"
    np.savez(path, X_train=X, y_train=y, X_test=X[:20], y_test=y[:20])
    benchmark.main(["--data", str(path), "--epochs", "1", "--seeds", "2"])
    out = capsys.readouterr().out
    assert "100 images for training, 20 for testing" in out
    for name in ("skconvnet", "PyTorch"):
        assert re.search(rf"^{name} +[\d.]+ \+- [\d.]+ \([\d.]+, [\d.]+\)", out, re.M)
