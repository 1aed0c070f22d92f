"""The protocol of an optimizer: in-place updates of one flat vector of weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from skconvnet._spec import Searchable
from skconvnet.ops.workspace import Workspace

# Updates run over the vector in pieces that stay in the cache between ufuncs.
_PIECE = 65_536


class Optimizer(Searchable, ABC):
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

    def step(self, weights: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Update `weights` in place.

        Parameters
        ----------
        weights, gradient : ndarray of shape (n_weights,)
        rate : float
            The learning rate.
        """
        if "_state" not in vars(self):
            self._state = [np.zeros_like(weights) for _ in range(self.n_moments)]
        if "_workspace" not in vars(self):
            self._workspace = Workspace()
        self.n_steps += 1
        self._begin_step()
        for piece in _pieces(weights.size):
            state = [array[piece] for array in self._state]
            size = (piece.stop - piece.start,)
            step, scratch = (
                self._workspace.array(name, size, weights.dtype)
                for name in ("step", "scratch")
            )
            self._update(weights[piece], gradient[piece], rate, state, step, scratch)
            weights[piece] += step

    def _begin_step(self) -> None:
        """Bring state that is the same for all weights up to date."""

    @abstractmethod
    def _update(
        self,
        weights: np.ndarray,
        gradient: np.ndarray,
        rate: float,
        state: list[np.ndarray],
        step: np.ndarray,
        scratch: np.ndarray,
    ) -> None:
        """Bring `state` up to date and write what to add to the weights into `step`.

        `weights` and `gradient` are not written to, `scratch` may be.
        """

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_workspace"}


def _pieces(size: int) -> Iterator[slice]:
    for start in range(0, size, _PIECE):
        yield slice(start, min(start + _PIECE, size))
