"""The protocol of an optimizer: in-place updates of one flat vector of weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from skconvnet.ops.blas_kernels import axpy
from skconvnet.ops.chunking import chunks_of
from skconvnet.ops.workspace import Run, Workspace
from skconvnet.params.base import Params


class Optimizer(Params, ABC):
    """An update rule and its state, which starts at the first step.

    Cloning an optimizer, as an estimator does with the one it is given, leaves the
    state behind.

    Attributes
    ----------
    n_steps : int
        Updates made so far.
    n_moments : int
        Vectors of state.
    """

    n_steps = 0
    n_moments: ClassVar[int] = 0

    def step(
        self,
        weights: np.ndarray,
        gradient: np.ndarray,
        rate: float,
        run: Run | None = None,
        prepare: Callable[[slice], None] | None = None,
        finish: Callable[[slice], None] | None = None,
    ) -> None:
        """Update `weights` in place.

        Parameters
        ----------
        weights, gradient : ndarray of shape (n_weights,)
        rate : float
            The learning rate.
        run : callable, optional
            ``run(n, task)`` calls ``task(i, thread)`` for each of n pieces of the
            vectors, on threads. None calls them here.
        prepare : callable, optional
            ``prepare(piece)`` is called before a piece is updated.
        finish : callable, optional
            ``finish(piece)`` is called after a piece was updated; it may set weights
            to zero.
        """
        if "_state" not in vars(self):
            self._state = [np.zeros_like(weights) for _ in range(self.n_moments)]
        if "_workspaces" not in vars(self):
            self._workspaces: dict[int, Workspace] = {}
        self.n_steps += 1
        self._begin_step(rate)
        pieces = chunks_of(weights.size)

        def task(i: int, thread: int) -> None:
            piece = pieces[i]
            w, g = weights[piece], gradient[piece]
            workspace = self._workspaces.setdefault(thread, Workspace())
            step = workspace.array("step", w.shape, w.dtype)
            scratch = workspace.array("scratch", w.shape, w.dtype)
            if prepare is not None:
                prepare(piece)
            state = [array[piece] for array in self._state]
            axpy(*self._update(w, g, rate, state, step, scratch), w)
            if finish is not None:
                finish(piece)
                self._zeroed(w, state)

        if run is not None:
            run(len(pieces), task)
            return
        for i in range(len(pieces)):
            task(i, 0)

    def average(self, weights: np.ndarray, out: np.ndarray) -> bool:
        """Write the weights to predict by, where those are not the ones in training.

        Returns
        -------
        is_other : bool
            False, and `out` left as it is, where they are the same.
        """
        return False

    def restart(self) -> None:
        """Forget the state: the weights were replaced."""
        for name in set(vars(self)) - set(self.get_params(deep=False)):
            delattr(self, name)

    def _begin_step(self, rate: float) -> None:
        """Bring state that is the same for all weights up to date."""

    def _zeroed(self, weights: np.ndarray, state: list[np.ndarray]) -> None:
        """Make sure that weights which were set to zero can stay there."""

    @abstractmethod
    def _update(
        self,
        weights: np.ndarray,
        gradient: np.ndarray,
        rate: float,
        state: list[np.ndarray],
        step: np.ndarray,
        scratch: np.ndarray,
    ) -> tuple[float, np.ndarray]:
        """Bring `state` up to date; return a factor and what to add that many times.

        `weights` and `gradient` are not written to, `step` and `scratch` may be.
        """

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_workspaces"}
