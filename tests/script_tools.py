"""Scripts of `examples/` and `benchmarks/` as modules."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

with_and_without_a_plot = pytest.mark.parametrize(
    "draws", [False, pytest.param(True, marks=pytest.mark.matplotlib)]
)


def load_example(name):
    return load_script(ROOT / "examples" / f"{name}.py")


def load_benchmark(name):
    return load_script(ROOT / "benchmarks" / f"{name}.py")


def load_script(path):
    """Load a script anew, which finds the modules beside it as if it were run."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    known = sys.modules.get(path.stem)
    sys.modules[path.stem] = module  # where dataclasses look up the types of fields
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
        del sys.modules[path.stem]
        if known is not None:
            sys.modules[path.stem] = known
    return module


def run_example(module, draws, tmp_path):
    """Run an example with or without a picture; check the picture."""
    picture = tmp_path / "picture.png"
    assert module.main(["--plot", str(picture)] if draws else []) == 0
    assert picture.exists() == draws
    if draws:
        assert picture.read_bytes().startswith(b"\x89PNG")
