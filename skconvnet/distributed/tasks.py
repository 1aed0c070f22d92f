"""What runs where a shard is: functions that are given all that they need.

A function that is called again, perhaps on another machine, gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_info

from skconvnet._typing import FlatVector, Image, Shape
from skconvnet.distributed.compression import (
    CompressedVector,
    compress,
    dtype_of,
    expand,
)
from skconvnet.distributed.loaders import Loader, ShardArrays
from skconvnet.distributed.part_in_progress import Exchange, Gather, PartInProgress
from skconvnet.distributed.process import process
from skconvnet.distributed.work import Training, Work
from skconvnet.engine.executor import Executor, Part
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.layers.micro_batch_runner import as_given

_Numbers: TypeAlias = npt.NDArray[np.integer]


class Shard(NamedTuple):
    """A shard in memory.

    Attributes
    ----------
    number : int
    name : str
        What error messages call it.
    arrays : ShardArrays
    make_samples : callable or None
        After `prepare`: makes the samples of X, given the inputs.
    """

    number: int
    name: str
    arrays: ShardArrays
    make_samples: Callable[[Inputs], Samples] | None = None


class PartResult(NamedTuple):
    """The loss and the gradient of one part, or of several.

    Attributes
    ----------
    losses : tuple of float
        By part.
    gradient : ndarray or CompressedVector
        Their sum.
    buffers : ndarray
        Buffers of the network after the update, the same for all parts.
    kernels : frozenset of str
        The kernels of BLAS that computed them.
    """

    losses: tuple[float, ...]
    gradient: FlatVector | CompressedVector
    buffers: FlatVector
    kernels: frozenset[str]


def load_shard(loader: Loader, source: Any, number: int) -> Shard:  # noqa: ANN401  a path or arrays
    """Return a shard, after checking it.

    Raises
    ------
    ValueError
        If arrays do not fit to each other, or have a value that is not finite.
    """
    arrays = loader(source)
    X, y, weights = arrays
    if X.ndim < 2 or X.dtype.kind not in "fiub":
        raise ValueError(
            f"X of {loader.name} must be numeric and have a row for each sample; got "
            f"shape {X.shape} and dtype {X.dtype}."
        )
    for name, own in (("y", y), ("sample_weight", weights)):
        if own is not None and own.ndim == 0:
            raise ValueError(
                f"{name} of {loader.name} must have a value for each sample; got {own}."
            )
        if own is not None and len(own) != len(X):
            raise ValueError(
                f"X and {name} of {loader.name} must have the same number of samples; "
                f"got {len(X)} and {len(own)}."
            )
    for name, own in (("X", X), ("y", y), ("sample_weight", weights)):
        if own is not None and own.dtype.kind == "f":
            _check_finite(own, f"{name} of {loader.name}")
    return Shard(number, loader.name, arrays)


def _check_finite(values: npt.NDArray[Any], name: str) -> None:
    wrong = ~np.isfinite(values)
    if not wrong.any():
        return
    place = tuple(np.argwhere(wrong)[0].tolist())
    where = f"row {place[0]}" + (f", at {place[1:]}," if len(place) > 1 else "")
    raise ValueError(
        f"{name} must be finite, but {where} is {values[place]}. Correct this shard, "
        "or leave the row out."
    )


class ShardInfo(NamedTuple):
    """What the client knows of a shard.

    Attributes
    ----------
    shape : tuple of int
        Of X.
    dtype : dtype
    y : ndarray
    sample_weight : ndarray or None
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    y: npt.NDArray[Any]
    sample_weight: npt.NDArray[Any] | None


def describe(shard: Shard) -> ShardInfo:
    """Return what the client has to know."""
    X, y, weights = shard.arrays
    return ShardInfo(X.shape, X.dtype, y, weights)


def prepare(shard: Shard, make_samples: Callable[[Inputs], Samples]) -> Shard:
    """Return the shard with what makes its samples, which has targets and weights."""
    return shard._replace(make_samples=make_samples)


def read_rows(shard: Shard, rows: _Numbers) -> npt.NDArray[Any]:
    """Return a few samples."""
    return shard.arrays.X[rows]


def inputs_of(
    shard: Shard, in_shape: Shape, dtype: npt.DTypeLike, *, channels_first: bool
) -> Inputs:
    """Return the inputs of a shard."""
    X, name = shard.arrays.X, f"X of {shard.name}"
    return Inputs(X, in_shape, dtype, name, channels_first=channels_first)


def training_inputs(shard: Shard, training: Training) -> Inputs:
    """Return the inputs of a shard, as the network reads them."""
    network, channels_first = training.network, training.channels_first
    return inputs_of(
        shard, network.in_shape, network.dtype, channels_first=channels_first
    )


def samples_of(shard: Shard, inputs: Inputs) -> Samples:
    """Return the samples of a shard that was prepared."""
    assert shard.make_samples is not None
    return shard.make_samples(inputs)


def differentiate(
    training: Training,
    shard: Shard,
    state: FlatVector,
    work: Work,
    gathered: list[list[Any]],
) -> PartResult | Exchange:
    """Return the share of a part in the loss and the gradient of a minibatch.

    If layers need the whole minibatch, an `Exchange` is returned until everything that
    they need has been `gathered`.
    """

    def run(gather: Gather) -> PartResult:
        executor = process.take(training)
        try:
            return _differentiate(training, executor, shard, state, work, gather)
        finally:
            process.give(training, executor)

    if not training.network.needs_whole_batch:
        return run(as_given)
    part = process.part(
        training, shard.number, work, gathered, lambda: PartInProgress(run)
    )
    result: PartResult | Exchange = part.advance(gathered)
    return result


def _differentiate(
    training: Training,
    executor: Executor,
    shard: Shard,
    state: FlatVector,
    work: Work,
    gather: Gather,
) -> PartResult:
    network = executor.network
    network.state[:] = state
    samples = samples_of(shard, training_inputs(shard, training))
    gradient = np.empty_like(network.vector)
    loss, _ = executor.loss_and_gradient(
        samples,
        work.rows,
        gradient,
        train=True,
        seed=seed_of(work.seed, shard.number),
        epoch=work.epoch,
        part=Part(work.total_weight, gather),
    )
    n_weights = network.vector.size
    return PartResult(
        (loss,),
        compress(gradient, training.gradient_dtype),
        network.trained_state[n_weights:].copy(),
        frozenset({blas_kernels()}),
    )


def seed_of(seed: int | None, number: int) -> int | None:
    """Return a seed for one of several parts, None if nothing is drawn."""
    if seed is None:
        return None
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def exchange_of(result: PartResult | Exchange) -> Exchange | None:
    """Return what the part gives to others, None if it has ended."""
    return result if isinstance(result, Exchange) else None


def add_parts(one: PartResult, other: PartResult) -> PartResult:
    """Return the sum of two results; the losses are kept by part."""
    total = expand(one.gradient) + expand(other.gradient)
    return PartResult(
        one.losses + other.losses,
        compress(total, dtype_of(one.gradient)),
        one.buffers,
        one.kernels | other.kernels,
    )


def outputs_of(
    training: Training,
    shard: Shard,
    state: FlatVector,
    rows: _Numbers,
    options: dict[str, Any],
) -> Image:
    """Return the predictions for samples of a shard, see `Predictor.outputs`."""
    executor = process.take(training)
    try:
        executor.network.state[:] = state
        inputs = training_inputs(shard, training)
        return Executor.outputs(executor, inputs, rows, **options)
    finally:
        process.give(training, executor)


def apply_to(
    function: Callable[[Samples], Any],
    shard: Shard,
    rows: _Numbers,
    in_shape: Shape,
    dtype: npt.DTypeLike,
    channels_first: bool,
) -> Any:  # noqa: ANN401  of any function
    """Return the result of a function of some samples of a shard."""
    inputs = inputs_of(shard, in_shape, dtype, channels_first=channels_first)
    return function(samples_of(shard, inputs).at(rows))


@cache
def blas_kernels() -> str:
    """Return the kernels of BLAS in this process, such as "SkylakeX".

    There are several if NumPy and SciPy have different ones.
    """
    found = {
        str(info.get("architecture", info["internal_api"]))
        for info in threadpool_info()
        if info["user_api"] == "blas"
    }
    return " and ".join(sorted(found))
