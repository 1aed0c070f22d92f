"""Training on the workers of a Dask cluster, some of which are lost."""

import asyncio
import os
import platform
import signal

import numpy as np
import pytest
from checkpoint_tools import assert_equal
from numpy.testing import assert_array_equal
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from threadpoolctl import threadpool_info

from skconvnet import ConvNetClassifier, MLPClassifier
from skconvnet.augmentation import Shift
from skconvnet.callbacks import Checkpoint
from skconvnet.distributed import fit

pytestmark = [
    pytest.mark.distributed,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Of Dask and of what it imports.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Port .* is already in use"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

rng = np.random.default_rng(0)
X = rng.uniform(size=(60, 6, 5, 2))
y = np.arange(60) % 3
SHARDS = list(zip(np.array_split(X, 5), np.array_split(y, 5), strict=True))


def convnet(**params):
    params = {"max_iter": 2, "batch_size": 20, "random_state": 0, **params}
    return ConvNetClassifier((3,), hidden_layer_sizes=4, **params)


def blas_threads():
    """Return the number of threads of each library of BLAS in this process."""
    found = threadpool_info()
    return [info["num_threads"] for info in found if info["user_api"] == "blas"]


def cluster(n_workers, **options):
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        dashboard_address=":0",
        worker_dashboard_address=None,
        **options,
    )


@pytest.fixture(scope="module")
def client():
    """Connect to a cluster of two workers, which are processes."""
    from distributed import Client

    with cluster(2) as own, Client(own) as connected:
        yield connected


@pytest.fixture
def own_client():
    """Connect to a cluster whose workers a test may end."""
    from distributed import Client

    with cluster(2) as own, Client(own) as connected:
        yield connected


def after_updates(monkeypatch, n, function):
    """Have a function called before update n of the next training."""
    from skconvnet.distributed import remote_executor

    compute, n_calls = remote_executor.with_retries, 0

    def with_retries(run):
        nonlocal n_calls
        n_calls += 1
        if n_calls == n:
            function()
        return compute(run)

    monkeypatch.setattr(remote_executor, "with_retries", with_retries)


def kill_a_worker(client):
    pids = client.run(os.getpid)
    os.kill(next(iter(pids.values())), signal.SIGKILL)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"batch_mode": "bgd"},
        {"batch_norm": False, "dropout": 0.3, "augmentation": Shift(1)},
        {"early_stopping": True, "validation_fraction": 0.3, "averaging": 0.9},
    ],
)
@pytest.mark.parametrize(
    "how", [{}, {"gradient_dtype": "float16"}, {"local_updates": 3}]
)
def test_workers_give_the_same_bits_as_this_process(client, params, how):
    own = fit(convnet(**params), SHARDS, client, **how)
    assert_equal(fit(convnet(**params), SHARDS, **how), own)


@pytest.mark.parametrize("n_workers", [1, 3])
def test_the_number_of_workers_changes_no_bit(n_workers):
    from distributed import Client

    with cluster(n_workers, processes=False) as own, Client(own) as connected:
        before = blas_threads()
        remote = fit(convnet(), SHARDS, connected)
        assert blas_threads() == before
    assert_equal(fit(convnet(), SHARDS), remote)


def test_dask_arrays_and_delayed_pairs_are_shards(client):
    import dask
    import dask.array as da

    plain = fit(convnet(), SHARDS)
    arrays = (da.from_array(X, chunks=(12, 3, 5, 2)), da.from_array(y, chunks=12))
    assert_equal(fit(convnet(), arrays, client), plain)
    pair = dask.delayed(lambda i: SHARDS[i])
    assert_equal(fit(convnet(), [pair(i) for i in range(5)], client), plain)
    pairs = [(dask.delayed(own), dask.delayed(labels)) for own, labels in SHARDS]
    assert_equal(fit(convnet(), pairs, client), plain)
    assert_equal(fit(convnet(), arrays), plain)
    # Chunks of unknown lengths.
    unknown = [own[arrays[1] >= 0] for own in arrays]
    assert_equal(fit(convnet(), unknown), plain)
    with pytest.raises(ValueError, match="X and y must have the same chunks"):
        fit(convnet(), (arrays[0], da.from_array(y, chunks=20)), client)


@pytest.mark.parametrize("params", [{}, {"batch_norm": False}])
@pytest.mark.parametrize("how", [{}, {"local_updates": 2}])
def test_a_worker_that_is_killed_changes_no_bit(own_client, monkeypatch, params, how):
    plain = fit(convnet(**params), SHARDS, **how)
    after_updates(monkeypatch, 3, lambda: kill_a_worker(own_client))
    assert_equal(fit(convnet(**params), SHARDS, own_client, **how), plain)


def test_without_workers_a_checkpoint_can_be_used(own_client, monkeypatch, tmp_path):
    whole = fit(convnet(max_iter=4), SHARDS)
    path = tmp_path / "checkpoint"
    # Three updates an epoch: in the second one.
    after_updates(monkeypatch, 5, lambda: own_client.cluster.scale(0))
    model = convnet(max_iter=4).set_callbacks(Checkpoint(path))
    with pytest.raises(
        RuntimeError, match=r"no worker for 1 s.*Checkpoint.*resume_from"
    ):
        fit(model, SHARDS, own_client, timeout=1)
    assert not hasattr(model, "classes_")
    own_client.cluster.scale(2)
    own_client.wait_for_workers(2)
    monkeypatch.undo()
    resumed = fit(convnet(max_iter=4), SHARDS, own_client, resume_from=path)
    assert_equal(resumed, whole)


def test_a_scheduler_that_is_gone_is_told(own_client, monkeypatch, tmp_path):
    path = tmp_path / "checkpoint"
    after_updates(monkeypatch, 5, own_client.cluster.close)
    model = convnet(max_iter=4).set_callbacks(Checkpoint(path))
    with pytest.raises(RuntimeError, match="Training cannot go on"):
        fit(model, SHARDS, own_client, timeout=1)
    monkeypatch.undo()
    assert_equal(
        fit(convnet(max_iter=4), SHARDS, resume_from=path),
        fit(convnet(max_iter=4), SHARDS),
    )


def test_clients_that_do_not_wait_are_refused(client):
    from distributed import Client

    async def refuse():
        async with Client(client.scheduler.address, asynchronous=True) as waiting:
            with pytest.raises(ValueError, match=r"wait for.*asynchronous=False"):
                fit(convnet(), SHARDS, waiting)

    asyncio.run(refuse())


@pytest.mark.parametrize("n_shards", [2, 3])
def test_as_many_delayed_shards_as_a_pair_has_arrays(client, n_shards):
    import dask

    parts = [(X[i::n_shards], y[i::n_shards]) for i in range(n_shards)]
    shards = [dask.delayed(tuple)(list(part)) for part in parts]
    assert_equal(fit(convnet(), shards, client), fit(convnet(), parts))


def test_one_array_of_dask_is_not_a_pair(client):
    from dask import array

    X_alone = array.from_array(X, chunks=(20, *X.shape[1:]))
    message = (
        r"array of Dask; got also an array of shape \(60,\).*from_array\(y, chunks="
    )
    with pytest.raises(TypeError, match=message):
        fit(convnet(), (X_alone, y), client)


def test_a_shard_with_a_bad_value_is_named(client):
    wrong = X[:12].copy()
    wrong[7, 1, 2, 0] = np.inf
    with pytest.raises(ValueError, match=r"X of shard 1 must be finite, but row 7"):
        fit(convnet(), [SHARDS[0], (wrong, y[:12])], client)


def test_a_shard_that_times_out_is_told(client):
    import dask

    @dask.delayed
    def load():
        raise TimeoutError("the file server is slow")

    with pytest.raises(TimeoutError, match="the file server is slow"):
        fit(convnet(), [load()], client)


@pytest.mark.parametrize("what", ["cluster", "address"])
def test_what_is_no_client_is_refused(client, what):
    wrong = client.cluster if what == "cluster" else client.scheduler.address
    with pytest.raises(TypeError, match=r"client must be a distributed\.Client; got"):
        fit(convnet(), SHARDS, wrong)


@pytest.mark.skipif(
    platform.machine() != "x86_64", reason="other processors have no Prescott kernels"
)
def test_other_kernels_of_blas_are_told():
    from distributed import Client, Nanny, Scheduler, SpecCluster

    def worker(**env):
        options = {"nthreads": 1, "dashboard": False, "env": env}
        return {"cls": Nanny, "options": options}

    workers = {"a": worker(), "b": worker(OPENBLAS_CORETYPE="Prescott")}
    scheduler = {"cls": Scheduler, "options": {"dashboard": False}}
    with SpecCluster(workers, scheduler) as own, Client(own) as connected:
        connected.wait_for_workers(2)
        with pytest.warns(UserWarning, match="different kernels of BLAS"):
            fit(convnet(), SHARDS, connected)


@pytest.mark.usefixtures("client")
def test_searches_run_on_the_cluster():
    import joblib

    rows = X.reshape(60, -1)
    mlp = MLPClassifier((4,), max_iter=3, random_state=0)
    search = GridSearchCV(mlp, {"alpha": [0.0, 1.0]}, cv=2, n_jobs=-1)
    bagging = BaggingClassifier(mlp, n_estimators=3, random_state=0, n_jobs=-1)
    with joblib.parallel_backend("dask"):
        search.fit(rows, y)
        scores = cross_val_score(mlp, rows, y, cv=3, n_jobs=-1)
        bagging.fit(rows, y)
    assert_array_equal(scores, cross_val_score(mlp, rows, y, cv=3))
    alone = GridSearchCV(mlp, {"alpha": [0.0, 1.0]}, cv=2).fit(rows, y)
    assert_array_equal(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    assert bagging.predict(rows).shape == (60,)
