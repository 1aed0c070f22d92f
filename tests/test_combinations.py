"""What estimators can do, together: frozen layers, maps, checkpoints, gradients."""

import joblib
import numpy as np
import pytest

from skconvnet import MLPClassifier, SequentialClassifier, SequentialRegressor
from skconvnet.callbacks import Checkpoint
from skconvnet.inspection import attribute
from skconvnet.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # What freezing does can be seen on random weights.
    pytest.mark.filterwarnings("ignore:The weights of .* are frozen:UserWarning"),
]
X = np.random.default_rng(0).normal(size=(40, 6, 5, 2)).astype(np.float32)
LABELS = np.arange(40) % 3


def frozen(**params):
    layers = [
        ("conv", Conv2D(4, 3, padding=1, activation="relu", trainable=False)),
        ("norm", BatchNorm(trainable=False)),
        ("drop", Dropout(0.2)),
        ("conv2", Conv2D(3, 3)),
        ("flatten", Flatten()),
        ("dense", Dense(5, activation="tanh")),
    ]
    params = {"max_iter": 6, "batch_size": 16, "random_state": 0, **params}
    return SequentialClassifier(layers, **params)


def of_maps(cls, **params):
    layers = [Conv2D(4, 3, padding=1, activation="relu"), BatchNorm()]
    params = {"max_iter": 6, "batch_size": 16, "random_state": 0, **params}
    return cls(layers, **params)


PIXELS = (X[..., 0] > 0).astype(int)


@pytest.mark.parametrize(
    ("make", "y"),
    [
        (frozen, LABELS),
        (lambda **params: frozen(averaging=0.8, **params), LABELS),
        (lambda **params: of_maps(SequentialClassifier, **params), PIXELS),
        (lambda **params: of_maps(SequentialRegressor, **params), X[..., 1]),
        (
            lambda **params: MLPClassifier((5,), max_iter=6, random_state=0, **params),
            np.stack([LABELS, LABELS[::-1] * 2], axis=1),
        ),
    ],
    ids=["frozen", "frozen, averaged", "classes of pixels", "maps", "several outputs"],
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_checkpoints(tmp_path, make, y, early_stopping):
    class Abort(Checkpoint):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            super().on_fit_task_end(
                estimator, context, fitted_estimator=fitted_estimator
            )
            if context.task_id == 2:
                raise InterruptedError

    own = X.reshape(len(X), -1) if y.shape == (40, 2) else X
    path, params = tmp_path / "m.joblib", {"early_stopping": early_stopping}
    model, whole = make(**params), make(**params).fit(own, y)
    with pytest.raises(InterruptedError):
        model.set_callbacks(Abort(path)).fit(own, y)
    np.testing.assert_equal(joblib.load(path).predict(own).shape, y.shape)
    resumed = make(**params).fit(own, y, resume_from=path)
    np.testing.assert_array_equal(resumed.network_.state, whole.network_.state)
    np.testing.assert_array_equal(resumed.predict(own), whole.predict(own))


def test_gradients_pass_through_frozen_layers():
    model = frozen(dtype="float64").fit(X, LABELS)
    samples = X[:3].astype(np.float64)
    gradients = model.input_gradients(samples, target=1)
    direction = np.random.default_rng(1).normal(size=samples.shape)
    step = 1e-6
    up, down = (
        model.decision_function(samples + sign * step * direction)[:, 1]
        for sign in (1, -1)
    )
    slopes = (gradients * direction).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(slopes, (up - down) / (2 * step), rtol=1e-5)
    assert np.abs(gradients).max() > 0


@pytest.mark.parametrize("method", ["saliency", "grad_cam", "occlusion"])
def test_attributions_of_frozen_layers(method):
    model = frozen().fit(X, LABELS)
    trained = frozen()
    for name in ("conv", "norm"):
        trained.set_params(**{f"{name}__trainable": True})
    trained.initialize(X, LABELS).set_weights(model.get_weights())
    np.testing.assert_allclose(
        attribute(model, X[:4], method), attribute(trained, X[:4], method), rtol=1e-5
    )


def test_the_target_of_several_outputs_is_an_output():
    y = np.stack([LABELS, LABELS[::-1] * 2], axis=1)
    rows = X.reshape(len(X), -1)
    model = MLPClassifier((5,), random_state=0, max_iter=5).fit(rows, y)
    gradients = model.input_gradients(rows[:4], target=5)
    assert gradients.shape == rows[:4].shape
    with pytest.raises(ValueError, match="target must be from 0 to 5"):
        model.input_gradients(rows[:4], target=6)


@pytest.mark.parametrize("method", ["saliency", "grad_cam", "occlusion"])
def test_maps_have_no_single_score(method):
    model = of_maps(SequentialClassifier).fit(X, PIXELS)
    with pytest.raises(ValueError, match="predicts maps"):
        model.input_gradients(X[:2])
    with pytest.raises(ValueError, match="predicts maps"):
        attribute(model, X[:2], method)
