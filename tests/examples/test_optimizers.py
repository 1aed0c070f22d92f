"""The example `examples/optimizers.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_example, run_example, with_and_without_a_plot

import skconvnet.optimizers


@pytest.fixture(scope="module")
def optimizers():
    return load_example("optimizers")


def test_the_valley_and_the_ways_down(optimizers):
    at, step = np.array([-0.7, 1.3]), 1e-6
    _, slope = optimizers.valley(at)
    for axis in np.eye(2):
        ends = [optimizers.valley(at + s * axis)[0] for s in (step, -step)]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(axis @ slope)
    assert optimizers.valley(np.array(optimizers.MINIMUM))[0] == 0
    start = optimizers.valley(np.array(optimizers.START))[0]
    for name, optimizer in optimizers.OPTIMIZERS.items():
        rate, path = optimizers.best_descent(optimizer)
        assert rate in optimizers.RATES
        assert path.shape == (optimizers.STEPS + 1, 2)
        assert optimizers.valley(path[-1])[0] < 0.01 * start, name
    # What is looked at last is the minimum.
    np.testing.assert_allclose(optimizers.search()[-1], optimizers.MINIMUM, atol=1e-5)


def test_ways_down_are_those_of_the_weights_to_predict_by(optimizers):
    path = optimizers.descend(skconvnet.optimizers.SGD(momentum=0.0), 0.01, 2)
    first = path[0] - 0.01 * optimizers.valley(path[0])[1]
    second = first - 0.01 * optimizers.valley(first)[1]
    np.testing.assert_allclose(path, [optimizers.START, first, second])
    wild = optimizers.descend(skconvnet.optimizers.SGD(momentum=0.0), 10.0, 20)
    assert np.isnan(wild[-1]).all()
    assert not np.isnan(wild[0]).any()
    # From z_1 to z_2 are steps of `rate` at most, and their mean is half as far.
    free = skconvnet.optimizers.ScheduleFreeAdamW(beta_2=0.0)
    path = optimizers.descend(free, 0.1, 2)
    np.testing.assert_allclose(np.abs(np.diff(path, axis=0)), [[0.1] * 2, [0.05] * 2])


@with_and_without_a_plot
def test_optimizers_example(optimizers, draws, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(optimizers, "EPOCHS", 3)
    monkeypatch.setattr(optimizers, "RATES", (0.01, 10.0))
    chosen = {name: optimizers.OPTIMIZERS[name] for name in ("SGD", "Adam")}
    # SGD is there three times, Muon is not.
    assert len(optimizers.OPTIMIZERS) == len(skconvnet.optimizers.OPTIMIZERS) + 1
    monkeypatch.setattr(optimizers, "OPTIMIZERS", chosen)
    run_example(optimizers, draws, tmp_path)
    out = capsys.readouterr().out
    X_train, X_test, y_train, y_test = optimizers.load()
    model = optimizers.fit(chosen["Adam"], 0.01, X_train, y_train)
    assert f"{model.loss_curve_[0]:12.4f}{model.loss_:12.4f}" in out
    assert f"{model.score(X_test, y_test):16.3f}" in out
    assert "L-BFGS" in out
    assert "evaluations" in out
