"""Pickles: what they hold, and those that another layout wrote."""

import copy
import importlib
import importlib.util
import pickle
import re
import subprocess
import sys

import joblib
import numpy as np
import pytest
from estimator_cases import ESTIMATORS, data_for, make

import skconvnet
from skconvnet._pickles import LAYOUT, MOVED_MODULES, recognize_moved_modules
from skconvnet.layers import Conv2D

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every = pytest.mark.parametrize("cls", ESTIMATORS)


def text_pickle(cls):
    """Return a pickle of a fitted estimator in the protocol of plain text."""
    return pickle.dumps(make(cls).fit(*data_for(cls)), protocol=0)


def with_layout(stream, number):
    pattern = rb"(V_layout\np\d+\nI)%d\n" % LAYOUT
    changed, n = re.subn(pattern, rb"\g<1>%d\n" % number, stream)
    assert n == 1
    return changed


@every
@pytest.mark.parametrize("change", [copy.copy, copy.deepcopy])
def test_copies_have_the_same_attributes(cls, change):
    model = make(cls).fit(*data_for(cls))
    assert set(vars(change(model))) == set(vars(model))
    loaded = pickle.loads(pickle.dumps(model))
    assert set(vars(loaded)) == set(vars(model))


@every
def test_a_pickle_of_the_earlier_layout_says_what_to_do(cls):
    stream = text_pickle(cls)
    old = stream.replace(b"cskconvnet.engine.network\n", b"cskconvnet.network\n")
    assert old != stream
    with pytest.raises(ModuleNotFoundError) as info:
        pickle.loads(old)
    message = str(info.value)
    assert "no longer has a module 'skconvnet.network'" in message
    assert "an earlier version of skconvnet wrote it" in message
    assert "get_weights()" in message


def test_a_pickle_of_a_layer_that_moved_says_what_to_do():
    stream = pickle.dumps(Conv2D(3, 3), protocol=0)
    old = stream.replace(b"skconvnet.layers.conv\n", b"skconvnet.layers.convolution\n")
    assert old != stream
    with pytest.raises(ModuleNotFoundError, match="earlier version of skconvnet"):
        pickle.loads(old)


def test_a_layer_that_moved_is_explained_before_anything_else_is_imported(tmp_path):
    stream = pickle.dumps(Conv2D(3, 3), protocol=0)
    old = stream.replace(b"skconvnet.layers.conv\n", b"skconvnet.layers.convolution\n")
    (tmp_path / "layer.pickle").write_bytes(old)
    code = f"import pickle; pickle.load(open({str(tmp_path / 'layer.pickle')!r}, 'rb'))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "an earlier version of skconvnet wrote it" in run.stderr


@every
@pytest.mark.parametrize(
    ("number", "age"), [(LAYOUT - 1, "an earlier"), (LAYOUT + 1, "a later")]
)
def test_another_layout_is_recognized(cls, number, age):
    stream = with_layout(text_pickle(cls), number)
    message = f"{cls.__name__} was saved by {age} version .* layout {number} "
    with pytest.raises(ValueError, match=message):
        pickle.loads(stream)


@every
def test_a_file_without_a_layout_is_of_an_earlier_one(cls):
    state = make(cls).fit(*data_for(cls)).__getstate__()
    del state["_layout"]
    with pytest.raises(ValueError, match="an earlier version"):
        cls.__new__(cls).__setstate__(state)


@every
def test_files_of_this_layout_are_read(cls, tmp_path):
    X, y = data_for(cls)
    model = make(cls).fit(X, y)
    joblib.dump(model, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("name", sorted(MOVED_MODULES))
def test_modules_that_moved_are_gone(name):
    with pytest.raises(ModuleNotFoundError, match="can only be loaded by the version"):
        importlib.import_module(name)


def test_other_names_are_looked_up_as_ever():
    assert importlib.util.find_spec("skconvnet.nothing") is None
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec("from skconvnet import nothing")
    with pytest.raises(ImportError, match="cannot import name 'network'"):
        exec("from skconvnet import network")
    assert not hasattr(skconvnet, "network")


def test_the_finder_is_added_once():
    before = list(sys.meta_path)
    recognize_moved_modules()
    assert sys.meta_path == before
