"""What show_versions says, and when it advises."""

import os
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import sklearn
from threadpoolctl import threadpool_info

from skconvnet import show_versions
from skconvnet.inspection import versions

OLDER = [{"internal_api": "openblas", "architecture": "Haswell"}]
NEWER = [{"internal_api": "openblas", "architecture": "SkylakeX"}]
AVX512 = ["X86_V3", "X86_V4"]
ALL_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
IS_SET = {"OPENBLAS_CORETYPE": "Haswell"}


def test_it_names_what_is_installed(capsys):
    show_versions()
    out = capsys.readouterr().out
    for line in (f"numpy: {np.__version__}", f"scikit-learn: {sklearn.__version__}"):
        assert line in out
    assert "threads:" in out


def test_it_names_the_kernels_in_use(capsys):
    show_versions()
    out = capsys.readouterr().out
    for library in threadpool_info():
        if library["user_api"] == "blas":
            assert f"kernels: {library.get('architecture', 'unknown')}" in out


@pytest.mark.parametrize(
    ("library", "features", "expected"),
    [
        (("openblas", "Haswell"), ["AVX512_SKX"], True),
        (("openblas", "Haswell"), ["X86_V4"], True),
        (("openblas", "SkylakeX"), ["AVX512_SKX"], False),
        (("openblas", "Haswell"), ["X86_V3"], False),
        (("mkl", "Haswell"), ["X86_V4"], False),
    ],
)
def test_older_kernels_are_those_without_what_the_cpu_has(library, features, expected):
    api, architecture = library
    libraries = [{"internal_api": api, "architecture": architecture}]
    assert versions.has_older_kernels(libraries, features) is expected


def test_a_variable_is_told_to_be_the_cause_of_older_kernels():
    advice = versions.advice_on_kernels(IS_SET, OLDER, AVX512)
    assert "OPENBLAS_CORETYPE=Haswell is set" in advice
    assert "half the speed" in advice
    assert "Unset OPENBLAS_CORETYPE and\nOPENBLAS_L2_SIZE" in advice


def test_a_variable_that_does_no_harm_is_named_without_a_cost():
    advice = versions.advice_on_kernels(IS_SET, NEWER, AVX512)
    assert "OPENBLAS_CORETYPE=Haswell is set" in advice
    assert "half the speed" not in advice


@pytest.mark.parametrize("libraries", [OLDER, NEWER])
@pytest.mark.parametrize("environ", [{}, {"OPENBLAS_CORETYPE": ""}])
def test_no_advice_without_the_variable(environ, libraries):
    assert versions.advice_on_kernels(environ, libraries, AVX512) is None


@pytest.mark.parametrize("measure", [False, True])
def test_advice_and_its_measured_cost_are_printed(monkeypatch, capsys, measure):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setattr(versions, "measured_cost", lambda: 1.5)
    show_versions(measure=measure)
    out = capsys.readouterr().out
    assert "Unset OPENBLAS_CORETYPE" in out
    assert ("1.50 times as long" in out) is measure


def test_nothing_is_advised_without_the_variable(monkeypatch, capsys):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    show_versions(measure=True)
    assert "OPENBLAS_CORETYPE" not in capsys.readouterr().out


@pytest.mark.slow
def test_the_cost_is_measured_with_and_without_the_variable(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert versions.measured_cost() > 0


def test_the_cost_is_a_ratio_of_times(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "1")
    program = "import os; print(2 + sum(k.startswith('OPENBLAS_') for k in os.environ))"
    others = [
        name
        for name in os.environ
        if name.startswith("OPENBLAS_") and name not in ALL_VARIABLES
    ]
    n = len(others)
    assert versions.measured_cost(program) == (4 + n) / (2 + n)


def test_a_package_that_is_missing_is_named_as_such(monkeypatch, capsys):
    def version(package):
        if package == "torch":
            raise PackageNotFoundError
        return "1.0"

    monkeypatch.setattr(versions, "version", version)
    show_versions()
    out = capsys.readouterr().out
    assert "torch: not installed" in out
    assert "matplotlib: 1.0" in out


def test_features_are_those_of_this_cpu():
    assert all(isinstance(name, str) for name in versions.cpu_features())
