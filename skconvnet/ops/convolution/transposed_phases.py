"""Transposed convolution as one convolution that yields all stride phases.

Outputs that are a stride apart, a *stride phase*, depend on the map through the same
taps. So each phase is a convolution of the map with some of the taps, in reverse order,
and the phases are the filters of one convolution. For five taps and a stride of two::

    x, padded:   .   x0  x1  x2  .

    z0           w4  w2  w0              = x1 w0 + x0 w2
    z1           .   w3  w1              = x1 w1 + x0 w3
    z2               w4  w2  w0          = x2 w0 + x1 w2 + x0 w4
    z3               .   w3  w1          = x2 w1 + x1 w3

Here the two outputs before x1 were cut off. Nothing is added up at positions that
several taps share, and Winograd's minimal filtering can be used. But taps that a phase
does not have are multiplied as zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.ops.convolution.cost_model import InterleavingTerms, microseconds
from skconvnet.ops.convolution.selection import AlgorithmSelector
from skconvnet.ops.convolution.transposed_algorithm import TransposedAlgorithm
from skconvnet.ops.short_runs import copy_runs
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


class PhasesCache(NamedTuple):
    """What `TransposedPhases` keeps of a forward pass.

    Attributes
    ----------
    by_phase : ndarray of shape (phases * filters, channels, *taps)
        The kernel of the convolution.
    inner : object
        The cache of the algorithm that computes it.
    """

    by_phase: np.ndarray
    inner: object


class _Axis(NamedTuple):
    """The phases along one axis.

    Output ``stride * u + r`` of the output, of phase r, is the sum over j of
    ``x[u + shift - j] * w[first + stride * j]``. As a convolution, its window starts at
    input ``u + lowest``, and has the tap ``first + stride * j`` at position
    ``shift - j - lowest``.

    Attributes
    ----------
    lowest : int
        The first input that a window reads, relative to u. At least -(taps - 1).
    n_taps : int
        Taps of the convolution, the zeros included.
    n_outputs : int
        Outputs of each phase. The last one of some phases may be none of the output.
    taps : list of list of tuple of (int, int)
        For each phase, pairs of a tap and its position in the window.
    """

    lowest: int
    n_taps: int
    n_outputs: int
    taps: list[list[tuple[int, int]]]


class TransposedPhases(TransposedAlgorithm[PhasesCache]):
    """Transposed convolution with strides, by the fastest convolution algorithm.

    Parameters
    ----------
    windows : Windows
        The result of `transposed_windows`, for which `supports` is True.
    channels, filters : int
    block_bytes : int, optional
        Passed on to the algorithms.
    """

    def __init__(
        self,
        windows: Windows,
        channels: int,
        filters: int,
        *,
        block_bytes: int | None = None,
    ) -> None:
        super().__init__(windows, channels, filters, groups=1)
        self._axes = _find_axes(windows)
        self._phases = list(product(*(range(s) for s in windows.strides)))
        self._selector = AlgorithmSelector(
            "auto",
            _windows_of_phases(windows),
            channels,
            filters * len(self._phases),
            groups=1,
            block_bytes=block_bytes,
        )
        self.cached_values = self._selector.cached_values

    @classmethod
    def supports(cls, windows: Windows, groups: int) -> bool:
        """Return whether there are overlapping kernels, without dilation or groups."""
        if groups > 1 or max(windows.dilation) > 1 or max(windows.strides) == 1:
            return False
        if all(k <= s for k, s in zip(windows.kernel, windows.strides, strict=True)):
            return False
        return all(min(pads) >= 0 for pads in _windows_of_phases(windows).pads)

    def cost(self, batch: int) -> float:
        """Estimate the microseconds of a forward and a backward pass."""
        outputs = self.filters * prod(self.windows.in_shape) * batch
        terms = InterleavingTerms(2 * outputs, 2 * len(self._phases))
        return self._selector.for_batch(batch).cost(batch) + microseconds(terms)

    @override
    def forward(
        self,
        x: FeatureMap,
        kernel: np.ndarray,
        bias: np.ndarray,
        workspace: Workspace,
        *,
        train: bool,
    ) -> tuple[FeatureMap, PhasesCache]:
        batch = x.shape[-1]
        algorithm = self._selector.for_batch(batch)
        by_phase = self._kernel_array("by_phase", x.dtype, workspace)
        by_phase.fill(0)
        for target, tap in self._pairs(by_phase):
            target[...] = kernel[tap].T
        apart, inner = algorithm.forward(
            x, by_phase, workspace.nested("inner"), train=train
        )
        cropped = algorithm.crop_row_padding(apart)
        z = workspace.array("z", (self.filters, *self.windows.in_shape, batch), x.dtype)
        for outputs, computed in self._views(z, cropped):
            copy_runs(outputs, computed)
        z.reshape(self.filters, -1)[...] += bias[:, None]
        return z, PhasesCache(by_phase, inner)

    @override
    def backward(
        self,
        dz: FeatureMap,
        cache: PhasesCache,
        kernel: np.ndarray,
        dkernel: np.ndarray | None,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> FeatureMap | None:
        batch = dz.shape[-1]
        algorithm, by_phase = self._selector.for_batch(batch), cache.by_phase
        shape = (len(by_phase), *algorithm.stored_shape, batch)
        dapart = workspace.scratch("dapart", shape, dz.dtype)
        dapart.fill(0)
        for outputs, computed in self._views(dz, algorithm.crop_row_padding(dapart)):
            copy_runs(computed, outputs)
        dby_phase = None
        if dkernel is not None:
            dby_phase = self._kernel_array("dby_phase", dz.dtype, workspace)
        dx = algorithm.backward(
            dapart,
            cache.inner,
            by_phase,
            dby_phase,
            workspace.nested("inner"),
            need_dx=need_dx,
        )
        if dkernel is not None and dby_phase is not None:
            for source, tap in self._pairs(dby_phase):
                dkernel[tap] = source.T
        return dx

    @override
    def gradient_buffer(self, dy: FeatureMap, workspace: Workspace) -> FeatureMap:
        if dy.flags.c_contiguous:
            return dy
        return workspace.scratch("dz", dy.shape, dy.dtype)

    @override
    def crop_to_outputs(self, dz: FeatureMap) -> FeatureMap:
        return dz

    def _kernel_array(
        self, name: str, dtype: np.dtype, workspace: Workspace
    ) -> np.ndarray:
        n_filters = self.filters * len(self._phases)
        taps = (axis.n_taps for axis in self._axes)
        return workspace.array(name, (n_filters, self.channels, *taps), dtype)

    def _pairs(
        self, by_phase: np.ndarray
    ) -> Iterator[tuple[np.ndarray, tuple[slice | int, ...]]]:
        """Yield the place of each tap, (filters, channels), and its index in a kernel.

        No two phases share a tap.
        """
        every = slice(None)
        for phase, own in self._by_phase(by_phase):
            taps = [axis.taps[r] for axis, r in zip(self._axes, phase, strict=True)]
            for pairs in product(*taps):
                tap, position = zip(*pairs, strict=True)
                yield own[(every, every, *position)], (every, every, *tap)

    def _views(
        self, z: FeatureMap, apart: FeatureMap
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield views of the outputs of each phase, in the output and side by side."""
        for phase, own in self._by_phase(apart):
            steps = zip(phase, self.windows.strides, strict=True)
            outputs = z[(slice(None), *(slice(r, None, s) for r, s in steps))]
            n_outputs = outputs.shape[1:-1]
            yield outputs, own[(slice(None), *(slice(n) for n in n_outputs))]

    def _by_phase(
        self, array: np.ndarray
    ) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        """Yield each phase, and its part of an array of (phases * filters, ...)."""
        for number, phase in enumerate(self._phases):
            start = number * self.filters
            yield phase, array[start : start + self.filters]


def _find_axes(windows: Windows) -> list[_Axis]:
    return [
        _find_axis(*values)
        for values in zip(
            windows.in_shape,
            windows.kernel,
            windows.strides,
            (before for before, _ in windows.pads),
            strict=True,
        )
    ]


def _find_axis(n_outputs: int, kernel: int, stride: int, before: int) -> _Axis:
    """Find the phases along an axis whose first `before` outputs are cut off."""
    inputs = []  # for each phase, of the first output: pairs of a tap and an input
    for r in range(stride):
        shift, first = divmod(r + before, stride)
        taps = range(first, kernel, stride)
        inputs.append([(tap, shift - j) for j, tap in enumerate(taps)])
    read = [i for pairs in inputs for _, i in pairs]
    lowest = min(read)
    return _Axis(
        lowest,
        max(read) - lowest + 1,
        -(-n_outputs // stride),
        [[(tap, i - lowest) for tap, i in pairs] for pairs in inputs],
    )


def _windows_of_phases(windows: Windows) -> Windows:
    """Return the windows of the convolution that yields all phases."""
    axes, ones = _find_axes(windows), (1,) * windows.ndim
    return Windows(
        windows.out_shape,
        tuple(axis.n_outputs for axis in axes),
        tuple(axis.n_taps for axis in axes),
        ones,
        ones,
        tuple(
            (-axis.lowest, axis.n_outputs + axis.lowest + axis.n_taps - 1 - n)
            for axis, n in zip(axes, windows.out_shape, strict=True)
        ),
    )
