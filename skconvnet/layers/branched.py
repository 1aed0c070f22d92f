"""Runtime layers that consist of several chains with the same input."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Self, TypeAlias

import numpy as np

from skconvnet._typing import FeatureMap, Lengths, NamedArrays, override
from skconvnet.layers.chain_micro_batches import ChainMicroBatches
from skconvnet.layers.composite import CompositeLayer, gradients_of, workspaces_in
from skconvnet.layers.micro_batch_runner import MicroBatchRunner
from skconvnet.ops.workspace import Workspace

# The cache of each branch and each step of its chain.
BranchCaches: TypeAlias = list[list[object]]


class BranchedLayer(CompositeLayer[BranchCaches]):
    """Runs several chains on the same input, and joins their outputs.

    Subclasses define how, with `join`, and with `divide` for the gradient. If the
    chains take something else than the input itself, they define `enter` and `leave`.
    """

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

    def enter(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:  # noqa: ARG002  for subclasses
        """Return the input of the chains."""
        return x

    def inner_lengths(self, workspace: Workspace) -> Lengths | None:
        """Return the lengths of the input of the chains."""
        return workspace.lengths

    def leave(self, dx: FeatureMap, workspace: Workspace) -> FeatureMap:  # noqa: ARG002  for subclasses
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
        inputs, lengths = self.enter(x, workspace), self.inner_lengths(workspace)
        for branch in self.chains:
            y, branch_caches = self.forward_chain(
                branch, inputs, lengths, train=train, rng=rng, workspace=workspace
            )
            ys.append(y)
            caches.append(branch_caches)
        return self.join(ys, x, workspace), caches

    @override
    def predict(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        inputs, lengths = self.enter(x, workspace), self.inner_lengths(workspace)
        ys = [
            self.predict_chain(branch, inputs, lengths, workspace)
            for branch in self.chains
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
        branches = zip(self.chains, self.divide(dy, workspace), cache, strict=True)
        dxs = [
            self.backward_chain(
                branch,
                branch_dy,
                branch_caches,
                gradients=gradients,
                workspace=workspace,
                need_dx=need_dx,
            )
            for branch, branch_dy, branch_caches in branches
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
    ) -> tuple[Sequence[FeatureMap], Sequence[BranchCaches]]:
        outputs: list[Sequence[FeatureMap]] = []
        caches: list[list[list[object]]] = []
        inputs = runner.map(lambda m: layers[m].enter(xs[m], workspaces[m]))
        lengths = runner.map(lambda m: layers[m].inner_lengths(workspaces[m]))
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
    ) -> Sequence[FeatureMap] | None:
        divided = runner.map(lambda m: layers[m].divide(dys[m], workspaces[m]))
        dxs: list[Sequence[FeatureMap]] = []
        for number, branch in enumerate(layers[0].chains):
            branch_dxs = _micro_batches_in(layers, branch, runner, workspaces).backward(
                runner.pick(divided, number),
                runner.pick(caches, number),
                gradients=[
                    gradients_of(branch, layer.chains[branch], own)
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


def _micro_batches_in(
    layers: Sequence[BranchedLayer],
    branch: str,
    runner: MicroBatchRunner,
    workspaces: Sequence[Workspace],
) -> ChainMicroBatches:
    """Return what runs all micro-batches through one branch."""
    chains = [layer.chains[branch] for layer in layers]
    inner = [
        workspaces_in(chain, branch, workspace)
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
