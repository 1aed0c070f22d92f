"""Gradients of scores with respect to samples, against finite differences."""

import pickle

import numpy as np
import pytest
from attribution_tools import (
    MANY_KINDS,
    SHARED,
    N,
    classes,
    default_positions,
    every_case,
    finite_differences,
    fitted,
    n_targets,
    samples,
    target_of,
    target_scores_of,
)
from estimator_cases import ESTIMATORS, data_for, make
from layer_cases import CASES as LAYER_CASES
from layer_cases import TAKES_TOKENS
from layer_cases import name as name_of_layer
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.engine.micro_batches import MicroBatchLimits
from skconvnet.engine.network import Network
from skconvnet.engine.predictor import Predictor
from skconvnet.layers import Dense, Embedding, Flatten, Parallel

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def numeric(model, X, positions):
    """Return the gradient of the score of each sample by finite differences."""
    return [
        finite_differences(
            lambda z, position=position: target_scores_of(
                model, z, np.full(len(z), position)
            ),
            x,
        )
        for x, position in zip(X, positions, strict=True)
    ]


def assert_gradients(gradients, expected):
    assert len(gradients) == len(expected)
    for own, other in zip(gradients, expected, strict=True):
        assert own.shape == other.shape
        np.testing.assert_allclose(own, other, rtol=1e-5, atol=1e-6 * np.ptp(other))


@every_case
def test_against_finite_differences_of_public_scores(case):
    model, X = fitted(case)
    X = X[:4]
    expected = numeric(model, X, default_positions(model, X))
    assert any(np.any(gradient) for gradient in expected)
    gradients = model.input_gradients(X)
    assert isinstance(gradients, type(X))
    assert_gradients(gradients, expected)


@every_case
def test_targets_for_all_samples_and_for_each(case):
    model, X = fitted(case)
    X = X[:4]
    last = n_targets(model) - 1
    expected = numeric(model, X, np.full(4, last))
    assert_gradients(model.input_gradients(X, target_of(model, last)), expected)
    positions = np.array([last, 0, last, 0])
    mixed = numeric(model, X, positions)
    targets = [target_of(model, position) for position in positions]
    for target in (targets, np.array(targets)):
        assert_gradients(model.input_gradients(X, target=target), mixed)


@pytest.mark.parametrize(
    "case",
    [case for case in LAYER_CASES if not isinstance(case[0], TAKES_TOKENS)],
    ids=name_of_layer,
)
def test_of_every_layer_as_the_first_one(case):
    spec, shape = case
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, *shape)), rng.normal(size=8)
    model = SequentialRegressor(
        [("first", spec), ("flat", Flatten()), ("dense", Dense(3, "tanh"))],
        dtype="float64",
        random_state=0,
    ).initialize(X, y)
    gradient = model.input_gradients(X[:2])
    direction = rng.normal(size=gradient.shape)
    step = 1e-6 * direction
    difference = model.predict(X[:2] + step) - model.predict(X[:2] - step)
    products = (gradient * direction).reshape(2, -1).sum(axis=1)
    np.testing.assert_allclose(products, difference / 2e-6, rtol=2e-5, atol=1e-8)


@pytest.mark.parametrize("case", LAYER_CASES, ids=name_of_layer)
def test_layers_say_whether_they_take_tokens(case):
    spec, shape = case
    assert spec.build(shape).takes_tokens == isinstance(spec, TAKES_TOKENS)


@every_case
def test_the_estimator_is_left_as_it_was(case):
    model, X = fitted(case)
    before = pickle.dumps(model)
    model.input_gradients(X)
    assert pickle.dumps(model) == before


@pytest.mark.parametrize("size", [1, 5])
@every_case
def test_the_same_bits_for_every_number_of_threads(case, size, monkeypatch):
    model, X = fitted(case)
    # Several threads, for however little there is to do.
    monkeypatch.setitem(Predictor.__init__.__kwdefaults__, "min_flops_for_threads", 0)
    own = pickle.loads(pickle.dumps(model))
    own.network_.limits = MicroBatchLimits.fixed(size)
    results = []
    for n_jobs in (1, 2, 3):
        gradients = own.set_params(n_jobs=n_jobs).input_gradients(X)
        results.append(b"".join(np.ascontiguousarray(g).tobytes() for g in gradients))
    assert results[0] == results[1] == results[2]


def test_micro_batches_change_nothing_but_rounding(monkeypatch):
    model, X = fitted("convnet images")
    whole = model.input_gradients(X)
    monkeypatch.setattr(Network, "default_limits", MicroBatchLimits.fixed(5))
    cut = pickle.loads(pickle.dumps(model)).input_gradients(X)
    np.testing.assert_allclose(cut, whole, rtol=1e-9, atol=1e-12)


def test_two_classes_are_opposites():
    model, X = fitted("mlp binary")
    first, second = (model.input_gradients(X, target=c) for c in model.classes_)
    np.testing.assert_array_equal(first, -second)
    assert np.any(first)
    predicted = model.predict(X)
    np.testing.assert_array_equal(
        model.input_gradients(X), model.input_gradients(X, predicted)
    )


def test_images_in_every_form_have_the_same_gradients():
    model, X = fitted("convnet gray")
    expected = model.input_gradients(X)
    assert expected.shape == X.shape
    with_channel = model.input_gradients(X[..., np.newaxis])
    np.testing.assert_array_equal(with_channel, expected[..., np.newaxis])
    rows = model.input_gradients(X.reshape(len(X), -1))
    np.testing.assert_array_equal(rows, expected.reshape(len(X), -1))
    np.testing.assert_array_equal(model.input_gradients(list(X)), expected)


def test_columns_of_a_data_frame_are_features():
    pandas = pytest.importorskip("pandas", reason="in the extra `test`")
    X, y = samples(4), classes()
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    model = MLPClassifier((3,), **SHARED).fit(frame, y)
    expected = MLPClassifier((3,), **SHARED).fit(X, y).input_gradients(X)
    np.testing.assert_array_equal(model.input_gradients(frame), expected)
    with pytest.raises(ValueError, match="feature names"):
        model.input_gradients(frame[["b", "a", "c", "d"]])


def test_memory_maps_have_the_same_gradients(tmp_path):
    X = np.random.default_rng(0).integers(0, 256, (N, 8, 9)).astype("uint8")
    model = ConvNetClassifier(filters=3, random_state=0).initialize(X, classes())
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    expected = model.input_gradients(X)
    assert expected.dtype == "float32"
    np.testing.assert_array_equal(model.input_gradients(mapped), expected)


def test_channels_first_is_channels_last_in_the_other_order():
    model, X = fitted("convnet channels first")
    gradients = model.input_gradients(X)
    last = ConvNetClassifier(
        **{**model.get_params(), "data_format": "channels_last"}
    ).initialize(np.moveaxis(X, 1, -1), classes())
    last.set_weights(model.get_weights())
    other = last.input_gradients(np.moveaxis(X, 1, -1))
    np.testing.assert_array_equal(np.moveaxis(other, -1, 1), gradients)


def test_an_array_for_a_network_of_any_size_gives_an_array():
    model, X = fitted("sequential any size")
    same = np.stack([x for x in X if x.shape == X[0].shape])
    gradients = model.input_gradients(same)
    assert isinstance(gradients, np.ndarray)
    assert gradients.shape == same.shape
    as_list = model.input_gradients(X)
    assert isinstance(as_list, list)
    np.testing.assert_allclose(gradients[0], as_list[0], rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("of_X", ["uint8", "float32", "float64"])
def test_the_dtype_is_that_of_the_network(dtype, of_X):
    X = np.random.default_rng(0).integers(0, 256, (20, 6, 6)).astype(of_X)
    y = np.arange(20) % 3
    params = {"filters": 3, "hidden_layer_sizes": (), "random_state": 0}
    model = ConvNetClassifier(dtype=dtype, **params).initialize(X, y)
    gradients = model.input_gradients(X)
    assert gradients.dtype == dtype
    other = ConvNetClassifier(dtype="float64", **params).initialize(X, y)
    other.set_weights(model.get_weights())
    np.testing.assert_allclose(
        gradients, other.input_gradients(X, model.predict(X)), rtol=1e-3, atol=1e-6
    )


def test_scaling_inside_the_network_is_part_of_the_gradient():
    X, y = samples(6, 6), classes()
    params = {"filters": 3, "hidden_layer_sizes": (), **SHARED}
    model = ConvNetClassifier(**params).initialize(X, y)
    larger = ConvNetClassifier(**params).initialize(255 * X, y)
    names = [n for n in model.get_weights() if not n.startswith("rescale")]
    larger.set_weights({n: model.get_weights()[n] for n in names})
    target = model.predict(X)
    np.testing.assert_allclose(
        255 * larger.input_gradients(255 * X, target),
        model.input_gradients(X, target),
        rtol=1e-8,
    )


def test_dropout_is_off_and_moving_averages_are_used():
    model, X = fitted("sequential of many kinds")
    assert any(name == "drop" for name, _ in MANY_KINDS)
    expected = model.input_gradients(X)
    np.testing.assert_array_equal(model.input_gradients(X), expected)
    # With the statistics of the minibatch, a sample alone would differ.
    np.testing.assert_allclose(model.input_gradients(X[:1]), expected[:1], rtol=1e-9)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_all_six_estimators(cls):
    X, y = data_for(cls)
    model = make(cls)
    with pytest.raises(NotFittedError):
        model.input_gradients(X)
    gradients = model.fit(X, y).input_gradients(X)
    assert gradients.shape == X.shape
    assert np.any(gradients)


def test_a_single_class():
    X = samples(4)
    model = MLPClassifier((3,), **SHARED).fit(X, np.full(len(X), "only"))
    np.testing.assert_array_equal(
        model.input_gradients(X), model.input_gradients(X, "only")
    )


@pytest.mark.parametrize(
    ("case", "target", "message"),
    [
        ("mlp multiclass", "clas 1", r"the classes are .*got 'clas 1'. Did you mean"),
        ("mlp multiclass", 1, r"target must be None, a class label, .*; the classes"),
        ("mlp multiclass", ["class 1"], r"array of shape \(24,\).* shape \(1,\)"),
        ("mlp multiclass", [["class 1"]] * 24, r"got an array of shape \(24, 1\)"),
        ("mlp multiclass", {"class 1"}, "the classes are"),
        ("mlp multilabel", 3, r"target must be from 0 to 2, .* 3 outputs; got 3"),
        ("mlp regressor", -1, r"target must be from 0 to 1, .*got -1"),
        ("mlp regressor", [0] * 23 + [2], r"target must be from 0 to 1, .*got 2"),
    ],
)
def test_unknown_targets(case, target, message):
    model, X = fitted(case)
    with pytest.raises(ValueError, match=message):
        model.input_gradients(X, target)


@pytest.mark.parametrize("target", [0.0, True, "y", [0.5] * 24])
def test_targets_that_are_no_index(target):
    model, X = fitted("mlp regressor")
    with pytest.raises(TypeError, match="target must be None, the index of an output"):
        model.input_gradients(X, target)


def test_true_is_no_class_label_among_numbers():
    X = samples(4)
    model = MLPClassifier((3,), **SHARED).fit(X, np.arange(len(X)) % 2)
    with pytest.raises(ValueError, match=r"the classes are \[0, 1\], got True"):
        model.input_gradients(X, target=True)
    boolean = MLPClassifier((3,), **SHARED).fit(X, np.arange(len(X)) % 2 == 1)
    np.testing.assert_array_equal(
        boolean.input_gradients(X, target=True), model.input_gradients(X, target=1)
    )


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_sparse_samples_are_refused(cls):
    X, y = data_for(cls)
    model = make(cls).initialize(X, y)
    sparse = csr_matrix(X.reshape(len(X), -1))
    with pytest.raises(TypeError, match=r"X must be dense.*X\.toarray\(\)"):
        model.input_gradients(sparse)


@pytest.mark.parametrize(
    ("layers", "name"),
    [
        ([("words", Embedding(9, 3)), Flatten()], "words"),
        ([("words", Embedding(9, 3, reduce="mean"))], "words"),
        (
            [("both", Parallel([("a", [("words", Embedding(9, 3)), Flatten()])]))],
            "both/a/words",
        ),
    ],
)
def test_tokens_have_no_gradient(layers, name):
    X = np.random.default_rng(0).integers(0, 9, (20, 5))
    model = SequentialClassifier(layers, **SHARED).initialize(X, np.arange(20) % 2)
    with pytest.raises(ValueError, match=f"Layer '{name}' looks up tokens"):
        model.input_gradients(X)


def test_what_overflows_is_reported():
    X = samples(4)
    model = MLPRegressor(hidden_layer_sizes=(3,), activation="identity", **SHARED)
    model.initialize(X, X[:, 0])
    weights = {n: np.full_like(w, 1e200) for n, w in model.get_weights().items()}
    model.set_weights(weights)
    with pytest.raises(ValueError, match=r"The score of X\[0\] or its gradient"):
        model.input_gradients(X)


def test_unknown_arguments_are_explained():
    model, X = fitted("mlp multiclass")
    with pytest.raises(TypeError, match="Did you mean 'target'"):
        model.input_gradients(X, targets="class 1")
