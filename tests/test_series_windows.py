"""Windows of a series: views of it, which estimators read without a copy."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from skconvnet import SequentialRegressor
from skconvnet.layers import Conv1D, Dense, Flatten, GlobalAvgPool
from skconvnet.series import windows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def plain_windows(values, length, horizon, step, channel=0):
    X, y = [], []
    for start in range(0, len(values) - length - horizon + 1, step):
        X.append(values[start : start + length])
        y.append(values[start + length : start + length + horizon, channel])
    return np.array(X), np.array(y)


@settings(deadline=None)
@given(
    length=st.integers(1, 5),
    horizon=st.integers(1, 4),
    step=st.integers(1, 6),
    extra=st.integers(0, 9),
    n_channels=st.integers(1, 3),
    data=st.data(),
)
def test_windows_and_what_follows(length, horizon, step, extra, n_channels, data):
    values = np.random.default_rng(0).normal(
        size=(length + horizon + extra, n_channels)
    )
    target = data.draw(st.integers(0, n_channels - 1))
    X, y = windows(values, length, horizon, step, target=target)
    expected = plain_windows(values, length, horizon, step, target)
    np.testing.assert_array_equal(X, expected[0])
    assert y.shape == ((len(X), horizon) if horizon > 1 else (len(X),))
    np.testing.assert_array_equal(y.reshape(expected[1].shape), expected[1])
    for view in (X, y):
        assert np.shares_memory(view, values)
        assert not view.flags.writeable


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16", "uint8", bool])
def test_arrays_are_not_converted(dtype):
    values = np.arange(20).astype(dtype)
    X, y = windows(values, 3)
    assert X.dtype == y.dtype == dtype
    assert (X.shape, y.shape) == ((17, 3, 1), (17,))
    assert np.shares_memory(X, values)


def test_what_pandas_has():
    frame = pd.DataFrame({"flow": np.arange(9.0), "level": np.arange(9.0) ** 2})
    X, y = windows(frame, 4, 2, target="level")
    expected = windows(frame.to_numpy(), 4, 2, target=1)
    np.testing.assert_array_equal(X, expected[0])
    np.testing.assert_array_equal(y, expected[1])
    assert np.shares_memory(X, frame.to_numpy())
    one = windows(frame["flow"], 4, 2)
    assert one[0].tolist() == windows(frame[["flow"]], 4, 2)[0].tolist()
    assert windows(frame, 4, target=-1)[1].tolist() == [16.0, 25.0, 36.0, 49.0, 64.0]
    listed = windows([1, 2, 3], 2)
    assert listed[0].tolist() == [[[1], [2]]]


ERRORS = [
    (
        (np.zeros(10), 8, 3),
        {},
        "y has 10 steps, but a window of length=8 and .* take 11",
    ),
    ((np.zeros((9, 2)), 3), {}, r"y has 2 channels; set target .* target=0\."),
    ((np.zeros((9, 2)), 3), {"target": 2}, "an int from 0 to 1; got 2"),
    ((np.zeros((9, 2)), 3), {"target": True}, "an int from 0 to 1; got True"),
    ((np.zeros((9, 2, 1)), 3), {}, r"got \(9, 2, 1\). For several series, call"),
    ((np.zeros(9), 0), {}, "length must be an int of at least 1; got 0"),
    ((np.zeros(9), 2, 0), {}, "horizon must be an int of at least 1; got 0"),
    ((np.zeros(9), 2, 1, 0), {}, "step must be an int of at least 1; got 0"),
    ((["a"] * 9, 3), {}, "y must be numeric"),
    ((np.zeros(()), 3), {}, r"got \(\)"),
]


@pytest.mark.parametrize(("args", "params", "message"), ERRORS)
def test_errors(args, params, message):
    with pytest.raises(ValueError, match=message):
        windows(*args, **params)


def test_errors_of_frames():
    frame = pd.DataFrame({"flow": np.zeros(9), "level": np.zeros(9)})
    with pytest.raises(ValueError, match=r"\['flow', 'level'\]; set .* target='flow'"):
        windows(frame, 3)
    with pytest.raises(ValueError, match=r"from 0 to 1, or one of \['flow', 'level'\]"):
        windows(frame, 3, target="speed")
    with pytest.raises(ValueError, match="be one series"):
        windows(pd.concat({"a": frame}), 3, target="flow")
    with pytest.raises(ValueError, match="y must be numeric"):
        windows(frame.assign(flow="x"), 3, target="level")
    dates = pd.date_range("2020-01-01", periods=9)
    with pytest.raises(ValueError, match="y must be numeric: it holds the date '2020-"):
        windows(frame.assign(date=dates), 3, target="level")
    with pytest.raises(ValueError, match="it holds the time difference '1 days"):
        windows(frame.assign(age=np.diff(dates)[0]), 3, target="level")
    with pytest.raises(TypeError, match=r"length must be an int .*got 2\.5"):
        windows(frame, 2.5, target="level")


def make(**params):
    layers = [Conv1D(2, 4, strides=4), GlobalAvgPool()]
    fixed = {"layers": layers, "max_iter": 1, "batch_size": 100, "random_state": 0}
    return SequentialRegressor(**{**fixed, **params})


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("horizon", [1, 3])
def test_the_same_network_as_from_a_copy(dtype, horizon):
    values = np.random.default_rng(0).normal(size=(300, 2)).astype(dtype)
    X, y = windows(values, 20, horizon, target=1)
    own = make(max_iter=3).fit(X, y)
    copied = make(max_iter=3).fit(X.copy(), y.copy())
    assert own.network_.state.tobytes() == copied.network_.state.tobytes()
    np.testing.assert_array_equal(own.predict(X), copied.predict(X.copy()))
    assert own.predict(X).shape == y.shape


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_windows_are_not_copied_whole(dtype, early_stopping):
    values = np.random.default_rng(0).normal(size=20_000).astype(dtype)
    X, y = windows(values, 500, 2)
    model = make(early_stopping=early_stopping)
    model.fit(X[:300], y[:300])  # what is allocated once
    tracemalloc.start()
    model.fit(X, y)
    model.predict(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert X.nbytes > 38_000_000
    # Minibatches, and a few copies of targets and predictions.
    assert peak < X.nbytes / 8


def test_forecasts_beat_the_last_value():
    """Also in cross-validation in the order of time."""
    rng = np.random.default_rng(0)
    time = np.arange(700)
    values = np.sin(time * 2 * np.pi / 24) + rng.normal(scale=0.1, size=len(time))
    X, y = windows(values, length=48, horizon=6)
    model = make(
        layers=[Flatten(), Dense(16, activation="relu")],
        max_iter=30,
        batch_size=32,
        learning_rate_init=0.003,
    )
    folds = TimeSeriesSplit(n_splits=2, gap=5)
    scores = cross_val_score(
        model, X, y, cv=folds, scoring="neg_mean_absolute_error", error_score="raise"
    )
    last = np.abs(y - X[:, -1]).mean()
    assert -scores.min() < 0.5 * last
