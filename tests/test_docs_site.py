"""The site of the documentation: every page and every public name has its place."""

import doctest
import importlib
import pkgutil
import re
import runpy
from pathlib import Path

import pytest
from docs_tools import CONTENTS, DOCS, GUIDE, INDEX, ROOT, SHOWN, read

import skconvnet

EXTENSIONS = DOCS / "_extensions"
REFERENCE = sorted((DOCS / "api").glob("*.rst"))


def public_modules():
    """Return the package, and its modules that say which of their names are public."""
    names = [module.name for module in pkgutil.iter_modules(skconvnet.__path__)]
    modules = [
        importlib.import_module(f"skconvnet.{name}")
        for name in names
        if not name.startswith("_")
    ]
    return [skconvnet, *(module for module in modules if hasattr(module, "__all__"))]


def entries(page):
    """Return the full names that a page of the reference lists, in order."""
    (module,) = re.findall(r"^\.\. currentmodule:: (\S+)$", read(page), re.M)
    tables = read(page).split(".. autosummary::\n")[1:]
    rows = [re.findall(r"^   (\w+)$", table, re.M) for table in tables]
    return [f"{module}.{name}" for names in rows for name in names]


def contents(page):
    """Return the pages that the tables of contents on a page lead to."""
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```$", read(page), re.M | re.S)
    lines = [line for tree in trees for line in tree.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def found(full_name):
    module, _, name = full_name.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_every_public_name_is_in_the_reference():
    # By what they are: `skconvnet.estimators` has the names of `skconvnet`.
    listed = {id(found(name)) for page in REFERENCE for name in entries(page)}
    missing = [
        f"{module.__name__}.{name}"
        for module in public_modules()
        for name in module.__all__
        if id(getattr(module, name)) not in listed
    ]
    assert not missing


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_examples_import_what_they_are_of(module):
    # Doctests would find it without, in the module that defines it.
    for name in module.__all__:
        docstring = getattr(module, name).__doc__ or ""
        examples = doctest.DocTestParser().get_examples(docstring)
        source = "".join(example.source for example in examples)
        if re.search(rf"(?<![.\w]){name}\(", source):
            assert re.search(rf"^from .* import .*\b{name}\b", source, re.M), name


def test_examples_import_only_what_is_public():
    public = {module.__name__ for module in public_modules()}
    for module in public_modules():
        for name in module.__all__:
            docstring = getattr(module, name).__doc__ or ""
            imported = re.findall(r"(?:from|import) (skconvnet[.\w]*)", docstring)
            assert set(imported) <= public, name


@pytest.mark.parametrize("page", REFERENCE, ids=lambda page: page.stem)
def test_the_reference_has_each_public_name_once(page):
    listed = entries(page)
    assert listed
    for full_name in listed:
        module, _, name = full_name.rpartition(".")
        assert name in importlib.import_module(module).__all__, full_name
        assert listed.count(full_name) == 1, full_name


def test_the_reference_leads_to_each_of_its_pages():
    pages = [f"api/{page.stem}" for page in REFERENCE]
    assert sorted(contents(DOCS / "api.md")) == pages


def test_each_page_of_the_guide_has_one_place():
    listed = contents(DOCS / "user_guide.md")
    (others,) = contents(DOCS / "coming_from.md")
    listed += [page.stem for page in DOCS.glob(f"{others}.md")]
    assert sorted(listed) == [page.stem for page in GUIDE]


def test_the_home_page_leads_to_each_part_of_the_site():
    parts = {page.stem for page in (*CONTENTS, *SHOWN) if page != INDEX}
    assert set(contents(INDEX)) == parts | {"gallery/index"}
    cards = re.findall(r"^:link: (\S+)$", read(INDEX), re.M)
    assert set(contents(INDEX)) <= set(cards)


def test_each_frequent_question_was_asked():
    questions, threads = read(DOCS / "faq.md").split("## Where the questions come from")
    rows = re.findall(r"^\| \[(.+)\]\(#.+?\) \| (.+) \|$", threads, re.M)
    asked = re.findall(r"^### (.+)$", questions, re.M)
    assert [question for question, _ in rows] == asked
    for _, links in rows:
        assert re.search(r"\]\(https://github\.com/[\w-]+/[\w-]+/issues/\d+\)", links)


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.stem)
def test_pages_that_show_a_file_include_it(page):
    (included,) = re.findall(r"^```\{include\} (\S+)$", read(page), re.M)
    assert (page.parent / included).resolve() == SHOWN[page]


@pytest.mark.parametrize(
    ("written_in", "shown_in", "link", "expected"),
    [
        ("docs/speed.md", "docs/speed.md", "layers.md#shapes", "layers.md#shapes"),
        (
            "docs/speed.md",
            "docs/speed.md",
            "../benchmarks/README.md#blockspy",
            "benchmarks.md#blockspy",
        ),
        ("CONTRIBUTING.md", "docs/contributing.md", "docs/layers.md", "layers.md"),
        ("CONTRIBUTING.md", "docs/contributing.md", "README.md", "index.md"),
        (
            "benchmarks/README.md",
            "docs/benchmarks.md",
            "plots/memory.png",
            "../benchmarks/plots/memory.png",
        ),
        (
            "docs/inspecting.md",
            "docs/inspecting.md",
            "draw_digit.py",
            "https://github.com/skconvnet/skconvnet/blob/main/docs/draw_digit.py",
        ),
        ("docs/speed.md", "docs/speed.md", "https://x.org/a.md", "https://x.org/a.md"),
        ("docs/speed.md", "docs/speed.md", "nowhere.md", "nowhere.md"),
    ],
)
def test_links_work_on_the_site(written_in, shown_in, link, expected):
    on_the_site = runpy.run_path(str(EXTENSIONS / "repository_links.py"))["on_the_site"]
    text = on_the_site(f"See [it]({link}).", ROOT / written_in, ROOT / Path(shown_in))
    assert text == f"See [it]({expected})."


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("X : array of shape (n, *axes)", r"X : array of shape (n, \*axes)"),
        ("(n, *spatial, channels) or *any*", r"(n, \*spatial, channels) or *any*"),
        ("array of shape (n_features_in_,)", r"array of shape (n_features_in\_,)"),
        ("``(n, *axes)`` and (*axes, 1)", r"``(n, *axes)`` and (\*axes, 1)"),
        (">>> np.zeros((1, *shape))", ">>> np.zeros((1, *shape))"),
    ],
)
def test_shapes_in_docstrings_are_no_markup(line, expected):
    script = runpy.run_path(str(EXTENSIONS / "shapes_in_docstrings.py"))
    assert script["escaped"](line) == expected
