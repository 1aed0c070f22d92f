"""SmoothGrad: the mean gradient over noisy copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from skconvnet._checks import check_number, check_positive_int
from skconvnet._typing import Image, override
from skconvnet.inspection.attribution.base import AttributionMethod
from skconvnet.inspection.attribution.blocks import Block
from skconvnet.inspection.attribution.samples import ExplainedSamples


@dataclass(frozen=True)
class SmoothGrad(AttributionMethod):
    """The mean of the gradients of the score at noisy copies of the sample [1]_.

    Gradients of networks vary sharply from point to point. Their mean over a
    neighborhood shows what they have in common. The mean keeps the sign of the
    gradient; without noise it is `input_gradients`.

    Parameters
    ----------
    n_samples : int, default=50
        Number of noisy copies of each sample.
    noise_level : float, default=0.15
        Standard deviation of the Gaussian noise, relative to the range of the values of
        each sample, its maximum minus its minimum.
    random_state : int, RandomState instance or None, default=None
        Determines the noise. Pass an int for the same attributions in every call.

    References
    ----------
    .. [1] D. Smilkov, N. Thorat, B. Kim, F. Viegas and M. Wattenberg, "SmoothGrad:
       removing noise by adding noise", arXiv:1706.03825, 2017.
    """

    n_samples: int = 50
    noise_level: float = 0.15
    random_state: int | np.random.RandomState | None = None

    def __post_init__(self) -> None:
        check_positive_int("n_samples", self.n_samples)
        check_number("noise_level", self.noise_level, 0)
        try:
            check_random_state(self.random_state)
        except ValueError as error:
            raise ValueError(
                "random_state must be an int of at least 0, a RandomState or None; got "
                f"{self.random_state!r}."
            ) from error

    @override
    def explain(self, samples: ExplainedSamples) -> Image | list[Image]:
        rng = check_random_state(self.random_state)
        return samples.map(lambda block: self._explain(block, rng))

    def _explain(self, block: Block, rng: np.random.RandomState) -> Image:
        x = block.x
        own = tuple(range(1, x.ndim))
        deviation = np.ptp(x, axis=own, keepdims=True)[:, np.newaxis]
        deviation *= x.dtype.type(self.noise_level)
        total = np.zeros_like(x)
        for group in block.groups(int(self.n_samples)):
            n_copies = group.stop - group.start
            noise = rng.standard_normal((len(x), n_copies, *x.shape[1:]))
            copies = noise.astype(x.dtype)
            copies *= deviation
            copies += x[:, np.newaxis]
            total += block.gradients(copies).sum(axis=1)
        total /= x.dtype.type(self.n_samples)
        return total
