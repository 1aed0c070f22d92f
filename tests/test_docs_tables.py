"""The tables of the guide pages hold what the code has, and every line of them runs."""

import re
import warnings

import numpy as np
import pytest
from docs_tools import DOCS, read, section
from sklearn import config_context
from sklearn.datasets import load_digits

from skconvnet import ConvNetClassifier, MLPClassifier, MLPRegressor
from skconvnet.initializers import INITIALIZERS, Initializer
from skconvnet.layers import Conv2D
from skconvnet.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from skconvnet.optimizers import LBFGS, OPTIMIZERS
from skconvnet.schedules import SCHEDULES

FROM_SKLEARN = DOCS / "coming_from_sklearn_mlp.md"


def rows_of(text, header):
    """Return the rows of the one table that has this header."""
    (table,) = re.findall(rf"^{re.escape(header)}\n\| -.*\n((?:\|.*\n)+)", text, re.M)
    return table.splitlines()


def requests():
    """Return the code in the last column of the features requested in scikit-learn."""
    rows = rows_of(read(FROM_SKLEARN), "| requested feature | a line of code |")
    return [code for row in rows for code in re.findall("`(.*?)`", row.split("|")[2])]


REQUESTS = requests()

# Where each table of names and objects is, and the registry that it shows in order.
NAMES = {
    "solver": (
        "optimizers_and_learning_rates.md",
        "Optimizers",
        {**OPTIMIZERS, "lbfgs": LBFGS},
    ),
    "learning_rate": (
        "optimizers_and_learning_rates.md",
        "Learning rates",
        SCHEDULES,
    ),
    "loss of classifiers": (
        "losses.md",
        "Losses of classifiers",
        CLASSIFICATION_LOSSES,
    ),
    "loss of regressors": ("losses.md", "Losses of regressors", REGRESSION_LOSSES),
    "kernel_initializer": (
        "initial_weights.md",
        None,
        {name: type(value) for name, value in INITIALIZERS.items()},
    ),
}


def names_of(kind):
    """Return the (name, object) pairs of a table, as they are written."""
    page, heading, _ = NAMES[kind]
    text = read(DOCS / page) if heading is None else section(DOCS / page, heading)
    rows = rows_of(text + "\n", "| name | object | what it is |")
    return [re.match(r"\| `(.*?)` \| `(.*?)` \| \S", row).groups() for row in rows]


def regularizers():
    rows = rows_of(read(DOCS / "regularization.md"), "| parameters | what they do |")
    return [re.match(r"\| `(.*?)` \| \S", row)[1] for row in rows]


REGULARIZERS = regularizers()

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
@pytest.mark.parametrize("code", REQUESTS)
def test_what_scikit_learn_was_asked_for(code):
    namespace = {}
    exec(SETUP, namespace)
    with config_context(enable_metadata_routing="transform_input" in code):
        exec(code, namespace)
    # Searches and pipelines fit a clone.
    if code.startswith(("mlp", "reg", "while")):
        assert hasattr(namespace["reg" if code[0] == "r" else "mlp"], "network_")


def test_every_request_is_answered():
    text = read(FROM_SKLEARN)
    numbers = (9113, 6175, 10097, 26912, 16169, 14571, 18748, 24411, 18507, 25693)
    for number in (*numbers, 12505, 15568, 19701, 13567):
        assert f"({number}" in text or f", {number})" in text
    assert len(REQUESTS) == 22


@pytest.mark.parametrize("kind", NAMES)
def test_tables_of_names_are_complete(kind):
    assert [name.strip('"') for name, _ in names_of(kind)] == list(NAMES[kind][2])


OBJECTS = """
from skconvnet.augmentation import *
from skconvnet.losses import *
from skconvnet.optimizers import *
from skconvnet.schedules import *
"""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("kind", "name", "code"), [(kind, *row) for kind in NAMES for row in names_of(kind)]
)
def test_lines_of_names(kind, name, code):
    namespace = {}
    own = "" if kind != "kernel_initializer" else "from skconvnet.initializers import *"
    exec(OBJECTS + own, namespace)
    value = eval(code, namespace)
    assert type(value) is NAMES[kind][2][name.strip('"')]
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
@pytest.mark.parametrize("code", REGULARIZERS)
def test_lines_of_regularizers(code):
    namespace = {}
    exec(OBJECTS, namespace)
    X, y = load_digits(return_X_y=True)
    params = {"filters": 4, "hidden_layer_sizes": 8, "max_iter": 8, "random_state": 0}
    plain, regularized = (
        ConvNetClassifier(alpha=0.0, batch_size=20, **params).set_params(**given)
        for given in ({}, eval(f"dict({code})", namespace))
    )
    X, y = X[:200] / 16, y[:200]
    assert not np.array_equal(
        plain.fit(X, y).predict_proba(X), regularized.fit(X, y).predict_proba(X)
    )


def test_no_regularizer_is_left_out():
    assert len(REGULARIZERS) == 13


def defaults(page, heading, header):
    """Return the parameters of a table and their defaults, in pairs."""
    for row in rows_of(section(DOCS / page, heading) + "\n", header):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        names = re.findall("`(.*?)`", cells[0])
        yield from zip(names, eval(f"({cells[1]},)"), strict=True)


def test_defaults_of_convnets():
    table = defaults("estimators.md", "ConvNet", "| parameter | default | meaning |")
    params = ConvNetClassifier().get_params()
    for name, default in table:
        assert params[name] == default, name


def test_table_of_algorithms_is_complete():
    with pytest.raises(ValueError, match="conv_method must be one of") as error:
        Conv2D(1, 3, conv_method="none").build((8, 8, 1))
    allowed = re.findall(r"'(\w+)'", str(error.value).split(";")[0])
    rows = section(DOCS / "speed.md", "Convolution algorithms").splitlines()
    listed = [name for row in rows for name in re.findall(r'^\| `"(\w+)"` ', row)]
    assert sorted([*listed, "auto"]) == sorted(allowed)


def test_arrays_of_the_course_of_training_exist():
    rows = rows_of(read(DOCS / "inspecting.md"), "| attribute | one value per epoch |")
    X, y = load_digits(return_X_y=True)
    model = MLPClassifier(8, early_stopping=True, max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[:200], y[:200])
    for row in rows:
        (name,) = re.findall("^\\| `(.*?)`", row)
        assert len(getattr(model, name)) == model.n_iter_ == 3
