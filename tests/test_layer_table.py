"""docs/layers.md has every layer, with its parameters, defaults, shapes and weights."""

import inspect
import re
from math import prod
from pathlib import Path

import pytest
from layer_cases import CASES, name

from skconvnet import layers

PAGE = Path(__file__).parents[1] / "docs" / "layers.md"
TEXT = PAGE.read_text(encoding="utf-8")
COLUMNS = ("layer", "does", "parameters", "shapes", "weights", "buffers", "paper")
HEADER = (
    "| layer | what it does | parameters | input → output | weights | buffers | paper |"
)


def read_rows(text):
    """Cells of every row, by the layer that it is about."""
    rows = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            row = dict(zip(COLUMNS, cells, strict=True))
            for layer in quoted(row["layer"]):
                assert layer not in rows, f"{layer} has two rows"
                rows[layer] = row
    return rows


def quoted(cell):
    return re.findall("`(.*?)`", cell)


def alternatives(cell):
    """Expressions in a cell such as `` `(channels,)` or `(1,)` ``."""
    return cell.replace("`", "").split(" or ")


def arrays(cell):
    """Expressions of the shapes that each array of a cell may have, by its name."""
    found = re.findall(r"`(\w+)`: (`[^`]*`(?: or `[^`]*`)*)", cell)
    return {array: alternatives(shapes) for array, shapes in found}


ROWS = read_rows(TEXT)


def names_for(spec, layer):
    """Return what the expressions of a row are made of, for a layer that was built."""
    ndim = len(layer.in_shape) - 1
    values = dict(spec.get_params(deep=False))
    for key, length in (
        ("kernel_size", ndim),
        ("levels", 1),
        ("shape", 1),
        ("dims", 1),
    ):
        if isinstance(values.get(key), int):
            values[key] = (values[key],) * length
    return {
        **values,
        "prod": prod,
        "in_shape": layer.in_shape,
        "spatial": layer.in_shape[:-1],
        "channels": layer.in_shape[-1],
        "features": layer.in_shape[-1],
        "length": layer.in_shape[0],
        "steps": layer.in_shape[0],
        "step": layer.in_shape[1:],
        "out_step": layer.out_shape[1:],
        "out_steps": layer.out_shape[0],
        "out_spatial": layer.out_shape[:-1],
        "out_channels": layer.out_shape[-1],
        **{
            f"{branch}_channels": chain.out_shape[-1]
            for branch, chain in getattr(layer, "chains", {}).items()
        },
    }


def is_any_of(shape, expressions, names):
    """Whether one of the expressions is `shape`, where -1 stands for any number."""
    for expression in expressions:
        value = eval(expression, dict(names))
        if len(value) == len(shape) and all(
            n in (-1, m) for n, m in zip(value, shape, strict=True)
        ):
            return True
    return False


MADE_OF_LAYERS = (
    layers.Bidirectional,
    layers.EncoderDecoder,
    layers.Parallel,
    layers.Residual,
    layers.TimeDistributed,
    layers.TransformerEncoder,
)


def is_left_out(spec, array):
    """Whether a layer with these hyperparameters does not have an array of its row."""
    if array.endswith("bias") and not getattr(spec, "use_bias", True):
        return True
    return isinstance(spec, layers.PositionalEncoding) and spec.kind == "sinusoidal"


def test_every_layer_has_a_row():
    assert set(ROWS) == set(layers.__all__)
    assert TEXT.count("| layer |") == TEXT.count(HEADER) > 1


def test_the_readme_has_the_page():
    readme = (PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
    assert "(docs/layers.md)" in readme


@pytest.mark.parametrize("layer", layers.__all__)
def test_parameters_and_their_defaults(layer):
    signature = inspect.signature(getattr(layers, layer))
    documented = [entry.partition("=") for entry in quoted(ROWS[layer]["parameters"])]
    assert [entry[0] for entry in documented] == list(signature.parameters)
    for parameter, sign, default in documented:
        actual = signature.parameters[parameter].default
        is_required = actual is inspect.Parameter.empty or actual == []
        assert bool(sign) == (not is_required), parameter
        if sign:
            assert eval(default) == actual
            assert type(eval(default)) is type(actual)


every_case = pytest.mark.parametrize(
    ("spec", "in_shape"), CASES, ids=[name(case) for case in CASES]
)


@every_case
def test_shapes(spec, in_shape):
    built = spec.build(in_shape)
    taken, put_out = ROWS[type(spec).__name__]["shapes"].split(" → ")
    names = names_for(spec, built)
    assert is_any_of(built.in_shape, alternatives(taken), names)
    assert is_any_of(built.out_shape, alternatives(put_out), names)


@every_case
def test_weights_and_buffers(spec, in_shape):
    built = spec.build(in_shape)
    row = ROWS[type(spec).__name__]
    for cell, shapes in (
        (row["weights"], built.weight_shapes),
        (row["buffers"], built.buffer_shapes),
    ):
        is_composite = isinstance(spec, MADE_OF_LAYERS)
        if is_composite and shapes:
            # Its own arrays; those inside are told in words.
            assert cell
            assert any("/" in array for array in shapes)
        own = {a: s for a, s in shapes.items() if "/" not in a or not is_composite}
        documented = arrays(cell)
        assert [a for a in documented if not is_left_out(spec, a)] == list(own)
        for array, shape in own.items():
            assert is_any_of(shape, documented[array], names_for(spec, built)), array


def test_every_paper_of_a_row_is_in_the_list():
    _, papers = TEXT.split("## Papers\n")
    entries = " ".join(papers.split()).split("- ")[1:]
    cited = {
        re.sub(r" \(.*\)", "", paper)
        for row in ROWS.values()
        for paper in row["paper"].split("; ")
        if paper
    }
    assert len(cited) > 10
    for paper in cited:
        author, year = paper.split()[0], paper.split()[-1]
        assert any(author in e.split('"')[0] and year in e for e in entries), paper
