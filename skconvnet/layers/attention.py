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
from skconvnet.ops.attention.softmax import Mask
from skconvnet.ops.attention.steps_last import heads_of, to_batch_last, to_steps_last
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
    x : ndarray of shape (channels, batch, length)
    projected : ndarray of shape (features, batch, length)
        Queries, keys and values of all heads.
    means : ndarray of shape (num_heads * value_dim, batch, length)
        The weighted means of the values.
    log_sums : ndarray of shape (batch, num_heads, length)
    attention : DotProductAttention
    """

    x: np.ndarray
    projected: np.ndarray
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
        self.n_heads = n_heads
        self.key_dim = key_dim
        self.dropout = dropout
        self.is_random = dropout > 0
        self.use_bias = use_bias
        self.causal = causal
        self.initializer = initializer
        n_keys, n_values = n_heads * key_dim, n_heads * value_dim
        # The features that the input is projected to, in this order.
        self.widths = {"query": n_keys, "key": n_keys, "value": n_values}
        self.n_projected = sum(self.widths.values())
        for name, width in self.widths.items():
            self.weight_shapes[f"{name}_kernel"] = (channels, width)
            if use_bias:
                self.weight_shapes[f"{name}_bias"] = (width,)
        self.weight_shapes["output_kernel"] = (n_values, channels)
        if use_bias:
            self.weight_shapes["output_bias"] = (channels,)
        products = channels * (self.n_projected + n_values)
        pairs = n_keys + n_values + 4 * n_heads
        self.flops = 2 * length * (products + length * pairs)
        self.cached_values = length * (channels + self.n_projected + n_values + n_heads)

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
        attention = self._attention(workspace, dropout)
        steps, projected = self._project(x, workspace)
        n_values, (_, length, batch) = self.widths["value"], x.shape
        means = workspace.array("means", (n_values, batch, length), x.dtype)
        log_sums = workspace.array("log_sums", (batch, self.n_heads, length), x.dtype)
        heads, out = self._heads(projected), heads_of(means, self.n_heads)
        attention.forward(heads, out, log_sums, workspace)
        outputs = workspace.scratch("outputs", steps.shape, x.dtype)
        project(
            self.weights["output_kernel"],
            self.weights.get("output_bias"),
            _columns(means),
            _columns(outputs),
        )
        y = to_batch_last(outputs, workspace.array("y", x.shape, x.dtype))
        return y, AttentionCache(steps, projected, means, log_sums, attention)

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
        x, projected, means, log_sums, attention = cache
        doutputs = workspace.scratch("outputs", x.shape, dy.dtype)
        to_steps_last(dy, doutputs)
        if not self.is_frozen:
            write_gradients(
                _columns(means),
                _columns(doutputs),
                gradients["output_kernel"],
                gradients.get("output_bias"),
            )
        dmeans = workspace.scratch("dmeans", means.shape, dy.dtype)
        kernel = self.weights["output_kernel"]
        np.matmul(kernel, _columns(doutputs), out=_columns(dmeans))
        dprojected = workspace.scratch("dprojected", projected.shape, dy.dtype)
        attention.backward(
            self._heads(projected),
            heads_of(dmeans, self.n_heads),
            _dots(dmeans, means, self.n_heads, workspace),
            log_sums,
            self._heads(dprojected),
            workspace,
        )
        if not self.is_frozen:
            self._write_gradients(x, dprojected, gradients, workspace)
        if not need_dx:
            return None
        kernel = workspace.array("kernel", (len(x), self.n_projected), dy.dtype)
        np.matmul(kernel, _columns(dprojected), out=_columns(doutputs))
        dx = workspace.array("dx", (len(x), x.shape[2], x.shape[1]), dy.dtype)
        return to_batch_last(doutputs, dx)

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
        _, projected = self._project(x, workspace)
        attention = self._attention(workspace, None)
        weights = attention.weights(self._heads(projected), workspace)
        return weights.transpose(1, 3, 2, 0)

    def _attention(
        self, workspace: Workspace, dropout: WeightDropout | None
    ) -> DotProductAttention:
        return DotProductAttention(Mask(self.causal, workspace.lengths), dropout)

    def _project(
        self, x: FeatureMap, workspace: Workspace
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the input with the steps last, and queries, keys and values of it.

        The three kernels side by side make one, so that this is one product. The kernel
        of the queries is scaled, and thereby the scores.
        """
        channels, length, batch = x.shape
        steps = workspace.array("steps", (channels, batch, length), x.dtype)
        to_steps_last(x, steps)
        kernel = workspace.array("kernel", (channels, self.n_projected), x.dtype)
        bias = workspace.array("bias", (self.n_projected,), x.dtype)
        for name, some in self._places():
            kernel[:, some] = self.weights[f"{name}_kernel"]
            bias[some] = self.weights[f"{name}_bias"] if self.use_bias else 0
        queries = slice(0, self.widths["query"])
        kernel[:, queries] *= self._scale
        bias[queries] *= self._scale
        projected = workspace.array(
            "projected", (self.n_projected, batch, length), x.dtype
        )
        project(kernel, bias, _columns(steps), _columns(projected))
        return steps, projected

    def _write_gradients(
        self,
        x: np.ndarray,
        dprojected: np.ndarray,
        gradients: NamedArrays,
        workspace: Workspace,
    ) -> None:
        """Write the gradients of the kernels and biases of queries, keys and values."""
        shape = (len(x), self.n_projected)
        dkernel = workspace.scratch("dkernel", shape, x.dtype)
        dbias = workspace.scratch("dbias", shape[1:], x.dtype)
        write_gradients(_columns(x), _columns(dprojected), dkernel, dbias)
        queries = slice(0, self.widths["query"])
        dkernel[:, queries] *= self._scale
        dbias[queries] *= self._scale
        for name, some in self._places():
            gradients[f"{name}_kernel"][...] = dkernel[:, some]
            if self.use_bias:
                gradients[f"{name}_bias"][...] = dbias[some]

    @property
    def _scale(self) -> float:
        return float(self.key_dim**-0.5)

    def _places(self) -> list[tuple[str, slice]]:
        """Return where queries, keys and values are among the projected features."""
        places, start = [], 0
        for name, width in self.widths.items():
            places.append((name, slice(start, start + width)))
            start += width
        return places

    def _heads(self, projected: np.ndarray) -> Heads:
        """View projected features, or their gradient, head by head."""
        parts = (projected[some] for _, some in self._places())
        return Heads(*(heads_of(part, self.n_heads) for part in parts))


def _columns(x: np.ndarray) -> np.ndarray:
    """View (features, batch, steps) as a matrix of (features, columns)."""
    return x.reshape(len(x), -1)


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
