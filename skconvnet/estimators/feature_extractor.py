"""FeatureExtractor: the activations of a layer as features for other estimators."""

from __future__ import annotations

import warnings
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    TransformerMixin,
    _fit_context,
    clone,
)
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_is_fitted,
)

from skconvnet._foreign_words import Words
from skconvnet._typing import Rows, Shape
from skconvnet.engine.output_sizes import DifferentSizesError
from skconvnet.estimators._fitted_network import FittedNetwork
from skconvnet.estimators._introspection import position_after
from skconvnet.params.constraints import BOOLEAN, check_values
from skconvnet.params.known_names import KnownNames
from skconvnet.params.naming import OUTPUT_NAME

if TYPE_CHECKING:
    from onnx import ModelProto

_NETWORKS = "ConvNet*, Sequential* or MLP*"
_HOW_TO_KEEP_COLUMNS = (
    "Set pooling='avg' or 'max', which gives one column per channel, or pass samples "
    "of the size of those in fit."
)


@dataclass(eq=False, repr=False)
class FeatureExtractor(TransformerMixin, MetaEstimatorMixin, KnownNames):
    """Transform samples to the activations of a layer of a network.

    A network that is trained to predict y computes features of its input on the way.
    As rows, they are the input of any other estimator, for example in a Pipeline.

    Parameters
    ----------
    estimator : estimator
        A `ConvNetClassifier`, `SequentialRegressor` or another estimator of this
        package. `fit` fits a clone of it, unless ``prefit=True``.
    layer : str
        The name of the layer, as in the `summary` of the estimator.
    prefit : bool, default=False
        Whether `estimator` is fitted already, and is used as it is. Then `fit` only
        checks the parameters, clones share the estimator, and its parameters cannot be
        set as ``estimator__...``.
    pooling : {"avg", "max"}, default=None
        How a map of shape (height, width, channels), or of any other number of spatial
        axes, becomes a row: its mean or its maximum over all positions, one feature per
        channel. None means all values of the map, channels last. Flat activations stay
        as they are.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.
    n_features_in_ : int
        Number of features, or of numbers, of a sample of X in `fit`. Not available for
        samples of different sizes.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X in `fit`, if all of them are strings.

    See Also
    --------
    skconvnet.ConvNetClassifier.activations : The same activations as maps.
    sklearn.frozen.FrozenEstimator : Another way to mark `estimator` as fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from skconvnet import ConvNetClassifier, FeatureExtractor
    >>> X, y = load_digits(return_X_y=True)
    >>> net = ConvNetClassifier((8, 16), hidden_layer_sizes=32, max_iter=5, tol=0.5,
    ...                         n_iter_no_change=1, random_state=0)
    >>> model = make_pipeline(FeatureExtractor(net, "dense1"), SVC(C=10))
    >>> model.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    >>> model[:-1].get_feature_names_out()[:2]
    array(['dense1_0', 'dense1_1'], dtype=object)
    """

    estimator: BaseEstimator
    layer: str
    prefit: bool = field(default=False, kw_only=True)
    pooling: str | None = field(default=None, kw_only=True)

    _words: ClassVar[Words] = {"layer_name": "layer", "network": "estimator"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "layer": [str],
        "prefit": BOOLEAN,
        "pooling": [StrOptions({"avg", "max"}), None],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike | None = None,
        **fit_params: object,
    ) -> Self:
        """Fit a clone of the estimator, unless it is fitted already.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The training samples, as the estimator takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The target values. Only with ``prefit=True`` may they be left out.
        **fit_params : dict
            Arguments of the estimator's `fit`, such as `sample_weight`, `X_val` and
            `y_val`. If metadata routing is enabled, the estimator has to request them.

        Returns
        -------
        self : object
            The fitted transformer. If fit raises an error, it is left unchanged.

        Raises
        ------
        ValueError
            If the network has no layer of this name; with ``prefit=True``, if there are
            `fit_params`, which could have no effect.
        NotFittedError
            If ``prefit=True`` and the estimator is not fitted.
        """
        if self.prefit:
            self._refuse(fit_params)
            self._check_fitted()
            self.estimator_ = self.estimator
            return self
        if _routing_enabled():
            fit_params = process_routing(self, "fit", **fit_params).estimator.fit
        self._check_layer(X, y)
        own = clone(self.estimator).fit(X, y, **fit_params)
        position_after(own.network_, self.layer)
        self.estimator_ = own
        return self

    def transform(self, X: npt.ArrayLike) -> Rows:
        """Return the activations of the layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The samples, as the estimator takes them.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out)
            The features, of the dtype of the network.

        Raises
        ------
        ValueError
            If activations are maps of another size than in fit, or of several sizes,
            and there is no `pooling`.
        """
        network = self._fitted_network()
        stop = position_after(network.network_, self.layer)
        try:
            features = network._outputs(  # noqa: SLF001  of the same package
                X, stop=stop, pooling=self.pooling
            )
        except DifferentSizesError:
            features = None
        if features is None or isinstance(features, list):
            raise ValueError(
                f"X has samples of different sizes, for which layer={self.layer!r} "
                f"gives rows of different lengths. {_HOW_TO_KEEP_COLUMNS}"
            )
        self._check_shape(features.shape[1:])
        if stop is None:
            features = network._targets.unscaled(features)  # noqa: SLF001  likewise
        rows: Rows = features.reshape(len(features), -1)
        return rows

    def _check_shape(self, shape: Shape) -> None:
        """Raise an error unless the activations have the shape of those in fit."""
        expected = self._out_shape()
        if shape != expected:
            raise ValueError(
                f"layer={self.layer!r} gives activations of shape {shape} for X, "
                f"{prod(shape)} columns, but gave {expected} in fit, {prod(expected)} "
                f"columns. {_HOW_TO_KEEP_COLUMNS}"
            )

    def get_feature_names_out(
        self, input_features: npt.ArrayLike | None = None
    ) -> npt.NDArray[np.object_]:
        """Return the names of the features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Only compared with the names of the columns of X in `fit`, if any.

        Returns
        -------
        names : ndarray of str
            For flat or pooled activations, ``"layer_i"``. For maps, the indices along
            all axes, channels last: ``"layer_row_column_channel"``.
        """
        shape = self._out_shape()
        _check_feature_names_in(self, input_features, generate_names=False)
        indices = product(*map(range, shape))
        names = ["_".join([self.layer, *map(str, index)]) for index in indices]
        return np.array(names, dtype=object)

    def _to_onnx(self, X: npt.ArrayLike, *, opset: int | None) -> ModelProto:
        """Return the transformer as a model of ONNX, for samples like those of X."""
        from skconvnet.onnx.features import FeaturesHead
        from skconvnet.onnx.graph import check_opset

        network = self._fitted_network()
        stop = position_after(network.network_, self.layer)
        if stop is None:
            raise ValueError(
                f"layer={self.layer!r} is the output layer, which is not exported to "
                "ONNX as features. Choose a layer before it, or export the estimator."
            )
        head = FeaturesHead(self.pooling)
        return network._onnx_model(  # noqa: SLF001  of the same package
            X, head, opset=check_opset(opset), stop=stop
        )

    def _out_shape(self) -> Shape:
        network = self._fitted_network().network_
        position_after(network, self.layer)
        shape = network.layers[self.layer].out_shape
        return shape if self.pooling is None else shape[-1:]

    @property
    def _n_features_out(self) -> int:
        return prod(self._out_shape())

    def _fitted_network(self) -> FittedNetwork[Any]:
        """Return the estimator that has the network."""
        check_is_fitted(self)
        if not hasattr(self, "estimator_"):
            self._validate_params()
        network: FittedNetwork[Any] = _unwrapped(
            getattr(self, "estimator_", self.estimator)
        )
        return network

    def _validate_params(self) -> None:
        check_values(self, self._parameter_constraints)
        if not isinstance(_unwrapped(self.estimator), FittedNetwork):
            raise TypeError(
                f"estimator must be an estimator of skconvnet, such as {_NETWORKS}; "
                f"got {self.estimator!r}."
            )

    def _check_fitted(self) -> None:
        try:
            check_is_fitted(self.estimator)
        except NotFittedError as error:
            raise NotFittedError(
                f"With prefit=True, estimator must be fitted; got {self.estimator!r}, "
                "which is not. Fit it, or set prefit=False."
            ) from error
        position_after(_unwrapped(self.estimator).network_, self.layer)

    def _check_layer(self, X: object, y: object) -> None:
        """Raise an error for an unknown layer before training takes its time."""
        planned: Any = clone(self.estimator)
        if not planned.__sklearn_is_fitted__():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # fit issues them, too
                    planned.initialize(X, y)
            except Exception:  # fit raises it again
                return
        position_after(planned.network_, self.layer)

    @staticmethod
    def _refuse(fit_params: dict[str, object]) -> None:
        given = [name for name, value in fit_params.items() if value is not None]
        if given:
            raise ValueError(
                f"With prefit=True nothing is fitted, so {', '.join(given)} would have "
                "no effect; leave it out, or set prefit=False."
            )

    def set_params(self, **params: object) -> Self:
        """Set the parameters, as in scikit-learn.

        Parameters
        ----------
        **params : dict
            Names and values of parameters. ``estimator__parameter`` is a parameter of
            the estimator, for example ``estimator__conv1__filters``.

        Returns
        -------
        self : object
        """
        nested = [name for name in params if name.startswith("estimator__")]
        if nested and params.get("prefit", self.prefit):
            raise ValueError(
                f"{nested[0]} cannot be set with prefit=True, which uses the estimator "
                "as it was fitted. Set it before the estimator is fitted, or set "
                "prefit=False."
            )
        super().set_params(**params)
        return self

    @property
    def n_features_in_(self) -> int:
        """Number of features, or of numbers, of a sample of X in `fit`."""
        n: int = self._attribute_of_fitted("n_features_in_")
        return n

    @property
    def feature_names_in_(self) -> npt.NDArray[Any]:
        """Names of the columns of X in `fit`."""
        names: npt.NDArray[Any] = self._attribute_of_fitted("feature_names_in_")
        return names

    def _attribute_of_fitted(self, name: str) -> Any:  # noqa: ANN401  any attribute
        if self.__sklearn_is_fitted__():
            return getattr(self._fitted_network(), name)
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how arguments of `fit` are routed to the estimator.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping()
        if not self.prefit:
            mapping.add(caller="fit", callee="fit")
            mapping.add(caller="fit_transform", callee="fit")
        router = MetadataRouter(owner=self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_is_fitted__(self) -> bool:
        if hasattr(self, "estimator_"):
            return True
        is_fitted = getattr(self.estimator, "__sklearn_is_fitted__", None)
        return bool(self.prefit) and is_fitted is not None and is_fitted()

    def __sklearn_clone__(self) -> Self:
        new: Self = super().__sklearn_clone__()
        if self.prefit:  # a clone of the estimator would not be fitted
            new.estimator = self.estimator
        return new

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  scikit-learn has no types
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = deepcopy(inner.input_tags)
        tags.target_tags = deepcopy(inner.target_tags)
        tags.target_tags.required = inner.target_tags.required and not self.prefit
        # Predictions of a regressor are in the units of y, in float64.
        kept = ["float64"] if self.layer == OUTPUT_NAME else ["float64", "float32"]
        is_auto = getattr(self.estimator, "dtype", None) == "auto"
        tags.transformer_tags.preserves_dtype = kept if is_auto else []
        return tags


def _unwrapped(estimator: object) -> Any:  # noqa: ANN401  what a FrozenEstimator has
    """Return the estimator inside of a FrozenEstimator, or the estimator itself."""
    if isinstance(estimator, FittedNetwork):
        return estimator
    return getattr(estimator, "estimator", estimator)
