"""A warning if all training samples are the same, of which nothing can be learned."""

from __future__ import annotations

from functools import partial
from itertools import chain

from skconvnet.engine.minibatches import Samples
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._sampling import read_a_few, weighted_samples


def warn_of_constant_samples(samples: Samples) -> None:
    """Warn if all samples that have a weight are the same.

    Reading ends at the first difference, which is nearly always that of the first two.
    """
    index = weighted_samples(samples)
    if len(index) < 2 or samples.inputs.is_sparse:
        return
    few = partial(read_a_few, samples.inputs)
    first = None
    for X in chain(few(index[:2]), few(index[2:])):
        if first is None:
            first = X[0].copy()
        if X.shape[1:] != first.shape or (first != X).any():
            return
    assert first is not None
    if first.min() < first.max():
        warn_caller("All samples of X are the same: nothing can be learned from them.")
    else:
        warn_caller(
            f"X is constant (all values are {float(first.flat[0]):g}): nothing can be "
            "learned from it."
        )
