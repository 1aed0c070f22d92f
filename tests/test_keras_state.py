"""Weights to Keras and back: whole networks compute the same."""

import numpy as np
import pytest
from interop_tools import NETWORKS, SHAPED, TOKEN_NETWORKS, built, softmax

from skconvnet.interop import from_keras_state, to_keras_state

# Keras rounds matrix products to float32, even those of models in float64.
TOLERANCE = 1e-5
# Layers that Keras does not have.
OTHERS = {"transposed groups", "pyramid", "mean pyramid", "maxout"}
ALL = {
    name: network
    for name, network in {**NETWORKS, **TOKEN_NETWORKS, **SHAPED}.items()
    if name not in OTHERS
}


@pytest.fixture
def nets(torch):
    """Return the builder of models, which imports Keras."""
    assert torch.get_num_threads() == 1
    import keras_networks

    return keras_networks


def assert_close(found, expected):
    assert found.shape == expected.shape
    assert np.ptp(expected) > 1e-3  # otherwise this would tell little
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)


def names_of(est):
    """Return the names of our layers with weights."""
    return list(dict.fromkeys(name.rpartition("/")[0] for name in est.get_weights()))


def order_of(builder, est):
    """Return our layers in the order of the model's."""
    own, previous = iter(names_of(est)), None
    name_of = {}
    for layer in builder.layers:
        # The second of two convolutions that are one layer of ours.
        if previous is None or previous.use_bias:
            name = next(own)
        previous = layer if hasattr(layer, "use_bias") else None
        name_of[layer.name] = name
    layers = [layer for layer in builder.model.layers if layer.weights]
    return list(dict.fromkeys(name_of[layer.name] for layer in layers))


def randomized(model, seed=3):
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            rng.uniform(0.5, 1.5, array.shape)
            if variable.name == "moving_variance"
            else rng.normal(size=array.shape) / np.sqrt(max(array.shape[-1], 4))
            for variable, array in zip(model.weights, model.get_weights(), strict=True)
        ]
    )
    return model


# Of Keras itself, in get_weights and set_weights.
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning:keras")
@pytest.mark.keras
@pytest.mark.parametrize("name", ALL)
def test_models_compute_the_same(nets, name):
    in_shape, specs = ALL[name]
    est, X = built(specs, in_shape)
    builder = nets.Builder(specs, est)
    model, order = builder.model, order_of(builder, est)
    shaped = X.reshape(len(X), *est.network_.in_shape)

    model.set_weights(to_keras_state(est, order=order))
    scores = nets.predict(model, shaped)
    assert_close(softmax(scores), est.predict_proba(X))

    for read in (lambda model: model.get_weights(), lambda model: model.weights):
        randomized(model)
        assert from_keras_state(est, read(model), order=order) is est
        scores = nets.predict(model, shaped)
        assert_close(est.predict_proba(X), softmax(scores))
        est, _ = built(specs, in_shape, seed=8)


@pytest.mark.parametrize("name", [*ALL, "pyramid", "maxout"])
def test_there_and_back(name):
    in_shape, specs = {**ALL, **SHAPED}[name]
    est, _ = built(specs, in_shape)
    other, _ = built(specs, in_shape, seed=5)
    from_keras_state(other, to_keras_state(est))
    for array, values in est.get_weights().items():
        np.testing.assert_array_equal(other.get_weights()[array], values)
