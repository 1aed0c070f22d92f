"""A perceptron for the rows of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet._checks import (
    check_fraction,
    check_length,
    check_positive_float,
    check_positive_int,
    is_sequence,
)
from skconvnet.architectures._parts import scaled
from skconvnet.layers import (
    Dense,
    Dropout,
    Flatten,
    Parallel,
    PeriodicEmbedding,
    SmoothClip,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skconvnet.architectures._parts import Layers


def tabular(
    hidden_layer_sizes: int | Sequence[int] = (128, 128),
    dropout: float = 0.15,
    *,
    limit: float = 3.0,
    embedding_dims: int | None = None,
    frequency_scale: float | None = None,
    width: float = 1.0,
) -> Layers:
    """Return a perceptron for rows of numbers of the order of 1, as after a scaler.

    Outliers are clipped smoothly [1]_. With `embedding_dims`, each feature also becomes
    a learned vector of sines and cosines [2]_, which is joined to the features. Dense
    layers with the activation "mish" follow, each with dropout.
    :func:`skconvnet.tabular.make_tabular_classifier` trains this network in the way
    that suits it.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(128, 128)
        Number of units of each dense layer.
    dropout : float, default=0.15
        Share of values that are set to zero in training after each dense layer, in
        [0, 1).
    limit : float, default=3.0
        Limit of the absolute values of features, see `SmoothClip`.
    embedding_dims : int, default=None
        Length of the vector of each feature, such as 4, see `PeriodicEmbedding`. None
        means that features have none.
    frequency_scale : float, default=None
        Scale of the initial frequencies. None means the default of `PeriodicEmbedding`.
        It needs `embedding_dims`.
    width : float, default=1.0
        Factor by which the numbers of units are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] D. Holzmueller, L. Grinsztajn and I. Steinwart, "Better by default: strong
       pre-tuned MLPs and boosted trees on tabular data", NeurIPS 2024.
    .. [2] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical
       features in tabular deep learning", NeurIPS 2022.

    Examples
    --------
    >>> from skconvnet.architectures import tabular
    >>> shape = (13,)
    >>> for name, layer in tabular(64, embedding_dims=4):
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("embedding", "dense1"):
    ...         print(name, shape)
    embedding (65,)
    dense1 (64,)
    """
    rate = check_fraction("dropout", dropout)
    layers: Layers = [("clip", SmoothClip(check_positive_float("limit", limit)))]
    if embedding_dims is not None:
        layers.append(("embedding", _embedding(embedding_dims, frequency_scale)))
    elif frequency_scale is not None:
        raise ValueError(
            f"frequency_scale={frequency_scale!r} needs embeddings; set "
            "embedding_dims, for example to 4."
        )
    for i, size in enumerate(_sizes(hidden_layer_sizes), start=1):
        units = scaled("each of hidden_layer_sizes", size, width)
        layers.append((f"dense{i}", Dense(units, "mish")))
        layers.append((f"dropout{i}", Dropout(rate)))
    return layers


def _embedding(n_dims: int, frequency_scale: float | None) -> Parallel:
    """Return a layer that joins the features and their vectors."""
    vectors = PeriodicEmbedding(check_positive_int("embedding_dims", n_dims))
    if frequency_scale is not None:
        vectors.frequency_scale = check_positive_float(
            "frequency_scale", frequency_scale
        )
    periodic = [("vectors", vectors), ("flatten", Flatten())]
    return Parallel([("numbers", []), ("periodic", periodic)])


def _sizes(value: object) -> list[object]:
    """Return the number of units of each layer, which are not checked yet."""
    if not is_sequence(value):
        return [value]
    check_length("hidden_layer_sizes", value)
    return list(value)
