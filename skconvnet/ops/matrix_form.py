"""How an array of weights is a matrix, or several of them."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from skconvnet._typing import Shape


class MatrixForm(NamedTuple):
    """Where the matrices are in an array of weights.

    A matrix maps inputs to outputs: its columns belong to inputs and its rows to
    outputs. A layer that computes several independent products, such as a convolution
    with groups, has one matrix for each of them.

    Attributes
    ----------
    shape : tuple of int
        Three axes, to which the array is reshaped without a copy.
    axes : tuple of int
        Which of them are the matrices, the rows and the columns, in this order.

    Examples
    --------
    >>> form = MatrixForm.dense((5, 3))
    >>> form.view(np.arange(15.0)).shape
    (1, 3, 5)
    """

    shape: Shape
    axes: tuple[int, int, int] = (0, 1, 2)

    @classmethod
    def dense(cls, shape: Shape, n_matrices: int = 1) -> MatrixForm:
        """Return the form of a kernel of shape (n_in, n_matrices * n_out).

        >>> MatrixForm.dense((3, 8), n_matrices=4).view(np.zeros(24)).shape
        (4, 2, 3)
        """
        n_in, columns = shape
        return cls((n_in, n_matrices, columns // n_matrices), (1, 2, 0))

    @classmethod
    def convolution(cls, shape: Shape, groups: int = 1) -> MatrixForm:
        """Return the form of a kernel of shape (filters, channels // groups, *size).

        The inputs of a matrix are the taps of all channels of a group.

        >>> MatrixForm.convolution((8, 3, 5, 5), groups=2).n_rows_and_columns
        (4, 75)
        """
        filters, *rest = shape
        return cls((groups, filters // groups, prod(rest)))

    @classmethod
    def transposed_convolution(cls, shape: Shape, groups: int = 1) -> MatrixForm:
        """Return the form of a kernel of shape (channels, filters // groups, *size).

        The outputs of a matrix are the taps of all filters of a group.

        >>> MatrixForm.transposed_convolution((8, 3, 5, 5), groups=2).n_rows_and_columns
        (75, 4)
        """
        channels, *rest = shape
        return cls((groups, channels // groups, prod(rest)), (0, 2, 1))

    @property
    def n_matrices(self) -> int:
        """Number of matrices."""
        return self.shape[self.axes[0]]

    @property
    def n_rows_and_columns(self) -> tuple[int, int]:
        """Shape of each matrix: outputs, inputs."""
        _, rows, columns = self.axes
        return self.shape[rows], self.shape[columns]

    def view(self, array: np.ndarray) -> np.ndarray:
        """View an array of weights as matrices.

        Parameters
        ----------
        array : ndarray
            Contiguous, of the shape of the weights or flat.

        Returns
        -------
        matrices : ndarray of shape (n_matrices, n_rows, n_columns)
        """
        return array.reshape(self.shape).transpose(self.axes)
