"""Runtime layers made of chains of layers that all take the same input."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import chain as concatenated
from math import prod
from typing import Any

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.layers.base import Layer, MicroBatches
from skconvnet.layers.chain import Chain
from skconvnet.ops.workspace import Workspace


class BranchedLayer(Layer):
    """Runs chains side by side on one input, and makes one output of theirs.

    Subclasses say how: `join`, and `divide` for the gradient.

    Attributes
    ----------
    chains : dict of str to Chain
        Their weights are named after them: ``"branch/layer/array"``, or
        ``"layer/array"`` for a chain with an empty name.
    """

    def __init__(
        self,
        in_shape: tuple[int, ...],
        out_shape: tuple[int, ...],
        chains: dict[str, Chain],
    ) -> None:
        super().__init__(in_shape, out_shape)
        self.chains = chains
        inner = [la for chain in chains.values() for la in chain.layers.values()]
        if any(layer.keeps_statistics for layer in inner):
            raise ValueError(
                "a layer that keeps statistics of the training set, such as "
                "Standardize, must be in the network's own list of layers, before this "
                "one."
            )
        self.weight_shapes = self._joined("weight_shapes")
        self.buffer_shapes = self._joined("buffer_shapes")
        self.penalized = tuple(
            _name(branch, array)
            for branch, chain in chains.items()
            for array in chain.penalized
        )
        self.is_random = any(layer.is_random for layer in inner)
        self.needs_whole_batch = any(layer.needs_whole_batch for layer in inner)
        self.flops = sum(layer.flops for layer in inner) + prod(out_shape)
        self.cached_values = sum(
            layer.cached_values + prod(layer.out_shape) for layer in inner
        )

    def _joined(self, kind: str) -> dict[str, Any]:
        return {
            _name(branch, array): shape
            for branch, chain in self.chains.items()
            for array, shape in getattr(chain, kind).items()
        }

    @property
    def is_flat(self) -> bool:
        inner = concatenated(*(c.layers.values() for c in self.chains.values()))
        return super().is_flat and all(layer.is_flat for layer in inner)

    @abstractmethod
    def join(
        self, ys: Sequence[np.ndarray], x: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        """Return the layer's output, given those of the chains."""

    @abstractmethod
    def divide(self, dy: np.ndarray, workspace: Workspace) -> list[np.ndarray]:
        """Return the gradient for each chain's output, in arrays of their own."""

    @override
    def bind(
        self, weights: Mapping[str, np.ndarray], buffers: Mapping[str, np.ndarray]
    ) -> None:
        super().bind(weights, buffers)
        for branch, chain in self.chains.items():
            chain.bind(
                {name: weights[_name(branch, name)] for name in chain.weight_shapes},
                {name: buffers[_name(branch, name)] for name in chain.buffer_shapes},
            )

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        return {
            _name(branch, array): values
            for branch, chain in self.chains.items()
            for array, values in chain.initialize(rng).items()
        }

    @override
    def initial_buffers(self) -> dict[str, np.ndarray]:
        return {
            _name(branch, array): values
            for branch, chain in self.chains.items()
            for array, values in chain.initial_buffers().items()
        }

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, CACHE]:
        ys, caches = [], []
        for branch, chain in self.chains.items():
            y, cache = chain.forward(
                x, train=train, rng=rng, workspaces=_within(chain, branch, workspace)
            )
            ys.append(y)
            caches.append(cache)
        return self.join(ys, x, workspace), caches

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: CACHE,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        dys = self.divide(dy, workspace)
        dxs = [
            chain.backward(
                dys[i],
                cache[i],
                gradients=chain.split(_of_branch(branch, chain, gradients)),
                workspaces=_within(chain, branch, workspace),
                need_dx=need_dx,
            )
            for i, (branch, chain) in enumerate(self.chains.items())
        ]
        return _sum(dxs, workspace) if need_dx else None

    @staticmethod
    def forward_micro_batches(
        layers: Sequence[Any],
        xs: Sequence[np.ndarray],
        *,
        micro_batches: MicroBatches,
        workspaces: Sequence[Workspace],
    ) -> tuple[list[np.ndarray], list[Any]]:
        ys: list[list[np.ndarray]] = [[] for _ in xs]
        caches: list[list[Any]] = [[] for _ in xs]
        for branch in layers[0].chains:
            chains = [layer.chains[branch] for layer in layers]
            outs, own = Chain.forward_micro_batches(
                chains,
                xs,
                micro_batches=micro_batches,
                workspaces=[
                    _within(c, branch, w)
                    for c, w in zip(chains, workspaces, strict=True)
                ],
            )
            for p in range(len(xs)):
                ys[p].append(outs[p])
                caches[p].append(own[p])
        joined: list[Any] = [None] * len(xs)

        def join(p: int, thread: int) -> None:
            joined[p] = layers[p].join(ys[p], xs[p], workspaces[p])

        micro_batches.run(len(xs), join)
        return joined, caches

    @staticmethod
    def backward_micro_batches(
        layers: Sequence[Any],
        dys: Sequence[np.ndarray],
        caches: Sequence[Any],
        *,
        gradients: Sequence[Mapping[str, np.ndarray]],
        micro_batches: MicroBatches,
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> list[np.ndarray | None]:
        n_parts = len(dys)
        divided: list[list[np.ndarray]] = [[]] * n_parts

        def divide(p: int, thread: int) -> None:
            divided[p] = layers[p].divide(dys[p], workspaces[p])

        micro_batches.run(n_parts, divide)
        dxs: list[list[Any]] = [[] for _ in dys]
        for i, branch in enumerate(layers[0].chains):
            chains = [layer.chains[branch] for layer in layers]
            own = Chain.backward_micro_batches(
                chains,
                [pieces[i] for pieces in divided],
                [cache[i] for cache in caches],
                gradients=[
                    c.split(_of_branch(branch, c, g))
                    for c, g in zip(chains, gradients, strict=True)
                ],
                micro_batches=micro_batches,
                workspaces=[
                    _within(c, branch, w)
                    for c, w in zip(chains, workspaces, strict=True)
                ],
                need_dx=need_dx,
            )
            for p in range(n_parts):
                dxs[p].append(own[p])
        if not need_dx:
            return [None] * n_parts
        sums: list[np.ndarray | None] = [None] * n_parts

        def add(p: int, thread: int) -> None:
            sums[p] = _sum(dxs[p], workspaces[p])

        micro_batches.run(n_parts, add)
        return sums


def _name(branch: str, array: str) -> str:
    return f"{branch}/{array}" if branch else array


def _of_branch(
    branch: str, chain: Chain, arrays: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    return {name: arrays[_name(branch, name)] for name in chain.weight_shapes}


def _within(chain: Chain, branch: str, workspace: Workspace) -> list[Workspace]:
    return chain.workspaces(workspace.nested(f"{branch}/"))


def _sum(dxs: Sequence[Any], workspace: Workspace) -> np.ndarray:
    dx = workspace.array("dx", dxs[0].shape, dxs[0].dtype)
    if len(dxs) == 1:
        np.copyto(dx, dxs[0])
        return dx
    np.add(dxs[0], dxs[1], out=dx)
    for other in dxs[2:]:
        dx += other
    return dx
