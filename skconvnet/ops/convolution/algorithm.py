"""The abstract class of all algorithms that compute a convolution.

Every algorithm computes the sums of `reference.py`, up to rounding, and their
gradients. Maps are batch last, ``(channels, *spatial, batch)``; kernels are ``(filters,
channels // groups, *kernel_size)``.

An algorithm may store more positions than there are outputs, if that lets it write long
runs of memory. These *row padding* positions come after the outputs along each axis::

            out_shape[1]
          <------------->
        +---------------+---+  ^
        |               | . |  | out_shape[0]        .  row padding
        |    outputs    | . |  |
        |               | . |  v
        +---------------+---+
        | .   .   .   . | . |
        +---------------+---+
          <----------------->
            stored_shape[1]

The values of an output map are undefined there. A gradient that is passed back must be
zero there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np

from skconvnet._typing import FeatureMap
from skconvnet.ops.convolution.cost_model import microseconds
from skconvnet.ops.padding import fill_around
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

Cache = TypeVar("Cache")


class ConvolutionAlgorithm(ABC, Generic[Cache]):
    """A way to compute a convolution and its gradients, for maps of one shape.

    ``ConvolutionAlgorithm[Cache]`` names the type of what `forward` keeps for
    `backward`. The arrays of a pass live in the workspace, so that threads can share an
    algorithm.

    Parameters
    ----------
    windows : Windows
    channels, filters, groups : int
    block_bytes : int, optional
        About how many bytes are computed at once, to stay in the cache. Algorithms that
        do not work in blocks ignore it. The default is the class attribute.

    Attributes
    ----------
    out_shape : tuple of int
        Spatial shape of the outputs.
    stored_shape : tuple of int
        Spatial shape of the outputs as they lie in memory, with row padding.
    cached_values : int
        Numbers kept for `backward` besides maps, per sample.
    """

    block_bytes = 1_000_000
    cached_values = 0

    def __init__(
        self,
        windows: Windows,
        channels: int,
        filters: int,
        groups: int = 1,
        *,
        block_bytes: int | None = None,
    ) -> None:
        self.windows = windows
        self.channels = channels
        self.filters = filters
        self.groups = groups
        self.out_shape = windows.out_shape
        self.stored_shape = windows.out_shape
        if block_bytes is not None:
            self.block_bytes = block_bytes

    @classmethod
    def supports(cls, windows: Windows) -> bool:  # noqa: ARG003  for subclasses
        """Return whether the algorithm can compute sums over these windows."""
        return True

    @abstractmethod
    def forward(
        self,
        x: FeatureMap,
        kernel: np.ndarray,
        workspace: Workspace,
        *,
        train: bool,
    ) -> tuple[FeatureMap, Cache]:
        """Convolve the map `x` with `kernel`.

        Parameters
        ----------
        x : ndarray of shape (channels, *in_shape, batch)
        kernel : ndarray of shape (filters, channels // groups, *kernel_size)
        workspace : Workspace
        train : bool
            If False, as little as possible is kept. `backward` still works, but may
            have to repeat computations.

        Returns
        -------
        z : ndarray of shape (filters, *stored_shape, batch), contiguous
            Undefined in the row padding.
        cache : object
            What `backward` needs.
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
        dz : ndarray of shape (filters, *stored_shape, batch), contiguous
            Zero in the row padding.
        cache : object
            What `forward` returned.
        kernel, dkernel : ndarray of shape (filters, channels // groups, *kernel_size)
            `dkernel` is overwritten. None means that it is not needed.
        workspace : Workspace
        need_dx : bool
            If False, None is returned.
        """

    def cost_terms(
        self,
        batch: int,  # noqa: ARG002  for subclasses
    ) -> tuple[float, ...]:
        """Return the terms that the time of a pass grows with, for `batch` samples.

        An algorithm without terms has a cost of zero: it was the fastest for all shapes
        that were measured, so it is chosen whenever it can be used.
        """
        return ()

    def cost(self, batch: int) -> float:
        """Estimate the microseconds of a forward and a backward pass."""
        return microseconds(self.cost_terms(batch))

    def with_max_pool(
        self,
        pool: Windows,  # noqa: ARG002  for subclasses
    ) -> ConvolutionAlgorithm[Cache] | None:
        """Return an algorithm that also takes the maximum over the windows of `pool`.

        None means that the pooling has to follow as a separate step.
        """
        return None

    def flat_outputs(self, z: FeatureMap) -> np.ndarray:
        """View `z` as (filters, positions x batch), up to the last output.

        Row padding between outputs is included, and may be written to.
        """
        return z.reshape(len(z), -1)

    def crop_row_padding(self, z: FeatureMap) -> FeatureMap:
        """View the outputs in `z` without row padding; `z` itself if it has none."""
        if z.shape[1:-1] == self.out_shape:
            return z
        return z[(slice(None), *(slice(n) for n in self.out_shape))]

    def gradient_buffer(self, dy: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return the array for the `dz` of `backward`, given the gradient `dy`.

        This is `dy` itself if it is stored as `backward` needs it. Otherwise it is
        scratch, zero in the row padding and undefined elsewhere: the caller writes the
        outputs, of which `crop_row_padding` returns a view.
        """
        if self.stored_shape == self.out_shape and dy.flags.c_contiguous:
            return dy
        shape = (len(dy), *self.stored_shape, dy.shape[-1])
        dz = workspace.scratch("dz", shape, dy.dtype)
        fill_around(dz, [slice(0, n) for n in self.out_shape])
        return dz

    def add_row_padding(self, dy: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return `dy`, or a copy in scratch, stored as `backward` needs it."""
        dz = self.gradient_buffer(dy, workspace)
        if dz is not dy:
            np.copyto(self.crop_row_padding(dz), dy)
        return dz
