"""The texts of the examples on text: docstrings of installed packages.

The names of the packages, code and cross references are removed. All docstrings of one
file are used either for training or for testing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

PACKAGES = ("numpy", "scipy", "sklearn")
# Not by the package's own authors, or not about what the package does.
SKIPPED = {"tests", "testing", "externals", "array_api_compat", "_lib", "_vendor"}
NAMES = re.compile(r"(?i)\b(np|num_?py|sci_?py|sk_?learn|scikit([-_ ]?learn)?)\b")
FEWEST_WORDS = 20
WORD = r"\b[a-z][a-z]+\b"


def docstrings(package: str) -> Iterator[tuple[str, str]]:
    """Yield the file and the docstring of each function and class of `package`."""
    root = Path(find_spec(package).origin).parent
    for path in sorted(root.rglob("*.py")):
        file = path.relative_to(root.parent)
        if SKIPPED.intersection(file.parts):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                yield str(file), ast.get_docstring(node) or ""


def prose(docstring: str) -> str:
    """Remove code, cross references and the names of the packages."""
    lines = [
        line
        for line in docstring.splitlines()
        if not line.lstrip().startswith((">>>", "...", ".. "))
    ]
    return NAMES.sub(" ", "\n".join(lines))


def read_texts(
    packages: Sequence[str] = PACKAGES,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return texts without duplicates, their packages, and their files."""
    rows, seen = [], set()
    for package in packages:
        for file, docstring in docstrings(package):
            text = prose(docstring)
            if text not in seen and len(text.split()) >= FEWEST_WORDS:
                seen.add(text)
                rows.append((text, package, file))
    texts, labels, files = zip(*rows, strict=True)
    return np.array(texts, dtype=object), np.array(labels), np.array(files)


def split_by_file(
    texts: np.ndarray, labels: np.ndarray, files: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the texts to learn from, and of a quarter to test on."""
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=0)
    train, test = next(folds.split(texts, labels, files))
    return train, test


def accuracy_of_guessing(
    labels: np.ndarray, train: np.ndarray, test: np.ndarray
) -> float:
    """Return the accuracy of always naming the package with the most docstrings."""
    names, counts = np.unique(labels[train], return_counts=True)
    return float(np.mean(labels[test] == names[counts.argmax()]))
