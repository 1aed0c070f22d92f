"""How long an algorithm takes, estimated from shapes.

The time of a forward and a backward pass is a weighted sum of a few terms that follow
from the shapes: ``factor * term`` microseconds for each. Each algorithm has a class of
terms of its own. Its `cost_terms` fills one in, and `FACTORS` has another one, in which
each field is the time that a unit of the term takes.

Only the order of the estimates counts. It never depends on a clock, so that a network
computes the same bits on every run.
"""

from __future__ import annotations

from typing import NamedTuple


class Im2colTerms(NamedTuple):
    """What the time of im2col grows with.

    Let *columns* be the taps of the kernel times the stored positions, row padding
    included. The matrix of all windows has ``channels * columns`` rows and columns in
    all, per sample.

    Attributes
    ----------
    flops : float
        Of three matrix products, two operations a multiplication: the outputs, the
        gradient of the kernel, and that of the map. Each is ``filters x (channels /
        groups * taps) x (positions * batch)``. Fewer than 8 filters take as long as 8.
    column_values : float
        Numbers that im2col copies: none where a kernel of one tap needs no copy.
    map_values : float
        Numbers of the input and the output map.
    strided_runs : float
        Contiguous runs that are copied where a stride is over 1: one for each tap of
        each window, as the next window lies further on.
    row_runs : float
        The same for the exact layout, in which a run ends with its row. In the wide
        layout all rows are one run.
    taps : float
        Python calls: col2im adds tap by tap.
    """

    flops: float
    column_values: float
    map_values: float
    strided_runs: float
    row_runs: float
    taps: float


class WinogradTerms(NamedTuple):
    """What the time of Winograd's minimal filtering grows with.

    A tile has *n* positions, so that a map is n times the number of tiles once it is
    transformed.

    Attributes
    ----------
    flops : float
        As for im2col, of three products ``filters x channels x (tiles * batch)`` for
        each of the n positions of a tile.
    transformed_values : float
        Numbers of the transformed maps, of input and output channels, once for each
        axis that is transformed.
    map_values : float
        Numbers of the input and the output map.
    kernel_values : float
        Numbers of the transformed kernel: read and added to in each row block, and
        transformed once, in double precision five times as slowly.
    matrix_products : float
        Calls of BLAS: one for each position of a tile in each row block.
    row_blocks : float
        Each has a fixed number of Python calls.
    """

    flops: float
    transformed_values: float
    map_values: float
    kernel_values: float
    matrix_products: float
    row_blocks: float


class FFTTerms(NamedTuple):
    """What the time of the fast Fourier transform grows with.

    A tile has *n* positions, and its spectrum about n / 2 frequencies. The transform of
    a tile takes about ``n log2(n)`` operations per channel.

    Attributes
    ----------
    flops : float
        Of three products ``filters x channels x (tiles * batch)`` for each frequency:
        8 operations a multiplication, as the numbers are complex.
    transform_flops : float
        Of the transforms of all tiles of input and output channels.
    tile_values : float
        Numbers of these tiles, which are copied to and from maps.
    kernel_transform_flops : float
        Of the transforms of the kernel, which is as long as a tile.
    tiles : float
        Python calls.
    passes : float
        1: what a pass takes however small it is.
    """

    flops: float
    transform_flops: float
    tile_values: float
    kernel_transform_flops: float
    tiles: float
    passes: float


# Microseconds for a unit of each term, on one thread of an AMD EPYC in float32: fitted
# to a sweep of shapes, then tuned for the choice, by `benchmarks/conv_methods.py`.
FACTORS: dict[type[tuple[float, ...]], tuple[float, ...]] = {
    Im2colTerms: Im2colTerms(
        flops=1.3e-5,
        column_values=4.2e-4,
        map_values=3.9e-4,
        strided_runs=8.4e-4,
        row_runs=0.027,
        taps=2.0,
    ),
    WinogradTerms: WinogradTerms(
        flops=1.7e-5,
        transformed_values=4.8e-4,
        map_values=1.7e-3,
        kernel_values=6.0e-4,
        matrix_products=0.59,
        row_blocks=67,
    ),
    FFTTerms: FFTTerms(
        flops=2.0e-5,
        transform_flops=3.0e-4,
        tile_values=2.6e-3,
        kernel_transform_flops=8.5e-4,
        tiles=16,
        passes=52,
    ),
    # Algorithms without terms.
    tuple: (),
}


def microseconds(terms: tuple[float, ...]) -> float:
    """Return the estimated microseconds of a forward and a backward pass.

    >>> microseconds(FFTTerms(0, 0, 0, 0, tiles=2, passes=1))
    84.0
    """
    factors = FACTORS[type(terms)]
    return sum(factor * term for factor, term in zip(factors, terms, strict=True))
