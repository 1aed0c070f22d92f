"""PeriodicEmbedding against a plain loop over features, and PyTorch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, assert_build_fails
from sklearn.base import clone

from skconvnet import SequentialRegressor
from skconvnet.interop import to_keras_state, to_torch_state
from skconvnet.layers import Dense, Flatten, PeriodicEmbedding


def oracle(x, kernel, frequencies, bias):
    """Return the vectors of every feature of every sample, one after the other."""
    y = np.empty((*x.shape, kernel.shape[-1]))
    for i, sample in enumerate(x):
        for j, value in enumerate(sample):
            angles = 2 * np.pi * frequencies[j] * value
            waves = np.concatenate([np.sin(angles), np.cos(angles)])
            y[i, j] = waves @ kernel[j] + bias[j]
    return y


@settings(max_examples=40, deadline=None)
@given(
    n_dims=st.integers(1, 6),
    n_frequencies=st.integers(1, 5),
    n_features=st.integers(1, 7),
    n_samples=st.integers(1, 6),
    seed=st.integers(0, 999),
)
def test_outputs_are_the_oracles(n_dims, n_frequencies, n_features, n_samples, seed):
    bench = Bench(PeriodicEmbedding(n_dims, n_frequencies), (n_features,), seed=seed)
    x = np.random.default_rng(seed).normal(size=(n_samples, n_features))
    expected = oracle(x, **bench.weights)
    np.testing.assert_allclose(bench.forward(x), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("activation", [None, "relu", "gelu"])
def test_the_layer_equals_torch(torch, activation):
    bench = Bench(PeriodicEmbedding(4, 3, activation=activation), (5,))
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(6, 5)), rng.normal(size=(6, 5, 4))
    arrays = [x, *(bench.weights[name] for name in ("kernel", "frequencies", "bias"))]
    inputs, kernel, frequencies, bias = (
        torch.tensor(array, requires_grad=True) for array in arrays
    )
    angles = 2 * torch.pi * frequencies * inputs[..., None]
    waves = torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)
    z = torch.einsum("bfw,fwd->bfd", waves, kernel) + bias
    y = getattr(torch.nn.functional, activation)(z) if activation else z
    y.backward(torch.tensor(dy))
    np.testing.assert_allclose(bench.forward(x), y.detach().numpy(), rtol=1e-10)
    dx, gradients, _ = bench.backward(dy)
    for found, expected in (
        (dx, inputs),
        (gradients["kernel"], kernel),
        (gradients["frequencies"], frequencies),
        (gradients["bias"], bias),
    ):
        np.testing.assert_allclose(found, expected.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_initial_frequencies_have_the_scale():
    layer = PeriodicEmbedding(2, 500, frequency_scale=3.0).build((20,))
    weights = layer.initialize(np.random.RandomState(0))
    assert weights["frequencies"].std() == pytest.approx(3.0, rel=0.05)
    assert not weights["bias"].any()


def test_a_function_that_bends_often_is_learned_with_it_only():
    rng = np.random.RandomState(0)
    X = rng.uniform(-2, 2, (600, 1))
    y = np.sin(12 * X[:, 0])
    params = {"learning_rate_init": 0.01, "max_iter": 100, "random_state": 0}
    params |= {"batch_size": 50, "n_iter_no_change": np.inf, "learning_rate": "cosine"}
    layers = [PeriodicEmbedding(8, frequency_scale=2.0), Flatten(), Dense(16, "relu")]
    embedded = SequentialRegressor(layers, **params).fit(X[:400], y[:400])
    plain = clone(embedded).set_params(layers=layers[2:]).fit(X[:400], y[:400])
    assert embedded.score(X[400:], y[400:]) > 0.95
    assert plain.score(X[400:], y[400:]) < 0.5


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        ({"n_dims": 0}, ValueError, ("n_dims", "at least 1", "0")),
        ({"n_dims": 2.5}, TypeError, ("n_dims", "int", "2.5")),
        ({"n_frequencies": -1}, ValueError, ("n_frequencies", "at least 1")),
        ({"frequency_scale": 0}, ValueError, ("frequency_scale", "larger than 0")),
        ({"frequency_scale": "a"}, TypeError, ("frequency_scale", "float")),
        ({"activation": "rleu"}, ValueError, ("activation", "Did you mean")),
    ],
)
def test_wrong_parameters(params, error, words):
    spec = PeriodicEmbedding(**{"n_dims": 2, **params})
    assert_build_fails(error, spec, (3,), *words)


def test_maps_are_refused():
    words = ("PeriodicEmbedding", "flat", "Flatten()")
    assert_build_fails(ValueError, PeriodicEmbedding(2), (3, 3, 1), *words)


def test_networks_of_other_libraries_are_refused():
    X = np.ones((4, 3))
    layers = [("embedding", PeriodicEmbedding(2)), Flatten(), Dense(4)]
    model = SequentialRegressor(layers).initialize(X, np.arange(4.0))
    for convert, library in ((to_torch_state, "PyTorch"), (to_keras_state, "Keras")):
        with pytest.raises(ValueError, match=rf"'embedding'.*{library}"):
            convert(model)
