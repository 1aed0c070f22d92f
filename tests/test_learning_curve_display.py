"""LearningCurveDisplay: what was measured in training, and how it is drawn."""

import numpy as np
import pytest
from estimator_cases import ESTIMATORS, data_for, labels, make
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier as TheirMLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import MLPClassifier, MLPRegressor
from skconvnet.inspection import LearningCurveDisplay, TrainingCurves
from skconvnet.optimizers import LBFGS

pytestmark = [
    pytest.mark.usefixtures("pyplot"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
X = np.random.default_rng(0).normal(size=(60, 4))
Y = labels(60)
STOPPED = {"early_stopping": True, "max_iter": 8, "random_state": 1}
draw = LearningCurveDisplay.from_estimator
compare = LearningCurveDisplay.from_estimators


def legend(display):
    own = display.figure_.legends or [display.ax_.get_legend()]
    return [text.get_text() for text in own[0].get_texts()]


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_curves_of_every_estimator(cls, early_stopping):
    model = make(cls, max_iter=4, early_stopping=early_stopping).fit(*data_for(cls))
    display = draw(model)
    (curves,) = display.curves.values()
    assert list(display.curves) == [cls.__name__]
    np.testing.assert_array_equal(curves.loss, model.loss_curve_)
    np.testing.assert_array_equal(curves.learning_rate, model.learning_rate_curve_)
    if early_stopping:
        scores = model.validation_scores_
        np.testing.assert_array_equal(curves.validation_scores, scores)
        np.testing.assert_array_equal(
            curves.validation_loss, model.validation_loss_curve_
        )
        best = next(i for i, s in enumerate(scores) if s == max(scores))
        assert curves.best_epoch == best + 1
    else:
        assert curves.validation_scores is None
        assert curves.validation_loss is None
        assert curves.best_epoch is None


def test_what_is_drawn():
    model = MLPClassifier(4, learning_rate="adaptive", solver="sgd", **STOPPED)
    model.set_params(n_iter_no_change=1, tol=1.0, max_iter=5).fit(X, Y)
    display = draw(model)
    loss, score, rate = display.axes_
    assert display.ax_ is loss
    epochs = np.arange(1, len(model.loss_curve_) + 1)
    training, validation, best, _ = loss.get_lines()
    np.testing.assert_array_equal(training.get_xdata(), epochs)
    np.testing.assert_array_equal(training.get_ydata(), model.loss_curve_)
    np.testing.assert_array_equal(validation.get_ydata(), model.validation_loss_curve_)
    epoch = display.curves["MLPClassifier"].best_epoch
    assert best.get_xydata().tolist() == [
        [epoch, model.validation_loss_curve_[epoch - 1]]
    ]
    np.testing.assert_array_equal(
        score.get_lines()[0].get_ydata(), model.validation_scores_
    )
    assert score.get_lines()[1].get_ydata() == [model.best_validation_score_]
    np.testing.assert_array_equal(
        rate.get_lines()[0].get_ydata(), model.learning_rate_curve_
    )
    labels_ = [axes.get_ylabel() for axes in display.axes_]
    assert labels_ == ["loss", "validation accuracy", "learning rate"]
    assert legend(display) == ["training", "validation", f"best epoch: {epoch}"]


def test_kinds():
    model = MLPClassifier(4, **STOPPED).fit(X, Y)
    # The learning rate is constant.
    assert [a.get_ylabel() for a in draw(model).axes_] == [
        "loss",
        "validation accuracy",
    ]
    display = draw(model, kinds=["learning_rate", "loss"])
    assert [axes.get_ylabel() for axes in display.axes_] == ["learning rate", "loss"]
    (axes,) = draw(model, kinds="score").axes_
    assert axes.get_ylabel() == "validation accuracy"
    for wrong in ("lose", ["loss", "lose"]):
        with pytest.raises(ValueError, match=r"got 'lose'\. Did you mean 'loss'"):
            draw(model, kinds=wrong)
    for wrong in ([], None, 3):
        with pytest.raises(ValueError, match="kinds must be 'auto', one of"):
            draw(model, kinds=wrong)
    plain = MLPClassifier(4, max_iter=2).fit(X, Y)
    with pytest.raises(ValueError, match="kinds has 'score', of which nothing was rec"):
        draw(plain, kinds=["loss", "score"])


def test_auto_draws_what_there_are_axes_for(pyplot):
    model = MLPClassifier(4, **STOPPED).fit(X, Y)
    _, axes = pyplot.subplots(1, 3)
    assert len(draw(model, ax=axes[0]).axes_) == 1
    assert len(draw(model, ax=axes).axes_) == 2
    with pytest.raises(ValueError, match="ax has 1 axes, but LearningCurveDisplay dra"):
        draw(model, ax=axes[0], kinds=["loss", "score"])


@pytest.mark.parametrize(
    ("cls", "scoring", "label"),
    [
        (MLPClassifier, None, "validation accuracy"),
        (MLPRegressor, None, "validation R²"),
        (MLPClassifier, "loss", "validation negative loss"),
        (MLPClassifier, "f1_micro", "validation f1 micro"),
        (MLPRegressor, lambda model, X, y: model.score(X, y), "validation score"),
    ],
)
def test_names_of_scores(cls, scoring, label):
    params = {"hidden_layer_sizes": 3, "scoring": scoring, **STOPPED}
    model = cls(**params).fit(X, Y)
    assert draw(model, kinds="score").ax_.get_ylabel() == label


def test_log_scale():
    model = MLPClassifier(4, **STOPPED).fit(X, Y)
    display = draw(model, log_scale=True, kinds=["loss", "score", "learning_rate"])
    scales = [axes.get_yscale() for axes in display.axes_]
    assert scales == ["log", "linear", "log"]
    negative = LearningCurveDisplay({"poisson": TrainingCurves(loss=[1.0, -0.5])})
    negative.plot()
    with pytest.raises(ValueError, match=r"smallest of 'poisson' is -0\.5"):
        negative.plot(log_scale=True)
    LearningCurveDisplay({"a": TrainingCurves(loss=[1.0, 0.0])}).plot(log_scale=True)


def test_scikit_learns_own():
    model = TheirMLPClassifier((4,), **STOPPED).fit(X, Y)
    (curves,) = draw(model).curves.values()
    np.testing.assert_array_equal(curves.loss, model.loss_curve_)
    np.testing.assert_array_equal(curves.validation_scores, model.validation_scores_)
    assert curves.validation_loss is None
    assert curves.learning_rate is None
    assert curves.best_epoch == np.argmax(model.validation_scores_) + 1


def test_a_regressor_of_transformed_targets():
    model = TransformedTargetRegressor(
        MLPRegressor(hidden_layer_sizes=3, max_iter=2), func=np.exp, inverse_func=np.log
    )
    model.fit(X, X[:, 0])
    (curves,) = draw(model).curves.values()
    np.testing.assert_array_equal(curves.loss, model.regressor_.loss_curve_)


def test_comparing():
    models = {
        "small": MLPClassifier(2, max_iter=3, random_state=0).fit(X, Y),
        "large": MLPClassifier(9, **STOPPED).fit(X, Y),
    }
    display = compare(models)
    assert list(display.curves) == ["small", "large"]
    lines = display.ax_.get_lines()
    np.testing.assert_array_equal(lines[0].get_ydata(), models["small"].loss_curve_)
    np.testing.assert_array_equal(lines[1].get_ydata(), models["large"].loss_curve_)
    assert lines[0].get_color() != lines[1].get_color() == lines[2].get_color()
    assert (lines[1].get_linestyle(), lines[2].get_linestyle()) == ("-", "--")
    assert legend(display) == ["small", "large", "training", "validation", "best epoch"]
    assert list(compare(list(models.items())).curves) == ["small", "large"]
    several = compare(
        [*models.values(), make_pipeline(StandardScaler(), models["small"])]
    )
    assert list(several.curves) == ["MLPClassifier 1", "MLPClassifier 2", "Pipeline"]


def test_more_trainings_than_the_style_has_colors(pyplot):
    model = MLPClassifier(2, max_iter=3, random_state=0).fit(X, Y)
    display = compare([model] * 14)
    colors = {tuple(np.ravel(line.get_color())) for line in display.ax_.get_lines()}
    assert len(colors) == 14
    assert len(legend(display)) == 14
    display.figure_.canvas.draw()
    (below,) = display.figure_.legends
    frame, plot = below.get_window_extent(), display.ax_.get_tightbbox()
    assert 0 <= frame.y0 < frame.y1 <= plot.y0
    assert 0 <= frame.x0 < frame.x1 <= display.figure_.bbox.width
    assert pyplot.get_fignums() == [display.figure_.number]


@pytest.mark.parametrize("wrong", [{}, [], "model", None])
def test_no_estimators(wrong):
    with pytest.raises(ValueError, match="estimators must be a dict of names and est"):
        compare(wrong)


def test_name_of_the_estimator():
    model = MLPClassifier(2, max_iter=2).fit(X, Y)
    assert list(draw(model, name="mine").curves) == ["mine"]


def test_a_training_of_one_epoch_is_seen():
    display = draw(MLPClassifier(2, max_iter=1).fit(X, Y))
    assert display.ax_.get_lines()[0].get_marker() == "o"
    assert display.ax_.get_legend() is None


def test_validation_of_the_last_epochs_only():
    model = MLPClassifier(2, random_state=0)
    model.partial_fit(X, Y, classes=[0, 1, 2])
    model.partial_fit(X, Y, X_val=X, y_val=Y).partial_fit(X, Y, X_val=X, y_val=Y)
    loss = draw(model).ax_.get_lines()
    assert [line.get_xdata().tolist() for line in loss] == [[1, 2, 3], [2, 3]]


@pytest.mark.parametrize("solver", ["lbfgs", LBFGS()])
def test_no_curve_after_a_search(solver):
    # Not even that of the training before.
    model = MLPClassifier(2, max_iter=2).fit(X, Y).set_params(solver=solver).fit(X, Y)
    with pytest.raises(
        ValueError, match=r"MLPClassifier with solver=.* has no loss_cu"
    ):
        draw(model)


def test_no_curve_without_training():
    model = MLPClassifier(2, max_iter=2).fit(X, Y).initialize(X, Y)
    with pytest.raises(ValueError, match="has been initialized, but not trained"):
        draw(model)
    with pytest.raises(ValueError, match="LogisticRegression has no loss_curve_"):
        draw(LogisticRegression().fit(X, Y))


def test_wrong_curves():
    with pytest.raises(ValueError, match="validation_loss must be a curve of 1 to 2"):
        TrainingCurves(loss=[1, 2], validation_loss=[1, 2, 3])
    with pytest.raises(ValueError, match="loss must be a curve"):
        TrainingCurves(loss=[])
    with pytest.raises(ValueError, match="curves must be a mapping of names"):
        LearningCurveDisplay({})
