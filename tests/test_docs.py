"""The pages of the documentation: their Python runs, and their links lead somewhere."""

import re
import runpy
import warnings

import numpy as np
import pytest
from docs_tools import (
    DOCS,
    GUIDE,
    INDEX,
    PAGES,
    ROOT,
    anchors,
    links,
    read,
    run_blocks,
    section,
    without_code,
)
from sklearn.exceptions import ConvergenceWarning

from skconvnet import (
    SequentialRegressor,
    augmentation,
    layers,
    losses,
    optimizers,
    schedules,
)
from skconvnet.layers import Conv2D

README = ROOT / "README.md"
# Pages of tables; all others have blocks of Python.
WITHOUT_BLOCKS = {"contrib_checklist.md", "layers.md"}
# Pages whose blocks need optional packages.
NEEDED = {
    "coming_from_pytorch.md": ("torch",),
    "from_one_machine_to_a_hundred.md": ("distributed",),
    "onnx.md": ("onnxruntime",),
    "weights_in_and_out.md": ("keras", "safetensors", "torch"),
}
# Pages whose blocks draw.
WITH_PICTURES = {"pictures.md"}

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.relative_to(ROOT))
)


def draw_photos(folder):
    """Draw the images that a page loads: circles and squares of several sizes."""
    drawing = pytest.importorskip("PIL.ImageDraw", reason="in the extra `image`")
    rng = np.random.default_rng(0)
    for name in ("circle", "square"):
        (folder / name).mkdir(parents=True)
        for i in range(60):
            picture = drawing.Image.new("RGB", tuple(rng.integers(50, 70, 2)), "black")
            draw = drawing.Draw(picture)
            x, y, width = rng.integers(5, 20, 3)
            draw_shape = draw.ellipse if name == "circle" else draw.rectangle
            draw_shape((x, y, x + width + 10, y + width + 10), fill="orange")
            picture.save(folder / name / f"{i}.jpg")


def with_marks(page):
    marks = [getattr(pytest.mark, name) for name in NEEDED.get(page.name, ())]
    return pytest.param(page, marks=marks, id=page.name)


@pytest.mark.parametrize(
    "page",
    [
        with_marks(page)
        for page in (README, INDEX, *GUIDE)
        if page.name not in WITH_PICTURES
    ],
)
def test_blocks_run_in_order(page, monkeypatch, tmp_path):
    if page.name == "from_a_folder_to_a_model.md":
        draw_photos(tmp_path / "photos")
        monkeypatch.chdir(tmp_path)
    _, n_blocks = run_blocks(page, monkeypatch)
    assert (n_blocks > 0) == (page.name not in WITHOUT_BLOCKS)


@pytest.mark.parametrize("name", sorted(WITH_PICTURES))
def test_blocks_with_pictures_run_in_order(name, monkeypatch, tmp_path, pyplot):
    monkeypatch.chdir(tmp_path)
    _, n_blocks = run_blocks(DOCS / name, monkeypatch)
    assert n_blocks > 0
    assert pyplot.get_fignums()


def test_the_page_on_inspecting_shows_what_it_prints(monkeypatch, capsys):
    page = DOCS / "inspecting.md"
    namespace, _ = run_blocks(page, monkeypatch)
    assert namespace["inside"].summary() in read(page)
    assert namespace["inside"].summary() in capsys.readouterr().out


def test_the_page_on_transfer_shows_what_it_prints(monkeypatch, capsys):
    page = DOCS / "features_and_transfer.md"
    run_blocks(page, monkeypatch)
    shown = re.findall(r"^This prints:\n\n```\n(.*?)^```$", read(page), re.M | re.S)
    printed = capsys.readouterr().out
    assert len(shown) == 3
    assert all(block in printed for block in shown)


def test_life_of_a_minibatch_shows_what_it_prints(monkeypatch, capsys):
    page = DOCS / "life_of_a_minibatch.md"
    run_blocks(page, monkeypatch)
    (shown,) = re.findall(r"^```\n(scale    -> .*?)^```$", read(page), re.M | re.S)
    assert shown in capsys.readouterr().out


def test_layer_of_contributing(monkeypatch):
    namespace, n_blocks = run_blocks(ROOT / "CONTRIBUTING.md", monkeypatch)
    assert n_blocks == 1
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(10, 5, 5, 2)), rng.normal(size=10)
    chain = [Conv2D(3, 2), ("scale", namespace["ChannelScale"](0.5)), Conv2D(2, 2)]
    model = SequentialRegressor(chain, random_state=0).initialize(X, y)
    _, gradients = model.loss_gradients(X, y)

    direction = {name: rng.normal(size=g.shape) for name, g in gradients.items()}
    expected = sum(np.sum(gradients[name] * d) for name, d in direction.items())
    weights = model.get_weights()
    values = []
    for step in (1e-6, -1e-6):
        model.set_weights({n: w + step * direction[n] for n, w in weights.items()})
        values.append(model.loss_gradients(X, y)[0])
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(expected, rel=1e-6)


@every_page
def test_links_between_pages_resolve(page):
    for link in links(read(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(read(target)), f"no heading for {link}"


@every_page
def test_files_that_are_named_exist(page):
    named = re.findall(r"`([\w./]+/[\w.]+\.(?:py|md|svg))`", without_code(read(page)))
    for name in named:
        places = (ROOT, ROOT / "skconvnet", page.parent)
        assert any((place / name).exists() for place in places), name


@every_page
def test_a_page_has_one_title_and_short_lines(page):
    text = without_code(read(page))
    assert len(re.findall(r"^# ", text, re.M)) == 1
    for line in text.splitlines():
        # Rows of tables, and links, cannot be broken.
        assert len(line) <= 92 or line.startswith("|") or "](" in line, line


@every_page
def test_rows_of_a_table_have_the_cells_of_its_header(page):
    for table in re.findall(r"(?:^\|.*\|\n)+", without_code(read(page)), re.M):
        n_cells = [len(row.strip("|").split("|")) for row in table.splitlines()]
        assert len(n_cells) > 2
        assert set(n_cells) == {n_cells[0]}, table


def test_contributing_shows_every_folder():
    (tree,) = re.findall(
        r"^```\n(skconvnet/\n.*?)^```$", read(ROOT / "CONTRIBUTING.md"), re.M | re.S
    )
    shown = re.findall(r"([\w.]+/|\w+\.py)", tree)
    folders = {path.parent for path in (ROOT / "skconvnet").rglob("__init__.py")}
    files = {path.name for path in (ROOT / "skconvnet").glob("*.py")}
    for name in {f"{folder.name}/" for folder in folders} | files - {"__init__.py"}:
        assert name in shown, name


def test_tests_that_contributing_names_exist():
    text = read(ROOT / "CONTRIBUTING.md")
    defined = "".join(read(path) for path in (ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in defined, name


def test_getting_started_lists_every_example():
    table = section(DOCS / "getting_started.md", "Examples")
    listed = re.findall(r"`(\w+\.py)`", table)
    examples = {path.name for path in (ROOT / "examples").glob("[!_]*.py")}
    assert sorted(listed) == sorted(examples)


def test_the_readme_leads_to_every_page():
    found = set(links(read(README)))
    assert {f"docs/{page.name}" for page in GUIDE} <= found


def test_the_comparison_is_true_of_what_is_installed():
    script = runpy.run_path(str(DOCS / "check_comparison.py"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ours, theirs = (
            dict(script["results"](script["LIBRARIES"][name]))
            for name in ("skconvnet", "scikit-learn")
        )
    assert set(ours.values()) == {"yes"}
    assert [name for name, result in theirs.items() if result != "yes"] == ["X_val"]


def test_the_readme_is_short():
    assert len(read(README).split()) <= 1300


def test_the_readme_has_the_two_commands():
    (block,) = re.findall(r"^```\n(pip .*?)^```$", read(README), re.M | re.S)
    assert block.splitlines() == [
        "pip install -e . && python examples/quickstart.py",
        'pip install -e ".[test]" && pytest',
    ]


def test_the_readme_counts_right():
    text = " ".join(section(README, "What is in it").split())
    regressors = set(losses.REGRESSION_LOSSES)
    n_losses = len(regressors | set(losses.CLASSIFICATION_LOSSES))
    others = {"Augmentation", "Augmenter", "Compose", "Versions"}
    n_augmentations = len(set(augmentation.__all__) - others)
    for phrase in (
        f"[{len(layers.__all__)} layers]",
        f"{len(optimizers.OPTIMIZERS) + 1} optimizers",
        f"{len(schedules.SCHEDULES)} learning-rate schedules",
        f"{n_losses} losses",
        f"{n_augmentations} augmentations",
    ):
        assert phrase in text
    assert f"| layers | {len(layers.__all__)} |" in read(README)
