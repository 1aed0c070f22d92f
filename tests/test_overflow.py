"""Numbers that are finite as users pass them, but not in the network's precision."""

import numpy as np
import pytest
import scipy.sparse
from estimator_cases import (
    ESTIMATORS,
    IMAGE_ESTIMATORS,
    REGRESSORS,
    data_for,
    make,
)

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.engine.finite import all_finite, may_overflow
from skconvnet.layers import Conv2D, Standardize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SAMPLE = 7
TOO_LARGE = "X.*is 1e.39, which is too large for the float32 .* 3.4e.38.*Rescale X"


def with_large_value(X, value=1e39):
    X = X.astype(np.result_type(X, value))
    X[(SAMPLE, *[0] * (X.ndim - 1))] = value
    return X


@pytest.fixture(params=ESTIMATORS, ids=lambda cls: cls.__name__)
def case(request):
    """Return a network fitted in float32, and data with too large a value."""
    cls = request.param
    X, y = data_for(cls)
    fitted = make(cls).fit(X.astype("float32"), y)
    assert fitted.network_.dtype == np.float32
    return cls, fitted, with_large_value(X), X, y


def assert_refused(call, message=TOO_LARGE):
    with pytest.raises(ValueError, match=message):
        call()


def methods(fitted):
    names = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
    return [getattr(fitted, name) for name in names if hasattr(fitted, name)]


def test_a_value_too_large_is_refused_by_predictions(case):
    _, fitted, large, _, y = case
    for method in methods(fitted):
        assert_refused(lambda method=method: method(large), rf"X\[{SAMPLE}, 0.* 1e.39")
    assert_refused(lambda: fitted.predict(large[SAMPLE : SAMPLE + 1]), r"X\[0, 0")
    assert_refused(lambda: fitted.predict(-large), "is -1e.39")
    assert_refused(lambda: fitted.activations(large, "output"))
    assert_refused(lambda: fitted.score(large, y))
    assert_refused(lambda: fitted.loss_gradients(large, y))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_value_too_large_is_refused_by_fit(case, solver, early_stopping):
    cls, _, large, _, y = case
    params = {"solver": solver, "early_stopping": early_stopping, "dtype": "float32"}
    model = make(cls, **params)
    assert_refused(lambda: model.fit(large, y))
    assert not hasattr(model, "network_")


def test_a_value_too_large_is_refused_when_training_goes_on(case):
    cls, fitted, large, X, y = case
    before = fitted.get_weights()
    assert_refused(lambda: fitted.partial_fit(large, y))
    assert_refused(lambda: fitted.set_params(warm_start=True).fit(large, y))
    for name, array in fitted.get_weights().items():
        np.testing.assert_array_equal(array, before[name])
    assert_refused(lambda: make(cls, dtype="float32").initialize(large, y))
    model = make(cls, dtype="float32")
    assert_refused(lambda: model.fit(X, y, X_val=large, y_val=y), r"X_val\[7.*1e.39")


def test_the_largest_number_is_allowed(case):
    _, fitted, _, X, _ = case
    X = with_large_value(X, float(np.finfo(np.float32).max))
    fitted.predict(X)


@pytest.mark.parametrize("make_sparse", ["csr_matrix", "csc_matrix", "csr_array"])
def test_sparse_rows(make_sparse):
    X, y = data_for(MLPClassifier)
    fitted = make(MLPClassifier).fit(X.astype("float32"), y)
    large = getattr(scipy.sparse, make_sparse)(with_large_value(X))
    assert_refused(lambda: fitted.predict(large), rf"X\[{SAMPLE}, 0\] is 1e.39")
    assert_refused(lambda: make(MLPClassifier, dtype="float32").fit(large, y))


def test_memory_maps_and_maps_of_different_sizes(tmp_path):
    X, y = data_for(ConvNetClassifier)
    large = with_large_value(X)
    mapped = np.memmap(tmp_path / "X", dtype="float64", mode="w+", shape=X.shape)
    mapped[:] = large
    fitted = make(ConvNetClassifier).fit(X.astype("float32"), y)
    assert_refused(lambda: fitted.predict(mapped))

    params = {"global_pooling": "max", "dtype": "float32"}
    maps = [one[: 6 - i % 2] for i, one in enumerate(large)]
    assert_refused(lambda: make(ConvNetClassifier, **params).fit(maps, y))
    small = [one[: 6 - i % 2] for i, one in enumerate(X)]
    fitted = make(ConvNetClassifier, **params).fit(small, y)
    assert_refused(lambda: fitted.predict(maps), rf"X\[{SAMPLE}, 0, 0, 0\] is 1e.39")


@pytest.mark.skipif(
    np.finfo(np.longdouble).max == np.finfo(np.float64).max,
    reason="long double is no larger than double here",
)
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_extended_precision(cls):
    X, y = data_for(cls)
    large = with_large_value(X, np.longdouble("1e400"))
    assert_refused(lambda: make(cls).fit(large, y), "1e.400, which is too large .*64")


@pytest.mark.parametrize("cls", REGRESSORS)
def test_targets(cls):
    X, y = data_for(cls)
    model, large = make(cls, dtype="float32"), y.copy()
    large[4] = 1e39
    assert_refused(lambda: model.fit(X, large), r"y\[4\] is 1e.39, .* Rescale y")
    assert_refused(lambda: model.initialize(X, large), r"y\[4\] is 1e.39")
    both = np.stack([y, large], axis=1)
    assert_refused(lambda: model.fit(X, both), r"y\[4, 1\] is 1e.39")
    message = r"y_val\[4\] is 1e.39"
    assert_refused(lambda: model.fit(X, y, X_val=X, y_val=large), message)
    model.fit(X, y)
    assert_refused(lambda: model.partial_fit(X, large), r"y\[4\] is 1e.39")
    assert_refused(lambda: model.loss_gradients(X, large), r"y\[4\] is 1e.39")
    assert_refused(lambda: model.loss_gradients(X, 1e30 * y), "The loss is inf")


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_overflow_inside_the_network_is_no_silent_nan(cls):
    X, y = data_for(cls)
    is_list = cls in (SequentialClassifier, SequentialRegressor)
    params = {"layers": [Conv2D(3, 3, activation="relu")]} if is_list else {}
    fitted = make(cls, **params).fit(X.astype("float32"), y)
    kernels = {
        name: np.full(array.shape, 10.0)
        for name, array in fitted.get_weights().items()
        if name.endswith("kernel")
    }
    fitted.set_weights(kernels)
    large = (1e38 * X).astype("float32")
    for method in methods(fitted):
        with pytest.raises(ValueError, match=r"output .* X\[0\] .*3.4e.38.*Rescale X"):
            method(large)
    with pytest.raises(ValueError, match="gradients are not all finite"):
        fitted.loss_gradients(large, y)
    first = next(name for name in fitted.network_.layers)
    with pytest.warns(RuntimeWarning, match=r"output of the network for X\[0"):
        fitted.activations(large, first)


@pytest.mark.filterwarnings("ignore:overflow encountered in dot")
@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_weights_that_overflow_are_never_the_best_ones(scoring):
    X, y = data_for(MLPClassifier)
    model = make(
        MLPClassifier,
        dtype="float32",
        scoring=scoring,
        early_stopping=True,
        solver="sgd",
        learning_rate_init=1e8,
        max_iter=20,
    )
    with pytest.warns(RuntimeWarning, match="Training diverged.*best .* are kept"):
        model.fit(X, y)
    assert np.isnan(model.validation_scores_[-1])
    assert np.isfinite(model.predict_proba(X)).all()


def test_statistics_of_the_input_see_large_values():
    X, y = data_for(SequentialClassifier)
    model = SequentialClassifier([Standardize()], dtype="float32", max_iter=1)
    assert_refused(lambda: model.fit(with_large_value(X)[..., None], y))


def test_only_narrowing_conversions_may_overflow():
    for source in ("uint8", "int64", "uint64", "bool", "float16", "float32"):
        assert not may_overflow(source, "float32")
    assert may_overflow("float64", "float32")
    assert not may_overflow("float64", "float64")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("large", [1.0, 1e300])
@pytest.mark.parametrize("shape", [(3, 4), (30, 400)])
def test_all_finite(value, large, shape):
    values = np.full(shape, large)
    assert all_finite(values)
    assert all_finite(values.T)
    values[1, 2] = value
    assert not all_finite(values)
    assert not all_finite(values[:, ::2])
