"""The activations of gates."""

from __future__ import annotations

import numpy as np

from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.workspace import Workspace


class Gates:
    """The activation of gates, and of what they let through.

    The logistic function is computed as ``tanh(z / 2) / 2 + 1 / 2``. NumPy's tanh is
    several times as fast as SciPy's logistic function, and one call of it can serve the
    gates together with a state that is activated by tanh as well. The weights of gates
    are multiplied by `scale`, so that z comes halved.

    Attributes
    ----------
    scale : float
        1 / 2 if the gates are logistic, else 1.
    is_tanh : bool
        Whether ``tanh`` and then `finish` activate everything.
    """

    def __init__(
        self, gate_activation: ActivationFunction, activation: ActivationFunction
    ) -> None:
        self.gate_activation = gate_activation
        self.activation = activation
        self.is_halved = gate_activation.name == "logistic"
        self.is_tanh = self.is_halved and activation.name == "tanh"
        self.scale = 0.5 if self.is_halved else 1.0

    def apply(self, z: np.ndarray, workspace: Workspace) -> None:
        """Activate gates in place."""
        if self.is_halved:
            np.tanh(z, out=z)
            self.finish(z)
        else:
            self.gate_activation.apply(z, z, workspace)

    def apply_to_all(
        self, z: np.ndarray, gates: np.ndarray, others: np.ndarray, workspace: Workspace
    ) -> None:
        """Activate `gates` and `others`, which are all of z, in place."""
        if self.is_tanh:
            np.tanh(z, out=z)
            self.finish(gates)
        else:
            self.apply(gates, workspace)
            self.activation.apply(others, others, workspace)

    @staticmethod
    def finish(tanh: np.ndarray) -> None:
        """Turn tanh(z / 2) into the logistic function of z, in place."""
        half = tanh.dtype.type(0.5)
        tanh *= half
        tanh += half
