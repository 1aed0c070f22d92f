"""The networks of the benchmarks, on little data."""

import pytest
from script_tools import load_benchmark


@pytest.mark.parametrize("name", list(load_benchmark("networks").NETWORKS))
@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_networks_are_pytorchs_too(name):
    torch_networks = load_benchmark("_torch_networks")
    assert max(torch_networks.disagreement(name, "float64")) < 1e-10
    # The loss has no jumps, as its gradients have: a single value of 2e-7 that rounding
    # takes to the other side of a ReLU changes those of a kernel by 0.4 %.
    assert torch_networks.disagreement(name, "float32")[0] < 1e-5
