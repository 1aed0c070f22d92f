"""`predict_augmentation`: means of predictions over versions of each sample."""

import pickle

import numpy as np
import pytest
from augmentation_tools import cut_minibatches, images
from engine_tools import peak_allocation
from estimator_cases import IMAGE_ESTIMATORS, data_for, make
from layer_cases import CASES as CASES_OF_LAYERS
from map_tools import labels as map_labels
from map_tools import layers_for, maps, ragged
from map_tools import make as make_for_maps
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    FeatureExtractor,
    MLPClassifier,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.augmentation import Shift, Versions
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.version_mean import VersionMean
from skconvnet.layers import (
    GRU,
    Conv1D,
    Conv2D,
    Conv3D,
    Embedding,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
)
from skconvnet.losses import LogLoss

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMED = {
    "mirror": Versions(),
    "shifts": Versions(horizontal=False, shifts=1),
    "mirror+shifts": Versions(shifts=1),
}
CASES = [*NAMED, Versions(vertical=True, shifts=(2, 1), fill="nearest")]


def mean_by_hand(predict, X, versions):
    """Return the weighted mean of the predictions for all versions of X."""
    built = versions.build(X.shape[1:])
    weights = [own.weight for own in built]
    return np.average([predict(own) for own in versions.of(X)], axis=0, weights=weights)


def plain(model):
    return clone(model).set_params(predict_augmentation=None)


def versions_of(case):
    return NAMED.get(case, case) if isinstance(case, str) else case


@pytest.mark.parametrize("case", CASES, ids=repr)
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_predictions_are_means(cls, case):
    X, y = data_for(cls)
    X = X[..., np.newaxis]
    model = make(cls).fit(X, y)
    predict = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    expected = mean_by_hand(predict, X, versions_of(case))
    alone = predict(X)
    model.set_params(predict_augmentation=case)
    np.testing.assert_allclose(predict(X), expected, rtol=1e-9)
    assert not np.allclose(expected, alone)
    if predict == model.predict:
        return
    np.testing.assert_array_equal(model.predict(X), expected.argmax(axis=1))
    np.testing.assert_allclose(model.decision_function(X), np.log(expected))
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(expected))
    assert model.score(X, y) == np.mean(expected.argmax(axis=1) == y)


@pytest.mark.parametrize(
    ("loss", "n_classes", "method"),
    [
        ("log_loss", 2, "predict_proba"),
        ("squared_error", 2, "predict_proba"),
        ("hinge", 2, "decision_function"),
        ("squared_hinge", 3, "decision_function"),
        ("perceptron", 3, "decision_function"),
    ],
)
def test_every_loss_of_classifiers(loss, n_classes, method):
    X = images(40, (6, 5, 1))
    y = np.arange(40) % n_classes
    model = make(ConvNetClassifier, loss=loss).fit(X, y)
    expected = mean_by_hand(getattr(model, method), X, NAMED["mirror+shifts"])
    model.set_params(predict_augmentation="mirror+shifts")
    np.testing.assert_allclose(getattr(model, method)(X), expected, rtol=1e-9)
    scores = model.decision_function(X)
    chosen = scores > 0 if n_classes == 2 else scores.argmax(axis=1)
    np.testing.assert_array_equal(model.predict(X), chosen)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "poisson"])
@pytest.mark.parametrize("cls", [ConvNetRegressor, SequentialRegressor])
def test_every_output_of_regressors(cls, loss):
    X = images(40, (6, 6, 1))
    y = X[:, :2, 0, 0] + 1
    model = make(cls, loss=loss, rescale="auto") if cls is ConvNetRegressor else None
    model = (model or make(cls, loss=loss)).fit(X, y)
    expected = mean_by_hand(model.predict, X, NAMED["mirror"])
    model.set_params(predict_augmentation="mirror")
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9)


def test_several_columns_of_labels_and_several_labels():
    X = images(40, (6, 6, 1))
    numbers = np.arange(40)
    columns = np.column_stack([numbers % 3, numbers % 2])
    model = make(ConvNetClassifier).fit(X, columns)
    expected = [
        mean_by_hand(lambda own, i=i: model.predict_proba(own)[i], X, NAMED["shifts"])
        for i in range(2)
    ]
    model.set_params(predict_augmentation="shifts")
    for own, other in zip(model.predict_proba(X), expected, strict=True):
        np.testing.assert_allclose(own, other)
    multilabel = columns > 0
    model = make(ConvNetClassifier).fit(X, multilabel.astype(int))
    expected = mean_by_hand(model.predict_proba, X, NAMED["shifts"])
    model.set_params(predict_augmentation="shifts")
    np.testing.assert_allclose(model.predict_proba(X), expected)


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([Conv1D(4, 3), Flatten()], (9, 2)),
        ([GRU(4)], (9, 2)),
        ([Conv3D(4, 2), Flatten()], (4, 3, 5, 2)),
    ],
    ids=repr,
)
def test_sequences_volumes_and_rows(layers, shape):
    X = images(30, shape)
    y = np.arange(30) % 3
    model = SequentialClassifier(layers, max_iter=2, random_state=0).fit(X, y)
    expected = mean_by_hand(model.predict_proba, X, NAMED["mirror+shifts"])
    model.set_params(predict_augmentation="mirror+shifts")
    np.testing.assert_allclose(model.predict_proba(X), expected)
    rows = SequentialClassifier(
        layers,
        input_shape=shape,
        max_iter=2,
        random_state=0,
        predict_augmentation="mirror+shifts",
    ).fit(X.reshape(30, -1), y)
    np.testing.assert_allclose(rows.predict_proba(X.reshape(30, -1)), expected)
    first = SequentialClassifier(
        layers,
        data_format="channels_first",
        max_iter=2,
        random_state=0,
        predict_augmentation="mirror+shifts",
    ).fit(np.moveaxis(X, -1, 1), y)
    np.testing.assert_allclose(first.predict_proba(np.moveaxis(X, -1, 1)), expected)


def test_samples_of_different_sizes():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(5 + i % 3, 6 + i % 2, 1)) for i in range(30)]
    y = np.arange(30) % 3
    layers = [Conv2D(4, 3), GlobalAvgPool()]
    model = SequentialClassifier(layers, max_iter=2, random_state=0).fit(X, y)
    expected = np.concatenate(
        [mean_by_hand(model.predict_proba, x[None], NAMED["mirror+shifts"]) for x in X]
    )
    model.set_params(predict_augmentation="mirror+shifts")
    np.testing.assert_allclose(model.predict_proba(X), expected)
    # Sequences that a micro-batch would otherwise pad to one length.
    X = [rng.normal(size=(5 + i, 2)) for i in range(30)]
    for layers in ([GRU(3)], [Conv1D(4, 3), GlobalAvgPool()]):
        model = SequentialClassifier(layers, max_iter=2, random_state=0).fit(X, y)
        expected = np.concatenate(
            [mean_by_hand(model.predict_proba, x[None], NAMED["mirror"]) for x in X]
        )
        model.set_params(predict_augmentation="mirror")
        np.testing.assert_allclose(model.predict_proba(X), expected)


@pytest.mark.parametrize(
    ("spec", "shape"),
    [case[:2] for case in CASES_OF_LAYERS if len(case[1]) > 1],
    ids=repr,
)
def test_no_first_layer_changes_the_samples(spec, shape):
    """All versions are made from the same array, which the network must not change."""
    X = images(8, shape)
    model = SequentialRegressor([spec, Flatten()], random_state=0)
    model.initialize(X, np.arange(8.0))
    expected = mean_by_hand(model.predict, X, Versions())
    model.set_params(predict_augmentation=Versions())
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9, atol=1e-12)


def test_memory_maps_of_uint8(tmp_path):
    X = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 3)).astype(np.uint8)
    y = np.arange(40) % 3
    path = tmp_path / "X.npy"
    np.save(path, X)
    model = make(ConvNetClassifier, rescale="auto", predict_augmentation="mirror")
    model.fit(X, y)
    mapped = model.predict_proba(np.load(path, mmap_mode="r"))
    assert mapped.tobytes() == model.predict_proba(X).tobytes()
    assert mapped.dtype == np.float32
    expected = mean_by_hand(plain(model).fit(X, y).predict_proba, X, NAMED["mirror"])
    np.testing.assert_allclose(mapped, expected, rtol=1e-5)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_maps_are_put_back_before_the_mean(ndim):
    X = maps(20, ndim)
    versions = Versions(vertical=ndim > 1, shifts=2)
    # A network of one 1x1 filter commutes with mirror images and shifts.
    model = make_for_maps(SequentialRegressor, layers_for(ndim)).fit(X, X)
    for layer, weights in model.get_weights().items():
        if layer == "conv/kernel":
            own = np.zeros_like(weights)
            center = tuple(n // 2 for n in weights.shape[2:])
            own[(..., *center)] = weights[(..., *center)]
            model.set_weights({layer: own})
    alone = model.predict(X)
    model.set_params(predict_augmentation=versions)
    np.testing.assert_allclose(model.predict(X), alone, rtol=1e-9)
    labels = map_labels(X)[..., np.newaxis]
    classifier = make_for_maps(
        SequentialClassifier, layers_for(ndim), predict_augmentation="mirror"
    ).fit(X, labels)
    plain_one = plain(classifier).fit(X, labels)
    mirrored = np.flip(plain_one.predict_proba(np.flip(X, ndim)), ndim)
    expected = (plain_one.predict_proba(X) + mirrored) / 2
    np.testing.assert_allclose(classifier.predict_proba(X), expected)
    chosen = expected.argmax(axis=-1)[..., np.newaxis]
    np.testing.assert_array_equal(classifier.predict(X), chosen)


def test_maps_of_different_sizes():
    X = ragged()
    model = make_for_maps(SequentialRegressor, layers_for(2)).fit(X, X)
    expected = [
        (a + np.flip(model.predict(np.flip(x, 1)[None])[0], 1)) / 2
        for a, x in zip(model.predict(X), X, strict=True)
    ]
    model.set_params(predict_augmentation="mirror")
    for own, other in zip(model.predict(X), expected, strict=True):
        np.testing.assert_allclose(own, other)


def test_maps_of_another_size_are_refused():
    X = maps(20)[:, :, :4]
    layers = [Conv2D(3, 3, padding="same"), MaxPool2D(2)]
    model = make_for_maps(SequentialRegressor, layers).fit(X, X[:, ::2, ::2])
    before = pickle.dumps(model.get_weights())
    model.set_params(predict_augmentation="mirror")
    with pytest.raises(ValueError, match=r"'mirror' moves the pixels of samples of 6"):
        model.predict(X)
    with pytest.raises(ValueError, match="cannot be undone for outputs of 3x2"):
        model.fit(X, X[:, ::2, ::2])
    assert pickle.dumps(model.get_weights()) == before


@pytest.mark.parametrize("case", ["mirror+shifts", Versions(vertical=True, shifts=2)])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_same_bits_for_every_number_of_threads(case, size, monkeypatch):
    cut_minibatches(monkeypatch, size)
    X, y = data_for(SequentialClassifier)
    model = make(SequentialClassifier, predict_augmentation=case).fit(X, y)
    scores = []
    for n_threads in (1, 2, 3):
        means = {(6, 6, 1): VersionMean(versions_of(case).build((6, 6, 1)))}
        executor = Executor(
            model.network_, LogLoss(), n_threads, min_flops_for_threads=0
        )
        with executor:
            inputs = Inputs(X, (6, 6, 1), model.network_.dtype)
            scores.append(executor.outputs(inputs, scores=True, means=means))
    assert scores[0].tobytes() == scores[1].tobytes() == scores[2].tobytes()
    np.testing.assert_array_equal(model.decision_function(X), scores[0])


def test_validation_is_what_the_fitted_estimator_scores():
    X, y = data_for(ConvNetClassifier)
    own = {"predict_augmentation": "mirror+shifts", "max_iter": 1}
    for scoring in (None, "loss", "accuracy", "neg_log_loss"):
        model = make(ConvNetClassifier, scoring=scoring, **own)
        model.fit(X, y, X_val=X, y_val=y)
        probabilities = model.predict_proba(X)
        loss = -np.log(probabilities[np.arange(len(y)), y]).mean()
        score = model.score(X, y) if scoring in (None, "accuracy") else -loss
        assert model.validation_scores_ == [pytest.approx(score)]
        assert model.validation_loss_curve_ == [pytest.approx(loss)]
        # The weights do not depend on it.
        other = plain(model).fit(X, y)
        assert model.network_.vector.tobytes() == other.network_.vector.tobytes()
    stopping = make(ConvNetRegressor, early_stopping=True, **own)
    assert len(stopping.fit(*data_for(ConvNetRegressor)).validation_scores_) == 1


def test_only_predictions_are_means():
    X, y = data_for(ConvNetClassifier)
    X = X[..., np.newaxis]
    model = make(ConvNetClassifier).fit(X, y)
    before = [
        model.activations(X, "output"),
        model.activations(X, "conv1"),
        model.input_gradients(X),
        FeatureExtractor(model, "conv1", prefit=True).fit(X).transform(X),
        model.loss_gradients(X, y)[1]["conv1/kernel"],
    ]
    model.set_params(predict_augmentation=Versions(shifts=2))
    after = [
        model.activations(X, "output"),
        model.activations(X, "conv1"),
        model.input_gradients(X),
        FeatureExtractor(model, "conv1", prefit=True).fit(X).transform(X),
        model.loss_gradients(X, y)[1]["conv1/kernel"],
    ]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(model.predict_proba(X), before[0])


def test_exports_are_refused():
    pytest.importorskip("onnx")
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, predict_augmentation="mirror").fit(X, y)
    with pytest.raises(ValueError, match="predict_augmentation='mirror' is not part"):
        model.to_onnx(X)
    assert model.set_params(predict_augmentation=None).to_onnx(X) is not None


def test_clone_pickle_and_search():
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, predict_augmentation=Versions(shifts=2)).fit(X, y)
    loaded = pickle.loads(pickle.dumps(model))
    assert loaded.predict_proba(X).tobytes() == model.predict_proba(X).tobytes()
    assert "Versions(shifts=2)" in repr(clone(model))
    before = model.predict_proba(X)
    model.set_params(predict_augmentation__shifts=1)
    assert not np.array_equal(before, model.predict_proba(X))
    grid = {"predict_augmentation": [None, "mirror"], "augmentation": [Shift(1)]}
    search = GridSearchCV(make(ConvNetClassifier), grid, cv=2).fit(X, y)
    best = search.best_estimator_
    assert best.predict_augmentation == search.best_params_["predict_augmentation"]
    grid = {"predict_augmentation__shifts": [0, 2]}
    search = GridSearchCV(clone(model), grid, cv=2).fit(X, y)
    assert set(search.best_params_) == set(grid)


def test_going_on_from_a_checkpoint_of_other_versions_is_refused(tmp_path):
    from skconvnet.callbacks import Checkpoint

    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, predict_augmentation="mirror")
    model.set_callbacks(Checkpoint(tmp_path / "file")).fit(X, y)
    other = make(ConvNetClassifier, max_iter=2)
    with pytest.raises(ValueError, match="predict_augmentation='mirror'"):
        other.fit(X, y, resume_from=tmp_path / "file")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("flips", "predict_augmentation.*'mirror'"),
        (Shift(1), r"an object of skconvnet.augmentation.Versions.* Got Shift"),
        (Versions, r"Pass an object of this class, predict_augmentation=Versions\(\)"),
        (Versions(shifts=6), r"predict_augmentation=Versions\(shifts=6\): shifts=6 is"),
        (True, "predict_augmentation.*Got True"),
    ],
    ids=repr,
)
def test_wrong_values(value, words):
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, predict_augmentation=value)
    with pytest.raises(ValueError, match=words):
        model.fit(X, y)
    assert not hasattr(model, "network_")
    model = make(ConvNetClassifier).fit(X, y).set_params(predict_augmentation=value)
    with pytest.raises(ValueError, match=words):
        model.predict(X)


def test_versions_are_no_augmentation():
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, augmentation=Versions())
    with pytest.raises(TypeError, match="it is a value of predict_augmentation"):
        model.fit(X, y)


def test_rows_and_tokens_have_no_versions():
    X, y = data_for(MLPClassifier)
    with pytest.raises(ValueError, match="Versions requires samples of shape"):
        SequentialClassifier(predict_augmentation="mirror").fit(X, y)
    tokens = np.random.default_rng(0).integers(0, 9, (20, 6))
    model = SequentialClassifier(
        [Embedding(9, 4), GRU(3)], predict_augmentation="mirror"
    )
    with pytest.raises(ValueError, match="layer 'embedding' takes tokens"):
        model.fit(tokens, np.arange(20) % 2)
    with pytest.raises(TypeError, match="predict_augmentation"):
        MLPClassifier(predict_augmentation="mirror")


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_prediction_allocates_no_large_arrays(n_threads):
    shape = (24, 24, 4)
    X = images(256, shape).astype("float32")
    model = SequentialClassifier([Conv2D(4, 3), Flatten()], dtype="float32")
    network = model.initialize(X, np.arange(256) % 3).network_
    inputs = Inputs(X, shape, "float32")
    means = {shape: VersionMean(Versions(vertical=True, shifts=2).build(shape))}
    executor = Executor(network, LogLoss(), n_threads, min_flops_for_threads=0)
    with executor:

        def predict():
            executor.outputs(inputs, scores=True, means=means)

        peak = peak_allocation(executor, predict, predict)
    # The samples have 2.4 MB, and those of a micro-batch 590 kB.
    assert peak < 200_000 * n_threads


@pytest.mark.slow
def test_means_make_digits_that_moved_easier():
    X, y = load_digits(return_X_y=True)
    X = np.pad(X.reshape(-1, 8, 8, 1), ((0, 0), (2, 2), (2, 2), (0, 0)))
    model = ConvNetClassifier(
        filters=8, hidden_layer_sizes=32, max_iter=5, random_state=0
    ).fit(X[:1000], y[:1000])
    moved = Shift(1).augment(X[1000:], random_state=0)
    alone = model.score(moved, y[1000:])
    model.set_params(predict_augmentation="shifts")
    assert model.score(moved, y[1000:]) > alone
