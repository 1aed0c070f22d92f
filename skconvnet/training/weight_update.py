"""An update of the weights, given a gradient."""

from __future__ import annotations

import numpy as np

from skconvnet._typing import FlatVector
from skconvnet.engine.network import Network
from skconvnet.ops.workspace import Run
from skconvnet.optimizers import Optimizer
from skconvnet.training import subnormal
from skconvnet.training.clipping import clip_norm, clip_value
from skconvnet.training.regularization import Regularizer
from skconvnet.training.state import Settings


class WeightUpdate:
    """Updates the weights of a network: penalty, clipping, and the optimizer's step.

    Parameters
    ----------
    network : Network
    settings : Settings
    n_updates : int
        Number of updates in an epoch.

    Attributes
    ----------
    gradient : ndarray of shape (n_weights,)
        To be overwritten with the gradient of the loss before each update.
    """

    def __init__(self, network: Network, settings: Settings, n_updates: int) -> None:
        self._weights: FlatVector = network.vector
        self._kernels: FlatVector = network.vector[: network.layout.n_penalized]
        self._runs = network.layout.penalized_runs(settings.alpha_factors)
        self._settings = settings
        self._n_updates = n_updates
        self.gradient: FlatVector = np.empty_like(network.vector)

    def make(
        self,
        optimizer: Optimizer,
        regularizer: Regularizer,
        rate: float,
        total_weight: float,
        run: Run | None,
    ) -> None:
        """Make an update by the gradient.

        Parameters
        ----------
        optimizer : Optimizer
        regularizer : Regularizer
            Its `value` is the penalty afterward.
        rate : float
            The learning rate.
        total_weight : float
            Sum of the weights of the samples, by which the penalty is divided.
        run : callable or None
            Runs tasks on several threads, see `Optimizer.step`.
        """
        settings, gradient = self._settings, self.gradient
        regularizer.begin_update(
            self._kernels,
            settings.alpha / total_weight,
            settings.l1_ratio,
            self._n_updates,
            self._runs,
        )
        if settings.max_grad_norm is not None or settings.max_grad_value is not None:
            regularizer.before_all(self._weights, gradient)
            clip_value(gradient, settings.max_grad_value)
            clip_norm(gradient, settings.max_grad_norm)
        optimizer.step(self._weights, gradient, rate, run, regularizer)
        if subnormal.is_due(optimizer.n_steps):
            subnormal.clear_small_weights(self._weights)
            subnormal.clear_subnormal(optimizer.vectors)
