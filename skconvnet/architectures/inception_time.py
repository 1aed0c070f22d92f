"""InceptionTime: long kernels of several sizes in parallel, for series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet._checks import check_bool, check_positive_int
from skconvnet.architectures._parts import scaled
from skconvnet.architectures._sequence_parts import check_kernel_sizes, conv1d
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv1D,
    GlobalAvgPool,
    MaxPool1D,
    Parallel,
    Residual,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skconvnet.architectures._parts import Layers

# A shortcut goes around so many modules.
MODULES_PER_BLOCK = 3


def inception_time(
    depth: int = 6,
    filters: int = 32,
    bottleneck: int = 32,
    kernel_sizes: Sequence[int] = (40, 20, 10),
    *,
    first_bottleneck: bool = False,
    width: float = 1.0,
) -> Layers:
    """Return an Inception network for series of any length [1]_.

    A module has four branches. Three of them are convolutions with long kernels, for
    which a convolution with a kernel of 1 step, the bottleneck, reduces the number of
    channels. The fourth is a maximum over 3 steps, followed by a convolution with a
    kernel of 1 step. The joined channels go through a `BatchNorm` and a ReLU. A
    shortcut with a convolution and a `BatchNorm` goes around every three modules, and
    the sum is followed by a ReLU; the mean over all steps comes last.

    With the output layer for two classes, the network has 421,634 weights for series of
    one channel. They are 1,184 more than in the authors' code, whose convolutions have
    no biases.

    The paper averages the probabilities of five networks, for which there is
    ``VotingClassifier(..., voting="soft")`` in scikit-learn. X may be a list of series
    of different lengths, which are padded to share a micro-batch.

    Parameters
    ----------
    depth : int, default=6
        Number of modules. Those after the last multiple of three have no shortcut.
    filters : int, default=32
        Number of filters of each branch.
    bottleneck : int, default=32
        Number of output channels of the bottlenecks.
    kernel_sizes : sequence of int, default=(40, 20, 10)
        Number of steps of the long kernels.
    first_bottleneck : bool, default=False
        Whether the first module has a bottleneck, too. The authors' code has it for
        series of more than one channel.
    width : float, default=1.0
        Factor by which the numbers of channels are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] H. Ismail Fawaz et al., "InceptionTime: finding AlexNet for time series
       classification", Data Mining and Knowledge Discovery 34, 2020.

    Examples
    --------
    >>> from skconvnet.architectures import inception_time
    >>> shape = (150, 1)
    >>> for name, layer in inception_time():
    ...     shape = layer.build(shape).out_shape
    ...     print(name, shape)
    block1 (150, 128)
    sum1 (150, 128)
    block2 (150, 128)
    sum2 (150, 128)
    mean (128,)
    """
    depth = check_positive_int("depth", depth)
    n_filters = scaled("filters", filters, width)
    narrow = scaled("bottleneck", bottleneck, width)
    sizes = check_kernel_sizes(kernel_sizes)
    has_first = check_bool("first_bottleneck", first_bottleneck)
    modules = [
        _module(n_filters, narrow if i or has_first else None, sizes, i + 1)
        for i in range(depth)
    ]
    layers: Layers = []
    n_out = n_filters * (len(sizes) + 1)
    n_blocks = depth // MODULES_PER_BLOCK
    for number in range(1, n_blocks + 1):
        end = number * MODULES_PER_BLOCK
        inside = modules[end - MODULES_PER_BLOCK : end]
        block = Residual(
            [layer for module in inside for layer in module],
            shortcut=[("conv", conv1d(n_out, 1)), ("norm", BatchNorm())],
        )
        layers += [(f"block{number}", block), (f"sum{number}", Activation("relu"))]
    for module in modules[n_blocks * MODULES_PER_BLOCK :]:
        layers += module
    return [*layers, ("mean", GlobalAvgPool())]


def _module(
    filters: int, bottleneck: int | None, kernel_sizes: Sequence[int], number: int
) -> Layers:
    long = Parallel(
        [(f"conv{size}", [("conv", conv1d(filters, size))]) for size in kernel_sizes]
    )
    # No ReLU follows the bottleneck, and its initializer is the usual one.
    reduction = [] if bottleneck is None else [("reduce", Conv1D(bottleneck, 1))]
    branches = [
        ("long", [*reduction, ("kernels", long)]),
        ("pool", [("pool", MaxPool1D(3, 1, "same")), ("conv", conv1d(filters, 1))]),
    ]
    return [
        (f"module{number}", Parallel(branches)),
        (f"norm{number}", BatchNorm()),
        (f"relu{number}", Activation("relu")),
    ]
