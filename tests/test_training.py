"""What an update of the training loop does, and L-BFGS on the full batch."""

import math

import numpy as np
import pytest
from training_tools import N, Problem, Steps

from skconvnet.engine.executor import Executor
from skconvnet.engine.minibatches import resolve_batch_size
from skconvnet.losses import SquaredError
from skconvnet.optimizers import LBFGS, Adam
from skconvnet.schedules import InverseScaling
from skconvnet.training.lbfgs import minimize_lbfgs
from skconvnet.training.regularization import add_penalty


@pytest.mark.parametrize("mode", ["bgd", "sgd", "mbgd"])
def test_updates_an_epoch(mode):
    optimizer, size = Steps(), resolve_batch_size(mode, 4, N)
    result = Problem().train(optimizer, batch_size=size, max_iter=3)
    assert result == (3, False)
    an_epoch = {"bgd": 1, "sgd": N, "mbgd": math.ceil(N / 4)}[mode]
    assert len(optimizer.rates) == 3 * an_epoch


def test_an_update_follows_the_penalized_gradient():
    problem = Problem()
    kernel, bias = (array.copy() for array in problem.network.weights.values())
    problem.train(Steps(), rate=0.1, batch_size=N, max_iter=1, alpha=2.0)
    residual = problem.X @ kernel + bias - problem.y
    value = 0.5 * ((residual**2).sum() + 2.0 * (kernel**2).sum()) / N
    assert problem.history.loss_curve == [pytest.approx(value)]
    moved_kernel, moved_bias = problem.network.weights.values()
    slope = (problem.X.T @ residual + 2.0 * kernel) / N
    np.testing.assert_allclose(moved_kernel, kernel - 0.1 * slope, rtol=1e-12)
    np.testing.assert_allclose(moved_bias, bias - 0.1 * residual.mean(axis=0))


def test_loss_curve_is_the_mean_over_samples():
    problem = Problem()
    problem.train(Steps(), rate=0.0, max_iter=2)
    np.testing.assert_allclose(problem.history.loss_curve, problem.mean_loss())


def test_sample_weights_count_like_copies():
    weights = np.array([2.0, 0.0] * 5)
    problem, copies = Problem(weights=weights), Problem()
    copies.samples.index = np.repeat(np.arange(0, N, 2), 2)
    for each in (problem, copies):
        each.train(Steps(), rate=0.1, batch_size=N, shuffle=False)
    np.testing.assert_allclose(
        problem.network.vector, copies.network.vector, rtol=1e-12
    )


def test_minibatch_without_weight_changes_nothing():
    problem, optimizer = Problem(weights=np.zeros(N)), Adam()
    before = problem.network.vector.copy()
    problem.train(optimizer, alpha=1.0)
    np.testing.assert_array_equal(problem.network.vector, before)
    assert optimizer.n_steps == 0


@pytest.mark.parametrize("max_norm", [1e-3, 1e9])
def test_max_grad_norm_bounds_a_step(max_norm):
    free, clipped = Steps(), Steps()
    Problem().train(free, max_iter=1, alpha=1.0)
    Problem().train(clipped, max_iter=1, alpha=1.0, max_grad_norm=max_norm)
    assert clipped.norms[0] == pytest.approx(min(free.norms[0], max_norm))
    assert max(clipped.norms) <= max_norm * (1 + 1e-12)


@pytest.mark.parametrize("shuffle", [False, True])
def test_shuffle_draws_a_new_order_each_epoch(shuffle):
    optimizer = Steps()
    Problem().train(optimizer, rate=0.0, shuffle=shuffle, batch_size=1, max_iter=2)
    first, second = optimizer.norms[:N], optimizer.norms[N:]
    assert (first == second) is not shuffle
    np.testing.assert_allclose(sorted(first), sorted(second))


def test_schedule_hears_of_the_samples_seen():
    problem, optimizer = Problem(), Steps()
    problem.train(
        optimizer, schedule=InverseScaling().start(0.1, 3), batch_size=N, max_iter=3
    )
    expected = [0.1, 0.1 / (N + 1) ** 0.5, 0.1 / (2 * N + 1) ** 0.5]
    np.testing.assert_allclose(optimizer.rates, expected)


def test_a_later_call_goes_on_from_the_history():
    problem = Problem()
    problem.train(Steps(), max_iter=2)
    problem.train(Steps(), max_iter=3)
    assert problem.history.n_seen == 5 * N
    assert len(problem.history.loss_curve) == 5
    assert problem.history.best_loss == min(problem.history.loss_curve)


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_penalty_and_its_gradient(strength):
    network = Problem().network
    gradient = np.ones_like(network.vector)
    kernel = network.weights["output/kernel"]
    n = network.layout.n_penalized
    value = add_penalty(network.vector[:n], gradient[:n], strength)
    assert value == pytest.approx(strength / 2 * (kernel**2).sum())
    of_kernel, of_bias = network.layout.views(gradient).values()
    np.testing.assert_allclose(of_kernel, 1 + strength * kernel)
    np.testing.assert_array_equal(of_bias, 1)


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-5), ("float32", 1e-3)])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_lbfgs_finds_the_ridge_solution(alpha, dtype, rtol):
    problem = Problem(dtype=dtype)
    with Executor(problem.network, SquaredError(), 1) as executor:
        result = minimize_lbfgs(
            executor,
            problem.samples,
            alpha=alpha,
            l1_ratio=0.0,
            max_iter=500,
            solver=LBFGS(max_fun=1000),
            tol=1e-6,
        )
    X, y = problem.X - problem.X.mean(axis=0), problem.y - problem.y.mean(axis=0)
    expected = np.linalg.solve(X.T @ X + alpha * np.eye(3), X.T @ y)
    kernel, bias = problem.network.weights.values()
    np.testing.assert_allclose(kernel, expected, rtol=rtol, atol=rtol)
    mean = problem.y.mean(axis=0) - problem.X.mean(axis=0) @ expected
    np.testing.assert_allclose(bias, mean, rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(problem.network.vector, result.x.astype(dtype))


def test_lbfgs_keeps_to_max_iter():
    problem = Problem()
    with Executor(problem.network, SquaredError(), 1) as executor:
        result = minimize_lbfgs(
            executor,
            problem.samples,
            solver=LBFGS(),
            alpha=0.0,
            l1_ratio=0.0,
            max_iter=2,
            tol=1e-9,
        )
    assert result.nit == 2
    np.testing.assert_array_equal(problem.network.vector, result.x)
