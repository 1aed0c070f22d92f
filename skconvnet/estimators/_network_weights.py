"""The weights of an estimator as arrays: `get_weights` and `set_weights`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from skconvnet.estimators._arguments import explains_arguments
from skconvnet.estimators._fitting_weights import fitting_weights
from skconvnet.estimators._introspection import replace_weights, weights_and_buffers

if TYPE_CHECKING:
    from skconvnet.engine.network import Network
    from skconvnet.estimators._units import UsualValues


class NetworkWeights:
    """Methods that copy the weights of the network, and replace them."""

    if TYPE_CHECKING:
        network_: Network
        _names_set: frozenset[str] | None
        _usual_values: UsualValues | None

    @explains_arguments
    def get_weights(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all weights and buffers.

        Returns
        -------
        weights : dict of str to ndarray
            The keys are ``"layer/array"``, or ``"layer/branch/layer/array"`` for layers
            made of layers. Dense kernels have shape (n_in, n_out), convolution kernels
            (filters, channels // groups, *kernel_size). The table of layers in the
            documentation lists all arrays, including buffers such as
            ``"norm/moving_mean"``.
        """
        check_is_fitted(self)
        arrays = weights_and_buffers(self.network_)
        return {name: array.copy() for name, array in arrays.items()}

    @explains_arguments
    def set_weights(
        self, weights: Mapping[str, npt.ArrayLike], strict: bool = True
    ) -> Self:
        """Replace some or all weights, from which the next training starts.

        `set_weights` says where the next `fit` starts: that fit keeps all weights of
        the network as they are, once; after it, `fit` draws new weights again. The
        optimizer, the schedule and the history of that fit are new, unlike in
        ``partial_fit``, which continues from the weights as well. Statistics of the
        training set, such as those of `skconvnet.layers.Standardize`, are new unless
        `weights` has them. If X, y or hyperparameters need arrays of other names or
        shapes, `fit` raises a ValueError. Clones have no weights.

        Unless ``rescale=None``, a `ConvNetRegressor` predicts standardized y. The units
        of y are not among the weights: they remain those of the y of the last `fit` or
        `initialize`, and the next `fit` computes mean and deviation of its y anew.

        Parameters
        ----------
        weights : mapping of str to array-like
            The new values, with the keys of `get_weights`. Arrays that are not
            mentioned keep their values.
        strict : bool, default=True
            If False, layers of which a name or a shape does not fit are left out, and
            their arrays are listed in `weights_left_out_`. A warning tells those of
            layers before the output.

        Returns
        -------
        self : object
            The estimator with the new weights.

        Raises
        ------
        TypeError
            If `weights` is not a mapping, or has a tensor that NumPy cannot read.
        ValueError
            If a name is unknown, a shape is wrong, or a value is not finite; with
            ``strict=False``, if no array fits. In this case no weight is changed.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skconvnet import MLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MLPClassifier((4,), max_iter=500, tol=0.01, random_state=0)
        >>> clf = clf.initialize(X, y).set_weights({"output/bias": [0.5, 0, -0.5]})
        >>> clf = clf.fit(X, y)  # starts from these biases and the initial kernels
        """
        check_is_fitted(self)
        fits, left_out = fitting_weights(self.network_, weights, strict=strict)
        replace_weights(self.network_, fits)
        self.weights_left_out_ = left_out
        # The weights may be those of a network that was fitted in another unit.
        self._usual_values = None
        self._names_set = frozenset(fits) | (self._names_set or frozenset())
        return self
