"""Functions that networks for series and texts share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet._checks import check_choice, check_int, check_positive_int, is_sequence
from skconvnet.architectures._parts import scaled
from skconvnet.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNorm,
    Conv1D,
    Embedding,
    SimpleRNN,
)

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers

CELLS = {"simple": SimpleRNN, "gru": GRU, "lstm": LSTM}


def conv1d(
    filters: int,
    kernel_size: int,
    padding: str = "same",
    activation: str | None = None,
) -> Conv1D:
    """Return a convolution with an initializer that suits the ReLU after it."""
    return Conv1D(
        filters,
        kernel_size,
        padding=padding,
        activation=activation,
        kernel_initializer="he_normal",
    )


def normalized_conv1d(filters: int, kernel_size: int, number: int) -> Layers:
    """Return a convolution, a `BatchNorm` and a ReLU, with names that are numbered.

    >>> [name for name, _ in normalized_conv1d(8, 3, number=2)]
    ['conv2', 'norm2', 'relu2']
    """
    return [
        (f"conv{number}", conv1d(filters, kernel_size)),
        (f"norm{number}", BatchNorm()),
        (f"relu{number}", Activation("relu")),
    ]


def embedding(
    n_tokens: object,
    n_dims: object,
    padding_token: object,
    width: float,
    reduce: str | None = None,
) -> Embedding:
    """Return an embedding whose vectors have `n_dims` times `width` dimensions."""
    if padding_token is not None:
        padding_token = check_int("padding_token", padding_token, 0)
    return Embedding(
        check_positive_int("n_tokens", n_tokens),
        scaled("n_dims", n_dims, width),
        padding_token,
        reduce,
    )


def recurrent(
    cell: object, units: int, *, return_sequences: bool = False
) -> SimpleRNN | GRU | LSTM:
    """Return the recurrent layer of this name."""
    layer = CELLS[check_choice("cell", cell, CELLS)]
    return layer(units, return_sequences=return_sequences)


def check_kernel_sizes(kernel_sizes: object) -> list[int]:
    """Return the kernel sizes of parallel convolutions, which are named after them.

    >>> check_kernel_sizes((40, 20, 10))
    [40, 20, 10]
    """
    if not is_sequence(kernel_sizes):
        raise TypeError(
            "kernel_sizes must be a sequence of ints, one per branch; got "
            f"{kernel_sizes!r}."
        )
    sizes = [check_positive_int("each of kernel_sizes", size) for size in kernel_sizes]
    if not sizes or len(set(sizes)) < len(sizes):
        raise ValueError(
            "kernel_sizes must have at least one entry, and all must be different; "
            f"got {kernel_sizes!r}."
        )
    return sizes
