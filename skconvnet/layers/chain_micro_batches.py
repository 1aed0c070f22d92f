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

A barrier waits only in its middle, where it merges what it has found in all
micro-batches. Until then, and from there on, a micro-batch stays on one thread: the
`MicroBatchRunner` runs a segment, the first half of the barrier after it and the second
half of the one before it as one task.

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
from skconvnet.layers.base import Layer
from skconvnet.layers.chain import Chain
from skconvnet.layers.chain_steps import Step, backward_steps, forward_steps
from skconvnet.layers.micro_batch_runner import MicroBatchRunner
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
    ) -> tuple[Sequence[FeatureMap], list[list[object]]]:
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
        ys : sequence of ndarray
            Outputs by micro-batch.
        caches : list of list
            Caches by micro-batch and by step. Those of a micro-batch are complete when
            its output is there.
        """
        first = 0 if need_dx else self.chains[0].first_trained_step
        caches: list[list[object]] = [[None] * first for _ in self.chains]
        ys = xs
        if first:
            ys, lengths = self._forward_untrained(xs, lengths)
        for whole in segments_of(self.chains[0].steps):
            if whole.stop <= first:
                continue
            segment = replace(whole, start=max(whole.start, first))
            forward = (
                self._forward_barrier if segment.is_barrier else self._forward_segment
            )
            ys, lengths = forward(segment, ys, lengths, caches)
        return ys, caches

    def _forward_untrained(
        self, xs: Sequence[FeatureMap], lengths: Sequence[Lengths | None]
    ) -> tuple[Sequence[FeatureMap], Sequence[Lengths | None]]:
        ends: list[Lengths | None] = [None] * len(xs)

        def run_one(m: int) -> FeatureMap:
            y, ends[m] = self.chains[m].forward_untrained(
                xs[m],
                lengths[m],
                rng=self.runner.rngs[m],
                workspaces=self.workspaces[m],
            )
            return y

        return self.runner.map(run_one), ends

    def _forward_segment(
        self,
        segment: Segment,
        xs: Sequence[FeatureMap],
        lengths: Sequence[Lengths | None],
        caches: Sequence[list[object]],
    ) -> tuple[Sequence[FeatureMap], Sequence[Lengths | None]]:
        ends: list[Lengths | None] = [None] * len(xs)

        def run_one(m: int) -> FeatureMap:
            y, own_caches, ends[m] = forward_steps(
                self.chains[m].steps[segment.start : segment.stop],
                xs[m],
                lengths[m],
                train=True,
                rng=self.runner.rngs[m],
                workspaces=self.workspaces[m],
            )
            caches[m].extend(own_caches)
            return y

        return self.runner.map(run_one), ends

    def _forward_barrier(
        self,
        segment: Segment,
        xs: Sequence[FeatureMap],
        lengths: Sequence[Lengths | None],
        caches: Sequence[list[object]],
    ) -> tuple[Sequence[FeatureMap], Sequence[Lengths | None]]:
        number = segment.start
        layers, workspaces = self._layers_at(number), self._workspaces_at(number)

        def begin(m: int) -> None:
            workspaces[m].lengths = lengths[m]

        self.runner.map(begin)
        ys, own_caches = layers[0].forward_micro_batches(
            layers, xs, runner=self.runner, workspaces=workspaces
        )

        def end(m: int) -> Lengths | None:
            after = layers[m].lengths_after(xs[m], lengths[m])
            clear_padding(ys[m], after)
            caches[m].append(own_caches[m])
            return after

        return ys, self.runner.map(end)

    def backward(
        self,
        dys: Sequence[FeatureMap],
        caches: Sequence[Sequence[object]],
        *,
        gradients: Sequence[Sequence[NamedArrays]],
        need_dx: bool,
    ) -> Sequence[FeatureMap] | None:
        """Write the gradients of the weights, and return the gradients of the inputs.

        Parameters
        ----------
        dys : sequence of ndarray
            Gradients of the outputs, by micro-batch.
        caches : sequence of sequence
            What `forward` returned.
        gradients : sequence of sequence of mapping
            Gradients of the weights, by micro-batch and by layer. Overwritten when the
            runner has finished.
        need_dx : bool
            If False, the pass ends at the first layer that is trained, and None is
            returned.
        """
        first = 0 if need_dx else self.chains[0].first_trained_step
        dxs: Sequence[FeatureMap] | None = dys
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
    ) -> Sequence[FeatureMap] | None:
        def run_one(m: int) -> Any:  # noqa: ANN401  a map if need_dx, else None
            return backward_steps(
                self.chains[m].steps[segment.start : segment.stop],
                dys[m],
                caches[m][segment.start : segment.stop],
                gradients=gradients[m],
                workspaces=self.workspaces[m],
                need_dx=need_dx,
            )

        dxs = self.runner.map(run_one)
        return dxs if need_dx else None

    def _backward_barrier(
        self,
        segment: Segment,
        dys: Sequence[FeatureMap],
        caches: Sequence[Sequence[object]],
        gradients: Sequence[Sequence[NamedArrays]],
        *,
        need_dx: bool,
    ) -> Sequence[FeatureMap] | None:
        number = segment.start
        index = self.chains[0].steps[number].index
        layers, workspaces = self._layers_at(number), self._workspaces_at(number)
        dxs = layers[0].backward_micro_batches(
            layers,
            dys,
            self.runner.pick(caches, number),
            gradients=[own[index] for own in gradients],
            runner=self.runner,
            workspaces=workspaces,
            need_dx=need_dx,
        )
        if dxs is not None:
            self.runner.map(lambda m: clear_padding(dxs[m], workspaces[m].lengths))
        return dxs

    def _layers_at(self, number: int) -> list[Layer[Any]]:
        """Return the layer of step `number` for each micro-batch."""
        return [chain.steps[number].layer for chain in self.chains]

    def _workspaces_at(self, number: int) -> list[Workspace]:
        index = self.chains[0].steps[number].index
        return [own[index] for own in self.workspaces]
