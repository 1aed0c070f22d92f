"""What show_versions says, and when it advises."""

import numpy as np
import pytest
import sklearn

from skconvnet import show_versions
from skconvnet.inspection import versions


def test_it_names_what_is_installed(capsys):
    show_versions()
    out = capsys.readouterr().out
    for line in (f"numpy: {np.__version__}", f"scikit-learn: {sklearn.__version__}"):
        assert line in out
    assert "kernels:" in out
    assert "threads:" in out


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
def test_advice_only_where_the_cpu_has_more(library, features, expected):
    api, architecture = library
    libraries = [{"internal_api": api, "architecture": architecture}]
    assert versions.has_older_kernels(libraries, features) is expected


@pytest.mark.parametrize("measure", [False, True])
def test_advice_names_the_variable(monkeypatch, capsys, measure):
    monkeypatch.setattr(versions, "has_older_kernels", lambda *_: True)
    monkeypatch.setattr(versions, "measured_gain", lambda: 1.5)
    show_versions(measure=measure)
    out = capsys.readouterr().out
    assert "OPENBLAS_CORETYPE=SKYLAKEX" in out
    assert ("1/1.50 of the time" in out) is measure


def test_features_are_those_of_this_cpu():
    assert all(isinstance(name, str) for name in versions.cpu_features())
