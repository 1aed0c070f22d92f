"""Saliency: the absolute gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skconvnet._typing import Image, override
from skconvnet.inspection.attribution.base import AttributionMethod
from skconvnet.inspection.attribution.blocks import Block
from skconvnet.inspection.attribution.samples import ExplainedSamples


@dataclass(frozen=True)
class Saliency(AttributionMethod):
    """The absolute value of the gradient of the score [1]_.

    It says how strongly the score reacts to a small change of each value of the sample,
    whether it goes up or down.

    References
    ----------
    .. [1] K. Simonyan, A. Vedaldi and A. Zisserman, "Deep inside convolutional
       networks: visualising image classification models and saliency maps", ICLR 2014
       workshop.
    """

    @override
    def explain(self, samples: ExplainedSamples) -> Image | list[Image]:
        return samples.map(_explain)


def _explain(block: Block) -> Image:
    gradients = block.gradients(block.x[:, np.newaxis])[:, 0]
    absolute: Image = np.abs(gradients)
    return absolute
