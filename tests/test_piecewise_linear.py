"""PiecewiseLinearEncoder against a plain loop, and scikit-learn's splines."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from skconvnet.tabular import PiecewiseLinearEncoder


@parametrize_with_checks([PiecewiseLinearEncoder()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def oracle(x, edges):
    """Return the positions of one number within the bins of its feature."""
    positions = []
    last = len(edges) - 2
    for i, (a, b) in enumerate(pairwise(edges)):
        position = (x - a) / (b - a)
        if x < a and i > 0:
            position = 0.0
        if x > b and i < last:
            position = 1.0
        positions.append(position)
    return positions


@settings(max_examples=40, deadline=None)
@given(
    n_bins=st.integers(1, 9),
    n_features=st.integers(1, 5),
    n_values=st.integers(1, 30),
    seed=st.integers(0, 999),
)
def test_positions_are_the_oracles(n_bins, n_features, n_values, seed):
    rng = np.random.default_rng(seed)
    # Few values have many ties, or are a constant.
    X = rng.integers(0, n_values, (20, n_features)) / 4
    encoder = PiecewiseLinearEncoder(n_bins).fit(X)
    X_new = rng.uniform(-3, n_values, (7, n_features))
    expected = [
        [p for x, edges in zip(row, encoder.bin_edges_, strict=True)
         for p in oracle(x, edges)]
        for row in X_new
    ]  # fmt: skip
    np.testing.assert_allclose(encoder.transform(X_new), expected, atol=1e-12)
    for edges, values in zip(encoder.bin_edges_, X.T, strict=True):
        assert (np.diff(edges) > 0).all()
        assert edges[0] == values.min()


def test_linear_models_are_those_of_linear_splines():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = np.sin(2 * X[:, 0]) + X[:, 1] ** 2
    splines = SplineTransformer(7, 1, knots="quantile", extrapolation="linear")
    X_new = rng.normal(0, 2, size=(50, 2))
    one, two = (
        make_pipeline(encoder, LinearRegression()).fit(X, y).predict(X_new)
        for encoder in (PiecewiseLinearEncoder(6), splines)
    )
    np.testing.assert_allclose(one, two, rtol=1e-8, atol=1e-8)


def test_names_and_dtypes_are_kept():
    X = pd.DataFrame({"age": [1.0, 2, 3, 4], "same": [5.0, 5, 5, 5]}, dtype="float32")
    encoder = PiecewiseLinearEncoder(3).fit(X)
    names = ["age_bin0", "age_bin1", "age_bin2", "same_bin0"]
    assert list(encoder.get_feature_names_out()) == names
    assert encoder.transform(X).dtype == np.float32
    frame = encoder.set_output(transform="pandas").transform(X)
    assert list(frame.columns) == names
    np.testing.assert_array_equal(frame["same_bin0"], 0)


def test_edges_that_rounding_makes_equal():
    # The number after 2e7 in single precision is 2e7 + 2.
    same = np.full((4, 1), 2e7, "float32")
    np.testing.assert_array_equal(
        PiecewiseLinearEncoder().fit(same).transform(same + 4), 4
    )
    near = np.array([[1.0], [1 + 1e-12], [1 + 2e-12]])
    encoder = PiecewiseLinearEncoder(2).fit(near)
    np.testing.assert_array_equal(encoder.transform(near.astype("float32")), 0)


@pytest.mark.parametrize(("n_bins", "error"), [(0, ValueError), (2.5, TypeError)])
def test_wrong_numbers_of_bins(n_bins, error):
    with pytest.raises(error, match=f"n_bins must be.*got {n_bins}"):
        PiecewiseLinearEncoder(n_bins).fit([[1.0], [2.0]])
