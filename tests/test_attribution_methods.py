"""Each method of attribution against a slow oracle."""

import numpy as np
import pytest
from attribution_tools import (
    ERROR,
    N_STEPS,
    default_positions,
    every_case,
    fitted,
    n_targets,
    samples,
    target_of,
    target_scores_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import zoom

from skconvnet import SequentialRegressor
from skconvnet.inspection import attribute
from skconvnet.inspection.attribution.grad_cam import resized

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@every_case
def test_saliency_and_input_x_gradient(case):
    model, X = fitted(case)
    last = target_of(model, n_targets(model) - 1)
    for target in (None, last):
        gradients = model.input_gradients(X, target)
        saliency = attribute(model, X, target=target)
        products = attribute(model, X, "input_x_gradient", target)
        for x, g, s, p in zip(X, gradients, saliency, products, strict=True):
            np.testing.assert_allclose(s, np.abs(g), rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(p, x * g, rtol=1e-9, atol=1e-12)


# Networks whose gradient has no jumps, and their error with the default steps.
SMOOTH = ("mlp multiclass",)
SMOOTH_ERROR = 1e-12


@pytest.mark.parametrize("baseline", ["default", "number", "sample", "samples"])
@every_case
def test_integrated_gradients_are_complete(case, baseline):
    model, X = fitted(case)
    is_ragged = isinstance(X, list)
    if is_ragged and baseline == "sample":
        X = np.stack([x for x in X if x.shape == X[0].shape])
    X = X[:10]
    rng = np.random.default_rng(5)
    options = {
        "default": {},
        "number": {"baseline": 0.3},
        "sample": {"baseline": rng.uniform(size=X[0].shape)},
        "samples": {"baseline": [rng.uniform(size=x.shape) for x in X]},
    }[baseline]
    value = options.get("baseline", 0.0)
    if isinstance(value, list):
        start = value if is_ragged else np.stack(value)
    else:
        start = [np.zeros_like(x) + value for x in X]
        start = start if is_ragged else np.stack(start)
    positions = default_positions(model, X)
    if case not in SMOOTH:
        options["n_steps"] = N_STEPS
    result = attribute(model, X, "integrated_gradients", **options)
    sums = np.array([own.sum() for own in result])
    difference = target_scores_of(model, X, positions) - target_scores_of(
        model, start, positions
    )
    share = SMOOTH_ERROR if case in SMOOTH else ERROR
    assert np.ptp(difference) > 0
    np.testing.assert_allclose(
        sums, difference, rtol=0, atol=share * np.abs(difference).max()
    )


def test_more_steps_integrate_better():
    model, X = fitted("sequential of many kinds")
    positions = default_positions(model, X)
    zero = target_scores_of(model, np.zeros_like(X), positions)
    difference = target_scores_of(model, X, positions) - zero
    errors = []
    for n_steps in (1, 10, 300):
        result = attribute(model, X, "integrated_gradients", n_steps=n_steps)
        sums = result.reshape(len(X), -1).sum(axis=1)
        errors.append(np.abs(sums - difference).max())
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_the_baseline_itself_gets_nothing():
    model, X = fitted("convnet images")
    result = attribute(model, X, "integrated_gradients", baseline=X, n_steps=3)
    np.testing.assert_array_equal(result, 0)


@every_case
def test_smooth_grad_without_noise_is_the_gradient(case):
    model, X = fitted(case)
    result = attribute(model, X, "smooth_grad", noise_level=0, n_samples=2)
    for own, expected in zip(result, model.input_gradients(X), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-12)


def test_smooth_grad_is_the_mean_over_noisy_copies():
    model, X = fitted("convnet images")
    target = model.predict(X)
    X = X * np.arange(1, 1 + len(X)).reshape(-1, 1, 1, 1) / len(X)
    options = {"n_samples": 4, "noise_level": 0.3, "target": target}
    result = attribute(model, X, "smooth_grad", random_state=7, **options)
    noise = np.random.RandomState(7).standard_normal((len(X), 4, *X.shape[1:]))
    ranges = X.max(axis=(1, 2, 3)) - X.min(axis=(1, 2, 3))
    copies = X[:, None] + noise * (0.3 * ranges).reshape(-1, 1, 1, 1, 1)
    expected = np.mean(
        [model.input_gradients(copies[:, i], target) for i in range(4)], axis=0
    )
    np.testing.assert_allclose(result, expected, rtol=1e-8, atol=1e-12)
    again = attribute(model, X, "smooth_grad", random_state=7, **options)
    np.testing.assert_array_equal(again, result)
    other = attribute(model, X, "smooth_grad", random_state=8, **options)
    assert np.abs(other - result).max() > 0


def network_after(model, layer):
    """Return a regressor that does what comes after a layer of a regressor."""
    names = list(model.network_.layers)
    rest = [
        (name, spec)
        for name, spec in model.network_.specs[names.index(layer) + 1 :]
        if name != "output"
    ]
    maps = model.activations(samples(*model.network_.in_shape), layer)
    other = SequentialRegressor(rest, dtype="float64")
    shape = (len(maps), model.n_outputs_) if model.n_outputs_ > 1 else (len(maps),)
    other.initialize(maps, np.zeros(shape))
    own = other.get_weights()
    return other.set_weights({n: model.get_weights()[n] for n in own})


@pytest.mark.parametrize("case", ["sequential volumes", "sequential series"])
@pytest.mark.parametrize("layer", ["conv", "pool"])
def test_grad_cam_by_its_definition(case, layer):
    model, X = fitted(case)
    maps = model.activations(X, layer)
    gradients = network_after(model, layer).input_gradients(maps)
    axes = tuple(range(1, maps.ndim - 1))
    weights = gradients.mean(axis=axes, keepdims=True)
    heat = np.maximum((weights * maps).sum(axis=-1), 0)
    factors = np.divide(X.shape[1:-1], heat.shape[1:])
    expected = np.stack(
        [zoom(h, factors, order=1, mode="nearest", grid_mode=True) for h in heat]
    )
    result = attribute(model, X, "grad_cam", layer=layer)
    np.testing.assert_allclose(result, expected, rtol=1e-8, atol=1e-12)
    assert np.any(result)


def test_grad_cam_takes_the_last_layer_with_spatial_axes():
    model, X = fitted("convnet images")
    names = list(model.network_.layers)
    last = [n for n in names if len(model.network_.layers[n].out_shape) > 1][-1]
    assert last == "pool2"
    np.testing.assert_array_equal(
        attribute(model, X, "grad_cam"), attribute(model, X, "grad_cam", layer=last)
    )


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 3).flatmap(
        lambda n: st.tuples(
            st.lists(st.integers(1, 6), min_size=n, max_size=n),
            st.lists(st.integers(1, 9), min_size=n, max_size=n),
        )
    )
)
def test_heat_maps_are_interpolated_like_scipy_does(shapes):
    small, large = shapes
    heat = np.random.default_rng(0).uniform(size=small)
    factors = np.divide(large, small)
    expected = zoom(heat, factors, order=1, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(resized(heat[None], tuple(large))[0], expected)


def slow_occlusion(score, x, window, stride, fill):
    """Hide one window after the other, in plain loops; x is (*spatial, channels)."""
    lengths = x.shape[:-1]
    total, count = np.zeros(lengths), np.zeros(lengths)
    starts = []
    for n, w, s in zip(lengths, window, stride, strict=True):
        own = [0]
        while own[-1] + w < n:
            own.append(own[-1] + s)
        starts.append(own)
    before = score(x)
    for corner in (
        np.array(np.meshgrid(*starts, indexing="ij")).reshape(len(starts), -1).T
    ):
        place = tuple(slice(c, c + w) for c, w in zip(corner, window, strict=True))
        hidden = x.copy()
        hidden[place] = fill[place]
        total[place] += before - score(hidden)
        count[place] += 1
    return np.repeat((total / count)[..., None], x.shape[-1], axis=-1)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_occlusion_against_plain_loops(data):
    case = data.draw(
        st.sampled_from(
            ["convnet images", "sequential series", "sequential volumes", "mlp poisson"]
        )
    )
    model, X = fitted(case)
    X = X[:2]
    lengths = X.shape[1:-1] if X.ndim > 2 else X.shape[1:]
    window = tuple(data.draw(st.integers(1, n)) for n in lengths)
    stride = tuple(data.draw(st.integers(1, w)) for w in window)
    fill = data.draw(
        st.sampled_from([0.0, 0.7, np.random.default_rng(1).uniform(size=X.shape[1:])])
    )
    positions = default_positions(model, X)
    full = np.zeros(X.shape[1:]) + fill
    result = attribute(model, X, "occlusion", window=window, stride=stride, fill=fill)
    for x, own, position in zip(X, result, positions, strict=True):
        as_map = x if x.ndim > 1 else x[:, None]

        def score(z, shape=x.shape, position=position):
            return target_scores_of(model, z.reshape(1, *shape), [position])[0]

        expected = slow_occlusion(
            score, as_map, window, stride, full.reshape(as_map.shape)
        )
        np.testing.assert_allclose(
            own, expected.reshape(x.shape), rtol=1e-7, atol=1e-10
        )


def test_one_length_of_a_window_is_for_all_axes():
    model, X = fitted("convnet images")
    np.testing.assert_array_equal(
        attribute(model, X, "occlusion", window=3, stride=2),
        attribute(model, X, "occlusion", window=(3, 3), stride=(2, 2)),
    )
