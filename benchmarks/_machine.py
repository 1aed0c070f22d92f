"""What a benchmark ran on: every benchmark prints it before its figures."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "skorch")
# Variables that choose OpenBLAS's kernels, or their blocking, in place of OpenBLAS.
OVERRIDES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def print_machine() -> None:
    """Print the CPU, the versions and the BLAS kernels; warn if they are forced."""
    print("\n".join(machine_lines()), flush=True)
    warning = forced_kernels()
    if warning:
        print(warning, file=sys.stderr, flush=True)


def machine_lines() -> list[str]:
    """Return the lines that `print_machine` prints."""
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {found}" for name in PACKAGES if (found := _version(name))]
    return [
        f"{cpu_model()}, {os.cpu_count()} CPUs{_load()}, {platform.system()}",
        ", ".join(versions),
        *blas_lines(),
    ]


def machine_title() -> str:
    """Return one line for a picture: CPU, NumPy and the kernels of its BLAS."""
    return f"{cpu_model()}, NumPy {np.__version__}, {blas_lines()[0]}"


def blas_lines() -> list[str]:
    """Return a line for each BLAS library: its version, kernels and threads."""
    lines = []
    # NumPy's own comes before SciPy's.
    for library in sorted(threadpool_info(), key=lambda lib: lib["filepath"]):
        if library["user_api"] != "blas":
            continue
        path = Path(library["filepath"])
        kernels = library.get("architecture", "unknown")
        lines.append(
            f"{library['internal_api']} {library['version']}, {kernels} kernels, "
            f"{library['num_threads']} threads ({path.parent.name}/{path.name})"
        )
    return lines or ["a BLAS that threadpoolctl does not know"]


def forced_kernels() -> str | None:
    """Return a warning if variables of the environment choose OpenBLAS's kernels."""
    if "OPENBLAS_CORETYPE" not in os.environ:
        return None
    forced = os.environ["OPENBLAS_CORETYPE"]
    command = f"env {' '.join(f'-u {name}' for name in OVERRIDES)} python ..."
    return (
        f"warning: OPENBLAS_CORETYPE={forced} forces these kernels on OpenBLAS, which "
        f"by itself picks\nthose made for this CPU: they may be twice as fast. Unset "
        f"the variables that it heeds:\n    {command}"
    )


def cpu_model() -> str:
    """Return the name that the CPU gives itself, as far as it can be found."""
    try:
        if sys.platform == "darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.check_output(command, text=True).strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except (OSError, subprocess.SubprocessError):
        pass
    return platform.processor() or platform.machine()


def _load() -> str:
    """Return the load of the machine, where the system tells it."""
    if not hasattr(os, "getloadavg"):
        return ""
    return f", load {os.getloadavg()[0]:.1f}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
