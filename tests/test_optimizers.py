"""Optimizers, step for step against their published formulas."""

import numpy as np
import pytest

from skconvnet.optimizers import SGD, Adam
from skconvnet.training.clipping import clip_norm


def gradients(n_weights, n_steps=50):
    return np.random.default_rng(0).normal(size=(n_steps, n_weights))


def sgd_by_hand(weights, steps, rate, momentum, nesterov):
    velocity = [0.0] * len(weights)
    for gradient in steps:
        for i, g in enumerate(gradient):
            velocity[i] = momentum * velocity[i] - rate * g
            step = momentum * velocity[i] - rate * g if nesterov else velocity[i]
            weights[i] += step
    return weights


def adam_by_hand(weights, steps, rate, beta_1, beta_2, epsilon):
    mean, square = [0.0] * len(weights), [0.0] * len(weights)
    for t, gradient in enumerate(steps, start=1):
        step = rate * (1 - beta_2**t) ** 0.5 / (1 - beta_1**t)
        for i, g in enumerate(gradient):
            mean[i] = beta_1 * mean[i] + (1 - beta_1) * g
            square[i] = beta_2 * square[i] + (1 - beta_2) * g * g
            weights[i] -= step * mean[i] / (square[i] ** 0.5 + epsilon)
    return weights


@pytest.mark.parametrize("chunk_size", [3, 10**6])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd(momentum, nesterov, chunk_size):
    weights = np.linspace(-1, 1, 7)
    expected = sgd_by_hand(list(weights), gradients(7), 0.1, momentum, nesterov)
    optimizer = SGD(momentum=momentum, nesterov=nesterov)
    optimizer.chunk_size = chunk_size
    for gradient in gradients(7):
        optimizer.step(weights, gradient, 0.1)
    np.testing.assert_allclose(weights, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("chunk_size", [3, 10**6])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.7), (0.0, 0.0)])
@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
def test_adam(betas, epsilon, chunk_size):
    weights = np.linspace(-1, 1, 7)
    expected = adam_by_hand(list(weights), gradients(7), 0.01, *betas, epsilon)
    optimizer = Adam(*betas, epsilon, epsilon_hat=True)
    optimizer.chunk_size = chunk_size
    for gradient in gradients(7):
        optimizer.step(weights, gradient, 0.01)
    np.testing.assert_allclose(weights, expected, rtol=1e-9, atol=1e-12)


def test_chunks_of_a_vector():
    optimizer, seen = SGD(momentum=0.0), []

    class Recorder:
        def before(self, chunk, weights, gradient):
            seen.append((chunk, len(weights), len(gradient)))

        def after(self, chunk, weights):
            assert (weights != 1).all()
            seen.append((chunk, len(weights)))
            return False

    optimizer.chunk_size = 3
    optimizer.step(np.ones(7), np.ones(7), 0.1, regularizer=Recorder())
    chunks = [slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 7)]
    sizes = [2, 2, 2, 1]
    expected = []
    for chunk, size in zip(chunks, sizes, strict=True):
        expected += [(chunk, size, size), (chunk, size)]
    assert seen == expected


@pytest.mark.parametrize("max_norm", [0.1, 5.0, 100.0, None])
def test_clip_norm(max_norm):
    gradient = np.random.default_rng(0).normal(size=100)
    before = gradient.copy()
    clip_norm(gradient, max_norm)
    norm = np.linalg.norm(before)
    if max_norm is None or norm <= max_norm:
        np.testing.assert_array_equal(gradient, before)
    else:
        assert np.linalg.norm(gradient) == pytest.approx(max_norm)
        np.testing.assert_allclose(gradient, before * max_norm / norm)
