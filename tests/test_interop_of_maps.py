"""Networks that predict maps, in PyTorch and Keras; and parts of networks."""

import numpy as np
import pytest
from interop_tools import IMAGE, assert_close, built, filled

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet import layers as la
from skconvnet.interop import (
    from_keras_state,
    from_torch_state,
    to_keras_state,
    to_torch_state,
)

SHAPES = [(7, 3), (6, 5, 3), (3, 4, 5, 3)]
N_CLASSES = [None, 2, 3]  # None for a regressor
every_shape = pytest.mark.parametrize("in_shape", SHAPES)
every_target = pytest.mark.parametrize("n_classes", N_CLASSES)


def predicting_maps(in_shape, n_classes, seed=1):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, *in_shape))
    conv = getattr(la, f"Conv{len(in_shape) - 1}D")
    layers = [("conv", conv(4, 3, padding="same", activation="relu"))]
    if n_classes is None:
        est = SequentialRegressor(layers).initialize(X, X[..., :2])
    else:
        # Without the last axis, labels of sequences would be flat.
        y = rng.integers(0, n_classes, (*X.shape[:-1], 1))
        est = SequentialClassifier(layers).initialize(X, y)
    return filled(est, seed), X


def outputs(est, X):
    found = est.predict(X) if not hasattr(est, "classes_") else est.decision_function(X)
    return found if found.ndim == X.ndim else found[..., np.newaxis]


def assert_same(one, other):
    for name, values in one.get_weights().items():
        np.testing.assert_array_equal(other.get_weights()[name], values)


@every_shape
@every_target
def test_there_and_back(in_shape, n_classes):
    est, _ = predicting_maps(in_shape, n_classes)
    other, _ = predicting_maps(in_shape, n_classes, seed=2)
    assert_same(est, from_torch_state(other, to_torch_state(est)))
    other, _ = predicting_maps(in_shape, n_classes, seed=2)
    assert_same(est, from_keras_state(other, to_keras_state(est)))


@pytest.mark.torch
@every_shape
@every_target
@pytest.mark.parametrize("has_two_outputs", [False, True])
def test_pytorch_computes_the_same(torch, in_shape, n_classes, has_two_outputs):
    est, X = predicting_maps(in_shape, n_classes)
    conv = getattr(torch.nn, f"Conv{len(in_shape) - 1}d")
    units = 2 if has_two_outputs and n_classes == 2 else est.n_outputs_
    network = torch.nn.Sequential(
        conv(3, 4, 3, padding=1), torch.nn.ReLU(), conv(4, units, 1)
    ).double()
    images = torch.from_numpy(np.ascontiguousarray(np.moveaxis(X, -1, 1)))

    def theirs():
        with torch.no_grad():
            found = np.moveaxis(network(images).numpy(), 1, -1)
        return np.diff(found) if units > est.n_outputs_ else found

    state = to_torch_state(est, like=network.state_dict())
    network.load_state_dict({name: torch.from_numpy(a) for name, a in state.items()})
    assert_close(theirs(), outputs(est, X), "float64")
    other, _ = predicting_maps(in_shape, n_classes, seed=2)
    for weight in network.parameters():
        torch.nn.init.normal_(weight)
    from_torch_state(other, network.state_dict())
    assert_close(outputs(other, X), theirs(), "float64")


@pytest.mark.keras
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning:keras")
@every_shape
@every_target
def test_keras_computes_the_same(torch, in_shape, n_classes):
    assert torch.get_num_threads() == 1
    from keras_networks import keras, kl, predict

    est, X = predicting_maps(in_shape, n_classes)
    conv = getattr(kl, f"Conv{len(in_shape) - 1}D")
    units = 2 if n_classes == 2 else est.n_outputs_
    model = keras.Sequential(
        [keras.Input(in_shape), conv(4, 3, padding="same", activation="relu")]
    )
    model.add(conv(units, 1))
    if units == est.n_outputs_:
        model.set_weights(to_keras_state(est))
        assert_close(predict(model, X), outputs(est, X), "float32")
    other, _ = predicting_maps(in_shape, n_classes, seed=2)
    from_keras_state(other, model.weights)
    theirs = predict(model, X)
    if units > est.n_outputs_:
        theirs = np.diff(theirs)
    assert_close(outputs(other, X), theirs, "float32")


def test_layers_that_are_left_out_need_no_counterpart():
    layers = [
        ("conv", la.Conv2D(4, 3)),
        ("local", la.LocallyConnected2D(2, 3)),
        ("end", la.Conv2D(3, 2)),
    ]
    donor, _ = built(layers, IMAGE)
    for names in ({"conv": "a"}, {"conv": "a", "end": "b"}):
        est, _ = built(layers, IMAGE, seed=4)
        before = est.get_weights()
        state = to_torch_state(donor, names=names)
        assert list(state) == [f"{n}.{a}" for n in names.values() for a in PARTS]
        from_torch_state(est, state, names=names)
        assert_taken(est, donor, before, names)
        est, _ = built(layers, IMAGE, seed=4)
        order = list(names)
        from_keras_state(est, to_keras_state(donor, order=order), order=order)
        assert_taken(est, donor, before, names)
    for names in ({"local": "a"}, {"conv": "a", "local": "b"}):
        with pytest.raises(ValueError, match=r"'local'.*no counterpart"):
            to_torch_state(donor, names=names)
        with pytest.raises(ValueError, match=r"'local'.*no counterpart"):
            to_keras_state(donor, order=list(names))
    with pytest.raises(ValueError, match=r"'loca'.*'local'\?"):
        to_torch_state(donor, names={"loca": "a"})


PARTS = ("weight", "bias")


def assert_taken(est, donor, before, names):
    for name, values in est.get_weights().items():
        is_taken = name.rpartition("/")[0] in names
        same = donor.get_weights() if is_taken else before
        np.testing.assert_array_equal(values, same[name])


def test_layers_after_those_that_are_wanted_may_mix_channels_and_positions():
    layers = [
        ("conv", la.Conv2D(4, 3)),
        ("reshape", la.Reshape((12, 8))),
        ("mixed", la.Conv1D(2, 3)),
    ]
    donor, _ = built(layers, IMAGE)
    est, _ = built(layers, IMAGE, seed=4)
    before = est.get_weights()
    state = to_torch_state(donor, names={"conv": "a"})
    assert_taken(
        from_torch_state(est, state, names={"conv": "a"}), donor, before, {"conv"}
    )
    with pytest.raises(ValueError, match="'mixed' cannot be converted"):
        to_torch_state(donor, names={"output": "a"})
