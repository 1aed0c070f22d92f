"""What all convolution layers share: parameters, kernels, bias and activation.

The file of a layer has a spec, which derives from `ConvolutionSpec` if its first
parameters are those of `Conv2D`, and a layer, which derives from `ConvolutionBase` and
computes the sums and their gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Any, TypeVar

import numpy as np

from skconvnet._checks import check_positive_int
from skconvnet._memory import check_map_fits
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.initializers import convolution_fans, draw_kernel, get_initializer
from skconvnet.layers.base import Cache, Layer, check_ndim
from skconvnet.ops.activations import get_activation
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.windows import Windows, sliding_windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec, TrainableSpec


@dataclass(eq=False, repr=False)
class ConvolutionSpec(TrainableSpec):
    """The parameters that come first in every convolution with `filters`."""

    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str | int | Sequence[int | Sequence[int]] = "valid"
    dilation: int | tuple[int, ...] = 1

    def _checked_filters(self, in_shape: Shape, groups: object = 1) -> tuple[int, int]:
        """Return filters and groups as ints, or raise an error if they are invalid."""
        filters = check_positive_int("filters", self.filters)
        groups = check_positive_int("groups", groups)
        if in_shape[-1] % groups or filters % groups:
            raise ValueError(
                f"groups must divide both the {in_shape[-1]} channels of the input and "
                f"filters={filters}; got {groups}."
            )
        return filters, groups

    def _windows(self, in_shape: Shape) -> Windows:
        """Return the windows over an input, or raise an error if none fit."""
        return fitting_windows(
            in_shape, self.kernel_size, self.strides, self.padding, self.dilation
        )


def fitting_windows(
    in_shape: Shape,
    kernel_size: object,
    strides: object,
    padding: object,
    dilation: object,
) -> Windows:
    """Return the windows over an input, or raise an error if none fit."""
    windows = sliding_windows(in_shape[:-1], kernel_size, strides, padding, dilation)
    check_map_fits(
        (*windows.padded_shape, in_shape[-1]),
        f"With padding of {windows.pads}, the padded map",
        "Use less padding, or smaller values of kernel_size and dilation.",
    )
    return windows


def check_spatial_ndim(spec: LayerSpec, in_shape: Shape) -> None:
    """Raise a ValueError unless `in_shape` has the spatial axes that `spec` needs."""
    assert spec.spatial_ndim is not None
    check_ndim(type(spec).__name__, in_shape, spec.spatial_ndim)


# Descriptions of parameters that several layers have, by their placeholders in
# docstrings.
_SHARED_DOCS = {
    "filters_doc": """\
filters : int
    Number of output channels.""",
    "kernel_size_doc": """\
kernel_size : int or tuple of {ndim} int
    Number of taps of the kernel along each axis, odd or even.""",
    "strides_doc": """\
strides : int or tuple of {ndim} int, default=1
    Positions from one window to the next along each axis.""",
    "dilation_doc": """\
dilation : int or tuple of {ndim} int, default=1
    Distance between neighboring taps along each axis.""",
    "groups_doc": """\
groups : int, default=1
    Number of groups of channels that are convolved separately. It must divide the
    number of input channels and the number of output channels.""",
    "activation_doc": """\
activation : str, default=None
    "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "celu",
    "gelu", "silu", "hard_swish", "mish", "softplus", "softsign", "hard_sigmoid" or
    "step" (1 if x >= 0, else 0; only for weights that are set by hand). None is the
    identity.""",
    "kernel_initializer_doc": """\
kernel_initializer : str or Initializer, default="auto"
    As in `Conv{ndim}D`.""",
    "trainable_doc": """\
trainable : bool, default=True
    Whether training changes the weights. If False, the layer is frozen.""",
}


Spec = TypeVar("Spec", bound=LayerSpec)


def documented(template: str, **values: str) -> Callable[[type[Spec]], type[Spec]]:
    """Return a class decorator that completes the docstring of a spec.

    Parameters
    ----------
    template : str
        Text to append. ``{filters_doc}`` and the like are replaced by the description
        of a parameter that several layers have, ``{name}`` by the name of the class,
        ``{ndim}`` by its number of spatial axes, and other names by one of `values`.
    **values : str
    """

    def document(spec: type[Spec]) -> type[Spec]:
        if spec.__doc__ is None:  # as with `python -OO`
            return spec
        ndim = spec.spatial_ndim
        shared = {
            name: indent(text.format(ndim=ndim), "    ").strip()
            for name, text in _SHARED_DOCS.items()
        }
        text = template.format(name=spec.__name__, ndim=ndim, **shared, **values)
        spec.__doc__ = f"{spec.__doc__}\n\n    {text.strip()}\n    "
        return spec

    return document


@dataclass(frozen=True)
class Kernel:
    """An array of weights to draw.

    Attributes
    ----------
    shape : tuple of int
    fans : (int, int)
        How many inputs each output depends on, and how many outputs depend on each
        input.
    groups : int
        How many groups of channels are convolved separately.
    """

    shape: Shape
    fans: tuple[int, int]
    groups: int = 1

    @classmethod
    def of_windows(
        cls,
        windows: Windows,
        channels: int,
        filters: int,
        groups: int = 1,
    ) -> Kernel:
        """Return the kernel of a convolution over `windows`."""
        return cls(
            (filters, channels // groups, *windows.kernel),
            convolution_fans(filters, channels, windows.kernel, groups),
            groups,
        )


class ConvolutionBase(Layer[Cache]):
    """A layer of one or several kernels in a row, a bias and an activation.

    Parameters
    ----------
    in_shape, out_shape : tuple of int
    kernels : mapping of str to Kernel
        Kernels by the names of their weights. They are drawn in this order. The scale
        of the last one follows from the activation; the others have no activation after
        them.
    activation : str or None
    kernel_initializer : str or Initializer
    """

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        kernels: Mapping[str, Kernel],
        activation: object,
        kernel_initializer: object,
    ) -> None:
        super().__init__(in_shape, out_shape)
        self.kernels = dict(kernels)
        self.activation = get_activation(activation)
        self.initializer = get_initializer(kernel_initializer)
        self.penalized = tuple(self.kernels)
        self.weight_shapes = {
            **{name: kernel.shape for name, kernel in self.kernels.items()},
            "bias": (out_shape[-1],),
        }

    @property
    @override
    def matrices(self) -> dict[str, MatrixForm]:
        return {
            name: MatrixForm.convolution(kernel.shape, kernel.groups)
            for name, kernel in self.kernels.items()
        }

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        *others, last = self.kernels
        activations = dict.fromkeys(others, "identity") | {last: self.activation.name}
        drawn = {
            name: draw_kernel(
                rng, kernel.shape, kernel.fans, self.initializer, activations[name]
            )
            for name, kernel in self.kernels.items()
        }
        return drawn | {"bias": np.zeros(self.weight_shapes["bias"])}

    def add_bias_and_activate(
        self,
        z: FeatureMap,
        workspace: Workspace,
        algorithm: ConvolutionAlgorithm[Any] | None = None,
    ) -> FeatureMap:
        """Add the bias to the sums `z`, and return the activations.

        Parameters
        ----------
        z : ndarray of shape (filters, *stored_shape, batch), contiguous
            The bias is added in place. The activations overwrite `z` unless the
            derivative of the activation needs its input.
        workspace : Workspace
        algorithm : ConvolutionAlgorithm, optional
            The algorithm that computed `z`. None means that `z` has no row padding.

        Returns
        -------
        y : ndarray of shape (filters, *out_shape, batch)
            A view if there is row padding.
        """
        flat = _as_rows if algorithm is None else algorithm.flat_outputs
        y, sums, bias = z, flat(z), self.weights["bias"]
        activated = sums
        if self.activation.needs_input:
            y = workspace.array("activated", z.shape, z.dtype)
            activated = flat(y)

        def task(channels: slice, workspace: Workspace) -> None:
            own = sums[channels]
            own += bias[channels, None]
            # Pass the same array if the memory is the same: the identity is then free.
            out = own if y is z else activated[channels]
            self.activation.apply(own, out, workspace)

        workspace.share_out_channels(z, task)
        return y if algorithm is None else algorithm.crop_row_padding(y)

    def backward_of_activation(
        self,
        activated: FeatureMap,
        dy: FeatureMap,
        out: FeatureMap,
        workspace: Workspace,
    ) -> None:
        """Write the gradient of the sums into `out`, given that of their activations.

        Parameters
        ----------
        activated : ndarray
            The activations, or the sums if the derivative of the activation needs them.
        dy : ndarray
        out : ndarray
            May be `dy`.
        workspace : Workspace
        """

        def task(channels: slice, workspace: Workspace) -> None:
            own = dy[channels]
            target = own if out is dy else out[channels]
            self.activation.backward(activated[channels], own, target, workspace)

        workspace.share_out_channels(out, task)


def _as_rows(z: FeatureMap) -> np.ndarray:
    """View `z` as (filters, positions x batch)."""
    return z.reshape(len(z), -1)
