"""Predictions on several threads, with results that do not depend on their number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from skconvnet._typing import Image, Index, Shape
from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.engine.inputs import Inputs, index_at, index_length, index_numbers
from skconvnet.engine.micro_batches import cut_minibatch
from skconvnet.engine.network import Network
from skconvnet.engine.output_sizes import check_same_size, output_shape
from skconvnet.engine.target_scores import TargetScores
from skconvnet.engine.thread_team import Task, ThreadTeam
from skconvnet.engine.version_mean import VersionMean
from skconvnet.engine.worker import Worker
from skconvnet.losses import Loss
from skconvnet.ops.adaptive_pooling import pool_whole_maps
from skconvnet.ops.layout import channels_last

# Predictions of fewer FLOPs are made by the calling thread alone: after a pause, waking
# other threads takes up to some milliseconds.
MIN_FLOPS_FOR_THREADS = 5e8
# Predictions of fewer FLOPs are so short that allocating arrays, and writing programs
# that use them, takes a large share of the time. Fewer bytes of arrays are so little
# memory that a network may keep them for later predictions.
MAX_FLOPS_TO_KEEP_ARRAYS = 1e8
MAX_BYTES_TO_KEEP_ARRAYS = 3_000_000


class Predictor:
    """Runs a network over samples, cut into micro-batches, on several threads.

    Use it as a context manager, in which BLAS is limited to one thread.

    Parameters
    ----------
    network : Network
    loss : Loss
    n_threads : int
    min_flops_for_threads : float, optional
        Predictions of fewer FLOPs use one thread.
    max_flops_to_keep_arrays : float, optional
        Arrays of predictions of fewer FLOPs are kept for later predictions, if they
        have few bytes.

    Attributes
    ----------
    team : ThreadTeam
        The threads.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        n_threads: int,
        *,
        min_flops_for_threads: float = MIN_FLOPS_FOR_THREADS,
        max_flops_to_keep_arrays: float = MAX_FLOPS_TO_KEEP_ARRAYS,
    ) -> None:
        self.network = network
        self.loss = loss
        self.min_flops_for_threads = min_flops_for_threads
        self.max_flops_to_keep_arrays = max_flops_to_keep_arrays
        self.team = ThreadTeam(n_threads)
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

    def _make_worker(self) -> Worker:
        return Worker(self.network, self.loss, None)

    def _first_workers(self, n: int) -> list[Worker]:
        """Return n workers, creating those that are missing."""
        while len(self._workers) < n:
            self._workers.append(self._make_worker())
        return self._workers[:n]

    def outputs(
        self,
        inputs: Inputs,
        index: Index | None = None,
        *,
        stop: int | None = None,
        scores: bool = False,
        pooling: str | None = None,
        means: Mapping[Shape, VersionMean] | None = None,
    ) -> Image:
        """Return predictions, raw `scores`, or the activations before layer `stop`.

        With `pooling`, maps are replaced by their mean ("avg") or their maximum ("max")
        over all positions, so that whole maps are in memory for one micro-batch only.
        With `means`, predictions and scores are those of the mean over versions of each
        sample, which samples of each shape have.

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
        # Versions of a sample know nothing of padding.
        may_pad = may_pad and means is None
        cuts = cut_minibatch(network, inputs, index, may_pad=may_pad)
        if cuts and not inputs.has_one_size:  # smaller than it was built for, perhaps
            network = network.for_shape(inputs.shape_of(index_at(index, cuts[0])))
            shape = output_shape(network, stop)
        shape = shape if pooling is None else shape[-1:]
        outputs = np.empty((index_length(index), *shape), dtype=self.network.dtype)

        def task(i: int, thread: int) -> None:
            own, worker, lengths = index_at(index, cuts[i]), self._workers[thread], None
            if means is None:
                y, lengths = worker.predict(inputs, own, stop)
            else:
                y = worker.predict_mean(inputs, own, means)
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
        flops *= 1 if means is None else max(map(len, means.values()))
        self._run_predictions(len(cuts), task, flops)
        return outputs

    def maps(
        self,
        inputs: Inputs,
        index: Index | None = None,
        *,
        scores: bool = False,
        means: Mapping[Shape, VersionMean] | None = None,
    ) -> Image | list[Image]:
        """Return predictions or raw `scores` that are maps, see `outputs`.

        Returns
        -------
        outputs : ndarray of shape (n_samples, *spatial, n_outputs), or list
            A list of an array for each sample if the samples differ in size.
        """
        index = slice(0, len(inputs)) if index is None else index
        groups = inputs.groups(index)
        if len(groups) < 2:
            return self.outputs(inputs, index, scores=scores, means=means)
        by_number: dict[int, Image] = {}
        for positions in groups:
            members = index_at(index, positions)
            own = self.outputs(inputs, members, scores=scores, means=means)
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
