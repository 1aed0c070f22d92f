"""Weights to PyTorch and back: whole networks compute the same."""

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, REGRESSORS, data_for, make
from hypothesis import given, settings
from hypothesis import strategies as st
from interop_tools import (
    BAGS,
    IMAGE,
    NETWORKS,
    RECURRENT,
    ROWS,
    SHAPED,
    TOKEN_NETWORKS,
    as_tensors,
    assert_close,
    built,
    filled,
    randomize,
    softmax,
)

from skconvnet.interop import from_torch_state, to_torch_state
from skconvnet.layers import (
    BatchNorm,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    Parallel,
    Permute,
    PReLU,
    Reshape,
    Residual,
    RMSNorm,
    SeparableConv2D,
    SpatiallySeparableConv2D,
    SpatialPyramidPool,
    Standardize,
    StochasticDepth,
    WhiteningConv2D,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALL = {**NETWORKS, **TOKEN_NETWORKS, **BAGS, **SHAPED, **RECURRENT}


@pytest.fixture(scope="module")
def nets(torch):
    """Return the builder of networks, which imports PyTorch."""
    assert torch.get_num_threads() == 1
    import torch_networks

    return torch_networks


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


@pytest.mark.parametrize("name", ALL)
def test_there_and_back(name):
    in_shape, specs = ALL[name]
    est, _ = built(specs, in_shape)
    other, _ = built(specs, in_shape, seed=5)
    from_torch_state(other, to_torch_state(est))
    for array, values in est.get_weights().items():
        if not array.endswith("table"):
            np.testing.assert_array_equal(other.get_weights()[array], values)


MAPS = [
    Conv2D(4, 3, padding="same", activation="relu"),
    Conv2D(3, 2, 2, padding="same"),
    Conv2D(6, 3, padding=1, groups=3),
    DepthwiseConv2D(3, 2, padding="same"),
    SeparableConv2D(6, 3, padding="same"),
    SpatiallySeparableConv2D(3, 3, 1, padding="same"),
    Conv2DTranspose(3, 2, 2),
    BatchNorm(),
    LayerNorm(),
    LayerNorm(axis="all"),
    GroupNorm(1),
    InstanceNorm(),
    RMSNorm(),
    RMSNorm(axis="all"),
    PReLU(),
    Parallel([("a", Conv2D(2, 1)), ("b", [Conv2D(4, 3, padding="same"), PReLU()])]),
    Residual([Conv2D(3, 3, padding="same"), BatchNorm(), StochasticDepth(0.5)]),
    WhiteningConv2D(3, 2, activation="relu", padding="same"),
    Permute((2, 1, 3)),
    Permute((1, 3, 2)),
]
ENDS = [Flatten(), GlobalAvgPool(), SpatialPyramidPool((2, 1), "avg"), Reshape((-1,))]
FEATURES = [
    Dense(12, "tanh"),
    BatchNorm(),
    LayerNorm(),
    RMSNorm(),
    PReLU(),
    Parallel([("a", Dense(3)), ("b", []), ("c", [BatchNorm()])]),
    Residual([Dense(12), BatchNorm()]),
]


def takes(spec, shape):
    try:
        spec.build(shape)
    except ValueError:
        return False
    return True


@st.composite
def architectures(draw):
    shape, specs = IMAGE, []
    for spec in draw(st.lists(st.sampled_from(MAPS), max_size=4)):
        if takes(spec, shape):
            specs.append(spec)
            shape = spec.build(shape).out_shape
    specs.append(draw(st.sampled_from(ENDS)))
    return specs + draw(st.lists(st.sampled_from(FEATURES), max_size=4))


@settings(max_examples=40, deadline=None)
@given(architectures(), st.sampled_from(["float32", "float64"]))
def test_random_networks_compute_the_same(torch, nets, specs, dtype):
    est, X = built(specs, IMAGE, dtype)
    network = nets.torch_network(est, specs)
    state = to_torch_state(est, like=network.state_dict())
    network.load_state_dict(as_tensors(torch, state))
    scores = nets.predict(network, X)
    tolerance = 100 * np.finfo(dtype).eps * max(1, np.abs(scores).max())
    np.testing.assert_allclose(softmax(scores), est.predict_proba(X), atol=tolerance)
    other, _ = built(specs, IMAGE, dtype, seed=7)
    from_torch_state(other, network.state_dict())
    for name, values in est.get_weights().items():
        np.testing.assert_array_equal(other.get_weights()[name], values)


def test_rows_that_become_maps_are_channels_first_in_pytorch(torch, nets):
    nn = torch.nn
    map_of_rows = nn.Unflatten(1, (3, 2, 2))
    pairs = [
        (
            [Dropout(0.1), Reshape((2, 2, 3)), Conv2D(4, 2, activation="tanh")],
            [map_of_rows, nn.Conv2d(3, 4, 2), nn.Tanh(), nn.Flatten(), nn.Linear(4, 3)],
        ),
        (
            [BatchNorm(), Reshape((2, 2, 3)), GlobalMaxPool()],
            [
                nn.BatchNorm1d(12),
                map_of_rows,
                nn.AdaptiveMaxPool2d(1),
                nn.Flatten(),
                nn.Linear(3, 3),
            ],
        ),
    ]
    for specs, modules in pairs:
        est, X = built(specs, ROWS)
        network = nn.Sequential(*modules).double()
        state = to_torch_state(est, like=network.state_dict())
        network.load_state_dict(as_tensors(torch, state))
        maps = np.moveaxis(X.reshape(-1, 2, 2, 3), -1, 1).reshape(6, -1).copy()
        assert_close(softmax(nets.predict(network, maps)), est.predict_proba(X))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_all_estimators(torch, nets, cls):
    X, y = data_for(cls)
    est = make(cls)
    if cls.__name__.startswith("ConvNet"):
        est.set_params(rescale="auto", batch_norm=True, filters=(3, 4))
    y = np.column_stack([1000 * y + 5, -y]) if cls in REGRESSORS else y % 2
    filled(est.initialize(X, y))
    # The layers with which the estimator built its network, but the added ones.
    specs = [spec for name, spec in est.network_.specs if name != "output"]
    specs = [spec for spec in specs if not isinstance(spec, Standardize)]
    if isinstance(specs[-1], Flatten):
        specs.pop()
    network = nets.torch_network(est, specs)
    state = to_torch_state(est, like=network.state_dict())
    network.load_state_dict(as_tensors(torch, state))
    seen = X
    if cls.__name__.startswith("ConvNet"):
        seen = est.activations(X, "rescale")
    elif X.ndim == 3:
        seen = X[..., None]

    def outputs():
        return est.predict(X) if cls in REGRESSORS else est.decision_function(X)

    def theirs():
        found = nets.predict(network, seen)
        return found[:, 0] if cls in CLASSIFIERS else found

    assert_close(theirs(), outputs())
    randomize(torch, network)
    from_torch_state(est, network.state_dict())
    assert_close(outputs(), theirs())
