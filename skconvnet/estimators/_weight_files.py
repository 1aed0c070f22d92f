"""Weights in files: `save_weights` and `load_weights` of all estimators."""

from __future__ import annotations

import copy
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skconvnet.estimators._arguments import explains_arguments
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._guards import unchanged_on_error
from skconvnet.estimators._network_weights import NetworkWeights
from skconvnet.estimators._safetensors import WeightFile, opened, write
from skconvnet.estimators._targets import StandardizedTargets
from skconvnet.inspection.summary import summary_rows
from skconvnet.params.naming import OUTPUT_NAME

if TYPE_CHECKING:
    pass

# Longer lists of names are cut in errors.
_MAX_NAMES = 20
_NO_NETWORK = (
    "This %(name)s instance has no network yet, whose weights load_weights could "
    "replace. Call initialize(X, y) with samples of the shape and with the classes of "
    "the data that the file was made for, then load_weights."
)


class WeightFiles(NetworkWeights):
    """Methods that write the arrays of `get_weights` to a file, and read them."""

    if TYPE_CHECKING:
        _targets: Any

    @explains_arguments
    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Write all weights and buffers to a file of safetensors.

        The names are those of `get_weights`. The metadata of the file describe the
        network. Hyperparameters and the optimizer are not in it, see `joblib.dump`.
        Needs safetensors: ``pip install "skconvnet[safetensors]"``.

        Parameters
        ----------
        path : str or path-like
            The file. One of this name is replaced when the new one is complete.
        """
        check_is_fitted(self)
        write(checked_path(path), self.get_weights(), _metadata(self))

    @explains_arguments
    def load_weights(
        self, path: str | os.PathLike[str], *, strict: bool = True
    ) -> Self:
        """Replace the weights and buffers by those of a file of safetensors.

        As after `set_weights`, the estimator can predict, and the next `fit` starts
        from these weights. Call `initialize` first if there is no network yet.

        Parameters
        ----------
        path : str or path-like
            The file, of `save_weights` or with the names and shapes of `get_weights`.
        strict : bool, default=True
            Whether the file must have exactly the arrays of the network. If False, the
            arrays that fit are loaded, and a warning tells the others.

        Returns
        -------
        self : object
            The estimator with the weights of the file.

        Raises
        ------
        ValueError
            If the file does not fit, or has other classes. No weight is changed then.
        """
        check_is_fitted(self, msg=_NO_NETWORK)
        if not isinstance(strict, (bool, np.bool_)):
            raise TypeError(f"strict must be True or False; got {strict!r}.")
        with unchanged_on_error(self), opened(checked_path(path)) as file:
            problems = _problems(self, file)
            own = self.network_.shapes
            fitting = [name for name in own if file.shapes.get(name) == own[name]]
            if problems and (strict or not fitting):
                raise ValueError(_not_fitting(self, file, problems, strict=strict))
            if f"{OUTPUT_NAME}/kernel" in fitting:
                self._restore_targets(file)
            arrays = {name: file.read(name) for name in fitting}
            try:
                self.set_weights(arrays)
            except ValueError as error:
                raise ValueError(f"{file.path!r} cannot be loaded: {error}") from error
        if problems:
            warn_caller(
                f"{len(fitting)} of {len(own)} arrays were loaded from {file.path!r}; "
                f"{'; '.join(problems)}."
            )
        return self

    def _restore_targets(self, file: WeightFile) -> None:
        """Read the units of the outputs, if this network standardizes its targets."""
        scale = json.loads(file.metadata.get("target_scale", "null"))
        if scale is None or not isinstance(self._targets, StandardizedTargets):
            return
        mean, deviation = (np.array(values, dtype=np.float64) for values in scale)
        if mean.shape == self._targets.mean.shape:
            self._targets = copy.copy(self._targets)
            self._targets.mean, self._targets.deviation = mean, deviation


def checked_path(path: object) -> str:
    """Return a path as a str, or raise a TypeError."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"path must be a str or path-like, such as 'weights.safetensors'; got "
            f"{path!r}."
        )
    return os.fsdecode(path)


def _metadata(estimator: Any) -> dict[str, str]:  # noqa: ANN401  an estimator
    """Return what the file tells besides its arrays."""
    network = estimator.network_
    rows = [
        {"depth": row.depth, "name": row.name, "kind": row.kind, "out": row.out_shape}
        for row in summary_rows(network)
    ]
    metadata = {
        "format": "skconvnet",
        # Nothing in the package imports the whole of it.
        "version": sys.modules["skconvnet"].__version__,
        "estimator": type(estimator).__name__,
        "layers": json.dumps(rows),
    }
    if hasattr(estimator, "classes_"):
        metadata["classes"] = _as_json(estimator.classes_)
    targets = vars(estimator).get("_targets")
    if isinstance(targets, StandardizedTargets):
        scale = [targets.mean.tolist(), targets.deviation.tolist()]
        metadata["target_scale"] = json.dumps(scale)
    return metadata


def _as_json(classes: np.ndarray) -> str:
    return json.dumps(classes.tolist(), default=str)


def _problems(estimator: Any, file: WeightFile) -> list[str]:  # noqa: ANN401
    """Return what does not fit, each in one phrase."""
    own, theirs = estimator.network_.shapes, file.shapes
    wrong = [name for name in own if theirs.get(name, own[name]) != own[name]]
    parts = [
        f"{name!r} must have shape {own[name]}, but has shape {theirs[name]}"
        for name in wrong
    ]
    missing = _listed([name for name in own if name not in theirs])
    unknown = _listed([name for name in theirs if name not in own])
    problems = [_cut(parts)] if parts else []
    problems += [f"the file has no {missing}"] if missing else []
    problems += [f"the network has no {unknown}"] if unknown else []
    if "estimator" in file.metadata:
        scaled = isinstance(vars(estimator).get("_targets"), StandardizedTargets)
        if scaled != ("target_scale" in file.metadata):
            yes, no = "standardized y (rescale='auto')", "y as it is"
            problems.append(
                f"the network of the file predicts {no if scaled else yes}, that of "
                f"the estimator {yes if scaled else no}"
            )
    classes = json.loads(file.metadata.get("classes", "null"))
    present = getattr(estimator, "classes_", None)
    if classes is not None and present is not None:
        present = json.loads(_as_json(present))
        if present != classes:
            problems.append(
                f"the classes of the file are {_cut(list(map(repr, classes)))}, those "
                f"of the estimator {_cut(list(map(repr, present)))}"
            )
    return problems


def _not_fitting(
    estimator: Any,  # noqa: ANN401  an estimator
    file: WeightFile,
    problems: list[str],
    *,
    strict: bool,
) -> str:
    """Return the message for a file that does not fit."""
    message = (
        f"{file.path!r} does not fit the network of this {type(estimator).__name__}: "
        f"{'; '.join(problems)}."
    )
    if strict:
        message += " strict=False loads the arrays that fit."
    if "layers" in file.metadata:
        owner = file.metadata.get("estimator", "another estimator")
        message += f" The file was made by {owner} for this network:{_layers_of(file)}"
    return message


def _layers_of(file: WeightFile) -> str:
    """Return the layers of the network that a file was made of, indented if inside."""
    rows = json.loads(file.metadata.get("layers", "[]"))
    return "".join(
        f"\n  {'  ' * row['depth']}{row['name']} {row['kind']} {tuple(row['out'])}"
        for row in rows[:_MAX_NAMES]
    ) + ("\n  ..." if len(rows) > _MAX_NAMES else "")


def _listed(names: list[str]) -> str:
    return _cut([repr(name) for name in names])


def _cut(parts: list[str]) -> str:
    """Join texts by commas; of many, only the first are shown."""
    more = len(parts) - _MAX_NAMES
    return ", ".join(parts[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
