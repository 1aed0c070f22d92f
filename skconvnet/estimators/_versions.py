"""The hyperparameter `predict_augmentation`: what predictions are averaged over."""

from __future__ import annotations

from typing import Any

from skconvnet._typing import Shape
from skconvnet.augmentation.versions import Versions
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.network import Network
from skconvnet.engine.tokens import token_layers
from skconvnet.engine.version_mean import VersionMean
from skconvnet.estimators._shape_words import size
from skconvnet.params.constraints import ObjectOf, check_values, one_of

# The versions that have names.
_NAMED = {
    "mirror": Versions(),
    "shifts": Versions(horizontal=False, shifts=1),
    "mirror+shifts": Versions(shifts=1),
}
CONSTRAINTS: dict[str, list[Any]] = {
    "predict_augmentation": [
        *one_of(*_NAMED),
        ObjectOf("skconvnet.augmentation.Versions", Versions),
        None,
    ]
}


def make_means(estimator: Any, inputs: Inputs) -> dict[Shape, VersionMean] | None:  # noqa: ANN401  estimators have no type
    """Return what averages predictions, for each shape of the samples; None if nothing.

    Raises
    ------
    ValueError, TypeError
        If `predict_augmentation` has no such value, or does not fit the samples.
    """
    value = getattr(estimator, "predict_augmentation", None)
    if value is None:
        return None
    # It may have been set since the estimator was fitted.
    check_values(estimator, CONSTRAINTS)
    versions = _NAMED[value] if isinstance(value, str) else value
    network: Network = estimator.network_
    _refuse_tokens(value, network)
    means = {}
    for shape in sorted(inputs.shapes):
        try:
            means[shape] = VersionMean(versions.build(shape))
        except (TypeError, ValueError) as error:
            raise type(error)(f"predict_augmentation={value!r}: {error}") from error
        if network.predicts_maps:
            _check_same_positions(value, network.for_shape(shape))
    return means


def _refuse_tokens(value: object, network: Network) -> None:
    names = token_layers(network)
    if names:
        raise ValueError(
            f"predict_augmentation={value!r} moves the values of samples, but layer "
            f"{names[0]!r} takes tokens, whose order has a meaning. Set "
            "predict_augmentation=None."
        )


def _check_same_positions(value: object, network: Network) -> None:
    """Raise an error unless outputs have the positions of samples."""
    positions, outputs = network.in_shape[:-1], network.chain.out_shape[:-1]
    if outputs != positions:
        raise ValueError(
            f"predict_augmentation={value!r} moves the pixels of samples of "
            f"{size(positions)}, which cannot be undone for outputs of "
            f"{size(outputs)}. Set predict_augmentation=None, or have the network "
            "predict maps of the size of its samples."
        )


def refuse_versions(estimator: Any) -> None:  # noqa: ANN401  estimators have no type
    """Raise a ValueError if predictions are means, which an export does not have."""
    value = getattr(estimator, "predict_augmentation", None)
    if value is not None:
        raise ValueError(
            f"predict_augmentation={value!r} is not part of an exported model, which "
            "would predict something else than this estimator. Set "
            "predict_augmentation=None with set_params to export the network alone."
        )
