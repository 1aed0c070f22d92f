"""What to set of ConvNet* if a layer leaves nothing of the samples."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skconvnet._checks import as_python, is_sequence
from skconvnet._typing import Shape
from skconvnet.estimators._convnet_blocks import OF_BLOCK, convnet_layers
from skconvnet.estimators._network_builder import Entry
from skconvnet.estimators._per_layer_values import check_counts, per_block
from skconvnet.estimators._sample_sizes import LayerWithoutOutput, has_output
from skconvnet.params.base import LayerSpec

if TYPE_CHECKING:
    from skconvnet.estimators.convnet import ConvNetClassifier, ConvNetRegressor

# Hyperparameters with a value per block, some of which may have more for dense layers.
_PER_BLOCK = (*OF_BLOCK, "activation", "dropout")


def remedies_of(
    estimator: ConvNetClassifier | ConvNetRegressor,
    layer: LayerWithoutOutput,
    entries: Sequence[Entry],
    in_shape: Shape,
) -> list[str]:
    """Return settings of hyperparameters for which all layers have an output.

    Parameters
    ----------
    estimator : ConvNetClassifier or ConvNetRegressor
    layer : LayerWithoutOutput
    entries : sequence of (str, spec)
        The layers of its network.
    in_shape : tuple of int
        Shape of a sample, channels last.
    """
    filters = check_counts("filters", estimator.filters)
    number = re.search(r"\d+", layer.name)
    assert number is not None  # only layers of blocks have windows
    n_fit = int(number[0]) - 1
    # Functions, which return specs, are for rows whose shape is guessed.
    is_guessed = not all(isinstance(entry, LayerSpec) for _, entry in entries)

    def helps(setting: dict[str, Any]) -> bool:
        other = copy.copy(estimator)
        for name, value in setting.items():
            setattr(other, name, value)
        layers = convnet_layers(other, len(in_shape) - 1, is_guessed=is_guessed)
        return has_output(layers, in_shape)

    found = []
    fewer = _fewer_blocks(estimator, filters, n_fit)
    if n_fit and helps(fewer):
        blocks = "1 block fits" if n_fit == 1 else f"{n_fit} blocks fit"
        found.append(f"{_stated(fewer)} ({blocks})")
    other: dict[str, Any] = {"padding": "same"}
    if layer.name.startswith("pool"):
        other = {"pooling": _without_pools(estimator, len(filters), n_fit)}
    if helps(other):
        found.append(_stated(other))
    return found


def _fewer_blocks(
    estimator: ConvNetClassifier | ConvNetRegressor, filters: Sequence[int], n: int
) -> dict[str, Any]:
    """Return what to set for the first n blocks alone."""
    setting: dict[str, Any] = {"filters": tuple(filters[:n])}
    for name in _PER_BLOCK:
        value = getattr(estimator, name)
        if is_sequence(value):
            values = [as_python(v) for v in value]
            setting[name] = tuple(values[:n] + values[len(filters) :])
    return setting


def _without_pools(
    estimator: ConvNetClassifier | ConvNetRegressor, n_blocks: int, n_fit: int
) -> tuple[str | None, ...] | None:
    """Return a value of `pooling` for pools in the first blocks alone."""
    pooling = per_block("pooling", estimator.pooling, n_blocks)[:n_fit]
    if not any(pooling):
        return None
    return (*map(as_python, pooling), *[None] * (n_blocks - n_fit))


def _stated(setting: dict[str, Any]) -> str:
    return " and ".join(f"{name}={value!r}" for name, value in setting.items())
