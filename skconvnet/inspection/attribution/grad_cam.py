"""Grad-CAM: which positions of a layer speak for the score."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from skconvnet._suggestions import did_you_mean
from skconvnet._typing import Image, Shape, override
from skconvnet.engine.network import Network
from skconvnet.engine.tokens import refuse_tokens
from skconvnet.inspection.attribution.base import AttributionMethod
from skconvnet.inspection.attribution.blocks import Block
from skconvnet.inspection.attribution.samples import ExplainedSamples
from skconvnet.ops.upsampling import resizing_matrix


@dataclass(frozen=True)
class GradCam(AttributionMethod):
    """Gradient-weighted class activation maps [1]_.

    The channels of a layer are weighted by the mean over all positions of the gradient
    of the score, and added up. Negative sums, which speak against the score, are set to
    0. The map is enlarged to the spatial shape of the sample by linear interpolation.

    Parameters
    ----------
    layer : str, default=None
        The name of a layer with spatial axes, as in `summary`. None means the last one.

    References
    ----------
    .. [1] R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh and D. Batra,
       "Grad-CAM: visual explanations from deep networks via gradient-based
       localization", ICCV 2017.
    """

    layer: str | None = None

    @override
    def explain(self, samples: ExplainedSamples) -> Image | list[Image]:
        position = self._position(samples.network)
        refuse_tokens(samples.network, start=position)
        return samples.map(
            lambda block: _explain(block, position),
            differentiates=False,
            per_position=True,
        )

    def _position(self, network: Network) -> int:
        """Return the number of layers up to and including the chosen one."""
        n_axes = len(spatial_shape(network.in_shape))
        names = [
            name
            for name, layer in network.layers.items()
            if len(layer.out_shape) == n_axes + 1
        ]
        if not names:
            raise ValueError(
                "method='grad_cam' needs a layer with spatial axes, such as a "
                f"convolution, but no layer has {n_axes} of them, as samples of shape "
                f"{network.in_shape} need. Use method='occlusion', or another one."
            )
        chosen = names[-1] if self.layer is None else self.layer
        if chosen not in names:
            known = network.layers.get(chosen) if isinstance(chosen, str) else None
            why = did_you_mean(str(chosen), names)
            if known is not None:
                why = f" The output of {chosen!r} has shape {known.out_shape}."
            raise ValueError(
                "layer must be None or the name of a layer with spatial axes, one of "
                f"{', '.join(map(repr, names))}; got {chosen!r}.{why}"
            )
        return list(network.layers).index(chosen) + 1


def spatial_shape(shape: Shape) -> Shape:
    """Return the lengths of the spatial axes of a sample; rows have a single one.

    >>> spatial_shape((28, 28, 3)), spatial_shape((64,))
    ((28, 28), (64,))
    """
    return shape[:-1] if len(shape) > 1 else shape


def _explain(block: Block, position: int) -> Image:
    rest = block.network.after(position)
    heat = [
        _heat_maps(*part.gradients_after(position, rest))
        for part in block.split(prod(rest.in_shape))
    ]
    return resized(np.concatenate(heat), spatial_shape(block.map_shape))


def _heat_maps(maps: Image, gradients: Image) -> Image:
    """Add up the channels of maps, weighted by their mean gradients."""
    positions = tuple(range(1, maps.ndim - 1))
    weights = gradients.mean(axis=positions, keepdims=True)
    heat: Image = np.maximum((maps * weights).sum(axis=-1), 0)
    return heat


def resized(heat: Image, shape: Shape) -> Image:
    """Interpolate heat maps of shape (n, *spatial) linearly to another spatial shape.

    >>> resized(np.array([[0.0, 4.0]]), (4,))
    array([[0., 1., 3., 4.]])
    """
    for axis, n_out in enumerate(shape, start=1):
        matrix = resizing_matrix(heat.shape[axis], n_out).astype(heat.dtype)
        heat = np.moveaxis(np.tensordot(heat, matrix, axes=(axis, 1)), -1, axis)
    return heat
