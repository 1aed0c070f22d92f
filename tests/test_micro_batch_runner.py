"""Micro-batches go through all functions that do not need each other's results."""

import numpy as np
import pytest

from skconvnet.layers import Activation, BatchNorm, Conv1D, Dropout, Residual
from skconvnet.layers.micro_batch_runner import MicroBatchRunner
from skconvnet.ops.workspace import Workspace
from tests.layer_tools import Bench


class Rounds:
    """Runs tasks in the given order, and counts how often threads would wait."""

    def __init__(self, order):
        self.order, self.n = order, 0

    def __call__(self, n_tasks, task):
        self.n += 1
        assert sorted(self.order) == list(range(n_tasks))
        for m in self.order:
            task(m, 0)


def test_a_micro_batch_goes_through_all_functions_before_the_next_one():
    calls, run = [], Rounds([1, 0])
    runner = MicroBatchRunner(run, [None, None])
    first = runner.map(lambda m: calls.append(("first", m)) or 10 * m)
    second = runner.map(lambda m: calls.append(("second", m)) or first[m] + 1)
    assert not calls
    assert len(second) == 2
    assert list(second) == [1, 11]
    assert calls == [("first", 1), ("second", 1), ("first", 0), ("second", 0)]
    assert first[:2] == [0, 10]
    runner.finish()
    assert run.n == 1


def test_results_of_other_micro_batches_are_not_there_yet():
    runner = MicroBatchRunner(Rounds([0, 1]), [None, None])
    own = runner.map(lambda m: m)
    runner.map(lambda m: own[1 - m])
    with pytest.raises(RuntimeError, match="needs a result of micro-batch 1"):
        runner.finish()


def test_errors_are_raised_when_results_are_needed_and_functions_run_once():
    runner = MicroBatchRunner.single(None)
    failed = runner.map(lambda m: 1 // m)
    with pytest.raises(ZeroDivisionError):
        failed[0]
    later = runner.map(lambda m: m)
    assert list(later) == [0]


def test_results_are_gathered_from_everywhere():
    runner = MicroBatchRunner(
        Rounds([0, 1]), [None, None], gather=lambda own: [*own, "elsewhere"]
    )
    results = runner.map(lambda m: (m, str(m)))
    assert runner.of_all(runner.pick(results, 1)) == ["0", "1", "elsewhere"]


def test_threads_wait_once_for_each_batch_normalization_in_each_pass():
    spec = Residual(
        [
            Conv1D(4, 3, padding="same"),
            BatchNorm(),
            Activation("relu"),
            Dropout(0.5),
            Conv1D(4, 3, padding="same"),
            BatchNorm(),
        ]
    )
    layer = Bench(spec, (8, 4)).layer
    x = np.random.default_rng(0).normal(size=(4, 8, 6))
    gradients = [
        {name: np.empty_like(array) for name, array in layer.weights.items()}
        for _ in range(2)
    ]
    run = Rounds([1, 0])
    runner = MicroBatchRunner(run, [np.random.default_rng(m) for m in range(2)])
    options = {"runner": runner, "workspaces": [Workspace(), Workspace()]}
    ys, caches = layer.forward_micro_batches(
        [layer, layer], [x[..., :4].copy(), x[..., 4:].copy()], **options
    )
    dxs = layer.backward_micro_batches(
        [layer, layer], ys, caches, gradients=gradients, need_dx=True, **options
    )
    assert [dx.shape for dx in dxs] == [(4, 8, 4), (4, 8, 2)]
    # Before two common means, before two pairs of common sums, and to the end.
    assert run.n == 5
