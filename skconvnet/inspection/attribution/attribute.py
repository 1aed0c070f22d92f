"""The function that explains predictions, by the name of a method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from skconvnet._checks import check_choice
from skconvnet._suggestions import did_you_mean
from skconvnet.inspection.attribution.base import AttributionMethod
from skconvnet.inspection.attribution.grad_cam import GradCam
from skconvnet.inspection.attribution.input_x_gradient import InputXGradient
from skconvnet.inspection.attribution.integrated_gradients import IntegratedGradients
from skconvnet.inspection.attribution.occlusion import Occlusion
from skconvnet.inspection.attribution.saliency import Saliency
from skconvnet.inspection.attribution.smooth_grad import SmoothGrad

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

METHODS: dict[str, type[AttributionMethod]] = {
    "saliency": Saliency,
    "input_x_gradient": InputXGradient,
    "integrated_gradients": IntegratedGradients,
    "smooth_grad": SmoothGrad,
    "grad_cam": GradCam,
    "occlusion": Occlusion,
}


def attribute(
    estimator: BaseEstimator,
    X: npt.ArrayLike,
    method: str = "saliency",
    target: npt.ArrayLike | None = None,
    **options: Any,  # noqa: ANN401  the options of the method
) -> npt.NDArray[Any] | list[npt.NDArray[Any]]:
    """Say which parts of each sample its score depends on.

    The score is the raw score of a class, before softmax or logistic function, or the
    prediction of a regressor. `skconvnet.MLPClassifier.input_gradients` says which
    scores there are.

    ==========================  =====================================================
    method                      attribution of a value, and options
    ==========================  =====================================================
    ``"saliency"``              absolute gradient of the score [1]_
    ``"input_x_gradient"``      value times gradient [2]_
    ``"integrated_gradients"``  difference from ``baseline=0.0`` (a number, or an
                                array of the shape of a sample or of X), times the
                                mean gradient at ``n_steps=50`` points in between;
                                sums up to the difference of the scores [3]_
    ``"smooth_grad"``           mean gradient over ``n_samples=50`` copies with noise
                                of the standard deviation ``noise_level=0.15``, as a
                                share of the range of the sample; ``random_state=None``
                                [4]_
    ``"grad_cam"``              heat map of the positions that speak for the score,
                                from ``layer=None``, the last layer with spatial axes
                                [5]_
    ``"occlusion"``             fall of the score while a window is replaced by
                                ``fill=0.0`` (a number or an array, like `baseline`);
                                ``window=None`` is a quarter of each spatial length, 1
                                for rows, and ``stride=None`` half of the window [6]_
    ==========================  =====================================================

    Lengths of windows are an int, or one for each spatial axis of the samples as the
    network sees them, which `summary` shows: rows that an estimator takes as images
    have two.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of this package. For a Pipeline, pass its last step, and X as
        the steps before it transform it.
    X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
        The samples, or a list of samples.
    method : str, default="saliency"
        One of the methods above.
    target : label, int or array-like of shape (n_samples,), default=None
        The class whose score is explained; for regressors and multilabel
        classification, the index of an output. An array has one for each sample. None
        means the predicted class of each sample, or the first output.
    **options : dict
        Options of the method.

    Returns
    -------
    attributions : ndarray in the shape of X, or list of ndarray
        A number for each number of X, in the dtype of the network. Heat maps of
        ``"grad_cam"`` are enlarged to the spatial shape of X and have no axis of
        channels: their shape is (n_samples, *spatial), and (n_samples, n_positions) for
        rows. Samples of different sizes give a list.

    Raises
    ------
    TypeError, ValueError
        If the method, the target, an option or X is invalid, if X is sparse, or if the
        network predicts maps, which have a score at each position. If the network has a
        layer of tokens such as `skconvnet.layers.Embedding`, gradients are taken of the
        vectors of the tokens, and attributions are added up for each token. That needs
        a first layer without `reduce`, except for ``"occlusion"`` and ``"grad_cam"``.

    See Also
    --------
    skconvnet.MLPClassifier.input_gradients : The gradient itself.

    References
    ----------
    .. [1] K. Simonyan, A. Vedaldi and A. Zisserman, "Deep inside convolutional
       networks: visualising image classification models and saliency maps", ICLR 2014
       workshop.
    .. [2] A. Shrikumar, P. Greenside, A. Shcherbina and A. Kundaje, "Not just a black
       box: learning important features through propagating activation differences",
       arXiv:1605.01713, 2016.
    .. [3] M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep
       networks", ICML 2017.
    .. [4] D. Smilkov, N. Thorat, B. Kim, F. Viegas and M. Wattenberg, "SmoothGrad:
       removing noise by adding noise", arXiv:1706.03825, 2017.
    .. [5] R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh and D. Batra,
       "Grad-CAM: visual explanations from deep networks via gradient-based
       localization", ICCV 2017.
    .. [6] M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional
       networks", ECCV 2014.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconvnet import ConvNetClassifier
    >>> from skconvnet.inspection import attribute
    >>> digits = load_digits()
    >>> X, y = digits.images, digits.target
    >>> clf = ConvNetClassifier(filters=8, hidden_layer_sizes=(), random_state=0)
    >>> clf = clf.fit(X, y)
    >>> attribute(clf, X[:5]).shape
    (5, 8, 8)
    >>> maps = attribute(clf, X[:5], "integrated_gradients", target=3, n_steps=20)
    >>> scores = clf.decision_function(X[:5])[:, 3]
    >>> nothing = clf.decision_function(X[:1] * 0)[:, 3]
    >>> bool(abs(maps.sum(axis=(1, 2)) - (scores - nothing)).max() < 0.1)
    True
    """
    explained = make_method(method, options)
    explain = getattr(estimator, "_explained_samples", None)
    if explain is None or isinstance(estimator, type):
        raise TypeError(_not_ours(estimator))
    return explained.explain(explain(X, target))


def make_method(method: str, options: Mapping[str, Any]) -> AttributionMethod:
    """Return a method with its options, or raise an error about its name or theirs."""
    cls = METHODS[check_choice("method", method, METHODS)]
    # All methods are dataclasses, though their base class is not one.
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    for name in options:
        if name not in known:
            own = f"Its options are {', '.join(known)}." if known else "It has none."
            hint = did_you_mean(name, known) or f" {own}"
            raise TypeError(f"method={method!r} has no option {name!r}.{hint}")
    return cls(**options)


def _not_ours(estimator: object) -> str:
    name = (
        f"the class {estimator.__name__}"
        if isinstance(estimator, type)
        else type(estimator).__name__
    )
    hint = ""
    if hasattr(estimator, "best_estimator_"):
        hint = " Pass its best_estimator_."
    elif hasattr(estimator, "steps"):
        hint = (
            " Pass its last step, and X as the steps before it transform it: "
            "attribute(pipe[-1], pipe[:-1].transform(X), ...)."
        )
    return (
        "estimator must be a fitted estimator of skconvnet, such as ConvNetClassifier; "
        f"got {name}.{hint}"
    )
