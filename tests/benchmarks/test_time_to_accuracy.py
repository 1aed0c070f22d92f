"""The benchmark `benchmarks/time_to_accuracy.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_benchmark


@pytest.fixture
def race(torch, mnist_file, monkeypatch):
    """Return a function that runs the race to an accuracy."""
    assert torch.get_num_threads() == 1
    module = load_benchmark("time_to_accuracy")
    monkeypatch.setattr(module, "BATCH", 16)
    digits = module.load(mnist_file)
    monkeypatch.setattr(module, "N_HELD_OUT", len(digits[0]) // 4)
    return lambda accuracy, epochs: module.race(0, accuracy, epochs, digits)


def test_both_make_the_same_updates(race):
    results = race(0.0, 1)
    (seconds, *ours), (other_seconds, *theirs) = (
        results[name] for name in ("skconvnet", "PyTorch")
    )
    assert min(seconds, other_seconds) > 0
    assert ours[0] == theirs[0] == 1
    assert ours[1] == pytest.approx(theirs[1], abs=0.1)


def test_an_accuracy_may_not_be_reached(race):
    for seconds, epochs, test in race(1.1, 2).values():
        assert seconds == np.inf
        assert epochs == 2
        assert np.isnan(test)
