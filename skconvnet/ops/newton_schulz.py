"""The nearest semi-orthogonal matrix, by Newton-Schulz steps."""

from __future__ import annotations

import numpy as np

from skconvnet.ops.workspace import Workspace

# The coefficients of the polynomial ``a * x + b * x ** 3 + c * x ** 5`` that each step
# applies to the singular values. Its slope at 0 is as large as possible, so that small
# ones grow fast: five steps take those above 0.002 to between 0.68 and 1.21.
_A, _B, _C = 3.4445, -4.7750, 2.0315

# A smaller norm is not divided by: the steps would enlarge rounding errors.
_SMALLEST_NORM = 1e-7


def flops_of_step(n_rows: int, n_columns: int) -> int:
    """Return the FLOPs of one step, with one matrix.

    Symmetric products take half as many as others.

    >>> flops_of_step(10, 100)
    31000
    """
    short, long = sorted((n_rows, n_columns))
    return 3 * short**2 * long + short**3


def orthogonalize(
    matrices: np.ndarray, out: np.ndarray, n_steps: int, workspace: Workspace
) -> None:
    r"""Write the nearest semi-orthogonal matrix of each matrix into `out`.

    The rows of a semi-orthogonal matrix, or its columns if these are fewer, are
    orthonormal. If ``U S V^T`` is the singular value decomposition of a matrix, the
    nearest one is ``U V^T``. It is approximated [1]_: the matrix is divided by its
    Frobenius norm, and each step takes ``X`` to ::

        a X + b (X X^T) X + c (X X^T)^2 X

    which leaves U and V as they are, and changes each singular value s to
    ``a s + b s^3 + c s^5``.

    Parameters
    ----------
    matrices : ndarray of shape (n_matrices, n_rows, n_columns)
    out : ndarray of shape (n_matrices, n_rows, n_columns)
        May be `matrices`. Neither needs to be contiguous.
    n_steps : int
    workspace : Workspace

    References
    ----------
    .. [1] K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks",
       2024.

    Examples
    --------
    >>> matrices = np.array([[[3.0, 0.0], [0.0, -2.0]]])
    >>> orthogonalize(matrices, matrices, 5, Workspace())
    >>> np.abs(matrices).round(1)
    array([[[1.1, 0. ],
            [0. , 0.7]]])
    """
    if matrices.shape[1] > matrices.shape[2]:
        matrices, out = matrices.swapaxes(1, 2), out.swapaxes(1, 2)
    n, rows, columns = matrices.shape
    dtype = matrices.dtype
    x = workspace.array("x", (n, rows, columns), dtype)
    product = workspace.array("product", (n, rows, columns), dtype)
    gram = workspace.array("gram", (n, rows, rows), dtype)
    square = workspace.array("square", (n, rows, rows), dtype)
    np.copyto(x, matrices)
    flat = x.reshape(n, -1)
    norms = np.sqrt(np.vecdot(flat, flat))
    flat /= np.maximum(norms, _SMALLEST_NORM)[:, None]
    for _ in range(n_steps):
        # NumPy recognizes a product with the transpose, which takes half the time.
        np.matmul(x, x.swapaxes(1, 2), out=gram)
        np.matmul(gram, gram.swapaxes(1, 2), out=square)
        gram *= _B
        square *= _C
        square += gram
        # The identity is added to the small matrix, not ``a * x`` to the product.
        square.reshape(n, -1)[:, :: rows + 1] += _A
        np.matmul(square, x, out=product)
        x, product = product, x
    np.copyto(out, x)
