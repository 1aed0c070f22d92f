"""The abstract class of all initializers, and the fans of a kernel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._foreign_words import INITIALIZER_PARAMETERS, Words
from skconvnet._typing import Shape
from skconvnet.params.base import Params

# Kernels are drawn in double precision, and converted by the network.
Kernel: TypeAlias = npt.NDArray[np.float64]


class Initializer(Params, ABC):
    """A way to draw a kernel.

    Attributes
    ----------
    is_for_kernels : bool
        Whether it cannot draw arrays that have no inputs and outputs, such as the scale
        of a normalization.
    """

    is_for_kernels: ClassVar[bool] = False

    _words: ClassVar[Words] = INITIALIZER_PARAMETERS

    @abstractmethod
    def draw(
        self, rng: np.random.RandomState, shape: Shape, fan_in: int, fan_out: int
    ) -> Kernel:
        """Draw a kernel.

        Parameters
        ----------
        rng : RandomState
        shape : tuple of int
            Shape of the kernel.
        fan_in, fan_out : int
            Number of inputs that an output depends on, and number of outputs that an
            input contributes to.

        Returns
        -------
        kernel : ndarray of shape `shape`, float64
        """


def convolution_fans(
    filters: int, channels: int, kernel: Shape, groups: int = 1
) -> tuple[int, int]:
    """Return the fans of the kernel of a convolution.

    Parameters
    ----------
    filters, channels : int
    kernel : tuple of int
        Spatial shape of the kernel.
    groups : int, default=1

    Returns
    -------
    fan_in, fan_out : int

    Examples
    --------
    >>> from skconvnet.initializers import convolution_fans
    >>> convolution_fans(filters=32, channels=16, kernel=(3, 3))
    (144, 288)
    """
    n_taps = prod(kernel)
    return channels // groups * n_taps, filters // groups * n_taps
