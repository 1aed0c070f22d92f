"""Attributions in every form of X, and for tokens."""

import pickle

import numpy as np
import pytest
from attribution_tools import (
    ERROR,
    N_STEPS,
    SHARED,
    N,
    classes,
    every_case,
    every_method,
    few,
    fitted,
    samples,
)

from skconvnet import ConvNetClassifier, SequentialClassifier
from skconvnet.engine.predictor import Predictor
from skconvnet.inspection import attribute
from skconvnet.inspection.attribution.attribute import METHODS
from skconvnet.inspection.attribution.samples import ExplainedSamples
from skconvnet.layers import (
    Conv1D,
    Embedding,
    Flatten,
    GlobalMaxPool,
    Parallel,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
    monkeypatch.setitem(Predictor.__init__.__kwdefaults__, "min_flops_for_threads", 0)
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


def text_model(**params):
    X = np.random.default_rng(0).integers(1, 9, (N, 7))
    X[:, 5:] = 0
    layers = [
        ("words", Embedding(9, 4, padding_token=0)),
        ("conv", Conv1D(5, 3, activation="tanh", padding="same")),
        ("pool", GlobalMaxPool()),
    ]
    model = SequentialClassifier(layers, **{**SHARED, **params})
    model.fit(X, np.arange(N) % 3)
    table = np.random.default_rng(1).normal(size=(9, 4))
    return model.set_weights({"words/table": table}), X


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
        expected = attribute(rest, vectors[:, :5], method, target).sum(axis=-1)
        np.testing.assert_allclose(result[:, :5], expected, rtol=1e-8, atol=1e-12)
        assert not result[:, 5:].any()
        # Wherever the padding is.
        ahead = attribute(model, np.roll(X, 2, axis=1), method, target)
        np.testing.assert_allclose(ahead, np.roll(result, 2, axis=1), rtol=1e-12)


def test_integrated_gradients_of_tokens_start_from_a_text():
    model, X = text_model()
    baseline = np.random.default_rng(3).integers(1, 9, X.shape)
    baseline[:, 5:] = 0
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
