"""The example `examples/learning_rates.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_example, run_example, with_and_without_a_plot

import skconvnet.schedules


@pytest.fixture
def learning_rates():
    return load_example("learning_rates")


def test_a_falling_rate_ends_lower_than_a_large_one(learning_rates):
    kinds = {type(schedule) for schedule in learning_rates.SCHEDULES.values()}
    assert kinds == set(skconvnet.schedules.SCHEDULES.values())
    X, _, y, _ = learning_rates.load()
    losses = {
        name: np.mean(
            [
                learning_rates.fit(
                    learning_rates.SCHEDULES[name], 0.3, seed, X, y
                ).loss_
                for seed in (0, 1)
            ]
        )
        for name in ("constant", "divided by 10 twice", "cosine", "one cycle")
    }
    largest = losses.pop("constant")
    assert all(loss < 0.3 * largest for loss in losses.values())


@with_and_without_a_plot
def test_learning_rates(learning_rates, draws, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(learning_rates, "EPOCHS", 4)
    monkeypatch.setattr(learning_rates, "RATES", (0.1,))
    monkeypatch.setattr(learning_rates, "SEEDS", (0,))
    run_example(learning_rates, draws, tmp_path)
    out = capsys.readouterr().out
    X, X_test, y, y_test = learning_rates.load()
    for name in ("cosine", "adaptive"):
        model = learning_rates.fit(learning_rates.SCHEDULES[name], 0.1, 0, X, y)
        assert len(model.loss_curve_) == 4
        accuracy = model.score(X_test, y_test)
        assert f"{name:<21}{model.loss_:11.4f}{accuracy:16.3f}" in out
