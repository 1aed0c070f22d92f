"""The steps of a chain: layers, or fused pairs of layers, that run one after the other.

Between two steps, the padding of samples that are shorter than others is cleared. See
`skconvnet.ops.lengths`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skconvnet._typing import FeatureMap, Lengths, NamedArrays
from skconvnet.layers.base import Layer
from skconvnet.layers.conv_batch_norm_folding import FoldedConvolution
from skconvnet.layers.fusion import fuse
from skconvnet.ops.lengths import clear_padding
from skconvnet.ops.workspace import Workspace


@dataclass(frozen=True)
class Step:
    """A step of a chain: a layer, or a fused pair of layers.

    Attributes
    ----------
    index : int
        Position in `Chain.layers` of the layer, or of the first layer of the pair. It
        is also the position of its workspace and its gradients. After a fused pair, it
        differs from the position of the step in `Chain.steps`.
    layer : Layer
        The layer, or the fused layer.
    """

    index: int
    layer: Layer[Any]


def steps_of(layers: Sequence[Layer[Any]]) -> list[Step]:
    """Return a step for each layer."""
    return [Step(index, layer) for index, layer in enumerate(layers)]


def fused_steps_of(layers: Sequence[Layer[Any]]) -> list[Step]:
    """Return a step for each layer, or for each pair that can be fused."""
    steps: list[Step] = []
    for step in steps_of(layers):
        fused = fuse(steps[-1].layer, step.layer) if steps else None
        if fused is None:
            steps.append(step)
        else:
            if steps[-1].layer.is_frozen:
                fused.freeze()
            steps[-1] = Step(steps[-1].index, fused)
    return steps


def clear_outputs(
    layer: Layer[Any] | FoldedConvolution,
    x: FeatureMap,
    y: FeatureMap,
    lengths: Lengths | None,
) -> Lengths | None:
    """Clear the padding of a layer's output `y`; return the lengths of the outputs.

    `x` and `lengths` are those of the input.
    """
    lengths = layer.lengths_after(x, lengths)
    clear_padding(y, lengths)
    return lengths


def forward_steps(
    steps: Sequence[Step],
    x: FeatureMap,
    lengths: Lengths | None,
    *,
    train: bool,
    rng: np.random.Generator | None,
    workspaces: Sequence[Workspace],
) -> tuple[FeatureMap, list[object], Lengths | None]:
    """Run a micro-batch through steps.

    Returns
    -------
    y : ndarray
    caches : list
        The cache of each step.
    lengths : ndarray of int or None
        Those of the output.
    """
    caches: list[object] = []
    for step in steps:
        workspace = workspaces[step.index]
        workspace.lengths = lengths
        y, cache = step.layer.forward(x, train=train, rng=rng, workspace=workspace)
        caches.append(cache)
        lengths = clear_outputs(step.layer, x, y, lengths)
        x = y
    return x, caches, lengths


def backward_steps(
    steps: Sequence[Step],
    dy: FeatureMap,
    caches: Sequence[object],
    *,
    gradients: Sequence[NamedArrays],
    workspaces: Sequence[Workspace],
    need_dx: bool,
) -> FeatureMap | None:
    """Propagate the gradient of the output back through steps.

    Each workspace still has the lengths of the forward pass. `need_dx` is for the
    first step only. All others must return the gradient of their input, which is the
    gradient of the output of the step before.
    """
    dx: FeatureMap | None = dy
    for number in reversed(range(len(steps))):
        step = steps[number]
        assert dx is not None
        dx = step.layer.backward(
            dx,
            caches[number],
            gradients=gradients[step.index],
            workspace=workspaces[step.index],
            need_dx=need_dx or number > 0,
        )
        if dx is not None:
            clear_padding(dx, workspaces[step.index].lengths)
    return dx
