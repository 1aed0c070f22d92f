"""Imports run one way, and only some files know scikit-learn."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import skconvnet

PACKAGE = Path(skconvnet.__file__).parent
FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})
FILES = sorted(PACKAGE.rglob("*.py"))

# A file imports from its own rank or from those above it in this list.
RANKS = [
    {"_foreign_words", "_lazy", "_suggestions", "_typing"},
    {"_checks", "_memory", "_optional", "_pickles", "_whole_files"},
    {"series", "shards"},
    {"ops"},
    {"params"},
    {"initializers", "losses", "optimizers", "schedules", "augmentation"},
    {"layers"},
    {"architectures"},
    {"engine"},
    {"onnx"},
    {"training"},
    {"inspection", "callbacks"},
    {"estimators"},
    {"text", "datasets", "interop", "tabular", "distributed"},
]
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
MAY_KNOW_SKLEARN = {
    "params",
    "inspection",
    "estimators",
    "text",
    "datasets",
    "interop",
    "tabular",
}


def part_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path, *, names=False):
    """Modules that the file imports anywhere, but for type checking alone.

    With `names`, also what it imports of them, which may be modules as well.
    """
    tree = ast.parse(path.read_text())
    for_types = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for child in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            if names:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_arrows(path):
    part = part_of(path)
    if part == "__init__":
        return
    for module in imports_of(path):
        if not module.startswith("skconvnet"):
            continue
        other = module.split(".")[1]
        assert RANK[other] <= RANK[part], f"{path.name} imports {module}"


def test_text_stands_alone():
    # It is of the last rank, and could import anything.
    own = [m for path in (PACKAGE / "text").glob("*.py") for m in imports_of(path)]
    assert own
    others = [m for m in own if m.startswith("skconvnet")]
    assert all(m.startswith("skconvnet.text.") for m in others)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_modules_of_a_folder_do_not_import_in_circles(folder):
    prefix = ".".join(["skconvnet", *folder.relative_to(PACKAGE).parts])
    modules = {
        prefix if path.stem == "__init__" else f"{prefix}.{path.stem}": path
        for path in folder.glob("*.py")
    }
    graph = {
        name: {other for other in imports_of(path, names=True) if other in modules}
        for name, path in modules.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(modules)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_scikit_learn_stays_outside_the_engine(path):
    if part_of(path) not in MAY_KNOW_SKLEARN:
        assert not [m for m in imports_of(path) if m.split(".")[0] == "sklearn"]


# Layers that are made of layers import these; all may import the protocol, and those
# without weights, of convolution, of pooling or of recurrence what these share.
MADE_OF = {
    "chain": {"chain_steps", "conv_batch_norm_folding"},
    "chain_steps": {"conv_batch_norm_folding", "fusion"},
    "conv_batch_norm_folding": {
        "activation",
        "batch_norm",
        "conv",
        "conv_max_pool_fusion",
        "pooling",
    },
    "fusion": {"activation", "batch_norm", "conv", "conv_max_pool_fusion", "pooling"},
    "conv_max_pool_fusion": {"conv", "pooling"},
    "chain_micro_batches": {"chain", "chain_steps"},
    "branched": {"chain_micro_batches", "composite"},
    "encoder_decoder": {"chain", "composite"},
    "composite": {"chain", "matrices"},
    "dense": {"map_output"},
    "parallel": {"branched", "chain", "composite"},
    "time_distributed": {"branched", "chain", "composite"},
    "parametric_activations": {"activation"},
    "residual": {"branched", "chain", "composite", "conv", "dense"},
    "transformer": {
        "attention",
        "chain",
        "chain_steps",
        "composite",
        "dropout",
        "layer_norm",
        "position_dense",
    },
    "whitening": {"conv"},
}


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "layers").glob("*.py")), ids=lambda p: p.name
)
def test_layers_do_not_import_each_other(path):
    if path.name in ("__init__.py", "base.py"):
        return
    others = [m for m in imports_of(path) if m.startswith("skconvnet.layers")]
    protocol = {"base", "micro_batch_runner"}
    shared = {"conv_base", "pooling_base", "recurrent_base", "weightless", *protocol}
    allowed = {*shared, *MADE_OF.get(path.stem, ())}
    assert set(others) <= {f"skconvnet.layers.{name}" for name in allowed}


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "architectures").glob("*.py")), ids=lambda p: p.name
)
def test_architectures_are_made_of_layers_alone(path):
    own = [m for m in imports_of(path) if m.startswith("skconvnet")]
    allowed = {"architectures", "layers", "_checks"}
    assert {m.split(".")[1] for m in own} <= allowed


def test_every_part_has_a_rank():
    assert {part_of(path) for path in FILES} - {"__init__"} == set(RANK)
