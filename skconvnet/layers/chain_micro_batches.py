"""Chains that run all micro-batches of a minibatch together.

Usually a micro-batch goes through the whole network and back before the next one is
read. That is impossible with a layer such as BatchNorm, whose output for one sample
depends on all samples of the minibatch. Such a layer is a *barrier*: every micro-batch
must have reached it before any of them may go on. The layers between two barriers form
a segment, through which each micro-batch goes independently, on any thread::

    segment          barrier   segment          barrier   segment

    0: conv - relu --+      +-- conv - relu ----+      +-- pool - dense
    1: conv - relu --+ norm +-- conv - relu ----+ norm +-- pool - dense
    2: conv - relu --+      +-- conv - relu ----+      +-- pool - dense

The backward pass goes through the same segments from right to left.

The invariant: before and after each segment, barrier or not, there is one map for each
micro-batch, in their order, and the caches so far are those of all steps before that
point. Micro-batch m uses chain m, workspaces m and gradients m throughout, so that two
threads never write to the same array. So the arithmetic depends on how the minibatch
was cut, but not on which thread takes which micro-batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from skconvnet._typing import FeatureMap, Lengths, NamedArrays
from skconvnet.layers.base import Layer, MicroBatchRunner
from skconvnet.layers.chain import Chain
from skconvnet.layers.chain_steps import Step, backward_steps, forward_steps
from skconvnet.ops.lengths import clear_padding
from skconvnet.ops.workspace import Workspace


@dataclass(frozen=True)
class Segment:
    """Consecutive steps of a chain, ``chain.steps[start:stop]``.

    Attributes
    ----------
    start, stop : int
    is_barrier : bool
        Whether the segment is a single layer that needs the whole minibatch. Otherwise,
        none of its layers does.
    """

    start: int
    stop: int
    is_barrier: bool


def segments_of(steps: Sequence[Step]) -> list[Segment]:
    """Cut steps into barriers and the longest segments between them."""
    segments: list[Segment] = []
    start = 0
    for number, step in enumerate(steps):
        if not step.layer.needs_whole_batch:
            continue
        if start < number:
            segments.append(Segment(start, number, is_barrier=False))
        segments.append(Segment(number, number + 1, is_barrier=True))
        start = number + 1
    if start < len(steps):
        segments.append(Segment(start, len(steps), is_barrier=False))
    return segments


@dataclass(frozen=True)
class ChainMicroBatches:
    """The micro-batches of a minibatch on their way through a chain.

    Parameters
    ----------
    chains : sequence of Chain
        The chain of each micro-batch: the same one, or its equivalent for another shape
        of samples, whose steps differ only in their shapes.
    runner : MicroBatchRunner
    workspaces : sequence of sequence of Workspace
        Workspaces by micro-batch and by layer.
    """

    chains: Sequence[Chain]
    runner: MicroBatchRunner
    workspaces: Sequence[Sequence[Workspace]]

    def forward(
        self,
        xs: Sequence[FeatureMap],
        lengths: Sequence[Lengths | None],
        *,
        need_dx: bool = True,
    ) -> tuple[list[FeatureMap], list[list[object]]]:
        """Run the forward pass of training.

        Parameters
        ----------
        xs : sequence of ndarray
            Inputs by micro-batch.
        lengths : sequence of (ndarray or None)
            The lengths of the samples of each micro-batch, if they are padded.
        need_dx : bool, default=True
            That of the `backward` which follows, as in `Chain.forward`.

        Returns
        -------
        ys : list of ndarray
            Outputs by micro-batch.
        caches : list of list
            Caches by micro-batch and by step.
        """
        first = 0 if need_dx else self.chains[0].first_trained_step
        ys = list(xs)
        if first:
            ys, lengths = self._forward_untrained(xs, lengths)
        caches: list[list[object]] = [[None] * first for _ in xs]
        for whole in segments_of(self.chains[0].steps):
            if whole.stop <= first:
                continue
            segment = replace(whole, start=max(whole.start, first))
            if segment.is_barrier:
                ys, lengths, own_caches = self._forward_barrier(
                    segment.start, ys, lengths
                )
                for m, cache in enumerate(own_caches):
                    caches[m].append(cache)
            else:
                results = self._forward_segment(segment, ys, lengths)
                ys = [y for y, _, _ in results]
                lengths = [own for _, _, own in results]
                for m, (_, segment_caches, _) in enumerate(results):
                    caches[m] += segment_caches
        return ys, caches

    def _forward_untrained(
        self, xs: Sequence[FeatureMap], lengths: Sequence[Lengths | None]
    ) -> tuple[list[FeatureMap], list[Lengths | None]]:
        results = self.runner.map(
            lambda m: self.chains[m].forward_untrained(
                xs[m],
                lengths[m],
                rng=self.runner.rngs[m],
                workspaces=self.workspaces[m],
            )
        )
        return [y for y, _ in results], [own for _, own in results]

    def _forward_segment(
        self,
        segment: Segment,
        xs: Sequence[FeatureMap],
        lengths: Sequence[Lengths | None],
    ) -> list[tuple[FeatureMap, list[object], Lengths | None]]:
        def run_one(m: int) -> tuple[FeatureMap, list[object], Lengths | None]:
            return forward_steps(
                self.chains[m].steps[segment.start : segment.stop],
                xs[m],
                lengths[m],
                train=True,
                rng=self.runner.rngs[m],
                workspaces=self.workspaces[m],
            )

        return self.runner.map(run_one)

    def _forward_barrier(
        self,
        number: int,
        xs: Sequence[FeatureMap],
        lengths: Sequence[Lengths | None],
    ) -> tuple[list[FeatureMap], list[Lengths | None], list[object]]:
        layers, workspaces = self._layers_at(number), self._workspaces_at(number)
        for workspace, own in zip(workspaces, lengths, strict=True):
            workspace.lengths = own
        ys, caches = layers[0].forward_micro_batches(
            layers, xs, runner=self.runner, workspaces=workspaces
        )
        after = [
            layer.lengths_after(x, own)
            for layer, x, own in zip(layers, xs, lengths, strict=True)
        ]
        self.runner.map(lambda m: clear_padding(ys[m], after[m]))
        return ys, after, caches

    def backward(
        self,
        dys: Sequence[FeatureMap],
        caches: Sequence[Sequence[object]],
        *,
        gradients: Sequence[Sequence[NamedArrays]],
        need_dx: bool,
    ) -> list[FeatureMap] | None:
        """Write the gradients of the weights, and return the gradients of the inputs.

        Parameters
        ----------
        dys : sequence of ndarray
            Gradients of the outputs, by micro-batch.
        caches : sequence of sequence
            What `forward` returned.
        gradients : sequence of sequence of mapping
            Gradients of the weights, by micro-batch and by layer. Overwritten.
        need_dx : bool
            If False, the pass ends at the first layer that is trained, and None is
            returned.
        """
        first = 0 if need_dx else self.chains[0].first_trained_step
        dxs: list[FeatureMap] | None = list(dys)
        for segment in reversed(segments_of(self.chains[0].steps)):
            if segment.stop <= first:
                break
            assert dxs is not None
            rest = replace(segment, start=max(segment.start, first))
            backward = (
                self._backward_barrier if rest.is_barrier else self._backward_segment
            )
            dxs = backward(
                rest, dxs, caches, gradients, need_dx=need_dx or rest.start > first
            )
        return dxs if need_dx else None

    def _backward_segment(
        self,
        segment: Segment,
        dys: Sequence[FeatureMap],
        caches: Sequence[Sequence[object]],
        gradients: Sequence[Sequence[NamedArrays]],
        *,
        need_dx: bool,
    ) -> list[FeatureMap] | None:
        def run_one(m: int) -> FeatureMap | None:
            return backward_steps(
                self.chains[m].steps[segment.start : segment.stop],
                dys[m],
                caches[m][segment.start : segment.stop],
                gradients=gradients[m],
                workspaces=self.workspaces[m],
                need_dx=need_dx,
            )

        dxs = self.runner.map(run_one)
        return [dx for dx in dxs if dx is not None] if need_dx else None

    def _backward_barrier(
        self,
        segment: Segment,
        dys: Sequence[FeatureMap],
        caches: Sequence[Sequence[object]],
        gradients: Sequence[Sequence[NamedArrays]],
        *,
        need_dx: bool,
    ) -> list[FeatureMap] | None:
        number = segment.start
        index = self.chains[0].steps[number].index
        layers, workspaces = self._layers_at(number), self._workspaces_at(number)
        dxs = layers[0].backward_micro_batches(
            layers,
            dys,
            [own[number] for own in caches],
            gradients=[own[index] for own in gradients],
            runner=self.runner,
            workspaces=workspaces,
            need_dx=need_dx,
        )
        for dx, workspace in zip(dxs or (), workspaces, strict=dxs is not None):
            clear_padding(dx, workspace.lengths)
        return dxs

    def _layers_at(self, number: int) -> list[Layer[Any]]:
        """Return the layer of step `number` for each micro-batch."""
        return [chain.steps[number].layer for chain in self.chains]

    def _workspaces_at(self, number: int) -> list[Workspace]:
        index = self.chains[0].steps[number].index
        return [own[index] for own in self.workspaces]
