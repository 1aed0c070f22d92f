"""Run the checks of this project, each in a virtual environment of its own.

nox                     lint, types, and the tests on every Python that is found
nox -l                  what else there is
nox -s tests-3.13       the tests on another Python
nox -s tests -- -k conv with arguments for pytest
nox -s docs             the site, in docs/_build/html
nox -s docs -- -D plot_gallery=0
                        without running the gallery
"""

from __future__ import annotations

from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_external_run = True

OLDEST, *OTHERS = ["3.11", "3.12", "3.13", "3.14"]
# What is checked by its newest version alone.
TOOLS = ("ruff", "mypy")
# matplotlib 3.9 calls what newer versions of its parser warn of.
LOWEST_CONSTRAINTS = ["pyparsing<3.3"]
# Sphinx fails on a warning, after it has shown all of them.
STRICTLY = ["--fail-on-warning", "--keep-going"]


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and the tidiness of files."""
    session.install("-e", ".[test]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", ".ci/check_files.py")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the package."""
    session.install("-e", ".[test]")
    session.run("mypy")


@nox.session(python=[OLDEST, *OTHERS])
def tests(session: nox.Session) -> None:
    """Run the tests, and the examples in docstrings and documentation."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests, and fail where they reach less than 95 % of the lines."""
    session.install("-e", ".[test]")
    session.run("pytest", "--cov=skconvnet", "--cov-fail-under=95", *session.posargs)


@nox.session
def oracles(session: nox.Session) -> None:
    """Run the tests that need optional packages, such as PyTorch; skip none."""
    session.install("-e", ".[test,bench,progress,safetensors,onnx,aeon,sktime]")
    session.run("pytest", "-m", "optional", "--no-skips", *session.posargs)


@nox.session(python=OLDEST)
def lowest(session: nox.Session) -> None:
    """Run the tests on the lowest supported version of every dependency."""
    pinned = lowest_versions("plot", "progress", "image", "test")
    constraints = Path(session.create_tmp()) / "lowest-versions.txt"
    constraints.write_text("\n".join([*pinned, *LOWEST_CONSTRAINTS]) + "\n")
    extras = ".[plot,progress,image,test]"
    session.install("-e", extras, "--constraint", str(constraints))
    session.run("python", "-m", "pip", "list")
    session.run("pytest", *session.posargs)


@nox.session(name="docs-examples")
def docs_examples(session: nox.Session) -> None:
    """Run the code of the documentation, and every example with its picture."""
    session.install("-e", ".[test,plot]")
    session.run("pytest", *sorted(str(p) for p in Path("tests").glob("test_docs*.py")))
    pictures = Path(session.create_tmp())
    for example in sorted(Path("examples").glob("[!_]*.py")):
        plot = ["--plot", str(pictures / f"{example.stem}.png")]
        session.run(
            "python", str(example), *(plot if "--plot" in example.read_text() else [])
        )


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site of the documentation; arguments go to sphinx-build."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", *STRICTLY, *session.posargs, "docs", "docs/_build/html")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Run every benchmark on little data, to see that it runs."""
    session.install("-e", ".[test,bench]")
    session.run("pytest", "tests/benchmarks", "--no-skips", *session.posargs)


def lowest_versions(*extras: str) -> list[str]:
    """Return the requirements with each lower bound as the one version."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    required = list(project["dependencies"])
    for extra in extras:
        required += project["optional-dependencies"][extra]
    return [
        requirement.replace(">=", "==")
        for requirement in required
        if not requirement.startswith(TOOLS)
    ]
