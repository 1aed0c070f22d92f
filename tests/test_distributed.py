"""Training on shards, computed one after the other in this process."""

from itertools import pairwise

import numpy as np
import pytest
from checkpoint_tools import Abort, assert_equal
from hypothesis import given
from hypothesis import strategies as st
from interrupt_tools import told
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
)
from skconvnet.augmentation import Flip, Shift
from skconvnet.callbacks import Checkpoint
from skconvnet.distributed import fit
from skconvnet.distributed.remote_array import RemoteArray, RemoteInputs
from skconvnet.distributed.remote_executor import RemoteExecutor
from skconvnet.distributed.shards_of_pool import ShardsOfPool
from skconvnet.layers import BatchNorm, Conv2D, Embedding, GlobalAvgPool, Residual
from skconvnet.optimizers import SGD, Lookahead

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 6, 5, 2))
y = np.arange(60) % 3


def cut(*arrays, n=4):
    """Return shards of different lengths."""
    bounds = np.linspace(0, len(arrays[0]) ** 0.5, n + 1) ** 2
    bounds = np.rint(bounds).astype(int)
    return [tuple(own[a:b] for own in arrays) for a, b in pairwise(bounds)]


def convnet(cls=ConvNetClassifier, **params):
    params = {"max_iter": 2, "batch_size": 12, "random_state": 0, **params}
    return cls((3, 4), hidden_layer_sizes=4, **params)


def assert_close(model, other, rtol=1e-9):
    for name, weights in model.get_weights().items():
        assert_allclose(other.get_weights()[name], weights, rtol, atol=1e-10)


@pytest.mark.parametrize(
    "params",
    [
        {"batch_norm": False},
        {"batch_norm": False, "solver": "sgd", "max_grad_norm": 0.1, "l1_ratio": 0.5},
        {},
    ],
)
def test_one_shard_without_shuffling_is_as_an_array(params):
    plain = convnet(shuffle=False, **params).fit(X, y)
    own = fit(convnet(shuffle=False, **params), [(X, y)])
    assert_close(plain, own)
    assert_allclose(own.loss_curve_, plain.loss_curve_)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_shards", [2, 5])
def test_full_batches_are_those_of_all_samples_together(n_shards, weighted):
    # Batch normalization sees the statistics of all shards.
    weights = rng.uniform(size=60) if weighted else None
    arrays = (X, y, weights) if weighted else (X, y)
    plain = convnet(batch_mode="bgd", max_iter=4).fit(X, y, sample_weight=weights)
    own = fit(convnet(batch_mode="bgd", max_iter=4), cut(*arrays, n=n_shards))
    assert_close(plain, own, rtol=1e-7)
    assert_allclose(own.loss_curve_, plain.loss_curve_, rtol=1e-9)


def test_layers_inside_others_exchange_their_statistics():
    inner = [Conv2D(2, 3, padding="same"), BatchNorm()]
    layers = [Residual(inner), BatchNorm(), GlobalAvgPool()]
    params = {"batch_mode": "bgd", "max_iter": 3, "random_state": 0}
    plain = SequentialClassifier(layers, **params).fit(X, y)
    assert_close(plain, fit(SequentialClassifier(layers, **params), cut(X, y)), 1e-7)


@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    batch_size=st.integers(1, 20),
    seed=st.integers(0, 9),
)
def test_every_minibatch_has_its_share_of_every_shard(lengths, batch_size, seed):
    infos = [type("Info", (), {"shape": (n, 3), "dtype": X.dtype}) for n in lengths]
    source = ShardsOfPool(None, [None] * len(lengths), infos, None, 1)
    inputs = RemoteInputs(RemoteArray(source), (3,), "float64")
    order = inputs.mixed_order(None, np.random.RandomState(seed))
    n = sum(lengths)
    assert sorted(order) == list(range(n))
    for stop in range(batch_size, n + 1, batch_size):
        for shard, own in source.by_shard(order[stop - batch_size : stop]):
            assert abs(len(own) - batch_size * lengths[shard] / n) <= 2


@pytest.mark.parametrize(
    "params",
    [
        {"dropout": 0.4, "augmentation": Shift(1)},
        {"augmentation": Flip(alternate=True)},
        {"early_stopping": True, "validation_fraction": 0.3},
        {"early_stopping": True, "validation_fraction": 0.3, "scoring": "f1_macro"},
        {"averaging": 0.9, "learning_rate": "cosine"},
        {"class_weight": {0: 1.0, 1: 2.0, 2: 0.0}},
    ],
)
def test_training_depends_on_the_seed_alone(params):
    one, two, other = (
        fit(convnet(random_state=seed, **params), cut(X, y)) for seed in (0, 0, 1)
    )
    assert_equal(one, two)
    assert (one.network_.vector != other.network_.vector).any()
    assert one.predict(X).shape == (60,)


def test_all_estimators_learn():
    rows = X.reshape(60, -1)
    target = rows[:, 0] - 2 * rows[:, 1]
    mlp = MLPRegressor(hidden_layer_sizes=16, max_iter=300, random_state=0)
    assert fit(mlp, cut(rows, target)).score(rows, target) > 0.9
    several = fit(convnet(ConvNetRegressor), cut(X, rows[:, :2]))
    assert several.predict(X).shape == (60, 2)
    names = np.array(["a", "b", "c"])[y]
    clf = fit(convnet(), cut(X, names))
    assert clf.classes_.tolist() == ["a", "b", "c"]


def test_l_bfgs_sees_all_samples():
    rows = X.reshape(60, -1)
    params = {"solver": "lbfgs", "max_iter": 10, "random_state": 0}
    plain = MLPClassifier((4,), **params).fit(rows, y)
    assert_close(plain, fit(MLPClassifier((4,), **params), cut(rows, y)), 1e-4)


def test_standardization_has_the_statistics_of_all_shards():
    images = (X * 20 + 100).astype(np.uint8)
    plain, own = convnet().initialize(images, y), fit(convnet(), cut(images, y))
    names = [name for name in plain.get_weights() if name.startswith("rescale/")]
    assert len(names) == 2
    for name in names:
        expected = plain.get_weights()[name]
        assert_allclose(own.get_weights()[name], expected, rtol=1e-5)


def test_validation_data_of_its_own():
    clf = convnet(early_stopping=True)
    fit(clf, cut(X, y), X_val=X[:20], y_val=y[:20])
    assert clf.best_validation_score_ == clf.score(X[:20], y[:20])


def test_a_fit_goes_on_from_a_checkpoint(tmp_path):
    path, shards = tmp_path / "checkpoint", cut(X, y)
    whole = fit(convnet(max_iter=4), shards)
    # As if the process had ended after two epochs.
    broken = convnet(max_iter=4).set_callbacks(Abort(path, 2))
    with pytest.raises(InterruptedError):
        fit(broken, shards)
    assert_equal(fit(convnet(max_iter=4), shards, resume_from=path), whole)


@pytest.mark.parametrize(
    ("shards", "params", "message"),
    [
        ([(X[:40], y[:40]), (X[40:], y[40:])], {}, "cut into shards.*40, 20"),
        (None, {"gradient_dtype": "float16"}, "gradient_dtype: 'float16', and none"),
        (None, {"local_updates": 2}, "local_updates: 2, and 1 then"),
    ],
)
def test_a_checkpoint_is_of_the_same_shards(tmp_path, shards, params, message):
    path = tmp_path / "checkpoint"
    fit(convnet(max_iter=1).set_callbacks(Checkpoint(path)), cut(X, y))
    with pytest.raises(ValueError, match=f"a fit to another {message}"):
        fit(convnet(max_iter=1), shards or cut(X, y), resume_from=path, **params)
    with pytest.raises(ValueError, match="cut into shards: none, and"):
        convnet(max_iter=1).fit(X, y, resume_from=path)


@pytest.mark.parametrize(
    "solver", ["adam", "sgd", "schedule_free_adamw", Lookahead(SGD(), every=2)]
)
def test_local_updates_of_one_shard_are_those_of_an_array(solver):
    params = {"shuffle": False, "learning_rate": "constant", "solver": solver}
    plain = convnet(**params, alpha=0.01, l1_ratio=0.5).fit(X, y)
    own = convnet(**params, alpha=0.01, l1_ratio=0.5)
    # All five minibatches of an epoch at a time.
    assert_close(plain, fit(own, [(X, y)], local_updates=5))
    assert_allclose(own.loss_curve_, plain.loss_curve_)


def test_local_updates_of_several_shards_are_averaged():
    rows, n = X.reshape(60, -1), (40, 20)

    def mlp(**params):
        return MLPClassifier((4,), batch_size=20, random_state=0, **params)

    shards = [(rows[: n[0]], y[: n[0]]), (rows[n[0] :], y[n[0] :])]
    own = mlp(max_iter=1, shuffle=False)
    fit(own, shards, local_updates=3)
    expected = 0.0
    for own_rows, labels in shards:
        alone = mlp(shuffle=False, batch_mode="bgd")
        for part in np.array_split(np.arange(len(labels)), 3):
            alone.partial_fit(own_rows[part], labels[part], classes=[0, 1, 2])
        expected = expected + len(labels) / 60 * alone.network_.vector
    assert_allclose(own.network_.vector, expected, rtol=1e-9, atol=1e-12)


def test_half_precision_changes_little():
    exact, rounded = (
        fit(convnet(), cut(X, y), gradient_dtype=dtype) for dtype in (None, "float16")
    )
    assert (exact.network_.vector != rounded.network_.vector).any()
    assert_allclose(rounded.loss_curve_, exact.loss_curve_, rtol=1e-2)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            (X[:, :5], y),
            r"shard 1 has samples of shape \(5, 5, 2\), and shard 0 has .*6",
        ),
        (
            (X.astype("f4"), y),
            "shard 1 has dtype float32, and shard 0 has dtype float64",
        ),
        ((X, np.c_[y, y]), r"shard 1 has outputs of shape \(2,\)"),
        ((X, y, np.ones(60)), "shard 1 has sample weights: True"),
        ((X, y[:9]), "X and y of shard 1 must have the same number.*60 and 9"),
        ((X.astype(str), y), "X of shard 1 must be numeric.*dtype <U"),
        ((X, y.astype(str)), "shard 1 has y of texts, and shard 0 has y of numbers"),
        ((X, 3), "y of shard 1 must have a value for each sample; got 3"),
        (([X[0], X[1, :4]], y[:2]), "shard 1 must have arrays, whose rows have one sh"),
        ((X,), r"must be a pair.*got a tuple of length 1\."),
        (X, r"shards\[1\] must be a pair.*got an array of shape \(60, 6, 5, 2\)"),
    ],
)
def test_shards_that_do_not_fit_are_named(arrays, message):
    clf = convnet()
    with pytest.raises((ValueError, TypeError), match=message):
        fit(clf, [(X, y), arrays])
    assert not hasattr(clf, "classes_")


@pytest.mark.parametrize("where", ["X", "y", "sample_weight"])
def test_values_that_are_not_finite_are_named(where):
    arrays = {"X": X.copy(), "y": y.astype(float), "sample_weight": np.ones(60)}
    arrays[where][17] = np.nan
    good = (X, y.astype(float), np.ones(60))
    model = convnet(ConvNetRegressor).fit(X, y)
    before = model.network_.vector.copy()
    message = rf"{where} of shard 1 must be finite, but row 17.*is nan"
    with pytest.raises(ValueError, match=message):
        fit(model, [good, tuple(arrays.values())])
    assert_array_equal(model.network_.vector, before)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"gradient_dtype": "int8"}, ValueError, "gradient_dtype.*float16.*int8"),
        ({"local_updates": 0}, ValueError, "local_updates must be.*got 0"),
        (
            {"local_updates": 2, "gradient_dtype": "float16"},
            ValueError,
            "has no effect",
        ),
        ({"timeout": -1}, ValueError, "timeout must be.*got -1"),
        ({"shards": 5}, TypeError, "shards must be a pair of Dask arrays.*got 5"),
        ({"target": "kind"}, ValueError, "target='kind' is about .* Parquet"),
        ({"shards": []}, ValueError, "at least one shard"),
        ({"shards": [3]}, TypeError, r"shards\[0\] must be a pair"),
    ],
)
def test_bad_arguments_are_refused(params, error, message):
    shards = params.pop("shards", [(X, y)])
    with pytest.raises(error, match=message):
        fit(convnet(), shards, **params)


def test_local_updates_of_l_bfgs_are_refused():
    with pytest.raises(ValueError, match=r"local_updates=2 needs.*solver='lbfgs'"):
        fit(MLPClassifier(solver="lbfgs"), [(X[:, 0, 0], y)], local_updates=2)


def test_values_too_large_for_the_dtype_are_named():
    wrong = X.copy()
    wrong[7, 1, 2, 0] = 1e39
    with pytest.raises(ValueError, match=r"X of shard 1\[7, 1, 2, 0\] is 1e\+39"):
        fit(convnet(dtype="float32"), [(X, y), (wrong, y)])


@pytest.mark.parametrize("how", [{}, {"local_updates": 2}])
@pytest.mark.parametrize("shape", [None, (60,), (60, 6, 5)])
def test_targets_of_positions(shape, how):
    maps = np.where(X[..., 0] > 0, "in", "out")
    weights = None if shape is None else rng.uniform(0.5, 1.5, shape)
    arrays = (X, maps) if weights is None else (X, maps, weights)
    layers = [Conv2D(2, 3, padding="same"), BatchNorm()]
    params = {"batch_mode": "bgd", "max_iter": 3, "random_state": 0}
    plain, own = (SequentialClassifier(layers, **params) for _ in range(2))
    fit(own, cut(*arrays), **how)
    assert own.predict(X).shape == (60, 6, 5)
    if not how:
        assert_close(plain.fit(X, maps, sample_weight=weights), own, 1e-7)


def test_an_interrupt_keeps_the_model_so_far(monkeypatch):
    clf = convnet(max_iter=9)
    train, n_calls = RemoteExecutor.loss_and_gradient, 0

    def loss_and_gradient(self, *args, **options):
        nonlocal n_calls
        n_calls += 1
        if n_calls > 7:  # in the second of the epochs, of five updates
            raise KeyboardInterrupt
        return train(self, *args, **options)

    monkeypatch.setattr(RemoteExecutor, "loss_and_gradient", loss_and_gradient)
    with told() as record:
        fit(clf, cut(X, y))
    assert record[0].filename == __file__
    assert clf.n_iter_ == 2
    assert clf.predict(X).shape == (60,)


def test_classes_are_refused():
    with pytest.raises(TypeError, match=r"not the class; pass MLPClassifier\(\)"):
        fit(MLPClassifier, [(X, y)])


def test_padded_tokens_are_refused():
    tokens = np.tile([3, 2, 0, 0], (60, 1))
    layers = [Embedding(5, 3, padding_token=0), GlobalAvgPool()]
    with pytest.raises(TypeError, match=r"shard by shard.*begins.*in memory"):
        fit(SequentialClassifier(layers), [(tokens, y)])


def test_pipelines_are_refused():
    with pytest.raises(TypeError, match=r"must be one of skconvnet.*as in a Pipeline"):
        fit(make_pipeline(StandardScaler(), MLPClassifier()), [(X, y)])
