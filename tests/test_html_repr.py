"""What notebooks show: layers, parameters with descriptions, links to our guide."""

import tomllib
import warnings
from html import unescape
from xml.etree import ElementTree

import numpy as np
import pytest
from docs_tools import DOCS, ROOT
from estimator_cases import ESTIMATORS, IMAGE_ESTIMATORS, data_for, layer_list, make
from public_classes import CLASSES
from sklearn import clone, config_context
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_html_repr

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
)
from skconvnet.augmentation import Shift
from skconvnet.engine.network import Network
from skconvnet.layers import Conv2D, Dense, Flatten, MaxPool2D, Residual
from skconvnet.losses import Huber
from skconvnet.optimizers import Adam
from skconvnet.text import TokenSequence

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LAYERS = "<summary>Layers</summary>"
GUIDE = "https://github.com/skconvnet/skconvnet/blob/main/docs/"


def html_of(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return estimator_html_repr(estimator)


def table(html, summary):
    """Return the table under a summary, which must be well-formed."""
    _, _, text = html.partition(f"<summary>{summary}</summary>")
    text = text[text.index("<table") : text.index("</table>")]
    return ElementTree.fromstring(f"{text}</table>")


def cells(html, summary):
    rows = table(html, summary).iter("tr")
    return [["".join(cell.itertext()).strip() for cell in row] for row in rows]


def layers_of(estimator):
    return cells(html_of(estimator), "Layers")


def rows_of_summary(model):
    lines = model.summary().splitlines()
    return [line.split() for line in lines if not line.startswith("-")]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_layers_after_fit(cls):
    X, y = data_for(cls)
    model = make(cls).fit(X, y)
    shown = ["".join(row).replace(" ", "") for row in layers_of(model)[1:]]
    assert shown == ["".join(row) for row in rows_of_summary(model)[1:]]
    assert LAYERS not in html_of(clone(model))


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
@pytest.mark.parametrize(
    "input_shape", [(6, 6), (6, 6, 1), [6, 6, 1], np.array([6, 6])]
)
@pytest.mark.filterwarnings("ignore:.*sequence")  # which (6, 6) are for ConvNets
def test_layers_before_fit_are_those_of_fit(cls, input_shape):
    X, y = data_for(cls)
    model = make(cls, input_shape=input_shape)
    before = layers_of(model)
    after = layers_of(make(cls, input_shape=input_shape).initialize(X, y))
    assert before[:-2] == after[:-2]
    assert before[-2] == ["output", "Output", "from y", "from y"]
    n_weights = int(after[-1][-1]) - int(after[-2][-1])
    assert before[-1] == ["total", "", "", f"{n_weights} + output"]


def test_a_flatten_is_shown_where_it_is_inserted():
    model = SequentialClassifier([Conv2D(2, 3)], input_shape=(5, 5, 1))
    assert [row[:3] for row in layers_of(model)[1:]] == [
        ["input", "", "(5, 5, 1)"],
        ["conv2d", "Conv2D", "(3, 3, 2)"],
        ["flatten", "Flatten", "(18,)"],
        ["output", "Output", "from y"],
        ["total", "", ""],
    ]


def test_layers_inside_layers():
    block = Residual([("inner", Conv2D(2, 3, padding="same"))])
    html = html_of(SequentialClassifier([("block", block)], input_shape=(5, 5, 2)))
    rows = cells(html, "Layers")
    assert [row[0] for row in rows[2:5]] == ["block", "inner", "shortcut"]
    assert 'style="padding-left: 1.5em">inner<' in html
    tips = [cell.get("title") for cell in table(html, "Layers").iter("td")]
    assert "Conv2D(filters=2, kernel_size=3, padding='same')" in tips


def test_no_weights_are_allocated_to_show_layers(monkeypatch):
    monkeypatch.setattr(Network, "__init__", None)
    huge = ConvNetClassifier(
        filters=10**4, hidden_layer_sizes=10**6, input_shape=(64, 64, 3)
    )
    *_, output, total = layers_of(huge)
    assert output[2] == "from y"
    assert len(total[3]) > len("1,000,000,000,000 + output")


@pytest.mark.parametrize(
    "params",
    [
        {"input_shape": (6, 6, 1, 1, 1)},
        {"input_shape": "wrong"},
        {"input_shape": (6, -6, 1)},
        {"input_shape": (6.5, 6, 1)},
        {"input_shape": (6, 6, 1), "kernel_size": "wrong"},
        {"input_shape": (6, 6, 1), "filters": ()},
        {"input_shape": (2, 2, 1), "padding": "valid", "kernel_size": 5},
        {"input_shape": (6, 6, 1), "alpha": -1},
    ],
)
def test_wrong_parameters_are_shown_all_the_same(params):
    html = html_of(ConvNetClassifier(**params))
    assert LAYERS not in html or "filters" in params
    assert ">Parameters<" in html
    assert repr(ConvNetClassifier(**params)).startswith("ConvNetClassifier(")


@pytest.mark.parametrize(
    "layers", [3, [3], [("a",)], [("a", Conv2D)], [("x__y", Dense(1))]]
)
def test_lists_that_are_not_of_layers_are_shown_all_the_same(layers):
    html = html_of(SequentialClassifier(layers, input_shape=(6, 6, 1)))
    assert LAYERS not in html


@pytest.mark.parametrize("is_fitted", [False, True])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: make_pipeline(FunctionTransformer(), model),
        lambda model: GridSearchCV(model, {"alpha": [0.1]}, cv=2),
        lambda model: GridSearchCV(
            make_pipeline(model), {"convnetclassifier__alpha": [1]}
        ),
    ],
    ids=["pipeline", "search", "search over a pipeline"],
)
def test_inside_of_other_estimators(wrap, is_fitted):
    X, y = data_for(ConvNetClassifier)
    model = wrap(make(ConvNetClassifier, input_shape=(6, 6, 1)))
    if is_fitted:
        model.fit(X, y)
    rows = layers_of(model)
    assert rows[2][:3] == ["conv1", "Conv2D", "(6, 6, 3)"]
    assert (rows[-2][3] == "from y") != is_fitted


def test_names_are_escaped():
    model = SequentialClassifier([("<b>'\"&", Dense(2))], input_shape=(3,))
    html = html_of(model)
    assert "<b>'" not in html
    assert cells(html, "Layers")[2][0] == "<b>'\"&"


def test_the_look_is_that_of_the_tables_of_scikit_learn():
    html = html_of(make(ConvNetClassifier, input_shape=(6, 6, 1)))
    table = html[html.index(LAYERS) :]
    assert table.startswith(f'{LAYERS}<table class="parameters-table">')
    assert "color:" not in table[: table.index("</table>")]


def test_display_as_text():
    model = make(SequentialClassifier, input_shape=(6, 6, 1))
    with config_context(display="text"):
        assert not hasattr(model, "_repr_html_")
        assert list(model._repr_mimebundle_()) == ["text/plain"]
    assert LAYERS in model._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("print_changed_only", [True, False])
def test_text_shows_every_layer(print_changed_only):
    model = SequentialClassifier(layer_list())
    with config_context(print_changed_only=print_changed_only):
        text = repr(model)
        html_of(model)
    if print_changed_only:
        names = (SequentialClassifier, Conv2D, MaxPool2D, Flatten, Dense)
        again = eval(text, {cls.__name__: cls for cls in names})
        assert repr(again) == text
        assert "('conv1'," in text
        assert "Conv2D(activation='relu', filters=3," in text
    else:
        assert "kernel_initializer='auto', trainable=True," in text


def tooltips(estimator):
    """Return the names of the parameters that have a description."""
    html = html_of(estimator)
    return {
        part.split(";")[0] for part in html.split("position-anchor: --doc-link-")[1:]
    }


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_parameter_has_a_tooltip(cls):
    assert set(cls().get_params()) <= tooltips(cls())


@pytest.mark.parametrize("cls", [*CLASSES, TokenSequence], ids=lambda cls: cls.__name__)
def test_every_class_is_documented_for_notebooks(cls):
    from sklearn.utils._repr_html.common import (
        generate_link_to_param_doc,
        get_docstring,
    )

    for name in cls._get_param_names():
        assert get_docstring(cls, "Parameters", name), name
        assert generate_link_to_param_doc(cls, name, "link"), name


@pytest.mark.parametrize("cls", [*CLASSES, TokenSequence], ids=lambda cls: cls.__name__)
def test_links_lead_to_pages_that_exist(cls):
    link = cls._get_doc_link(cls.__new__(cls))
    assert link.startswith(GUIDE)
    assert (DOCS / link.removeprefix(GUIDE)).is_file()
    with (ROOT / "pyproject.toml").open("rb") as file:
        urls = tomllib.load(file)["project"]["urls"]
    assert urls["Documentation"] + "/" == GUIDE.replace("/blob/", "/tree/")


def test_subclasses_of_users_have_no_link():
    class Mine(MLPClassifier):
        pass

    assert GUIDE not in html_of(Mine())


def test_parameters_of_layers_have_tooltips_and_full_names():
    model = SequentialClassifier([("conv1", Conv2D(3, 3)), ("conv-2", Conv2D(4, 1))])
    tips = tooltips(model)
    assert {"conv1__filters", "conv1__kernel_size", "conv-2__filters"} <= tips
    html = html_of(model)
    assert f"{GUIDE}layers.md#" in html
    # Those that were set come first.
    own = html[html.index("conv1: Conv2D") :]
    assert own.index("copyToClipboard('conv1__filters'") < own.index("conv1__padding")
    rows = own[: own.index("</table>")].split("<tr")[1:]
    assert len(rows) == len(Conv2D(1, 1).get_params())
    assert ["user-set" in row for row in rows] == [True] * 2 + [False] * 8


def test_parameters_of_other_objects_have_tooltips():
    model = MLPRegressor(loss=Huber(2), solver=Adam())
    assert {"loss__delta", "solver__beta_2"} <= tooltips(model)
    model = ConvNetClassifier(augmentation=[Shift(2)])
    assert "augmentation__shift__max_pixels" in tooltips(model)


def test_descriptions_are_those_of_the_docstring():
    html = html_of(ConvNetClassifier())
    assert "The maximum number of epochs" in unescape(html)
