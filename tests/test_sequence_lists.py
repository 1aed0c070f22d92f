"""Lists of sequences: what is read, and errors that name the sample and the step."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    SequentialClassifier,
)
from skconvnet.layers import (
    GRU,
    Conv1D,
    Conv2D,
    Embedding,
    GlobalMaxPool,
    PositionalEncoding,
    TimeDistributed,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 8
Y = np.arange(N) % 2
KINDS = {
    "sequential": lambda **params: SequentialClassifier(
        [Conv1D(2, 3), GlobalMaxPool()], max_iter=1, random_state=0, **params
    ),
    "convnet": lambda **params: ConvNetClassifier(
        2, max_iter=1, random_state=0, global_pooling="max", **params
    ),
}
both = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


def sequences(n_channels=2):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(6 + i % 3, n_channels)) for i in range(N)]


def state(model):
    return model.network_.state.tobytes()


def fitted(make, X, **params):
    return make(input_shape=(None, X[0].shape[1]), **params).fit(X, Y)


def as_objects(samples):
    array = np.empty(len(samples), dtype=object)
    for i, one in enumerate(samples):
        array[i] = one
    return array


def calls(model, X):
    """Return the calls that read X, before and after fit."""
    fresh = clone(model)
    return [
        lambda: fresh.fit(X, Y),
        lambda: model.predict(X),
        lambda: model.partial_fit(X, Y),
        lambda: model.fit(sequences(), Y, X_val=X, y_val=Y),
    ]


@both
@pytest.mark.parametrize(
    "convert",
    [
        lambda X: [x.tolist() for x in X],
        lambda X: [pd.DataFrame(x) for x in X],
        lambda X: tuple(X),
        as_objects,
        lambda X: as_objects([x.tolist() for x in X]),
        lambda X: pd.Series(X),
        lambda X: pd.Series([x.tolist() for x in X]),
        lambda X: as_objects([pd.DataFrame(x) for x in X]),
    ],
    ids=[
        "lists",
        "frames",
        "tuple",
        "objects",
        "objects_of_lists",
        "series",
        "series_of_lists",
        "objects_of_frames",
    ],
)
def test_containers_of_sequences(make, convert):
    X = sequences()
    expected, own = fitted(make, X), fitted(make, X)
    own.fit(convert(X), Y)
    assert state(own) == state(expected)
    for some in (X, X[:2], X[:1], X[::3]):
        np.testing.assert_array_equal(
            own.predict_proba(convert(some)), expected.predict_proba(some)
        )
    same = X[::3]
    own.fit(convert(same), Y[::3])
    assert state(own) == state(expected.fit(same, Y[::3]))


@both
@pytest.mark.parametrize("same_length", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    "convert",
    [list, lambda X: [x.tolist() for x in X], lambda X: list(map(pd.Series, X))],
)
def test_univariate_sequences_need_no_axis_of_channels(
    make, same_length, data_format, convert
):
    X = sequences(n_channels=1)
    if same_length:
        X = [x[:6] for x in X]
    shape = (None, 1) if data_format == "channels_last" else (1, None)
    own = make(data_format=data_format, input_shape=shape)
    flat = convert([x[:, 0] for x in X])
    own.fit(flat, Y)
    expected = fitted(make, X)
    assert state(own) == state(expected)
    np.testing.assert_array_equal(own.predict(flat), expected.predict(X))


def test_univariate_sequences_for_1d_layers_alone():
    X = [x[:, 0] for x in sequences()]
    own = KINDS["sequential"]().fit(X, Y)
    assert own.network_.in_shape == (8, 1)
    for model in (MLPClassifier(max_iter=1), KINDS["convnet"]()):
        with pytest.raises(ValueError, match=r"rows of different lengths.*\(None, 1\)"):
            model.fit(X, Y)
        with pytest.raises(ValueError, match=r"rows of different lengths"):
            model.fit([x.tolist() for x in X], Y)


@both
@pytest.mark.parametrize("container", [list, as_objects])
def test_empty_sequences(make, container):
    X = sequences()
    model = fitted(make, X)
    X[3] = np.zeros((0, 2))
    for call in calls(model, container(X)):
        message = r"^X(_val)?\[3\] has shape \(0, 2\); every axis"
        with pytest.raises(ValueError, match=message):
            call()
    for call in calls(model, [np.zeros((0, 2))] * N):
        with pytest.raises(ValueError, match=r"every axis.* must have a length of"):
            call()


@both
def test_numbers_of_channels_that_differ(make):
    X = sequences()
    model = fitted(make, X)
    X[3] = np.zeros((7, 3))
    in_fit, *others = calls(model, X)
    with pytest.raises(ValueError, match=r"same number of channels.*last axis"):
        in_fit()
    for call in others:
        with pytest.raises(ValueError, match=r"^X(_val)?\[3\] has .* 3 channels inste"):
            call()
    X[3] = np.zeros(7)
    for call in calls(model, X):
        with pytest.raises(ValueError, match=r"must all have the same number of axes"):
            call()


@both
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("is_array", [False, True])
def test_values_that_are_not_finite(make, value, data_format, is_array):
    X = [x[:6] for x in sequences()] if is_array else sequences()
    model = fitted(make, X)
    X[3][4, 1] = value
    if data_format == "channels_first":
        model.set_params(data_format=data_format, input_shape=(2, None))
        X = [x.T for x in X]
    if is_array:
        X = np.stack(X)
    what = "contains NaN: X.3. is nan" if np.isnan(value) else r"contains infinity.*inf"
    for call in calls(model, X)[:3]:
        with pytest.raises(
            ValueError, match=rf"^Input X {what} at step 4 of channel 1\."
        ) as caught:
            call()
        assert ("from_padded" in str(caught.value)) == bool(np.isnan(value))


def test_values_of_univariate_sequences_and_images():
    X = [x[:, 0] for x in sequences()]
    X[2][5] = np.nan
    with pytest.raises(
        ValueError, match=r"X\[2\] is nan at step 5 of channel 0\. Fill"
    ):
        KINDS["sequential"]().fit(X, Y)
    rows = [x[:6] for x in X]
    models = [
        KINDS["sequential"](),
        KINDS["sequential"](input_shape=(None, 1)),
        KINDS["convnet"](input_shape=(1, None), data_format="channels_first"),
    ]
    for model, given in itertools.product(models, (rows, np.stack(rows))):
        message = r"X\[2\] is nan at step 5 of channel 0\. Fill"
        with pytest.raises(ValueError, match=message):
            model.fit(given, Y)
        model.fit([x[:6, 0] for x in sequences()], Y)
        with pytest.raises(ValueError, match=message):
            model.predict(given)
    for other in (MLPClassifier(), KINDS["sequential"](input_shape=(3, 2))):
        with pytest.raises(ValueError, match=r"Input X contains NaN\.\n"):
            other.fit(np.stack(rows), Y)
    images = np.zeros((N, 8, 8))
    images[1, 2, 3] = np.nan
    message = r"Input X contains NaN: X\[1\] is nan at position \(2, 3\)\.$"
    for model in (
        KINDS["convnet"](),
        SequentialClassifier([Conv2D(2, 3), GlobalMaxPool()]),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(images, Y)
        with pytest.raises(ValueError, match=message):
            model.fit(list(images), Y)
    targets = np.array([0.0, np.nan] * 4)
    with pytest.raises(ValueError, match=r"y has missing values: y\[1\] is nan"):
        KINDS["sequential"]().fit(np.zeros((N, 6, 1)), targets)


@both
def test_what_is_not_numeric(make):
    X = sequences()
    model = fitted(make, X)
    X[3] = np.full((6, 2), "a")
    for call in calls(model, X)[:3]:
        with pytest.raises(ValueError, match=r"X\[3\] must be numeric; got dtype <U1"):
            call()
    with pytest.raises(ValueError, match=r"X\[1\] holds text, such as 'a'"):
        model.predict([[[1.0, 2.0]], [["a", 2.0], [1.0, 3.0]]])


@both
def test_steps_with_different_numbers_of_channels(make):
    X = [x.tolist() for x in sequences()]
    model = fitted(make, sequences())
    X[3][2] = [1.0]
    message = r"^X(_val)?\[3\] has parts of different lengths, such as steps with diff"
    for call in calls(model, X):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    "form",
    [
        list,
        lambda X: [x.tolist() for x in X],
        as_objects,
        lambda X: pd.Series([x.tolist() for x in X]),
    ],
)
def test_lists_of_series_without_an_axis_of_channels(form):
    X = [x[:, 0] for x in sequences()]
    model = KINDS["sequential"]().fit(form(X), Y)
    with_axis = KINDS["sequential"]().fit([x[:, None] for x in X], Y)
    assert state(model) == state(with_axis)
    expected = model.predict_proba(form(X))
    for i, one in enumerate(X):
        same = [model.predict_proba(form(own)) for own in ([one], [one, one])]
        for values in same:
            np.testing.assert_allclose(values[0], expected[i], rtol=1e-12)
    of_rows = KINDS["sequential"]().fit(np.stack(X[::3]), Y[:3])
    together = of_rows.predict_proba(form(X))
    alone = [of_rows.predict_proba(form([one]))[0] for one in X]
    np.testing.assert_allclose(alone, together, rtol=1e-12)


@pytest.mark.parametrize(
    ("layers", "X", "match"),
    [
        (
            [Embedding(9, 4), Conv1D(4, 6), GlobalMaxPool()],
            [[1, 2, 3], [1, 2, 3, 4, 5, 6]],
            r"X\[0\] is a text of length 3, .* takes length 6 and more",
        ),
        (
            [Embedding(9, 4), Conv1D(4, 6), GlobalMaxPool()],
            [[1, 2, 3], [1, 2, 3]],
            "read as rows of 3 values; rows of tokens can be padded to more",
        ),
        (
            [PositionalEncoding("learned"), GlobalMaxPool()],
            [np.ones((3, 2)), np.ones((4, 2))],
            "set max_length of PositionalEncoding",
        ),
        (
            [Embedding(9, 4), GlobalMaxPool()],
            [["a", "word"], ["b"]],
            r"X\[0\] holds text, such as 'a'; .*TokenSequence",
        ),
        (
            [GRU(2)],
            [[[1, 2], [3, 4]], None],
            r"X\[1\] is None, but samples of",
        ),
        (
            [GRU(2)],
            [[], [[1, 2]]],
            r"X\[0\] has shape \(0,\).* Leave out empty",
        ),
        (
            [Embedding(9, 4), GlobalMaxPool()],
            [[1, None, 2], [1]],
            r"X\[0\] is \[1, None, 2\], but .* must be arrays or lists of numbers",
        ),
        (
            [TimeDistributed([Embedding(9, 4), GRU(2)]), GRU(2)],
            [[[1, 2], [3]], [[4]]],
            r"X\[0\] has parts of different lengths.* with the padding_token",
        ),
    ],
)
def test_errors_of_lists(layers, X, match):
    with pytest.raises(ValueError, match=match):
        SequentialClassifier(layers).fit(X, [0, 1])


def test_labels_of_steps_for_the_last_output_alone():
    X = sequences()
    y = [np.zeros((len(x), 1), int) for x in X]
    with pytest.raises(ValueError, match="set return_sequences=True"):
        SequentialClassifier([GRU(2)]).fit(X, y)
