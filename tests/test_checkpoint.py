"""Checkpoints, and fits that go on from them with the same bits."""

import pickle
import signal
import subprocess
import sys
import textwrap
import time

import joblib
import numpy as np
import pytest
from checkpoint_tools import Abort, assert_equal, interrupted
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make

from skconvnet import (
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
)
from skconvnet.augmentation import Shift
from skconvnet.callbacks import Checkpoint
from skconvnet.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Residual,
    StochasticDepth,
    WhiteningConv2D,
)
from skconvnet.optimizers import Lookahead, Muon, Nadam
from skconvnet.schedules import OneCycle, ReduceOnPlateau

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)


TRAININGS = [
    {},
    {"shuffle": False},
    {"early_stopping": True},
    {"early_stopping": True, "n_iter_no_change": 1, "tol": 10.0},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 10.0, "n_iter_no_change": 1},
    {"solver": "sgd", "learning_rate": "invscaling"},
    {"solver": "schedule_free_adamw"},
    {"solver": "muon", "hidden_layer_sizes": (5, 4)},
    {"solver": Lookahead(Muon(), every=3), "hidden_layer_sizes": (5, 4)},
    {"layer_learning_rates": {"dense1": 0.1}, "layer_alphas": {"output": 9.0}},
    {"solver": Nadam(), "learning_rate": OneCycle(), "max_grad_norm": 0.1},
    {"averaging": 0.9},
    {"averaging": "swa"},
    {"l1_ratio": 0.9, "alpha": 0.1},
    {"batch_mode": "bgd"},
    {"random_state": None},
    {"dropout": 0.3},
]


@pytest.mark.parametrize("after", [1, 3, 6])
@pytest.mark.parametrize("params", TRAININGS, ids=str)
def test_the_same_bits_as_without_interruption(tmp_path, params, after):
    cls, path = MLPClassifier, tmp_path / "model.joblib"
    X, y = data_for(cls)
    params = {"max_iter": 6, "batch_size": 13, **params}
    model = make(cls, **params)
    if params.get("random_state", 0) is None:
        # Only the checkpoint knows the random numbers, which are those of the fit.
        expected = make(cls, **params).set_callbacks(Checkpoint(path, every=10))
        expected.fit(X, y)
        whole = joblib.load(path)
        assert_equal(model.fit(X, y, resume_from=path), expected)
        assert_equal(whole, expected)
        return
    expected = make(cls, **params).fit(X, y)
    if expected.n_iter_ < after:
        after = expected.n_iter_
    interrupted(model, path, after, X, y)
    assert not hasattr(model, "network_")
    resumed = model.fit(X, y, resume_from=path)
    assert_equal(resumed, expected)


@every_estimator
def test_every_estimator_goes_on(tmp_path, cls):
    X, y = data_for(cls)
    weights = np.linspace(1, 2, len(y))
    validation = {"X_val": X[:20], "y_val": y[:20]}
    expected = make(cls, max_iter=4).fit(X, y, weights, **validation)
    model = make(cls, max_iter=4)
    interrupted(model, tmp_path / "m.joblib", 2, X, y, weights, **validation)
    model.fit(X, y, weights, resume_from=str(tmp_path / "m.joblib"), **validation)
    assert_equal(model, expected)


def test_dropout_batch_norm_augmentation_and_a_plateau(tmp_path):
    layers = [Conv2D(3, 3), BatchNorm(), Dropout(0.3), Flatten(), Dense(4)]
    X, y = data_for(CLASSIFIERS[1])

    def make_model(n_jobs):
        return SequentialClassifier(
            layers,
            augmentation=Shift(1),
            learning_rate=ReduceOnPlateau(monitor="training_loss", patience=1),
            max_iter=7,
            batch_size=16,
            random_state=3,
            n_jobs=n_jobs,
        )

    expected, model = make_model(1).fit(X, y), make_model(2)
    interrupted(model, tmp_path / "m.joblib", 4, X, y)
    assert_equal(model.fit(X, y, resume_from=tmp_path / "m.joblib"), expected)


def test_whitening_and_stochastic_depth(tmp_path):
    block = Residual([Conv2D(8, 3, padding="same"), StochasticDepth(0.3)])
    layers = [WhiteningConv2D(2, 4, activation="relu"), block, Flatten()]
    X, y = data_for(CLASSIFIERS[1])

    def make_model(n_jobs):
        params = {"batch_size": 16, "random_state": 3, "averaging": "swa"}
        return SequentialClassifier(layers, max_iter=5, n_jobs=n_jobs, **params)

    expected, model = make_model(1).fit(X, y), make_model(2)
    interrupted(model, tmp_path / "m.joblib", 3, X, y)
    assert_equal(model.fit(X, y, resume_from=tmp_path / "m.joblib"), expected)


def test_a_fit_that_goes_on_can_be_interrupted_again(tmp_path):
    X, y = data_for(MLPClassifier)
    path = tmp_path / "model.joblib"
    expected = make(MLPClassifier, max_iter=8).fit(X, y)
    model = make(MLPClassifier, max_iter=8)
    interrupted(model, path, 2, X, y)
    interrupted(model, path, 3, X, y, resume_from=path)
    assert joblib.load(path).n_iter_ == 5
    assert_equal(model.fit(X, y, resume_from=path), expected)


def test_a_warm_start_goes_on(tmp_path):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, max_iter=3, warm_start=True).fit(X, y)
    before = pickle.dumps(model)
    expected = model.fit(X, y)
    again = pickle.loads(before)
    path = tmp_path / "m.joblib"
    interrupted(again, path, 1, X, y)
    resumed = make(MLPClassifier, max_iter=3).fit(X, y, resume_from=path)
    assert_equal(resumed, expected)


def test_a_process_that_is_killed(tmp_path):
    """The file is whole, whenever the process ends."""
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            import numpy as np
            from skconvnet import MLPClassifier
            from skconvnet.callbacks import Checkpoint

            X = np.random.default_rng(0).normal(size=(200, 10))
            y = X[:, 0] > 0
            clf = MLPClassifier((20,), max_iter=int(sys.argv[1]), tol=0, random_state=0)
            clf.set_callbacks(Checkpoint("model.joblib")).fit(X, y)
            """
        )
    )
    path = tmp_path / "model.joblib"
    command = [sys.executable, str(script), "1000000"]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        end = time.monotonic() + 60
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
    saved = joblib.load(path)
    X = np.random.default_rng(0).normal(size=(200, 10))
    n_epochs = saved.n_iter_
    expected = MLPClassifier((20,), max_iter=n_epochs, tol=0, random_state=0)
    expected.fit(X, X[:, 0] > 0)
    np.testing.assert_array_equal(saved.network_.state, expected.network_.state)
    np.testing.assert_array_equal(saved.predict(X), expected.predict(X))


def test_which_files_are_kept(tmp_path):
    X, y = data_for(MLPRegressor)
    path = tmp_path / "new" / "model.joblib"
    checkpoint = Checkpoint(path, every=2, keep_last=3, keep_best=True)
    model = make(MLPRegressor, max_iter=9, learning_rate_init=0.05)
    model.set_callbacks(checkpoint).fit(X, y, X_val=X[:9], y_val=y[:9])
    names = ["model.joblib", "model-1.joblib", "model-2.joblib"]
    epochs = [joblib.load(path.parent / name).n_iter_ for name in names]
    assert epochs == [9, 8, 6]
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(
        [*names, "model-best.joblib"]
    )
    best = joblib.load(checkpoint.best_path)
    assert best.n_iter_ == 1 + np.argmax(model.validation_scores_)
    model.fit(X, y)
    without_validation = joblib.load(checkpoint.best_path)
    assert without_validation.n_iter_ == 1 + np.argmin(model.loss_curve_)


def test_a_write_that_fails_leaves_the_file_that_is_there(tmp_path, monkeypatch):
    X, y = data_for(MLPClassifier)
    path = tmp_path / "model.joblib"
    make(MLPClassifier).set_callbacks(Checkpoint(path)).fit(X, y)
    before = path.read_bytes()

    def fails(_model, file):
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr("skconvnet.callbacks.checkpoint.joblib.dump", fails)
    with pytest.raises(OSError, match="no space"):
        make(MLPClassifier).set_callbacks(Checkpoint(path)).fit(X, y)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.joblib"]


def test_a_loaded_checkpoint_is_an_estimator(tmp_path):
    X, y = data_for(MLPClassifier)
    path = tmp_path / "model.joblib"
    model = make(MLPClassifier).set_callbacks(Checkpoint(path)).fit(X, y)
    loaded = joblib.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    size = len(pickle.dumps(loaded))
    assert len(pickle.dumps(loaded.fit(X, y))) < size / 2  # without a checkpoint


@pytest.mark.filterwarnings("ignore:Training started with a loss")
def test_a_warm_start_keeps_the_scale_of_y(tmp_path):
    X, y = data_for(ConvNetRegressor)
    model = make(ConvNetRegressor, rescale="auto", warm_start=True, max_iter=4)
    model.fit(X, y)
    whole, half = pickle.loads(pickle.dumps(model)), model
    whole.fit(X, 10 * y)
    interrupted(half, tmp_path / "m.joblib", 2, X, 10 * y)
    half.fit(X, 10 * y, resume_from=tmp_path / "m.joblib")
    np.testing.assert_array_equal(whole.predict(X), half.predict(X))


def test_the_best_one_is_not_lost_by_going_on(tmp_path):
    X, y = data_for(MLPRegressor)
    path, params = tmp_path / "m.joblib", {"max_iter": 6, "learning_rate_init": 0.4}
    model = make(MLPRegressor, **params)
    whole = make(MLPRegressor, **params).fit(X, y)
    best = 1 + int(np.argmin(whole.loss_curve_))
    for after in range(1, 6):
        callback = Abort(path, after, keep_best=True)
        with pytest.raises(InterruptedError):
            model.set_callbacks(callback).fit(X, y)
        model.set_callbacks(Checkpoint(path, keep_best=True))
        model.fit(X, y, resume_from=path)
        assert joblib.load(callback.best_path).n_iter_ == best
        model = make(MLPRegressor, **params)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_model_that_is_trained_further_is_no_checkpoint(tmp_path, method):
    X, y = data_for(MLPClassifier)
    path = tmp_path / "m.joblib"
    make(MLPClassifier, warm_start=True).set_callbacks(Checkpoint(path)).fit(X, y)
    loaded = joblib.load(path)
    getattr(loaded, method)(X, y)
    joblib.dump(loaded, path)
    with pytest.raises(ValueError, match="is not a checkpoint"):
        make(MLPClassifier).fit(X, y, resume_from=path)
