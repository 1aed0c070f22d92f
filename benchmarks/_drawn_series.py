"""Short series drawn at random, for tasks in which convolution should help.

Each function takes a generator and the number of series, and returns X and y.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy.signal import sawtooth, square

Drawn: TypeAlias = tuple[np.ndarray, np.ndarray]


def waves(rng: np.random.Generator, n: int) -> Drawn:
    """Draw a sine, square, triangle, sawtooth or rising tone: 128 floats of 1e-3."""
    labels = rng.integers(5, size=n)
    time = np.linspace(0, 1, 128)
    tones = rng.uniform(3, 7, (n, 1))
    # The tone that rises has the same mean.
    rise = np.where(labels == 4, rng.uniform(0.3, 0.7, n), 0)[:, None] * tones
    phase = 2 * np.pi * ((tones - rise) * time + rise * time**2)
    phase += rng.uniform(0, 2 * np.pi, (n, 1))
    forms = np.stack(
        [
            np.sin(phase),
            square(phase) * 0.8,
            sawtooth(phase, 0.5) * 1.2,
            sawtooth(phase) * 1.2,
            np.sin(phase),
        ]
    )
    drawn = forms[labels, np.arange(n)] * rng.uniform(0.6, 1.4, (n, 1))
    return 1e-3 * (drawn + rng.normal(0, 0.35, drawn.shape)), labels


def spectra(rng: np.random.Generator, n: int) -> Drawn:
    """Draw spectra of 5 substances, on an offset of about 10,000: 300 floats.

    A substance has four lines, at distances that differ little from one substance to
    the next. The scale of the instrument is shifted by up to forty channels, and the
    background slopes.
    """
    labels = rng.integers(5, size=n)
    channel = np.arange(300)
    gaps = np.array([[0, 24, 60, 90], [0, 30, 60, 90], [0, 36, 60, 90]])
    gaps = np.vstack([gaps, [[0, 24, 54, 90], [0, 36, 66, 90]]])
    places = 105 + gaps[labels] + rng.normal(0, 14, (n, 1))
    heights = rng.uniform(60, 200, places.shape)
    lines = np.exp(-(((channel - places[..., None]) / 3) ** 2)) * heights[..., None]
    slope = rng.normal(0, 20, (n, 1)) * np.linspace(-1, 1, 300)
    drawn = 1e4 + rng.normal(0, 20, (n, 1)) + slope + lines.sum(axis=1)
    return drawn + rng.normal(0, 15, drawn.shape), labels


def gestures(rng: np.random.Generator, n: int) -> Drawn:
    """Draw accelerations of 6 gestures at 100 times: 3 axes, float32, in m/s^2.

    The hand draws two turns in a plane of two of the three axes, one way or the other,
    beginning at a random time. Gravity adds 9.81 to the last axis.
    """
    labels = rng.integers(6, size=n)
    time = np.arange(100)
    width = rng.uniform(9, 15, (n, 1))
    since = time - rng.uniform(30, 70, (n, 1))
    window = np.exp(-((since / width) ** 2)) * rng.uniform(0.8, 2, (n, 1))
    phase = rng.uniform(0.25, 0.5, (n, 1)) * since + rng.uniform(0, 2 * np.pi, (n, 1))
    drawn = np.zeros((n, 100, 3))
    sample, plane = np.arange(n), labels % 3
    drawn[sample, :, plane] = window * np.cos(phase)
    way = np.where(labels < 3, 1, -1)[:, None]
    drawn[sample, :, (plane + 1) % 3] = window * np.sin(phase) * way
    drawn += rng.normal((0, 0, 9.81), 0.5, drawn.shape)
    return drawn.astype(np.float32), labels


def periods(rng: np.random.Generator, n: int) -> Drawn:
    """Draw a tone in noise, 128 integers, and its period, 20 to 80 ms.

    They are taken every 3 ms by a converter of 12 bits, whose middle is 2,048.
    """
    milliseconds = rng.uniform(20, 80, n)
    phase = 2 * np.pi * 3 * np.arange(128) / milliseconds[:, None]
    phase += rng.uniform(0, 2 * np.pi, (n, 1))
    drawn = np.sin(phase) * rng.uniform(100, 500, (n, 1)) + rng.normal(0, 150, (n, 128))
    middle = 2048 + rng.normal(0, 50, (n, 1))
    return np.clip((middle + drawn).round(), 0, 4095).astype(np.int16), milliseconds
