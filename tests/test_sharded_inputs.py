"""Estimators that read samples shard by shard."""

import threading

import h5py
import numpy as np
import pytest
import zarr
from augmentation_tools import cut_minibatches
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    SequentialClassifier,
)
from skconvnet.augmentation import Flip
from skconvnet.callbacks import Checkpoint
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.shard_loader import ShardLoader, mixed_order
from skconvnet.engine.sharded_inputs import ShardedInputs
from skconvnet.layers import Conv2D, Embedding, GlobalAvgPool
from skconvnet.ops.workspace import Workspace
from skconvnet.shards import ShardedArray

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
images = rng.uniform(size=(60, 6, 5, 2))
y = np.arange(60) % 3


class Stored:
    """An object with shape, dtype and slicing, which notes what is read."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.reads, self.threads = [], set()

    def __getitem__(self, index):
        self.reads.append((index.start, index.stop))
        self.threads.add(threading.current_thread().name)
        return self.array[index]


def sharded(array=images, shard_size=7, n_mixed=2):
    return ShardedArray(Stored(array), shard_size, n_mixed)


def convnet(**params):
    params = {"max_iter": 2, "random_state": 0, "batch_size": 8, **params}
    return ConvNetClassifier((3,), hidden_layer_sizes=4, **params)


def assert_same(model, other):
    for name, weights in model.get_weights().items():
        assert_array_equal(other.get_weights()[name], weights)


@given(
    shards=st.lists(st.integers(0, 9), min_size=1, max_size=40),
    n_mixed=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_an_epoch_takes_all_samples_a_few_shards_at_a_time(shards, n_mixed, seed):
    shards = np.array(shards)
    order, of_shards = mixed_order(shards, n_mixed, np.random.RandomState(seed))
    assert sorted(order) == list(range(len(shards)))
    assert sorted(of_shards) == sorted(set(shards.tolist()))
    start = 0
    for first in range(0, len(of_shards), n_mixed):
        window = of_shards[first : first + n_mixed]
        n = int(np.isin(shards, window).sum())
        assert set(shards[order[start : start + n]].tolist()) == set(window)
        start += n


def test_orders_differ_from_epoch_to_epoch_and_within_windows():
    shards, own = np.repeat(np.arange(3), 20), np.random.RandomState(0)
    (one, _), (two, _) = (mixed_order(shards, 3, own) for _ in range(2))
    assert (one != two).any()
    # All three shards are mixed from the beginning.
    assert len(set(shards[one[:10]].tolist())) == 3


def test_few_shards_are_in_memory_and_each_is_read_once():
    alive, most, n_read = set(), 0, []

    class Rows(np.ndarray):
        def __del__(self):
            alive.discard(int(self.flat[0]))

    def read(shard):
        nonlocal most
        n_read.append(shard)
        alive.add(shard)
        most = max(most, len(alive))
        return np.full(4, shard).view(Rows)

    loader = ShardLoader(read, 40)
    order = np.random.RandomState(0).permutation(40).tolist()
    loader.plan(order, n_mixed=3)
    for first in range(0, 40, 3):
        # As minibatches take samples of a window, in any order.
        for shard in [*order[first : first + 3], *order[first : first + 3][::-1]]:
            assert loader.get(shard)[0] == shard
    assert sorted(n_read) == list(range(40))
    assert most <= 9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels_first", [False, True])
def test_reading_gives_what_arrays_give(dtype, channels_first):
    shape = (6, 2, 5) if channels_first else (6, 5, 2)
    in_shape = (2, 5, 6) if channels_first else shape
    options = {"channels_first": channels_first}
    X = images.reshape(60, *shape)
    plain = Inputs(X, in_shape, dtype, **options)
    own = ShardedInputs(sharded(X), in_shape, dtype, **options)
    for index in (slice(0, 60), slice(3, 30), np.array([5, 59, 0, 5]), np.arange(9)):
        x = own.read(index, Workspace())
        assert x.dtype == dtype
        assert_array_equal(x, plain.read(index, Workspace()))


@pytest.mark.parametrize("shape", [(60, 60), (60, 6, 5, 2)])
def test_rows_and_images_predict_as_arrays_do(shape):
    X = images.reshape(shape)
    for model in (convnet(), MLPClassifier((4,), max_iter=2, random_state=0)):
        if len(shape) > 2 and isinstance(model, MLPClassifier):
            continue
        model.fit(X, y)
        alike = clone(model).set_params(shuffle=False)
        assert_same(alike.fit(X, y), clone(alike).fit(sharded(X), y))
        assert_array_equal(model.predict_proba(sharded(X)), model.predict_proba(X))
        assert model.score(sharded(X), y) == model.score(X, y)


def test_a_training_reads_each_shard_once_an_epoch_by_another_thread():
    stored = Stored(images)
    X = ShardedArray(stored, shard_size=7, n_mixed=2)
    clf = convnet().initialize(images, y)
    stored.reads.clear()
    clf.partial_fit(X, y)
    whole = [(start, min(start + 7, 60)) for start in range(0, 60, 7)]
    # All rows are read once before the training, to see what values are usual.
    in_training = [read for read in stored.reads if read != (0, 60)]
    assert len(in_training) < len(stored.reads)
    assert sorted(in_training) == whole
    assert any(name.startswith("shards") for name in stored.threads)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("mode", ["mbgd", "bgd"])
def test_the_number_of_threads_changes_no_bit(early_stopping, mode, monkeypatch):
    cut_minibatches(monkeypatch, 5)
    params = {"early_stopping": early_stopping, "batch_mode": mode}
    if early_stopping:
        params["validation_fraction"] = 0.2
    params["augmentation"] = Flip()
    one, two = (convnet(n_jobs=n, **params).fit(sharded(), y) for n in (1, 2))
    assert_same(one, two)


def test_predictions_in_any_order_read_few_rows():
    stored = Stored(np.zeros((4000, 3)))
    X = ShardedArray(stored, shard_size=100)
    clf = MLPClassifier((4,), max_iter=1).fit(np.eye(3), y[:3])
    chosen = rng.permutation(4000)[:50]
    clf.predict(X[chosen])
    # Besides the rows, the first shards, which are taken to be read next.
    assert sum(stop - start for start, stop in stored.reads) <= 50 + 3 * 100


def test_the_order_depends_on_the_seed():
    one, two = (convnet(random_state=seed).fit(sharded(), y) for seed in (0, 1))
    assert (one.network_.vector != two.network_.vector).any()
    assert_same(one, convnet().fit(sharded(), y))


def test_sample_weights_and_classes_belong_to_their_samples():
    # Samples of one class without weight are as if they were not there.
    weights = np.where(y == 2, 0.0, 1.0)
    clf = convnet(max_iter=30, tol=0.0, n_iter_no_change=99)
    X = images + y[:, None, None, None]
    clf.fit(sharded(X), y, sample_weight=weights)
    assert clf.score(sharded(X)[y < 2], y[y < 2]) == 1.0
    assert not (clf.predict(sharded(X)) == 2).any()


def test_searches_and_cross_validation_select_samples():
    scores = cross_val_score(convnet(), sharded(), y, cv=3)
    assert scores.shape == (3,)
    search = GridSearchCV(convnet(), {"alpha": [0.0, 0.1]}, cv=2).fit(sharded(), y)
    assert search.predict(sharded()).shape == (60,)


def test_l_bfgs_reads_all_samples():
    own, plain = (
        MLPClassifier((3,), solver="lbfgs", max_iter=5, random_state=0).fit(X, y)
        for X in (sharded(images.reshape(60, -1)), images.reshape(60, -1))
    )
    assert_same(own, plain)


def test_validation_data_may_be_sharded():
    clf = convnet(early_stopping=True)
    clf.fit(sharded(), y, X_val=sharded(images[:20]), y_val=y[:20])
    assert len(clf.validation_scores_) == 2


def test_a_custom_scorer_sees_the_samples_that_are_held_out():
    def score(model, X, y):
        assert isinstance(X, ShardedArray)
        return model.score(X, y)

    assert (
        convnet(early_stopping=True, scoring=score).fit(sharded(), y).best_loss_ is None
    )


def test_regression_and_several_calls():
    model = ConvNetRegressor((2,), random_state=0)
    for _ in range(2):
        model.partial_fit(sharded(), images.mean(axis=(1, 2, 3)))
    assert model.predict(sharded()).shape == (60,)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_told_and_change_nothing(value):
    wrong = images.copy()
    wrong[37, 1, 2, 0] = value
    clf = convnet().fit(images, y)
    before = clf.get_weights()
    with pytest.raises(ValueError, match=rf"X\[37, 1, 2, 0\] is {value}.*finite"):
        clf.fit(sharded(wrong), y)
    for name, weights in clf.get_weights().items():
        assert_array_equal(before[name], weights)
    with pytest.raises(ValueError, match=rf"X\[17, 1, 2, 0\] is {value}"):
        clf.predict(sharded(wrong)[20:])


def test_values_too_large_for_the_dtype_are_told():
    wrong = images.copy()
    wrong[37, 1, 2, 0] = 1e39
    with pytest.raises(ValueError, match=r"X\[37, 1, 2, 0\] is 1e\+39.*float32"):
        convnet(dtype="float32").fit(sharded(wrong), y)


def test_errors_while_reading_reach_the_caller():
    class Broken(Stored):
        def __getitem__(self, index):
            if index.start >= 30:
                raise OSError("the disk is gone")
            return super().__getitem__(index)

    with pytest.raises(OSError, match="the disk is gone"):
        convnet().fit(ShardedArray(Broken(images), 7), y)


@pytest.mark.parametrize(
    ("X", "labels", "message"),
    [
        (sharded()[:0], y[:0], "X has no samples"),
        (sharded(), y[:9], "inconsistent numbers of samples"),
        (sharded(images[:, :0]), y, "every axis of a sample must have a length"),
    ],
)
def test_bad_shapes_are_refused(X, labels, message):
    with pytest.raises(ValueError, match=message):
        convnet().fit(X, labels)


def test_samples_of_another_shape_are_refused_after_fit():
    clf = convnet().fit(sharded(), y)
    with pytest.raises(ValueError, match=r"X has samples of shape \(5, 5, 2\)"):
        clf.predict(sharded(images[:, 1:]))
    rows = MLPClassifier((3,), max_iter=1).fit(sharded(images.reshape(60, -1)), y)
    assert rows.n_features_in_ == 60
    with pytest.raises(ValueError, match="X has 30 features, but MLPClassifier is"):
        rows.predict(sharded(images.reshape(120, -1)))


def test_tokens_with_padding_are_refused():
    clf = SequentialClassifier([Embedding(9, 2, padding_token=0), GlobalAvgPool()])
    tokens = rng.integers(0, 9, (60, 4))
    with pytest.raises(TypeError, match="X is read shard by shard, where rows cannot"):
        clf.fit(sharded(tokens), y)


def test_layers_of_images_take_sharded_rows():
    clf = SequentialClassifier([Conv2D(2, 3), GlobalAvgPool()], input_shape=(6, 5, 2))
    clf.set_params(max_iter=1).fit(sharded(images.reshape(60, -1)), y)
    assert clf.activations(sharded(images.reshape(60, -1)), "conv2d").shape[0] == 60


def test_arrays_of_other_packages_are_sharded(tmp_path):
    plain = convnet(shuffle=False).fit(images, y)
    with h5py.File(tmp_path / "images.h5", "w") as file:
        dataset = file.create_dataset("X", data=images, chunks=(10, 6, 5, 2))
        assert_same(plain, convnet(shuffle=False).fit(dataset, y))
        assert_array_equal(plain.predict(dataset), plain.predict(images))
    array = zarr.create_array(
        tmp_path / "images.zarr",
        shape=images.shape,
        dtype=images.dtype,
        chunks=(9, 6, 5, 2),
    )
    array[:] = images
    assert ShardedArray(array).shard_size % 9 == 0
    assert_same(plain, convnet(shuffle=False).fit(array, y))


@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16", "float32", "int64"])
def test_perceptrons_have_the_precision_of_arrays(dtype):
    X = (images[:, :, :, 0] > 0.5).reshape(60, -1).astype(dtype)
    clf = MLPClassifier((3,), max_iter=1, shuffle=False, random_state=0)
    sharded_clf = clone(clf).fit(sharded(X), y)
    assert sharded_clf.network_.dtype == clf.fit(X, y).network_.dtype
    assert_same(clf, sharded_clf)


@pytest.mark.parametrize(
    ("params", "message"),
    [({"shard_size": 9}, "shard_size: 9, and 7"), ({"n_mixed": 3}, "n_mixed: 3, and")],
)
def test_a_checkpoint_is_of_the_same_cut(tmp_path, params, message):
    path = tmp_path / "checkpoint"
    convnet().set_callbacks(Checkpoint(path)).fit(sharded(), y)
    with pytest.raises(ValueError, match=f"of a fit to another {message}"):
        convnet().fit(sharded(**params), y, resume_from=path)
    with pytest.raises(ValueError, match="another shard_size: none, and 7 then"):
        convnet().fit(images, y, resume_from=path)


def test_a_search_in_several_processes_reads_a_file_of_h5py(tmp_path):
    path = tmp_path / "images.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=images)
    with h5py.File(path, "r") as file:
        X = ShardedArray(file["X"])
        scores = cross_val_score(convnet(), X, y, cv=2, n_jobs=2)
        assert_array_equal(scores, cross_val_score(convnet(), X, y, cv=2))
