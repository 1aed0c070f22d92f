"""The base class of what an estimator does with its network: predict, show, save."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from skconvnet._pickles import add_layout, check_layout
from skconvnet._typing import Rows, Shape
from skconvnet.engine.blas_threads import resolve_n_threads
from skconvnet.engine.finite import check_outputs
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.map_targets import MapTargets
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.estimators._arguments import explains_arguments
from skconvnet.estimators._attributes import attribute_hint
from skconvnet.estimators._callbacks import without_callbacks
from skconvnet.estimators._data_format import is_channels_first
from skconvnet.estimators._html_repr import (
    ParamsAndLayers,
    nested_params_html,
    planned_layers_html,
    rows_of_shape,
)
from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.estimators._input_gradients import InputGradients
from skconvnet.estimators._input_validation import (
    CheckedX,
    check_weights,
    check_X,
    check_X_and_y,
)
from skconvnet.estimators._introspection import (
    loss_and_gradients,
    outputs_of,
    position_after,
)
from skconvnet.estimators._layer_factors import alpha_factors
from skconvnet.estimators._map_form import Scores
from skconvnet.estimators._map_sizes import in_any_size
from skconvnet.estimators._network_builder import Entry, make_inputs, make_samples
from skconvnet.estimators._onnx_export import OnnxExport
from skconvnet.estimators._padded_steps import leave_out_padding
from skconvnet.estimators._position_weights import (
    CheckedY,
    PositionWeights,
    are_maps,
)
from skconvnet.estimators._reading import warn_of_row_order
from skconvnet.estimators._sample_shape import check_same_shape, resolve_shape
from skconvnet.estimators._series_frames import without_frames
from skconvnet.estimators._single_sample import refuse_single_sample
from skconvnet.estimators._size_errors import check_sizes
from skconvnet.estimators._targets import Targets
from skconvnet.estimators._units import UsualValues, warn_of_other_unit
from skconvnet.estimators._versions import make_means
from skconvnet.estimators._weight_files import WeightFiles
from skconvnet.inspection.layer_table import html_layer_table
from skconvnet.inspection.summary import format_summary, summary_rows
from skconvnet.losses import Loss

_T = TypeVar("_T", bound=Targets)


@dataclass(kw_only=True, eq=False, repr=False)
class FittedNetwork(
    InputGradients, WeightFiles, OnnxExport, TrainingParams, ABC, Generic[_T]
):
    """What estimators do with the network that they have: predict, show it, save it.

    Attributes
    ----------
    network_ : Network
        Not there before the network is built.
    """

    if TYPE_CHECKING:  # not hyperparameters, which fields are at run time
        network_: Network = field(init=False)
        _targets: _T = field(init=False)
        _loss: Loss = field(init=False)
        _names_set: frozenset[str] | None = field(init=False)
        _usual_values: UsualValues | None = field(init=False)

    _input_checks: ClassVar[dict[str, Any]] = {}
    # Whether y may have a target for each position of maps.
    _takes_map_targets: ClassVar[bool] = False

    def __init_subclass__(cls, **options: object) -> None:
        """Merge the constraints and checks of a class with those of its bases."""
        super().__init_subclass__(**options)
        for name in ("_parameter_constraints", "_input_checks"):
            of_classes = [vars(base).get(name, {}) for base in reversed(cls.__mro__)]
            setattr(cls, name, dict(chain.from_iterable(d.items() for d in of_classes)))

    @abstractmethod
    def _hidden_layers(self, in_shape: Shape, *, is_guessed: bool) -> list[Entry]:
        """Return the named layers between the input and the output layer.

        `is_guessed` says that X consists of rows, whose shape `in_shape` was guessed.
        """

    def _spatial_ndim_of(
        self,
        X: CheckedX,  # noqa: ARG002  for subclasses
    ) -> int | None:
        """Return the number of spatial axes of a sample; None or 0 if any will do."""
        return None

    def _encode(self, y: CheckedY, *, exact: bool) -> Rows | MapTargets:
        """Return the targets of a validated y, see `Targets.encode`."""
        if self._targets.form is not None:
            self._targets.form.check(y)
            return self._targets.encode_maps(y, exact=exact)
        if are_maps(y):
            raise ValueError(
                f"y has shape {y.shape}, but {type(self).__name__} was fitted on flat "
                "targets, of shape (n_samples,) or (n_samples, n_outputs)."
            )
        assert isinstance(y, np.ndarray)
        return self._targets.encode(y, exact=exact)

    def _class_weights(
        self,
        y: CheckedY,  # noqa: ARG002  classifiers use it
        weights: PositionWeights | None,
        *,
        incremental: bool,  # noqa: ARG002  classifiers use it
    ) -> PositionWeights | None:
        """Return the sample weights, multiplied by the class weights if any."""
        return weights

    def _shape_of_samples(self, X: CheckedX) -> Shape:
        """Return the shape of a sample that a new network is built for."""
        return resolve_shape(
            X,
            self._spatial_ndim_of(X),
            getattr(self, "input_shape", None),
            data_format=getattr(self, "data_format", None),
        )

    def _check_shape(self, X: CheckedX, name: str = "X") -> None:
        """Raise an error unless the samples of X have a shape for the network."""
        check_same_shape(self, X, self.network_.in_shape, name)
        check_sizes(self, X, name)
        warn_of_row_order(self, X, self.network_.in_shape)

    def _make_samples(
        self,
        X: CheckedX,
        targets: Rows | MapTargets,
        weights: PositionWeights | None,
        *,
        suffix: str = "",
    ) -> Samples:
        """Return the samples of a validated X, with their targets and weights."""
        return make_samples(
            self.network_,
            X,
            targets
            if isinstance(targets, MapTargets)
            else self._targets.scaled(targets),
            weights,
            channels_first=is_channels_first(self),
            suffix=suffix,
        )

    def _raw_scores(self, X: object) -> Scores:
        """Return the scores before the output activation.

        With `predict_augmentation`, they are those that give the mean prediction.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_outputs)
            Of shape (n_samples, *spatial, n_outputs) if they are maps, or a list of
            such arrays if the samples differ in size.
        """
        check_is_fitted(self)
        scores: Scores = self._outputs(X, scores=True, is_mean=True)
        return scores

    def _checked_inputs(self, X: object) -> tuple[CheckedX, Inputs]:
        """Return a validated X, and what reads its samples."""
        any_size = not hasattr(self, "n_features_in_")
        X = without_frames(self, X, reset=False)
        refuse_single_sample(
            X,
            self.network_.in_shape,
            any_size=any_size,
            channels_first=is_channels_first(self),
        )
        checked = check_X(self, X, reset=False, **self._input_checks)
        checked = in_any_size(self, checked)
        self._check_shape(checked)
        inputs = make_inputs(
            self.network_, checked, channels_first=is_channels_first(self)
        )
        warn_of_other_unit(self, inputs)
        return checked, inputs

    def _outputs(
        self,
        X: object,
        *,
        stop: int | None = None,
        scores: bool = False,
        pooling: str | None = None,
        is_mean: bool = False,
    ) -> Any:  # noqa: ANN401  an array, or a list of maps of different sizes
        """Return predictions, raw scores, or activations before layer `stop`.

        If `is_mean`, `predict_augmentation` is part of them.
        """
        _, inputs = self._checked_inputs(X)
        outputs = outputs_of(
            self.network_,
            self._loss,
            inputs,
            n_threads=resolve_n_threads(self.n_jobs),
            stop=stop,
            scores=scores,
            pooling=pooling,
            means=make_means(self, inputs) if is_mean else None,
        )
        for one in outputs if isinstance(outputs, list) else [outputs]:
            check_outputs(one, is_prediction=stop is None)
        return outputs

    @explains_arguments
    def loss_gradients(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> tuple[float, dict[str, npt.NDArray[Any]]]:
        """Return the loss that `fit` minimizes, and its gradient for every weight.

        The loss is the weighted mean over the samples plus the penalty on all kernels,
        ``alpha * ((1 - l1_ratio) / 2 * |w|^2 + l1_ratio * |w|_1)``, divided by the sum
        of the sample weights. Dropout is switched off. Squared errors are summed over
        the outputs, although `MLPRegressor` reports their mean as `loss_`. Losses of
        positions are averaged over a sample.

        Parameters
        ----------
        X, y, sample_weight : array-like
            As in `fit`. y must not contain classes that `fit` did not see.

        Returns
        -------
        loss : float
            The loss, the penalty included.
        gradients : dict of str to ndarray
            The gradients, by the keys of `get_weights`. Frozen layers have none.
        """
        check_is_fitted(self)
        maps, labels = check_X_and_y(self, X, y, reset=False, **self._input_checks)
        maps = in_any_size(self, maps)
        self._check_shape(maps)
        weights = check_weights(sample_weight, maps, labels, self._targets.form)
        labels, weights = leave_out_padding(self, maps, labels, weights)
        targets = self._encode(labels, exact=False)
        weights = self._class_weights(labels, weights, incremental=False)
        samples = self._make_samples(maps, targets, weights)
        warn_of_other_unit(self, samples.inputs)
        return loss_and_gradients(
            self.network_,
            self._loss.objective(),
            samples,
            n_threads=resolve_n_threads(self.n_jobs),
            alpha=self.alpha,
            l1_ratio=self.l1_ratio,
            alpha_factors=alpha_factors(self, self.network_),
        )

    @explains_arguments
    def activations(self, X: npt.ArrayLike, layer: str) -> npt.NDArray[Any]:
        """Return the output of a layer for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The input samples.
        layer : str
            The name of a layer, as in `summary`. For ``"output"``, the predictions are
            returned, after the softmax, logistic or exponential function that belongs
            to the loss. `predict_augmentation` has no part in them.

        Returns
        -------
        activations : ndarray of shape (n_samples, *out_shape)
            The output of the layer, channels last.
        """
        check_is_fitted(self)
        stop = position_after(self.network_, layer)
        outputs = self._outputs(X, stop=stop)
        return self._targets.unscaled(outputs) if stop is None else outputs

    @explains_arguments
    def summary(self) -> str:
        """Return a table of the layers: name, kind, output shape and weights.

        Returns
        -------
        summary : str
            The table. Shapes are channels last, without the batch.
        """
        check_is_fitted(self)
        return format_summary(self.network_)

    if not TYPE_CHECKING:  # type checkers would take any attribute as present

        def __getattr__(self, name: str) -> NoReturn:
            """Raise the error for a missing attribute, with a suggestion if any."""
            try:
                object.__getattribute__(self, name)
            except AttributeError as error:
                hint = attribute_hint(self, name)
                if not hint:
                    raise
                raise AttributeError(f"{error}.{hint}") from None

    def _get_params_html(
        self, deep: bool = True, doc_link: str = ""
    ) -> ParamsAndLayers:
        """Return what notebooks show: the layers, and then the parameters."""
        own = super()._get_params_html(deep=False, doc_link=doc_link)
        nested = nested_params_html(self.get_params(deep=True)) if deep else ""
        return ParamsAndLayers(own, self._layers_html(), nested)

    def _layers_html(self) -> str:
        """Return the table of layers in HTML, or "" if they are not known."""
        try:
            if hasattr(self, "network_"):
                return html_layer_table(summary_rows(self.network_))
            self._validate_params()
            rows = rows_of_shape(getattr(self, "input_shape", None))
            if rows is None:
                return ""
            in_shape = self._shape_of_samples(rows)
            layers = self._hidden_layers(in_shape, is_guessed=False)
            return planned_layers_html(layers, in_shape)
        except Exception:  # fit reports wrong parameters; showing them must not fail
            return ""

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  scikit-learn has no types
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = "accept_sparse" in self._input_checks
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        # The optimizer's moments may take twice the size of the weights. They are saved
        # only if the last call was partial_fit, whose next call continues from them.
        if "_state" in state and not state["_is_incremental"]:
            state["_state"] = None
        state = without_callbacks(state)
        add_layout(state)
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        own = dict(state)
        check_layout(own, type(self).__name__)
        super().__setstate__(own)
