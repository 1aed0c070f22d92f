"""From hyperparameters and data to a network, and from a network to outputs."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skconvnet.engine.blas_threads import resolve_n_threads
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs, Samples
from skconvnet.engine.network import Network, build_layers
from skconvnet.engine.ragged import MapList, RaggedInputs
from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.estimators._input_validation import (
    check_same_shape,
    check_X,
    resolve_dtype,
    resolve_shape,
    with_channels,
)
from skconvnet.layers.dense import Output
from skconvnet.layers.flatten import Flatten
from skconvnet.losses import Loss
from skconvnet.params.base import LayerSpec
from skconvnet.params.naming import OUTPUT_NAME
from skconvnet.training.state import History, TrainingState


@dataclass(kw_only=True, eq=False, repr=False)
class BuiltEstimator(TrainingParams, ABC):
    """Builds a network for X and y, and runs it.

    Subclasses say which layers it has (`_hidden_layers`, `_spatial_ndim`) and which
    loss (`_make_loss`).
    """

    _input_checks: ClassVar[dict[str, Any]] = {}

    @abstractmethod
    def _hidden_layers(
        self, in_shape: tuple[int, ...], is_guessed: bool
    ) -> list[tuple[str, LayerSpec]]:
        """Return the named layers between the input and the output layer."""

    @property
    @abstractmethod
    def _spatial_ndim(self) -> int | None:
        """Spatial axes of a sample, or None or 0 for none in particular."""

    @abstractmethod
    def _make_loss(self) -> Loss:
        """Return the loss for the targets last encoded."""

    def _start(self, X: Any, targets: np.ndarray, rng: np.random.RandomState) -> None:
        """Build the network for X and draw its first weights."""
        in_shape = resolve_shape(X, self._spatial_ndim, self._input_shape)
        is_guessed = X.ndim == 2 and self._input_shape is None
        specs = self._hidden_layers(in_shape, is_guessed)
        specs = self._with_output(specs, in_shape, targets.shape[1])
        network = Network(specs, in_shape, resolve_dtype(self.dtype, X))
        network.initialize(rng)
        if isinstance(X, MapList):
            # Errors come before training, for every size that there is.
            for shape in with_channels(X, in_shape).shapes:
                network.for_shape(shape)
        else:
            self.n_features_in_ = prod(in_shape)
        self.network_ = network
        self.n_outputs_ = targets.shape[1]
        self.n_layers_ = 1 + sum(bool(la.weights) for la in network.layers.values())
        self._loss = self._make_loss()
        self.out_activation_ = self._loss.output
        self.n_iter_ = 0
        self.t_ = 0
        self._optimizer: TrainingState | None = None
        self._is_incremental = False
        if self.early_stopping:
            self._history = History.with_early_stopping()
        else:
            self._history = History()

    def _resume(self) -> None:
        """Go on from the present weights, in copies that an error cannot spoil."""
        old = self.network_
        is_guessed = self._input_shape is None and len(old.in_shape) > 1
        specs = self._hidden_layers(old.in_shape, is_guessed)
        specs = self._with_output(specs, old.in_shape, self.n_outputs_)
        network = Network(specs, old.in_shape, old.dtype)
        if network.shapes != old.shapes:
            raise ValueError(
                f"The layers of this {type(self).__name__} were changed since it was "
                "fitted, so training cannot go on from its weights: they have shapes "
                f"{old.shapes}, the new layers need {network.shapes}. "
                "Set warm_start=False and call fit, or set the parameters back."
            )
        network.state[:] = old.state
        self.network_ = network
        self._loss = self._make_loss()
        self.out_activation_ = self._loss.output
        self._history = copy.deepcopy(self._history)
        self._optimizer = copy.deepcopy(self._optimizer)

    @property
    def _input_shape(self) -> Any:
        return getattr(self, "input_shape", None)

    def _with_output(
        self,
        specs: list[tuple[str, LayerSpec]],
        in_shape: tuple[int, ...],
        n_outputs: int,
    ) -> list[tuple[str, LayerSpec]]:
        """Add the output layer, and a Flatten before it where it needs one."""
        shape, activation = in_shape, "relu"
        if specs:
            shape = list(build_layers(specs, in_shape).values())[-1].out_shape
            named = [getattr(spec, "activation", None) for _, spec in specs]
            activation = next((name for name in reversed(named) if name), "relu")
        drawn = [getattr(spec, "kernel_initializer", None) for _, spec in specs]
        initializer = getattr(self, "kernel_initializer", None) or next(
            (name for name in reversed(drawn) if name), "auto"
        )
        output = (
            OUTPUT_NAME,
            Output(
                n_outputs,
                kernel_initializer=initializer,
                hidden_activation=activation,
            ),
        )
        if len(shape) == 1:
            return [*specs, output]
        name = "flatten"
        while name in dict(specs):
            name += "_output"
        return [*specs, (name, Flatten()), output]

    def _samples(
        self, X: Any, targets: np.ndarray, weights: np.ndarray | None
    ) -> Samples:
        network = self.network_
        inputs = self._inputs(X)
        if weights is not None:
            weights = weights.astype(network.dtype, copy=False)
        return Samples(inputs, targets.astype(network.dtype, copy=False), weights)

    def _inputs(self, X: Any) -> Inputs:
        network = self.network_
        if isinstance(X, MapList):
            X = with_channels(X, network.in_shape)
            return RaggedInputs(X, network.in_shape, network.dtype)
        return Inputs(X, network.in_shape, network.dtype)

    def _raw_scores(self, X: Any) -> np.ndarray:
        """Return the output layer's sums, of shape (n_samples, n_outputs)."""
        check_is_fitted(self)
        return self._outputs(X, scores=True)

    def _outputs(self, X: Any, **options: Any) -> np.ndarray:
        X = check_X(self, X, reset=False, **self._input_checks)
        check_same_shape(self, X, self.network_.in_shape)
        inputs = self._inputs(X)
        n_threads = resolve_n_threads(self.n_jobs)
        with Executor(self.network_, self._loss, n_threads) as engine:
            return engine.outputs(inputs, **options)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        # The optimizer's moments are two more copies of the weights: they are kept in
        # the file only where the last call was partial_fit, which will go on with them.
        if "_optimizer" in state and not state["_is_incremental"]:
            state = {**state, "_optimizer": None}
        return state
