"""Layers that are applied to every step of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, ClassVar, Self

import numpy as np

from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.branched import BranchCaches, BranchedLayer
from skconvnet.layers.chain import Chain
from skconvnet.layers.composite import CompositeSpec, build_chain
from skconvnet.layers.micro_batch_runner import MicroBatchRunner
from skconvnet.ops.embedding import lengths_of, order_with_padding_last
from skconvnet.ops.lengths import is_padding
from skconvnet.ops.steps import fold_steps, unfold_steps
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class TimeDistributed(CompositeSpec):
    """Apply the same layers to every step of a sequence.

    A step may have any shape. For example, with sentences as steps, an embedding and a
    recurrent layer turn the tokens of each sentence into features, and layers after
    this one read the features of all sentences of a document [1]_. Within the layer,
    weights are named ``"layer/array"``.

    If the first of the layers is an `Embedding` with a `padding_token`, documents may
    have different numbers of sentences, and sentences different numbers of tokens: both
    are filled up with that token. Sentences after the last one with a token are
    padding. Layers that cannot leave it out are refused, except for those that need a
    fixed length anyway, such as `Flatten`, for which padding counts.

    Parameters
    ----------
    layers : layer, or list of layers or of (str, layer) tuples
        Layers that take one step, of shape (*step). The first axis of the input counts
        the steps.
    trainable : bool, default=True
        Whether training changes the weights. If False, all layers inside are frozen.

    References
    ----------
    .. [1] Z. Yang et al., "Hierarchical attention networks for document
       classification", NAACL 2016.

    Examples
    --------
    >>> from skconvnet.layers import GRU, Dense, Embedding, TimeDistributed
    >>> TimeDistributed(Dense(4)).build((10, 8)).out_shape
    (10, 4)
    >>> sentences = TimeDistributed([Embedding(5000, 32, padding_token=0), GRU(16)])
    >>> layer = sentences.build((20, 40))  # up to 20 sentences of up to 40 words
    >>> layer.out_shape, layer.weight_shapes["gru/kernel"]
    ((20, 16), (32, 48))
    """

    layers: LayerSpec | Sequence[LayerSpec | str | tuple[str, LayerSpec | str]] = field(
        default_factory=list
    )

    _lists: ClassVar[tuple[str, ...]] = ("layers",)

    @property
    @override
    def spatial_ndim(self) -> int | None:  # type: ignore[override]  # not a ClassVar
        single = self.layers if isinstance(self.layers, LayerSpec) else None
        inner = super().spatial_ndim if single is None else single.spatial_ndim
        return None if inner is None else inner + 1

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        if len(in_shape) < 2:
            raise ValueError(
                "TimeDistributed needs input of shape (steps, *step), but its input "
                f"has shape {in_shape}; check input_shape and the layers before it."
            )
        chain = build_chain("layers", self.layers, in_shape[1:])
        return TimeDistributedLayer(in_shape, chain)


class TimeDistributedLayer(BranchedLayer):
    """Runtime layer of `TimeDistributed`, with one chain.

    Steps and samples become one axis, the batch of the chain::

        x                            (channels, steps, *spatial, batch)
        input of the chain           (channels, *spatial, steps * batch)

    Without spatial axes, both are the same memory.

    Attributes
    ----------
    keeps_padding : bool
        Whether steps of padding tokens are steps like others, see `keep_padding`.
    """

    def __init__(self, in_shape: Shape, chain: Chain) -> None:
        self.n_steps = in_shape[0]
        super().__init__(in_shape, (self.n_steps, *chain.out_shape), {"": chain})
        inner = self._inner_layers()
        own = prod(in_shape) + prod(self.out_shape)
        self.flops = self.n_steps * sum(layer.flops for layer in inner) + own
        self.cached_values *= self.n_steps
        self.chain = chain
        self.keeps_padding = False
        if chain.padding_token is not None:
            if chain.fits_other_lengths():
                chain.check_padding()
            else:
                chain.keep_padding()

    @property
    @override
    def is_flat(self) -> bool:
        return False

    @property
    @override
    def takes_lengths(self) -> bool:  # type: ignore[override]  # not a constant
        # Each step goes through the layers on its own. Lengths are those of sequences.
        return len(self.out_shape) == 2

    @override
    def keep_padding(self) -> None:
        self.keeps_padding = True

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        token = self.chain.padding_token
        if lengths is not None or token is None or self.keeps_padding:
            return lengths
        has_tokens = (x != token).any(axis=tuple({0, *range(2, x.ndim - 1)}))
        own = lengths_of(has_tokens, False)
        return None if own.min(initial=self.n_steps) == self.n_steps else own

    @override
    def inner_lengths(self, workspace: Workspace) -> Lengths | None:
        return None

    @override
    def enter(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        folded = fold_steps(x, workspace)
        token = self.chain.padding_token
        if token is None or len(self.chain.out_shape) > 1 or folded.ndim > 2:
            return folded
        order = order_with_padding_last(folded, token)
        if order is None:
            return folded
        return np.take_along_axis(folded, order, axis=0)

    @override
    def leave(self, dx: FeatureMap, workspace: Workspace) -> FeatureMap:
        return unfold_steps(dx, self.n_steps, "dx_by_step", workspace)

    @override
    def join(
        self, ys: Sequence[FeatureMap], x: FeatureMap, workspace: Workspace
    ) -> FeatureMap:
        return unfold_steps(ys[0], self.n_steps, "y", workspace)

    @override
    def divide(self, dy: FeatureMap, workspace: Workspace) -> list[FeatureMap]:
        return [fold_steps(dy, workspace, "dy")]

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, BranchCaches]:
        if not train or not self.needs_whole_batch:
            return super().forward(x, train=train, rng=rng, workspace=workspace)
        ys, caches = self.forward_micro_batches(
            [self], [x], runner=MicroBatchRunner.single(rng), workspaces=[workspace]
        )
        return ys[0], caches[0]

    @override
    @classmethod
    def forward_micro_batches(
        cls,
        layers: Sequence[Self],
        xs: Sequence[FeatureMap],
        *,
        runner: MicroBatchRunner,
        workspaces: Sequence[Workspace],
    ) -> tuple[Sequence[FeatureMap], Sequence[BranchCaches]]:
        weights = runner.map(
            lambda m: layers[m]._weights_of_steps(  # noqa: SLF001  of the same class
                xs[m], runner.weights_of(m), workspaces[m]
            )
        )
        of_steps = replace(runner, weights=weights)
        return super().forward_micro_batches(
            layers, xs, runner=of_steps, workspaces=workspaces
        )

    def _weights_of_steps(
        self, x: FeatureMap, weights: np.ndarray | None, workspace: Workspace
    ) -> np.ndarray:
        """Return how much each step of each sample counts; padding does not."""
        lengths = self.lengths_after(x, workspace.lengths)
        of_steps = np.ones((self.n_steps, x.shape[-1]), x.dtype)
        if lengths is not None:
            of_steps[is_padding(lengths, self.n_steps)] = 0
        if weights is not None:
            of_steps *= weights
        return of_steps.reshape(-1)
