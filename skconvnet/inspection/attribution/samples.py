"""The samples that are explained, with the network and the scores in question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Image, Shape
from skconvnet.engine.inputs import Inputs, index_numbers
from skconvnet.engine.network import Network
from skconvnet.engine.sample_form import SampleForm
from skconvnet.engine.target_scores import TargetScores
from skconvnet.engine.tokens import refuse_tokens
from skconvnet.inspection.attribution.blocks import (
    Block,
    Runner,
    n_samples_at_a_time,
)
from skconvnet.inspection.attribution.references import Reference, make_reference
from skconvnet.ops.layout import channels_last
from skconvnet.ops.workspace import Workspace


@dataclass(frozen=True)
class ExplainedSamples:
    """Samples, the network, and the score of each sample that is to be explained.

    Attributes
    ----------
    network : Network
    inputs : Inputs
        Reads the samples.
    targets : TargetScores
    form : SampleForm
        The form of X.
    shapes : sequence of tuple of int
        The shape of each sample of X, as the user gave it.
    runner : Runner
    max_numbers : int
        Class attribute. Samples and their variants are computed in groups of about so
        many numbers: enough for several micro-batches, and little memory.
    """

    max_numbers: ClassVar[int] = 4_000_000

    network: Network
    inputs: Inputs
    targets: TargetScores
    form: SampleForm
    shapes: Sequence[Shape]
    runner: Runner

    def __len__(self) -> int:
        return len(self.inputs)

    def reference(self, name: str, value: object) -> Reference:
        """Return what samples are compared with, or raise an error that names it."""
        return make_reference(name, value, self.form, self.shapes)

    def map(
        self,
        explain: Callable[[Block], Image],
        *,
        differentiates: bool = True,
        per_position: bool = False,
    ) -> Image | list[Image]:
        """Explain all samples, some at a time.

        Parameters
        ----------
        explain : callable
            Returns an array shaped like the `x` of a block, or with `per_position` one
            of shape (n_samples, *spatial).
        differentiates : bool
            Whether it needs gradients with respect to the samples. Those of tokens are
            their vectors, whose attributions are added up.
        per_position : bool

        Returns
        -------
        attributions : ndarray, or list of ndarray
            In the form of X. A list if the samples have different shapes.
        """
        embeds = differentiates and self._embeds()
        restored = self.form.restored_positions if per_position else self.form.restored
        is_one_shape = self.inputs.has_one_size or len(self.inputs.shapes) == 1
        result: Image = np.empty(len(self), dtype=object)
        for index in self.inputs.groups(slice(0, len(self))):
            for block in self._blocks(index, embeds=embeds):
                values = explain(block)
                values = values.sum(axis=-1) if embeds else values
                own = restored(self._in_order(values, block))
                if not is_one_shape:
                    for number, one in zip(block.numbers, own, strict=True):
                        result[number] = one.copy()
                    continue
                if result.dtype == object:
                    result = np.empty((len(self), *own.shape[1:]), own.dtype)
                result[block.numbers] = own
        return result if is_one_shape else list(result)

    def _embeds(self) -> bool:
        """Return whether the network begins with an embedding of tokens.

        Raise an error if another layer takes tokens.
        """
        first = next(iter(self.network.layers.values()))
        embeds = first.takes_tokens and len(first.out_shape) > 1
        refuse_tokens(self.network, start=int(embeds))
        return embeds

    def _blocks(
        self, index: npt.NDArray[np.integer] | slice, *, embeds: bool
    ) -> Iterator[Block]:
        """Yield the samples at `index`, which have one shape, in blocks."""
        shape = self.inputs.shape_of(index)
        whole = self.network.for_shape(shape)
        network = whole.after(1) if embeds else whole

        def as_x(maps: Image) -> Image:
            return self.runner.outputs(whole, maps, 1) if embeds else maps

        def reference_as_x(own: npt.NDArray[np.integer], maps: Image) -> Image:
            return as_x(self._as_read(maps, own, shape))

        numbers = index_numbers(index)
        size = n_samples_at_a_time(network.in_shape, self.max_numbers)
        for start in range(0, len(numbers), size):
            own = numbers[start : start + size]
            read = channels_last(self.inputs.read(own, Workspace()))
            yield Block(
                as_x(np.ascontiguousarray(read)),
                own,
                network,
                self.targets.at(own),
                self.runner,
                self.max_numbers,
                partial(reference_as_x, own),
                shape,
                self.network.in_shape if self.inputs.has_one_size else shape,
            )

    def _as_read(
        self, maps: Image, numbers: npt.NDArray[np.integer], shape: Shape
    ) -> Image:
        """Return references of the samples at `numbers` as these are read.

        There may be a single one for all of them.
        """
        if maps.shape[1:] == shape:
            return maps
        of_each = np.broadcast_to(maps, (len(numbers), *maps.shape[1:]))
        return self.inputs.as_read(of_each, numbers)[:, : shape[0]]

    def _in_order(self, values: Image, block: Block) -> Image:
        """Return values of each position of a block with the positions as in X."""
        if not self.inputs.has_one_size or values.ndim < 2:
            return values
        length = self.network.in_shape[0]
        if len(self.network.in_shape) > 1:
            return self.inputs.in_order(values, block.numbers, length)
        maps = values[..., np.newaxis]
        return self.inputs.in_order(maps, block.numbers, length)[..., 0]
