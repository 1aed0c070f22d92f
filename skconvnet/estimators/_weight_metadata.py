"""What a file of weights tells besides its arrays, and what of it does not fit.

Arrays of the right names and shapes may still be of another network: one that predicts
in other units of y, whose outputs go through another function, or stand for something
else.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from skconvnet.estimators._safetensors import WeightFile
from skconvnet.estimators._targets import ClassTargets, StandardizedTargets, Targets
from skconvnet.inspection.summary import summary_rows

# Longer lists are cut in errors.
_MAX_NAMES = 20


def metadata_of(estimator: Any) -> dict[str, str]:  # noqa: ANN401  an estimator
    """Return what the file tells besides its arrays."""
    network = estimator.network_
    rows = [
        {"depth": row.depth, "name": row.name, "kind": row.kind, "out": row.out_shape}
        for row in summary_rows(network)
    ]
    targets = estimator._targets  # noqa: SLF001  of the same package
    metadata = {
        "format": "skconvnet",
        # Nothing in the package imports the whole of it.
        "version": sys.modules["skconvnet"].__version__,
        "estimator": type(estimator).__name__,
        "layers": json.dumps(rows),
        "targets": kind_of_targets(targets),
        "output_function": estimator.out_activation_,
    }
    if hasattr(estimator, "classes_"):
        metadata["classes"] = json.dumps(_plain(estimator.classes_), default=str)
    if isinstance(targets, StandardizedTargets):
        scale = [targets.mean.tolist(), targets.deviation.tolist()]
        metadata["target_scale"] = json.dumps(scale)
    return metadata


def kind_of_targets(targets: Targets) -> str:
    """Return what the outputs of a network stand for, in words.

    >>> from skconvnet.estimators._targets import RealTargets
    >>> kind_of_targets(RealTargets("MLPRegressor"))
    'numbers'
    """
    if not isinstance(targets, ClassTargets):
        kind = "numbers"
    elif targets.groups is not None:
        sizes = ", ".join(map(str, targets.groups.sizes))
        kind = f"columns of classes, {sizes} of each"
    elif targets.is_exclusive:
        kind = "one of several classes"
    elif len(targets.classes) > 2 or _is_multilabel(targets):
        kind = "any number of labels"
    else:
        kind = "one of two classes"
    return kind if targets.form is None else f"{kind} at each position"


def _is_multilabel(targets: ClassTargets) -> bool:
    return str(getattr(targets.binarizer, "y_type_", "")).startswith("multilabel")


def output_problems(estimator: Any, file: WeightFile) -> list[str]:  # noqa: ANN401  estimators have no type
    """Return why the output layer of a file means something else, each in one phrase.

    Files of other libraries do not tell it.
    """
    told, own = file.metadata, metadata_of(estimator)
    problems = []
    key = "targets"
    if told.get(key, own[key]) != own[key]:
        problems.append(
            f"the network of the file predicts {told[key]}, that of the estimator "
            f"{own[key]}"
        )
    key = "output_function"
    if told.get(key, own[key]) != own[key]:
        problems.append(
            f"the output function of the file is {told[key]!r}, that of the estimator "
            f"{own[key]!r}"
        )
    scaled = "target_scale" in own
    if not problems and "estimator" in told and scaled != ("target_scale" in told):
        yes, no = "standardized y (rescale='auto')", "y as it is"
        problems.append(
            f"the network of the file predicts {no if scaled else yes}, that of the "
            f"estimator {yes if scaled else no}"
        )
    return problems


def class_problems(estimator: Any, file: WeightFile) -> list[str]:  # noqa: ANN401  estimators have no type
    """Return in a phrase that the classes differ, if they do."""
    classes = json.loads(file.metadata.get("classes", "null"))
    present = getattr(estimator, "classes_", None)
    if classes is None or present is None:
        return []
    # As they would be in a file: 0 is equal to 0.0.
    present = json.loads(json.dumps(_plain(present), default=str))
    if present == classes:
        return []
    return [
        f"the classes of the file are {_cut(list(map(repr, classes)))}, those of the "
        f"estimator {_cut(list(map(repr, present)))}"
    ]


def array_problems(estimator: Any, file: WeightFile) -> list[str]:  # noqa: ANN401  estimators have no type
    """Return which arrays differ in name or shape, each kind in one phrase."""
    own, theirs = estimator.network_.shapes, file.shapes
    wrong = [name for name in own if theirs.get(name, own[name]) != own[name]]
    parts = [
        f"{name!r} must have shape {own[name]}, but has shape {theirs[name]}"
        for name in wrong
    ]
    missing = listed([name for name in own if name not in theirs])
    unknown = listed([name for name in theirs if name not in own])
    problems = [_cut(parts)] if parts else []
    problems += [f"the file has no {missing}"] if missing else []
    problems += [f"the network has no {unknown}"] if unknown else []
    return problems


def layers_of(file: WeightFile) -> str:
    """Return the layers of the network that a file was made of, indented if inside."""
    rows = json.loads(file.metadata.get("layers", "[]"))
    return "".join(
        f"\n  {'  ' * row['depth']}{row['name']} {row['kind']} {tuple(row['out'])}"
        for row in rows[:_MAX_NAMES]
    ) + ("\n  ..." if len(rows) > _MAX_NAMES else "")


def _plain(classes: Any) -> list[Any]:  # noqa: ANN401  an array or a list of arrays
    """Return classes as lists; those of several columns as a list of lists."""
    if isinstance(classes, np.ndarray):
        plain: list[Any] = classes.tolist()
        return plain
    return [np.asarray(own).tolist() for own in classes]


def listed(names: list[str]) -> str:
    """Return names in quotes, separated by commas."""
    return _cut([repr(name) for name in names])


def _cut(parts: list[str]) -> str:
    """Join texts by commas; of many, only the first are shown."""
    more = len(parts) - _MAX_NAMES
    return ", ".join(parts[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
