"""The benchmark `benchmarks/networks.py`, on little data."""

import pytest
from script_tools import load_benchmark


@pytest.mark.parametrize(
    "name",
    ["digits", "mnist", "cifar", "separable", "dilated", "transposed", "batch_norm"],
)
@pytest.mark.torch
def test_networks_are_pytorchs_too(name):
    networks = load_benchmark("networks")
    assert max(networks.disagreement(name, "float64")) < 1e-10
    # The loss has no jumps, as its gradients have: a single value of 2e-7 that rounding
    # takes to the other side of a ReLU changes those of a kernel by 0.4 %.
    assert networks.disagreement(name, "float32")[0] < 1e-5
