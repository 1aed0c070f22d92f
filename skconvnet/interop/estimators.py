"""What an estimator adds to its network: the units of y, and two classes."""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError

from skconvnet.engine.network import Network
from skconvnet.params.naming import OUTPUT_NAME

_KERNEL, _BIAS = f"{OUTPUT_NAME}/kernel", f"{OUTPUT_NAME}/bias"

Weights = dict[str, npt.NDArray[Any]]


class Estimator(Protocol):
    """What is needed of the estimators of skconvnet."""

    network_: Network

    def get_weights(self) -> Weights:
        """Return copies of all weights and buffers."""

    def set_weights(self, weights: Weights) -> Self:
        """Replace some or all weights."""


def checked_network(est: object) -> Network:
    """Return the network of an estimator.

    Raises
    ------
    TypeError
        If it is not an estimator of skconvnet.
    NotFittedError
        If it has no network yet.
    """
    kind = type(est).__name__
    if not hasattr(type(est), "set_weights") or not hasattr(type(est), "initialize"):
        hint = ""
        if hasattr(est, "named_steps"):
            hint = " Pass the last step of the pipeline, pipeline[-1]."
        elif hasattr(est, "best_estimator_"):
            hint = f" Pass best_estimator_ of the {kind}."
        raise TypeError(
            "est must be an estimator of skconvnet, such as a ConvNetClassifier; got "
            f"{kind}.{hint}"
        )
    network = getattr(est, "network_", None)
    if not isinstance(network, Network):
        raise NotFittedError(
            f"This {kind} has no network yet. Call initialize(X, y), with samples of "
            "the shape and with the classes that the network is for, or fit."
        )
    return network


def is_binary(est: object) -> bool:
    """Whether the one output of an estimator is the score of the second of two classes.

    Another library may have two outputs there, and a softmax: this is the logistic
    function of their difference.
    """
    return hasattr(est, "classes_") and getattr(est, "n_outputs_", 0) == 1


def in_units_of_y(est: object, weights: Weights) -> Weights:
    """Return weights of which the output layer predicts y instead of standardized y."""
    scale = _scale_of_targets(est)
    if scale is None or _KERNEL not in weights:
        return weights
    mean, deviation = scale
    return weights | {
        _KERNEL: _cast(weights[_KERNEL] * deviation, weights[_KERNEL]),
        _BIAS: _cast(weights[_BIAS] * deviation + mean, weights[_BIAS]),
    }


def in_units_of_network(est: object, weights: Weights) -> Weights:
    """Return weights of which the output layer predicts standardized y instead of y."""
    scale = _scale_of_targets(est)
    if scale is None or _KERNEL not in weights:
        return weights
    mean, deviation = scale
    return weights | {
        _KERNEL: weights[_KERNEL] / deviation,
        _BIAS: (weights[_BIAS] - mean) / deviation,
    }


def _scale_of_targets(
    est: object,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """Return mean and deviation of y, if the network predicts standardized y."""
    targets: Any = vars(est).get("_targets")
    mean = getattr(targets, "mean", None)  # of `StandardizedTargets` alone
    return None if mean is None else (mean, targets.deviation)


def _cast(values: npt.NDArray[Any], like: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values.astype(like.dtype)
