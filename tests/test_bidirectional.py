"""Both directions of `Bidirectional` against single layers, and against PyTorch."""

import numpy as np
import pytest
from layer_tools import Bench, assert_build_fails
from padding_tools import assert_padding_changes_nothing

from skconvnet.layers import GRU, LSTM, Bidirectional, Dense, SimpleRNN
from skconvnet.params.nested import nested_params

MERGED = {
    "concat": lambda a, b: np.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
}


@pytest.mark.parametrize("merge", MERGED)
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("kind", [GRU, LSTM, SimpleRNN])
def test_outputs_are_those_of_two_layers(kind, return_sequences, merge):
    params = {"return_sequences": return_sequences}
    both = Bench(Bidirectional(kind(3, **params), merge), (5, 2))
    x = np.random.default_rng(1).normal(size=(4, 5, 2))
    ys = []
    for direction in ("forward", "backward"):
        spec = kind(3, go_backwards=direction == "backward", **params)
        single = Bench(spec, (5, 2))
        for name, array in single.weights.items():
            array[...] = both.weights[f"{direction}/{name}"]
        ys.append(single.forward(x))
    if return_sequences:
        ys[1] = ys[1][:, ::-1]
    np.testing.assert_allclose(both.forward(x), MERGED[merge](*ys), rtol=1e-12)


@pytest.mark.parametrize("merge", MERGED)
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("kind", [GRU, LSTM, SimpleRNN])
def test_padding_changes_nothing(kind, return_sequences, merge):
    spec = Bidirectional(kind(3, return_sequences=return_sequences), merge)
    rng = np.random.default_rng(1)
    xs = [rng.normal(size=(n, 2)) for n in (4, 0, 7, 1, 7)]
    assert_padding_changes_nothing(spec, xs)


@pytest.mark.torch
def test_both_passes_are_those_of_torch(torch):
    bench = Bench(Bidirectional(LSTM(4, return_sequences=True)), (6, 3))
    module = torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True).double()
    with torch.no_grad():
        for direction, suffix in (("forward", ""), ("backward", "_reverse")):
            for ours, theirs in (
                ("kernel", "weight_ih_l0"),
                ("recurrent_kernel", "weight_hh_l0"),
                ("bias", "bias_ih_l0"),
            ):
                values = np.ascontiguousarray(bench.weights[f"{direction}/{ours}"].T)
                getattr(module, theirs + suffix).copy_(torch.from_numpy(values))
            getattr(module, f"bias_hh_l0{suffix}").zero_()
    x = np.random.default_rng(1).normal(size=(5, 6, 3))
    inputs = torch.from_numpy(x).requires_grad_()
    outputs, _ = module(inputs)
    y = bench.forward(x)
    np.testing.assert_allclose(y, outputs.detach().numpy(), rtol=1e-10)
    dy = np.random.default_rng(2).normal(size=y.shape)
    outputs.backward(torch.from_numpy(dy))
    dx, gradients, _ = bench.backward(dy)
    np.testing.assert_allclose(dx, inputs.grad.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        gradients["backward/kernel"].T,
        module.weight_ih_l0_reverse.grad.numpy(),
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.keras
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning:keras")
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("merge", MERGED)
@pytest.mark.usefixtures("torch")
def test_outputs_are_those_of_keras(merge, return_sequences):
    import keras

    params = {"return_sequences": return_sequences}
    bench = Bench(Bidirectional(GRU(4, **params), merge), (6, 3))
    bench.network.vector *= 0.5
    inner = keras.layers.GRU(4, dtype="float64", **params)
    layer = keras.layers.Bidirectional(inner, merge_mode=merge, dtype="float64")
    layer.build((None, 6, 3))
    layer.set_weights(list(bench.weights.values()))
    x = np.random.default_rng(1).normal(size=(5, 6, 3))
    expected = keras.ops.convert_to_numpy(layer(x))
    np.testing.assert_allclose(bench.forward(x), expected, rtol=1e-5, atol=1e-6)


def test_directions_start_from_different_weights():
    layer = Bidirectional(LSTM(4)).build((5, 3))
    weights = layer.initialize(np.random.RandomState(0))
    assert list(weights) == list(layer.weight_shapes)
    assert set(layer.penalized) == {name for name in weights if "bias" not in name}
    assert not np.array_equal(weights["forward/kernel"], weights["backward/kernel"])
    np.testing.assert_array_equal(weights["backward/bias"][4:8], 1)


def test_parameters_of_the_layer_are_its_own():
    spec = Bidirectional(LSTM(4))
    assert nested_params([("both", spec)])["both__layer__units"] == 4
    spec.set_params(layer__units=6, merge="sum")
    assert spec.build((5, 3)).out_shape == (6,)
    with pytest.raises(ValueError, match="units"):
        spec.set_params(layer__unit=3)


@pytest.mark.parametrize("frozen", [LSTM(4, trainable=False), None])
def test_frozen_layers_have_no_gradients(frozen):
    spec = Bidirectional(frozen or LSTM(4), trainable=frozen is not None)
    bench = Bench(spec, (5, 3))
    assert not bench.network.vector.size
    x = np.random.default_rng(1).normal(size=(2, 5, 3))
    y = bench.forward(x)
    dx, gradients, _ = bench.backward(np.ones_like(y))
    assert dx.shape == x.shape
    assert gradients == {}


def test_wrong_parameters_are_refused():
    shape = (5, 3)
    assert_build_fails(TypeError, Bidirectional(Dense(3)), shape, "layer", "Dense")
    wrong = Bidirectional(LSTM(3), "average")
    assert_build_fails(ValueError, wrong, shape, "merge", "concat", "ave", "average")
    wrong = Bidirectional(LSTM(3, go_backwards=True))
    assert_build_fails(ValueError, wrong, shape, "go_backwards")
    assert_build_fails(ValueError, Bidirectional(LSTM(0)), shape, "units")
