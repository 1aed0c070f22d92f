"""Passes over minibatches, with results that do not depend on the number of threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Self

import numpy as np

from skconvnet._typing import FlatVector, Image, Index
from skconvnet.augmentation.base import Augmenter
from skconvnet.augmentation.origin import Epoch
from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.engine.inputs import Inputs, index_at, index_length, index_numbers
from skconvnet.engine.map_targets import loss_of_outputs, weights_of_samples
from skconvnet.engine.micro_batch_round import MicroBatchRound
from skconvnet.engine.micro_batches import cut_minibatch
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.engine.output_sizes import check_same_size, output_shape
from skconvnet.engine.target_scores import TargetScores
from skconvnet.engine.thread_team import Task, ThreadTeam
from skconvnet.engine.worker import MicroBatch, Worker
from skconvnet.layers.base import MicroBatchRunner
from skconvnet.losses import Loss
from skconvnet.ops.adaptive_pooling import pool_whole_maps
from skconvnet.ops.chunking import chunks_of
from skconvnet.ops.layout import channels_last

# Predictions of fewer FLOPs are made by the calling thread alone: after a pause, waking
# other threads takes up to some milliseconds.
MIN_FLOPS_FOR_THREADS = 5e8
# Predictions of fewer FLOPs are so short that allocating arrays, and writing programs
# that use them, takes a large share of the time. Fewer bytes of arrays are so little
# memory that a network may keep them for later predictions.
MAX_FLOPS_TO_KEEP_ARRAYS = 1e8
MAX_BYTES_TO_KEEP_ARRAYS = 3_000_000
# Reading a minibatch of fewer numbers ends before another thread has begun.
MIN_NUMBERS_TO_READ_AHEAD = 50_000


class Executor:
    """Runs a network over samples, cut into micro-batches, on several threads.

    Use it as a context manager, in which BLAS is limited to one thread.

    Parameters
    ----------
    network : Network
    loss : Loss
    n_threads : int
    augmenter : Augmenter, optional
        Augmentation of training samples. Predictions do not use it.
    min_flops_for_threads : float, optional
        Predictions of fewer FLOPs use one thread.
    max_flops_to_keep_arrays : float, optional
        Arrays of predictions of fewer FLOPs are kept for later predictions, if they
        have few bytes.
    min_numbers_to_read_ahead : int, optional
        Minibatches of fewer numbers are not read ahead by another thread.

    Attributes
    ----------
    team : ThreadTeam
        The threads.
    is_random : bool
        Whether a training pass draws random numbers.
    needs_epoch : bool
        Whether a training pass depends on the epoch.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        n_threads: int,
        augmenter: Augmenter | None = None,
        *,
        min_flops_for_threads: float = MIN_FLOPS_FOR_THREADS,
        max_flops_to_keep_arrays: float = MAX_FLOPS_TO_KEEP_ARRAYS,
        min_numbers_to_read_ahead: int = MIN_NUMBERS_TO_READ_AHEAD,
    ) -> None:
        self.network = network
        self.loss = loss
        self.augmenter = augmenter
        self.min_flops_for_threads = min_flops_for_threads
        self.max_flops_to_keep_arrays = max_flops_to_keep_arrays
        self.min_numbers_to_read_ahead = min_numbers_to_read_ahead
        self.team = ThreadTeam(n_threads)
        self.is_random = network.is_random or augmenter is not None
        self.needs_epoch = augmenter is not None and augmenter.needs_origin
        # A worker for each micro-batch that is processed at the same time.
        self._workers: list[Worker] = []
        self._first_workers(n_threads)

    def __enter__(self) -> Self:
        try:
            single_threaded_blas.limit(self)
            return self
        except BaseException:  # the user may interrupt even this
            single_threaded_blas.release(self)
            raise

    def __exit__(self, *exc: object) -> None:
        try:
            self.team.close()
        finally:
            single_threaded_blas.release(self)

    def loss_and_gradient(
        self,
        samples: Samples,
        index: Index,
        gradient: FlatVector,
        *,
        train: bool,
        seed: int | None = None,
        epoch: Epoch | None = None,
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

        Returns
        -------
        loss : float
            Weighted mean of the losses of the samples.
        total : float
            Sum of the weights of the samples.
        """
        self.team.wait()
        total = samples.total_weight(index)
        if total == 0:
            gradient.fill(0)
            return 0.0, 0.0
        cuts = self._cut_to_train(samples, index)
        is_joint = train and self.network.needs_whole_batch
        # Layers that need the whole minibatch weigh its samples only if run together.
        if len(cuts) == 1 and not (is_joint and samples.weights is not None):
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
            losses = self._differentiate_together(micro_batches, gradient)
        else:
            losses = self._differentiate_in_rounds(micro_batches, gradient)
        return float(losses.sum()), total

    def _cut_to_train(self, samples: Samples, index: Index) -> list[Index]:
        # Augmentation knows nothing of padding.
        may_pad = self.augmenter is None
        return cut_minibatch(self.network, samples.inputs, index, may_pad=may_pad)

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
        self, micro_batches: Sequence[MicroBatch], gradient: FlatVector
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
        self._add(gradient, gradients[1:])
        return np.array(losses)

    def _first_workers(self, n: int) -> list[Worker]:
        """Return n workers, creating those that are missing."""
        while len(self._workers) < n:
            self._workers.append(Worker(self.network, self.loss, self.augmenter))
        return self._workers[:n]

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

    def read_ahead(self, samples: Samples, index: Index | None) -> None:
        """Let another thread read the minibatch at `index`, which comes next.

        The calling thread does not wait for it. Nothing is read if the minibatch is
        small or will be cut, or if all threads are needed to update the weights.
        """
        if index is None or self.team.size == 1:
            return
        n_numbers = index_length(index) * prod(self.network.in_shape)
        if n_numbers < self.min_numbers_to_read_ahead:
            return
        is_cut = len(self._cut_to_train(samples, index)) > 1
        if is_cut or len(chunks_of(self.network.vector.size)) > 1:
            return
        worker = self._workers[0]
        self.team.begin(lambda _i, _thread: worker.read_ahead(samples, index))

    def outputs(
        self,
        inputs: Inputs,
        index: Index | None = None,
        *,
        stop: int | None = None,
        scores: bool = False,
        pooling: str | None = None,
    ) -> Image:
        """Return predictions, raw `scores`, or the activations before layer `stop`.

        With `pooling`, maps are replaced by their mean ("avg") or their maximum ("max")
        over all positions, so that whole maps are in memory for one micro-batch only.

        Returns
        -------
        outputs : ndarray of shape (n_samples, *shape)
            The outputs, channels last.
        """
        index = slice(0, len(inputs)) if index is None else index
        network = self.network
        shape = output_shape(network, stop)
        # Maps of samples of a list are one array only if they have the same size.
        may_pad = inputs.has_one_size or len(shape) == 1 or pooling is not None
        cuts = cut_minibatch(network, inputs, index, may_pad=may_pad)
        if cuts and not inputs.has_one_size:  # smaller than it was built for, perhaps
            network = network.for_shape(inputs.shape_of(index_at(index, cuts[0])))
            shape = output_shape(network, stop)
        shape = shape if pooling is None else shape[-1:]
        outputs = np.empty((index_length(index), *shape), dtype=self.network.dtype)

        def task(i: int, thread: int) -> None:
            own = index_at(index, cuts[i])
            y, lengths = self._workers[thread].predict(inputs, own, stop)
            if stop is None and not scores:
                self.loss.predict(y)
            if pooling is not None:
                y = pool_whole_maps(y, pooling, lengths)
            values = channels_last(y)
            if values.ndim > 2:
                values = inputs.in_order(values, own, shape[0])
            check_same_size(values.shape[1:], shape)
            outputs[cuts[i]] = values

        layers = list(network.layers.values())[:stop]
        flops = len(outputs) * sum(layer.flops for layer in layers)
        self._run_predictions(len(cuts), task, flops)
        return outputs

    def maps(
        self, inputs: Inputs, index: Index | None = None, *, scores: bool = False
    ) -> Image | list[Image]:
        """Return predictions or raw `scores` that are maps.

        Returns
        -------
        outputs : ndarray of shape (n_samples, *spatial, n_outputs), or list
            A list of an array for each sample if the samples differ in size.
        """
        index = slice(0, len(inputs)) if index is None else index
        groups = inputs.groups(index)
        if len(groups) < 2:
            return self.outputs(inputs, index, scores=scores)
        by_number: dict[int, Image] = {}
        for positions in groups:
            own = self.outputs(inputs, index_at(index, positions), scores=scores)
            by_number.update(zip(index_numbers(positions).tolist(), own, strict=True))
        return [by_number[number] for number in range(len(by_number))]

    def input_gradients(
        self, inputs: Inputs, targets: TargetScores
    ) -> Image | list[Image]:
        """Return the gradient of each sample's target score with respect to it.

        Layers behave as in prediction.

        Returns
        -------
        gradients : ndarray of shape (n_samples, *shape), or list of ndarray
            The gradients, channels last. They are a list if the samples have different
            shapes.
        """
        index = slice(0, len(inputs))
        cuts = cut_minibatch(self.network, inputs, index, may_pad=False)
        shapes = inputs.shapes
        gradients: Image = np.empty(len(inputs), dtype=object)
        if len(shapes) == 1:
            (shape,) = shapes
            gradients = np.empty((len(inputs), *shape), dtype=self.network.dtype)

        def task(i: int, thread: int) -> None:
            dx = self._workers[thread].input_gradient(inputs, cuts[i], targets)
            if len(shapes) == 1:
                gradients[cuts[i]] = channels_last(dx)
                return
            numbers = index_numbers(cuts[i])
            for number, gradient in zip(numbers, channels_last(dx), strict=True):
                gradients[number] = gradient.copy()

        flops = sum(layer.flops for layer in self.network.layers.values())
        # A backward pass takes about twice as long as a forward pass.
        self._run_predictions(len(cuts), task, 3 * len(inputs) * flops)
        return gradients if len(shapes) == 1 else list(gradients)

    def _run_predictions(self, n: int, task: Task, flops: int) -> None:
        """Run a task for each micro-batch, on one thread if there are few `flops`."""
        needs_threads = flops >= self.min_flops_for_threads
        self._workers[0].share(self.team if n == 1 and needs_threads else None)
        if needs_threads:
            self.team.run(n, task)
            return
        for i in range(n):
            task(i, 0)
        worker = self._workers[0]
        is_short = flops < self.max_flops_to_keep_arrays
        if is_short and worker.nbytes <= MAX_BYTES_TO_KEEP_ARRAYS:
            worker.give_back()
