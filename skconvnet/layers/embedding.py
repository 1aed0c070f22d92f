"""The embedding layer, which has a learned vector for every token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._checks import check_choice, check_positive_int, is_int
from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops import embedding
from skconvnet.ops.layout import map_shape
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec

REDUCTIONS = ("sum", "mean", "max")
# Tokens come in the dtype of the network; float32 holds all integers up to this one.
_MAX_N_TOKENS = 2**24


@dataclass(eq=False, repr=False)
class Embedding(TrainableSpec):
    """Look up a learned vector for every token of a text.

    Texts are rows of tokens, which are integers from 0 to ``n_tokens - 1``. All rows
    have the same length. :class:`skconvnet.text.TokenSequence` turns raw strings into
    such rows. They may have any dtype. As for all input, ``dtype="auto"`` of the
    network means float64 for int32 and int64; set ``dtype="float32"`` to compute in
    float32. The output has shape (length, n_dims), for 1-D convolutions [1]_, or
    (n_dims,) with `reduce`, for dense layers [2]_.

    Weights: ``table`` of shape (n_tokens, n_dims), drawn uniformly from +-0.05 as in
    Keras. A rare token stays near its initial vector, which is then small compared with
    the vectors of frequent tokens. `alpha` does not shrink the table: the penalty would
    change every row in every update, including tokens that do not occur in it, and pull
    rare words toward zero. (The ``weight_decay`` of AdamW applies to all weights,
    including these.)

    Parameters
    ----------
    n_tokens : int
        Number of different tokens, at most 2**24. Not all of them have to occur.
    n_dims : int
        Length of a vector.
    padding_token : int, default=None
        Token that fills up short texts. Its vector is zero whatever the table holds,
        gets no gradient, and is left out by `reduce`. If this is the first layer, a
        padded text gives the output that the same text gives without padding, wherever
        the padding is. Only if a layer such as `Flatten` needs texts of a fixed length,
        padding counts as tokens of zeros. None means that there is no such token.
    reduce : {"mean", "sum", "max"}, default=None
        How the vectors of a text are combined along each dimension. A text that is all
        padding gives zeros. None means that they are not combined.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    Raises
    ------
    ValueError
        In `build`, if a parameter is out of range. In training and in prediction, if a
        token is not an integer from 0 to ``n_tokens - 1``.

    References
    ----------
    .. [1] Y. Kim, "Convolutional neural networks for sentence classification",
       EMNLP 2014.
    .. [2] A. Joulin, E. Grave, P. Bojanowski and T. Mikolov, "Bag of tricks for
       efficient text classification", EACL 2017.

    Examples
    --------
    >>> from skconvnet.layers import Embedding
    >>> Embedding(20_000, 64, padding_token=0).build((200,)).out_shape
    (200, 64)
    >>> Embedding(20_000, 64, padding_token=0, reduce="mean").build((200,)).out_shape
    (64,)
    """

    spatial_ndim: ClassVar[int | None] = 0

    n_tokens: int
    n_dims: int
    padding_token: int | None = None
    reduce: str | None = None

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_ndim("Embedding", in_shape, 0)
        n_tokens = check_positive_int("n_tokens", self.n_tokens)
        if n_tokens > _MAX_N_TOKENS:
            raise ValueError(
                f"n_tokens must be at most 2**24 = {_MAX_N_TOKENS}, up to which "
                f"float32 represents all whole numbers; got {self.n_tokens!r}."
            )
        n_dims = check_positive_int("n_dims", self.n_dims)
        if self.reduce is not None:
            check_choice("reduce", self.reduce, REDUCTIONS, " or None")
        padding = _check_token(self.padding_token, n_tokens)
        return EmbeddingLayer(in_shape, n_tokens, n_dims, padding, self.reduce)


def _check_token(value: object, n_tokens: int) -> int | None:
    if value is None:
        return None
    wanted = f"padding_token must be an int from 0 to n_tokens - 1 = {n_tokens - 1}"
    if not is_int(value):
        raise TypeError(f"{wanted}, or None; got {value!r}.")
    if not 0 <= value < n_tokens:
        raise ValueError(f"{wanted}, or None; got {value!r}.")
    return int(value)


# The cache: the tokens whose vectors each column of the output is the sum of, (columns,
# tokens), or for reduce="max" the tokens that had the maxima, (batch, n_dims).
_Tokens: TypeAlias = npt.NDArray[np.intp]


class EmbeddingLayer(Layer[_Tokens]):
    """Runtime layer of `Embedding`.

    Attributes
    ----------
    keeps_padding : bool
        Whether padding tokens are positions like others, see `keep_padding`.
    """

    penalized = ()
    takes_tokens = True
    keeps_padding = False

    def __init__(
        self,
        in_shape: Shape,
        n_tokens: int,
        n_dims: int,
        padding: int | None,
        reduce: str | None,
        *,
        block_size: int = embedding.BLOCK_SIZE,
    ) -> None:
        (length,) = in_shape
        super().__init__(in_shape, (n_dims,) if reduce else (length, n_dims))
        self.weight_shapes = {"table": (n_tokens, n_dims)}
        self.padding = padding
        self.reduce = reduce
        self.block_size = block_size
        self.flops = length * n_dims
        self.cached_values = length
        # Without a padding token, a reduction counts every position.
        self.takes_lengths = reduce is None or padding is not None

    @property
    @override
    def padding_token(self) -> int | None:
        return self.padding

    @override
    def keep_padding(self) -> None:
        self.keeps_padding = True

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        if self.reduce or self.keeps_padding:
            return None
        if self.padding is None:
            return lengths
        lengths = embedding.lengths_of(x, self.padding)
        return None if lengths.min(initial=len(x)) == len(x) else lengths

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        table = rng.uniform(-0.05, 0.05, self.weight_shapes["table"])
        if self.padding is not None:
            table[self.padding] = 0
        return {"table": table}

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, _Tokens]:
        table, padding, size = self.weights["table"], self.padding, self.block_size
        # In the order of the positions of the output, or one text per row.
        tokens = self._tokens(x.T if self.reduce else x, workspace)
        y = workspace.array("y", map_shape(self.out_shape, x.shape[1]), table.dtype)
        if self.reduce is None:
            flat = y.reshape(len(y), -1)
            embedding.gather(
                table, tokens.reshape(-1), padding, flat, workspace, block_size=size
            )
            return y, tokens.reshape(-1, 1)
        if self.reduce == "max":
            winners = workspace.array("winners", y.T.shape, np.intp)
            embedding.maxima(
                table, tokens, padding, y, winners, workspace, block_size=size
            )
            return y, winners
        embedding.sums(table, tokens, padding, y, block_size=size)
        if self.reduce == "mean":
            y /= self._lengths(tokens, y.dtype)
        return y, tokens

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: _Tokens,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        if not self.is_frozen:
            self._write_gradient(dy, cache, gradients["table"], workspace)
        if not need_dx:
            return None
        # There is no derivative with respect to tokens.
        n = cache.size // self.in_shape[0] if self.reduce is None else len(cache)
        dx = workspace.array("dx", (*self.in_shape, n), dy.dtype)
        dx.fill(0)
        return dx

    def _write_gradient(
        self,
        dy: FeatureMap,
        cache: _Tokens,
        gradient: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Write the gradient of the table; `dy` may be overwritten."""
        padding = self.padding
        if self.reduce == "max":
            embedding.add_by_winner(dy, cache, padding, gradient)
            return
        if self.reduce == "mean":
            dy /= self._lengths(cache, dy.dtype)
        if not dy.flags.c_contiguous:
            dy, view = workspace.array("dy", dy.shape, dy.dtype), dy
            np.copyto(dy, view)
        flat = dy.reshape(len(dy), -1)
        embedding.add_by_token(
            flat, cache, padding, gradient, workspace, block_size=self.block_size
        )

    def _lengths(self, tokens: _Tokens, dtype: np.dtype) -> np.ndarray:
        """Return the number of tokens of each text, or 1 if it is all padding."""
        if self.padding is None:
            return np.array(tokens.shape[1], dtype)
        lengths: np.ndarray = np.maximum((tokens != self.padding).sum(axis=1), 1)
        return lengths.astype(dtype)

    def _tokens(self, x: np.ndarray, workspace: Workspace) -> _Tokens:
        """Return x as integers, or raise an error unless all are tokens."""
        n_tokens, _ = self.weight_shapes["table"]
        tokens = workspace.array("tokens", x.shape, np.intp)
        if x.min() >= 0 and x.max() < n_tokens:
            np.copyto(tokens, x, casting="unsafe")
            if np.array_equal(tokens, x):
                return tokens
        is_token = (x >= 0) & (x < n_tokens) & (x == np.trunc(x))
        value = float(str(x[~is_token][0]))  # the digits of its own dtype
        raise ValueError(
            f"Embedding with n_tokens={n_tokens} takes tokens that are whole numbers "
            f"from 0 to {n_tokens - 1}, but X holds {value:.15g}; increase n_tokens, "
            "or limit the vocabulary that tokens are taken from, as in "
            f"TokenSequence(max_tokens={n_tokens})."
        )
