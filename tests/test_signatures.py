"""Signatures, types and `help` of the classes that users make objects of."""

import inspect
import io
import pydoc
import re
import typing

import pytest
from estimator_cases import ESTIMATORS, data_for, make
from public_classes import CLASSES
from sklearn import config_context

from skconvnet import ConvNetClassifier, MLPClassifier
from skconvnet.layers import Conv2D, Residual

every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)


def text_of_help(cls):
    out = io.StringIO()
    pydoc.Helper(output=out).help(cls)
    return re.sub(".\b", "", out.getvalue())  # without bold type


@every_class
def test_every_parameter_has_a_type(cls):
    for parameter in inspect.signature(cls).parameters.values():
        assert parameter.annotation is not parameter.empty
        assert not re.search(r"\b(Any|object)\b", str(parameter.annotation)), parameter


@every_class
def test_types_can_be_evaluated(cls):
    assert set(cls._get_param_names()) <= set(typing.get_type_hints(cls))


@every_class
def test_the_signature_is_that_of_init_without_quotes(cls):
    shown = inspect.signature(cls).parameters
    _, *own = inspect.signature(cls.__init__).parameters.values()
    assert [p.name for p in own] == list(shown)
    assert [p.kind for p in own] == [p.kind for p in shown.values()]
    for parameter in own:
        assert str(parameter.annotation) == str(shown[parameter.name].annotation)
        if "factory" not in repr(parameter.default):
            assert parameter.default is shown[parameter.name].default
    text = str(inspect.signature(cls))
    assert "factory" not in text
    assert not re.search(r": ['\"]", text)


def test_long_signatures_have_a_line_for_each_parameter():
    assert str(inspect.signature(Residual)).splitlines() == [
        "(",
        "    layers: Sequence[LayerSpec | str | tuple[str, LayerSpec | str]] = [],",
        "    shortcut: str | Sequence[LayerSpec | str | tuple[str, LayerSpec | str]] = "
        "'auto',",
        ")",
    ]
    lines = str(inspect.signature(ConvNetClassifier)).splitlines()
    assert lines[1] == "    filters: int | Sequence[int] = (32, 64),"
    assert "    *," in lines
    assert len(lines) == len(ConvNetClassifier().get_params()) + 3


def test_a_subclass_has_its_own_signature():
    class Small(ConvNetClassifier):
        def __init__(self, width: int = 4):
            self.width = width

    assert str(inspect.signature(Small)) == "(width: int = 4)"
    assert Small(width=3).get_params() == {"width": 3}

    class Same(ConvNetClassifier):
        pass

    assert inspect.signature(Same) == inspect.signature(ConvNetClassifier)


def test_positions_of_arguments():
    assert list(inspect.signature(MLPClassifier).parameters)[:2] == [
        "hidden_layer_sizes",
        "activation",
    ]
    convnet = ConvNetClassifier((8, 16), 5, 2, "valid")
    assert (convnet.filters, convnet.kernel_size) == ((8, 16), 5)
    assert (convnet.strides, convnet.padding) == (2, "valid")


@every_class
def test_help_has_no_noise(cls):
    text = text_of_help(cls)
    for noise in ("__dataclass_fields__", "__annotations__", "__init__", "__dict__"):
        assert noise not in text
    for name in cls._get_param_names():
        # As an attribute of the class, the default would come once more.
        assert f"\n |  {name} = " not in text, name


@every_estimator
def test_help_is_in_a_readable_order(cls):
    text = text_of_help(cls)
    _, _, methods = text.partition("Methods defined here:")
    own = methods.split("-----------\n |  ")[0]
    names = re.findall(r"^ \|  (\w+)\(", own, re.M)
    assert {"fit", "predict", "summary", "get_weights", "set_params"} <= set(names)
    assert not [name for name in names if name.startswith("_")]
    assert "inherited from skconvnet" not in methods
    assert "npt.ArrayLike'" not in methods
    # What most users set is described before what few do.
    described = re.findall(r"^ \|  (\w+) : ", text.partition("Attributes")[0], re.M)
    assert described.index("max_iter") < described.index("alpha")
    assert described.index("random_state") < described.index("beta_1")
    assert sorted(described) == sorted(cls._get_param_names())
    assert len(text.splitlines()) < 780


@every_estimator
def test_methods_for_routing_are_described_in_short(cls):
    doc = cls.set_fit_request.__doc__
    assert "arguments of `fit`" in doc
    assert len(doc.splitlines()) < 20
    with config_context(enable_metadata_routing=True):
        model = make(cls).set_fit_request(X_val=True)
        assert model.get_metadata_routing().fit.requests["X_val"] is True
        assert cls.set_fit_request(make(cls), y_val="mine") is not None
    with pytest.raises(RuntimeError, match="metadata routing is enabled"):
        make(cls).set_fit_request(X_val=True)


@every_estimator
def test_methods_can_be_overridden(cls):
    class Noted(cls):
        def fit(self, X, y):
            self.noted_ = True
            return super().fit(X, y)

    model = Noted(**make(cls).get_params(deep=False))
    with pytest.warns(match="hasn't converged"):
        model.fit(*data_for(cls))
    assert model.noted_
    assert model.predict(data_for(cls)[0]).shape == (60,)


def test_names_of_an_object_are_those_of_before():
    assert {"filters", "fit", "__init__"} <= set(dir(ConvNetClassifier()))
    assert {"filters", "build"} <= set(dir(Conv2D(1, 1)))
