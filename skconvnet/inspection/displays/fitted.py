"""What displays ask of an estimator: its network, its layers and its samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skconvnet._checks import check_positive_int
from skconvnet._suggestions import did_you_mean
from skconvnet._typing import Shape
from skconvnet.engine.network import Network
from skconvnet.inspection.displays.samples import Array
from skconvnet.layers.base import Layer
from skconvnet.layers.composite import CompositeLayer
from skconvnet.params.base import LayerSpec

# Volumes have three spatial axes, and channels.
_MAX_AXES = 4


class FoundLayer(NamedTuple):
    """A layer of a network, which may be inside of another layer."""

    path: str
    spec: LayerSpec
    layer: Layer[Any]

    @property
    def kind(self) -> str:
        """Name of the class of the layer."""
        return type(self.spec).__name__


def final_estimator(estimator: Any) -> Any:  # noqa: ANN401  estimators have no type
    """Return the fitted estimator inside pipelines and searches."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "regressor_"):  # of TransformedTargetRegressor
            estimator = estimator.regressor_
        else:
            check_is_fitted(estimator)
            return estimator


def last_step(estimator: Any, X: Any) -> tuple[Any, Any]:  # noqa: ANN401  estimators have no type
    """Return the last step of a pipeline, and X as the steps before transform it."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        return final_estimator(estimator), estimator[:-1].transform(X)
    return final_estimator(estimator), X


def network_of(estimator: Any, owner: str) -> Network:  # noqa: ANN401  estimators have no type
    """Return the network of an estimator, or of the last step of a pipeline.

    Raises
    ------
    NotFittedError
    TypeError
        If the estimator is none of this package.
    """
    final = final_estimator(estimator)
    network = getattr(final, "network_", None)
    if not isinstance(network, Network):
        raise TypeError(
            f"{owner} needs an estimator of skconvnet, or a pipeline or search whose "
            f"final estimator is one; got {type(final).__name__}."
        )
    return network


def layers_of(network: Network) -> dict[str, FoundLayer]:
    """Return all layers by path: "conv1", or "block/branch/conv" inside of layers."""
    found = _layers(network.specs, network.layers, "")
    return {entry.path: entry for entry in found}


def _layers(
    specs: Sequence[tuple[str, LayerSpec]],
    layers: Mapping[str, Layer[Any]],
    prefix: str,
) -> Iterator[FoundLayer]:
    for name, spec in specs:
        layer, path = layers[name], f"{prefix}{name}"
        yield FoundLayer(path, spec, layer)
        if isinstance(layer, CompositeLayer):
            for branch, chain in layer.chains.items():
                inner = f"{path}/{branch}/" if branch else f"{path}/"
                yield from _layers(chain.specs, chain.layers, inner)


def find_layer(layers: Mapping[str, FoundLayer], path: object) -> FoundLayer:
    """Return the layer of this path, or raise an error with a suggestion."""
    if path not in layers:
        raise ValueError(
            f"layer must be one of {', '.join(map(repr, layers))}; got {path!r}."
            f"{did_you_mean(str(path), layers)}"
        )
    return layers[str(path)]


def shaped(
    sample: Any,  # noqa: ANN401  array-like
    estimator: Any,  # noqa: ANN401  estimators have no type
    shape: Shape | None = None,
) -> Array:
    """Return a sample as (features,) or (*spatial, channels), the way it is drawn.

    Parameters
    ----------
    sample : array-like
        A row of features, or an image, series or volume.
    estimator : estimator or None
        If it has a network, this says how samples of its size are read.
    shape : tuple of int, optional
        How to read rows, (height, width) or (*spatial, channels).
    """
    _refuse_sparse(sample, "X")
    array = np.asarray(sample)
    if array.dtype.kind not in "buif":
        raise ValueError(
            f"X must have numbers to be drawn; got a sample of dtype {array.dtype}."
        )
    if shape is not None:
        return array.reshape(check_shape(shape, array.size))
    final = None if estimator is None else final_estimator(estimator)
    network = getattr(final, "network_", None)
    in_shape: Shape = network.in_shape if isinstance(network, Network) else ()
    if array.size == prod(in_shape):
        if getattr(final, "data_format", None) == "channels_first":
            first = array.reshape(in_shape[-1], *in_shape[:-1])
            return np.moveaxis(first, 0, -1)
        return array.reshape(in_shape)
    if getattr(final, "data_format", None) == "channels_first" and array.ndim > 2:
        return np.moveaxis(array, 0, -1)
    # Of another size, or of an estimator that does not say: images may have two axes.
    is_gray = array.ndim == 2 and len(in_shape) != array.ndim
    return array[..., np.newaxis] if is_gray else array


def _refuse_sparse(values: object, name: str) -> None:
    if issparse(values):
        raise TypeError(
            f"{name} must be dense to be drawn; got a sparse matrix. Pass "
            f"{name}.toarray(), of a part of it if it is long."
        )


def check_shape(shape: object, size: int, name: str = "shape") -> Shape:
    """Return `shape` with channels if it is (height, width), or raise an error.

    >>> check_shape((28, 28), 784), check_shape((32, 32, 3), 3072)
    ((28, 28, 1), (32, 32, 3))
    """
    lengths = tuple(shape) if isinstance(shape, tuple | list) else ()
    is_valid = 1 <= len(lengths) <= _MAX_AXES and all(
        isinstance(length, int | np.integer) and length > 0 for length in lengths
    )
    if not is_valid:
        raise ValueError(
            f"{name} must be a tuple of 1 to {_MAX_AXES} integers above 0, such as "
            f"(28, 28) or (32, 32, 3); got {shape!r}."
        )
    if prod(lengths) != size:
        raise ValueError(
            f"{name}={shape!r} has {prod(lengths)} values, but a sample has {size}."
        )
    return (*lengths, 1) if len(lengths) == 2 else lengths


def one_sample(x: Any, estimator: Any) -> Any:  # noqa: ANN401  array-like
    """Return a sample as an X of one sample, or raise an error if it is several.

    The first step of a pipeline knows rows alone: what has one axis is a sample.
    """
    _refuse_sparse(x, "x")
    is_pipeline = isinstance(estimator, Pipeline)
    if hasattr(x, "to_frame"):  # a row of a table, whose columns keep their names
        return x.to_frame().T
    if not hasattr(x, "iloc"):
        x = np.asarray(x)
        is_single = x.ndim == 1
        if not is_pipeline:
            is_single = _is_single(x.shape, final_estimator(estimator))
        if is_single:
            return x[np.newaxis]
    if x.ndim == 0 or len(x) != 1:
        such = " for a pipeline, such as" if is_pipeline else ", such as X[0] or"
        raise ValueError(
            f"x must be one sample{such} X[:1]; got an array of shape {x.shape}."
        )
    return x


def _is_single(shape: Shape, estimator: Any) -> bool:  # noqa: ANN401  has no type
    """Whether this is the shape of a sample, rather than of an X."""
    if len(shape) == 1:
        return True
    in_shape: Shape = estimator.network_.in_shape
    is_channels_first = getattr(estimator, "data_format", None) == "channels_first"
    channel = 0 if is_channels_first else -1
    *spatial, n_channels = in_shape
    if shape[1:] == (prod(in_shape),):
        return False  # rows
    if len(shape) == len(in_shape):
        is_X_of_gray = n_channels == 1 and shape[1:] == tuple(spatial)
        return shape[channel] == n_channels and not is_X_of_gray
    return n_channels == 1 and len(shape) == len(spatial)


def check_maximum(name: str, value: object) -> int | None:
    """Return the largest number of panels, None for all, or raise an error."""
    return None if value is None else check_positive_int(name, value)
