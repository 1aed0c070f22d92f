"""Self-attention with the additive scores of Bahdanau et al."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_bool, check_positive_int
from skconvnet._typing import FeatureMap, NamedArrays, Shape, override
from skconvnet.initializers import Initializer, draw_kernel, get_initializer
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops.attention import additive
from skconvnet.ops.attention.additive import AdditiveInputs
from skconvnet.ops.attention.softmax import Mask
from skconvnet.ops.attention.steps_last import as_columns, to_batch_last, to_steps_last
from skconvnet.ops.position_products import project, write_gradients
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class AdditiveAttention(TrainableSpec):
    """Let every step of a sequence look at all steps, with additive scores [1]_.

    The output at step t is the mean of the inputs x[s] of all steps s, weighted by the
    softmax over s of ``context . tanh(x[t] @ query_kernel + x[s] @ key_kernel +
    bias)``. It has the shape of the input.

    Memory is proportional to the length of the sequence. The time is proportional to
    its square, and to `units`: `MultiHeadAttention` is much faster.

    Weights: ``query_kernel`` and ``key_kernel`` of shape (channels, units), ``bias``
    and ``context`` of shape (units,).

    Parameters
    ----------
    units : int
        Number of hidden features from which a weight is computed.
    causal : bool, default=False
        Whether a step looks only at itself and at earlier steps.
    kernel_initializer : str or Initializer, default="auto"
        As in `MultiHeadAttention`; the context is drawn as a kernel of one output.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] D. Bahdanau, K. Cho and Y. Bengio, "Neural machine translation by jointly
       learning to align and translate", ICLR 2015.

    Examples
    --------
    >>> from skconvnet.layers import AdditiveAttention
    >>> AdditiveAttention(units=16).build((50, 32)).out_shape
    (50, 32)
    """

    spatial_ndim: ClassVar[int | None] = 1

    units: int
    causal: bool = False
    kernel_initializer: str | Initializer = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_ndim("AdditiveAttention", in_shape, 1)
        return AdditiveAttentionLayer(
            in_shape,
            check_positive_int("units", self.units),
            causal=check_bool("causal", self.causal),
            initializer=get_initializer(self.kernel_initializer),
        )


class AdditiveCache(NamedTuple):
    """What `AdditiveAttentionLayer` keeps for the backward pass, with the steps last.

    Attributes
    ----------
    inputs : AdditiveInputs
        The values are the input of the layer.
    means : ndarray of shape (channels, batch, length)
    log_sums : ndarray of shape (batch, length)
    """

    inputs: AdditiveInputs
    means: np.ndarray
    log_sums: np.ndarray


class AdditiveAttentionLayer(Layer[AdditiveCache]):
    """Runtime layer of `AdditiveAttention`."""

    penalized = ("query_kernel", "key_kernel", "context")
    takes_lengths = True

    def __init__(
        self,
        in_shape: Shape,
        units: int,
        *,
        causal: bool = False,
        initializer: Initializer | None = None,
    ) -> None:
        super().__init__(in_shape, in_shape)
        length, channels = in_shape
        self.units = units
        self.causal = causal
        self.initializer = initializer
        self.weight_shapes = {
            "query_kernel": (channels, units),
            "key_kernel": (channels, units),
            "bias": (units,),
            "context": (units,),
        }
        products, pairs = 4 * channels * units, 16 * units + 2 * channels
        self.flops = length * (products + length * pairs)
        self.cached_values = length * (2 * channels + 2 * units + 1)

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        fans, units = self.weight_shapes["query_kernel"], self.units

        def draw(*fans: int) -> np.ndarray:
            return draw_kernel(rng, fans, (fans[0], fans[1]), self.initializer)

        return {
            "query_kernel": draw(*fans),
            "key_kernel": draw(*fans),
            "bias": np.zeros(units),
            "context": draw(units, 1)[:, 0],
        }

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, AdditiveCache]:
        inputs = self._inputs(x, workspace)
        means = workspace.array("means", inputs.v.shape, x.dtype)
        log_sums = workspace.array("log_sums", inputs.v.shape[1:], x.dtype)
        self._attention(workspace).forward(inputs, means, log_sums, workspace)
        y = to_batch_last(means, workspace.array("y", x.shape, x.dtype))
        return y, AdditiveCache(inputs, means, log_sums)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: AdditiveCache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        inputs, means, log_sums = cache
        dmeans = to_steps_last(dy, workspace.scratch("dmeans", means.shape, dy.dtype))
        dots = np.add.reduce(dmeans * means, axis=0)
        names = (f"d{name}" for name in inputs._fields)
        d = AdditiveInputs(
            *(
                workspace.scratch(name, array.shape, dy.dtype)
                for name, array in zip(names, inputs, strict=True)
            )
        )
        self._attention(workspace).backward(
            inputs, dmeans, dots, log_sums, d, workspace
        )
        steps, dq, dk = (as_columns(array) for array in (inputs.v, d.q, d.k))
        if not self.is_frozen:
            dkernel, dbias = gradients["query_kernel"], gradients["bias"]
            write_gradients(steps, dq, dkernel, dbias)
            write_gradients(steps, dk, gradients["key_kernel"], None)
            gradients["context"][...] = d.context
        if not need_dx:
            return None
        product = workspace.scratch("product", steps.shape, dy.dtype)
        for name, dprojected in (("query", dq), ("key", dk)):
            kernel = self.weights[f"{name}_kernel"]
            np.matmul(kernel, dprojected, out=product)
            d.v[...] += product.reshape(d.v.shape)
        return to_batch_last(d.v, workspace.array("dx", dy.shape, dy.dtype))

    def attention_weights(self, x: FeatureMap, workspace: Workspace) -> np.ndarray:
        """Return how much each step looks at each other one.

        Parameters
        ----------
        x : ndarray of shape (channels, length, batch)
            The input of the layer.
        workspace : Workspace

        Returns
        -------
        weights : ndarray of shape (1, length, length, batch)
            ``weights[0, t, s, i]`` is the weight of step s in the output at step t of
            sample i. The sum over s is 1, or 0 for a sample of length 0.
        """
        inputs = self._inputs(x, workspace)
        weights = self._attention(workspace).weights(inputs, workspace)
        return weights.transpose(2, 1, 0)[np.newaxis]

    def _attention(self, workspace: Workspace) -> additive.AdditiveAttention:
        return additive.AdditiveAttention(Mask(self.causal, workspace.lengths))

    def _inputs(self, x: FeatureMap, workspace: Workspace) -> AdditiveInputs:
        """Return queries, keys and values, with the steps last."""
        channels, length, batch = x.shape
        v = workspace.array("v", (channels, batch, length), x.dtype)
        to_steps_last(x, v)
        q, k = (
            workspace.array(name, (self.units, batch, length), x.dtype) for name in "qk"
        )
        w, steps = self.weights, as_columns(v)
        project(w["query_kernel"], w["bias"], steps, as_columns(q))
        project(w["key_kernel"], None, steps, as_columns(k))
        return AdditiveInputs(q, k, v, w["context"])
