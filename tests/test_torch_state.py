"""Weights to PyTorch and back: whole networks compute the same."""

import numpy as np
import pytest
from interop_tools import BAGS, NETWORKS, SHAPED, TOKEN_NETWORKS, built, softmax

from skconvnet.interop import from_torch_state, to_torch_state

ALL = {**NETWORKS, **TOKEN_NETWORKS, **BAGS, **SHAPED}
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


@pytest.fixture
def nets(torch):
    """Return the builder of networks, which imports PyTorch."""
    assert torch.get_num_threads() == 1
    import torch_networks

    return torch_networks


def as_tensors(torch, state):
    return {name: torch.from_numpy(array) for name, array in state.items()}


def assert_close(found, expected, dtype="float64"):
    assert found.shape == expected.shape
    assert np.ptp(expected) > 1e-3  # otherwise this would tell little
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_networks_compute_the_same(torch, nets, name, dtype):
    in_shape, specs = ALL[name]
    est, X = built(specs, in_shape, dtype)
    network = nets.torch_network(est, specs)

    state = to_torch_state(est, like=network.state_dict())
    assert all(array.dtype in (dtype, "int64") for array in state.values())
    network.load_state_dict(as_tensors(torch, state))
    assert_close(softmax(nets.predict(network, X)), est.predict_proba(X), dtype)

    torch.manual_seed(2)
    other = nets.torch_network(est, specs)
    randomize(torch, other)
    assert from_torch_state(est, other.state_dict()) is est
    assert_close(est.predict_proba(X), softmax(nets.predict(other, X)), dtype)


def randomize(torch, network):
    """Draw all arrays at random, but for padding, which PyTorch keeps at zero."""
    with torch.no_grad():
        for name, array in network.state_dict().items():
            if name.endswith("running_var"):
                array.uniform_(0.5, 1.5)
            elif array.dtype.is_floating_point:
                array.normal_(0, max(array.shape[0], 4) ** -0.5)


@pytest.mark.parametrize("name", ALL)
def test_there_and_back(name):
    in_shape, specs = ALL[name]
    est, _ = built(specs, in_shape)
    other, _ = built(specs, in_shape, seed=5)
    from_torch_state(other, to_torch_state(est))
    for array, values in est.get_weights().items():
        if not array.endswith("table"):
            np.testing.assert_array_equal(other.get_weights()[array], values)
