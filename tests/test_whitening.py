"""Whitening convolutions: kernels from the covariance of all windows of X."""

import pickle

import numpy as np
import pytest
from layer_tools import Bench, assert_build_fails
from sklearn.base import clone
from whitening_tools import covariance_of, images, windows_of

from skconvnet import SequentialClassifier
from skconvnet.interop import (
    from_keras_state,
    from_torch_state,
    to_keras_state,
    to_torch_state,
)
from skconvnet.layers import (
    BatchNorm,
    Conv2D,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
    Parallel,
    Standardize,
    WhiteningConv1D,
    WhiteningConv2D,
    WhiteningConv3D,
)
from skconvnet.layers.matrices import hidden_matrices_of
from skconvnet.optimizers import Muon

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LAYERS = {1: WhiteningConv1D, 2: WhiteningConv2D, 3: WhiteningConv3D}


def model(*layers, **params):
    params = {"max_iter": 1, "random_state": 0, "batch_size": 16} | params
    return SequentialClassifier(list(layers), **params)


def fit(X, *layers, **params):
    named = [("whiten", layers[0]), *layers[1:]]
    return model(*named, **params).fit(X, np.arange(len(X)) % 2)


def kernel_of(estimator):
    return estimator.get_weights()["whiten/kernel"]


def matrix_of(estimator):
    kernel = kernel_of(estimator)
    return kernel.reshape(len(kernel), -1)


@pytest.mark.parametrize("ndim", LAYERS)
@pytest.mark.parametrize("padding", [0, 1])
def test_outputs_over_the_training_set_are_white(ndim, padding):
    X = images(shape=(*(8, 6, 5)[:ndim], 2))
    whiten = LAYERS[ndim](2, padding=padding, epsilon=0.0, add_negatives=False)
    fitted = fit(X, whiten, Flatten())
    outputs = fitted.activations(X, "whiten")
    n_values = 2 * 2**ndim
    white = np.cov(outputs.reshape(-1, n_values).T, bias=True)
    np.testing.assert_allclose(white, np.eye(n_values), atol=1e-9)


@pytest.mark.parametrize("epsilon", [0.0, 5e-4, 0.3])
def test_kernels_are_scaled_eigenvectors_and_their_negatives(epsilon):
    X = images()
    geometry = {"kernel": (2, 3), "strides": (1, 2)}
    whiten = WhiteningConv2D((2, 3), strides=(1, 2), epsilon=epsilon)
    rows = matrix_of(fit(X, whiten, Flatten()))
    covariance = covariance_of(X, **geometry)
    n_values = len(covariance)
    assert rows.shape == (2 * n_values, n_values)
    np.testing.assert_array_equal(rows[n_values:], -rows[:n_values])
    rows = rows[:n_values]
    inverse = np.linalg.inv(covariance + epsilon * np.eye(n_values))
    np.testing.assert_allclose(rows.T @ rows, inverse, rtol=1e-6, atol=1e-8)
    lengths = np.linalg.norm(rows, axis=1)
    assert (np.diff(lengths) > 0).all()  # the largest eigenvalue first
    largest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
    assert (largest > 0).all()
    fewer = WhiteningConv2D((2, 3), 4, strides=(1, 2), epsilon=epsilon)
    np.testing.assert_array_equal(
        matrix_of(fit(X, fewer, Flatten())), np.concatenate([rows[:4], -rows[:4]])
    )


def test_the_bias_alone_is_learned():
    X = images()
    y = (X[..., 0].mean(axis=(1, 2)) > 0).astype(int)
    layers = [("whiten", WhiteningConv2D(2, activation="gelu")), GlobalAvgPool()]
    start = model(*layers).initialize(X, y)
    fitted = model(*layers, max_iter=5).fit(X, y)
    np.testing.assert_array_equal(kernel_of(start), kernel_of(fitted))
    assert not start.get_weights()["whiten/bias"].any()
    assert fitted.get_weights()["whiten/bias"].all()
    frozen = clone(fitted).set_params(whiten__trainable=False).fit(X, y)
    np.testing.assert_array_equal(kernel_of(start), kernel_of(frozen))
    assert not frozen.get_weights()["whiten/bias"].any()
    # Nor does the penalty change it.
    heavy = clone(fitted).set_params(alpha=100.0, solver="lbfgs").fit(X, y)
    np.testing.assert_array_equal(kernel_of(start), kernel_of(heavy))


def test_images_of_different_sizes_and_of_bytes():
    rng = np.random.default_rng(0)
    X = [
        rng.integers(0, 255, (n, m, 3)).astype("uint8")
        for n, m in ((4, 5), (6, 4), (4, 5), (2, 9), (7, 2))
    ]
    whiten = WhiteningConv2D(2, epsilon=0.0, add_negatives=False)
    layers = [("whiten", whiten), GlobalAvgPool()]
    fitted = model(*layers, dtype="float64").initialize(X, [0, 1, 0, 1, 1])
    rows = np.concatenate(
        [windows_of(x[None].astype(float), 2).reshape(-1, 12) for x in X]
    )
    outputs = rows @ matrix_of(fitted).T
    np.testing.assert_allclose(np.cov(outputs.T, bias=True), np.eye(12), atol=1e-9)


def test_samples_count_by_their_weights():
    X = images()
    times = np.random.default_rng(0).integers(0, 3, size=len(X))
    y = np.arange(len(X)) % 2
    layers = [("whiten", WhiteningConv2D(2)), GlobalAvgPool()]
    weighted = model(*layers).fit(X, y, times)
    repeated = model(*layers).fit(np.repeat(X, times, 0), np.repeat(y, times))
    np.testing.assert_allclose(kernel_of(weighted), kernel_of(repeated), rtol=1e-6)
    assert not np.allclose(kernel_of(weighted), kernel_of(model(*layers).fit(X, y)))


def test_after_other_layers():
    X = images()
    layers = [("scale", Standardize()), ("conv", Conv2D(4, 3, activation="tanh"))]
    whiten = WhiteningConv2D(2, epsilon=0.0, add_negatives=False)
    fitted = model(*layers, ("whiten", whiten), GlobalAvgPool())
    fitted.initialize(X, np.arange(len(X)) % 2)
    outputs = fitted.activations(X, "whiten").reshape(-1, 16)
    np.testing.assert_allclose(np.cov(outputs.T, bias=True), np.eye(16), atol=1e-8)


def test_later_calls_keep_the_kernel():
    X, y = images(), np.arange(40) % 2
    layers = [("whiten", WhiteningConv2D(2)), GlobalAvgPool()]
    fitted = model(*layers).partial_fit(X, y, classes=[0, 1])
    before = kernel_of(fitted).copy()
    fitted.partial_fit(2 * X, y)
    np.testing.assert_array_equal(kernel_of(fitted), before)
    fitted.set_params(warm_start=True).fit(2 * X, y)
    np.testing.assert_array_equal(kernel_of(fitted), before)
    fitted.set_params(warm_start=False).fit(2 * X, y)
    assert not np.allclose(kernel_of(fitted), before)
    # What the user has set stays.
    fitted.set_weights({"whiten/kernel": before}).fit(2 * X, y)
    np.testing.assert_array_equal(kernel_of(fitted), before)


def test_copies_predict_the_same():
    X = images()
    fitted = fit(X, WhiteningConv2D(2, activation="relu"), Flatten())
    expected = fitted.predict_proba(X)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    fresh = clone(fitted).fit(X, np.arange(len(X)) % 2)
    np.testing.assert_array_equal(fresh.predict_proba(X), expected)
    other = clone(fitted).fit(images(seed=3), np.arange(len(X)) % 2)
    other.set_weights(fitted.get_weights())
    np.testing.assert_array_equal(other.predict_proba(X), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits_for_any_number_of_threads(dtype):
    X = images(300)
    bits = {
        fit(
            X, WhiteningConv2D(3, activation="relu"), Flatten(), n_jobs=n, dtype=dtype
        ).network_.state.tobytes()
        for n in (1, 2, 3)
    }
    assert len(bits) == 1


@pytest.mark.parametrize(
    "following",
    [
        [MaxPool2D(2)],
        [BatchNorm()],
        [BatchNorm(), MaxPool2D(2)],
    ],
    ids=lambda layers: "-".join(type(layer).__name__ for layer in layers),
)
def test_fused_with_the_layers_after_it(following):
    X = images()
    fitted = fit(X, WhiteningConv2D(2), *following, Flatten(), max_iter=3)
    plain = [("whiten", Conv2D(24, 2)), *following, Flatten()]
    other = model(*plain).initialize(X, np.arange(len(X)) % 2)
    other.set_weights(fitted.get_weights())
    np.testing.assert_array_equal(other.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize(
    ("convert", "restore", "kernel"),
    [
        (to_torch_state, from_torch_state, lambda s: s["whiten.weight"]),
        (to_keras_state, from_keras_state, lambda s: s[0].transpose(3, 2, 0, 1)),
    ],
    ids=["torch", "keras"],
)
def test_it_is_a_convolution_in_other_libraries(convert, restore, kernel):
    X = images()
    fitted = fit(X, WhiteningConv2D(2), GlobalAvgPool())
    state = convert(fitted)
    np.testing.assert_array_equal(kernel(state), kernel_of(fitted))
    other = fit(images(seed=2), WhiteningConv2D(2), GlobalAvgPool(), max_iter=2)
    restore(other, state)
    np.testing.assert_array_equal(other.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("epsilon", [0.0, 0.01])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_constant_windows(epsilon, dtype):
    X = np.full((20, 5, 5, 2), 0.1) * np.array([1.0, 300.0])
    whiten = WhiteningConv2D(2, epsilon=epsilon, add_negatives=False)
    built = model(("whiten", whiten), GlobalAvgPool(), dtype=dtype)
    rows = matrix_of(built.initialize(X, np.arange(len(X)) % 2))
    scale = 1 / np.sqrt(epsilon) if epsilon else 1.0
    atol = 1e-5 * scale
    np.testing.assert_allclose(rows @ rows.T, scale**2 * np.eye(8), atol=atol * scale)


def test_one_direction_without_variance():
    X = images(shape=(5, 5, 1)).repeat(2, axis=-1)  # two equal channels
    whiten = WhiteningConv2D(1, epsilon=0.0, add_negatives=False)
    first, second = matrix_of(fit(X, whiten, GlobalAvgPool()))
    np.testing.assert_allclose(first, 0.5 / X[..., 0].std(), rtol=1e-12)
    np.testing.assert_allclose(np.abs(second), np.sqrt(0.5), rtol=1e-12)


def test_the_initial_kernel_whitens_noise():
    layer = Bench(WhiteningConv2D(2, epsilon=0.0, add_negatives=False), (5, 5, 1)).layer
    rows = layer.buffers["kernel"].reshape(4, 4)
    np.testing.assert_allclose(rows @ rows.T, np.eye(4))


def test_muon_updates_the_convolution_after_it():
    # The matrix that multiplies the input is that of this layer, which nothing updates.
    layers = [("whiten", WhiteningConv2D(2)), ("conv", Conv2D(4, 2)), GlobalAvgPool()]
    X, y = images(), np.arange(40) % 2
    net = model(*layers, solver=Muon()).initialize(X, y)
    assert list(hidden_matrices_of(net.network_.layers)) == ["conv/kernel"]
    before = kernel_of(net).copy()
    np.testing.assert_array_equal(kernel_of(net.fit(X, y)), before)
    # In the middle of a network, nothing updates it either.
    first = ("first", Conv2D(4, 2, activation="tanh"))
    between = model(first, *layers, solver=Muon()).initialize(X, y)
    before = kernel_of(between).copy()
    np.testing.assert_array_equal(kernel_of(between.fit(X, y)), before)


def test_values_too_large_for_a_covariance():
    X, y = images() * 1e200, np.arange(40) % 2
    net = model(("whiten", WhiteningConv2D(2)), GlobalAvgPool())
    with pytest.raises(ValueError, match=r"values up to \S+e\+200, too large"):
        net.fit(X, y)
    assert not hasattr(net, "network_")
    net.fit(X / 1e200, y)
    before = net.predict_proba(images())
    with pytest.raises(ValueError, match="Divide X by a constant"):
        net.fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(images()), before)


def test_errors():
    shape = (6, 6, 3)
    for n_components in (0, -1, 1.5, "all", True):
        assert_build_fails(
            (TypeError, ValueError),
            WhiteningConv2D(2, n_components),
            shape,
            "n_components",
            repr(n_components),
        )
    assert_build_fails(
        ValueError, WhiteningConv2D(2, 13), shape, "n_components", "at most 12", "13"
    )
    assert_build_fails(TypeError, WhiteningConv2D(2, None, 1), shape, "add_negatives")
    for epsilon in (-0.1, np.nan, np.inf, "small"):
        assert_build_fails(
            (TypeError, ValueError),
            WhiteningConv2D(2, epsilon=epsilon),
            shape,
            "epsilon",
            repr(epsilon),
        )
    assert_build_fails(ValueError, WhiteningConv2D(7), shape, "kernel_size=(7, 7)")
    assert_build_fails(ValueError, WhiteningConv2D(2), (6, 3), "WhiteningConv2D needs")
    assert_build_fails(
        ValueError,
        Parallel([("a", WhiteningConv2D(2))]),
        shape,
        "network's own list",
    )
