"""What pooling layers share: their parameters, their windows, and padding."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, TypeVar

from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.layers.base import Cache, Layer, check_ndim
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops.layout import map_shape
from skconvnet.ops.lengths import clear_padding
from skconvnet.ops.padding import pad
from skconvnet.ops.windows import Windows, sliding_windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class PoolingSpec(LayerSpec):
    """What the specs of all pooling layers share.

    Attributes
    ----------
    padding_note : str
        How pooling treats padding, for the docstring.
    """

    padding_note: ClassVar[str]

    pool_size: int | tuple[int, ...] = 2
    strides: int | tuple[int, ...] | None = None
    padding: str | int | Sequence[int | Sequence[int]] = "valid"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        assert self.spatial_ndim is not None
        check_ndim(type(self).__name__, in_shape, self.spatial_ndim)
        windows = sliding_windows(
            in_shape[:-1],
            self.pool_size,
            self.pool_size if self.strides is None else self.strides,
            self.padding,
            kernel_name="pool_size",
            allow_outside=False,
        )
        return self._layer(in_shape, windows)

    @abstractmethod
    def _layer(self, in_shape: Shape, windows: Windows) -> Layer[Any]:
        """Return the runtime layer for these windows."""


_PARAMETERS = """Parameters
    ----------
    pool_size : int or tuple of {ndim} int, default=2
        Size of the window along each axis.
    strides : int or tuple of {ndim} int, default=None
        Positions from one window to the next along each axis. None means `pool_size`,
        so that windows are adjacent; with smaller strides, they overlap.
    padding : {{"valid", "same"}} or int or tuple, default="valid"
        Positions added around the map. "valid" adds none, and leaves out positions at
        the end that do not fill a window. "same" gives ceil(n / stride) outputs. Or
        explicit numbers smaller than `pool_size`: one for all axes, or for each axis a
        number or a (before, after) pair. {padding_note}"""


Spec = TypeVar("Spec", bound=PoolingSpec)


def describe_parameters(spec: type[Spec]) -> type[Spec]:
    """Insert the parameters that all specs share into the docstring of `spec`."""
    assert spec.__doc__ is not None
    text = _PARAMETERS.format(ndim=spec.spatial_ndim, padding_note=spec.padding_note)
    spec.__doc__ = spec.__doc__.replace("{parameters}", text)
    return spec


class PoolingLayer(WeightlessLayer[Cache]):
    """What the runtime layers share: adding padding, and removing it.

    Attributes
    ----------
    padding_value : float
        Value of the padding in a forward pass.
    """

    padding_value: ClassVar[float]

    def __init__(self, in_shape: Shape, windows: Windows) -> None:
        super().__init__(in_shape, (*windows.out_shape, in_shape[-1]))
        self.windows = windows
        self.strides = windows.strides
        self.flops = prod(self.out_shape) * windows.size

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        return None if lengths is None else self.windows.lengths_after(lengths)

    def padded(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return the map with its padding, or `x` if there is none."""
        if not self.windows.is_padded:
            return x
        shape = map_shape((*self.windows.padded_shape, len(x)), x.shape[-1])
        padded = workspace.array("padded", shape, x.dtype)
        pad(x, self.windows.interior, padded, self.padding_value)
        inside = self.without_padding(padded)
        clear_padding(inside, workspace.lengths, self.padding_value)
        return padded

    def empty_gradient(self, dy: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return an array for the gradient of the padded map.

        It is zero unless the windows will write to every position exactly once.
        """
        shape = (len(dy), *self.windows.padded_shape, dy.shape[-1])
        dpadded = workspace.array("dpadded", shape, dy.dtype)
        if not self.windows.is_tiling:
            dpadded.fill(0)
        return dpadded

    def without_padding(self, dpadded: FeatureMap) -> FeatureMap:
        """View the gradient of the map in that of the padded map."""
        return dpadded[(slice(None), *self.windows.interior)]


def check_map(layer: str, in_shape: Shape) -> None:
    """Raise a ValueError if the input of a global pooling layer is flat."""
    if len(in_shape) < 2:
        raise ValueError(
            f"{layer} needs a map of shape (length, channels), (height, width, "
            "channels) or (depth, height, width, channels), but its input has shape "
            f"{tuple(in_shape)}; put it before Flatten or any dense layer."
        )
