"""rescale="auto" of ConvNets: X, and y of the regressor, may have any units."""

import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skconvnet import ConvNetClassifier, ConvNetRegressor, SequentialClassifier
from skconvnet.augmentation import Shift
from skconvnet.layers import Standardize
from skconvnet.losses import Huber

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 120
CLASSES = [ConvNetClassifier, ConvNetRegressor]
both = pytest.mark.parametrize("cls", CLASSES)


def make(cls, **params):
    small = {"filters": 3, "hidden_layer_sizes": 8, "max_iter": 3, "random_state": 0}
    return cls(**{**small, **params})


def data(cls=ConvNetClassifier, channels=2):
    """Images whose bright half is their class, and their brightness or class."""
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(N, 6, 6, channels))
    y = np.arange(N) % 2
    X[y == 1, :3] += 1
    return X, (X.mean(axis=(1, 2, 3)) if cls is ConvNetRegressor else y)


def outputs(model, X):
    return getattr(model, "predict_proba", model.predict)(X)


def statistics(X, weights=None):
    """Mean and deviation of each channel, as NumPy computes them from all samples."""
    values = np.moveaxis(X, -1, 0).reshape(X.shape[-1], len(X), -1).astype(float)
    spread = np.ones(len(X)) if weights is None else weights
    spread = np.repeat(spread[:, None], values.shape[-1], axis=1)
    mean = [np.average(v, weights=spread) for v in values]
    var = [
        np.average((v - m) ** 2, weights=spread)
        for v, m in zip(values, mean, strict=True)
    ]
    return np.array(mean), np.sqrt(var)


@both
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("power", [-20, -10, 4, 20])
def test_powers_of_two_leave_every_bit(cls, dtype, power):
    X, y = data(cls)
    X = X.astype(dtype)
    plain = make(cls).fit(X, y)
    scaled = make(cls).fit(X * dtype(2.0**power), y)
    assert_array_equal(outputs(plain, X), outputs(scaled, X * dtype(2.0**power)))


@both
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("unit", "offset"), [(1e-3, 0), (16, 0), (1e4, 0), (255, 100), (1, 1e4), (-1, 0)]
)
def test_units_and_offsets_do_not_matter(cls, solver, unit, offset):
    X, y = data(cls)
    plain = make(cls, solver=solver).fit(X, y)
    other = make(cls, solver=solver).fit(X * unit + offset, y)
    if unit > 0:
        assert_allclose(outputs(other, X * unit + offset), outputs(plain, X), rtol=1e-4)
    assert other.score(X * unit + offset, y) >= plain.score(X, y) - 0.2


@both
def test_raw_bytes_are_learned(cls):
    X, y = data(cls)
    X = (X * 127).astype(np.uint8)
    model = make(cls, max_iter=30).fit(X, y)
    assert model.score(X, y) > 0.8
    mean, deviation = statistics(X)
    kept = model.get_weights()
    assert kept["rescale/mean"].dtype == np.float32
    assert_allclose(kept["rescale/mean"], mean, rtol=1e-6)
    assert_allclose(kept["rescale/deviation"], deviation, rtol=1e-6)
    assert "rescale" in model.summary()


@both
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_statistics_count_samples_by_their_weights(cls, dtype):
    X, y = data(cls)
    X = X.astype(dtype)
    weights = np.random.default_rng(1).integers(0, 3, size=N).astype(float)
    kept = make(cls).fit(X, y, weights).get_weights()
    mean, deviation = statistics(X, weights)
    rtol = 1e-6 if dtype is np.float32 else 1e-12
    assert kept["rescale/mean"].dtype == dtype
    assert_allclose(kept["rescale/mean"], mean, rtol=rtol)
    assert_allclose(kept["rescale/deviation"], deviation, rtol=rtol)


def test_classes_weigh_in_as_well():
    X, y = data()
    y = np.where(np.arange(N) < 20, 0, y)
    balanced = make(ConvNetClassifier, class_weight="balanced").fit(X, y)
    mean, _ = statistics(X, N / 2 / np.bincount(y)[y])
    assert_allclose(balanced.get_weights()["rescale/mean"], mean)


def test_channels_in_different_units_and_constant_ones():
    X, y = data(channels=3)
    units = np.array([1e-4, 1.0, 1e6])
    plain, other = (make(ConvNetClassifier).fit(x, y) for x in (X, X * units))
    assert_allclose(outputs(other, X * units), outputs(plain, X), rtol=1e-6)
    X[..., 1] = 0.1
    model = make(ConvNetClassifier).fit(X, y)
    assert_array_equal(model.activations(X, "rescale")[..., 1], 0)
    assert model.get_weights()["rescale/deviation"][1] == 1


@pytest.mark.parametrize("constant", [0.1, 1e-30, 1 / 3, -7e9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_constants_are_taken_for_constants(constant, dtype):
    X = np.full((700, 5, 5, 1), constant, dtype=dtype)
    y = np.arange(700) % 2
    with pytest.warns(UserWarning, match="X is constant"):
        kept = make(ConvNetClassifier, max_iter=1).fit(X, y).get_weights()
    assert kept["rescale/mean"] == X[0, 0, 0]
    assert kept["rescale/deviation"] == 1


@pytest.mark.parametrize(("dtype", "offset"), [("float64", 1e10), ("float32", 1e5)])
def test_small_changes_of_a_large_offset_are_data(dtype, offset):
    X, y = data()
    X = (10 * X + offset).astype(dtype)
    model = make(ConvNetClassifier, max_iter=30).fit(X, y)
    assert_allclose(
        model.get_weights()["rescale/deviation"],
        X.astype(float).std(axis=(0, 1, 2)),
        rtol=1e-5,
    )
    assert model.score(X, y) > 0.9


def test_memory_maps_are_read_a_few_samples_at_a_time(tmp_path):
    shape = (20_000, 12, 12, 1)
    mapped = np.memmap(tmp_path / "X.dat", dtype=np.uint8, mode="w+", shape=shape)
    mapped[:] = np.random.default_rng(0).integers(0, 256, size=shape)
    y = np.arange(len(mapped)) % 2
    model = make(ConvNetClassifier)
    tracemalloc.start()
    kept = model.initialize(mapped, y).get_weights()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < mapped.nbytes
    mean, deviation = statistics(np.asarray(mapped))
    assert_allclose(kept["rescale/mean"], mean, rtol=1e-6)
    assert_allclose(kept["rescale/deviation"], deviation, rtol=1e-6)


def test_lists_of_maps_of_different_sizes():
    rng = np.random.default_rng(0)
    X = [50 + 20 * rng.normal(size=(5 + i % 3, 6, 2)) for i in range(N)]
    y = np.arange(N) % 2
    model = make(ConvNetClassifier, global_pooling="avg", input_shape=(None, 6, 2))
    kept = model.fit(X, y).get_weights()
    values = np.concatenate([x.reshape(-1, 2) for x in X])
    assert_allclose(kept["rescale/mean"], values.mean(axis=0))
    assert_allclose(kept["rescale/deviation"], values.std(axis=0))


@both
def test_none_leaves_X_and_y_as_they_are(cls):
    X, y = data(cls)
    model = make(cls, rescale=None).fit(X, y)
    assert not [name for name in model.get_weights() if name.startswith("rescale")]
    by_hand = (X - X.mean(axis=(0, 1, 2))) / X.std(axis=(0, 1, 2))
    if cls is ConvNetClassifier:
        model.fit(by_hand, y)
        auto = make(cls).fit(X, y)
        assert_allclose(outputs(model, by_hand), outputs(auto, X), rtol=1e-6)


@both
@pytest.mark.parametrize("value", [True, False, "standardize", 1, 1 / 255, "none"])
def test_invalid_values(cls, value):
    with pytest.raises(ValueError, match="'rescale' parameter of ConvNet"):
        make(cls, rescale=value).fit(*data(cls))


@both
def test_pickle_and_clone(cls):
    X, y = data(cls)
    X, y = 255 * X, 1000 * y
    model = make(cls).fit(X, y)
    assert_array_equal(outputs(pickle.loads(pickle.dumps(model)), X), outputs(model, X))
    assert clone(model).rescale == "auto"
    assert_array_equal(outputs(clone(model).fit(X, y), X), outputs(model, X))


@both
def test_later_calls_keep_the_statistics(cls):
    X, y = data(cls)
    for resumed in (make(cls, warm_start=True).fit, make(cls).partial_fit):
        classes = {"classes": [0, 1]} if resumed.__name__ == "partial_fit" else {}
        classes = classes if cls is ConvNetClassifier else {}
        model = resumed(X, y, **classes)
        before = model.get_weights()["rescale/mean"]
        resumed(X + 3, y)
        assert_array_equal(model.get_weights()["rescale/mean"], before)
    model.set_params(warm_start=False).fit(X + 3, y)
    assert_allclose(model.get_weights()["rescale/mean"], before + 3)


@both
def test_statistics_given_to_set_weights_are_kept_by_the_next_fit(cls):
    X, y = data(cls)
    given = {"rescale/mean": [1.0, 2.0], "rescale/deviation": [3.0, 4.0]}
    model = make(cls).initialize(X, y).set_weights(given)
    expected = (X - given["rescale/mean"]) / given["rescale/deviation"]
    assert_allclose(model.activations(X, "rescale"), expected)
    model.fit(X, y)
    assert_array_equal(model.get_weights()["rescale/mean"], given["rescale/mean"])
    model.fit(X, y)
    assert_allclose(model.get_weights()["rescale/mean"], X.mean(axis=(0, 1, 2)))


@both
def test_augmentation_sees_raw_samples(cls):
    X, y = data(cls)
    plain, scaled = (make(cls, augmentation=Shift(1)).fit(x, y) for x in (X, X * 64))
    assert_array_equal(outputs(plain, X), outputs(scaled, X * 64))
    kept = plain.get_weights()["rescale/mean"]
    assert_allclose(kept, X.mean(axis=(0, 1, 2)))


def test_sequences_and_volumes_are_standardized_too():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    for X, shape in (
        (rng.normal(900, 30, size=(40, 12, 2)), (12, 2)),
        (rng.normal(900, 30, size=(40, 4, 4, 4, 1)), (4, 4, 4, 1)),
    ):
        model = make(ConvNetClassifier, input_shape=shape).fit(X, y)
        axes = tuple(range(X.ndim - 1))
        assert_allclose(model.get_weights()["rescale/mean"], X.mean(axis=axes))


def test_it_is_the_layer_that_lists_may_have():
    X, y = data()
    convnet = make(ConvNetClassifier).initialize(255 * X, y)
    alone = SequentialClassifier([("rescale", Standardize())]).initialize(255 * X, y)
    assert_array_equal(
        convnet.activations(255 * X, "rescale"), alone.activations(255 * X, "rescale")
    )


# y of ConvNetRegressor.


def regression(n_outputs=None):
    X, y = data(ConvNetRegressor)
    if n_outputs:
        y = np.stack([y, *(X[:, i, 0, 0] for i in range(n_outputs - 1))], axis=1)
    return X, y


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "huber", "quantile"]
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("a", "b"), [(1e4, 0), (1e-4, 0), (3, 500), (1e39, 0), (1e-39, 0)]
)
def test_predictions_follow_the_units_of_y(loss, solver, a, b):
    X, y = regression()
    plain = make(ConvNetRegressor, loss=loss, solver=solver).fit(X, y)
    other = make(ConvNetRegressor, loss=loss, solver=solver).fit(X, a * y + b)
    expected = a * plain.predict(X) + b
    scale = a * np.std(y)
    assert_allclose(other.predict(X) / scale, expected / scale, rtol=1e-4, atol=1e-4)
    assert other.loss_ == pytest.approx(plain.loss_, rel=1e-3)


def test_several_outputs_in_different_units():
    X, y = regression(n_outputs=3)
    units = np.array([1e-6, 1.0, 1e6])
    plain, other = (make(ConvNetRegressor).fit(X, t) for t in (y, units * y))
    assert_allclose(other.predict(X), units * plain.predict(X), rtol=1e-4)
    assert_array_equal(other.activations(X, "output"), other.predict(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0, 0.1, -3, 1e6, 1e39, 1e-39])
def test_constant_y(dtype, value):
    X, _ = regression()
    model = make(ConvNetRegressor, max_iter=60).fit(X.astype(dtype), np.full(N, value))
    predicted = model.predict(X.astype(dtype))
    assert np.isfinite(predicted).all()
    assert_allclose(predicted, value, atol=0.3 + abs(value) * 1e-6)


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "int64", "float16", "bool"]
)
def test_y_of_any_dtype(dtype):
    X, _ = regression()
    y = (np.arange(N) % 2 * 100).astype(dtype)
    if dtype == "int8":
        y = np.where(y == 0, -128, 127).astype(dtype)
    same = y.astype(np.float64)
    models = [make(ConvNetRegressor).fit(X, values) for values in (y, same)]
    assert_array_equal(*[model.predict(X) for model in models])


def test_weights_of_samples_count_for_y():
    X, y = regression()
    y[:60] += 1000
    weights = (np.arange(N) >= 60).astype(float)
    weighted = make(ConvNetRegressor, shuffle=False, max_iter=30).fit(X, y, weights)
    assert weighted.score(X[60:], y[60:]) > 0.5


def test_validation_in_the_units_of_y():
    X, y = regression()
    model = make(ConvNetRegressor, max_iter=5, scoring="neg_mean_absolute_error")
    model.fit(X[:80], 1e4 * y[:80], X_val=X[80:], y_val=1e4 * y[80:])
    error = np.abs(model.predict(X[80:]) - 1e4 * y[80:]).mean()
    assert model.validation_scores_[-1] == pytest.approx(-error)
    model.set_params(scoring=None)
    model.fit(X[:80], 1e4 * y[:80], X_val=X[80:], y_val=1e4 * y[80:])
    assert model.validation_scores_[-1] == pytest.approx(
        model.score(X[80:], 1e4 * y[80:]), rel=1e-6
    )


@pytest.mark.parametrize("scoring", [None, "loss", "neg_median_absolute_error"])
def test_early_stopping_judges_in_any_units(scoring):
    X, y = regression()
    params = {"early_stopping": True, "max_iter": 15, "scoring": scoring}
    plain, other = (make(ConvNetRegressor, **params).fit(X, t) for t in (y, 1024 * y))
    assert_allclose(other.predict(X), 1024 * plain.predict(X), rtol=1e-6)
    if scoring != "neg_median_absolute_error":
        assert_allclose(other.validation_scores_, plain.validation_scores_, rtol=1e-6)


def test_gradients_are_those_of_the_standardized_y():
    X, y = regression()
    plain, other = (make(ConvNetRegressor).fit(X, t) for t in (y, 4096 * y))
    loss, gradients = plain.loss_gradients(X, y)
    same, others = other.loss_gradients(X, 4096 * y)
    assert same == pytest.approx(loss)
    for name, gradient in gradients.items():
        assert_allclose(others[name], gradient, rtol=1e-6, atol=1e-12)
    z = (y - plain.predict(X)) / y.std()
    kernels = [w for name, w in plain.get_weights().items() if "kernel" in name]
    penalty = sum(np.sum(w**2) for w in kernels) / 2 / N
    assert loss == pytest.approx(np.mean(z**2) / 2 + penalty)


def test_delta_of_huber_is_in_deviations_of_y():
    X, y = regression()
    names, objects = (
        make(ConvNetRegressor, loss=loss).fit(X, 1e4 * y)
        for loss in ("huber", Huber(delta=1.0))
    )
    assert_array_equal(names.predict(X), objects.predict(X))


def test_y_of_poisson_is_left_alone():
    X, _ = regression()
    y = np.arange(N) % 5
    auto = make(ConvNetRegressor, loss="poisson").fit(X, y)
    assert (auto.predict(X) > 0).all()
    by_hand = (X - X.mean(axis=(0, 1, 2))) / X.std(axis=(0, 1, 2))
    none = make(ConvNetRegressor, loss="poisson", rescale=None).fit(by_hand, y)
    assert_allclose(none.predict(by_hand), auto.predict(X), rtol=1e-6)


def test_later_calls_keep_the_units_of_y():
    X, y = regression()
    model = make(ConvNetRegressor).partial_fit(X, 1000 * y)
    for _ in range(60):
        model.partial_fit(X, 1000 * y)
    before = model.predict(X)
    model.partial_fit(X[:16], 1000 * y[:16])
    assert np.abs(model.predict(X) - before).max() < 2000 * y.std()
    assert model.score(X, 1000 * y) > 0.5
