"""Micro-batches over threads, with results that do not depend on their number."""

from __future__ import annotations

from math import prod
from types import TracebackType

import numpy as np

from skconvnet.augmentation.base import Augmenter, Batch
from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.engine.inputs import Inputs, Samples, index_at, index_length
from skconvnet.engine.network import Network
from skconvnet.engine.thread_team import ThreadTeam
from skconvnet.engine.worker import Worker, micro_batch_rng
from skconvnet.losses import Loss
from skconvnet.ops.chunking import chunks_of
from skconvnet.ops.layout import channels_last

# Floating-point operations of predictions that are worth waking threads for, which
# takes up to some milliseconds after a pause.
_WORTH_THREADS = 5e8


# Of predictions so short that it counts to find their arrays ready the next time.
_WORTH_KEEPING = 2e7


# Numbers in a minibatch that takes long enough to read.
_WORTH_A_HELPER = 50_000


class Executor:
    """Runs a network over samples, cut into micro-batches, on several threads.

    Use it as a context manager: BLAS is held to one thread meanwhile.

    Parameters
    ----------
    network : Network
    loss : Loss
    n_threads : int
    augmenter : Augmenter, optional
        Changes what is trained on, and nothing else.

    Attributes
    ----------
    team : ThreadTeam
        Its threads.
    is_random : bool
        Whether a training pass draws random numbers.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        n_threads: int,
        augmenter: Augmenter | None = None,
    ) -> None:
        self.network = network
        self.loss = loss
        self.augmenter = augmenter
        self.team = ThreadTeam(n_threads)
        self.is_random = network.is_random or augmenter is not None
        self._workers = [Worker(network, loss, augmenter) for _ in range(n_threads)]

    def __enter__(self) -> Executor:
        single_threaded_blas.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        single_threaded_blas.__exit__()
        self.team.close()

    def loss_and_gradient(
        self,
        samples: Samples,
        index: np.ndarray | slice,
        gradient: np.ndarray,
        *,
        train: bool,
        seed: int | None = None,
    ) -> tuple[float, float]:
        """Write the gradient of the mean loss over the samples at `index`.

        Parameters
        ----------
        samples : Samples
        index : ndarray of int or slice
            Of one minibatch.
        gradient : ndarray of shape (n_weights,)
            Overwritten. Without the penalty.
        train : bool
            Whether layers such as dropout do what they do in training.
        seed : int, optional
            For the layers that draw random numbers, and for augmentation.

        Returns
        -------
        loss : float
            Weighted mean of the samples' losses.
        total : float
            Sum of the samples' weights.
        """
        self.team.wait()
        places = self._parts(samples.inputs, index)
        parts = [index]
        if len(places) > 1:
            parts = [index_at(index, part) for part in places]
        weights = None if samples.weights is None else samples.weights[index]
        total = float(index_length(index) if weights is None else weights.sum())
        if total == 0:
            gradient.fill(0)
            return 0.0, 0.0
        if train and len(parts) > 1 and self.network.needs_whole_batch:
            return self._all_at_once(samples, parts, total, gradient, seed), total
        losses = np.zeros(len(parts))
        # A single part has all threads to itself, for its large matrix products.
        self._workers[0].share(self.team if len(parts) == 1 else None)
        # A round is one part for each thread. Their gradients are added up after it,
        # in the order of the parts, so that sums do not depend on the threads.
        for start in range(0, len(parts), self.team.size):
            workers = self._workers[: len(parts) - start]

            def compute(i: int, thread: int, start: int = start) -> None:
                number, worker = start + i, self._workers[i]
                rng = micro_batch_rng(seed, number) if train else None
                target = gradient if number == 0 else worker.gradient()
                losses[number] = worker.differentiate(
                    samples, parts[number], total, target, train=train, rng=rng
                )

            self.team.run(len(workers), compute)
            terms = [w.gradient() for w in workers[start == 0 :]]
            self._add(gradient, terms)
        return float(losses.sum()), total

    def _all_at_once(
        self,
        samples: Samples,
        parts: list[np.ndarray | slice],
        total: float,
        gradient: np.ndarray,
        seed: int | None,
    ) -> float:
        """Run all parts together, for layers that need statistics of the minibatch.

        Every part keeps its arrays until the last of them is through.
        """
        n = len(parts)
        while len(self._workers) < n:
            self._workers.append(Worker(self.network, self.loss, self.augmenter))
        workers = self._workers[:n]
        for worker in workers:
            worker.share(None)
        workspaces = [worker.workspaces for worker in workers]
        gradients = [gradient, *(worker.gradient() for worker in workers[1:])]
        losses = np.zeros(n)
        rngs = [micro_batch_rng(seed, i) for i in range(n)]
        batches: dict[int, Batch] = {}

        def prepare(i: int, thread: int) -> None:
            batches[i] = workers[i].prepare(samples, parts[i], total, rngs[i])

        def compare(i: int, thread: int) -> None:
            losses[i] = self.loss(ys[i], batches[i].targets, batches[i].weights)

        run = self.team.run
        run(n, prepare)
        xs = [batches[i].x for i in range(n)]
        ys, caches = self.network.forward_micro_batches(xs, workspaces, run, rngs)
        run(n, compare)
        views = [w.views(g) for w, g in zip(workers, gradients, strict=True)]
        self.network.backward_micro_batches(xs, ys, caches, views, workspaces, run)
        self._add(gradient, gradients[1:])
        return float(losses.sum())

    def read_ahead(self, samples: Samples, index: np.ndarray | slice | None) -> None:
        """Have a helper read the minibatch at `index`, the next to be asked for.

        The calling thread goes on meanwhile. Nothing is done where a minibatch is
        small, cut into parts, or where all threads are needed for the weights.
        """
        if index is None or self.team.size == 1:
            return
        n = index_length(index)
        is_ragged = len(samples.inputs.groups(index)) > 1
        if is_ragged or n * prod(self.network.in_shape) < _WORTH_A_HELPER:
            return
        is_cut = n > self.network.micro_batch(n)
        if is_cut or len(chunks_of(self.network.vector.size)) > 1:
            return
        worker = self._workers[0]
        self.team.begin(lambda i, thread: worker.read_ahead(samples, index))

    def outputs(
        self,
        inputs: Inputs,
        index: np.ndarray | slice | None = None,
        *,
        stop: int | None = None,
        scores: bool = False,
    ) -> np.ndarray:
        """Return predictions, raw `scores`, or the activations before layer `stop`.

        Returns
        -------
        outputs : ndarray of shape (n_samples, *shape)
            Channels last.
        """
        index = slice(0, len(inputs)) if index is None else index
        parts = self._parts(inputs, index)
        layers = list(self.network.layers.values())[:stop]
        shape = layers[-1].out_shape if layers else self.network.in_shape
        out = np.empty((index_length(index), *shape), dtype=self.network.dtype)

        def compute(i: int, thread: int) -> None:
            part = index_at(index, parts[i])
            y = self._workers[thread].predict(inputs, part, stop)
            outputs = channels_last(y)
            if outputs.shape[1:] != shape:
                raise ValueError(
                    f"The outputs asked for have different sizes, such as {shape} and "
                    f"{outputs.shape[1:]}; ask for samples of one size at a time."
                )
            if stop is None and not scores:
                self.loss.predict(y)
            out[parts[i]] = outputs

        flops = len(out) * sum(layer.flops for layer in layers)
        is_alone = len(parts) == 1 and flops >= _WORTH_THREADS
        self._workers[0].share(self.team if is_alone else None)
        if flops < _WORTH_THREADS:
            for i in range(len(parts)):
                compute(i, 0)
            if flops < _WORTH_KEEPING:
                self._workers[0].give_back()
        else:
            self.team.run(len(parts), compute)
        return out

    def _parts(
        self, inputs: Inputs, index: np.ndarray | slice
    ) -> list[np.ndarray | slice]:
        """Return the places in `index` of each micro-batch.

        Those of samples of one shape are of nearly equal size.
        """
        parts: list[np.ndarray | slice] = []
        for places in inputs.groups(index):
            n = index_length(places)
            network = self.network.for_shape(inputs.shape_of(index_at(index, places)))
            n_parts = max(-(-n // network.micro_batch(n)), 1)
            size = max(-(-n // n_parts), 1)
            parts += [
                index_at(places, slice(start, min(start + size, n)))
                for start in range(0, n, size)
            ]
        return parts

    def _add(self, gradient: np.ndarray, terms: list[np.ndarray]) -> None:
        if not terms:
            return
        pieces = chunks_of(gradient.size)

        def task(i: int, thread: int) -> None:
            piece = pieces[i]
            for term in terms:
                np.add(gradient[piece], term[piece], out=gradient[piece])

        self.team.run(len(pieces), task)
