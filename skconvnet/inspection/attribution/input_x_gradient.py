"""The sample times the gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skconvnet._typing import Image, override
from skconvnet.inspection.attribution.base import AttributionMethod
from skconvnet.inspection.attribution.blocks import Block
from skconvnet.inspection.attribution.samples import ExplainedSamples


@dataclass(frozen=True)
class InputXGradient(AttributionMethod):
    """The sample, multiplied by the gradient of the score [1]_.

    For a linear model, it is the share of each value in the score. A value of 0 gets an
    attribution of 0.

    References
    ----------
    .. [1] A. Shrikumar, P. Greenside, A. Shcherbina and A. Kundaje, "Not just a black
       box: learning important features through propagating activation differences",
       arXiv:1605.01713, 2016.
    """

    @override
    def explain(self, samples: ExplainedSamples) -> Image | list[Image]:
        return samples.map(_explain)


def _explain(block: Block) -> Image:
    gradients = block.gradients(block.x[:, np.newaxis])[:, 0]
    gradients *= block.x
    return gradients
