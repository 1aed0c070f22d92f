"""Which samples a micro-batch has, for augmentations that go on from epoch to epoch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Constants of the generator SplitMix64: its step, and the factors of its mixing.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


class Epoch(NamedTuple):
    """An epoch of a training.

    Attributes
    ----------
    number : int
        How many epochs the network was trained for before it.
    seed : int
        Seed of what is drawn once for each sample. It is the same in all epochs.
    n_planned : int
        How many epochs the network will be trained for, unless training stops earlier.
    """

    number: int
    seed: int
    n_planned: int


class Origin(NamedTuple):
    """Where the samples of a micro-batch come from.

    Attributes
    ----------
    numbers : ndarray of int of shape (batch,)
        Positions of the samples in X.
    epoch : Epoch
    """

    numbers: npt.NDArray[np.integer]
    epoch: Epoch

    def draw_once(self, purpose: int = 0) -> npt.NDArray[np.float64]:
        """Return a random number in [0, 1) for each sample, the same in every epoch.

        It depends on the seed and on the number of the sample, not on the other
        samples of the micro-batch. It is the output of SplitMix64 [1]_ after as many
        steps as the number says.

        Parameters
        ----------
        purpose : int, default=0
            Numbers for different purposes are independent.

        Returns
        -------
        draws : ndarray of shape (batch,)

        References
        ----------
        .. [1] G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom
           number generators", OOPSLA 2014.

        Examples
        --------
        >>> import numpy as np
        >>> draws = Origin(np.arange(3), Epoch(0, 1, n_planned=9)).draw_once()
        >>> later = Origin(np.array([2, 0]), Epoch(5, 1, n_planned=9)).draw_once()
        >>> bool((later == draws[[2, 0]]).all())
        True
        """
        seeds = np.random.SeedSequence([self.epoch.seed, purpose])
        start = seeds.generate_state(1, np.uint64)
        z = self.numbers.astype(np.uint64)
        z += np.uint64(1)
        z *= _STEP
        z += start
        for shift, factor in zip(_SHIFTS[:2], _FACTORS, strict=True):
            z ^= z >> shift
            z *= factor
        z ^= z >> _SHIFTS[2]
        # The upper 53 bits, as many as a float64 holds.
        return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
