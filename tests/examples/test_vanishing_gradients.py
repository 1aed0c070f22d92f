"""The example `examples/vanishing_gradients.py`, on little data."""

import numpy as np
import pytest
from script_tools import load_example, run_example, with_and_without_a_plot


@with_and_without_a_plot
def test_vanishing_gradients(draws, monkeypatch, tmp_path, capsys):
    example = load_example("vanishing_gradients")
    monkeypatch.setattr(example, "N_LAYERS", 10)
    X, y = example.load()
    monkeypatch.setattr(example, "load", lambda: (X, y))
    norms = {name: example.gradient_norms(name, X, y) for name in example.NETWORKS}
    assert norms["logistic"][0] < 1e-4 * norms["logistic"][-1]
    for name in ("tanh", "relu"):
        assert 0.1 < norms[name][0] / norms[name][-1] < 10
    assert norms["relu, too large"].min() > 20 * norms["relu"].max()
    model = example.make_model("tanh", alpha=0.0).initialize(X, y)
    kernel = model.loss_gradients(X, y)[1]["dense3/kernel"]
    assert norms["tanh"][2] == pytest.approx(np.sqrt((kernel**2).sum()))
    monkeypatch.setattr(example, "train", lambda *_: ([2.0, 1.0], "learned"))
    run_example(example, draws, tmp_path)
    assert f"{norms['logistic'][0]:.2e}" in capsys.readouterr().out


def test_clipping_holds_what_explodes(capsys):
    example = load_example("vanishing_gradients")
    data = example.load()
    assert example.train(None, *data) == ([], "diverged")
    losses, fate = example.train(1.0, *data)
    assert fate == "learned"
    assert losses[-1] < 0.1 * losses[0]
    out = capsys.readouterr().out
    assert "set\n    max_grad_norm" in out or "set max_grad_norm" in out
    assert f"loss {losses[0]:.3g} -> {losses[-1]:.3g}" in out
