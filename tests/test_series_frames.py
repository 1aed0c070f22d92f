"""DataFrames of series: converted, and passed to estimators as they are."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skconvnet import (
    ConvNetClassifier,
    FeatureExtractor,
    MLPClassifier,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import Conv1D, Dense, GlobalMaxPool
from skconvnet.series import from_multiindex, from_nested

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 12
LABELS = np.array(["calm", "storm"] * 6)


def sequences(*, ragged=False, n_channels=2):
    rng = np.random.default_rng(0)
    lengths = [9 + i % 3 if ragged else 9 for i in range(N)]
    return [rng.normal(size=(length, n_channels)) for length in lengths]


def nested(X, make_cell=pd.Series):
    """Return the nested DataFrame of sktime."""
    names = [f"dim_{c}" for c in range(X[0].shape[1])]
    return pd.DataFrame(
        {name: [make_cell(x[:, c]) for x in X] for c, name in enumerate(names)}
    )


def multiindex(X):
    """Return the DataFrame of sktime with the levels (instance, time)."""
    frames = {f"i{i:02}": pd.DataFrame(x).add_prefix("dim_") for i, x in enumerate(X)}
    return pd.concat(frames, names=["instance", "time"])


def as_objects(samples):
    array = np.empty(len(samples), dtype=object)
    for i, one in enumerate(samples):
        array[i] = one
    return array


def make(cls=SequentialClassifier, **params):
    layers = [("conv", Conv1D(3, 3, activation="relu")), ("max", GlobalMaxPool())]
    fixed = {"layers": layers, "max_iter": 2, "random_state": 0, "batch_size": 4}
    return cls(**{**fixed, **params})


def state(model):
    return model.network_.state.tobytes()


def assert_same(found, expected):
    assert isinstance(found, list) == (len({len(x) for x in expected}) > 1)
    assert len(found) == len(expected)
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("make_cell", [pd.Series, np.array, list])
def test_series_in_cells(ragged, n_channels, make_cell):
    X = sequences(ragged=ragged, n_channels=n_channels)
    assert_same(from_nested(nested(X, make_cell)), X)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_times_in_the_index(ragged, n_channels):
    X = sequences(ragged=ragged, n_channels=n_channels)
    assert_same(from_multiindex(multiindex(X)), X)


def test_a_column_has_one_channel():
    X = sequences(n_channels=1)
    assert_same(from_nested(nested(X)["dim_0"]), X)
    assert_same(from_multiindex(multiindex(X)["dim_0"]), X)


def test_instances_keep_their_order():
    X = sequences()
    frame = multiindex(X)
    order = [f"i{i:02}" for i in (3, 1, 2)]
    picked = pd.concat({name: frame.loc[name] for name in order})
    assert_same(from_multiindex(picked), [X[3], X[1], X[2]])


def test_missing_values_and_dtypes_of_pandas():
    frame = multiindex(sequences()).astype("float32")
    assert from_multiindex(frame).dtype == np.float32
    nullable = multiindex(sequences()).astype("Float64")
    nullable.iloc[4, 1] = pd.NA
    found = from_multiindex(nullable)
    assert np.isnan(found[0, 4, 1])
    assert np.isnan(found).sum() == 1
    ints = pd.Series([pd.Series([1, 2], dtype="Int64"), pd.Series([3, 4])])
    assert from_nested(ints).tolist() == [[[1], [2]], [[3], [4]]]


def _with_late_channel():
    frame = nested(sequences())
    frame.iloc[2, 1] = pd.Series([1.0, 2.0])
    return frame


NESTED_ERRORS = [
    (_with_late_channel, r"row 2 of X have the lengths \[9, 2\]"),
    (lambda: pd.DataFrame({"a": [1.0, 2.0]}), r"Column 'a' of X .* row 0 holds 1\.0"),
    (lambda: nested(sequences()).iloc[:0], r"rows and columns; got shape \(0, 2\)"),
    (
        lambda: pd.DataFrame({"a": [pd.Series(["x", "y"])]}),
        r"Row 0 of column 'a' of X must be numeric: it holds the text 'x'\.",
    ),
    (
        lambda: pd.DataFrame({"a": [pd.Series(pd.to_datetime(["2020", "2021"]))]}),
        "must be numeric: it has dtype datetime64",
    ),
    (
        lambda: pd.DataFrame({"a": [np.zeros((2, 2))]}),
        r"row 0 holds an array of shape \(2, 2\)",
    ),
]


@pytest.mark.parametrize(("make_frame", "message"), NESTED_ERRORS)
def test_errors_of_cells(make_frame, message):
    with pytest.raises(ValueError, match=message):
        from_nested(make_frame())


INDEX_ERRORS = [
    (lambda f: f.reset_index(drop=True), r"two levels, \(instance, time\); got 1"),
    (lambda f: pd.concat({"a": f}), r"two levels.*got 3"),
    (lambda f: f.iloc[[0, 9, 1, 10]], r"one after the other. .*sort_index"),
    (
        lambda f: f.iloc[[0, 2, 1]],
        r"instance 'i00' must increase, but 2 is followed by",
    ),
    (lambda f: f.iloc[[0, 1, 1]], r"must increase, but 1 is followed by 1.*twice"),
    (lambda f: f.iloc[:0], r"rows and columns"),
    (lambda f: f.assign(name="x"), r"Column 'name' of X must be numeric"),
]


@pytest.mark.parametrize(("change", "message"), INDEX_ERRORS)
def test_errors_of_the_index(change, message):
    with pytest.raises(ValueError, match=message):
        from_multiindex(change(multiindex(sequences())))


@pytest.mark.parametrize("convert", [from_nested, from_multiindex])
def test_arrays_are_no_frames(convert):
    with pytest.raises(TypeError, match="DataFrame or Series of pandas; got ndarray"):
        convert(np.zeros((3, 4)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("frame", [nested, multiindex])
@pytest.mark.parametrize("ragged", [False, True])
def test_every_method_takes_frames(ragged, frame, data_format):
    X = sequences(ragged=ragged)
    held_out, labels = frame(X[:4]), LABELS[:4]
    given = {"X_val": held_out, "y_val": labels, "sample_weight": np.arange(1.0, N + 1)}
    ours = make(data_format=data_format).fit(frame(X), LABELS, **given)
    theirs = make().fit(X, LABELS, **{**given, "X_val": X[:4]})
    assert state(ours) == state(theirs)
    for name in ("predict", "predict_proba", "decision_function"):
        found = getattr(ours, name)(frame(X))
        np.testing.assert_array_equal(found, getattr(theirs, name)(X))
    assert ours.score(held_out, labels) == theirs.score(X[:4], labels)
    one = ours.predict_proba(frame(X[:1]))
    np.testing.assert_allclose(one, theirs.predict_proba(X[:1]))
    assert ours.loss_gradients(frame(X), LABELS)[0] == pytest.approx(
        theirs.loss_gradients(X, LABELS)[0]
    )
    maximum = ours.activations(frame(X), "max")
    np.testing.assert_array_equal(maximum, theirs.activations(X, "max"))
    ours.partial_fit(frame(X), LABELS)
    assert state(ours) == state(theirs.partial_fit(X, LABELS))
    assert state(ours.initialize(frame(X), LABELS)) == state(
        theirs.initialize(X, LABELS)
    )
    again = pickle.loads(pickle.dumps(ours))
    np.testing.assert_array_equal(again.predict(frame(X)), theirs.predict(X))


def test_within_scikit_learn():
    X = sequences(ragged=True)
    scores = cross_val_score(make(), nested(X), LABELS, cv=3, error_score="raise")
    np.testing.assert_array_equal(scores, cross_val_score(make(), X, LABELS, cv=3))
    search = GridSearchCV(make(), {"conv__filters": [2, 3]}, cv=2)
    search.fit(nested(X), LABELS)
    assert search.predict(nested(X)).shape == (N,)
    pipeline = make_pipeline(FunctionTransformer(from_multiindex), make())
    fitted = clone(pipeline).fit(multiindex(X), LABELS)
    np.testing.assert_array_equal(
        fitted.predict(multiindex(X)), make().fit(X, LABELS).predict(X)
    )
    features = FeatureExtractor(make(), "max").fit(nested(X), LABELS)
    assert features.transform(nested(X)).shape == (N, 3)


def test_regressors_take_several_outputs():
    X, y = sequences(), np.arange(2.0 * N).reshape(N, 2)
    ours = make(SequentialRegressor).fit(multiindex(X), y)
    assert state(ours) == state(make(SequentialRegressor).fit(np.stack(X), y))


def test_rows_with_an_index_of_two_levels_remain_rows():
    rows = multiindex(sequences(n_channels=4))
    y = np.arange(len(rows)) % 2
    fitted = make().fit(rows, y)
    assert fitted.network_.in_shape == (4, 1)
    assert fitted.predict(rows).shape == (len(rows),)
    dense = SequentialClassifier([Dense(3)], max_iter=1, random_state=0).fit(rows, y)
    assert dense.predict(rows).shape == (len(rows),)
    assert list(dense.feature_names_in_) == list(rows.columns)


def test_numbers_of_targets_that_fit_neither_rows_nor_instances():
    X = multiindex(sequences())
    with pytest.raises(ValueError, match=r"108 rows of 12 instances, but y has 11 tar"):
        make().fit(X, LABELS[:-1])
    with pytest.raises(ValueError, match="one after the other"):
        make().fit(X.iloc[np.argsort(np.arange(len(X)) % 9)], LABELS)


def test_a_model_for_onnx_takes_arrays():
    pytest.importorskip("onnx")
    fitted = make(data_format="channels_first").fit(nested(sequences()), LABELS)
    model = fitted.to_onnx(nested(sequences()))
    shape = model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_value for d in shape][1:] == [2, 9]


def test_rows_of_a_frame_are_univariate_series():
    X = sequences(n_channels=1)
    rows = pd.DataFrame(np.stack(X)[..., 0])
    assert state(make().fit(rows, LABELS)) == state(make().fit(np.stack(X), LABELS))


@pytest.mark.parametrize("frame", [nested, multiindex])
def test_channels_of_other_names_are_refused(frame):
    X = frame(sequences())
    fitted = make().fit(X, LABELS)
    with pytest.raises(ValueError, match=r"\['dim_1', 'dim_0'\], must be the channels"):
        fitted.predict(X[["dim_1", "dim_0"]])
    with pytest.raises(ValueError, match=r"X.*must be the channels"):
        fitted.partial_fit(X[["dim_1", "dim_0"]], LABELS)
    arrays = sequences()
    fitted.predict(arrays)
    fitted.fit(arrays, LABELS)
    fitted.predict(X[["dim_1", "dim_0"]])


@pytest.mark.parametrize("form", [list, tuple, as_objects, pd.Series])
@pytest.mark.parametrize("ragged", [False, True])
def test_channels_of_frames_in_a_list(form, ragged):
    X = sequences(ragged=ragged)
    names = ["dim_0", "dim_1"]
    frames = [pd.DataFrame(x, columns=names) for x in X]
    turned = [frame[names[::-1]] for frame in frames]
    fitted = make().fit(form(frames), LABELS)
    assert state(fitted) == state(make().fit(X, LABELS))
    for call in (fitted.predict, lambda X: fitted.partial_fit(X, LABELS)):
        with pytest.raises(ValueError, match=r"\['dim_1', 'dim_0'\], must be the chan"):
            call(form(turned))
    mixed = [*frames[:3], *turned[3:]]
    for call in (fitted.predict, lambda X: make().fit(X, LABELS)):
        with pytest.raises(
            ValueError, match=r"^X\[3\] has .*'dim_0'\], but X\[0\] has"
        ):
            call(form(mixed))
    expected = fitted.predict(X)
    for same in (nested(X), form([pd.DataFrame(x) for x in X])):  # without names
        np.testing.assert_array_equal(fitted.predict(same), expected)
    fitted.fit(form([pd.DataFrame(x) for x in X]), LABELS)
    fitted.predict(form(turned))
    steps = [pd.DataFrame(x.T, index=names) for x in X]  # in the columns, as in aeon
    first = make(data_format="channels_first").fit(form(steps), LABELS)
    assert state(first) == state(make().fit(X, LABELS))


def test_an_error_leaves_the_names_of_channels():
    X = nested(sequences())
    fitted = make().fit(X, LABELS)
    with pytest.raises(ValueError, match="lengths"):
        fitted.fit(_with_late_channel(), LABELS)
    with pytest.raises(ValueError, match="must be the channels"):
        fitted.predict(X[["dim_1", "dim_0"]])


def test_convnets_must_know_that_these_are_no_images():
    X = sequences(ragged=True)
    fixed = {"filters": 2, "max_iter": 1, "random_state": 0, "global_pooling": "avg"}
    with pytest.raises(
        ValueError, match=r"read as images; set input_shape=\(None, 2\)"
    ):
        ConvNetClassifier(**fixed).fit(nested(X), LABELS)
    first = ConvNetClassifier(**fixed, data_format="channels_first")
    with pytest.raises(ValueError, match=r"set input_shape=\(2, None\)"):
        first.fit(multiindex(X), LABELS)
    theirs = ConvNetClassifier(**fixed, input_shape=(None, 2)).fit(X, LABELS)
    first.set_params(input_shape=(2, None))
    assert state(first.fit(nested(X), LABELS)) == state(theirs)
    one = ConvNetClassifier(**fixed).fit(nested(sequences(n_channels=1)), LABELS)
    assert one.network_.in_shape == (9, 1)


def test_perceptrons_take_no_series():
    with pytest.raises(ValueError, match=r"'dim_0' of X holds an array.*in each cell"):
        MLPClassifier(max_iter=1).fit(nested(sequences()), LABELS)
    with pytest.raises(ValueError, match=r"or skconvnet\.series\.from_nested\(X\) for"):
        make().fit(nested(sequences(), np.array), LABELS)


def test_sequences_must_fit_the_layers():
    dense = SequentialClassifier([Dense(3)], max_iter=1)
    with pytest.raises(ValueError, match="Dense needs flat input"):
        dense.fit(nested(sequences()), LABELS)
    fitted = make().fit(nested(sequences()), LABELS)
    with pytest.raises(ValueError, match="must be the channels"):
        fitted.predict(nested(sequences(n_channels=1)))
    with pytest.raises(ValueError, match="must be the channels"):
        fitted.predict(multiindex(sequences(n_channels=3)))
    with pytest.raises(ValueError, match=r"1 channel instead of 2"):
        make().fit(sequences(), LABELS).predict(nested(sequences(n_channels=1)))
