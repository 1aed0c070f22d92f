"""Initial weights of kernels, by name or as objects.

The fans of a kernel are the number of inputs that an output depends on (`fan_in`) and
the number of outputs that an input contributes to (`fan_out`). Most initializers derive
the variance of the weights from the fans, so that signals, or gradients, neither grow
nor shrink from layer to layer.

In names with a scheme, such as "he_normal", "uniform" means a uniform distribution
around 0, and "normal" a normal distribution truncated at two standard deviations, with
a scale such that the variance after truncation is the documented one.
"""

from skconvnet._foreign_words import INITIALIZER_CLASSES
from skconvnet._suggestions import module_getattr
from skconvnet.initializers.base import Initializer, convolution_fans
from skconvnet.initializers.dirac import Dirac
from skconvnet.initializers.given_scale import Constant, Normal, Orthogonal
from skconvnet.initializers.scale_and_shift import draw_scales, get_scale_initializers
from skconvnet.initializers.selection import INITIALIZERS as _INITIALIZERS
from skconvnet.initializers.selection import (
    draw_kernel,
    get_initializer,
    glorot_uniform,
)
from skconvnet.initializers.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
)

__all__ = [
    "INITIALIZERS",
    "Constant",
    "Dirac",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Orthogonal",
    "convolution_fans",
    "draw_kernel",
    "draw_scales",
    "get_initializer",
    "get_scale_initializers",
    "glorot_uniform",
]

#: The initializers with default parameters, by the names that `kernel_initializer`
#: accepts.
INITIALIZERS: dict[str, Initializer] = _INITIALIZERS

__getattr__ = module_getattr(
    __name__,
    [Initializer.__name__, *(type(value).__name__ for value in INITIALIZERS.values())],
    INITIALIZER_CLASSES,
)
