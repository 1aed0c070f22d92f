"""The encoder of a transformer, for texts and for series."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from skconvnet._checks import (
    check_bool,
    check_choice,
    check_fraction,
    check_positive_int,
)
from skconvnet.architectures._parts import scaled
from skconvnet.architectures._sequence_parts import embedding
from skconvnet.layers import (
    AttentionPooling,
    Conv1D,
    Dropout,
    GlobalAvgPool,
    GlobalMaxPool,
    LayerNorm,
    PositionalEncoding,
    Rescaling,
    TransformerEncoder,
)

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers

POOLINGS = ("mean", "max", "attention")


def transformer_encoder(
    n_tokens: int | None = None,
    n_dims: int = 512,
    n_blocks: int = 6,
    num_heads: int = 8,
    units: int = 2048,
    dropout: float = 0.1,
    *,
    pre_norm: bool = False,
    pooling: str = "mean",
    padding_token: int | None = 0,
    width: float = 1.0,
) -> Layers:
    """Return the encoder of a transformer, and a pooling over all steps [1]_.

    The vectors of the words, times the square root of their length, are added to
    sinusoidal positional encodings. Dropout and six `TransformerEncoder` blocks follow,
    and the mean of the vectors of all steps. The default sizes are those of the base
    model of the paper: the blocks have 18,914,304 weights. Small data needs a small
    network, such as ``n_blocks=2, width=1/8``.

    Parameters
    ----------
    n_tokens : int, default=None
        Number of different tokens, as ``n_tokens_`` or ``max_tokens`` of
        :class:`skconvnet.text.TokenSequence`. None means that samples are series of
        shape (length, channels); a convolution with a kernel of 1 step then gives them
        `n_dims` channels.
    n_dims : int, default=512
        Length of the vector of a step, a multiple of `num_heads`.
    n_blocks : int, default=6
        Number of blocks.
    num_heads : int, default=8
        Number of attention heads of each block.
    units : int, default=2048
        Number of hidden units of the dense layers of each block.
    dropout : float, default=0.1
        Share of values that are set to zero in training, in [0, 1): after the encoding
        of positions, and in the blocks as in `TransformerEncoder`.
    pre_norm : bool, default=False
        Whether the normalization comes first in every block. The blocks are then
        followed by a `LayerNorm`.
    pooling : {"mean", "max", "attention"}, default="mean"
        How the vectors of all steps become one. "attention" is `AttentionPooling` with
        `n_dims` hidden units.
    padding_token : int, default=0
        Token that fills up short texts. None means that there is none. Series have
        none.
    width : float, default=1.0
        Factor by which `n_dims` and `units` are multiplied. `num_heads` stays, and is
        still a divisor of the number of dimensions.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] A. Vaswani et al., "Attention is all you need", NeurIPS 2017.

    Examples
    --------
    >>> from skconvnet.architectures import transformer_encoder
    >>> shape = (60,)
    >>> for name, layer in transformer_encoder(20_000, width=1 / 8):
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("block6", "pool"):
    ...         print(name, shape)
    block6 (60, 64)
    pool (64,)
    >>> name, embedding = transformer_encoder(n_blocks=2, width=1 / 8)[0]
    >>> embedding.build((60, 3)).weight_shapes["kernel"]
    (64, 3, 1)
    """
    heads = check_positive_int("num_heads", num_heads)
    if check_positive_int("n_dims", n_dims) % heads:
        raise ValueError(
            f"n_dims must be a multiple of num_heads={heads}, so that each head has an "
            f"equal share; got {n_dims!r}."
        )
    dims = scaled("n_dims", n_dims, width, heads)
    rate = check_fraction("dropout", dropout)
    is_pre_norm = check_bool("pre_norm", pre_norm)
    layers: Layers
    if n_tokens is None:
        layers = [("embedding", Conv1D(dims, 1))]
    else:
        # The dimensions are scaled already.
        words = embedding(n_tokens, dims, padding_token, 1.0)
        layers = [("embedding", words), ("scale", Rescaling(sqrt(dims)))]
    layers += [("positions", PositionalEncoding()), ("drop", Dropout(rate))]
    n_units = scaled("units", units, width)
    for number in range(1, check_positive_int("n_blocks", n_blocks) + 1):
        block = TransformerEncoder(heads, n_units, rate, pre_norm=is_pre_norm)
        layers.append((f"block{number}", block))
    if is_pre_norm:
        layers.append(("norm", LayerNorm()))
    return [*layers, ("pool", _pooling(pooling, dims))]


def _pooling(
    pooling: object, n_dims: int
) -> GlobalAvgPool | GlobalMaxPool | AttentionPooling:
    check_choice("pooling", pooling, POOLINGS)
    if pooling == "attention":
        return AttentionPooling(n_dims)
    return GlobalAvgPool() if pooling == "mean" else GlobalMaxPool()
