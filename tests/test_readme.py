"""The Python blocks of the README and of CONTRIBUTING run as they stand."""

import re
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest

from skconvnet import SequentialRegressor
from skconvnet.layers import Conv2D

ROOT = Path(__file__).parents[1]


@pytest.fixture
def namespace(monkeypatch):
    # Dataclasses look their module up.
    module = types.ModuleType("documented")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return vars(module)


def run_blocks(file, namespace):
    """Run every block of Python in `file`, one after the other, at its own lines."""
    text = (ROOT / file).read_text(encoding="utf-8")
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks:
            code = "\n" * text.count("\n", 0, block.start(1)) + block[1]
            exec(compile(code, file, "exec"), namespace)
    return text, len(blocks)


def test_readme(namespace, capsys):
    text, n_blocks = run_blocks("README.md", namespace)
    assert n_blocks >= 8
    # The table shown under "Looking inside" is the one that its block prints.
    assert namespace["inside"].summary() in text
    assert namespace["inside"].summary() in capsys.readouterr().out


def test_layer_of_contributing(namespace):
    _, n_blocks = run_blocks("CONTRIBUTING.md", namespace)
    assert n_blocks == 1
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(10, 5, 5, 2)), rng.normal(size=10)
    layers = [Conv2D(3, 2), ("scale", namespace["ChannelScale"](0.5)), Conv2D(2, 2)]
    model = SequentialRegressor(layers, random_state=0).initialize(X, y)
    _, gradients = model.loss_gradients(X, y)

    direction = {name: rng.normal(size=g.shape) for name, g in gradients.items()}
    expected = sum(np.sum(gradients[name] * d) for name, d in direction.items())
    weights = model.get_weights()
    losses = []
    for step in (1e-6, -1e-6):
        model.set_weights({n: w + step * direction[n] for n, w in weights.items()})
        losses.append(model.loss_gradients(X, y)[0])
    assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(expected, rel=1e-6)
