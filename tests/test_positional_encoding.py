"""PositionalEncoding against its formula, and for other lengths."""

import math

import numpy as np
import pytest
from attention_tools import assert_padded_is_each_alone, draw, run_padded
from hypothesis import given
from hypothesis import strategies as st
from layer_tools import Bench, assert_build_fails

from skconvnet.engine.network import Network
from skconvnet.layers import PositionalEncoding


@given(length=st.integers(1, 40), channels=st.integers(1, 9))
def test_sinusoids_are_those_of_the_paper(length, channels):
    bench = Bench(PositionalEncoding(), (length, channels))
    encodings = bench.forward(np.zeros((1, length, channels)))[0]
    for t in range(length):
        for c in range(channels):
            angle = t / 10_000 ** (2 * (c // 2) / channels)
            expected = math.cos(angle) if c % 2 else math.sin(angle)
            assert encodings[t, c] == pytest.approx(expected, abs=1e-12)


def test_learned_encodings_are_added():
    bench = Bench(PositionalEncoding("learned", max_length=7), (4, 3))
    x, dy = draw((2, 4, 3)), draw((2, 4, 3), seed=2)
    table = bench.weights["table"]
    np.testing.assert_array_equal(bench.forward(x), x + table[:4])
    dx, gradients, _ = bench.backward(dy.copy())
    np.testing.assert_array_equal(dx, dy)
    np.testing.assert_allclose(gradients["table"][:4], dy.sum(axis=0), rtol=1e-12)
    assert not gradients["table"][4:].any()


def test_sinusoids_go_on_for_longer_sequences():
    network = Network([("layer", PositionalEncoding())], (5, 4), "float64")
    longer = network.for_shape((9, 4))
    x = np.zeros((4, 9, 1))
    y, _ = longer.forward(x, longer.workspaces())
    short, _ = network.forward(x[:, :5], network.workspaces())
    np.testing.assert_array_equal(y[:, :5], short)
    assert len(np.unique(y[0])) == 9


def test_learned_encodings_are_the_same_for_shorter_sequences():
    spec = PositionalEncoding("learned", max_length=8)
    network = Network([("layer", spec)], (5, 4), "float64")
    network.initialize(np.random.RandomState(0))
    longest = network.for_shape((8, 4))
    assert longest.weights["layer/table"] is not None
    with pytest.raises(ValueError, match="max_length must be at least"):
        network.for_shape((9, 4))


def test_learned_encodings_of_unknown_length_tell_what_to_set():
    network = Network([("positions", PositionalEncoding("learned"))], (5, 4), "float64")
    with pytest.raises(ValueError, match=r"'positions/table' .* set max_length of"):
        network.for_shape((3, 4))


def test_padded_samples_are_as_each_alone():
    assert_padded_is_each_alone(PositionalEncoding(), 4)
    assert_padded_is_each_alone(PositionalEncoding("learned", max_length=6), 3)


def test_padding_has_no_gradient():
    bench = Bench(PositionalEncoding("learned"), (4, 3))
    x, dy = draw((2, 4, 3)), draw((2, 4, 3), seed=2)
    lengths = np.array([2, 0])
    _, dx, gradient = run_padded(bench, x, dy, lengths)
    np.testing.assert_allclose(gradient.reshape(4, 3)[:2], dy[0, :2])
    assert not gradient.reshape(4, 3)[2:].any()
    assert not dx[0, 2:].any()


def test_table_starts_small():
    table = (
        PositionalEncoding("learned")
        .build((40, 30))
        .initialize(np.random.RandomState(0))["table"]
    )
    assert 0.045 < np.abs(table).max() <= 0.05


def test_errors():
    for value in ("sinus", None, 3):
        with pytest.raises(ValueError, match=r"^kind must be one of .* got"):
            PositionalEncoding(value).build((4, 3))
    for value in (0, 2.5, "8", True):
        with pytest.raises(
            (TypeError, ValueError), match=r"^max_length must be .* got"
        ):
            PositionalEncoding("learned", max_length=value).build((4, 3))
    with pytest.raises(ValueError, match=r"max_length must be at least .* 4; got 3"):
        PositionalEncoding(max_length=3).build((4, 3))
    assert_build_fails(ValueError, PositionalEncoding(), (4,), "PositionalEncoding")
