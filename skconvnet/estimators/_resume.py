"""`fit(resume_from=path)`: going on from a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

import joblib
import numpy as np

from skconvnet._suggestions import shown_value
from skconvnet._typing import Rows
from skconvnet.engine.map_targets import MapTargets
from skconvnet.engine.network import Network
from skconvnet.engine.ragged import MapList
from skconvnet.training.snapshot import RandomNumbers, TrainingSnapshot

# Parameters on which no bit of the result depends.
_MAY_DIFFER = {"n_jobs", "verbose", "random_state", "warm_start"}


@dataclass
class Checkpointed:
    """What a checkpoint holds besides the fitted estimator.

    Attributes
    ----------
    training : TrainingSnapshot
    random_numbers : dict
        The state of the generator before it held out samples.
    targets : str
        A hash of the encoded targets.
    """

    training: TrainingSnapshot
    random_numbers: RandomNumbers
    targets: str

    def make_rng(self) -> np.random.RandomState:
        """Return the generator as it was before it held out samples."""
        make_bit_generator = getattr(np.random, self.random_numbers["bit_generator"])
        rng = np.random.RandomState(make_bit_generator())
        rng.set_state(self.random_numbers)
        return rng

    def check_network(self, network: Network, targets: Rows | MapTargets) -> None:
        """Raise a ValueError unless the checkpoint is of this network and these y."""
        if self.training.numbers.shape != network.state.shape:
            raise ValueError(
                "resume_from is a checkpoint of a network of "
                f"{self.training.numbers.size} weights and buffers, but X and y need "
                f"one of {network.state.size}; pass the X and y of the checkpoint."
            )
        if self.targets != hash_of(targets):
            raise ValueError(
                "resume_from is a checkpoint of a fit to another y; pass the X and y "
                "of that fit, in the same order."
            )


def hash_of(targets: Rows | MapTargets) -> str:
    """Return a hash of encoded targets."""
    values = targets.values if isinstance(targets, MapTargets) else targets
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
    if not isinstance(path, str | PathLike):
        raise TypeError(
            f"resume_from must be the path of a checkpoint; got {shown_value(path)}."
        )
    saved = joblib.load(path)
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


def _check_params(estimator: Any, saved: Any, path: str) -> None:  # noqa: ANN401
    own, other = estimator.get_params(), saved.get_params()
    for name in sorted(own.keys() | other.keys()):
        if name.split("__")[-1] in _MAY_DIFFER:
            continue
        mine, theirs = own.get(name), other.get(name)
        if _differ(mine, theirs):
            raise ValueError(
                f"resume_from={path!r} was written with {name}={shown_value(theirs)}, "
                f"but the estimator has {name}={shown_value(mine)}: the weights would "
                "not be those of a fit without interruption. Use set_params to make "
                "them equal."
            )


def _differ(mine: object, theirs: object) -> bool:
    """Return whether two parameters differ; objects are compared by their own."""
    if hasattr(mine, "get_params") or callable(mine):
        return type(mine) is not type(theirs)
    if isinstance(mine, list | tuple) and not _is_plain(mine):
        # Lists of layers, whose parameters have names of their own.
        same_length = isinstance(theirs, list | tuple) and len(mine) == len(theirs)
        return not same_length
    try:
        return not np.array_equal(np.asarray(mine), np.asarray(theirs))
    except ValueError:  # ragged: parameters such as ((3, 3), 5)
        return mine != theirs


def _is_plain(values: object) -> bool:
    """Return whether nested sequences have nothing but numbers, text and None."""
    if isinstance(values, list | tuple):
        return all(map(_is_plain, values))
    return values is None or isinstance(values, str | bool | int | float | np.generic)
