"""The abstract class of the algorithms that compute a transposed convolution.

A transposed convolution adds the kernel, times the value of an input, to the output at
every position of the map [1]_. For three taps and a stride of two::

    x0:   w0 w1 w2                       z0 = x0 w0
    x1:         w0 w1 w2                 z1 = x0 w1
    x2:               w0 w1 w2           z2 = x0 w2 + x1 w0
          ---------------------          z3 =         x1 w1
    z:    z0 z1 z2 z3 z4 z5 z6           ...

It is the gradient of a convolution with respect to its map. That convolution leads back
from the output z, the larger map, to the input x. Its `Windows` hold the geometry:
`in_shape` is the shape of the output, `out_shape` is the shape of the input, and the
padding is cut off the output.

References
----------
.. [1] V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning",
   2016.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np

from skconvnet._typing import FeatureMap
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

Cache = TypeVar("Cache")


class TransposedAlgorithm(ABC, Generic[Cache]):
    """A transposed convolution and its gradients for maps of one shape.

    ``TransposedAlgorithm[Cache]`` names the type of what `forward` keeps for
    `backward`. Unlike in `ConvolutionAlgorithm`, `forward` adds the bias: outputs start
    from the bias rather than from zero.

    Parameters
    ----------
    windows : Windows
        The result of `transposed_windows`.
    channels, filters, groups : int

    Attributes
    ----------
    cached_values : int
        Numbers kept for `backward` besides maps, per sample.
    """

    cached_values = 0

    def __init__(
        self, windows: Windows, channels: int, filters: int, groups: int
    ) -> None:
        self.windows = windows
        self.channels = channels
        self.filters = filters
        self.groups = groups

    @abstractmethod
    def forward(
        self,
        x: FeatureMap,
        kernel: np.ndarray,
        bias: np.ndarray,
        workspace: Workspace,
        *,
        train: bool,
    ) -> tuple[FeatureMap, Cache]:
        """Return the output, bias included, and what `backward` needs.

        Parameters
        ----------
        x : ndarray of shape (channels, *spatial, batch)
        kernel : ndarray of shape (channels, filters // groups, *kernel_size)
        bias : ndarray of shape (filters,)
        workspace : Workspace
        train : bool
            If False, as little as possible is kept.

        Returns
        -------
        z : ndarray of shape (filters, *windows.in_shape, batch)
            Possibly a view.
        cache : object
        """

    @abstractmethod
    def backward(
        self,
        dz: FeatureMap,
        cache: Cache,
        kernel: np.ndarray,
        dkernel: np.ndarray | None,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> FeatureMap | None:
        """Write the gradient of the kernel, and return the gradient of the map.

        Parameters
        ----------
        dz : ndarray
            The array of `gradient_buffer`, filled in.
        cache : object
            What `forward` returned.
        kernel, dkernel : ndarray of shape (channels, filters // groups, *kernel_size)
            `dkernel` is overwritten. None means that it is not needed.
        workspace : Workspace
        need_dx : bool
            If False, None is returned.
        """

    @abstractmethod
    def gradient_buffer(self, dy: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return the array for the `dz` of `backward`, given the gradient `dy`.

        This is `dy` itself if it is stored as `backward` needs it. Otherwise it is
        scratch, zero around the outputs and undefined elsewhere: the caller writes the
        outputs, of which `crop_to_outputs` returns a view.
        """

    @abstractmethod
    def crop_to_outputs(self, dz: FeatureMap) -> FeatureMap:
        """View the outputs in the array of `gradient_buffer`, or return it unchanged.

        It is returned unchanged if it has nothing but outputs.
        """
