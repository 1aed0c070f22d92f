"""Integrated gradients: the mean gradient on the way from a baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import roots_legendre

from skconvnet._checks import check_positive_int
from skconvnet._typing import Image, override
from skconvnet.inspection.attribution.base import AttributionMethod
from skconvnet.inspection.attribution.blocks import Block
from skconvnet.inspection.attribution.references import Reference
from skconvnet.inspection.attribution.samples import ExplainedSamples


@dataclass(frozen=True)
class IntegratedGradients(AttributionMethod):
    """The mean gradient between a baseline and the sample, times their difference [1]_.

    The attributions of a sample add up to its score minus that of the baseline
    (completeness), up to the error of the integral, which is computed by Gauss-Legendre
    quadrature. For smooth activations, such as "tanh", it is tiny. ReLU and max pooling
    make the gradient jump; the error is then some percent of the largest score with 50
    steps, and about as many times smaller as there are more of them.

    Parameters
    ----------
    baseline : float or array-like, default=0.0
        The sample without content: a number for all values, or an array of the shape of
        a sample or of X. For tokens, it is the token that stands for no content.
    n_steps : int, default=50
        Number of points between the baseline and the sample, at each of which the
        gradient is computed.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep
       networks", ICML 2017.
    """

    baseline: float | npt.ArrayLike = 0.0
    n_steps: int = 50

    def __post_init__(self) -> None:
        check_positive_int("n_steps", self.n_steps)

    @override
    def explain(self, samples: ExplainedSamples) -> Image | list[Image]:
        baseline = samples.reference("baseline", self.baseline)
        return samples.map(lambda block: self._explain(block, baseline))

    def _explain(self, block: Block, baseline: Reference) -> Image:
        start = block.reference(baseline)
        way = block.x - start
        nodes, weights = roots_legendre(int(self.n_steps))
        dtype = block.x.dtype
        # From the interval [-1, 1] to [0, 1].
        nodes, weights = ((nodes + 1) / 2).astype(dtype), (weights / 2).astype(dtype)
        mean = np.zeros_like(way)
        for group in block.groups(len(nodes)):
            steps = nodes[group].reshape(-1, *(1,) * (way.ndim - 1))
            points = start[:, np.newaxis] + steps * way[:, np.newaxis]
            mean += np.einsum("v,nv...->n...", weights[group], block.gradients(points))
        mean *= way
        return mean
