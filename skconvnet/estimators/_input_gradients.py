"""Gradients of scores with respect to samples: how a network depends on its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted

from skconvnet.engine.blas_threads import resolve_n_threads
from skconvnet.engine.finite import check_gradients
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.interrupts import HeldInterrupts, ReleasedInterrupts
from skconvnet.engine.network import Network
from skconvnet.engine.predictor import Predictor
from skconvnet.engine.ragged import MapList
from skconvnet.engine.sample_form import SampleForm
from skconvnet.engine.tokens import refuse_tokens
from skconvnet.estimators._arguments import explains_arguments
from skconvnet.estimators._data_format import is_channels_first
from skconvnet.estimators._explained_scores import target_scores
from skconvnet.inspection.attribution.blocks import Runner
from skconvnet.inspection.attribution.samples import ExplainedSamples
from skconvnet.losses import Loss

if TYPE_CHECKING:
    from skconvnet.estimators._input_validation import CheckedX


class InputGradients:
    """What an estimator says about how its scores depend on X."""

    if TYPE_CHECKING:  # of the estimator
        network_: Network
        _loss: Loss
        _targets: Any
        n_jobs: int | None

        def _checked_inputs(self, X: object) -> tuple[CheckedX, Inputs]: ...

    @explains_arguments
    def input_gradients(
        self, X: npt.ArrayLike, target: npt.ArrayLike | None = None
    ) -> npt.NDArray[Any] | list[npt.NDArray[Any]]:
        """Return the gradient of a score of each sample with respect to the sample.

        The score of a classifier is the raw score of a class, before the softmax or
        logistic function; with two classes, the score of ``classes_[0]`` is minus that
        of ``classes_[1]``. The score of a regressor is the prediction, in the units of
        y. Layers behave as in `predict`. Scaling of X by the network is part of it, but
        `predict_augmentation` is not.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The samples. They must not be sparse.
        target : label, int or array-like of shape (n_samples,), default=None
            The class; for regressors, and classifiers of several labels, the index of
            an output. An array has one for each sample. None means the predicted class
            of each sample, or the first output.

        Returns
        -------
        gradients : ndarray in the shape of X, or list of ndarray
            In the dtype of the network. Samples of different sizes give a list.

        Raises
        ------
        TypeError, ValueError
            If X is sparse, `target` is not known, the network takes tokens, or it
            predicts maps, which have a score at each position.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skconvnet import MLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MLPClassifier((4,), max_iter=500, tol=0.01, random_state=0).fit(X, y)
        >>> clf.input_gradients(X, target=2).shape
        (150, 4)
        """
        check_is_fitted(self)
        refuse_tokens(
            self.network_,
            hint="skconvnet.inspection.attribute explains the tokens of a text.",
        )
        samples = self._explained_samples(X, target)
        n_threads = samples.runner.n_threads
        predictor = Predictor(self.network_, self._loss, n_threads)
        with HeldInterrupts(), predictor, ReleasedInterrupts():
            gradients = predictor.input_gradients(samples.inputs, samples.targets)
        form = samples.form
        if isinstance(gradients, list):
            for number, gradient in enumerate(gradients):
                check_gradients(gradient[np.newaxis], np.array([number]))
            return [form.restored(gradient[np.newaxis])[0] for gradient in gradients]
        check_gradients(gradients, np.arange(len(gradients)))
        return form.restored(gradients)

    def _explained_samples(self, X: object, target: object) -> ExplainedSamples:
        """Return a validated X with the scores in question, for gradients of them."""
        check_is_fitted(self)
        _refuse_sparse(X)
        checked, inputs = self._checked_inputs(X)
        _refuse_sparse(checked)
        runner = Runner(self._loss, resolve_n_threads(self.n_jobs))
        if isinstance(checked, MapList):
            shapes = [one.shape for one in checked.maps]
        else:
            shapes = [checked.shape[1:]] * len(inputs)
        return ExplainedSamples(
            self.network_,
            inputs,
            target_scores(
                self._targets,
                self._loss,
                target,
                network=self.network_,
                inputs=inputs,
                n_threads=runner.n_threads,
            ),
            SampleForm(len(shapes[0]), is_channels_first(self)),
            shapes,
            runner,
        )


def _refuse_sparse(X: object) -> None:
    if issparse(X):
        raise TypeError(
            "X must be dense, since the gradient of every value is computed, also of "
            "those that are 0; got a sparse matrix. Pass X.toarray(), a few samples at "
            "a time if they are long."
        )
