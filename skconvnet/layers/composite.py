"""Specs and layers that consist of other layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from skconvnet._typing import FeatureMap, Lengths, NamedArrays, Shape, override
from skconvnet.layers.base import Cache, Layer
from skconvnet.layers.chain import Chain
from skconvnet.layers.matrices import input_matrices_of, matrices_of
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec, TrainableSpec
from skconvnet.params.naming import check_layers
from skconvnet.params.nested import Entries, NestedParams, named_entries


@dataclass(eq=False, repr=False)
class CompositeSpec(NestedParams, TrainableSpec):
    """A spec whose parameters include other specs, in lists."""

    @property
    @override
    def spatial_ndim(self) -> int | None:  # type: ignore[override]  # not a ClassVar
        return _spatial_ndim(self._entries())


def _spatial_ndim(entries: Entries) -> int | None:
    """Return the `spatial_ndim` of the first entry that has one."""
    for _, entry in entries:
        if isinstance(entry, LayerSpec):
            ndim = entry.spatial_ndim
        else:
            ndim = _spatial_ndim(named_entries(entry))
        if ndim is not None:
            return ndim
    return None


def is_branch(entry: object) -> bool:
    """Return whether an entry of a list is a pair that begins with a valid name."""
    if not isinstance(entry, tuple) or len(entry) != 2:
        return False
    name = entry[0]
    is_name = isinstance(name, str) and name != ""
    return is_name and "__" not in name and "/" not in name


def build_chain(where: str, layers: object, in_shape: Shape) -> Chain:
    """Build a chain; the message of any error begins with `where`."""
    try:
        specs = check_layers([layers] if isinstance(layers, LayerSpec) else layers)
        return Chain(specs, in_shape)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from error


class CompositeLayer(Layer[Cache]):
    """A layer that consists of chains of layers.

    Attributes
    ----------
    chains : dict of str to Chain
        The chains by name. Their weights are named ``"chain/layer/array"``, or
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
    def takes_tokens(self) -> bool:  # type: ignore[override]  # not a constant
        return any(chain.takes_tokens for chain in self.chains.values())

    @property
    @override
    def matrices(self) -> dict[str, MatrixForm]:
        return _joined(
            {branch: matrices_of(chain.layers) for branch, chain in self.chains.items()}
        )

    @property
    @override
    def input_matrices(self) -> tuple[str, ...]:
        return tuple(
            _full_name(branch, array)
            for branch, chain in self.chains.items()
            for array in input_matrices_of(chain.layers)
        )

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

    def forward_chain(
        self,
        branch: str,
        x: FeatureMap,
        lengths: Lengths | None,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, list[object]]:
        """Run one chain; return its output and the cache of each step."""
        chain = self.chains[branch]
        return chain.forward(
            x,
            train=train,
            rng=rng,
            workspaces=workspaces_in(chain, branch, workspace),
            lengths=lengths,
        )

    def predict_chain(
        self,
        branch: str,
        x: FeatureMap,
        lengths: Lengths | None,
        workspace: Workspace,
    ) -> FeatureMap:
        """Return the output of one chain, after which there is no backward pass."""
        chain = self.chains[branch]
        return chain.predict(x, workspaces_in(chain, branch, workspace), lengths)

    def backward_chain(
        self,
        branch: str,
        dy: FeatureMap,
        caches: Sequence[object],
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        """Write the gradients of the weights of one chain; return that of its input.

        `gradients` are those of the whole layer.
        """
        chain = self.chains[branch]
        return chain.backward(
            dy,
            caches,
            gradients=gradients_of(branch, chain, gradients),
            workspaces=workspaces_in(chain, branch, workspace),
            need_dx=need_dx,
        )


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


def gradients_of(
    branch: str, chain: Chain, gradients: NamedArrays
) -> list[dict[str, np.ndarray]]:
    """Return the gradients of the layers of a branch."""
    return chain.split_gradients(_arrays_of(branch, chain.trained_shapes, gradients))


def workspaces_in(chain: Chain, branch: str, workspace: Workspace) -> list[Workspace]:
    """Return the workspaces of the layers of a branch."""
    return chain.workspaces(workspace.nested(f"{branch}/"))
