"""Micro-batches over threads, with results that do not depend on their number."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import numpy as np

from skconvnet.batches import Inputs, Samples, index_length
from skconvnet.blas import single_threaded_blas
from skconvnet.layers.base import channels_last
from skconvnet.losses import Loss
from skconvnet.network import Network


class Engine:
    """Runs a network over samples, cut into micro-batches, on several threads.

    Use it as a context manager: BLAS is held to one thread meanwhile.

    Parameters
    ----------
    network : Network
    loss : Loss
    n_threads : int
    """

    def __init__(self, network: Network, loss: Loss, n_threads: int) -> None:
        self.network = network
        self.loss = loss
        self.n_threads = n_threads
        self._workers: list[_Worker] = []
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Engine:
        single_threaded_blas.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        single_threaded_blas.__exit__()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        self._workers = []

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
            For the layers that draw random numbers.

        Returns
        -------
        loss : float
            Weighted mean of the samples' losses.
        total : float
            Sum of the samples' weights.
        """
        parts = self._parts(index)
        weights = None if samples.weights is None else samples.weights[index]
        total = float(index_length(index) if weights is None else weights.sum())
        if total == 0:
            gradient.fill(0)
            return 0.0, 0.0
        losses = np.zeros(len(parts))

        def compute(i: int, worker: _Worker) -> None:
            target = gradient if i == 0 else worker.gradient(gradient)
            rng = None
            if train and seed is not None:
                rng = np.random.Generator(np.random.SFC64([seed, i]))
            losses[i] = worker.differentiate(
                samples, parts[i], total, target, train=train, rng=rng
            )

        def merge(i: int, worker: _Worker) -> None:
            if i:
                np.add(gradient, worker.gradient(gradient), out=gradient)

        self._run(len(parts), compute, merge)
        return float(losses.sum()), total

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
        parts = self._parts(index)
        layers = list(self.network.layers.values())[:stop]
        shape = layers[-1].out_shape if layers else self.network.in_shape
        out = np.empty((index_length(index), *shape), dtype=self.network.dtype)
        starts = np.cumsum([0] + [index_length(part) for part in parts])

        def compute(i: int, worker: _Worker) -> None:
            y = worker.predict(inputs, parts[i], stop)
            if stop is None and not scores:
                self.loss.predict(y)
            np.copyto(out[starts[i] : starts[i + 1]], channels_last(y))

        self._run(len(parts), compute)
        return out

    def _parts(self, index: np.ndarray | slice) -> list[np.ndarray | slice]:
        """Cut a minibatch into micro-batches of nearly equal size."""
        n = index_length(index)
        n_parts = max(-(-n // self.network.micro_batch(n)), 1)
        size = -(-n // n_parts)
        if isinstance(index, slice):
            return [
                slice(start, min(start + size, index.stop))
                for start in range(index.start, index.stop, max(size, 1))
            ]
        return [index[start : start + size] for start in range(0, n, max(size, 1))]

    def _run(
        self,
        n_parts: int,
        compute: Callable[[int, _Worker], None],
        merge: Callable[[int, _Worker], None] | None = None,
    ) -> None:
        """Call `compute` for every part, on threads, and `merge` in their order."""
        n_threads = max(min(self.n_threads, n_parts), 1)
        while len(self._workers) < n_threads:
            self._workers.append(_Worker(self.network, self.loss))
        if n_threads == 1:
            for i in range(n_parts):
                compute(i, self._workers[0])
                if merge is not None:
                    merge(i, self._workers[0])
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(
                self.n_threads - 1, "skconvnet", single_threaded_blas.hold_here
            )
        turn = _Turn()
        numbers = itertools.count()

        def work(worker: _Worker) -> None:
            try:
                while (i := next(numbers)) < n_parts:
                    compute(i, worker)
                    if merge is not None and turn.wait_for(i):
                        merge(i, worker)
                        turn.finish(i)
            except BaseException:
                turn.give_up()
                raise

        helpers = [
            self._pool.submit(work, worker) for worker in self._workers[1:n_threads]
        ]
        try:
            work(self._workers[0])
        finally:
            for helper in helpers:
                helper.exception()
        for helper in helpers:
            helper.result()


class _Turn:
    """Lets threads go on one after the other, in the order of their parts."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._next = 0
        self._broken = False

    def wait_for(self, i: int) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._next == i or self._broken)
            return not self._broken

    def finish(self, i: int) -> None:
        with self._condition:
            self._next = i + 1
            self._condition.notify_all()

    def give_up(self) -> None:
        with self._condition:
            self._broken = True
            self._condition.notify_all()


class _Worker:
    """What one thread needs for itself: workspaces and a gradient."""

    def __init__(self, network: Network, loss: Loss) -> None:
        self.network = network
        self.loss = loss
        self.workspaces = network.workspaces()
        self.reading = network.workspaces()[:1]
        self._gradient: np.ndarray | None = None
        self._views: list[tuple[np.ndarray, list[dict[str, np.ndarray]]]] = []

    def gradient(self, like: np.ndarray) -> np.ndarray:
        if self._gradient is None:
            self._gradient = np.empty_like(like)
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
        x = samples.inputs.read(index, self.reading[0])
        y, caches = self.network.forward(x, self.workspaces, train=train, rng=rng)
        weight: np.ndarray | float = 1 / total
        if samples.weights is not None:
            weight = (samples.weights[index] / total).astype(y.dtype)
        value = self.loss(y, samples.targets[index].T, weight)
        self.network.backward(y, caches, self.views(gradient), self.workspaces)
        return value

    def predict(
        self, inputs: Inputs, index: np.ndarray | slice, stop: int | None
    ) -> np.ndarray:
        x = inputs.read(index, self.reading[0])
        y, _ = self.network.forward(x, self.workspaces, stop=stop)
        return y
