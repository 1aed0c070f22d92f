"""What the wheel and the source hold, and where an editable install is found."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from docs_tools import read

import skconvnet

pytest.importorskip("hatchling", reason="hatchling is in the extra `test`")
pytest.importorskip("hatch_fancy_pypi_readme", reason="it is in the extra `test`")

ROOT = Path(__file__).parents[1]
with (ROOT / "pyproject.toml").open("rb") as file:
    PYPROJECT = tomllib.load(file)
# What the source holds besides what hatchling adds by itself.
SOURCE = PYPROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
ADDED = ("pyproject.toml", "README.md", "LICENSE", ".gitignore")
# Files that a working copy may hold, and that are nobody else's business.
STRAY = ("notes.txt", "__pycache__/layer.pyc", ".ipynb_checkpoints/a.py", "w.npz")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Return a copy of the project in a folder named like the package."""
    folder = tmp_path_factory.mktemp("parent") / "skconvnet"
    folder.mkdir()
    for name in (*ADDED, *(name for name in SOURCE if (ROOT / name).is_file())):
        shutil.copy(ROOT / name, folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "skconvnet", folder / "skconvnet", ignore=ignored)
    for name in STRAY:
        path = folder / "skconvnet" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    for name in SOURCE:
        if (ROOT / name).is_dir() and name != "skconvnet":
            (folder / name).mkdir()
            (folder / name / "some.py").touch()
    for name in ("notes.txt", ".hypothesis/some.txt", "dist/some.whl"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return folder


def build(clone, target, folder):
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder]
    subprocess.run(command, cwd=clone, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


def test_the_wheel_holds_the_package_and_nothing_else(clone, tmp_path):
    with zipfile.ZipFile(build(clone, "wheel", tmp_path)) as wheel:
        names = set(wheel.namelist())
    modules = {str(p.relative_to(ROOT)) for p in (ROOT / "skconvnet").rglob("*.py")}
    info = f"skconvnet-{skconvnet.__version__}.dist-info"
    metadata = {"METADATA", "WHEEL", "RECORD", "licenses/LICENSE"}
    assert names == {
        *modules,
        "skconvnet/py.typed",
        *(f"{info}/{name}" for name in metadata),
    }


def test_the_source_holds_what_the_tests_and_the_docs_need(clone, tmp_path):
    assert {"CITATION.cff", "tests", "docs", "examples", "benchmarks"} <= set(SOURCE)
    with tarfile.open(build(clone, "sdist", tmp_path)) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames()}
    assert {name.split("/")[0] for name in names} == {*ADDED, *SOURCE, "PKG-INFO"}
    modules = {str(p.relative_to(ROOT)) for p in (ROOT / "skconvnet").rglob("*.py")}
    assert modules <= names
    folders = [name for name in SOURCE if (ROOT / name).is_dir()]
    assert {f"{name}/some.py" for name in folders} - names == {"skconvnet/some.py"}


def test_the_description_has_no_links_to_files(clone, tmp_path):
    with zipfile.ZipFile(build(clone, "wheel", tmp_path)) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
        metadata = wheel.read(name).decode()
    links = re.findall(r"\]\(([^)]+)\)", metadata)
    files = re.findall(r"\]\(([^)]+)\)", read(ROOT / "README.md"))
    assert len(links) == len(files)
    for link, file in zip(links, files, strict=True):
        assert link.startswith(("https://", "#"))
        assert link.endswith(file)
    site = "https://raw.githubusercontent.com/skconvnet/skconvnet/main/"
    assert f"]({site}docs/digit.svg)" in metadata


def test_the_citation_says_what_the_package_says():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    told = dict(re.findall(r"^([a-z-]+): (\S.*)$", text, re.M))
    project = PYPROJECT["project"]
    assert told["cff-version"] == "1.2.0"
    assert told["version"] == skconvnet.__version__
    assert told["license"] == project["license"]
    assert told["repository-code"] == project["urls"]["Homepage"]
    for heading, key, expected in (
        ("authors", "name: ", [author["name"] for author in project["authors"]]),
        ("keywords", "", project["keywords"]),
    ):
        (items,) = re.findall(rf"^{heading}:\n((?:  - .*\n)+)", text, re.M)
        assert re.findall(rf"- {key}(.+)", items) == expected


def test_the_citation_and_the_changelog_have_the_same_date():
    heading = rf"^## \[{re.escape(skconvnet.__version__)}\] - (.+)$"
    (told,) = re.findall(heading, read(ROOT / "CHANGELOG.md"), re.M)
    dates = re.findall(r"^date-released: (\S+)$", read(ROOT / "CITATION.cff"), re.M)
    assert dates == ([] if told == "not released yet" else [told])


def test_an_editable_install_is_found_from_the_parent_folder(clone, tmp_path):
    site_packages = tmp_path / "site-packages"
    with zipfile.ZipFile(build(clone, "wheel:editable", tmp_path / "dist")) as wheel:
        wheel.extractall(site_packages)
    # -S leaves out what else is installed; "" comes first on the path, as in a shell.
    code = (
        "import site, importlib.util\n"
        f"site.addsitedir({str(site_packages)!r})\n"
        "print(importlib.util.find_spec('skconvnet').origin)"
    )
    found = subprocess.run(
        [sys.executable, "-E", "-S", "-c", code],
        cwd=clone.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(found.stdout.strip()) == clone / "skconvnet" / "__init__.py"
