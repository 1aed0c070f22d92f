"""`fit(resume_from=path)`: going on from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

import joblib
import numpy as np

from skconvnet._checks import is_path
from skconvnet._suggestions import shown_value
from skconvnet._typing import Rows
from skconvnet.engine.map_targets import MapTargets
from skconvnet.engine.network import Network
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._param_equality import differ
from skconvnet.estimators._targets import Targets
from skconvnet.estimators._validation_set import ValidationData
from skconvnet.shards.sharded_array import ShardedArray
from skconvnet.training.snapshot import RandomNumbers, TrainingSnapshot

# Parameters on which no bit of the result depends; the dtype is that of the network.
_MAY_DIFFER = {"dtype", "n_jobs", "random_state", "verbose", "warm_start"}


@dataclass
class Checkpointed:
    """What a checkpoint holds besides the fitted estimator.

    Attributes
    ----------
    training : TrainingSnapshot
    random_numbers : dict
        The state of the generator before it held out samples.
    given : dict of str to object
        What `fit` was given, see `what_fit_was_given`.
    encoder : Targets
        The encoding of y, with the scale of y that it has learned.
    """

    training: TrainingSnapshot
    random_numbers: RandomNumbers
    given: dict[str, object]
    encoder: Targets

    def make_rng(self) -> np.random.RandomState:
        """Return the generator as it was before it held out samples."""
        make_bit_generator = getattr(np.random, self.random_numbers["bit_generator"])
        rng = np.random.RandomState(make_bit_generator())
        rng.set_state(self.random_numbers)
        return rng

    def encode(self, encode: Callable[[], Rows | MapTargets]) -> Rows | MapTargets:
        """Return the targets, with a clear error if y has other classes than then."""
        try:
            return encode()
        except ValueError as error:
            raise ValueError(
                "resume_from is a checkpoint of a fit to another set of classes or "
                f"shape of y: {error}"
            ) from error

    def check_given(self, given: Mapping[str, object]) -> None:
        """Raise a ValueError unless `fit` is given what it was given then."""
        for name in {**self.given, **given}:
            then, now = self.given.get(name), given.get(name)
            if now == then:
                continue
            shown = ""
            if name not in _UNREADABLE or None in (now, then):
                shown = f": {_said(now)}, and {_said(then)} then"
            raise ValueError(
                f"resume_from is a checkpoint of a fit to another {name}{shown}. Pass "
                "what that fit was given, in the same order, to go on with it."
            )


# Hashes say nothing to a reader, except that there is something; nor do long lists.
_UNREADABLE = ("y", "sample_weight", "y_val", "order or kind of layers")


def what_fit_was_given(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: object,
    targets: Rows | MapTargets,
    weights: object,
    validation: ValidationData,
) -> dict[str, object]:
    """Return what `fit` was given, by names for error messages."""
    network: Network = estimator.network_
    names = getattr(estimator, "feature_names_in_", None)
    classes = getattr(estimator, "classes_", None)
    return {
        "shape of samples": network.in_shape,
        "dtype": str(network.dtype),
        "set or order of columns": None if names is None else list(names),
        "set of classes": None if classes is None else _listed(classes),
        "order or kind of layers": _described(network.specs),
        "y": hash_of(targets),
        "sample_weight": None if weights is None else hash_of(weights),
        "y_val": None if validation.y is None else _hash_of_any(validation.y),
        **(X.order_params if isinstance(X, ShardedArray) else {}),
    }


def _described(value: object) -> object:
    """Return the names, kinds and named choices of layers, in their order.

    Numbers are left out. They are compared as hyperparameters, and those of a warm
    start may be written in another way, such as 2 and (2, 2).
    """
    if hasattr(value, "get_params"):
        params = sorted(value.get_params(deep=False).items())
        return [type(value).__name__, _described(params)]
    if isinstance(value, list | tuple):
        return [own for own in map(_described, value) if own not in (None, [])]
    return value if isinstance(value, str) else None


def _said(value: object) -> str:
    return "none" if value is None else shown_value(value)


def _listed(classes: object) -> object:
    """Return labels, or a list of those of each output, as lists."""
    if isinstance(classes, list):
        return [np.asarray(own).tolist() for own in classes]
    return np.asarray(classes).tolist()


def _hash_of_any(y: object) -> str:
    """Return a hash of a y as a user passes it, which may be no valid one."""
    try:
        values = y if hasattr(y, "dtypes") else np.asarray(y).tolist()
    except Exception:  # it is refused with a clear error when it is validated
        return "not valid"
    digest: str = joblib.hash(values)
    return digest


def hash_of(targets: object) -> str:
    """Return a hash of encoded targets, or of weights."""
    values: Any = targets.values if isinstance(targets, MapTargets) else targets
    maps = values.maps if isinstance(values, MapList) else [values]
    digest: str = joblib.hash([np.ascontiguousarray(own) for own in maps])
    return digest


def load_checkpoint(
    estimator: Any,  # noqa: ANN401  estimators have no type
    path: str | PathLike[str] | None,
) -> Checkpointed | None:
    """Read the checkpoint that `resume_from` names, None if it is None.

    Raises
    ------
    TypeError
        If it is not a path.
    ValueError
        If the file is not a checkpoint, or one of an estimator with other parameters.
    """
    if path is None:
        return None
    if not is_path(path):
        raise TypeError(
            f"resume_from must be the path of a checkpoint; got {shown_value(path)}."
        )
    try:
        saved = joblib.load(path)
    except OSError:  # such as a file that is missing
        raise
    except Exception as error:
        raise ValueError(
            f"resume_from={fspath(path)!r} cannot be read: {error}. It must be a file "
            "that skconvnet.callbacks.Checkpoint wrote."
        ) from error
    checkpointed = getattr(saved, "_checkpointed", None)
    if not isinstance(checkpointed, Checkpointed):
        raise ValueError(
            f"resume_from={fspath(path)!r} is not a checkpoint, but has an object of "
            f"type {type(saved).__name__}. skconvnet.callbacks.Checkpoint writes them."
        )
    if type(saved) is not type(estimator):
        raise ValueError(
            f"resume_from={fspath(path)!r} is a checkpoint of a "
            f"{type(saved).__name__}, not of a {type(estimator).__name__}."
        )
    _check_params(estimator, saved, fspath(path))
    return checkpointed


def _check_params(estimator: Any, saved: Any, path: str) -> None:  # noqa: ANN401  estimators have no type
    own, other = estimator.get_params(), saved.get_params()
    for name in sorted(own.keys() | other.keys()):
        if name.split("__")[-1] in _MAY_DIFFER:
            continue
        if name not in own or name not in other:
            which = "the checkpoint" if name in other else "the estimator"
            raise ValueError(
                f"resume_from={path!r} was written by an estimator with other layers "
                f"or objects: only {which} has {name}."
            )
        mine, theirs = own[name], other[name]
        if differ(mine, theirs):
            raise ValueError(
                f"resume_from={path!r} was written with {name}={shown_value(theirs)}, "
                f"but the estimator has {name}={shown_value(mine)}: the weights would "
                "not be those of a fit without interruption. Use set_params to make "
                "them equal."
            )
