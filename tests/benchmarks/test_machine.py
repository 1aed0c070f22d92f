"""What benchmarks print of the machine, and what they warn of."""

import platform
import sys

import numpy as np
import pytest
from script_tools import load_benchmark


@pytest.fixture(scope="module")
def machine():
    return load_benchmark("_machine")


def test_machine_and_versions_are_printed(machine, monkeypatch, capsys):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    machine.print_machine()
    out, err = capsys.readouterr()
    assert out.startswith(machine.cpu_model())
    assert f"Python {platform.python_version()}, numpy {np.__version__}" in out
    assert err == ""
    assert machine.machine_title().startswith(machine.cpu_model())


def test_kernels_of_each_blas_are_printed(machine, monkeypatch):
    openblas = {
        "user_api": "blas",
        "internal_api": "openblas",
        "version": "0.3.30",
        "num_threads": 2,
        "filepath": "/lib/numpy.libs/libopenblas.so",
        "architecture": "SkylakeX",
    }
    other = {**openblas, "filepath": "/lib/scipy.libs/libopenblas.so"}
    del other["architecture"]
    openmp = {"user_api": "openmp", "filepath": "/lib/libgomp.so"}
    monkeypatch.setattr(machine, "threadpool_info", lambda: [openmp, other, openblas])
    assert machine.blas_lines() == [
        "openblas 0.3.30, SkylakeX kernels, 2 threads (numpy.libs/libopenblas.so)",
        "openblas 0.3.30, unknown kernels, 2 threads (scipy.libs/libopenblas.so)",
    ]
    monkeypatch.setattr(machine, "threadpool_info", list)
    assert machine.blas_lines() == ["a BLAS that threadpoolctl does not know"]


def test_forced_kernels_are_warned_of(machine, monkeypatch, capsys):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    machine.print_machine()
    warning = capsys.readouterr().err
    assert warning.startswith("warning: OPENBLAS_CORETYPE=Haswell forces")
    assert "env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python" in warning


def test_a_cpu_without_a_name(machine, monkeypatch):
    def missing(*_):
        raise FileNotFoundError

    monkeypatch.setattr(machine.Path, "read_text", missing)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert machine.cpu_model() == platform.machine()
