"""Self-attention with several heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_bool, check_fraction, check_positive_int
from skconvnet._typing import FeatureMap, NamedArrays, Shape, override
from skconvnet.initializers import Initializer, draw_kernel, get_initializer
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops.attention.dot_product import DotProductAttention, Heads
from skconvnet.ops.attention.dropout import WeightDropout
from skconvnet.ops.attention.projections import Projections
from skconvnet.ops.attention.softmax import Mask
from skconvnet.ops.attention.steps_last import (
    as_columns,
    heads_of,
    to_batch_last,
    to_steps_last,
)
from skconvnet.ops.position_products import project, write_gradients
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class MultiHeadAttention(TrainableSpec):
    """Let every step of a sequence look at all steps, with several heads [1]_.

    A head has a query q, a key k and a value v for each step: the input times three
    kernels. Its output at step t is the mean of the values of all steps s, weighted by
    the softmax over s of ``q[t] . k[s] / sqrt(key_dim)``. The outputs of all heads
    times a last kernel are the output of the layer, which has the shape of the input.

    The layer itself does not know the order of the steps: put `PositionalEncoding`
    before it. Memory is proportional to the length of the sequence. The time is
    proportional to its square.

    Weights: ``query_kernel`` and ``key_kernel`` of shape (channels, num_heads *
    key_dim), ``value_kernel`` of shape (channels, num_heads * value_dim) and
    ``output_kernel`` of shape (num_heads * value_dim, channels), with the features of a
    head next to each other. With `use_bias`, each has a bias, such as ``query_bias``.

    Parameters
    ----------
    num_heads : int
        Number of heads.
    key_dim : int
        Number of features of the query and of the key of a head. Usually the number of
        channels divided by `num_heads`.
    value_dim : int, default=None
        Number of features of the value of a head. None means `key_dim`.
    dropout : float, default=0.0
        Share of the attention weights that are set to zero in training, in [0, 1).
    use_bias : bool, default=True
        Whether biases are added after the four kernels.
    causal : bool, default=False
        Whether a step looks only at itself and at earlier steps.
    kernel_initializer : str or Initializer, default="auto"
        As in `Dense`; each of the four kernels is drawn on its own. "auto" is
        "glorot_uniform". Biases are zero.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention is all you need", NeurIPS 2017.

    Examples
    --------
    >>> from skconvnet.layers import MultiHeadAttention
    >>> layer = MultiHeadAttention(num_heads=4, key_dim=16).build((100, 64))
    >>> layer.out_shape
    (100, 64)
    >>> layer.weight_shapes["query_kernel"], layer.weight_shapes["output_bias"]
    ((64, 64), (64,))
    """

    spatial_ndim: ClassVar[int | None] = 1

    num_heads: int
    key_dim: int
    value_dim: int | None = None
    dropout: float = 0.0
    use_bias: bool = True
    causal: bool = False
    kernel_initializer: str | Initializer = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_ndim("MultiHeadAttention", in_shape, 1)
        key_dim = check_positive_int("key_dim", self.key_dim)
        value_dim = key_dim
        if self.value_dim is not None:
            value_dim = check_positive_int("value_dim", self.value_dim)
        return MultiHeadAttentionLayer(
            in_shape,
            check_positive_int("num_heads", self.num_heads),
            key_dim,
            value_dim,
            dropout=check_fraction("dropout", self.dropout),
            use_bias=check_bool("use_bias", self.use_bias),
            causal=check_bool("causal", self.causal),
            initializer=get_initializer(self.kernel_initializer),
        )


class AttentionCache(NamedTuple):
    """What `MultiHeadAttentionLayer` keeps for the backward pass, with the steps last.

    Attributes
    ----------
    steps : ndarray of shape (channels, batch, length)
        The input.
    kernel : ndarray of shape (channels, features)
        What queries, keys and values are projected by.
    heads : Heads
    means : ndarray of shape (num_heads * value_dim, batch, length)
        The weighted means of the values.
    log_sums : ndarray of shape (batch, num_heads, length)
    attention : DotProductAttention
    """

    steps: np.ndarray
    kernel: np.ndarray
    heads: Heads
    means: np.ndarray
    log_sums: np.ndarray
    attention: DotProductAttention


class MultiHeadAttentionLayer(Layer[AttentionCache]):
    """Runtime layer of `MultiHeadAttention`."""

    penalized = ("query_kernel", "key_kernel", "value_kernel", "output_kernel")
    takes_lengths = True

    def __init__(
        self,
        in_shape: Shape,
        n_heads: int,
        key_dim: int,
        value_dim: int,
        *,
        dropout: float = 0.0,
        use_bias: bool = True,
        causal: bool = False,
        initializer: Initializer | None = None,
    ) -> None:
        super().__init__(in_shape, in_shape)
        length, channels = in_shape
        self.projections = Projections(n_heads, key_dim, value_dim)
        self.dropout = dropout
        self.is_random = dropout > 0
        self.use_bias = use_bias
        self.causal = causal
        self.initializer = initializer
        n_keys, n_values = n_heads * key_dim, n_heads * value_dim
        shapes = {
            part: (channels, width) for part, width in self.projections.widths.items()
        }
        for name, shape in {**shapes, "output": (n_values, channels)}.items():
            self.weight_shapes[f"{name}_kernel"] = shape
            if use_bias:
                self.weight_shapes[f"{name}_bias"] = shape[1:]
        n_projected = self.projections.n_features
        products = channels * (n_projected + n_values)
        pairs = n_keys + n_values + 4 * n_heads
        self.flops = 2 * length * (products + length * pairs)
        self.cached_values = length * (channels + n_projected + n_values + n_heads)

    @property
    def n_heads(self) -> int:
        """How many heads there are."""
        return self.projections.n_heads

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        return {
            name: draw_kernel(rng, shape, (shape[0], shape[1]), self.initializer)
            if name.endswith("kernel")
            else np.zeros(shape)
            for name, shape in self.weight_shapes.items()
        }

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, AttentionCache]:
        dropout = None
        if train and self.is_random:
            assert rng is not None
            dropout = WeightDropout.drawn(self.dropout, rng)
        attention, steps = self._attention(workspace, dropout), _steps(x, workspace)
        projected, kernel = self.projections.apply(steps, self.weights, workspace)
        n_heads, n_values = self.n_heads, len(self.weights["output_kernel"])
        _, batch, length = steps.shape
        means = workspace.array("means", (n_values, batch, length), x.dtype)
        log_sums = workspace.array("log_sums", (batch, n_heads, length), x.dtype)
        heads, out = self.projections.heads(projected), heads_of(means, n_heads)
        attention.forward(heads, out, log_sums, workspace)
        outputs = workspace.scratch("outputs", steps.shape, x.dtype)
        project(
            self.weights["output_kernel"],
            self.weights.get("output_bias"),
            as_columns(means),
            as_columns(outputs),
        )
        y = to_batch_last(outputs, workspace.array("y", x.shape, x.dtype))
        return y, AttentionCache(steps, kernel, heads, means, log_sums, attention)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: AttentionCache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        steps, kernel, heads, means, log_sums, attention = cache
        doutputs = workspace.scratch("outputs", steps.shape, dy.dtype)
        to_steps_last(dy, doutputs)
        if not self.is_frozen:
            write_gradients(
                as_columns(means),
                as_columns(doutputs),
                gradients["output_kernel"],
                gradients.get("output_bias"),
            )
        dmeans = workspace.scratch("dmeans", means.shape, dy.dtype)
        output_kernel = self.weights["output_kernel"]
        np.matmul(output_kernel, as_columns(doutputs), out=as_columns(dmeans))
        shape = (kernel.shape[1], *steps.shape[1:])
        dprojected = workspace.scratch("dprojected", shape, dy.dtype)
        attention.backward(
            heads,
            heads_of(dmeans, self.n_heads),
            _dots(dmeans, means, self.n_heads, workspace),
            log_sums,
            self.projections.heads(dprojected),
            workspace,
        )
        if not self.is_frozen:
            self.projections.write_gradients(steps, dprojected, gradients, workspace)
        if not need_dx:
            return None
        np.matmul(kernel, as_columns(dprojected), out=as_columns(doutputs))
        return to_batch_last(doutputs, workspace.array("dx", dy.shape, dy.dtype))

    def attention_weights(self, x: FeatureMap, workspace: Workspace) -> np.ndarray:
        """Return how much each step looks at each other one, as in prediction.

        Parameters
        ----------
        x : ndarray of shape (channels, length, batch)
            The input of the layer.
        workspace : Workspace

        Returns
        -------
        weights : ndarray of shape (num_heads, length, length, batch)
            ``weights[h, t, s, i]`` is the weight of step s in the output of head h at
            step t of sample i. The sum over s is 1, or 0 for a sample of length 0.
        """
        steps = _steps(x, workspace)
        projected, _ = self.projections.apply(steps, self.weights, workspace)
        heads, attention = self.projections.heads(projected), self._attention(workspace)
        return attention.weights(heads, workspace).transpose(1, 3, 2, 0)

    def _attention(
        self, workspace: Workspace, dropout: WeightDropout | None = None
    ) -> DotProductAttention:
        return DotProductAttention(Mask(self.causal, workspace.lengths), dropout)


def _steps(x: FeatureMap, workspace: Workspace) -> np.ndarray:
    """Return a copy of a map with the steps last, (channels, batch, length)."""
    channels, length, batch = x.shape
    steps = workspace.array("steps", (channels, batch, length), x.dtype)
    return to_steps_last(x, steps)


def _dots(
    a: np.ndarray, b: np.ndarray, n_heads: int, workspace: Workspace
) -> np.ndarray:
    """Return the products of (features, batch, steps), summed for each head.

    Returns
    -------
    dots : ndarray of shape (batch, heads, steps)
    """
    product = workspace.scratch("product", a.shape, a.dtype)
    np.multiply(a, b, out=product)
    by_head = product.reshape(n_heads, -1, *a.shape[1:])
    dots: np.ndarray = by_head.sum(axis=1)
    return dots.transpose(1, 0, 2)
