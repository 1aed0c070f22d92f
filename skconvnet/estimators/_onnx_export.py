"""The method of all estimators that exports them to ONNX."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted

from skconvnet._typing import Shape
from skconvnet.engine.network import Network
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._arguments import explains_arguments
from skconvnet.estimators._data_format import is_channels_first, last_to_first
from skconvnet.estimators._input_validation import CheckedX, check_X
from skconvnet.estimators._sample_shape import with_channels
from skconvnet.estimators._series_frames import without_frames
from skconvnet.estimators._single_sample import refuse_single_sample
from skconvnet.estimators._targets import ClassTargets, StandardizedTargets, Targets
from skconvnet.estimators._versions import refuse_versions
from skconvnet.losses import Loss
from skconvnet.losses.grouped import GroupedLoss

if TYPE_CHECKING:
    from onnx import ModelProto

    from skconvnet.onnx.heads import Head


class OnnxExport:
    """What an estimator needs to be exported to ONNX."""

    if TYPE_CHECKING:
        network_: Network
        _targets: Targets
        _loss: Loss
        _input_checks: ClassVar[dict[str, Any]]

    @abstractmethod
    def _check_shape(self, X: CheckedX, name: str = "X") -> None:
        """Raise an error unless the samples of X have a shape for the network."""

    @explains_arguments
    def to_onnx(
        self,
        X: npt.ArrayLike | None = None,
        *,
        zipmap: bool = False,
        raw_scores: bool = False,
        dtype: npt.DTypeLike | None = None,
        opset: int | None = None,
    ) -> ModelProto:
        """Return the fitted estimator as a model of ONNX.

        The model takes any number of samples at once as "X", and does not check their
        values. The outputs of a classifier are "label" and "probabilities", or
        "probabilities_0", "probabilities_1" and so on for several columns of labels; a
        regressor has "variable", of shape (n_samples, n_outputs). Predictions of maps
        have the shape that `predict` returns. Needs the package onnx, from the extra
        ``onnx``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            Any samples, which have the dtype and the shape of those that the model is
            to take. None stands for float32, in the shape of the network's input.
        zipmap : bool, default=False
            Whether "probabilities" are a map from labels to numbers for each sample,
            instead of a tensor of shape (n_samples, n_classes). For classifiers that
            predict no maps.
        raw_scores : bool, default=False
            Whether "probabilities" are replaced by "scores", those of
            `decision_function`. Losses without probabilities always have them. For
            classifiers.
        dtype : {"float32", "float64"}, default=None
            The dtype that the model computes in; None means that of the network.
            "float32" makes the model of a float64 network smaller and much faster.
        opset : int, default=None
            Version of the operators, 13 or later. None means 18.

        Returns
        -------
        model : onnx.ModelProto
            ``model.SerializeToString()`` are the bytes of a file.

        Raises
        ------
        ValueError
            If a layer or a label is not part of ONNX, or `predict_augmentation` is set.

        Examples
        --------
        >>> import onnxruntime
        >>> from sklearn.datasets import load_iris
        >>> from skconvnet import MLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MLPClassifier((9,), solver="lbfgs", random_state=0).fit(X, y)
        >>> content = clf.to_onnx(X[:1]).SerializeToString()
        >>> session = onnxruntime.InferenceSession(content)
        >>> label, probabilities = session.run(None, {"X": X})
        >>> bool((label == clf.predict(X)).all()), probabilities.shape
        (True, (150, 3))
        """
        from skconvnet.onnx.graph import check_opset

        check_is_fitted(self)
        opset = check_opset(opset)
        head = self._onnx_head(zipmap=zipmap, raw_scores=raw_scores)
        return self._onnx_model(X, head, dtype=dtype, opset=opset)

    def _onnx_model(
        self,
        X: npt.ArrayLike | None,
        head: Head,
        *,
        opset: int,
        dtype: npt.DTypeLike | None = None,
        stop: int | None = None,
    ) -> ModelProto:
        """Return a model of the first `stop` layers, or of all, and of the head."""
        from skconvnet.onnx.model import network_model

        network, channels_first = self.network_, is_channels_first(self)
        own_dtype = network.dtype if dtype is None else _checked_dtype(dtype)
        if X is None:
            input_dtype, shape = np.dtype(np.float32), network.in_shape
            shape = last_to_first(shape) if channels_first else shape
        else:
            input_dtype, shape, in_shape = self._samples_of(X)
            network = network.for_shape(in_shape)
        return network_model(
            network,
            head,
            dtype=own_dtype,
            input_dtype=input_dtype,
            shape=shape,
            is_channels_first=channels_first,
            opset=opset,
            name=type(self).__name__,
            stop=stop,
        )

    def _onnx_head(self, *, zipmap: bool, raw_scores: bool) -> Head:
        """Return what follows the output layer."""
        from skconvnet.onnx.columns import ColumnsHead
        from skconvnet.onnx.heads import ClassifierHead, RegressorHead

        refuse_versions(self)
        targets, loss = self._targets, self._loss
        for name, value in (("zipmap", zipmap), ("raw_scores", raw_scores)):
            if not isinstance(value, (bool, np.bool_)):
                raise TypeError(f"{name} must be True or False; got {value!r}.")
            if value and not isinstance(targets, ClassTargets):
                raise ValueError(
                    f"{name}=True is for classifiers; a {type(self).__name__} has no "
                    f"probabilities or scores of classes. Leave {name} out."
                )
        form = targets.form
        if isinstance(targets, ClassTargets) and isinstance(loss, GroupedLoss):
            return ColumnsHead(
                targets.classes,
                loss.loss,
                with_scores=bool(raw_scores) or not loss.is_probabilistic,
                zipmap=bool(zipmap),
            )
        if isinstance(targets, ClassTargets):
            assert targets.binarizer is not None
            return ClassifierHead(
                targets.classes,
                loss,
                is_exclusive=targets.is_exclusive,
                is_multilabel=targets.binarizer.y_type_.startswith("multilabel"),
                with_scores=bool(raw_scores) or not loss.is_probabilistic,
                zipmap=bool(zipmap),
                has_label_axis=form is not None and form.n_channels == 1,
            )
        has_channels = form is None or form.n_channels is not None
        if isinstance(targets, StandardizedTargets):
            mean, deviation = targets.mean, targets.deviation
            return RegressorHead(loss, mean, deviation, has_channels=has_channels)
        return RegressorHead(loss, has_channels=has_channels)

    def _samples_of(self, X: Any) -> tuple[np.dtype[Any], Shape, Shape]:  # noqa: ANN401  what users pass
        """Return dtype and shape of the samples of X, and the shape channels last."""
        if issparse(X):
            raise TypeError(
                "X must be dense, since ONNX has no sparse input for a network; got a "
                f"{type(X).__name__}. Pass X[:1].toarray(), and dense samples to the "
                "model."
            )
        in_shape, channels_first = self.network_.in_shape, is_channels_first(self)
        X = without_frames(self, X, reset=False)
        refuse_single_sample(
            X,
            in_shape,
            any_size=not hasattr(self, "n_features_in_"),
            channels_first=channels_first,
        )
        checked = check_X(self, X, reset=False, **self._input_checks)
        self._check_shape(checked)
        # Validation may convert X, but the model is to take what users have.
        is_real = isinstance(X, np.ndarray) and X.dtype.kind in "fiub"
        dtype = X.dtype if is_real else checked.dtype
        if not isinstance(checked, MapList):
            return dtype, tuple(checked.shape[1:]), in_shape
        if len(checked.shapes) > 1:
            raise ValueError(
                "X must have samples of one size, which the model is then for; got "
                f"samples of shapes {sorted(checked.shapes)[:3]}. Export a model for "
                "each size."
            )
        own = with_channels(checked, in_shape)
        return dtype, checked.maps[0].shape, own.maps[0].shape


def _checked_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return the dtype that a model computes in, or raise an error."""
    try:
        own = np.dtype(dtype)
    except TypeError:
        own = np.dtype(object)
    if own not in (np.float32, np.float64):
        raise ValueError(
            "dtype must be 'float32', 'float64' or None, which means the dtype of the "
            f"network; got {dtype!r}."
        )
    return own
