"""Which score of each sample is explained: what `target` means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._checks import is_int, shown
from skconvnet._suggestions import did_you_mean
from skconvnet.engine.finite import check_outputs
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.network import Network
from skconvnet.engine.target_scores import TargetScores
from skconvnet.estimators._introspection import outputs_of
from skconvnet.estimators._targets import (
    ClassTargets,
    StandardizedTargets,
    Targets,
)
from skconvnet.estimators._tensors import check_tensors
from skconvnet.losses import Loss


def target_scores(
    targets: Targets,
    loss: Loss,
    target: object,
    *,
    network: Network,
    inputs: Inputs,
    n_threads: int,
) -> TargetScores:
    """Return the score of each sample that `target` means.

    Parameters
    ----------
    targets : Targets
        The encoding of y.
    loss : Loss
    target : object
        What the user passed: None, a label or an index, or an array of them.
    network : Network
    inputs : Inputs
        The samples, which are predicted if `target` is None.
    n_threads : int
    """
    if targets.form is not None:
        raise ValueError(
            "Only a network with one score per sample can be explained; this one "
            "predicts maps. Fit one that ends with a pooling and a dense layer."
        )
    n_outputs = network.chain.out_shape[-1]
    if not isinstance(targets, ClassTargets):
        outputs = _indices(target, n_outputs, len(inputs))
        factors = np.ones(len(inputs))
        if isinstance(targets, StandardizedTargets):
            factors = targets.deviation[outputs]
        return TargetScores(outputs, factors, loss)
    is_multilabel = not targets.is_exclusive and n_outputs > 1
    if is_multilabel or targets.groups is not None:
        outputs = _indices(target, n_outputs, len(inputs))
        return TargetScores(outputs, np.ones(len(inputs)), None)
    if target is None:
        scores = outputs_of(network, loss, inputs, n_threads=n_threads, scores=True)
        check_outputs(scores, is_prediction=True)
        if targets.is_exclusive:
            positions = scores.argmax(axis=1)
        else:  # a single class is the first one
            is_second = loss.is_positive(scores[:, 0]) & (len(targets.classes) > 1)
            positions = is_second.astype(np.intp)
    else:
        positions = _positions(target, targets.classes, len(inputs))
    if targets.is_exclusive:
        return TargetScores(positions, np.ones(len(inputs)), None)
    factors = np.where(positions == 1, 1.0, -1.0)
    return TargetScores(np.zeros_like(positions), factors, None)


def _indices(target: object, n_outputs: int, n: int) -> npt.NDArray[np.intp]:
    """Return the index of an output for each sample."""
    if target is None:
        return np.zeros(n, dtype=np.intp)
    values = _per_sample(target, n, "the index of an output")
    for value in values:
        if not is_int(value):
            raise TypeError(
                f"target must be None, the index of an output, an int from 0 to "
                f"{n_outputs - 1}, or an array of one for each sample; got "
                f"{shown(value)}."
            )
        if not 0 <= value < n_outputs:
            raise ValueError(
                f"target must be from 0 to {n_outputs - 1}, as there are {n_outputs} "
                f"outputs; got {value!r}."
            )
    return np.resize(np.array(values, dtype=np.intp), n)


def _positions(
    target: object, classes: npt.NDArray[Any], n: int
) -> npt.NDArray[np.intp]:
    """Return the position of a class label in `classes` for each sample."""
    labels = classes.tolist()
    position_of = {label: position for position, label in enumerate(labels)}
    values = _per_sample(target, n, "a class label")
    has_bools = any(isinstance(label, bool) for label in labels)
    positions = []
    for value in values:
        is_other_kind = isinstance(value, bool) and not has_bools
        try:
            position = None if is_other_kind else position_of.get(value)
        except TypeError:  # not hashable
            position = None
        if position is None:
            hint = did_you_mean(str(value), [x for x in labels if isinstance(x, str)])
            raise ValueError(
                f"target must be None, a class label, or an array of one for each "
                f"sample; the classes are {shown(labels)}, got {shown(value)}.{hint}"
            )
        positions.append(position)
    return np.resize(np.array(positions, dtype=np.intp), n)


def _per_sample(target: object, n: int, what: str) -> Sequence[Any]:
    """Return the values of `target`: a single one, or one for each of n samples."""
    check_tensors(target, "target")
    values = np.asarray(target)
    if values.ndim == 0:
        return [values.item()]
    if values.shape != (n,):
        raise ValueError(
            f"target must be None, {what}, or an array of shape ({n},) with one for "
            f"each sample; got an array of shape {values.shape}."
        )
    listed: list[Any] = values.tolist()
    return listed
