"""Runtime layers that consist of several chains with the same input."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any, Self, TypeAlias

import numpy as np

from skconvnet._typing import FeatureMap, Lengths, NamedArrays, Shape, override
from skconvnet.layers.base import Layer, MicroBatchRunner
from skconvnet.layers.chain import Chain
from skconvnet.layers.chain_micro_batches import ChainMicroBatches
from skconvnet.ops.workspace import Workspace

# The cache of each branch and each step of its chain.
BranchCaches: TypeAlias = list[list[object]]


class BranchedLayer(Layer[BranchCaches]):
    """Runs several chains on the same input, and joins their outputs.

    Subclasses define how, with `join`, and with `divide` for the gradient. If the
    chains take something else than the input itself, they define `enter` and `leave`.

    Attributes
    ----------
    chains : dict of str to Chain
        The chains by name. Their weights are named ``"branch/layer/array"``, or
        ``"layer/array"`` for a chain with an empty name.
    """

    def __init__(
        self, in_shape: Shape, out_shape: Shape, chains: dict[str, Chain]
    ) -> None:
        super().__init__(in_shape, out_shape)
        self.chains = chains
        inner = self._inner_layers()
        if any(layer.keeps_statistics for layer in inner):
            raise ValueError(
                "a layer that keeps statistics of the training set, such as "
                "Standardize, cannot be part of another layer. Put it into the "
                "network's own list of layers, before this one."
            )
        self.weight_shapes = _joined(
            {branch: chain.weight_shapes for branch, chain in chains.items()}
        )
        self.buffer_shapes = _joined(
            {branch: chain.buffer_shapes for branch, chain in chains.items()}
        )
        self.penalized = tuple(
            _full_name(branch, array)
            for branch, chain in chains.items()
            for array in chain.penalized
        )
        self.is_random = any(layer.is_random for layer in inner)
        self.flops = sum(layer.flops for layer in inner) + prod(out_shape)
        self.cached_values = sum(
            layer.cached_values + prod(layer.out_shape) for layer in inner
        )

    @property
    @override
    def needs_whole_batch(self) -> bool:  # type: ignore[override]  # not a constant
        return any(chain.needs_whole_batch for chain in self.chains.values())

    @property
    @override
    def trained_shapes(self) -> dict[str, Shape]:
        return _joined(
            {branch: chain.trained_shapes for branch, chain in self.chains.items()}
        )

    @property
    @override
    def updated_shapes(self) -> dict[str, Shape]:
        return _joined(
            {branch: chain.updated_shapes for branch, chain in self.chains.items()}
        )

    @override
    def freeze(self) -> None:
        super().freeze()
        for chain in self.chains.values():
            chain.freeze()

    def _inner_layers(self) -> list[Layer[Any]]:
        return [
            layer for chain in self.chains.values() for layer in chain.layers.values()
        ]

    @property
    @override
    def is_flat(self) -> bool:
        return super().is_flat and all(layer.is_flat for layer in self._inner_layers())

    @override
    def keep_padding(self) -> None:
        for chain in self.chains.values():
            chain.keep_padding()

    @property
    @override
    def padding_token(self) -> int | None:
        tokens = {chain.padding_token for chain in self.chains.values()}
        return tokens.pop() if len(tokens) == 1 else None

    @property
    @override
    def takes_lengths(self) -> bool:  # type: ignore[override]  # not a constant
        return all(chain.takes_lengths for chain in self.chains.values())

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        # All chains end with maps of the same length, or with features.
        first, *_ = self.chains.values()
        return first.lengths_after(x, lengths)

    def enter(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:  # noqa: ARG002
        """Return the input of the chains."""
        return x

    def inner_lengths(self, workspace: Workspace) -> Lengths | None:
        """Return the lengths of the input of the chains."""
        return workspace.lengths

    def leave(self, dx: FeatureMap, workspace: Workspace) -> FeatureMap:  # noqa: ARG002
        """Return the gradient of the input, given that of the input of the chains."""
        return dx

    @abstractmethod
    def join(
        self, ys: Sequence[FeatureMap], x: FeatureMap, workspace: Workspace
    ) -> FeatureMap:
        """Return the layer's output, given its input and the outputs of the chains."""

    @abstractmethod
    def divide(self, dy: FeatureMap, workspace: Workspace) -> list[FeatureMap]:
        """Return the gradient of the output of each chain.

        The chain may overwrite it.
        """

    @override
    def bind(self, weights: NamedArrays, buffers: NamedArrays) -> None:
        super().bind(weights, buffers)
        for branch, chain in self.chains.items():
            chain.bind(
                _arrays_of(branch, chain.weight_shapes, weights),
                _arrays_of(branch, chain.buffer_shapes, buffers),
            )

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        return _joined(
            {branch: chain.initialize(rng) for branch, chain in self.chains.items()}
        )

    @override
    def initial_buffers(self) -> dict[str, np.ndarray]:
        return _joined(
            {branch: chain.initial_buffers() for branch, chain in self.chains.items()}
        )

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, BranchCaches]:
        ys: list[FeatureMap] = []
        caches: BranchCaches = []
        inputs = self.enter(x, workspace)
        for branch, chain in self.chains.items():
            y, branch_caches = chain.forward(
                inputs,
                train=train,
                rng=rng,
                workspaces=_workspaces_in(chain, branch, workspace),
                lengths=self.inner_lengths(workspace),
            )
            ys.append(y)
            caches.append(branch_caches)
        return self.join(ys, x, workspace), caches

    @override
    def predict(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        inputs, lengths = self.enter(x, workspace), self.inner_lengths(workspace)
        ys = [
            chain.predict(inputs, _workspaces_in(chain, branch, workspace), lengths)
            for branch, chain in self.chains.items()
        ]
        return self.join(ys, x, workspace)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: BranchCaches,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        branches = zip(
            self.chains.items(), self.divide(dy, workspace), cache, strict=True
        )
        dxs = [
            chain.backward(
                branch_dy,
                branch_caches,
                gradients=_gradients_of(branch, chain, gradients),
                workspaces=_workspaces_in(chain, branch, workspace),
                need_dx=need_dx,
            )
            for (branch, chain), branch_dy, branch_caches in branches
        ]
        if not need_dx:
            return None
        return self.leave(
            _sum([dx for dx in dxs if dx is not None], workspace), workspace
        )

    @override
    @classmethod
    def forward_micro_batches(
        cls,
        layers: Sequence[Self],
        xs: Sequence[FeatureMap],
        *,
        runner: MicroBatchRunner,
        workspaces: Sequence[Workspace],
    ) -> tuple[list[FeatureMap], list[BranchCaches]]:
        outputs: list[list[FeatureMap]] = []
        caches: list[list[list[object]]] = []
        inputs = runner.map(lambda m: layers[m].enter(xs[m], workspaces[m]))
        lengths = [
            layer.inner_lengths(workspace)
            for layer, workspace in zip(layers, workspaces, strict=True)
        ]
        for branch in layers[0].chains:
            ys, branch_caches = _micro_batches_in(
                layers, branch, runner, workspaces
            ).forward(inputs, lengths)
            outputs.append(ys)
            caches.append(branch_caches)

        def join(m: int) -> FeatureMap:
            return layers[m].join([ys[m] for ys in outputs], xs[m], workspaces[m])

        # Caches are by branch, then by micro-batch so far; the reverse is returned.
        return runner.map(join), [list(own) for own in zip(*caches, strict=True)]

    @override
    @classmethod
    def backward_micro_batches(
        cls,
        layers: Sequence[Self],
        dys: Sequence[FeatureMap],
        caches: Sequence[BranchCaches],
        *,
        gradients: Sequence[NamedArrays],
        runner: MicroBatchRunner,
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> list[FeatureMap] | None:
        divided = runner.map(lambda m: layers[m].divide(dys[m], workspaces[m]))
        dxs: list[list[FeatureMap]] = []
        for number, branch in enumerate(layers[0].chains):
            branch_dxs = _micro_batches_in(layers, branch, runner, workspaces).backward(
                [own[number] for own in divided],
                [own[number] for own in caches],
                gradients=[
                    _gradients_of(branch, layer.chains[branch], own)
                    for layer, own in zip(layers, gradients, strict=True)
                ],
                need_dx=need_dx,
            )
            if branch_dxs is not None:
                dxs.append(branch_dxs)
        if not need_dx:
            return None

        def add(m: int) -> FeatureMap:
            dx = _sum([branch_dxs[m] for branch_dxs in dxs], workspaces[m])
            return layers[m].leave(dx, workspaces[m])

        return runner.map(add)


def _full_name(branch: str, array: str) -> str:
    return f"{branch}/{array}" if branch else array


def _joined(by_branch: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Join mappings into one, whose keys are ``"branch/layer/array"``."""
    return {
        _full_name(branch, array): value
        for branch, arrays in by_branch.items()
        for array, value in arrays.items()
    }


def _arrays_of(
    branch: str, names: Iterable[str], arrays: NamedArrays
) -> dict[str, np.ndarray]:
    return {name: arrays[_full_name(branch, name)] for name in names}


def _gradients_of(
    branch: str, chain: Chain, gradients: NamedArrays
) -> list[dict[str, np.ndarray]]:
    """Return the gradients of the layers of a branch."""
    return chain.split_gradients(_arrays_of(branch, chain.trained_shapes, gradients))


def _workspaces_in(chain: Chain, branch: str, workspace: Workspace) -> list[Workspace]:
    """Return the workspaces of the layers of a branch."""
    return chain.workspaces(workspace.nested(f"{branch}/"))


def _micro_batches_in(
    layers: Sequence[BranchedLayer],
    branch: str,
    runner: MicroBatchRunner,
    workspaces: Sequence[Workspace],
) -> ChainMicroBatches:
    """Return what runs all micro-batches through one branch."""
    chains = [layer.chains[branch] for layer in layers]
    inner = [
        _workspaces_in(chain, branch, workspace)
        for chain, workspace in zip(chains, workspaces, strict=True)
    ]
    return ChainMicroBatches(chains, runner, inner)


def _sum(dxs: Sequence[FeatureMap], workspace: Workspace) -> FeatureMap:
    """Add up the gradients of the input that the branches returned."""
    dx = workspace.array("dx", dxs[0].shape, dxs[0].dtype)
    if len(dxs) == 1:
        np.copyto(dx, dxs[0])
        return dx
    np.add(dxs[0], dxs[1], out=dx)
    for other in dxs[2:]:
        dx += other
    return dx
