"""Initial kernels that pass channels through."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import Shape, override
from skconvnet.initializers.base import Initializer, Kernel
from skconvnet.params.constraints import ObjectOf


@dataclass(eq=False, repr=False)
class Dirac(Initializer):
    """Kernels that pass as many channels through as there are, unchanged [1]_.

    Filter i of a convolution has a 1 at channel i, at the tap in the middle, and is
    zero elsewhere. With groups, this holds within each group. Filters beyond the number
    of channels are drawn by `others`: if that is None, the kernel is that of
    ``torch.nn.init.dirac_``. With an odd kernel size, strides of 1 and
    ``padding="same"``, the first outputs are the inputs, before the bias and the
    activation. Along an axis of n taps, the tap in the middle is number n // 2, counted
    from 0.

    The kernel of a dense or recurrent layer, of shape (n_in, n_out), becomes an
    identity matrix: output i is input i, and outputs beyond the number of inputs are
    drawn by `others`. The output layer of ``Sequential*`` is initialized by "auto"
    after layers with `Dirac`.

    Parameters
    ----------
    others : Initializer, default=None
        The initializer of the filters, or of the columns of a matrix, that pass no
        channel through, such as `HeUniform()` [2]_. None stands for zeros.

    References
    ----------
    .. [1] S. Zagoruyko and N. Komodakis, "DiracNets: training very deep neural networks
       without skip-connections", arXiv:1706.00388, 2017.
    .. [2] K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU",
       arXiv:2404.00498, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import Dirac, convolution_fans
    >>> fans = convolution_fans(filters=3, channels=2, kernel=(3,))
    >>> Dirac().draw(np.random.RandomState(0), (3, 2, 3), *fans)
    array([[[0., 1., 0.],
            [0., 0., 0.]],
    <BLANKLINE>
           [[0., 0., 0.],
            [0., 1., 0.]],
    <BLANKLINE>
           [[0., 0., 0.],
            [0., 0., 0.]]])
    """

    others: Initializer | None = None

    is_for_kernels: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "others": [ObjectOf("skconvnet.initializers", Initializer), None]
    }

    @override
    def draw(
        self, rng: np.random.RandomState, shape: Shape, fan_in: int, fan_out: int
    ) -> Kernel:
        kernel: Kernel = np.zeros(shape)
        if self.others is not None:
            kernel = self.others.draw(rng, shape, fan_in, fan_out)
        if len(shape) == 2:
            n_same = min(shape)
            kernel[:, :n_same] = np.eye(shape[0], n_same)
            return kernel
        n_first, n_second, *taps = shape
        # Convolutions have (filters, channels of a group), transposed ones have
        # (channels, filters of a group). The fans tell how large a group is.
        n_inputs, n_outputs = fan_in // prod(taps), fan_out // prod(taps)
        has_filters_first = n_second == n_inputs
        per_group = n_outputs if has_filters_first else n_inputs
        same = np.arange(min(per_group, n_second))
        firsts = np.arange(0, n_first, per_group)[:, None] + same
        if has_filters_first:
            kernel[firsts] = 0.0
        else:
            kernel[:, same] = 0.0
        middle: tuple[slice | int, ...] = (slice(None), slice(None))
        middle += tuple(n // 2 for n in taps)
        kernel[middle][firsts, same] = 1.0
        return kernel
