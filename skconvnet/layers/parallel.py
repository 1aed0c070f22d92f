"""Parallel branches of layers, joined along the channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.branched import BranchedLayer
from skconvnet.layers.chain import Chain
from skconvnet.layers.composite import CompositeSpec, build_chain, is_branch
from skconvnet.ops.layout import map_shape
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec
from skconvnet.params.nested import is_list


@dataclass(eq=False, repr=False)
class Parallel(CompositeSpec):
    """Branches of layers that take the same input, joined along the channels.

    An example is the Inception module of GoogLeNet [1]_, with 1x1, 3x3 and 5x5
    convolutions and pooling in parallel. Within the layer, weights are named
    ``"branch/layer/array"``, and parameters ``branch__layer__parameter``.

    Parameters
    ----------
    branches : list of (str, layers)
        Names and layers of the branches. The layers are a list, in which each layer is
        named or not, or a single layer; the output of an empty list is the input. The
        outputs of all branches must be maps of the same size (`padding="same"`), with
        any number of channels, or flat features.
    trainable : bool, default=True
        Whether training changes the weights. If False, all layers inside are frozen.

    References
    ----------
    .. [1] C. Szegedy et al., "Going deeper with convolutions", CVPR 2015.

    Examples
    --------
    >>> from skconvnet.layers import Conv2D, MaxPool2D, Parallel
    >>> inception = Parallel([
    ...     ("b1", Conv2D(64, 1, activation="relu")),
    ...     ("b3", [("reduce", Conv2D(96, 1, activation="relu")),
    ...             ("conv", Conv2D(128, 3, padding="same", activation="relu"))]),
    ...     ("pool", [MaxPool2D(3, 1, "same"), Conv2D(32, 1, activation="relu")]),
    ... ])
    >>> inception.build((28, 28, 192)).out_shape
    (28, 28, 224)
    >>> inception.set_params(b3__conv__filters=64).build((28, 28, 192)).out_shape
    (28, 28, 160)
    """

    branches: Sequence[
        tuple[str, LayerSpec | Sequence[LayerSpec | str | tuple[str, LayerSpec | str]]]
    ] = field(default_factory=list)

    _lists: ClassVar[tuple[str, ...]] = ("branches",)

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        if not is_list(self.branches) or not self.branches:
            raise TypeError(
                "branches must be a list of (name, layers) tuples, such as [('b1', "
                f"[Conv2D(8, 1)]), ('b3', [Conv2D(8, 3)])]; got {self.branches!r}."
            )
        chains: dict[str, Chain] = {}
        for position, branch in enumerate(self.branches):
            if not is_branch(branch):
                raise TypeError(
                    f"branches[{position}] must be a (name, layers) tuple with a name "
                    f"without '__' and '/'; got {branch!r}."
                )
            name, layers = branch
            if name in chains:
                raise ValueError(
                    f"branches has two branches named {name!r}; names must be unique."
                )
            chains[name] = build_chain(f"branch {name!r}", layers, in_shape)
        return ParallelLayer(in_shape, _joined_shape(chains), chains)


def _joined_shape(chains: dict[str, Chain]) -> Shape:
    """Return the shape of the joined outputs, after checking that they match."""
    first, *others = chains
    shape = chains[first].out_shape
    for name in others:
        other = chains[name].out_shape
        if other[:-1] != shape[:-1]:
            raise ValueError(
                f"the output of branch {name!r} has shape {other}, but the output of "
                f"branch {first!r} has shape {shape}: all axes except the channels "
                "must be equal. Use padding='same' and equal strides in all branches."
            )
    channels = sum(chain.out_shape[-1] for chain in chains.values())
    return (*shape[:-1], channels)


class ParallelLayer(BranchedLayer):
    """Branches whose outputs are joined along the channels."""

    @override
    def join(
        self, ys: Sequence[FeatureMap], x: FeatureMap, workspace: Workspace
    ) -> FeatureMap:
        y = workspace.array("y", map_shape(self.out_shape, x.shape[-1]), ys[0].dtype)
        return np.concatenate(ys, axis=0, out=y)

    @override
    def divide(self, dy: FeatureMap, workspace: Workspace) -> list[FeatureMap]:
        ends = np.cumsum([chain.out_shape[-1] for chain in self.chains.values()])
        return np.split(dy, ends[:-1], axis=0)
