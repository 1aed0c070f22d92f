"""Biases, gates and directions of recurrent modules in a state of PyTorch."""

import numpy as np
import pytest
from interop_tools import SEQUENCE, as_tensors, built

from skconvnet.interop import from_torch_state, to_torch_state
from skconvnet.layers import GRU, LSTM, Bidirectional, SimpleRNN, TimeDistributed


def test_names_and_shapes():
    specs = [
        ("both", Bidirectional(GRU(3, return_sequences=True))),
        ("last", LSTM(2, use_bias=False)),
    ]
    state = to_torch_state(built(specs, SEQUENCE)[0])
    assert {name: array.shape for name, array in state.items()} == {
        "both.weight_ih_l0": (9, 4),
        "both.weight_hh_l0": (9, 3),
        "both.bias_ih_l0": (9,),
        "both.bias_hh_l0": (9,),
        "both.weight_ih_l0_reverse": (9, 4),
        "both.weight_hh_l0_reverse": (9, 3),
        "both.bias_ih_l0_reverse": (9,),
        "both.bias_hh_l0_reverse": (9,),
        "last.weight_ih_l0": (8, 6),
        "last.weight_hh_l0": (8, 2),
        "output.weight": (3, 2),
        "output.bias": (3,),
    }
    named = to_torch_state(built(specs, SEQUENCE)[0], names={"both": "rnn"})
    assert set(named) == {n.replace("both", "rnn") for n in state if "both" in n}


@pytest.mark.parametrize("spec", [LSTM(3), SimpleRNN(3)])
def test_two_biases_become_their_sum(spec):
    est, _ = built([("rnn", spec)], SEQUENCE)
    state = to_torch_state(est)
    assert not state["rnn.bias_hh_l0"].any()
    state["rnn.bias_hh_l0"] = np.arange(len(state["rnn.bias_hh_l0"])) * 1.0
    expected = state["rnn.bias_ih_l0"] + state["rnn.bias_hh_l0"]
    from_torch_state(est, state)
    np.testing.assert_allclose(est.get_weights()["rnn/bias"], expected)


@pytest.mark.torch
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_modules_without_bias(torch, kind):
    spec = {"LSTM": LSTM, "GRU": GRU, "RNN": SimpleRNN}[kind](3)
    est, _ = built([spec], SEQUENCE)
    rnn = getattr(torch.nn, kind)(4, 3, bias=False, batch_first=True)
    network = torch.nn.Sequential(rnn, torch.nn.Linear(3, 3)).double()
    with pytest.raises(ValueError, match=r"'0.bias_ih_l0' is not in it.*needs it"):
        to_torch_state(est, like=network.state_dict())
    from_torch_state(est, network.state_dict())
    (name,) = (n for n in est.get_weights() if n.endswith("/bias") and "out" not in n)
    assert not est.get_weights()[name].any()
    state = to_torch_state(est, like=network.state_dict())
    assert list(state) == list(network.state_dict())
    network.load_state_dict(as_tensors(torch, state))


def test_all_that_does_not_fit_is_listed():
    est, _ = built([("rnn", GRU(3))], SEQUENCE)
    state = to_torch_state(est)
    state["rnn.weight_ih_l0"] = np.zeros((8, 4))
    state["rnn.bias_ih_l0"] = np.zeros(8)
    state["rnn.weight_ih_l1"] = np.zeros((9, 3))
    with pytest.raises(ValueError, match="No weight was changed") as caught:
        from_torch_state(est, state)
    for word in ("'weight_ih_l0'", "(8, 4)", "'bias_ih_l0'", "'weight_ih_l1'"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        GRU(3, reset_after=False),
        GRU(3, recurrent_activation="hard_sigmoid"),
        LSTM(3, "relu"),
        SimpleRNN(3, "elu"),
        Bidirectional(GRU(3, reset_after=False)),
        TimeDistributed([SimpleRNN(3, "elu")]),
    ],
)
def test_what_pytorch_does_not_have_is_refused(spec):
    shape = (2, *SEQUENCE) if isinstance(spec, TimeDistributed) else SEQUENCE
    est, _ = built([("rnn", spec)], shape)
    with pytest.raises(ValueError, match=r"'rnn.*no counterpart in PyTorch"):
        to_torch_state(est)
