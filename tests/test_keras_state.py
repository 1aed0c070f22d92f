"""Weights to Keras and back: whole networks compute the same."""

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, REGRESSORS, data_for, make
from interop_tools import (
    IMAGE,
    N_TOKENS,
    NETWORKS,
    RECURRENT,
    SHAPED,
    TOKEN_NETWORKS,
    TOKENS,
    assert_close,
    built,
    filled,
    softmax,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skconvnet.interop import from_keras_state, to_keras_state
from skconvnet.interop.counterparts import layer_names
from skconvnet.layers import (
    BatchNorm,
    Conv2D,
    Conv2DTranspose,
    Embedding,
    Flatten,
    GlobalMaxPool,
    LayerNorm,
    LocallyConnected2D,
    Parallel,
    Standardize,
)

# Layers that Keras does not have.
OTHERS = {"transposed groups", "pyramid", "mean pyramid", "maxout"}
ALL = {
    name: network
    for name, network in {**NETWORKS, **TOKEN_NETWORKS, **SHAPED, **RECURRENT}.items()
    if name not in OTHERS
}

# Of Keras itself, in get_weights and set_weights.
keras_test = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning:keras")


@pytest.fixture(scope="module")
def nets(torch):
    """Return the builder of models, which imports Keras."""
    assert torch.get_num_threads() == 1
    import keras_networks

    return keras_networks


def names_of(est):
    """Return the names of our layers with weights."""
    return layer_names(est.network_)


def order_of(builder, est):
    """Return our layers in the order of the model's."""
    own, previous = iter(names_of(est)), None
    name_of = {}
    for layer in builder.layers:
        # The second of two convolutions that are one layer of ours.
        if previous is None or previous.use_bias:
            name = next(own)
        previous = layer if hasattr(layer, "kernel_size") else None
        name_of[layer.name] = name
    layers = [layer for layer in builder.all_layers() if layer.weights]
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


@keras_test
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
    # Keras rounds matrix products to float32, even those of models in float64.
    assert_close(softmax(scores), est.predict_proba(X), "float32")

    for read in (lambda model: model.get_weights(), lambda model: model.weights):
        randomized(model)
        assert from_keras_state(est, read(model), order=order) is est
        scores = nets.predict(model, shaped)
        assert_close(est.predict_proba(X), softmax(scores), "float32")
        est, _ = built(specs, in_shape, seed=8)


@pytest.mark.parametrize("name", [*ALL, "pyramid", "maxout"])
def test_there_and_back(name):
    in_shape, specs = {**ALL, **SHAPED}[name]
    est, _ = built(specs, in_shape)
    other, _ = built(specs, in_shape, seed=5)
    from_keras_state(other, to_keras_state(est))
    for array, values in est.get_weights().items():
        np.testing.assert_array_equal(other.get_weights()[array], values)


@keras_test
@pytest.mark.keras
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_all_estimators(nets, cls):
    X, y = data_for(cls)
    est = make(cls)
    if cls.__name__.startswith("ConvNet"):
        est.set_params(rescale="auto", batch_norm=True, filters=(3, 4))
    y = np.column_stack([10 * y + 5, -y]) if cls in REGRESSORS else y % 2
    filled(est.initialize(X, y))
    specs = [spec for name, spec in est.network_.specs if name != "output"]
    specs = [spec for spec in specs if not isinstance(spec, Standardize)]
    if isinstance(specs[-1], Flatten):
        specs.pop()
    model = nets.Builder(specs, est).model
    seen = X.reshape(len(X), *est.network_.in_shape)
    if cls.__name__.startswith("ConvNet"):
        seen = est.activations(X, "rescale")

    def outputs():
        return est.predict(X) if cls in REGRESSORS else est.decision_function(X)

    def theirs():
        found = nets.predict(model, seen)
        return found[:, 0] if cls in CLASSIFIERS else found

    model.set_weights(to_keras_state(est))
    assert_close(theirs(), outputs(), "float32")
    from_keras_state(est, randomized(model).weights)
    assert_close(outputs(), theirs(), "float32")


@keras_test
@pytest.mark.keras
def test_layers_without_bias_or_weights(nets):
    specs = [Conv2D(4, 3), BatchNorm(), LayerNorm(1e-3)]
    keras, kl = nets.keras, nets.kl
    model = keras.Sequential(
        [
            keras.Input(IMAGE),
            kl.Conv2D(4, 3, use_bias=False),
            kl.BatchNormalization(epsilon=1e-5, scale=False),
            kl.LayerNormalization(center=False),
            kl.Flatten(),
            kl.Dense(2, use_bias=False),
        ]
    )
    est, X = built(specs, IMAGE, n_classes=2)
    from_keras_state(est, randomized(model).weights)
    assert_close(est.predict_proba(X), softmax(nets.predict(model, X)), "float32")
    assert not est.get_weights()["conv2d/bias"].any()
    refused(est, model.get_weights(), "has 6 arrays", "needs 10", "model.weights")


@keras_test
@pytest.mark.keras
def test_variables_of_other_layers(nets):
    est, _ = built([BatchNorm(), Conv2D(4, 3)], IMAGE)
    keras, kl = nets.keras, nets.kl
    layers = [kl.Conv2D(4, 3), kl.BatchNormalization(), kl.Flatten(), kl.Dense(3)]
    model = keras.Sequential([keras.Input(IMAGE), *layers])
    told = "conv2d", "'batchnorm' needs a BatchNormalization with gamma", "order="
    refused(est, model.weights, *told)
    told = "are of 2 layers", "needs 3", "output (Dense)"
    refused(est, [*layers[0].weights, *layers[3].weights], *told)
    refused(est, model, "Pass model.weights", error=TypeError)


def test_some_layers_in_another_order():
    specs = [
        ("mix", Parallel([("a", Conv2D(3, 1)), ("b", Conv2D(2, 1))])),
        ("norm", BatchNorm()),
    ]
    est, _ = built(specs, IMAGE)
    other, _ = built(specs, IMAGE, seed=4)
    before = other.get_weights()
    order = ["mix/b/conv2d", "output"]
    weights = to_keras_state(est, order=order)
    assert [array.shape for array in weights] == [(1, 1, 3, 2), (2,), (240, 3), (3,)]
    from_keras_state(other, weights, order=order)
    for name, values in other.get_weights().items():
        same = est.get_weights() if name.startswith(tuple(order)) else before
        np.testing.assert_array_equal(values, same[name])


def refused(est, weights, *words, error=ValueError, **options):
    before, attributes = est.network_.state.copy(), dict(vars(est))
    with pytest.raises(error) as caught:
        from_keras_state(est, weights, **options)
    for word in words:
        assert word in str(caught.value), f"{word!r} not in {caught.value}"
    np.testing.assert_array_equal(est.network_.state, before)
    assert vars(est) == attributes


def test_wrong_arguments():
    est, _ = built([("conv", Conv2D(4, 3))], IMAGE)
    weights = to_keras_state(est)
    told = "weights[0] must be 'kernel' of layer 'conv' (Conv2D) with shape (3, 3, 3, 4"
    refused(est, [w.T for w in weights], told, "weights[2]", "order=[layer, ...]")
    refused(est, weights[:3], "has 3 arrays", "needs 4", "conv/kernel")
    refused(est, weights, "order has 'cnov'", "'conv'?", order=["cnov", "output"])
    refused(est, weights, "each layer once", order=["conv", "conv"])
    refused(est, weights, "must be a list", order="conv", error=TypeError)
    refused(est, {"a": 1}, "weights must be a list", "dict", error=TypeError)
    refused(est, [*weights[:3], [np.nan] * 3], "output/bias", "NaN")
    refused(est, [*weights[:3], ["a"] * 3], "real numbers", error=TypeError)
    with pytest.raises(NotFittedError, match=r"initialize\(X, y\)"):
        from_keras_state(clone(est), weights)


def test_the_vector_of_padding():
    est, _ = built([Embedding(N_TOKENS, 4, padding_token=0), GlobalMaxPool()], TOKENS)
    weights = to_keras_state(est)
    assert not weights[0][0].any()
    from_keras_state(est, weights)
    weights[0][0, 1] = 1
    refused(est, weights, "padding_token=0", "Set it to zero")


def test_networks_that_keras_does_not_have():
    est, _ = built([LocallyConnected2D(2, 3)], IMAGE)
    with pytest.raises(ValueError, match=r"'locallyconnected2d'.*no counterpart"):
        to_keras_state(est)
    est, _ = built([("up", Conv2DTranspose(6, 2, groups=3))], IMAGE)
    with pytest.raises(ValueError, match=r"'up' cannot be converted.*no groups"):
        from_keras_state(est, [])
