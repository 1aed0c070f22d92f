"""MistakesDisplay: which samples are drawn, in which order, and how."""

import numpy as np
import pandas as pd
import pytest
from estimator_cases import labels
from scipy import sparse
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.inspection import MistakesDisplay
from skconvnet.layers import Conv2D, Conv3D, Flatten

pytestmark = [
    pytest.mark.usefixtures("pyplot"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(size=(40, 6, 6, 1))
ROWS = RNG.normal(size=(40, 4))
NAMES = np.array(["ape", "bee", "cow"])
Y = NAMES[RNG.integers(0, 3, size=40)]
SMALL = {"hidden_layer_sizes": 3, "max_iter": 2, "random_state": 0}
draw = MistakesDisplay.from_estimator


def convnet(X=IMAGES, y=Y, **params):
    return ConvNetClassifier((2,), **{**SMALL, **params}).fit(X, y)


def test_the_surest_mistakes_come_first():
    model = convnet()
    display = draw(model, IMAGES, Y, n_max=5)
    proba, predicted = model.predict_proba(IMAGES), model.predict(IMAGES)
    mistakes = sorted((-proba[i].max(), i) for i in range(40) if predicted[i] != Y[i])
    assert display.indices.tolist() == [i for _, i in mistakes[:5]]
    np.testing.assert_array_equal(display.confidence, [-p for p, _ in mistakes[:5]])
    assert display.true.tolist() == Y[display.indices].tolist()
    assert display.predicted.tolist() == predicted[display.indices].tolist()
    assert (display.n_mistakes, display.n_samples) == (len(mistakes), 40)
    assert display.errors is None
    title = f"5 of {len(mistakes)} mistakes in 40 samples"
    assert display.figure_.get_suptitle() == title
    for place, axes in enumerate(display.axes_):
        i = display.indices[place]
        expected = f"true: {Y[i]}\npredicted: {predicted[i]} ({proba[i].max():.2f})"
        assert axes.get_title() == expected
        np.testing.assert_array_equal(axes.images[0].get_array(), IMAGES[i, ..., 0])
        assert axes.images[0].get_clim() == (0, 1)


def test_all_mistakes_if_they_are_few():
    y = convnet().predict(IMAGES)
    y[[3, 7]] = NAMES[(np.searchsorted(NAMES, y[[3, 7]]) + 1) % 3]
    display = draw(convnet(), IMAGES, y)
    assert sorted(display.indices) == [3, 7]
    assert display.figure_.get_suptitle() == "2 mistakes in 40 samples"
    y[3] = convnet().predict(IMAGES)[3]
    display = draw(convnet(), IMAGES, y)
    assert display.figure_.get_suptitle() == "1 mistake in 40 samples"


def test_no_mistakes():
    model = convnet()
    display = draw(model, IMAGES, model.predict(IMAGES))
    assert (display.n_mistakes, len(display.samples)) == (0, 0)
    (axes,) = display.axes_
    assert [text.get_text() for text in axes.texts] == ["no mistakes in 40 samples"]


def test_rows_that_the_network_reads_as_images():
    rows = IMAGES.reshape(40, -1)
    display = draw(convnet(rows), rows, Y, n_max=2)
    assert [sample.shape for sample in display.samples] == [(6, 6, 1)] * 2
    in_a_pipeline = make_pipeline(StandardScaler(), ConvNetClassifier((2,), **SMALL))
    display = draw(in_a_pipeline.fit(rows, Y), rows, Y, n_max=2)
    assert [sample.shape for sample in display.samples] == [(6, 6, 1)] * 2
    # Drawn as they were passed, not as they were scaled.
    np.testing.assert_array_equal(display.samples[0].ravel(), rows[display.indices[0]])


def test_channels_first():
    X = RNG.uniform(size=(40, 3, 5, 6))
    display = draw(convnet(X, data_format="channels_first"), X, Y, n_max=2)
    i = display.indices[0]
    np.testing.assert_array_equal(display.samples[0], np.moveaxis(X[i], 0, -1))


def test_colors_of_bytes():
    X = RNG.integers(0, 256, size=(40, 6, 6, 3), dtype=np.uint8)
    display = draw(convnet(X), X, Y, n_max=1)
    image = display.axes_[0].images[0].get_array()
    np.testing.assert_allclose(image, X[display.indices[0]] / 255)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_other_numbers_of_channels(channels):
    X = RNG.uniform(size=(40, 6, 6, channels))
    display = draw(convnet(X), X, Y, n_max=1)
    image, own = display.axes_[0].images[0].get_array(), X[display.indices[0]]
    np.testing.assert_allclose(image, own if channels == 4 else own.mean(axis=-1))


def test_values_beyond_those_of_images():
    X = RNG.normal(size=(40, 6, 6, 3))
    display = draw(convnet(X), X, Y, n_max=2)
    shown = X[display.indices]
    for place, axes in enumerate(display.axes_):
        expected = (shown[place] - shown.min()) / np.ptp(shown)
        np.testing.assert_allclose(axes.images[0].get_array(), expected)


def test_series_are_lines():
    X = RNG.normal(size=(40, 9, 2))
    display = draw(convnet(X, input_shape=(9, 2)), X, Y, n_max=2)
    lines = display.axes_[1].get_lines()
    for channel, line in enumerate(lines):
        np.testing.assert_array_equal(
            line.get_ydata(), X[display.indices[1], :, channel]
        )
    assert len(lines) == 2


def test_volumes_are_slices():
    X = RNG.normal(size=(12, 3, 4, 4, 1))
    layers = [("conv", Conv3D(2, 2)), ("flatten", Flatten())]
    model = SequentialClassifier(layers, max_iter=1).fit(X, labels(12))
    display = draw(model, X, (model.predict(X) + 1) % 3, n_max=1)
    assert display.axes_[0].images[0].get_array().shape == (4, 14)


def test_rows_are_bars_with_names():
    model = MLPClassifier(**SMALL).fit(ROWS, Y)
    display = draw(model, ROWS, Y, n_max=2)
    heights = [bar.get_height() for bar in display.axes_[0].patches]
    np.testing.assert_array_equal(heights, ROWS[display.indices[0]])
    table = pd.DataFrame(ROWS, columns=["a", "b", "c", "d"])
    display = draw(MLPClassifier(**SMALL).fit(table, Y), table, Y, n_max=2)
    widths = [bar.get_width() for bar in display.axes_[0].patches]
    np.testing.assert_array_equal(widths, ROWS[display.indices[0]])
    names = [text.get_text() for text in display.axes_[0].get_yticklabels()]
    assert names == ["a", "b", "c", "d"]
    as_images = draw(model, ROWS, Y, n_max=1, shape=(2, 2))
    assert as_images.samples[0].shape == (2, 2, 1)


def test_images_of_different_sizes():
    X = [RNG.uniform(size=(6 + i % 3, 7)) for i in range(40)]
    model = ConvNetClassifier((2,), global_pooling="avg", **SMALL).fit(X, Y)
    display = draw(model, X, Y, n_max=3)
    for i, sample in zip(display.indices, display.samples, strict=True):
        np.testing.assert_array_equal(sample[..., 0], X[i])


@pytest.mark.parametrize("model", [LinearSVC(), RidgeClassifier()])
def test_classifiers_without_probabilities(model):
    model.fit(ROWS, Y)
    display = draw(model, ROWS, Y, n_max=3)
    scores = model.decision_function(ROWS)[display.indices].max(axis=1)
    np.testing.assert_array_equal(display.confidence, scores)
    assert (np.diff(display.confidence) <= 0).all()
    assert display.axes_[0].get_title().endswith(f"(score {scores[0]:.3g})")


def test_classifiers_that_are_never_sure():
    model = VotingClassifier([("a", LinearSVC()), ("b", RidgeClassifier())])
    display = draw(model.fit(ROWS, Y), ROWS, Y, n_max=3)
    wrong = np.flatnonzero(model.predict(ROWS) != Y)
    np.testing.assert_array_equal(display.indices, wrong[:3])
    assert display.confidence is None
    assert display.axes_[0].get_title().endswith(f"predicted: {display.predicted[0]}")


def test_two_classes_by_scores():
    y = np.where(Y == "cow", "cow", "bee")
    model = LinearSVC().fit(ROWS, y)
    display = draw(model, ROWS, np.where(model.predict(ROWS) == "cow", "bee", "cow"))
    scores = np.abs(model.decision_function(ROWS))
    np.testing.assert_array_equal(display.confidence, np.sort(scores)[::-1][:12])


@pytest.mark.parametrize("theirs", [False, True])
def test_several_labels(theirs):
    y = RNG.integers(0, 2, size=(40, 3))
    model = MLPClassifier(**SMALL)
    if theirs:
        model = MultiOutputClassifier(LogisticRegression())
    model.fit(ROWS, y)
    proba, predicted = model.predict_proba(ROWS), model.predict(ROWS)
    if theirs:
        proba = np.stack([own[:, 1] for own in proba], axis=1)
    surest = {}
    for i in range(40):
        wrong = [
            proba[i, k] if predicted[i, k] else 1 - proba[i, k]
            for k in range(3)
            if predicted[i, k] != y[i, k]
        ]
        if wrong:
            surest[i] = max(wrong)
    display = draw(model, ROWS, y, n_max=4)
    assert display.n_mistakes == len(surest)
    np.testing.assert_allclose(
        display.confidence, sorted(surest.values(), reverse=True)[:4]
    )
    np.testing.assert_array_equal(display.true, y[display.indices])
    assert (
        display.axes_[0]
        .get_title()
        .startswith("true: " + "".join(map(str, display.true[0])))
    )


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("cls", [MLPRegressor, ConvNetRegressor, LinearRegression])
def test_largest_errors_of_regressors(cls, n_outputs):
    y = RNG.normal(size=(40, n_outputs))
    y = y[:, 0] if n_outputs == 1 else y
    X = IMAGES if cls is ConvNetRegressor else ROWS
    model = (cls() if cls is LinearRegression else cls(**SMALL)).fit(X, y)
    display = draw(model, X, y, n_max=6)
    errors = np.abs(y - model.predict(X))
    if n_outputs > 1:
        errors = np.sqrt((errors**2).sum(axis=1))
    np.testing.assert_allclose(display.errors, np.sort(errors)[::-1][:6])
    np.testing.assert_array_equal(display.true, y[display.indices])
    assert display.confidence is None
    assert display.figure_.get_suptitle() == "the 6 largest errors in 40 samples"


def test_columns_of_one_output():
    model = MLPRegressor(**SMALL).fit(ROWS, ROWS[:, 0])
    flat, column = (
        draw(model, ROWS, ROWS[:, 0].reshape(shape)) for shape in (-1, (-1, 1))
    )
    np.testing.assert_array_equal(flat.errors, column.errors)


def test_wrong_data():
    model = convnet()
    with pytest.raises(ValueError, match="number of samples; got 40 and 39"):
        draw(model, IMAGES, Y[:-1])
    with pytest.raises(ValueError, match=r"shape=\(4, 4\) has 16 values, but a sample"):
        draw(model, IMAGES, Y, shape=(4, 4))
    with pytest.raises(ValueError, match="true must have one entry for each of the 2"):
        MistakesDisplay(IMAGES[:2], Y[:1], Y[:2])


@pytest.mark.parametrize("cls", [SequentialClassifier, SequentialRegressor])
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_predictions_that_are_maps(cls, in_pipeline):
    y = (IMAGES[..., 0] > 0.5).astype(int)
    model = cls([("conv", Conv2D(2, 3, padding="same"))], max_iter=1, random_state=0)
    model.fit(IMAGES, y)
    if in_pipeline:
        model = make_pipeline(FunctionTransformer(), model).fit(IMAGES, y)
    several = [IMAGES[0], IMAGES[1, :4]], [y[0], y[1, :4]]
    for X, own in ((IMAGES, y), several):
        with pytest.raises(
            ValueError, match=rf"one prediction per sample.*{cls.__name__}"
        ):
            draw(model, X, own)


@pytest.mark.parametrize(
    ("y", "between"),
    [
        (np.column_stack([labels(40), np.arange(40) // 2 % 2]), ", "),
        (NAMES[np.column_stack([labels(40), labels(40) // 2])], ", "),
        (np.column_stack([np.arange(40) % 2, np.arange(40) // 2 % 2]), ""),
    ],
)
def test_titles_of_several_labels(y, between):
    model = MLPClassifier(**SMALL).fit(ROWS, y)
    display = draw(model, ROWS, y, n_max=40)
    assert len(display.axes_) == display.n_mistakes > 1
    for true, predicted, axes in zip(
        display.true, display.predicted, display.axes_, strict=True
    ):
        first, second = axes.get_title().split("\n")
        assert first == f"true: {between.join(map(str, true))}"
        assert second.startswith(f"predicted: {between.join(map(str, predicted))} (")


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csr_matrix])
def test_sparse_rows_are_not_drawn(container):
    y = labels(40)
    model = MLPClassifier(**SMALL).fit(ROWS, y)
    with pytest.raises(TypeError, match=r"X must be dense to be drawn; got a sparse"):
        draw(model, container(ROWS), y)
