"""Weights in files: `save_weights` and `load_weights` of all estimators."""

from __future__ import annotations

import copy
import json
import os
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skconvnet._checks import is_path
from skconvnet.estimators._arguments import explains_arguments
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._fitting_weights import fitting_names
from skconvnet.estimators._guards import unchanged_on_error
from skconvnet.estimators._network_weights import NetworkWeights
from skconvnet.estimators._safetensors import WeightFile, opened, write
from skconvnet.estimators._targets import StandardizedTargets
from skconvnet.estimators._weight_metadata import (
    array_problems,
    class_problems,
    layers_of,
    listed,
    metadata_of,
    output_problems,
)
from skconvnet.params.naming import OUTPUT_NAME

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
        write(checked_path(path), self.get_weights(), metadata_of(self))

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
            Whether the file must have exactly the arrays of the network, for outputs
            of the same meaning. If False, the layers that fit are loaded, a warning
            tells what differs, and `weights_left_out_` lists the arrays of the file
            that are left out. Those of the output layer are if it predicts another
            kind of target, through another function or in other units of y.

        Returns
        -------
        self : object
            The estimator with the weights of the file.

        Raises
        ------
        ValueError
            If the file does not fit, has other classes, or is of a network whose
            outputs mean something else. No weight is changed then.
        """
        check_is_fitted(self, msg=_NO_NETWORK)
        if not isinstance(strict, (bool, np.bool_)):
            raise TypeError(f"strict must be True or False; got {strict!r}.")
        with unchanged_on_error(self), opened(checked_path(path)) as file:
            own = self.network_.shapes
            fitting = fitting_names(own, file.shapes)
            of_output = output_problems(self, file)
            if of_output:
                fitting = [name for name in fitting if not _is_of_output(name)]
            problems = array_problems(self, file) + of_output
            problems += class_problems(self, file)
            if problems and (strict or not fitting):
                raise ValueError(_not_fitting(self, file, problems, strict=strict))
            if f"{OUTPUT_NAME}/kernel" in fitting:
                self._restore_targets(file)
            arrays = {name: file.read(name) for name in fitting}
            # In the order of the network: the file has sorted them by name.
            left_out = [
                name
                for name in dict.fromkeys([*own, *file.shapes])
                if name in file.shapes and name not in arrays
            ]
            try:
                self.set_weights(arrays)
            except ValueError as error:
                raise ValueError(f"{file.path!r} cannot be loaded: {error}") from error
            self.weights_left_out_ = left_out
        if problems:
            untold = f" Left out: {listed(left_out)}." if left_out else ""
            warn_caller(
                f"{len(fitting)} of {len(own)} arrays were loaded from {file.path!r}; "
                f"{'; '.join(problems)}.{untold}"
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


def _is_of_output(name: str) -> bool:
    return name.startswith(f"{OUTPUT_NAME}/")


def checked_path(path: object) -> str:
    """Return a path as a str, or raise a TypeError."""
    if not is_path(path):
        raise TypeError(
            f"path must be a str or path-like, such as 'weights.safetensors'; got "
            f"{path!r}."
        )
    return os.fsdecode(path)


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
        message += " strict=False loads the layers that fit."
    if "layers" in file.metadata:
        owner = file.metadata.get("estimator", "another estimator")
        message += f" The file was made by {owner} for this network:{layers_of(file)}"
    return message
