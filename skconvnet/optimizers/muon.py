"""Muon: momentum whose steps are semi-orthogonal matrices."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.ops.blas_kernels import axpy
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.newton_schulz import flops_of_step, orthogonalize
from skconvnet.optimizers.base import ChunkArrays, Optimizer, update_average
from skconvnet.optimizers.layout import Chunk, cut
from skconvnet.params.constraints import (
    BELOW_1,
    BOOLEAN,
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    one_of,
)

# The typical root mean square of a step of Adam with a rate of 1.
_ADAM_RMS = 0.2

# About how many FLOPs of matrix products take as long as the update of an element.
_FLOPS_PER_ELEMENT = 50


@dataclass(eq=False, repr=False)
class Muon(Optimizer):
    """Momentum orthogonalized by Newton-Schulz steps [1]_, for hidden kernels.

    The step of a kernel that is a matrix is replaced by the nearest semi-orthogonal
    matrix, so that all directions in the matrix change equally fast. All other weights
    are updated by Adam.

    Parameters
    ----------
    momentum : float, default=0.95
        The decay rate of the average of the gradient, for matrices.
    nesterov : bool, default=True
        Whether to use Nesterov's momentum: the average of the gradient is mixed with
        the gradient once more.
    n_newton_schulz_steps : int, default=5
        The number of Newton-Schulz steps. With five, the singular values of a step
        are about 0.7 to 1.2, which the author found to be as good as exactly 1.
    scaling : {"adam", "original"}, default="adam"
        The factor of a step, for a matrix of n_out rows and n_in columns:

        - "adam": ``0.2 * sqrt(max(n_out, n_in))``, with which the root mean square of a
          step is that of Adam [2]_. The learning rates, and the weight decay, that suit
          Adam suit all weights.
        - "original": ``sqrt(max(1, n_out / n_in))``, as published [1]_. The author uses
          a learning rate of 0.02, and one of 0.0003 for Adam, which is
          ``learning_rate_init=0.02`` and ``adam_rate_factor=0.015``.
    adam_rate_factor : float, default=1.0
        The learning rate of Adam, as a multiple of that of the matrices.
    beta_1 : float, default=0.9
        The decay rate of the average of the gradient, in Adam.
    beta_2 : float, default=0.95
        The decay rate of the average of the squared gradient, in Adam.
    epsilon : float, default=1e-10
        Added to the root of the bias-corrected second average, in Adam.
    weight_decay : float, default=0.0
        The fraction of the weights, biases included, that a step with a rate of 1
        subtracts. Set ``alpha=0`` on the estimator to disable its own penalty, which is
        a part of the gradient.

    Notes
    -----
    **Which weights are matrices.** The choice is that of the author: all kernels except
    those of the first layer and of the output layer. Biases, the weights of
    normalization and embeddings, and the first and the last layer, are updated by Adam.
    The first layer is the first one with a kernel or an embedding, frozen or not. Of a
    layer that is recurrent or made of layers, only the kernels of its input count.

    ================================  ==============================================
    kernel                            matrices, as (outputs, inputs)
    ================================  ==============================================
    dense, also of attention          one, (n_out, n_in)
    convolution                       for each group,
                                      (filters // groups, channels // groups * taps)
    transposed convolution            for each group,
                                      (filters // groups * taps, channels // groups)
    recurrent                         for each gate, (units, n_in) or (units, units)
    locally connected                 for each position, (filters, channels * taps)
    ================================  ==============================================

    A convolution with groups is a block-diagonal matrix, and the semi-orthogonal matrix
    nearest to it consists of those nearest to its blocks. Gates are separate functions
    of the same inputs, as are queries, keys and values, which the author found are best
    updated separately. A matrix of one row or one column, such as that of a channel in
    a depthwise convolution, is a vector, and updated by Adam.

    By itself, an optimizer does not know which weights are matrices: until `lay_out` is
    called, as training does, all weights are updated by Adam.

    **Time.** With five Newton-Schulz steps, a step of a matrix takes about
    ``15 * long * short ** 2 + 5 * short ** 3`` operations, where ``short`` and ``long``
    are its dimensions. This is little for convolutions, whose kernels are used at many
    positions. For a dense layer of n inputs and n outputs, it is as much as the passes
    over a minibatch of 3 n samples.

    References
    ----------
    .. [1] K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks",
       2024.
    .. [2] J. Liu et al., "Muon is scalable for LLM training", 2025.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconvnet import MLPClassifier
    >>> from skconvnet.optimizers import Muon
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = MLPClassifier((32, 32), solver=Muon(), learning_rate_init=0.02)
    >>> clf = clf.set_params(learning_rate="cosine", max_iter=30, random_state=0)
    >>> clf.fit(X[::2] / 16, y[::2]).score(X[1::2] / 16, y[1::2]) > 0.9
    True
    """

    momentum: float = 0.95
    nesterov: bool = True
    n_newton_schulz_steps: int = 5
    scaling: str = "adam"
    adam_rate_factor: float = 1.0
    beta_1: float = 0.9
    beta_2: float = 0.95
    epsilon: float = 1e-10
    weight_decay: float = 0.0

    # Matrices use the first one only. Memory that is never written to is not taken.
    n_moments = 2
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "momentum": BELOW_1,
        "nesterov": BOOLEAN,
        "n_newton_schulz_steps": COUNT,
        "scaling": one_of("adam", "original"),
        "adam_rate_factor": POSITIVE,
        "beta_1": BELOW_1,
        "beta_2": BELOW_1,
        "epsilon": POSITIVE,
        "weight_decay": NOT_NEGATIVE,
    }

    @override
    def _cut(self, size: int) -> list[Chunk]:
        return cut(self._arrays, size, self.chunk_size, _has_matrices)

    @override
    def _work(self, chunk: Chunk) -> float:
        form, elements = chunk.matrices, super()._work(chunk)
        if form is None:
            return elements
        steps = self.n_newton_schulz_steps * form.n_matrices
        flops = steps * flops_of_step(*form.n_rows_and_columns)
        return elements + flops / _FLOPS_PER_ELEMENT

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        if arrays.matrices is None:
            rate *= self.adam_rate_factor
            factor, step = -rate, self._adam(arrays)
        else:
            self._orthogonal_momentum(arrays, arrays.matrices)
            factor, step = -rate * self._scale(arrays.matrices), arrays.step
        decay = self.weight_decay * arrays.decay_factor
        if decay and rate:
            axpy(-rate * decay / factor, arrays.weights, step)
        return factor, step

    def _orthogonal_momentum(self, arrays: ChunkArrays, form: MatrixForm) -> None:
        """Write the orthogonal direction of a matrix into the array for the step."""
        mean, step = arrays.moments[0], arrays.step
        update_average(mean, self.momentum, arrays.gradient)
        if self.nesterov:
            np.multiply(arrays.gradient, 1 - self.momentum, out=step)
            axpy(self.momentum, mean, step)
        else:
            step[:] = mean
        matrices = form.view(step)
        orthogonalize(matrices, matrices, self.n_newton_schulz_steps, arrays.workspace)

    def _scale(self, form: MatrixForm) -> float:
        n_out, n_in = form.n_rows_and_columns
        if self.scaling == "adam":
            return _ADAM_RMS * sqrt(max(n_out, n_in))
        return sqrt(max(1.0, n_out / n_in))

    def _adam(self, arrays: ChunkArrays) -> FlatVector:
        """Return the direction of Adam for a chunk without matrices."""
        gradient, step = arrays.gradient, arrays.step
        mean, square = arrays.moments
        update_average(mean, self.beta_1, gradient)
        update_average(square, self.beta_2, np.multiply(gradient, gradient, out=step))
        np.multiply(square, 1 / (1 - self.beta_2**self.n_steps), out=step)
        np.sqrt(step, out=step)
        step += self.epsilon
        step *= 1 - self.beta_1**self.n_steps
        return np.divide(mean, step, out=step)


def _has_matrices(form: MatrixForm) -> bool:
    """Whether matrices have several rows and columns, so that they are no vectors."""
    return min(form.n_rows_and_columns) > 1
