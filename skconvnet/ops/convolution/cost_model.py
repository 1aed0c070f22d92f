"""How long an algorithm takes, estimated from shapes.

The time of a forward and a backward pass is a weighted sum of a few terms that follow
from the shapes, with ``factor * term`` microseconds for each. Each algorithm has its
own class of terms. `cost_terms` returns an instance that holds the terms, and `FACTORS`
has an instance in which each field is the time that one unit of the term takes.

Only the order of the estimates matters. They never depend on a clock, so that a network
computes the same bits on every run.
"""

from __future__ import annotations

from typing import NamedTuple


class Im2colTerms(NamedTuple):
    """What the time of im2col grows with.

    Let *columns* be the taps of the kernel times the stored positions, row padding
    included. The matrix of all windows has ``channels * columns`` elements per sample.

    Attributes
    ----------
    flops : float
        FLOPs of three matrix products, with two operations per multiplication: for the
        outputs, the gradient of the kernel, and the gradient of the map. Each is
        ``filters x (channels / groups * taps) x (positions * batch)``. Fewer than 8
        filters take as long as 8.
    column_values : float
        How many numbers im2col copies. A kernel of one tap needs no copy.
    map_values : float
        How many numbers the input and the output map have.
    strided_runs : float
        Contiguous runs that are copied if a stride is larger than 1: one for each tap
        of each window, as windows are further apart.
    row_runs : float
        Contiguous runs that are copied in the exact layout, in which a run ends with
        its row. In the wide layout all rows are one run.
    taps : float
        Python calls, since col2im adds tap by tap.
    """

    flops: float
    column_values: float
    map_values: float
    strided_runs: float
    row_runs: float
    taps: float


class WinogradTerms(NamedTuple):
    """What the time of Winograd's minimal filtering grows with.

    A tile has *n* positions, so that a transformed map has n values for each tile,
    channel and sample.

    Attributes
    ----------
    flops : float
        As for im2col, FLOPs of three products ``filters x channels x (tiles * batch)``
        for each of the n positions of a tile.
    transformed_values : float
        How many numbers the transformed maps of input and output channels have, counted
        once for each axis that is transformed.
    map_values : float
        How many numbers the input and the output map have.
    kernel_values : float
        How many numbers of the transformed kernel are read and added to: in each
        block, and once to transform it, which takes five times as long in double
        precision.
    matrix_products : float
        Calls of BLAS: one for each position of a tile in each block.
    blocks : float
        Blocks, each of which makes a fixed number of Python calls.
    """

    flops: float
    transformed_values: float
    map_values: float
    kernel_values: float
    matrix_products: float
    blocks: float


class FFTTerms(NamedTuple):
    """What the time of the fast Fourier transform grows with.

    A tile has *n* positions, and its spectrum about n / 2 frequencies. The transform of
    a tile takes about ``n log2(n)`` operations per channel.

    Attributes
    ----------
    flops : float
        FLOPs of three products ``filters x channels x (tiles * batch)`` for each
        frequency, with 8 operations per multiplication, as the numbers are complex.
    transform_flops : float
        FLOPs of the transforms of all tiles of input and output channels.
    tile_values : float
        How many numbers these tiles have, which are copied to and from maps.
    kernel_transform_flops : float
        FLOPs of the transforms of the kernel, which is filled up to the size of a tile.
    tiles : float
        Tiles, each of which makes a fixed number of Python calls.
    passes : float
        Always 1: its factor is the time that a pass takes however small it is.
    """

    flops: float
    transform_flops: float
    tile_values: float
    kernel_transform_flops: float
    tiles: float
    passes: float


class InterleavingTerms(NamedTuple):
    """What the time of taking a map apart, and of putting it together, grows with.

    Attributes
    ----------
    map_values : float
        How many numbers are copied: those of the interleaved maps and of the outputs.
    copies : float
        Python calls, one for each of the interleaved maps.
    """

    map_values: float
    copies: float


class Col2imTerms(NamedTuple):
    """What the time of a transposed convolution by col2im grows with.

    Its factors are those that it takes to compare it with a convolution that yields all
    stride phases.

    Attributes
    ----------
    convolution : float
        The microseconds of the convolution whose gradient it is, by im2col.
    column_values : float
        How many numbers are added up, as in `Im2colTerms`.
    """

    convolution: float
    column_values: float


# Microseconds per unit of each term, on one thread of an Intel Xeon in float32, tuned
# for the choice between the algorithms by `benchmarks/conv_methods.py`.
FACTORS: dict[type[tuple[float, ...]], tuple[float, ...]] = {
    Im2colTerms: Im2colTerms(
        flops=9.1e-6,
        column_values=8.4e-4,
        map_values=1.1e-3,
        strided_runs=6.8e-4,
        row_runs=0.026,
        taps=0.57,
    ),
    WinogradTerms: WinogradTerms(
        flops=1.1e-5,
        transformed_values=5.8e-4,
        map_values=4.5e-4,
        kernel_values=6.6e-4,
        matrix_products=0.51,
        blocks=66,
    ),
    FFTTerms: FFTTerms(
        flops=3.3e-5,
        transform_flops=3.7e-4,
        tile_values=1.2e-3,
        kernel_transform_flops=9.9e-4,
        tiles=19,
        passes=68,
    ),
    InterleavingTerms: InterleavingTerms(map_values=8.0e-4, copies=8.0),
    Col2imTerms: Col2imTerms(convolution=0.63, column_values=1.1e-3),
    # Algorithms without terms.
    tuple: (),
}


def microseconds(terms: tuple[float, ...]) -> float:
    """Return the estimated microseconds of a forward and a backward pass.

    >>> microseconds(FFTTerms(0, 0, 0, 0, tiles=2, passes=1))
    106.0
    """
    factors = FACTORS[type(terms)]
    return sum(factor * term for factor, term in zip(factors, terms, strict=True))
