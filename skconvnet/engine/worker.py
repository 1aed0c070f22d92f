"""A forward and a backward pass of one micro-batch on one thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, FlatVector, Index, Lengths, Shape
from skconvnet.augmentation.base import Augmenter, Batch
from skconvnet.augmentation.origin import Epoch, Origin
from skconvnet.engine.inputs import Inputs, index_numbers
from skconvnet.engine.map_targets import loss_of_outputs
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.engine.target_scores import TargetScores
from skconvnet.engine.thread_team import ThreadTeam
from skconvnet.engine.version_mean import VersionMean
from skconvnet.losses import Loss
from skconvnet.ops.layout import sample_shape
from skconvnet.ops.workspace import Workspace

# NumPy need not warn of numbers that are infinite or NaN, since the callers report them
# with their cause.
_OVERFLOW_IS_CHECKED = partial(np.errstate, over="ignore", invalid="ignore")


@dataclass(slots=True)
class MicroBatch:
    """Samples that go through the network at once, and how.

    Attributes
    ----------
    samples : Samples
    index : ndarray of int or slice
        The samples of this micro-batch.
    number : int
        Position among the micro-batches of the minibatch.
    total_weight : float
        Sum of the weights of the minibatch, by which losses are divided.
    train : bool
        Whether layers such as dropout behave as in training.
    seed : int or None
        Seed of the minibatch. None if no random numbers are drawn.
    epoch : Epoch or None
        The epoch that the minibatch belongs to, for augmenters that need it.
    """

    samples: Samples
    index: Index
    number: int
    total_weight: float
    train: bool
    seed: int | None
    epoch: Epoch | None = None

    @property
    def origin(self) -> Origin | None:
        """Which samples it has, if the epoch is known."""
        if self.epoch is None:
            return None
        return Origin(index_numbers(self.index), self.epoch)

    def make_rng(self) -> np.random.Generator | None:
        """Return a generator that depends only on the minibatch and on `number`."""
        if self.seed is None or not self.train:
            return None
        return np.random.Generator(np.random.SFC64([self.seed, self.number]))


@dataclass(frozen=True)
class _InputsAhead:
    """Samples that were read before they were needed."""

    index: Index
    x: FeatureMap


class _GradientViews(NamedTuple):
    """The arrays of each layer in a flat gradient."""

    gradient: FlatVector
    by_layer: list[dict[str, np.ndarray]]


class Worker:
    """Workspaces and a gradient for one micro-batch at a time.

    Parameters
    ----------
    network : Network
    loss : Loss
    augmenter : Augmenter, optional
    """

    def __init__(
        self, network: Network, loss: Loss, augmenter: Augmenter | None
    ) -> None:
        self.network = network
        self.loss = loss
        self.augmenter = augmenter
        self._augmenting = Workspace()
        self._workspaces: list[Workspace] = []
        # While a minibatch is in use, the next one is read into the other workspace.
        self._reading, self._reading_ahead = Workspace(), Workspace()
        self._ahead: _InputsAhead | None = None
        self._gradient: FlatVector | None = None
        self._views: list[_GradientViews] = []

    @property
    def workspaces(self) -> list[Workspace]:
        """The workspace of each layer."""
        if not self._workspaces:
            self._workspaces = self.network.workspaces()
        return self._workspaces

    @property
    def nbytes(self) -> int:
        """Bytes of the workspaces, and of the scratch that they share."""
        own = sum(workspace.nbytes for workspace in self.workspaces)
        return own + self.workspaces[0].scratch_nbytes

    def give_back(self) -> None:
        """Return the workspaces to the network, for later predictions."""
        workspaces, self._workspaces = self._workspaces, []
        self.network.give_back(workspaces)

    def share(self, team: ThreadTeam | None) -> None:
        """Let the layers use the threads of `team`; None means only this thread."""
        run = None if team is None or team.size == 1 else team.run
        for workspace in self.workspaces:
            workspace.run = run

    @property
    def gradient(self) -> FlatVector:
        """The worker's own gradient."""
        if self._gradient is None:
            self._gradient = np.empty_like(self.network.vector)
        return self._gradient

    def views(self, gradient: FlatVector) -> list[dict[str, np.ndarray]]:
        """Return the views of `gradient` by layer.

        They are kept for the last two gradients, which usually are the worker's own
        gradient and the sum of all gradients.
        """
        for kept in self._views:
            if kept.gradient is gradient:
                return kept.by_layer
        views = _GradientViews(gradient, self.network.by_layer(gradient))
        self._views = [*self._views[-1:], views]
        return views.by_layer

    def differentiate(self, micro_batch: MicroBatch, gradient: FlatVector) -> float:
        """Return the weighted sum of the losses, and write its gradient."""
        samples, rng = micro_batch.samples, micro_batch.make_rng()
        batch = self.prepare(micro_batch, rng)
        # Augmentation may have changed the size.
        network = self.network.for_shape(sample_shape(batch.x.shape))
        with _OVERFLOW_IS_CHECKED():
            lengths = samples.inputs.lengths_of(micro_batch.index)
            y, caches = network.forward(
                batch.x,
                self.workspaces,
                train=micro_batch.train,
                rng=rng,
                lengths=lengths,
            )
            after = network.chain.lengths_after(batch.x, lengths)
            loss = loss_of_outputs(self.loss, y, batch.targets, batch.weights, after)
            network.backward(y, caches, self.views(gradient), self.workspaces)
        return loss

    def prepare(
        self, micro_batch: MicroBatch, rng: np.random.Generator | None
    ) -> Batch:
        """Return the samples, batch last, augmented if there is an `rng`."""
        samples, index = micro_batch.samples, micro_batch.index
        total = micro_batch.total_weight
        weights = samples.read_weights(index, total)
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.index is index:
            x = ahead.x
            self._reading, self._reading_ahead = self._reading_ahead, self._reading
        else:
            x = samples.inputs.read(index, self._reading)
        targets = samples.read_targets(index)
        batch = Batch(x, targets, weights, micro_batch.origin)
        if self.augmenter is None or rng is None:
            return batch
        return self.augmenter(batch, rng, self._augmenting)

    def read_ahead(self, samples: Samples, index: Index) -> None:
        """Read the samples that `prepare` needs next.

        It must be called with the same object as `index`.
        """
        x = samples.inputs.read(index, self._reading_ahead)
        self._ahead = _InputsAhead(index, x)

    def input_gradient(
        self, inputs: Inputs, index: Index, targets: TargetScores
    ) -> FeatureMap:
        """Return the gradient of each sample's target score with respect to it.

        The layers behave as in prediction.
        """
        x = inputs.read(index, self._reading)
        network = self.network.for_shape(inputs.shape_of(index)).frozen
        with _OVERFLOW_IS_CHECKED():
            scores, caches = network.forward(x, self.workspaces)
            targets.differentiate(scores, index)
            return network.input_gradient(scores, caches, self.workspaces)

    def predict_mean(
        self, inputs: Inputs, index: Index, means: Mapping[Shape, VersionMean]
    ) -> FeatureMap:
        """Return the raw scores of the mean prediction over versions of the samples.

        `means` has the versions of samples of each shape. Samples are not padded.
        """
        x = inputs.read(index, self._reading)
        shape = inputs.shape_of(index)
        network = self.network.for_shape(shape)

        def predict(version: FeatureMap) -> FeatureMap:
            return network.predict(version, self.workspaces)

        with _OVERFLOW_IS_CHECKED():
            return means[shape].scores(x, predict, self.loss, self._augmenting)

    def predict(
        self, inputs: Inputs, index: Index, stop: int | None
    ) -> tuple[FeatureMap, Lengths | None]:
        """Return raw scores, or the input of the layer at position `stop`.

        Their lengths are returned as well, if they are padded.
        """
        x = inputs.read(index, self._reading)
        network = self.network.for_shape(inputs.shape_of(index))
        lengths = inputs.lengths_of(index)
        with _OVERFLOW_IS_CHECKED():
            if stop is None:
                y = network.predict(x, self.workspaces, lengths)
            else:
                y, _ = network.forward(x, self.workspaces, stop=stop, lengths=lengths)
        return y, network.chain.lengths_after(x, lengths, stop)
