"""A few samples of one shape, and what a network says of variants of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Image, Shape
from skconvnet.engine.finite import check_gradients
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.interrupts import HeldInterrupts, ReleasedInterrupts
from skconvnet.engine.network import Network
from skconvnet.engine.predictor import Predictor
from skconvnet.engine.target_scores import TargetScores
from skconvnet.inspection.attribution.references import Reference
from skconvnet.losses import Loss


@dataclass(frozen=True)
class Runner:
    """Runs networks on a number of threads.

    Attributes
    ----------
    loss : Loss
    n_threads : int
    """

    loss: Loss
    n_threads: int

    def outputs(self, network: Network, x: Image, stop: int | None = None) -> Image:
        """Return the raw scores, or with `stop` the activations before that layer."""
        inputs = Inputs(x, x.shape[1:], network.dtype)
        predictor = Predictor(network, self.loss, self.n_threads)
        with HeldInterrupts(), predictor, ReleasedInterrupts():
            return predictor.outputs(inputs, stop=stop, scores=True)

    def gradients(self, network: Network, x: Image, targets: TargetScores) -> Image:
        """Return the gradient of each target score with respect to its own sample."""
        inputs = Inputs(x, x.shape[1:], network.dtype)
        predictor = Predictor(network, self.loss, self.n_threads)
        with HeldInterrupts(), predictor, ReleasedInterrupts():
            return np.asarray(predictor.input_gradients(inputs, targets))


@dataclass(frozen=True)
class Block:
    """Samples of one shape that are explained at once.

    Variants of the samples, such as points on a line or samples with a hidden window,
    are arrays of shape (n_samples, n_variants, *shape).

    Attributes
    ----------
    x : ndarray of shape (n_samples, *shape)
        The samples, channels last, in the dtype of the network. For a network that
        begins with an embedding, they may be the vectors of the tokens.
    numbers : ndarray of int of shape (n_samples,)
        Their positions in X.
    network : Network
        The network that takes `x`.
    targets : TargetScores
        The score of each of these samples.
    runner : Runner
    max_numbers : int
        Variants are computed in groups of about so many numbers.
    reference_as_x : callable
        Turns maps of reference samples, or of a single one for all, into what `x` is:
        vectors, if X has tokens, without padding.
    map_shape : tuple of int
        The shape of a sample as the network sees it, before any embedding.
    padded_shape : tuple of int
        The same shape with the padding that rows of tokens may have.
    """

    x: Image
    numbers: npt.NDArray[np.integer]
    network: Network
    targets: TargetScores
    runner: Runner
    max_numbers: int
    reference_as_x: Callable[[Image], Image]
    map_shape: Shape
    padded_shape: Shape

    def groups(self, n_variants: int) -> Iterator[slice]:
        """Yield slices of the variants, few enough to be computed at once."""
        size = max(self.max_numbers // self.x.size, 1)
        for start in range(0, n_variants, size):
            yield slice(start, min(start + size, n_variants))

    def reference(self, reference: Reference) -> Image:
        """Return reference samples, of shape (n_samples, *shape) or (1, *shape)."""
        maps = reference.at(self.numbers, self.padded_shape, self.network.dtype)
        return self.reference_as_x(maps)

    def gradients(self, variants: Image) -> Image:
        """Return the gradients of the target scores with respect to the variants."""
        flat, targets, numbers = self._flattened(variants)
        gradients = self.runner.gradients(self.network, flat, targets)
        check_gradients(gradients, numbers)
        return gradients.reshape(variants.shape)

    def split(self, n_numbers: int) -> Iterator[Block]:
        """Yield smaller blocks, for a step that needs `n_numbers` per sample."""
        size = n_samples_at_a_time((n_numbers,), self.max_numbers)
        for start in range(0, len(self.x), size):
            own = slice(start, start + size)
            yield replace(
                self,
                x=self.x[own],
                numbers=self.numbers[own],
                targets=self.targets.at(own),
            )

    def gradients_after(self, position: int, rest: Network) -> tuple[Image, Image]:
        """Return the activations before a layer, and the gradients with respect to it.

        Both have the shape (n_samples, *in_shape of the layer). `rest` is the network
        from this layer on.
        """
        maps = self.runner.outputs(self.network, self.x, position)
        gradients = self.runner.gradients(rest, maps, self.targets)
        check_gradients(gradients, self.numbers)
        return maps, gradients

    def scores(self, variants: Image) -> Image:
        """Return the target scores of the variants, (n_samples, n_variants)."""
        flat, targets, numbers = self._flattened(variants)
        scores = self.runner.outputs(self.network, flat)
        values = targets.values(scores.T, slice(0, len(flat)))
        check_gradients(values, numbers)
        return values.reshape(variants.shape[:2])

    def _flattened(
        self, variants: Image
    ) -> tuple[Image, TargetScores, npt.NDArray[np.integer]]:
        """Return variants as samples, their target scores and their positions in X."""
        n, n_variants, *shape = variants.shape
        own = np.repeat(np.arange(n), n_variants)
        flat = variants.reshape(n * n_variants, *shape)
        return flat, self.targets.at(own), self.numbers[own]


def n_samples_at_a_time(shape: Shape, max_numbers: int) -> int:
    """Return how many samples of a shape a block has."""
    return max(max_numbers // prod(shape), 1)
