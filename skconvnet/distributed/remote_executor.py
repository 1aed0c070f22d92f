r"""Training passes over samples on other machines, with the same bits for any number.

An update of the weights, with four shards that have samples in the minibatch::

    client                     wherever shard 0, 1, 2 and 3 are
    ------                     ---------------------------------
    weights ---- share ------> g0       g1       g2       g3      differentiate
                                 \     /           \     /
                                  g0 + g1           g2 + g3       add_parts
                                        \         /
    step  <----- gather ---------  (g0 + g1) + (g2 + g3)

Which parts there are, how each is cut into micro-batches, and which results are added
first depends on the minibatch and on the shards alone. So it makes no difference to any
bit how many workers there are, which of them takes which task, and which task is run
again because its worker was lost.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FlatVector, Image, Index, Shape, override
from skconvnet.augmentation.base import Augmenter
from skconvnet.augmentation.origin import Epoch
from skconvnet.distributed.compression import expand
from skconvnet.distributed.local_updates import (
    LocalResult,
    LocalState,
    LocalWork,
    add_states,
    update_by_shard,
)
from skconvnet.distributed.pools import Pool
from skconvnet.distributed.shards_of_pool import ShardsOfPool, with_retries
from skconvnet.distributed.tasks import (
    PartResult,
    add_parts,
    differentiate,
    exchange_of,
    outputs_of,
)
from skconvnet.distributed.work import Training, Work
from skconvnet.engine.executor import Executor, Part
from skconvnet.engine.inputs import Inputs, index_length, index_numbers
from skconvnet.engine.interrupts import HeldInterrupts
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.engine.version_mean import VersionMean
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.losses import Loss
from skconvnet.training.state import Settings, TrainingState

_Numbers: TypeAlias = npt.NDArray[np.integer]


@runtime_checkable
class SamplesElsewhere(Protocol):
    """Inputs whose samples are not in this process."""

    channels_first: bool

    @property
    def source(self) -> ShardsOfPool:
        """The shards."""

    def prepared(self, samples: Samples) -> list[Any]:
        """Return promises of the shards with encoded targets and weights."""

    def parts_at(self, index: Index) -> list[tuple[int, _Numbers, _Numbers]]:
        """Return shards, positions in `index`, and rows in the shard, by shard."""


class RemoteExecutor(Executor):
    """An executor that computes where the samples are.

    Samples that are in this process, such as those for validation, are computed here.

    Parameters
    ----------
    network, loss, n_threads, augmenter
        As for `Executor`.
    n_local_updates : int, default=1
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        n_threads: int,
        augmenter: Augmenter | None = None,
        *,
        n_local_updates: int = 1,
    ) -> None:
        super().__init__(network, loss, n_threads, augmenter)
        self._n_threads = n_threads
        self.n_local_updates = n_local_updates
        self._key = uuid.uuid4().hex
        self._update = 0
        self._training: Any = None
        # How often the parts of a minibatch wait for each other; None if unknown.
        self._n_exchanges = None if network.needs_whole_batch else 0
        self._kernels: frozenset[str] = frozenset()

    @override
    def __exit__(self, *exc: object) -> None:
        if self._training is not None:
            self._pool.forget(self._key)
        super().__exit__(*exc)

    def _begin(self, inputs: Inputs) -> SamplesElsewhere:
        """Return the inputs, after sharing what tasks need to know of the training."""
        assert isinstance(inputs, SamplesElsewhere)
        if self._training is not None:
            return inputs
        source = inputs.source
        self._pool: Pool = source.pool
        training = Training(
            self._key,
            self.network,
            self.loss,
            self.augmenter,
            self._n_threads,
            inputs.channels_first,
            source.gradient_dtype,
            limits_blas=source.pool.is_remote,
        )
        self._training = self._pool.share(training)
        return inputs

    @override
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
        assert train
        assert part is None
        inputs = self._begin(samples.inputs)
        total = samples.total_weight(index)
        if total == 0:
            gradient.fill(0)
            return 0.0, 0.0
        works = {
            shard: Work(self._update, rows, total, seed, epoch)
            for shard, _, rows in inputs.parts_at(index)
        }
        self._update += 1
        shards = inputs.prepared(samples)
        result = with_retries(lambda: self._differentiate(shards, works))
        gradient[:] = expand(result.gradient)
        self.network.trained_state[self.network.vector.size :] = result.buffers
        self._note_kernels(result.kernels)
        return float(np.sum(result.losses)), total

    def _differentiate(
        self, shards: Sequence[Any], works: Mapping[int, Work]
    ) -> PartResult:
        pool, state = self._pool, self._pool.share(self.network.state.copy())
        gathered: list[list[Any]] = []
        while True:
            parts = [
                pool.submit(
                    differentiate,
                    self._training,
                    shards[shard],
                    state,
                    work,
                    gathered,
                )
                for shard, work in works.items()
            ]
            if len(gathered) == self._n_exchanges:
                break
            found = pool.gather([pool.submit(exchange_of, part) for part in parts])
            if found[0] is None:
                self._n_exchanges = len(gathered)
                break
            gathered = [*gathered, [own for exchange in found for own in exchange.own]]
        (result,) = pool.gather([self._sum(add_parts, parts)])
        whole: PartResult = result
        return whole

    def update_locally(
        self,
        samples: Samples,
        index: Index,
        state: TrainingState,
        settings: Settings,
        n_updates: int,
        *,
        seed: int | None,
        epoch: Epoch | None,
    ) -> tuple[float, float]:
        """Make `n_local_updates` with each shard, and average the weights.

        Parameters
        ----------
        samples : Samples
        index : ndarray of int or slice
            The samples of all these updates.
        state : TrainingState
            The states of its optimizer and its regularizer are replaced.
        settings : Settings
        n_updates : int
            How often this is called in an epoch.
        seed : int or None
        epoch : Epoch or None

        Returns
        -------
        loss, total : float
            As in `loss_and_gradient`; the loss includes the penalty.
        """
        inputs = self._begin(samples.inputs)
        total = samples.total_weight(index)
        if total == 0:
            return 0.0, 0.0
        numbers = index_numbers(index)
        works = {}
        for shard, own, rows in inputs.parts_at(index):
            weight = samples.total_weight(numbers[own])
            if weight > 0:
                works[shard] = LocalWork(
                    np.array_split(rows, min(self.n_local_updates, len(rows))),
                    weight / total,
                    seed,
                    epoch,
                    state.schedule.rate,
                    settings,
                    n_updates * self.n_local_updates,
                )
        network, shards = self.network, inputs.prepared(samples)
        start = LocalState(network.state, state.optimizer, state.regularizer)

        def compute() -> LocalResult:
            shared = self._pool.share(copy.deepcopy(start))
            parts = [
                self._pool.submit(
                    update_by_shard, self._training, shards[shard], shared, work
                )
                for shard, work in works.items()
            ]
            (result,) = self._pool.gather([self._sum(add_states, parts)])
            whole: LocalResult = result
            return whole

        result = with_retries(compute)
        with HeldInterrupts():
            network.trained_state[:] = result.state.numbers
            state.optimizer.take_state(result.state.optimizer)
            state.regularizer = result.state.regularizer
        self._note_kernels(result.kernels)
        return float(np.sum(result.losses)), total

    def _sum(self, add: Callable[[Any, Any], Any], parts: Sequence[Any]) -> Any:  # noqa: ANN401  a promise
        """Return a promise of the sum, whose order depends on their number alone."""
        while len(parts) > 1:
            pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
            parts = [
                self._pool.submit(add, *pair) if len(pair) == 2 else pair[0]
                for pair in pairs
            ]
        return parts[0]

    def _note_kernels(self, kernels: frozenset[str]) -> None:
        """Warn if workers have other kernels of BLAS than those so far."""
        known, self._kernels = self._kernels, self._kernels | kernels
        if len(self._kernels) > max(len(known), 1):
            warn_caller(
                "Workers use different kernels of BLAS "
                f"({'; '.join(sorted(self._kernels))}), so that the result depends on "
                "which of them takes which shard. Use workers with processors of one "
                "kind, or set OPENBLAS_CORETYPE to one name on all of them."
            )

    @override
    def read_ahead(
        self, samples: Samples, index: Index | None, epoch: Epoch | None = None
    ) -> None:
        """Do nothing: samples are in memory where they are."""

    @override
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
        options = {"stop": stop, "scores": scores, "pooling": pooling, "means": means}
        if not isinstance(inputs, SamplesElsewhere):
            return super().outputs(
                inputs, index, stop=stop, scores=scores, pooling=pooling, means=means
            )
        index = slice(0, len(inputs)) if index is None else index
        self._begin(inputs)
        pool, shards = self._pool, inputs.source.shards
        parts = inputs.parts_at(index)

        def compute() -> list[Any]:
            state = pool.share(self.network.state.copy())
            return pool.gather(
                [
                    pool.submit(
                        outputs_of, self._training, shards[shard], state, rows, options
                    )
                    for shard, _, rows in parts
                ]
            )

        found = with_retries(compute)
        outputs = np.empty((index_length(index), *found[0].shape[1:]), found[0].dtype)
        for (_, own, _), values in zip(parts, found, strict=True):
            outputs[own] = values
        return outputs
