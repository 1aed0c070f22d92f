"""Optimizers against transcriptions of their formulas, and against PyTorch's."""

import numpy as np
import pytest
from sklearn.base import clone

from skconvnet.optimizers import (
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Muon,
    Nadam,
    RMSprop,
    ScheduleFreeAdamW,
)

N_WEIGHTS, N_STEPS, RATE = 7, 50, 0.01


def start():
    return np.linspace(-1, 1, N_WEIGHTS)


def gradients():
    return np.random.default_rng(0).normal(size=(N_STEPS, N_WEIGHTS))


def run(optimizer, rate=RATE):
    weights = start()
    for gradient in gradients():
        optimizer.step(weights, gradient, rate)
    return weights


def moving_average(rate, beta):
    for w, steps in zip(start(), gradients().T, strict=True):
        v = 0.0
        for g in steps:
            v = beta * v + (1 - beta) * g
            w -= rate * v
        yield w


def amsgrad(rate, beta_1, beta_2, epsilon):
    for w, steps in zip(start(), gradients().T, strict=True):
        m = v = largest = 0.0
        for t, g in enumerate(steps, start=1):
            m = beta_1 * m + (1 - beta_1) * g
            v = beta_2 * v + (1 - beta_2) * g * g
            largest = max(largest, v)
            root = (largest / (1 - beta_2**t)) ** 0.5
            w -= rate * m / (1 - beta_1**t) / (root + epsilon)
        yield w


def adamw(rate, decay, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    for w, steps in zip(start(), gradients().T, strict=True):
        m = v = 0.0
        for t, g in enumerate(steps, start=1):
            m = beta_1 * m + (1 - beta_1) * g
            v = beta_2 * v + (1 - beta_2) * g * g
            root = (v / (1 - beta_2**t)) ** 0.5
            step = rate * m / (1 - beta_1**t) / (root + epsilon)
            w -= rate * decay * w + step
        yield w


def nadam(rate, beta_1, beta_2, epsilon, momentum_decay):
    for w, steps in zip(start(), gradients().T, strict=True):
        m = v = 0.0
        product = 1.0
        for t, g in enumerate(steps, start=1):
            now = beta_1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
            later = beta_1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
            product *= now
            m = beta_1 * m + (1 - beta_1) * g
            v = beta_2 * v + (1 - beta_2) * g * g
            m_hat = later * m / (1 - product * later) + (1 - now) * g / (1 - product)
            w -= rate * m_hat / ((v / (1 - beta_2**t)) ** 0.5 + epsilon)
        yield w


def adamax(rate, beta_1, beta_2, epsilon):
    for w, steps in zip(start(), gradients().T, strict=True):
        m = u = 0.0
        for t, g in enumerate(steps, start=1):
            m = beta_1 * m + (1 - beta_1) * g
            u = max(beta_2 * u, abs(g) + epsilon)
            w -= rate / (1 - beta_1**t) * m / u
        yield w


def rmsprop(rate, rho, epsilon, centered):
    for w, steps in zip(start(), gradients().T, strict=True):
        square = mean = 0.0
        for g in steps:
            square = rho * square + (1 - rho) * g * g
            mean = rho * mean + (1 - rho) * g
            variance = square - mean**2 if centered else square
            w -= rate * g / (variance**0.5 + epsilon)
        yield w


def adagrad(rate, epsilon):
    for w, steps in zip(start(), gradients().T, strict=True):
        total = 0.0
        for g in steps:
            total += g * g
            w -= rate * g / (total**0.5 + epsilon)
        yield w


def adadelta(rate, rho, epsilon):
    for w, steps in zip(start(), gradients().T, strict=True):
        square = travelled = 0.0
        for g in steps:
            square = rho * square + (1 - rho) * g * g
            step = ((travelled + epsilon) / (square + epsilon)) ** 0.5 * g
            travelled = rho * travelled + (1 - rho) * step * step
            w -= rate * step
        yield w


def schedule_free(rate, beta_1, beta_2, epsilon, decay, warmup):
    """Return the sequences x, y and z of the paper at the end."""
    for w, steps in zip(start(), gradients().T, strict=True):
        x = y = z = w
        v = largest = total = 0.0
        for t, g in enumerate(steps, start=1):
            v = beta_2 * v + (1 - beta_2) * g * g
            now = rate * min(1.0, t / warmup)
            step = g / ((v / (1 - beta_2**t)) ** 0.5 + epsilon) + decay * y
            z -= now * step
            largest = max(largest, now)
            total += largest**2
            share = largest**2 / total
            x = (1 - share) * x + share * z
            y = (1 - beta_1) * z + beta_1 * x
        yield x, y, z


def weights_in_training(*args):
    return [y for _, y, _ in schedule_free(*args)]


PUBLISHED = [
    (ScheduleFreeAdamW(), weights_in_training, (RATE, 0.9, 0.999, 1e-8, 0.0, 1)),
    (
        ScheduleFreeAdamW(0.6, 0.9, 0.1, 0.5, warmup_steps=20),
        weights_in_training,
        (RATE, 0.6, 0.9, 0.1, 0.5, 20),
    ),
    (SGD(momentum=0.9, dampening=0.9), moving_average, (RATE, 0.9)),
    (Adam(0.8, 0.9, 0.01, amsgrad=True), amsgrad, (RATE, 0.8, 0.9, 0.01)),
    (AdamW(weight_decay=0.3), adamw, (RATE, 0.3)),
    (AdamW(0.5, 0.6, 0.1, weight_decay=2.0), adamw, (RATE, 2.0, 0.5, 0.6, 0.1)),
    # Without a layout there are no matrices.
    (Muon(), adamw, (RATE, 0.0, 0.9, 0.95, 1e-10)),
    (
        Muon(adam_rate_factor=0.5, weight_decay=0.3, beta_1=0.5, epsilon=0.1),
        adamw,
        (RATE / 2, 0.3, 0.5, 0.95, 0.1),
    ),
    (Nadam(), nadam, (RATE, 0.9, 0.999, 1e-8, 0.004)),
    (Nadam(0.5, 0.6, 0.1, 0.1), nadam, (RATE, 0.5, 0.6, 0.1, 0.1)),
    (Adamax(), adamax, (RATE, 0.9, 0.999, 1e-8)),
    (Adamax(0.5, 0.6, 0.1), adamax, (RATE, 0.5, 0.6, 0.1)),
    (RMSprop(), rmsprop, (RATE, 0.9, 1e-8, False)),
    (RMSprop(0.6, 0.1), rmsprop, (RATE, 0.6, 0.1, False)),
    (RMSprop(0.7, 0.01, centered=True), rmsprop, (RATE, 0.7, 0.01, True)),
    (Adagrad(), adagrad, (RATE, 1e-10)),
    (Adagrad(0.1), adagrad, (RATE, 0.1)),
    (Adadelta(), adadelta, (RATE, 0.9, 1e-6)),
    (Adadelta(0.6, 0.1), adadelta, (RATE, 0.6, 0.1)),
]


@pytest.mark.parametrize("chunk_size", [3, 10**6])
@pytest.mark.parametrize(("optimizer", "formula", "args"), PUBLISHED)
def test_published_formula(optimizer, formula, args, chunk_size):
    optimizer = clone(optimizer)
    optimizer.chunk_size = chunk_size
    weights = run(optimizer)
    np.testing.assert_allclose(weights, list(formula(*args)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("chunk_size", [3, 10**6])
def test_schedule_free_predicts_by_the_mean(chunk_size):
    optimizer = ScheduleFreeAdamW(0.6, 0.9, 0.1, 0.5, warmup_steps=20)
    optimizer.chunk_size = chunk_size
    mean = np.full(N_WEIGHTS, np.nan)
    assert not optimizer.average(start(), mean)
    assert np.isnan(mean).all()
    weights = run(optimizer)
    assert optimizer.average(weights, mean)
    means = [x for x, _, _ in schedule_free(RATE, 0.6, 0.9, 0.1, 0.5, 20)]
    np.testing.assert_allclose(mean, means, rtol=1e-9, atol=1e-12)
    optimizer.restart()
    np.testing.assert_array_equal(run(optimizer), weights)


@pytest.mark.parametrize("optimizer", [o for o, _, _ in PUBLISHED], ids=repr)
def test_others_predict_by_the_weights_in_training(optimizer):
    used, mean = clone(optimizer), np.zeros(N_WEIGHTS)
    weights = run(used)
    assert used.average(weights, mean) == isinstance(used, ScheduleFreeAdamW)


def test_every_optimizer_is_compared():
    assert {type(optimizer) for optimizer, *_ in PUBLISHED} == set(OPTIMIZERS.values())


PEERS = [
    (SGD(momentum=0.0), "SGD", {}),
    (SGD(momentum=0.9), "SGD", {"momentum": 0.9}),
    (SGD(0.9, nesterov=True), "SGD", {"momentum": 0.9, "nesterov": True}),
    (Adam(), "Adam", {}),
    (Adam(0.8, 0.9), "Adam", {"betas": (0.8, 0.9)}),
    (Adam(amsgrad=True), "Adam", {"amsgrad": True}),
    (AdamW(), "AdamW", {}),
    (AdamW(weight_decay=0.5), "AdamW", {"weight_decay": 0.5}),
    (Nadam(), "NAdam", {}),
    (Nadam(0.8), "NAdam", {"betas": (0.8, 0.999)}),
    (Nadam(momentum_decay=0.1), "NAdam", {"momentum_decay": 0.1}),
    (Adamax(), "Adamax", {}),
    (RMSprop(rho=0.99), "RMSprop", {}),
    (RMSprop(0.9, centered=True), "RMSprop", {"alpha": 0.9, "centered": True}),
    (Adagrad(), "Adagrad", {}),
    (Adadelta(), "Adadelta", {}),
    (Adadelta(rho=0.5, epsilon=1e-3), "Adadelta", {"rho": 0.5, "eps": 1e-3}),
]


@pytest.mark.parametrize(("optimizer", "name", "options"), PEERS)
def test_step_for_step_as_pytorch(torch, optimizer, name, options):
    optimizer, weights = clone(optimizer), start()
    theirs = torch.nn.Parameter(torch.tensor(start()))
    peer = getattr(torch.optim, name)([theirs], lr=RATE, **options)
    for gradient in gradients():
        theirs.grad = torch.tensor(gradient)
        peer.step()
        optimizer.step(weights, gradient, RATE)
        # The second tolerance is a millionth of a step: a weight may come near zero.
        np.testing.assert_allclose(
            weights, theirs.detach().numpy(), rtol=1e-6, atol=1e-6 * RATE
        )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_update_keeps_dtype_and_gradient(name):
    weights = np.ones(5, dtype=np.float32)
    gradient = np.full(5, 0.5, dtype=np.float32)
    OPTIMIZERS[name]().step(weights, gradient, 0.1)
    assert weights.dtype == np.float32
    assert (weights < 1).all()
    np.testing.assert_array_equal(gradient, 0.5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_clone_starts_anew(name):
    used = OPTIMIZERS[name]()
    first = run(used)
    np.testing.assert_array_equal(run(clone(used)), first)
    assert clone(used).n_steps == 0
    assert used.n_steps == N_STEPS
