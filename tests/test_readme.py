"""The Python blocks of the README and of CONTRIBUTING run as they stand."""

import re
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_digits

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    MLPRegressor,
    SequentialRegressor,
)
from skconvnet.initializers import INITIALIZERS, Initializer
from skconvnet.layers import Conv2D
from skconvnet.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from skconvnet.optimizers import LBFGS, OPTIMIZERS
from skconvnet.schedules import SCHEDULES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def lines_of_code(heading):
    """Code in the last column of the table under `heading`."""
    _, section = README.read_text(encoding="utf-8").split(f"## {heading}\n", 1)
    rows = re.findall(r"^\|.*\| (`.*`) \|$", section.split("\n## ")[0], re.M)
    return [code for row in rows for code in re.findall("`(.*?)`", row)]


TABLE = lines_of_code("What scikit-learn's perceptrons were asked for")


# Each registry that has a table of names, objects and what they are, in their order.
REGISTRIES = {
    "solver": {**OPTIMIZERS, "lbfgs": LBFGS},
    "learning_rate": SCHEDULES,
    "loss of classifiers": CLASSIFICATION_LOSSES,
    "loss of regressors": REGRESSION_LOSSES,
    "kernel_initializer": {k: type(v) for k, v in INITIALIZERS.items()},
}


def tables_of_names():
    """Tables of (name, object) and the one of regularizers, of (parameters,)."""
    heading = "Optimizers, learning rates, losses, initial weights, regularization"
    _, section = README.read_text(encoding="utf-8").split(f"## {heading}\n", 1)
    section = section.split("\n## ")[0]
    tables = re.findall(r"^\| -.*\n((?:\|.*\n)+)", section, re.M)
    *named, cures = [
        [
            tuple(re.findall(r"^\| `(.*?)` \|(?: `(.*?)` \|)? \S", row)[0])
            for row in rows
        ]
        for rows in (table.splitlines() for table in tables)
    ]
    return dict(zip(REGISTRIES, named, strict=True)), [code for code, _ in cures]


NAMED, CURES = tables_of_names()


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


SETUP = """
import numpy as np
from scipy.stats import randint
from sklearn.datasets import load_digits
from sklearn.model_selection import (
    GridSearchCV, RandomizedSearchCV, train_test_split
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skconvnet import MLPClassifier, MLPRegressor
from skconvnet.losses import Huber, Quantile
from skconvnet.optimizers import RMSprop

X, y = load_digits(return_X_y=True)
X, y = X[:300] / 16, y[:300]
X_train, X_val, y_train, y_val = train_test_split(X, y, random_state=0)
mlp, reg = MLPClassifier(max_iter=20), MLPRegressor(max_iter=20)
"""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("code", TABLE)
def test_lines_of_the_table(code, namespace):
    exec(SETUP, namespace)
    with config_context(enable_metadata_routing="transform_input" in code):
        exec(code, namespace)
    # Searches and pipelines fit a clone.
    if code.startswith(("mlp", "reg", "while")):
        assert hasattr(namespace["reg" if code[0] == "r" else "mlp"], "network_")


def test_the_table_answers_every_request():
    text = README.read_text(encoding="utf-8")
    numbers = (9113, 6175, 10097, 26912, 16169, 14571, 18748, 24411, 18507, 25693)
    assert all(f"{n}" in text for n in (*numbers, 12505, 15568, 19701, 13567))
    assert len(TABLE) >= 17


def test_tables_of_names_are_complete():
    for kind, registry in REGISTRIES.items():
        assert [name.strip('"') for name, _ in NAMED[kind]] == list(registry), kind
    assert len(CURES) == 11


OBJECTS = """
from skconvnet.augmentation import *
from skconvnet.losses import *
from skconvnet.optimizers import *
from skconvnet.schedules import *
"""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("kind", "name", "code"),
    [(kind, *row) for kind, rows in NAMED.items() for row in rows],
)
def test_lines_of_names(kind, name, code, namespace):
    own = "" if kind != "kernel_initializer" else "from skconvnet.initializers import *"
    exec(OBJECTS + own, namespace)
    value = eval(code, namespace)
    assert type(value) is REGISTRIES[kind][name.strip('"')]
    X, y = load_digits(return_X_y=True)
    cls = MLPRegressor if kind == "loss of regressors" else MLPClassifier
    parameter = kind.split()[0]
    fitted = [
        cls(10, max_iter=3, random_state=0)
        .set_params(**{parameter: given})
        .fit(X[:200] / 16, y[:200])
        for given in (eval(name), value)
    ]
    assert all(np.isfinite(model.loss_) for model in fitted)
    if isinstance(value, Initializer):
        np.testing.assert_array_equal(fitted[0].coefs_[0], fitted[1].coefs_[0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("code", CURES)
def test_lines_of_regularizers(code, namespace):
    exec(OBJECTS, namespace)
    X, y = load_digits(return_X_y=True)
    params = {"filters": 4, "hidden_layer_sizes": 8, "max_iter": 8, "random_state": 0}
    plain, cured = (
        ConvNetClassifier(alpha=0.0, batch_size=20, **params).set_params(**given)
        for given in ({}, eval(f"dict({code})", namespace))
    )
    X, y = X[:200] / 16, y[:200]
    assert not np.array_equal(
        plain.fit(X, y).predict_proba(X), cured.fit(X, y).predict_proba(X)
    )


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
