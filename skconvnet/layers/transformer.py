"""The encoder block of a transformer, made of layers with shortcuts around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_bool, check_fraction, check_positive_int
from skconvnet._typing import FeatureMap, NamedArrays, Shape, override
from skconvnet.initializers import Initializer
from skconvnet.layers.attention import MultiHeadAttention, MultiHeadAttentionLayer
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.layers.chain import Chain
from skconvnet.layers.chain_steps import backward_steps, forward_steps
from skconvnet.layers.composite import CompositeLayer
from skconvnet.layers.dropout import Dropout
from skconvnet.layers.layer_norm import LayerNorm
from skconvnet.layers.position_dense import PositionDense
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec, TrainableSpec

_Named = tuple[str, LayerSpec]


@dataclass(eq=False, repr=False)
class TransformerEncoder(TrainableSpec):
    """Encoder block of a transformer: attention, and two dense layers per step [1]_.

    Both have a shortcut around them, and a layer normalization::

        x = norm1(x + attention(x))             x = x + attention(norm1(x))
        y = norm2(x + dense2(dense1(x)))        y = x + dense2(dense1(norm2(x)))

              pre_norm=False                          pre_norm=True

    It is the ``TransformerEncoderLayer`` of PyTorch, where `pre_norm` is called
    ``norm_first`` and `units` ``dim_feedforward``. With `pre_norm`, deep networks are
    easier to train [2]_; they usually end with a `LayerNorm`.

    Weights: those of `MultiHeadAttention`, such as ``attention/query_kernel``,
    ``norm1/gamma``, ``norm1/beta``, ``dense1/kernel`` of shape (channels, units),
    ``dense1/bias``, ``dense2/kernel`` of shape (units, channels), ``dense2/bias``,
    ``norm2/gamma`` and ``norm2/beta``.

    Parameters
    ----------
    num_heads : int
        Number of heads, a divisor of the number of channels.
    units : int
        Number of hidden units of the dense layers.
    dropout : float, default=0.0
        Share of values that are set to zero in training, in [0, 1): of the attention
        weights, of the hidden units, and of what is added to the shortcuts.
    activation : str, default="relu"
        Activation of the hidden units, as in `Dense`. "gelu" is common, too.
    pre_norm : bool, default=False
        Whether normalization comes first, before attention and before the dense layers.
    epsilon : float, default=1e-5
        Number added to the variances, see `LayerNorm`.
    causal : bool, default=False
        Whether a step looks only at itself and at earlier steps.
    kernel_initializer : str or Initializer, default="auto"
        As in `MultiHeadAttention`, and for the dense layers as in convolutions. Biases
        are zero.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention is all you need", NeurIPS 2017.
    .. [2] R. Xiong et al., "On layer normalization in the transformer architecture",
       ICML 2020.

    Examples
    --------
    >>> from skconvnet.layers import TransformerEncoder
    >>> block = TransformerEncoder(num_heads=4, units=256).build((100, 64))
    >>> block.out_shape
    (100, 64)
    >>> block.weight_shapes["dense1/kernel"]
    (64, 256)
    """

    spatial_ndim: ClassVar[int | None] = 1

    num_heads: int
    units: int
    dropout: float = 0.0
    activation: str | None = "relu"
    pre_norm: bool = False
    epsilon: float = 1e-5
    causal: bool = False
    kernel_initializer: str | Initializer = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_ndim("TransformerEncoder", in_shape, 1)
        num_heads = check_positive_int("num_heads", self.num_heads)
        channels = in_shape[-1]
        if channels % num_heads:
            raise ValueError(
                f"num_heads must be a divisor of the number of channels, {channels}; "
                f"got {num_heads}. Each head has an equal share of the channels."
            )
        initializer = self.kernel_initializer
        dropout = check_fraction("dropout", self.dropout)
        attention = MultiHeadAttention(
            num_heads,
            channels // num_heads,
            dropout=dropout,
            causal=self.causal,
            kernel_initializer=initializer,
        )
        units = check_positive_int("units", self.units)
        hidden = PositionDense(units, self.activation, initializer)
        dropouts = [("dropout", Dropout(dropout))] if dropout else []
        return TransformerEncoderLayer(
            in_shape,
            [("attention", attention), *_numbered(dropouts, 1)],
            [
                ("dense1", hidden),
                *_numbered(dropouts, 2),
                ("dense2", PositionDense(channels, None, initializer)),
                *_numbered(dropouts, 3),
            ],
            LayerNorm(self.epsilon),
            pre_norm=check_bool("pre_norm", self.pre_norm),
        )


def _numbered(specs: Sequence[_Named], number: int) -> list[_Named]:
    return [(f"{name}{number}", spec) for name, spec in specs]


class Part(NamedTuple):
    """Layers in a row, by their positions in the chain."""

    layers: slice
    has_shortcut: bool


class TransformerEncoderLayer(CompositeLayer[list[object]]):
    """Runtime layer of `TransformerEncoder`; the cache is that of each layer inside.

    Parameters
    ----------
    in_shape : tuple of int
    attention, dense : sequence of (str, LayerSpec)
        The layers that have a shortcut around them.
    norm : LayerNorm
    pre_norm : bool

    Attributes
    ----------
    chain : Chain
        All layers, without the shortcuts.
    parts : list of Part
        Where the shortcuts are.
    pre_norm : bool
    """

    takes_lengths = True

    def __init__(
        self,
        in_shape: Shape,
        attention: Sequence[_Named],
        dense: Sequence[_Named],
        norm: LayerNorm,
        *,
        pre_norm: bool,
    ) -> None:
        specs: list[_Named] = []
        parts_of_chain: list[Part] = []
        for number, body in enumerate((attention, dense), 1):
            norms = [(f"norm{number}", norm)]
            parts = (
                [([*norms, *body], True)]
                if pre_norm
                else [(body, True), (norms, False)]
            )
            for layers, has_shortcut in parts:
                own = slice(len(specs), len(specs) + len(layers))
                parts_of_chain.append(Part(own, has_shortcut))
                specs += layers
        self.chain = Chain(specs, in_shape)
        super().__init__(in_shape, in_shape, {"": self.chain})
        self.parts = parts_of_chain
        self.pre_norm = pre_norm

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, list[object]]:
        workspaces = self.chain.workspaces(workspace)
        caches: list[object] = []
        for part in self.parts:
            y, own, _ = forward_steps(
                self.chain.steps[part.layers],
                x,
                workspace.lengths,
                train=train,
                rng=rng,
                workspaces=workspaces,
            )
            if part.has_shortcut:
                y += x  # the last layer of the part does not need its output again
            caches += own
            x = y
        return x, caches

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: list[object],
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        workspaces = self.chain.workspaces(workspace)
        by_layer: list[dict[str, np.ndarray]] = self.chain.split_gradients(gradients)
        for part in reversed(self.parts):
            is_first = part is self.parts[0]
            shortcut = workspace.array("shortcut", dy.shape, dy.dtype)
            if part.has_shortcut:
                np.copyto(shortcut, dy)
            dx = backward_steps(
                self.chain.steps[part.layers],
                dy,
                cache[part.layers],
                gradients=by_layer,
                workspaces=workspaces,
                need_dx=need_dx or not is_first,
            )
            if dx is None:
                return None
            if part.has_shortcut:
                dx += shortcut
            dy = dx
        return dy

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
            See `MultiHeadAttentionLayer.attention_weights`.
        """
        workspaces = self.chain.workspaces(workspace)
        position = list(self.chain.layers).index("attention")
        x, _, _ = forward_steps(
            self.chain.steps[:position],
            x,
            workspace.lengths,
            train=False,
            rng=None,
            workspaces=workspaces,
        )
        attention = self.chain.layers["attention"]
        assert isinstance(attention, MultiHeadAttentionLayer)
        workspaces[position].lengths = workspace.lengths
        return attention.attention_weights(x, workspaces[position])
