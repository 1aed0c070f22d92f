"""Names that are imported when they are first used."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from docs_tools import GUIDE, ROOT, read

import skconvnet
from skconvnet import augmentation, datasets, estimators, interop, layers, series
from skconvnet.ops.convolution.selection import ALGORITHMS

PACKAGES = [skconvnet, augmentation, datasets, estimators, interop, layers, series]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.__name__)
def test_every_name_is_there(package):
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
        assert name in dir(package)
    with pytest.raises(AttributeError, match=f"{package.__name__}.*'Nothing'"):
        _ = package.Nothing


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.__name__)
def test_type_checkers_see_the_same_names(package):
    tree = ast.parse(Path(package.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = [alias.asname for node in block.body for alias in node.names]
    assert sorted(seen) == list(package.__all__)


def test_packages_are_attributes_of_a_bare_import():
    code = """
import skconvnet, sys
assert "skconvnet.estimators" not in sys.modules
assert skconvnet.layers.Conv2D(3, 3).filters == 3
assert "skconvnet.layers.embedding" not in sys.modules
for name in set(dir(skconvnet)) - set(skconvnet.__all__):
    assert getattr(skconvnet, name).__name__ == f"skconvnet.{name}"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_packages_that_the_guide_imports_from_are_attributes():
    imported = {
        name
        for page in (ROOT / "README.md", *GUIDE)
        for name in re.findall(r"^ *from skconvnet\.([a-z]+) import", read(page), re.M)
    }
    assert {"callbacks", "layers", "shards"} <= imported
    # Life of a minibatch shows what is inside.
    assert imported - {"engine", "ops"} <= set(dir(skconvnet)) - set(skconvnet.__all__)


def test_star_import():
    names = {}
    exec("from skconvnet.layers import *", names)
    assert set(layers.__all__) <= set(names)


def test_algorithms_of_convolution_are_named_without_importing_them():
    model = skconvnet.ConvNetClassifier(conv_method="another")
    with pytest.raises(ValueError, match="'conv_method' parameter") as caught:
        model.fit(np.zeros((4, 8, 8)), [0, 1, 0, 1])
    (allowed,) = re.findall("among {(.*?)}", str(caught.value))
    options = set(re.findall(r"'(\w+)'", allowed))
    assert options == {"auto", *ALGORITHMS}


def test_pickles_name_the_module_of_a_class():
    module = importlib.import_module("skconvnet.layers.conv")
    assert layers.Conv2D is module.Conv2D
    assert layers.Conv2D.__module__ == module.__name__
