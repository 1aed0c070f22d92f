"""From specs to a network: each layer is built once, in the shape below it."""

from collections import Counter

import numpy as np
import pytest
from estimator_cases import ESTIMATORS, data_for, make

from skconvnet import ConvNetClassifier, SequentialRegressor
from skconvnet.estimators._network_builder import LayerStack, build_network
from skconvnet.layers import Conv2D, Dense, Flatten, MaxPool2D
from skconvnet.layers.base import Layer
from skconvnet.layers.composite import CompositeLayer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def built(monkeypatch):
    """Count the runtime layers that are made, by shape."""
    counts = Counter()
    initialize = Layer.__init__

    def count(self, in_shape, *args, **kwargs):
        counts[type(self).__name__, tuple(in_shape)] += 1
        initialize(self, in_shape, *args, **kwargs)

    monkeypatch.setattr(Layer, "__init__", count)
    return counts


def layers_of(chain):
    """Yield kind and shape of all layers, and of those that fuse two of them."""
    single = list(chain.layers.values())
    fused = [step.layer for step in chain.steps if step.layer not in single]
    for layer in [*single, *fused]:
        yield type(layer).__name__, tuple(layer.in_shape)
        if isinstance(layer, CompositeLayer):
            for inner in layer.chains.values():
                yield from layers_of(inner)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_each_layer_is_built_once(cls, built):
    X, y = data_for(cls)
    model = make(cls).fit(X, y)
    assert built == Counter(layers_of(model.network_.chain))
    built.clear()
    model.set_params(warm_start=True).fit(X, y)
    assert built == Counter(layers_of(model.network_.chain))
    built.clear()
    model.predict(X)
    assert not built


@pytest.mark.parametrize("residual", [False, True])
def test_each_layer_of_guessed_images_is_built_once(built, residual):
    X, y = data_for(ConvNetClassifier)
    model = make(
        ConvNetClassifier,
        filters=(2, 3, 4),
        convs_per_block=2,
        batch_norm=True,
        residual=residual,
    )
    model.fit(X.reshape(len(X), -1), y)
    assert built == Counter(layers_of(model.network_.chain))


def test_a_stack_hands_each_spec_the_shape_below():
    stack = LayerStack((6, 6, 1))
    stack.add("conv", Conv2D(2, 3))
    seen = []

    def pool(shape):
        seen.append(shape)
        return MaxPool2D(2)

    stack.add("pool", pool)
    assert seen == [(4, 4, 2)]
    assert stack.out_shape == (2, 2, 2)
    assert [name for name, _ in stack.specs] == list(stack.layers) == ["conv", "pool"]
    with pytest.raises(ValueError, match=r"layer 'wide'.*does not fit"):
        stack.add("wide", Conv2D(2, 9))


def test_specs_are_copied():
    spec = Dense(3)
    network = build_network([("dense", spec)], (4,), 2, "float32")
    spec.units = 99
    assert network.layers["dense"].out_shape == (3,)
    assert dict(network.specs)["dense"].units == 3


def test_a_flatten_of_another_name_is_added_below_the_output():
    entries = [("flatten", Conv2D(2, 3))]
    network = build_network(entries, (5, 5, 1), 1, "float32")
    assert list(network.layers) == ["flatten", "flatten_output", "output"]
    entries = [("flatten", Flatten())]
    network = build_network(entries, (5, 5, 1), 1, "float32")
    assert list(network.layers) == ["flatten", "output"]


def test_the_output_layer_takes_after_the_layers_below_it():
    layers = [Dense(3, "logistic", "he_normal"), Dense(3)]
    model = SequentialRegressor(layers).initialize(np.zeros((4, 2)), np.arange(4.0))
    output = dict(model.network_.specs)["output"]
    assert output.hidden_activation == "logistic"
    assert output.kernel_initializer == "auto"
