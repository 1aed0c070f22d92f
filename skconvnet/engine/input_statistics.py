"""Statistics of the training set, for the layers that keep them."""

from __future__ import annotations

import numpy as np

from skconvnet.engine.inputs import Samples, index_at, minibatches
from skconvnet.engine.network import Network

_AT_A_TIME = 256


def fit_input_statistics(network: Network, samples: Samples) -> None:
    """Give each layer that asks for them the mean and variance of its inputs.

    The samples are read block by block and taken through the layers before it, as in
    prediction. The blocks' statistics are brought together without loss of digits
    [1]_.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the
       sample variance", The American Statistician 37, 1983.
    """
    workspaces = network.workspaces()
    for i, layer in enumerate(network.layers.values()):
        if not layer.keeps_statistics:
            continue
        count = 0.0
        mean = squares = np.zeros(())
        for index in minibatches(samples, None, _AT_A_TIME):
            for places in samples.inputs.groups(index):
                part = index_at(index, places)
                own = network.for_shape(samples.inputs.shape_of(part))
                x = samples.inputs.read(part, workspaces[0].nested("statistics"))
                x, _ = own.forward(x, workspaces, stop=i)
                reached = list(own.layers.values())[i]
                weights = samples.weights
                if weights is not None:
                    weights = weights[part]
                    if not weights.any():
                        continue
                n, m, s = reached.statistics(x, weights)
                offset = m - mean
                mean = mean + offset * (n / (count + n))
                squares = squares + s + offset**2 * (count * n / (count + n))
                count += n
        if count:
            layer.set_statistics(mean, squares / count)
