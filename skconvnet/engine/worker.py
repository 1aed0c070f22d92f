"""What one thread does with a micro-batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from skconvnet.augmentation.base import Augmenter, Batch
from skconvnet.engine.inputs import Inputs, Samples
from skconvnet.engine.network import Network
from skconvnet.engine.thread_team import ThreadTeam
from skconvnet.losses import Loss
from skconvnet.ops.workspace import Workspace


def micro_batch_rng(seed: int | None, number: int) -> np.random.Generator | None:
    """The random numbers of one micro-batch."""
    if seed is None:
        return None
    return np.random.Generator(np.random.SFC64([seed, number]))


class Worker:
    """What a micro-batch needs for itself: workspaces and a gradient."""

    def __init__(
        self, network: Network, loss: Loss, augmenter: Augmenter | None
    ) -> None:
        self.network = network
        self.loss = loss
        self.augmenter = augmenter
        self._augmenting = Workspace()
        self._workspaces: list[Workspace] = []
        self._reading, self._reading_ahead = Workspace(), Workspace()
        self._ahead: tuple[np.ndarray | slice, Any] | None = None
        self._gradient: np.ndarray | None = None
        self._views: list[tuple[np.ndarray, list[dict[str, np.ndarray]]]] = []

    @property
    def workspaces(self) -> list[Workspace]:
        if not self._workspaces:
            self._workspaces = self.network.workspaces()
        return self._workspaces

    def give_back(self) -> None:
        """Leave its arrays to later predictions."""
        workspaces, self._workspaces = self._workspaces, []
        self.network.give_back(workspaces)

    def share(self, team: ThreadTeam | None) -> None:
        """Let the layers use the threads of `team`, if any, within a micro-batch."""
        run = None if team is None or team.size == 1 else team.run
        for workspace in self.workspaces:
            workspace.run = run

    def gradient(self) -> np.ndarray:
        """Return the worker's own gradient."""
        if self._gradient is None:
            self._gradient = np.empty_like(self.network.vector)
        return self._gradient

    def views(self, gradient: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Return the views of `gradient` by layer, made once for each vector."""
        for vector, views in self._views:
            if vector is gradient:
                return views
        views = self.network.by_layer(gradient)
        self._views = [*self._views[-1:], (gradient, views)]
        return views

    def differentiate(
        self,
        samples: Samples,
        index: np.ndarray | slice,
        total: float,
        gradient: np.ndarray,
        *,
        train: bool,
        rng: np.random.Generator | None,
    ) -> float:
        """Add up the weighted losses of a micro-batch, and write their gradient."""
        network = self.network.for_shape(samples.inputs.shape_of(index))
        batch = self.prepare(samples, index, total, rng)
        y, caches = network.forward(batch.x, self.workspaces, train=train, rng=rng)
        value = self.loss(y, batch.targets, batch.weights)
        network.backward(y, caches, self.views(gradient), self.workspaces)
        return value

    def prepare(
        self,
        samples: Samples,
        index: np.ndarray | slice,
        total: float,
        rng: np.random.Generator | None,
    ) -> Batch:
        """Return the samples at `index`, augmented where there is an `rng` for it."""
        weight: np.ndarray | float = 1 / total
        if samples.weights is not None:
            weight = (samples.weights[index] / total).astype(self.network.dtype)
        batch = Batch(self.read(samples, index), samples.targets[index].T, weight)
        if self.augmenter is None or rng is None:
            return batch
        return self.augmenter(batch, rng, self._augmenting)

    def read_ahead(self, samples: Samples, index: np.ndarray | slice) -> None:
        self._ahead = (index, samples.inputs.read(index, self._reading_ahead))

    def read(self, samples: Samples, index: np.ndarray | slice) -> Any:
        """Return the samples at `index`, read ahead or now."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead[0] is not index:
            return samples.inputs.read(index, self._reading)
        self._reading, self._reading_ahead = self._reading_ahead, self._reading
        return ahead[1]

    def predict(
        self, inputs: Inputs, index: np.ndarray | slice, stop: int | None
    ) -> np.ndarray:
        x = inputs.read(index, self._reading)
        network = self.network.for_shape(inputs.shape_of(index))
        y, _ = network.forward(x, self.workspaces, stop=stop)
        return y
