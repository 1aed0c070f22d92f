"""A look inside a network: weights, gradients, activations, summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted

from skconvnet.engine.blas_threads import resolve_n_threads
from skconvnet.engine.executor import Executor
from skconvnet.estimators._base import NetworkEstimator
from skconvnet.estimators._input_validation import check_same_shape, check_X
from skconvnet.inspection.summary import format_summary
from skconvnet.training.regularization import add_penalty


@dataclass(kw_only=True, eq=False, repr=False)
class IntrospectiveEstimator(NetworkEstimator):
    """A network estimator that shows what is inside, and takes weights from outside."""

    def get_weights(self) -> dict[str, np.ndarray]:
        """Return copies of all weights, and of the buffers that some layers keep.

        Returns
        -------
        weights : dict of str to ndarray
            Named ``"layer/array"``, or ``"layer/branch/layer/array"`` for layers made
            of layers: dense kernels have shape (n_in, n_out), convolution kernels
            (filters, channels // groups, *kernel_size). The table of layers in the
            README has the others, and the buffers, such as ``"norm/moving_mean"``.
        """
        check_is_fitted(self)
        return {
            name: array.copy() for name, array in self._weights_and_buffers().items()
        }

    def _weights_and_buffers(self) -> dict[str, np.ndarray]:
        return {**self.network_.weights, **self.network_.buffers}

    def set_weights(self, weights: Mapping[str, Any]) -> Any:
        """Replace some or all weights.

        Training goes on from them with ``partial_fit`` or ``warm_start=True``.

        Parameters
        ----------
        weights : mapping of str to array-like
            Named as in `get_weights`; arrays left out stay as they are.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If `weights` is not a mapping.
        ValueError
            For an unknown name, another shape, or values that are not finite. No
            weight is changed then.
        """
        check_is_fitted(self)
        if not isinstance(weights, Mapping):
            raise TypeError(
                "weights must be a mapping of names to arrays, as get_weights returns "
                f"it; got {weights!r}."
            )
        own = self._weights_and_buffers()
        checked = {}
        for name, values in weights.items():
            if name not in own:
                raise ValueError(
                    f"weights has an unknown name {name!r}; the names are "
                    f"{', '.join(map(repr, own))}."
                )
            array = check_array(
                values,
                ensure_2d=False,
                allow_nd=True,
                ensure_min_samples=0,
                dtype=self.network_.dtype,
                input_name=f"weights[{name!r}]",
            )
            if array.shape != own[name].shape:
                raise ValueError(
                    f"weights[{name!r}] must have shape {own[name].shape}; got an "
                    f"array of shape {array.shape}."
                )
            checked[name] = array
        for name, array in checked.items():
            own[name][...] = array
        return self

    def loss_gradients(
        self, X: Any, y: Any, sample_weight: Any = None
    ) -> tuple[float, dict[str, np.ndarray]]:
        """Return the loss that `fit` minimizes, and its gradient for every weight.

        The loss is the weighted mean over the samples plus the penalty,
        ``alpha * ((1 - l1_ratio) / 2 * |w|^2 + l1_ratio * |w|_1)`` of all kernels
        divided by the sum of the samples' weights. Dropout is switched off. Squared
        errors are summed over several outputs, also where `MLPRegressor` reports their
        mean as `loss_`.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As in `fit`; y has no classes that `fit` did not see.

        Returns
        -------
        loss : float
        gradients : dict of str to ndarray
            Named and shaped as in `get_weights`.
        """
        check_is_fitted(self)
        X, y = check_X(self, X, y=y, reset=False, **self._input_checks)
        check_same_shape(self, X, self.network_.in_shape)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        targets = self._encode_y(y, reset=False, incremental=True)
        weights = self._adjust_weights(y, weights, incremental=False)
        samples = self._samples(X, targets, weights)
        gradient = np.empty_like(self.network_.vector)
        n_threads = resolve_n_threads(self.n_jobs)
        with Executor(self.network_, self._loss.objective(), n_threads) as engine:
            whole = slice(0, len(samples))
            loss, total = engine.loss_and_gradient(
                samples, whole, gradient, train=False
            )
            n = self.network_.layout.n_penalized
            kernels, slopes = self.network_.vector[:n], gradient[:n]
            loss += add_penalty(kernels, slopes, self.alpha / total, self.l1_ratio)
        views = self.network_.layout.views(gradient)
        return loss, {name: view.copy() for name, view in views.items()}

    def activations(self, X: Any, layer: str) -> np.ndarray:
        """Return what `layer` puts out for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
        layer : str
            A name from `summary`. For ``"output"`` these are the predictions, after
            the softmax, logistic or exponential function that belongs to the loss.

        Returns
        -------
        activations : ndarray of shape (n_samples, *out_shape)
            Channels last.
        """
        check_is_fitted(self)
        names = list(self.network_.layers)
        if layer not in names:
            raise ValueError(
                f"layer must be one of {', '.join(map(repr, names))}; got {layer!r}."
            )
        position = names.index(layer) + 1
        stop = None if position == len(names) else position
        return self._outputs(X, stop=stop)

    def summary(self) -> str:
        """Return a table of the layers: name, kind, output shape, weights.

        Shapes are channels last, without the batch.
        """
        check_is_fitted(self)
        return format_summary(self.network_)
