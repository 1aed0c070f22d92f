"""Training passes over minibatches: the same results for any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skconvnet._typing import FlatVector, Index, override
from skconvnet.augmentation.base import Augmenter
from skconvnet.augmentation.origin import Epoch
from skconvnet.engine.inputs import index_at, index_length
from skconvnet.engine.map_targets import loss_of_outputs, weights_of_samples
from skconvnet.engine.micro_batch_round import MicroBatchRound
from skconvnet.engine.micro_batches import cut_minibatch
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.engine.predictor import Predictor
from skconvnet.engine.worker import MicroBatch, Worker
from skconvnet.layers.micro_batch_runner import MicroBatchRunner
from skconvnet.losses import Loss
from skconvnet.ops.chunking import chunks_of

# Reading a minibatch of fewer numbers ends before another thread has begun.
MIN_NUMBERS_TO_READ_AHEAD = 50_000


class Part(NamedTuple):
    """What is known of a minibatch of which an executor has only some samples.

    Attributes
    ----------
    total_weight : float
        Sum of the weights of all samples of the minibatch.
    gather : callable
        That of `MicroBatchRunner`.
    """

    total_weight: float
    gather: Callable[[list[Any]], list[Any]]


class Executor(Predictor):
    """A predictor that also computes the gradients of training.

    Parameters
    ----------
    network : Network
    loss : Loss
    n_threads : int
    augmenter : Augmenter, optional
        Augmentation of training samples. Predictions do not use it.
    min_numbers_to_read_ahead : int, optional
        Minibatches of fewer numbers are not read ahead by another thread.
    **options : float
        Of `Predictor`.

    Attributes
    ----------
    is_random : bool
        Whether a training pass draws random numbers.
    needs_epoch : bool
        Whether a training pass depends on the epoch.
    n_local_updates : int
        How many updates of the weights `update_locally` makes at a time, in several
        places. 1 if there is only this place, and no such method.
    """

    n_local_updates = 1

    def __init__(
        self,
        network: Network,
        loss: Loss,
        n_threads: int,
        augmenter: Augmenter | None = None,
        *,
        min_numbers_to_read_ahead: int = MIN_NUMBERS_TO_READ_AHEAD,
        **options: float,
    ) -> None:
        self.augmenter = augmenter
        super().__init__(network, loss, n_threads, **options)
        self.min_numbers_to_read_ahead = min_numbers_to_read_ahead
        self.is_random = network.is_random or augmenter is not None
        self.needs_epoch = augmenter is not None and augmenter.needs_origin

    @override
    def _make_worker(self) -> Worker:
        return Worker(self.network, self.loss, self.augmenter)

    def is_comparable(self, epoch: Epoch | None) -> bool:
        """Return whether the loss of an epoch can be compared with those of later ones.

        `epoch` may be None unless `needs_epoch`.
        """
        if self.augmenter is None or epoch is None:
            return True
        return self.augmenter.is_comparable(epoch)

    def loss_and_gradient(
        self,
        samples: Samples,
        index: Index,
        gradient: FlatVector,
        *,
        train: bool,
        seed: int | None = None,
        epoch: Epoch | None = None,
        part: Part | None = None,
    ) -> tuple[float, float]:
        """Write the gradient of the mean loss over the samples at `index`.

        Parameters
        ----------
        samples : Samples
        index : ndarray of int or slice
            Samples of one minibatch.
        gradient : ndarray of shape (n_weights,)
            Overwritten with the gradient, without the penalty.
        train : bool
            Whether layers such as dropout behave as in training.
        seed : int, optional
            Seed for layers that draw random numbers, and for augmentation.
        epoch : Epoch, optional
            Required in training if the augmenter needs it.
        part : Part, optional
            Given if the samples are a part of a minibatch. The loss and the gradient
            are then the share of this part in those of the whole.

        Returns
        -------
        loss : float
            Weighted mean of the losses of the samples.
        total : float
            Sum of the weights of the samples.
        """
        self.team.wait()
        total = samples.total_weight(index) if part is None else part.total_weight
        if total == 0:
            gradient.fill(0)
            return 0.0, 0.0
        cuts = self._cut_to_train(samples, index, epoch)
        is_joint = train and self.network.needs_whole_batch
        # Layers that need the whole minibatch weigh its samples only if run together.
        is_divided = part is not None or samples.weights is not None
        if len(cuts) == 1 and not (is_joint and is_divided):
            # It has all threads to itself, for the layers to share out their work. The
            # index must stay the same object, by which `read_ahead` knows it.
            worker = self._workers[0]
            worker.share(self.team)
            whole = MicroBatch(samples, index, 0, total, train, seed, epoch)
            return float(worker.differentiate(whole, gradient)), total
        micro_batches = [
            MicroBatch(samples, index_at(index, cut), number, total, train, seed, epoch)
            for number, cut in enumerate(cuts)
        ]
        if is_joint:
            losses = self._differentiate_together(micro_batches, gradient, part)
        else:
            losses = self._differentiate_in_rounds(micro_batches, gradient)
        return float(losses.sum()), total

    def _cut_to_train(
        self, samples: Samples, index: Index, epoch: Epoch | None
    ) -> list[Index]:
        augmenter = self.augmenter
        return cut_minibatch(
            self.network,
            samples.inputs,
            index,
            # Augmentation knows nothing of padding.
            may_pad=augmenter is None,
            augmented_shape=(
                None if augmenter is None else partial(augmenter.out_shape, epoch=epoch)
            ),
        )

    def _differentiate_in_rounds(
        self, micro_batches: Sequence[MicroBatch], gradient: FlatVector
    ) -> np.ndarray:
        """Return the loss of each micro-batch, and write the sum of their gradients.

        In a round, each thread takes one micro-batch through the network and back.
        After the round, the gradients are added in the order of the micro-batches, so
        that the order of the sums is the same for any number of threads. With two
        threads, and g(m) for the gradient of micro-batch m::

            round 0    gradient = g(0)              gradient of worker 1 = g(1)
                       gradient += g(1)
            round 1    gradient of worker 0 = g(2)  gradient of worker 1 = g(3)
                       gradient += g(2)
                       gradient += g(3)
        """
        self._workers[0].share(None)
        losses = np.zeros(len(micro_batches))
        for start in range(0, len(micro_batches), self.team.size):
            members = slice(start, start + self.team.size)
            in_round = micro_batches[members]
            workers = self._first_workers(len(in_round))
            is_first = start == 0
            own = [worker.gradient for worker in (workers[1:] if is_first else workers)]
            gradients = [gradient, *own] if is_first else own
            task = MicroBatchRound(workers, in_round, gradients, losses[members])
            self.team.run(len(in_round), task)
            self._add(gradient, own)
        return losses

    def _differentiate_together(
        self,
        micro_batches: Sequence[MicroBatch],
        gradient: FlatVector,
        part: Part | None,
    ) -> np.ndarray:
        """Return the loss of each micro-batch, and write the sum of their gradients.

        This is for layers that need the whole minibatch. No backward pass can begin
        before all forward passes have ended, so each micro-batch needs its own worker,
        which keeps its arrays.
        """
        workers = self._first_workers(len(micro_batches))
        for worker in workers:
            worker.share(None)
        gradients = [gradient, *(worker.gradient for worker in workers[1:])]
        rngs = [micro_batch.make_rng() for micro_batch in micro_batches]
        runner = MicroBatchRunner(self.team.run, rngs)
        if part is not None:
            runner = replace(runner, gather=part.gather)
        batches = runner.map(lambda m: workers[m].prepare(micro_batches[m], rngs[m]))
        lengths = [own.samples.inputs.lengths_of(own.index) for own in micro_batches]
        ends = [
            self.network.chain.lengths_after(batch.x, own)
            for batch, own in zip(batches, lengths, strict=True)
        ]
        of_samples = [
            weights_of_samples(batch.weights, after)
            for batch, after in zip(batches, ends, strict=True)
        ]
        total = micro_batches[0].total_weight
        weights = [own * total for own in of_samples if own is not None]
        if weights:
            runner = replace(runner, weights=weights)
        xs = [batch.x for batch in batches]
        passes = self.network.micro_batches(
            xs, runner, [worker.workspaces for worker in workers]
        )
        ys, caches = passes.forward(xs, lengths, need_dx=False)

        def differentiate_loss(m: int) -> float:
            batch = batches[m]
            return loss_of_outputs(
                self.loss, ys[m], batch.targets, batch.weights, ends[m]
            )

        losses = runner.map(differentiate_loss)
        views = [w.views(g) for w, g in zip(workers, gradients, strict=True)]
        passes.backward(ys, caches, gradients=views, need_dx=False)
        runner.finish()
        self._add(gradient, gradients[1:])
        return np.array(losses)

    def _add(self, gradient: FlatVector, terms: Sequence[FlatVector]) -> None:
        """Add the terms to the gradient, in their order."""
        if not terms:
            return
        chunks = chunks_of(gradient.size)

        def task(i: int, _thread: int) -> None:
            chunk = chunks[i]
            for term in terms:
                np.add(gradient[chunk], term[chunk], out=gradient[chunk])

        self.team.run(len(chunks), task)

    def read_ahead(
        self, samples: Samples, index: Index | None, epoch: Epoch | None = None
    ) -> None:
        """Let another thread read the minibatch at `index`, which comes next.

        The calling thread does not wait for it. Nothing is read if the minibatch is
        small or will be cut, or if all threads are needed to update the weights.
        """
        if index is None or self.team.size == 1:
            return
        n_numbers = index_length(index) * prod(self.network.in_shape)
        if n_numbers < self.min_numbers_to_read_ahead:
            return
        is_cut = len(self._cut_to_train(samples, index, epoch)) > 1
        if is_cut or len(chunks_of(self.network.vector.size)) > 1:
            return
        worker = self._workers[0]
        self.team.begin(lambda _i, _thread: worker.read_ahead(samples, index))
