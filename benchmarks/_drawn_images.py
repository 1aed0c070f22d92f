"""Small images drawn at random, for tasks in which convolution should help.

Each function takes a generator and the number of images, and returns X and y.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

Drawn: TypeAlias = tuple[np.ndarray, np.ndarray]

SIDE = 32
# Coordinates of the pixels: from -1 at the top and left to 1 at the bottom and right.
ROW, COLUMN = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]


def textures(rng: np.random.Generator, n: int) -> Drawn:
    """Draw stripes in one of 8 directions, under noise: gray, 0 to 255."""
    labels = rng.integers(8, size=n)
    angle = _per_image(np.pi / 8 * (labels + rng.uniform(-0.35, 0.35, n)))
    along = COLUMN * np.cos(angle) + ROW * np.sin(angle)
    waves = _per_image(rng.uniform(2.5, 7, n))
    phase = _per_image(rng.uniform(0, 2 * np.pi, n))
    contrast = _per_image(rng.uniform(12, 40, n))
    light = _per_image(rng.uniform(80, 170, n))
    stripes = light + contrast * np.sin(np.pi * waves * along + phase)
    return _to_uint8(stripes + rng.normal(0, 30, stripes.shape)), labels


def noises(rng: np.random.Generator, n: int) -> Drawn:
    """Draw noise of 4 grain sizes that overlap: floats from -1 to 1."""
    labels = rng.integers(4, size=n)
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(SIDE)] * 2))
    grain = _per_image(0.16 + 0.045 * labels + rng.normal(0, 0.012, n))
    band = np.exp(-(((frequency - grain) / 0.08) ** 2))
    white = rng.normal(size=(n, SIDE, SIDE))
    noise = np.fft.ifft2(np.fft.fft2(white) * band).real
    noise /= noise.std(axis=(1, 2), keepdims=True)
    noise *= _per_image(rng.uniform(0.1, 0.3, n))
    return np.clip(noise, -1, 1), labels


def shapes(rng: np.random.Generator, n: int) -> Drawn:
    """Draw a disc, ring, square, triangle, star or cross: color, 0 to 255.

    Position, size and the colors of shape and background are random.
    """
    labels = rng.integers(len(OUTLINES), size=n)
    images = np.empty((n, SIDE, SIDE, 3))
    for image, label in zip(images, labels, strict=True):
        size, turn = rng.uniform(0.4, 0.75), rng.uniform(-0.3, 0.3)
        down, right = rng.uniform(size - 0.95, 0.95 - size, 2)
        radius = np.hypot(ROW - down, COLUMN - right) / size
        angle = np.arctan2(ROW - down, COLUMN - right) + turn
        inside = OUTLINES[label](radius, angle)
        paper, ink = rng.uniform(30, 225, (2, 3))
        while abs(paper - ink).max() < 90:
            ink = rng.uniform(30, 225, 3)
        image[:] = np.where(inside[..., None], ink, paper)
    return _to_uint8(images + rng.normal(0, 15, images.shape)), labels


def _polygon(corners: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    def outline(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
        sector = 2 * np.pi / corners
        from_middle = angle % sector - sector / 2
        return radius * np.cos(from_middle) < np.cos(sector / 2)

    return outline


# Each says which pixels are inside, given their distances from the center, in units
# of the size, and their directions.
OUTLINES: list[Callable[[np.ndarray, np.ndarray], np.ndarray]] = [
    lambda radius, angle: radius < 0.8,  # noqa: ARG005  a disc has no direction
    lambda radius, angle: abs(radius - 0.7) < 0.25,  # noqa: ARG005  nor has a ring
    _polygon(4),
    _polygon(3),
    lambda radius, angle: radius < 0.7 + 0.3 * np.cos(5 * angle),
    lambda radius, angle: (
        (radius < 1)
        & (radius * np.minimum(abs(np.sin(angle)), abs(np.cos(angle))) < 0.25)
    ),
]


def discs(rng: np.random.Generator, n: int) -> Drawn:
    """Draw discs that do not touch, whose number is the class: gray, 0 to 255."""
    labels = rng.integers(1, 6, size=n)
    images = np.empty((n, SIDE, SIDE))
    for image, number in zip(images, labels, strict=True):
        image[:], ink = rng.uniform(20, 100), rng.uniform(140, 235)
        for down, right, radius in _apart(rng, number):
            image[np.hypot(ROW - down, COLUMN - right) < radius] = ink
    return _to_uint8(images + rng.normal(0, 20, images.shape)), labels


def _apart(rng: np.random.Generator, number: int) -> list[tuple[float, float, float]]:
    """Return the places and radii of discs that do not touch."""
    found: list[tuple[float, float, float]] = []
    while len(found) < number:
        radius = rng.uniform(0.15, 0.25)
        down, right = rng.uniform(radius - 0.95, 0.95 - radius, 2)
        gaps = [np.hypot(down - d, right - r) - radius - s for d, r, s in found]
        if min(gaps, default=1) > 0.12:
            found.append((down, right, radius))
    return found


def bars(rng: np.random.Generator, n: int) -> Drawn:
    """Draw a bar anywhere in noise, and its direction, from 0 to 90 degrees."""
    degrees = rng.uniform(0, 90, n)
    angle = _per_image(np.deg2rad(degrees))
    down, right = (_per_image(rng.uniform(-0.4, 0.4, n)) for _ in "yx")
    along = (COLUMN - right) * np.cos(angle) + (ROW - down) * np.sin(angle)
    across = (COLUMN - right) * np.sin(angle) - (ROW - down) * np.cos(angle)
    length, width = _per_image(rng.uniform(0.3, 0.7, n)), rng.uniform(0.06, 0.15, n)
    bar = np.exp(-((along / length) ** 4) - (across / _per_image(width)) ** 2)
    light = _per_image(rng.uniform(40, 120, n))
    image = light + _per_image(rng.uniform(60, 130, n)) * bar
    return _to_uint8(image + rng.normal(0, 20, image.shape)), degrees


def _per_image(values: np.ndarray) -> np.ndarray:
    return values[:, None, None]


def _to_uint8(images: np.ndarray) -> np.ndarray:
    return np.clip(images.round(), 0, 255).astype(np.uint8)
