"""Tests of optional packages, and a run in which no test may be skipped."""

import os
import re
import signal
from importlib.util import find_spec

import numpy as np
import pytest

# Of the backends of Keras, the only one that is installed for other tests too. Keras
# reads it when it is first imported.
os.environ.setdefault("KERAS_BACKEND", "torch")

# Packages that tests may need. Each is the name of a marker too. All of them are in the
# extras `bench`, `progress`, `safetensors`, `onnx`, `aeon` and `sktime`.
OPTIONAL = (
    "aeon",
    "captum",
    "distributed",
    "keras",
    "matplotlib",
    "onnxruntime",
    "optuna",
    "rich",
    "safetensors",
    "sktime",
    "torch",
)


# Modules of helpers, named after the package that they import. pytest imports all
# modules to look for examples in docstrings.
collect_ignore_glob = [
    f"{name}_*.py" for name in ("keras", "torch") if find_spec(name) is None
]


def pytest_addoption(parser):
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="fail if a test was skipped, or if none was run",
    )


def pytest_configure():
    # A shell starts jobs in the background with SIGINT ignored, and processes inherit
    # that. Tests of interrupts need what users have who run Python in a terminal.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _seeded_generators(request):
    """No test fails at random, whichever tests ran before it in the same process."""
    np.random.seed(0)  # noqa: NPY002  the generator that random_state=None stands for
    if "torch" in request.fixturenames:
        request.getfixturevalue("torch").manual_seed(0)


@pytest.fixture(scope="session")
def torch():
    """PyTorch on one thread: on small maps, several mostly wait for each other.

    A test that takes this fixture has the marker `torch`.
    """
    import torch

    torch.set_num_threads(1)
    return torch


@pytest.fixture(scope="session")
def keras(torch):
    """Keras, with PyTorch below it.

    A test that takes this fixture has the marker `keras`.
    """
    assert torch.get_num_threads() == 1
    import keras

    return keras


@pytest.fixture
def pyplot():
    """`matplotlib.pyplot` without a screen, whose figures are closed in the end.

    A test that takes this fixture has the marker `matplotlib`.
    """
    import matplotlib.pyplot

    matplotlib.pyplot.switch_backend("agg")
    yield matplotlib.pyplot
    matplotlib.pyplot.close("all")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    # First, so that `-m torch` finds these markers.
    for item in items:
        for name in {"torch", "keras"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(name)
        if "pyplot" in getattr(item, "fixturenames", ()):
            item.add_marker("matplotlib")
        _mark_doctest(item)
        if any(item.get_closest_marker(name) for name in OPTIONAL):
            item.add_marker("optional")


def _mark_doctest(item):
    """Give an example in a docstring the markers of the packages that it imports."""
    if not isinstance(item, pytest.DoctestItem):
        return
    source = "".join(example.source for example in item.dtest.examples)
    for name in OPTIONAL:
        if re.search(rf"^(?:import|from) .*(?<!skconvnet\.)\b{name}\b", source, re.M):
            item.add_marker(name)
            # pytest_runtest_setup is for the folder of this file alone.
            if find_spec(name) is None:
                item.add_marker(pytest.mark.skip(reason=f"{name} is optional"))


def pytest_runtest_setup(item):
    for name in OPTIONAL:
        if item.get_closest_marker(name):
            pytest.importorskip(name, reason=f"{name} is optional")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if not session.config.getoption("no_skips") or exitstatus != pytest.ExitCode.OK:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # one of several processes, whose results another one collects
        return
    outcomes = reporter.stats
    if "skipped" in outcomes or "passed" not in outcomes:
        print("\n--no-skips: a test was skipped, or none was run")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
