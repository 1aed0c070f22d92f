"""How a user lays out samples, and arrays per sample in the same form."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from skconvnet._typing import Image, Shape


@dataclass(frozen=True)
class SampleForm:
    """The axes of the samples of X, which networks see as (*spatial, channels).

    Attributes
    ----------
    ndim : int
        Number of axes of a sample of X: 1 for rows, and one less than in the network
        for images without an axis of channels.
    channels_first : bool
        Whether the channels come before the spatial axes, or rows are in that order.

    Examples
    --------
    >>> maps = np.zeros((5, 8, 9, 3))
    >>> SampleForm(3, channels_first=True).restored(maps).shape
    (5, 3, 8, 9)
    >>> SampleForm(1, channels_first=False).restored(maps).shape
    (5, 216)
    """

    ndim: int
    channels_first: bool

    def restored(self, maps: Image) -> Image:
        """Return maps of shape (n, *spatial, channels) in the form of X."""
        n, *spatial, channels = maps.shape
        if self.channels_first and spatial:
            maps = np.moveaxis(maps, -1, 1)
        if self.ndim == 1:
            return maps.reshape(n, prod(spatial) * channels)
        if self.ndim == len(spatial):
            return maps.reshape(n, *spatial)
        return maps

    def restored_positions(self, values: Image) -> Image:
        """Return a value for each position, (n, *spatial), in the form of X.

        There is no axis of channels. The values of rows are rows.
        """
        return values.reshape(len(values), -1) if self.ndim == 1 else values

    def as_maps(self, samples: Image, shape: Shape) -> Image:
        """Return samples in the form of X as maps of shape (n, *shape)."""
        *spatial, channels = shape
        if self.channels_first and spatial:
            return np.moveaxis(samples.reshape(-1, channels, *spatial), 1, -1)
        return samples.reshape(-1, *shape)
