"""A convolution whose kernels whiten the windows of the training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from skconvnet._checks import check_bool, check_nonnegative_float, check_positive_int
from skconvnet._typing import NamedArrays, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.layers.conv_base import check_spatial_ndim, documented, fitting_windows
from skconvnet.ops.convolution.selection import AlgorithmSelector
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.whitening import whitening_rows, window_moments
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class _WhiteningConvolution(TrainableSpec):
    kernel_size: int | tuple[int, ...]
    n_components: int | None = None
    add_negatives: bool = True
    epsilon: float = 5e-4
    strides: int | tuple[int, ...] = 1
    padding: str | int | Sequence[int | Sequence[int]] = "valid"
    dilation: int | tuple[int, ...] = 1
    activation: str | None = None
    conv_method: str = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_spatial_ndim(self, in_shape)
        windows = fitting_windows(
            in_shape, self.kernel_size, self.strides, self.padding, self.dilation
        )
        n_components = self._checked_n_components(in_shape[-1] * windows.size)
        add_negatives = check_bool("add_negatives", self.add_negatives)
        epsilon = check_nonnegative_float("epsilon", self.epsilon)
        filters = n_components * (2 if add_negatives else 1)
        selector = AlgorithmSelector(
            self.conv_method, windows, in_shape[-1], filters, groups=1
        )
        return WhiteningConvolutionLayer(
            in_shape, selector, n_components, epsilon, self.activation
        )

    def _checked_n_components(self, n_values: int) -> int:
        """Return the number of eigenvectors, at most one for each value of a window."""
        if self.n_components is None:
            return n_values
        n_components = check_positive_int("n_components", self.n_components)
        if n_components > n_values:
            raise ValueError(
                f"n_components must be None or an int of at most {n_values}, the "
                "number of values of a window, which is channels times taps; got "
                f"{n_components}. Use a larger kernel_size, or n_components=None."
            )
        return n_components


_DOC = """
    The kernels are the eigenvectors of the covariance of all windows over the training
    set, each divided by the square root of its eigenvalue plus `epsilon`, and the
    negatives of these [1]_ [2]_. So the outputs are uncorrelated, with a variance of
    about 1. Together with an activation such as ReLU, the negatives keep what would be
    cut off. The mean of the windows is not subtracted: put a `Standardize` before the
    layer, as ``rescale="auto"`` of a ConvNet does.

    The kernels are computed from the training samples and their weights when `fit` or
    the first `partial_fit` begins, and do not change after that. Only the bias is
    learned. The layer must be in the network's own list of layers, not part of another
    layer.

    Weights: ``bias`` of shape (filters,), zero at the start. Buffers: ``kernel`` of
    shape (filters, channels, *kernel_size), with the largest eigenvalue first, and the
    negatives after all others. There are `n_components` filters, or twice as many with
    `add_negatives`.

    Parameters
    ----------
    {kernel_size_doc}
    n_components : int, default=None
        Number of eigenvectors, those of the largest eigenvalues. None takes all, which
        is as many as a window has values: channels times taps.
    add_negatives : bool, default=True
        Whether the negative of each kernel is a kernel, too.
    epsilon : float, default=5e-4
        Number added to each eigenvalue, at least 0, so that directions of hardly any
        variance are not amplified without limit. The default is meant for X with a
        variance near 1. With 0, directions of no variance are not scaled.
    {strides_doc}
    padding : {{"valid", "same", "full"}} or int or tuple, default="valid"
        Zeros added around the map, as in `Conv{ndim}D`. They are part of the windows
        whose covariance is taken.
    {dilation_doc}
    {activation_doc}
    conv_method : {{"auto", "im2col", "winograd", "fft"}}, default="auto"
        Algorithm that computes the sums, as in `Conv{ndim}D`.
    trainable : bool, default=True
        Whether training changes the bias. The kernels are computed either way.

    References
    ----------
    .. [1] T. Page, "hlb-CIFAR10", 2023, https://github.com/tysam-code/hlb-CIFAR10.
    .. [2] K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU",
       arXiv:2404.00498, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import SequentialClassifier
    >>> from skconvnet.layers import Flatten, {name}
    >>> X = np.random.default_rng(0).normal(size={samples}).cumsum(axis=1)
    >>> whiten = {name}(2, add_negatives=False, epsilon=0.0)
    >>> clf = SequentialClassifier([("whiten", whiten), Flatten()])
    >>> clf = clf.initialize(X, np.arange(len(X)) % 2)
    >>> outputs = clf.activations(X, "whiten").reshape(-1, {n_outputs})
    >>> bool(np.allclose(np.cov(outputs.T, bias=True), np.eye({n_outputs})))
    True
    """


@documented(_DOC, samples="(99, 8, 1)", n_outputs="2")
class WhiteningConv1D(_WhiteningConvolution):
    """Convolution that whitens the windows of maps of shape (length, channels)."""

    spatial_ndim: ClassVar[int | None] = 1


@documented(_DOC, samples="(99, 6, 6, 1)", n_outputs="4")
class WhiteningConv2D(_WhiteningConvolution):
    """Convolution that whitens the windows of maps of shape (height, width, channels).

    With its default `epsilon`, `WhiteningConv2D(2)` on images of three colors has the
    24 kernels of the networks in the references.
    """

    spatial_ndim: ClassVar[int | None] = 2


@documented(_DOC, samples="(99, 4, 4, 4, 1)", n_outputs="8")
class WhiteningConv3D(_WhiteningConvolution):
    """Convolution that whitens the windows of maps (depth, height, width, channels)."""

    spatial_ndim: ClassVar[int | None] = 3


class WhiteningConvolutionLayer(ConvolutionLayer):
    """A convolution whose kernel is a buffer with statistics of the training set."""

    keeps_statistics = True

    def __init__(
        self,
        in_shape: Shape,
        selector: AlgorithmSelector,
        n_components: int,
        epsilon: float,
        activation: object,
    ) -> None:
        super().__init__(in_shape, selector, activation)
        self.n_components = n_components
        self.epsilon = epsilon
        self.penalized = ()
        self.buffer_shapes = {"kernel": self.weight_shapes.pop("kernel")}

    @property
    @override
    def matrices(self) -> dict[str, MatrixForm]:
        return {}  # the kernel is not learned

    @override
    def bind(self, weights: NamedArrays, buffers: NamedArrays) -> None:
        # Whatever reads the kernel of a convolution finds it among the weights.
        super().bind({**buffers, **weights}, buffers)

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        return {"bias": np.zeros(self.weight_shapes["bias"])}

    @override
    def initial_buffers(self) -> dict[str, np.ndarray]:
        """Return the kernel that whitens noise of variance 1."""
        n_values = prod(self.buffer_shapes["kernel"][1:])
        return {"kernel": self._kernel(np.eye(n_values), rounding=0.0)}

    @override
    def statistics(
        self, x: np.ndarray, weights: np.ndarray | None
    ) -> tuple[float, np.ndarray, np.ndarray]:
        with np.errstate(over="ignore", invalid="ignore"):
            found = window_moments(x, self.windows, weights)
        if not np.isfinite(found.products).all():
            raise ValueError(
                "the input of a whitening convolution has values up to "
                f"{np.abs(x).max():.3g}, too large for a covariance in double "
                "precision. Divide X by a constant, such as its largest value."
            )
        return found

    @override
    def set_statistics(self, mean: np.ndarray, variance: np.ndarray) -> None:
        kernel = self.buffers["kernel"]
        # Rounding by the layers before this one may have given a constant a variance.
        rounding = float(np.square(np.finfo(kernel.dtype).eps * mean).sum())
        kernel[...] = self._kernel(variance, rounding)

    def _kernel(self, covariance: np.ndarray, rounding: float) -> np.ndarray:
        rows = whitening_rows(covariance, self.n_components, self.epsilon, rounding)
        shape = self.buffer_shapes["kernel"]
        negatives = [-rows] if shape[0] > self.n_components else []
        return np.concatenate([rows, *negatives]).reshape(shape)
