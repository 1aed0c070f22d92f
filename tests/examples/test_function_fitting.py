"""The example `examples/function_fitting.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_example, run_example, with_and_without_a_plot


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@with_and_without_a_plot
def test_function_fitting(draws, monkeypatch, tmp_path, capsys):
    example = load_example("function_fitting")
    made = example.make_model
    monkeypatch.setattr(
        example, "make_model", lambda loss: made(loss).set_params(max_iter=60)
    )
    run_example(example, draws, tmp_path)
    out = capsys.readouterr().out
    X, y = example.load()
    model = example.make_model("squared_error").fit(X, y)
    x = np.linspace(-4.8, 4.8, 200)
    assert f"R^2 {model.score(X, y):.4f}" in out
    distance = np.sqrt(((model.predict(x[:, None]) - example.curve(x)) ** 2).mean())
    assert f"itself (rms): {distance:.3f}" in out
    assert distance < 0.15
    spoiled = example.with_outliers(y)
    assert (spoiled != y).sum() == example.OUTLIERS
    errors = [
        example.error(example.make_model(loss).fit(X, spoiled), x)
        for loss in ("absolute_error", "squared_error")
    ]
    assert errors[0] < 0.5 * errors[1]
