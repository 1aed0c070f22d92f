"""Numbers as their positions within bins, from one bin to the next."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import (
    FLOAT_DTYPES,
    _check_feature_names_in,
    check_is_fitted,
    validate_data,
)

from skconvnet._checks import check_int

Rows = npt.NDArray[np.floating[Any]]


class PiecewiseLinearEncoder(TransformerMixin, BaseEstimator):
    """Encode each feature by its position within bins of equal numbers of samples [1]_.

    A bin from a to b becomes the column ``(x - a) / (b - a)``, which is 0 for values
    below the bin and 1 above it. The first bin goes on below its lower edge, and the
    last one above its upper edge. A linear model of these columns is a continuous,
    piecewise linear function of each feature. Perceptrons learn such functions more
    easily than from the number itself.

    The functions are those that `sklearn.preprocessing.SplineTransformer` has with
    ``degree=1, knots="quantile", extrapolation="linear"``, in columns that increase
    with the feature, and features with many equal values are taken as well.

    Parameters
    ----------
    n_bins : int, default=8
        Number of bins of each feature. Features with many equal values have fewer.

    Attributes
    ----------
    bin_edges_ : list of ndarray
        The edges of the bins of each feature, quantiles of the training set.
    n_features_in_ : int
        Number of features seen in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if X was a DataFrame whose columns have strings as names.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical
       features in tabular deep learning", NeurIPS 2022.

    Examples
    --------
    >>> from skconvnet.tabular import PiecewiseLinearEncoder
    >>> encoder = PiecewiseLinearEncoder(n_bins=2).fit([[0.0], [1.0], [5.0]])
    >>> encoder.bin_edges_
    [array([0., 1., 5.])]
    >>> encoder.transform([[-1.0], [0.5], [3.0], [9.0]])
    array([[-1. ,  0. ],
           [ 0.5,  0. ],
           [ 1. ,  0.5],
           [ 1. ,  2. ]])
    """

    def __init__(self, n_bins: int = 8) -> None:
        self.n_bins = n_bins

    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:  # noqa: ARG002  of every transformer
        """Find the edges of the bins.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        self : PiecewiseLinearEncoder
        """
        n_bins = check_int("n_bins", self.n_bins)
        rows: Rows = validate_data(self, X, dtype=FLOAT_DTYPES)
        quantiles = np.quantile(rows, np.linspace(0, 1, n_bins + 1), axis=0)
        self.bin_edges_ = [_distinct(edges) for edges in quantiles.T]
        return self

    def transform(self, X: npt.ArrayLike) -> Rows:
        """Return the positions within the bins.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        positions : ndarray of shape (n_samples, n_bins of all features)
        """
        check_is_fitted(self)
        rows: Rows = validate_data(self, X, dtype=FLOAT_DTYPES, reset=False)
        dtype, counts = rows.dtype, self._n_bins()
        lower, upper = (
            np.concatenate([edges[part] for edges in self.bin_edges_]).astype(dtype)
            for part in (slice(None, -1), slice(1, None))
        )
        last = np.cumsum(counts) - 1
        first = last - counts + 1
        at_least, at_most = np.zeros_like(lower), np.ones_like(lower)
        at_least[first], at_most[last] = -np.inf, np.inf
        widths = upper - lower
        # In the dtype of X, rounding may leave a narrow bin no width.
        widths[widths == 0] = 1
        positions: Rows = np.repeat(rows, counts, axis=1)
        positions -= lower
        positions /= widths
        return np.clip(positions, at_least, at_most, out=positions)

    def get_feature_names_out(
        self, input_features: npt.ArrayLike | None = None
    ) -> npt.NDArray[np.object_]:
        """Return the names of the columns, such as "age_bin0".

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features. None means those seen in fit, or "x0", "x1" and so
            on.

        Returns
        -------
        names : ndarray of str
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        counts = self._n_bins()
        columns = zip(names, counts, strict=True)
        found = [f"{name}_bin{i}" for name, count in columns for i in range(count)]
        return np.array(found, dtype=object)

    def _n_bins(self) -> npt.NDArray[np.intp]:
        """Return the number of bins of each feature."""
        return np.array([len(edges) - 1 for edges in self.bin_edges_], np.intp)


def _distinct(edges: Rows) -> Rows:
    """Return edges in which no bin is empty; a constant has one bin of width 1."""
    found: Rows = np.unique(edges)
    return found if len(found) > 1 else np.append(found, found + 1)
