"""`fit`: training an estimator on shards, here or on a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, TypeVar

import numpy as np

from skconvnet._checks import check_choice, check_int, check_number
from skconvnet._suggestions import shown_value
from skconvnet.distributed.compression import GRADIENT_DTYPES
from skconvnet.distributed.loaders import Loader, as_loaders
from skconvnet.distributed.pools import DaskPool, LocalPool, Pool
from skconvnet.distributed.remote_array import RemoteArray
from skconvnet.distributed.shards_of_pool import ShardsOfPool, with_retries
from skconvnet.distributed.tasks import ShardInfo, describe, load_shard
from skconvnet.estimators._base import NetworkEstimator
from skconvnet.estimators._factories import is_stochastic

_E = TypeVar("_E", bound=NetworkEstimator[Any])


def fit(
    estimator: _E,
    shards: object,
    client: Any = None,  # noqa: ANN401  a Client of Dask
    *,
    target: str = "y",
    local_updates: int = 1,
    gradient_dtype: str | None = None,
    timeout: float = 60.0,
    X_val: object = None,
    y_val: object = None,
    sample_weight_val: object = None,
    resume_from: str | PathLike[str] | None = None,
) -> _E:
    """Fit an estimator on shards of a training set, by workers of Dask.

    In every update, each worker computes the gradient of its part of the minibatch, the
    parts are added, and the weights are updated here. Minibatches are drawn from all
    shards; each of them has its share in every minibatch. The result is the same to the
    last bit for any number of workers, and without any, as long as all have the same
    kind of processor. If a worker is lost, others do its work again.

    Parameters
    ----------
    estimator : ConvNet*, Sequential* or MLP* estimator
        It is fitted in place. Its `batch_size` and `batch_mode` are about the whole
        minibatch. `n_jobs` is the number of threads of a task.
    shards : pair of Dask arrays, list, or path
        One of

        - a pair of Dask arrays (X, y), with equal chunks along their first axis, each
          of which is a shard;
        - a list of delayed pairs (X, y), or of pairs of arrays;
        - a list of paths of .npz files with X and y, of Parquet files, or of pairs of
          .npy files (X, y);
        - a folder of such files, in which pairs of .npy files are called ``X*.npy`` and
          ``y*.npy``. Workers must see the files under the same path.

        A pair may have a third element, the sample weights.
    client : distributed.Client, default=None
        The cluster. None computes shard after shard in this process.
    target : str, default="y"
        The column of Parquet files that holds y; all others are features.
    local_updates : int, default=1
        With 1, the gradients of all shards are added for each update. With more, each
        shard makes so many updates by its own samples before the weights, and the
        moments of the optimizer, are averaged, so that they travel less often. This is
        another training, whose minibatches are as many times smaller as there are
        shards: ``batch_size`` divided by their number. `alpha`, which is divided by the
        size of a minibatch, has as many times more effect.
    gradient_dtype : {None, "float16"}, default=None
        The dtype in which gradients travel. None means that of the network. "float16"
        halves what is sent, and rounds gradients to 11 bits; elements of less than
        6e-8 times the largest one become zero.
    timeout : float, default=60
        Seconds to wait for a worker if all are lost.
    X_val, y_val, sample_weight_val : array-like, default=None
        A validation set, in this process, as in the `fit` of the estimator.
    resume_from : path, default=None
        A checkpoint to go on from, as in the `fit` of the estimator.

    Returns
    -------
    estimator : object
        The fitted estimator.

    Raises
    ------
    LostWorkersError
        If there is no worker any more, or the scheduler is gone. It is a RuntimeError.
        The estimator is left as it was; a checkpoint that it has written can be used.
    ValueError
        If a shard does not fit to the others, or has a value that is not finite; the
        error names the shard and the row.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import MLPClassifier
    >>> from skconvnet.distributed import fit
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> shards = [(part, part[:, 0] > 0) for part in np.array_split(X, 4)]
    >>> clf = MLPClassifier((8,), batch_size=20, learning_rate_init=0.02, tol=0.01)
    >>> clf = clf.set_params(max_iter=50, random_state=0)
    >>> bool(fit(clf, shards).score(X, X[:, 0] > 0) > 0.95)
    True
    """
    if isinstance(estimator, type):
        raise TypeError(
            f"estimator must be an object, not the class; pass {estimator.__name__}()."
        )
    if not isinstance(estimator, NetworkEstimator):
        raise TypeError(
            "estimator must be one of skconvnet, such as ConvNetClassifier(); got "
            f"{shown_value(estimator)}. Steps before the network, as in a Pipeline, "
            "would need the whole training set in one place."
        )
    if gradient_dtype is not None:
        check_choice("gradient_dtype", gradient_dtype, GRADIENT_DTYPES)
    timeout = check_number("timeout", timeout, low=0.0)
    local_updates = check_int("local_updates", local_updates)
    if local_updates > 1 and gradient_dtype is not None:
        raise ValueError(
            f"gradient_dtype={gradient_dtype!r} has no effect with "
            f"local_updates={local_updates!r}, with which no gradients travel. Leave "
            "one of them out."
        )
    if local_updates > 1 and not is_stochastic(estimator.solver):
        raise ValueError(
            f"local_updates={local_updates!r} needs a solver that takes minibatches; "
            f'got solver={estimator.solver!r}. Leave it out, or set solver="adam".'
        )
    loaders = as_loaders(shards, target)
    pool: Pool = LocalPool() if client is None else DaskPool(client, timeout)
    X, y, weights = _collect(pool, loaders, gradient_dtype, local_updates)
    estimator.fit(
        X,
        y,
        sample_weight=weights,
        X_val=X_val,
        y_val=y_val,
        sample_weight_val=sample_weight_val,
        resume_from=resume_from,
    )
    return estimator


def _collect(
    pool: Pool,
    loaders: Sequence[Loader],
    gradient_dtype: str | None,
    n_local_updates: int,
) -> tuple[RemoteArray, np.ndarray, np.ndarray | None]:
    """Load all shards where they will be trained on; return X, y and the weights."""
    promises = [
        pool.submit(
            load_shard,
            loader,
            pool.compute(loader.source) if loader.is_delayed else loader.source,
            number,
        )
        for number, loader in enumerate(loaders)
    ]
    infos: list[ShardInfo] = with_retries(
        lambda: pool.gather([pool.submit(describe, promise) for promise in promises])
    )
    _check_alike(infos, loaders)
    weights = [own for own in (info.sample_weight for info in infos) if own is not None]
    shards = ShardsOfPool(pool, promises, infos, gradient_dtype, n_local_updates)
    X = RemoteArray(shards)
    y = np.concatenate([info.y for info in infos])
    return X, y, np.concatenate(weights) if weights else None


def _check_alike(infos: Sequence[ShardInfo], loaders: Sequence[Loader]) -> None:
    """Raise a ValueError unless all shards have the same form."""

    def form(info: ShardInfo) -> tuple[Any, ...]:
        return (
            ("samples of shape", info.shape[1:]),
            ("dtype", str(info.dtype)),
            ("outputs of shape", info.y.shape[1:]),
            ("y of", "texts" if _are_texts(info.y) else "numbers"),
            ("sample weights:", info.sample_weight is not None),
        )

    for info, loader in zip(infos, loaders, strict=True):
        for (what, own), (_, first) in zip(form(info), form(infos[0]), strict=True):
            if own != first:
                raise ValueError(
                    f"All shards must be alike, but {loader.name} has {what} {own}, "
                    f"and {loaders[0].name} has {what} {first}."
                )


def _are_texts(y: np.ndarray) -> bool:
    if y.dtype.kind == "O" and y.size:
        return isinstance(y.flat[0], str)
    return y.dtype.kind in "US"
