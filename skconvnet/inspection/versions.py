"""The versions that a computation runs on, and the kernels that BLAS uses."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

_PACKAGES = (
    "skconvnet",
    "numpy",
    "scipy",
    "scikit-learn",
    "joblib",
    "threadpoolctl",
    "matplotlib",
    "torch",
)
# The kernels of OpenBLAS for CPUs without AVX-512.
_OLDER_KERNELS = {"Haswell", "Zen", "SandyBridge", "Nehalem", "Bulldozer", "Piledriver"}
# Environment variables that override what OpenBLAS detects about the CPU.
_KERNELS_VARIABLE = "OPENBLAS_CORETYPE"
_VARIABLES = (_KERNELS_VARIABLE, "OPENBLAS_L2_SIZE")

_GEMM = """
import time, numpy as np
a, b = np.ones((2, 256, 1024), dtype=np.float32)
times = []
for _ in range(60):
    start = time.perf_counter()
    a @ b.T
    times.append(time.perf_counter() - start)
print(sorted(times)[30])
"""


def show_versions(*, measure: bool = False) -> None:
    """Print the versions and the BLAS libraries that skconvnet runs on.

    NumPy's OpenBLAS chooses the kernels that suit the CPU, unless the environment
    variable ``OPENBLAS_CORETYPE`` is set. If it is, advice about it is printed as well.

    Parameters
    ----------
    measure : bool, default=False
        Whether to measure how much slower this variable makes matrix products, in two
        short processes.

    Examples
    --------
    >>> from skconvnet import show_versions
    >>> show_versions()  # doctest: +ELLIPSIS
    System
        python: ...
    """
    print("System")
    print(f"    python: {platform.python_version()}")
    print(f"    platform: {platform.platform()}")
    print(f"    CPUs: {os.cpu_count()}")
    print("\nPackages")
    for package in _PACKAGES:
        print(f"    {package}: {_version(package)}")
    print("\nBLAS")
    libraries = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]
    for library in libraries:
        name = os.path.basename(library["filepath"])
        kernels = library.get("architecture", "unknown")
        print(
            f"    {library['internal_api']} {library['version']}, kernels: {kernels}, "
            f"threads: {library['num_threads']} ({name})"
        )
    advice = advice_on_kernels(os.environ, libraries, cpu_features())
    if advice is not None:
        print(f"\n{advice}")
        if measure:
            print(f"A matrix product takes {measured_cost():.2f} times as long here.")


def cpu_features() -> list[str]:
    """Return the vector extensions that NumPy finds in this CPU."""
    config: Any = np.show_config(mode="dicts") or {}
    features = config.get("SIMD Extensions", {})
    return [*features.get("baseline", []), *features.get("found", [])]


def advice_on_kernels(
    environ: Mapping[str, str],
    libraries: Sequence[Mapping[str, Any]],
    features: Sequence[str],
) -> str | None:
    """Return advice about kernels that the environment prescribes, or None.

    Parameters
    ----------
    environ : mapping of str to str
        The environment variables.
    libraries : sequence of mapping
        BLAS libraries, as described by `threadpool_info`.
    features : sequence of str
        Vector extensions of the CPU, as returned by `cpu_features`.

    Examples
    --------
    >>> library = {"internal_api": "openblas", "architecture": "Haswell"}
    >>> environ = {"OPENBLAS_CORETYPE": "Haswell"}
    >>> print(advice_on_kernels(environ, [library], ["AVX512_SKX"]))
    OPENBLAS_CORETYPE=Haswell is set in the environment. It makes OpenBLAS use kernels
    for older CPUs than this one, at about half the speed. Unset OPENBLAS_CORETYPE and
    OPENBLAS_L2_SIZE before Python starts: OpenBLAS then chooses the right kernels.
    >>> print(advice_on_kernels({}, [library], ["AVX512_SKX"]))
    None
    """
    kernels = environ.get(_KERNELS_VARIABLE)
    if not kernels:
        return None
    effect = "It overrides OpenBLAS's choice of kernels."
    if has_older_kernels(libraries, features):
        effect = (
            "It makes OpenBLAS use kernels\nfor older CPUs than this one, at about "
            "half the speed."
        )
    return (
        f"{_KERNELS_VARIABLE}={kernels} is set in the environment. {effect} Unset "
        f"{_VARIABLES[0]} and\n{_VARIABLES[1]} before Python starts: OpenBLAS then "
        "chooses the right kernels."
    )


def has_older_kernels(
    libraries: Sequence[Mapping[str, Any]], features: Sequence[str]
) -> bool:
    """Whether OpenBLAS uses kernels without AVX-512 on a CPU that has it.

    >>> library = {"internal_api": "openblas", "architecture": "Haswell"}
    >>> has_older_kernels([library], ["AVX2"])
    False
    >>> has_older_kernels([library], ["AVX2", "AVX512_SKX"])
    True
    """
    has_avx512 = any("AVX512" in name or name == "X86_V4" for name in features)
    return has_avx512 and any(
        library["internal_api"] == "openblas"
        and library.get("architecture") in _OLDER_KERNELS
        for library in libraries
    )


def measured_cost(program: str = _GEMM) -> float:
    """Return how many times longer a matrix product takes with the variables set.

    Parameters
    ----------
    program : str
        Python code that prints the time.
    """
    own = dict(os.environ)
    unset = {name: value for name, value in own.items() if name not in _VARIABLES}
    with_variables, without = (
        float(
            subprocess.run(
                [sys.executable, "-c", program],
                env=environ,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for environ in (own, unset)
    )
    return with_variables / without


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
