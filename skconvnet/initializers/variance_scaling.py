"""Initial weights whose variance depends on the fans of the kernel."""

from __future__ import annotations

from abc import abstractmethod
from math import exp, pi, sqrt
from typing import ClassVar

import numpy as np
from scipy.special import ndtr, ndtri

from skconvnet._typing import Shape, override
from skconvnet.initializers.base import Initializer, Kernel

# A standard normal distribution is truncated at this absolute value,
_CUT = 2.0
# which leaves this share of it,
_CUT_SHARE = float(2 * ndtr(_CUT) - 1)
# with this standard deviation.
_CUT_STD = sqrt(1 - 2 * _CUT * exp(-(_CUT**2) / 2) / sqrt(2 * pi) / _CUT_SHARE)


class _VarianceScaling(Initializer):
    """Weights with a mean of 0 and a variance that depends on the fans."""

    is_for_kernels: ClassVar[bool] = True
    is_normal: ClassVar[bool]

    @abstractmethod
    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return the variance of each weight."""

    @override
    def draw(
        self, rng: np.random.RandomState, shape: Shape, fan_in: int, fan_out: int
    ) -> Kernel:
        std = sqrt(self.variance(fan_in, fan_out))
        if not self.is_normal:
            bound = sqrt(3) * std
            return rng.uniform(-bound, bound, shape)
        # Inverse transform sampling always takes one random number per weight, unlike
        # drawing again beyond the cut.
        lowest = (1 - _CUT_SHARE) / 2
        normal: Kernel = ndtri(rng.uniform(lowest, 1 - lowest, shape))
        return normal * (std / _CUT_STD)


class GlorotUniform(_VarianceScaling):
    """Uniform with a variance of ``2 / (fan_in + fan_out)``, suited to tanh [1]_.

    The weights lie within ``sqrt(6 / (fan_in + fan_out))`` of 0.

    References
    ----------
    .. [1] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep
       feedforward neural networks", AISTATS 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import GlorotUniform
    >>> rng = np.random.RandomState(0)
    >>> bool(abs(GlorotUniform().draw(rng, (3, 3), 3, 3)).max() <= 1)
    True
    """

    is_normal = False

    @override
    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / (fan_in + fan_out)


class GlorotNormal(GlorotUniform):
    """Truncated normal with the variance of `GlorotUniform`.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import GlorotNormal
    >>> kernel = GlorotNormal().draw(np.random.RandomState(0), (200, 100), 20, 30)
    >>> float(kernel.std().round(2))
    0.2
    """

    is_normal = True


class HeUniform(_VarianceScaling):
    """Uniform with a variance of ``2 / fan_in``, suited to ReLU and its variants [1]_.

    The weights lie within ``sqrt(6 / fan_in)`` of 0.

    References
    ----------
    .. [1] K. He et al., "Delving deep into rectifiers", ICCV 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import HeUniform
    >>> kernel = HeUniform().draw(np.random.RandomState(0), (200, 100), 6, 8)
    >>> bool(abs(kernel).max() <= 1)
    True
    """

    is_normal = False

    @override
    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / fan_in


class HeNormal(HeUniform):
    """Truncated normal with the variance of `HeUniform`.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import HeNormal
    >>> kernel = HeNormal().draw(np.random.RandomState(0), (200, 100), 50, 8)
    >>> float(kernel.std().round(2))
    0.2
    """

    is_normal = True


class LecunUniform(_VarianceScaling):
    """Uniform with a variance of ``1 / fan_in``, suited to SELU or no activation [1]_.

    The weights lie within ``sqrt(3 / fan_in)`` of 0.

    References
    ----------
    .. [1] Y. LeCun et al., "Efficient BackProp", 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import LecunUniform
    >>> kernel = LecunUniform().draw(np.random.RandomState(0), (200, 100), 3, 8)
    >>> bool(abs(kernel).max() <= 1)
    True
    """

    is_normal = False

    @override
    def variance(self, fan_in: int, fan_out: int) -> float:
        return 1 / fan_in


class LecunNormal(LecunUniform):
    """Truncated normal with the variance of `LecunUniform`.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import LecunNormal
    >>> kernel = LecunNormal().draw(np.random.RandomState(0), (200, 100), 25, 8)
    >>> float(kernel.std().round(2))
    0.2
    """

    is_normal = True
