"""What a calculation runs on: versions, BLAS, and the kernels that it chose."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

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
# OpenBLAS's kernels for CPUs without AVX-512, and those for CPUs with it.
_OLDER_KERNELS = {"Haswell", "Zen", "SandyBridge", "Nehalem", "Bulldozer", "Piledriver"}
_CURE = "OPENBLAS_CORETYPE"
_NEWER_KERNELS = "SKYLAKEX"

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

    Where NumPy's OpenBLAS uses older kernels than the CPU has, as it does on some CPUs
    with AVX-512, the environment variable that cures it is printed as well.

    Parameters
    ----------
    measure : bool, default=False
        Whether to measure what that variable gains, in two short processes.

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
    if has_older_kernels(libraries, cpu_features()):
        print(f"\n{_advice(measured_gain() if measure else None)}")


def cpu_features() -> list[str]:
    """Return the vector extensions that NumPy finds in this CPU."""
    config = np.show_config(mode="dicts") or {}
    features = config.get("SIMD Extensions", {})
    return [*features.get("baseline", []), *features.get("found", [])]


def has_older_kernels(libraries: list[dict], features: list[str]) -> bool:
    """Whether an OpenBLAS runs kernels without AVX-512 on a CPU that has it.

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


def measured_gain() -> float:
    """Return how many times faster a matrix product is with the newer kernels."""
    times = []
    for kernels in ({}, {_CURE: _NEWER_KERNELS}):
        result = subprocess.run(
            [sys.executable, "-c", _GEMM],
            env={**os.environ, **kernels},
            capture_output=True,
            text=True,
            check=True,
        )
        times.append(float(result.stdout))
    return times[0] / times[1]


def _advice(gain: float | None) -> str:
    advice = (
        "This CPU has AVX-512, but OpenBLAS runs kernels without it. Set the "
        f"environment variable\n    {_CURE}={_NEWER_KERNELS}\nbefore Python starts to "
        "have those that use it"
    )
    if gain is None:
        return f"{advice}; show_versions(measure=True) measures the gain."
    return f"{advice}: a matrix product took 1/{gain:.2f} of the time here."


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
