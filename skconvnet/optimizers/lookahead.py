"""Lookahead: another optimizer's weights, drawn back every few updates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.ops.blas_kernels import axpy
from skconvnet.optimizers.base import ChunkArrays, Optimizer
from skconvnet.optimizers.layout import Chunk, WeightArray
from skconvnet.params.constraints import ABOVE_0_TO_1, COUNT, ObjectOf


@dataclass(eq=False, repr=False)
class Lookahead(Optimizer):
    """Another optimizer, whose weights are drawn back every few updates [1]_.

    There are two sets of weights. The optimizer updates the fast ones. After `every`
    updates, the slow ones move a part of the way to them, and the fast ones continue
    from there::

        slow = slow + share * (fast - slow)
        fast = slow

    Gradients are those at the fast weights. Validation and prediction use the slow
    ones. The optimizer keeps its momentum.

    Parameters
    ----------
    optimizer : Optimizer
        The optimizer of the fast weights, such as ``SGD()``. It must not average the
        weights itself, as `ScheduleFreeAdamW` does. A search reaches its parameters as
        ``solver__optimizer__momentum``.
    share : float, default=0.5
        The part of the way that the slow weights move, in (0, 1]; alpha in the paper.
        With 1, the optimizer is used as it is.
    every : int, default=5
        The number of updates of the fast weights for each one of the slow weights. Both
        start from the same weights, so predictions change after so many updates at the
        earliest: `fit` warns if it ends sooner, ``partial_fit`` does not.

    Notes
    -----
    The `averaging` of an estimator does not affect training, only which weights it
    predicts with. This does, since training continues from the slow weights.

    In benchmarks/README.md, it brought nothing: of eight pairs of short trainings, five
    were worse with it and three were better, mostly by less than the seeds differ.

    References
    ----------
    .. [1] M. Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", NeurIPS
       2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import Lookahead
    >>> from skconvnet.optimizers import SGD
    >>> weights = np.array([1.0])
    >>> optimizer = Lookahead(SGD(momentum=0.0), every=2)
    >>> for _ in range(2):
    ...     optimizer.step(weights, np.array([2.0]), rate=0.1)
    >>> weights
    array([0.8])
    """

    optimizer: Optimizer
    share: float = 0.5
    every: int = 5

    predicts_by_average = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "optimizer": [ObjectOf("skconvnet.optimizers", Optimizer)],
        "share": ABOVE_0_TO_1,
        "every": COUNT,
    }

    @property
    def n_moments(self) -> int:
        """Number of moments: those of the optimizer, and the slow weights."""
        return self.optimizer.n_moments + 1

    @property
    @override
    def decays_weights(self) -> bool:
        return self.optimizer.decays_weights

    @override
    def check_params(self) -> None:
        super().check_params()
        if self.optimizer.predicts_by_average:
            raise ValueError(
                "optimizer must not average the weights itself, as "
                f"{type(self.optimizer).__name__} does; got {self.optimizer!r}."
            )

    @override
    def lay_out(self, arrays: Iterable[WeightArray]) -> None:
        arrays = tuple(arrays)
        super().lay_out(arrays)
        self.optimizer.lay_out(arrays)

    @override
    def average(self, weights: FlatVector, out: FlatVector) -> bool:
        # After every few updates, they are the weights in training.
        if self.n_steps % self.every == 0:
            return False
        out[:] = self._moments[0]
        return True

    @override
    def why_unchanged(self) -> str | None:
        if not 0 < self.n_steps < self.every:
            return None
        return (
            f"training made {self.n_steps} updates, and Lookahead(every={self.every}) "
            f"first changes the weights for prediction after {self.every} of them. "
            "Lower every, or train for more epochs."
        )

    @property
    @override
    def vectors(self) -> list[FlatVector]:
        return super().vectors + self.optimizer.vectors

    @override
    def restart(self) -> None:
        super().restart()
        self.optimizer.restart()

    @override
    def _prepare(self, weights: FlatVector) -> None:
        if "_moments" not in vars(self):
            self._moments = [np.zeros_like(weights)]
        self.optimizer.chunk_size = self.chunk_size
        self.optimizer._prepare(weights)  # noqa: SLF001  of the base class
        super()._prepare(weights)

    @override
    def _cut(self, size: int) -> list[Chunk]:
        return self.optimizer._cut(size)  # noqa: SLF001  of the base class

    @override
    def _work(self, chunk: Chunk) -> float:
        return self.optimizer._work(chunk)  # noqa: SLF001  of the base class

    @override
    def _begin_step(self, rate: float) -> None:
        self.optimizer.n_steps = self.n_steps
        self.optimizer._begin_step(rate)  # noqa: SLF001  of the base class

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        (slow,) = arrays.moments
        if (self.n_steps - 1) % self.every == 0:
            slow[:] = arrays.weights
        factor, direction = self.optimizer._update(self._inner(arrays), rate)  # noqa: SLF001  of the base class
        if self.n_steps % self.every:
            return factor, direction
        # With fast = weights + factor * direction, the change of the weights is
        # slow + share * (fast - slow) - weights.
        change = arrays.workspace.array("change", slow.shape, slow.dtype)
        np.subtract(slow, arrays.weights, out=change)
        change *= 1 - self.share
        axpy(self.share * factor, direction, change)
        return 1.0, change

    @override
    def _keep_zeros(self, arrays: ChunkArrays) -> None:
        (slow,) = arrays.moments
        slow *= arrays.weights != 0
        self.optimizer._keep_zeros(self._inner(arrays))  # noqa: SLF001  of the base class

    def _inner(self, arrays: ChunkArrays) -> ChunkArrays:
        """Return the arrays that the optimizer of the fast weights works on."""
        moments = self.optimizer._moments_of_chunks[arrays.number]  # noqa: SLF001  of the base class
        return arrays._replace(moments=moments)
