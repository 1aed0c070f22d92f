"""The values that "auto" stands for in the hyperparameters of ConvNets.

They were chosen on twenty small tasks, see `benchmarks/defaults.py`.
"""

from __future__ import annotations

from dataclasses import replace
from math import log2

from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.optimizers import ScheduleFreeAdamW

# Small training sets need many updates, and large ones need fast epochs.
_MINIBATCHES_PER_EPOCH = 64
_SMALLEST, _LARGEST = 8, 128

# So few samples are one minibatch: parts of them would say little about the whole.
_ONE_MINIBATCH = 32


def with_automatic_values(
    params: TrainingParams, n_samples: int, *, incremental: bool
) -> TrainingParams:
    """Return the hyperparameters with numbers and names in place of "auto".

    Parameters
    ----------
    params : TrainingParams
    n_samples : int
    incremental : bool
        Whether the training is one call of ``partial_fit``.
    """
    batch_size, learning_rate = params.batch_size, params.learning_rate
    if batch_size == "auto":
        batch_size = automatic_batch_size(n_samples)
    if learning_rate == "auto":
        learning_rate = _learning_rate(params, incremental=incremental)
    return replace(params, batch_size=batch_size, learning_rate=learning_rate)


def automatic_batch_size(n_samples: int) -> int:
    """Return about a 64th of the samples, as a power of 2 from 8 to 128.

    Up to 32 samples are one minibatch.

    >>> [automatic_batch_size(n) for n in (20, 200, 2000, 20_000)]
    [20, 8, 32, 128]
    """
    if n_samples <= _ONE_MINIBATCH:
        return n_samples
    exponent = round(log2(max(n_samples / _MINIBATCHES_PER_EPOCH, 1)))
    size = int(2**exponent)
    return min(max(size, _SMALLEST), _LARGEST)


def _learning_rate(params: TrainingParams, *, incremental: bool) -> str:
    """Return the schedule: one that ends with the training, if its end is known."""
    is_schedule_free = params.solver == "schedule_free_adamw" or isinstance(
        params.solver, ScheduleFreeAdamW
    )
    return "constant" if incremental or is_schedule_free else "one_cycle"
