"""Attributions against slow oracles, in every form of X."""

import pickle

import numpy as np
import pytest
from attribution_tools import (
    CASES,
    CONVNET,
    SHARED,
    classes,
    default_positions,
    fitted,
    n_targets,
    samples,
    target_of,
    target_scores_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import zoom
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import ConvNetClassifier, SequentialClassifier, SequentialRegressor
from skconvnet.engine.executor import Executor
from skconvnet.inspection import attribute
from skconvnet.inspection.attribution.attribute import METHODS
from skconvnet.inspection.attribution.grad_cam import resized
from skconvnet.inspection.attribution.samples import ExplainedSamples
from skconvnet.layers import (
    Conv1D,
    Conv2DTranspose,
    Dense,
    Embedding,
    Flatten,
    GlobalMaxPool,
    Parallel,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_case = pytest.mark.parametrize("case", CASES)
every_method = pytest.mark.parametrize("method", METHODS)
FEW = {"integrated_gradients": {"n_steps": 3}, "smooth_grad": {"n_samples": 3}}


def few(method):
    """Return options with which a method is fast and repeatable."""
    seed = {"random_state": 0} if method == "smooth_grad" else {}
    return {**FEW.get(method, {}), **seed}


def has_maps(model):
    return any(len(layer.out_shape) > 1 for layer in model.network_.layers.values())


def no_channels(model, x):
    """Return the shape of a sample without the axis of its channels."""
    in_shape = model.network_.in_shape
    if x.ndim == 1:
        return (x.size // in_shape[-1],)
    if x.ndim < len(in_shape):
        return x.shape
    first = getattr(model, "data_format", "") == "channels_first"
    return x.shape[1:] if first else x.shape[:-1]


@every_method
@every_case
def test_shape_and_dtype_are_those_of_X_and_of_the_network(case, method):
    model, X = fitted(case)
    if method == "grad_cam" and not has_maps(model):
        with pytest.raises(ValueError, match="needs a layer with spatial axes"):
            attribute(model, X, method)
        return
    X = X[:5]
    before = pickle.dumps(model)
    result = attribute(model, X, method, **few(method))
    assert pickle.dumps(model) == before
    assert isinstance(result, type(X))
    for x, own in zip(X, result, strict=True):
        expected = no_channels(model, x) if method == "grad_cam" else x.shape
        assert own.shape == expected
        assert own.dtype == model.network_.dtype
        assert np.isfinite(own).all()
    # Nothing may speak for the scores of a few samples.
    assert method == "grad_cam" or any(np.any(own) for own in result)


@every_method
@every_case
def test_the_same_bits_for_every_number_of_threads(case, method, monkeypatch):
    model, X = fitted(case)
    if method == "grad_cam" and not has_maps(model):
        return
    monkeypatch.setitem(Executor.__init__.__kwdefaults__, "min_flops_for_threads", 0)
    own = pickle.loads(pickle.dumps(model))
    results = []
    for n_jobs in (1, 3):
        values = attribute(own.set_params(n_jobs=n_jobs), X, method, **few(method))
        results.append(b"".join(np.ascontiguousarray(v).tobytes() for v in values))
    assert results[0] == results[1]


@pytest.mark.parametrize("max_numbers", [1, 1000])
@pytest.mark.parametrize("method", [m for m in METHODS if m != "smooth_grad"])
@pytest.mark.parametrize("case", ["convnet images", "sequential any size"])
def test_small_blocks_change_nothing_but_rounding(
    case, method, max_numbers, monkeypatch
):
    model, X = fitted(case)
    whole = attribute(model, X, method, **few(method))
    # Of the 24 samples, some or a single one, depending on how many numbers they have.
    monkeypatch.setattr(ExplainedSamples, "max_numbers", max_numbers)
    cut = attribute(model, X, method, **few(method))
    for own, expected in zip(cut, whole, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-8, atol=1e-11)


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


# The error of the integral, as a share of the largest difference of scores, over the
# default number of steps for a smooth network, and over many for networks with ReLU or
# max pooling, whose gradient jumps.
SMOOTH = ("mlp multiclass",)
SMOOTH_ERROR = 1e-12
N_STEPS, ERROR = 1000, 0.01


@pytest.mark.parametrize("baseline", ["default", "number", "sample", "samples"])
@every_case
def test_integrated_gradients_are_complete(case, baseline):
    model, X = fitted(case)
    is_ragged = isinstance(X, list)
    if is_ragged and baseline == "sample":
        X = np.stack([x for x in X if x.shape == X[0].shape])
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


@every_method
def test_rows_channels_first_and_lists_are_the_same_images(method):
    model, X = fitted("convnet channels first")
    expected = attribute(model, X, method, **few(method))
    rows = attribute(model, X.reshape(len(X), -1), method, **few(method))
    np.testing.assert_array_equal(rows, expected.reshape(len(X), -1))
    as_list = attribute(model, list(X), method, **few(method))
    np.testing.assert_array_equal(as_list, expected)
    last = ConvNetClassifier(
        **{**model.get_params(), "data_format": "channels_last"}
    ).initialize(np.moveaxis(X, 1, -1), classes())
    last.set_weights(model.get_weights())
    if method == "smooth_grad":
        return  # noise is drawn in the order of the network's axes
    other = attribute(last, np.moveaxis(X, 1, -1), method, **few(method))
    if method != "grad_cam":
        other = np.moveaxis(other, -1, 1)
    np.testing.assert_array_equal(other, expected)


@pytest.mark.parametrize(
    "option", [("integrated_gradients", "baseline"), ("occlusion", "fill")]
)
def test_references_are_in_the_form_of_X(option):
    method, name = option
    model, X = fitted("convnet channels first")
    reference = samples(*X.shape[1:], seed=9)
    expected = attribute(model, X, method, **{name: reference})
    rows = attribute(
        model,
        X.reshape(len(X), -1),
        method,
        **{name: reference.reshape(len(X), -1)},
    )
    np.testing.assert_array_equal(rows, expected.reshape(len(X), -1))


# Texts


def text_model(**params):
    X = np.random.default_rng(0).integers(1, 9, (N_TEXTS, 7))
    X[:, 5:] = 0
    layers = [
        ("words", Embedding(9, 4, padding_token=0)),
        ("conv", Conv1D(5, 3, activation="tanh", padding="same")),
        ("pool", GlobalMaxPool()),
    ]
    model = SequentialClassifier(layers, **{**SHARED, **params})
    model.fit(X, np.arange(N_TEXTS) % 3)
    table = np.random.default_rng(1).normal(size=(9, 4))
    return model.set_weights({"words/table": table}), X


N_TEXTS = 24


@every_method
def test_tokens_get_attributions_in_the_shape_of_X(method):
    model, X = text_model()
    result = attribute(model, X, method, **few(method))
    assert result.shape == X.shape
    assert np.any(result)
    if method not in ("smooth_grad", "occlusion", "grad_cam", "saliency"):
        # The vector of the padding token is zero, as is the baseline.
        np.testing.assert_array_equal(result[:, 5:], 0)


def test_attributions_of_tokens_are_sums_over_the_dims_of_their_vectors():
    model, X = text_model()
    vectors = model.activations(X, "words")
    rest = SequentialClassifier(
        [("conv", Conv1D(5, 3, activation="tanh", padding="same")), GlobalMaxPool()],
        dtype="float64",
    ).initialize(vectors, np.arange(len(X)) % 3)
    rest.set_weights({n: model.get_weights()[n] for n in rest.get_weights()})
    target = model.predict(X)
    for method in ("saliency", "input_x_gradient", "integrated_gradients"):
        result = attribute(model, X, method, target)
        expected = attribute(rest, vectors, method, target).sum(axis=-1)
        np.testing.assert_allclose(result, expected, rtol=1e-8, atol=1e-12)


def test_integrated_gradients_of_tokens_start_from_a_text():
    model, X = text_model()
    baseline = np.random.default_rng(3).integers(0, 9, X.shape)
    result = attribute(
        model, X, "integrated_gradients", 1, baseline=baseline, n_steps=N_STEPS
    )
    difference = model.decision_function(X) - model.decision_function(baseline)
    atol = ERROR * np.abs(difference[:, 1]).max()
    np.testing.assert_allclose(result.sum(axis=1), difference[:, 1], rtol=0, atol=atol)


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients", "smooth_grad"])
@pytest.mark.parametrize(
    ("layers", "name"),
    [
        ([("words", Embedding(9, 3, reduce="mean"))], "words"),
        (
            [("both", Parallel([("a", [("words", Embedding(9, 3)), Flatten()])]))],
            "both",
        ),
    ],
)
def test_tokens_without_a_vector_of_their_own_need_occlusion(method, layers, name):
    X = np.random.default_rng(0).integers(0, 9, (20, 5))
    model = SequentialClassifier(layers, **SHARED).initialize(X, np.arange(20) % 2)
    with pytest.raises(ValueError, match=f"Layer '{name}.*method='occlusion'"):
        attribute(model, X, method)
    assert attribute(model, X, "occlusion").shape == X.shape


# Errors


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
