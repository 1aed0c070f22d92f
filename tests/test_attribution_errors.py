"""What attribute refuses, and what it says then."""

import numpy as np
import pytest
from attribution_tools import (
    CONVNET,
    SHARED,
    classes,
    fitted,
    samples,
)
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import ConvNetClassifier, SequentialClassifier, SequentialRegressor
from skconvnet.inspection import attribute
from skconvnet.inspection.attribution.attribute import METHODS
from skconvnet.layers import (
    Conv2D,
    Conv2DTranspose,
    Dense,
    Flatten,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("method", "options", "error", "message"),
    [
        ("gradcam", {}, ValueError, "method must be one of .* Did you mean 'grad_cam'"),
        (None, {}, ValueError, "method must be one of 'saliency'.*got None"),
        ("saliency", {"n_steps": 3}, TypeError, "has no option 'n_steps'. It has none"),
        (
            "integrated_gradients",
            {"nsteps": 3},
            TypeError,
            "no option 'nsteps'. Did you mean 'n_steps'",
        ),
        ("occlusion", {"size": 3}, TypeError, "Its options are window, stride, fill"),
        ("integrated_gradients", {"n_steps": 0}, ValueError, "n_steps must be .*got 0"),
        ("integrated_gradients", {"n_steps": 2.5}, TypeError, "n_steps must be an int"),
        ("smooth_grad", {"n_samples": -1}, ValueError, "n_samples must be"),
        ("smooth_grad", {"noise_level": -0.1}, ValueError, "noise_level must be"),
        ("smooth_grad", {"noise_level": np.nan}, ValueError, "noise_level must be"),
        ("smooth_grad", {"noise_level": "a"}, TypeError, "noise_level must be"),
        ("smooth_grad", {"random_state": "a"}, ValueError, "random_state must be"),
        (
            "grad_cam",
            {"layer": "conv"},
            ValueError,
            "layer must be None or .*got 'conv'.* Did you mean 'conv",
        ),
        (
            "grad_cam",
            {"layer": "flatten"},
            ValueError,
            r"The output of 'flatten' has shape \(16,\)",
        ),
        ("grad_cam", {"layer": 3}, ValueError, "layer must be None or .*got 3"),
        ("occlusion", {"window": 0}, ValueError, "window must be at least 1; got 0"),
        ("occlusion", {"window": 2.0}, TypeError, "window must be an int"),
        ("occlusion", {"window": (2, 2, 2)}, ValueError, "window must be .*2 ints"),
        ("occlusion", {"window": (9, 2)}, ValueError, "window=.* is longer than a"),
        ("occlusion", {"window": 2, "stride": 3}, ValueError, "stride=3 must be at"),
        ("occlusion", {"stride": 0}, ValueError, "stride must be at least 1"),
        ("occlusion", {"fill": None}, TypeError, "fill must be a number, an array"),
        (
            "occlusion",
            {"fill": 1j},
            TypeError,
            "fill must be a number, an array.*got 1j",
        ),
        ("occlusion", {"fill": True}, TypeError, "fill must be a number.*got True"),
        (
            "occlusion",
            {"fill": [[1], [[2]]]},
            ValueError,
            r"fill must be .*shapes \[\(1,\), \(1, 1\)\]",
        ),
        ("occlusion", {"fill": "black"}, TypeError, "fill must be a number, an array"),
        ("occlusion", {"fill": np.inf}, ValueError, "fill must be finite"),
        (
            "integrated_gradients",
            {"baseline": np.zeros((9, 8, 2))},
            ValueError,
            r"baseline must be .*\(8, 9, 2\), .*\(24, 8, 9, 2\); got .*\(9, 8, 2\)",
        ),
        (
            "integrated_gradients",
            {"baseline": np.full((8, 9, 2), np.nan)},
            ValueError,
            "baseline must be finite",
        ),
        (
            "integrated_gradients",
            {"baseline": np.full((8, 9, 2), "a")},
            TypeError,
            "baseline must be .*dtype <U1",
        ),
        ("saliency", {"target": "class"}, ValueError, "target must be .*the classes"),
    ],
)
def test_wrong_options(method, options, error, message):
    model, X = fitted("convnet images")
    with pytest.raises(error, match=message):
        attribute(model, X, method, **options)


def test_references_of_samples_of_different_sizes():
    model, X = fitted("sequential any size")
    with pytest.raises(ValueError, match="baseline must be a number, or a list of arr"):
        attribute(model, X, "integrated_gradients", baseline=np.zeros((5, 6)))
    with pytest.raises(ValueError, match="baseline must be a number, or a list of arr"):
        attribute(model, X, "integrated_gradients", baseline=X[:3])
    with pytest.raises(ValueError, match="is longer than a sample"):
        attribute(model, X, "occlusion", window=6)


def test_references_that_are_too_large_for_the_network():
    X, y = samples(8, 9).astype("float32"), classes()
    model = ConvNetClassifier(**CONVNET, **{**SHARED, "dtype": "float32"})
    model.initialize(X, y)
    with pytest.raises(ValueError, match="fill has a value that is too large"):
        attribute(model, X, "occlusion", fill=1e300)


def test_a_layer_with_other_axes_than_the_samples():
    X, y = samples(6), classes()
    model = SequentialClassifier([Dense(4)], **SHARED).initialize(X, y)
    with pytest.raises(ValueError, match="no layer has 1 of them"):
        attribute(model, X, "grad_cam")


def test_maps_larger_than_the_sample_are_reduced():
    X, y = samples(5, 6, 1), classes()
    layers = [("large", Conv2DTranspose(3, 3, 2)), ("flat", Flatten())]
    model = SequentialClassifier(layers, **SHARED).initialize(X, y)
    assert model.network_.layers["large"].out_shape == (11, 13, 3)
    assert attribute(model, X, "grad_cam").shape == (len(X), 5, 6)


def test_what_is_no_estimator_of_this_package():
    X, y = samples(7), classes()
    model, _ = fitted("mlp multiclass")
    pipe = make_pipeline(StandardScaler(), model)
    with pytest.raises(TypeError, match=r"got Pipeline. Pass its last step"):
        attribute(pipe, X)
    search = GridSearchCV(model, {"alpha": [0.1]}, cv=2).fit(X, y)
    with pytest.raises(TypeError, match=r"GridSearchCV. Pass its best_estimator_"):
        attribute(search, X)
    with pytest.raises(TypeError, match="got the class ConvNetClassifier"):
        attribute(ConvNetClassifier, X)
    with pytest.raises(NotFittedError):
        attribute(ConvNetClassifier(), samples(8, 8))


def test_sparse_samples_are_refused():
    model, X = fitted("mlp multiclass")
    for method in METHODS:
        with pytest.raises(TypeError, match=r"X must be dense.*X\.toarray\(\)"):
            attribute(model, csr_matrix(X), method)


@pytest.mark.parametrize("cls", [SequentialClassifier, SequentialRegressor])
def test_networks_that_predict_maps(cls):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8, 6, 5, 2))
    layers = [("conv", Conv2D(3, 3, padding="same"))]
    model = cls(layers, random_state=0).initialize(X, rng.integers(0, 3, (8, 6, 5)))
    calls = [model.input_gradients]
    calls += [lambda X, m=method: attribute(model, X, m) for method in METHODS]
    for call in calls:
        for own in (X, [X[0], X[1, :4]]):
            with pytest.raises(
                ValueError, match=r"one score per sample.*predicts maps"
            ):
                call(own)
