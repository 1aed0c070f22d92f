"""Padded arrays: to sequences, and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv1D, GlobalMaxPool
from skconvnet.series import from_padded, to_padded

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=5)


def sequences(lengths, n_channels=2):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(length, n_channels)) for length in lengths]


def assert_same(found, expected):
    assert [x.shape for x in found] == [x.shape for x in expected]
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(own, other)


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 3), st.sampled_from(["nan", "lengths", "mask"]))
def test_what_was_padded_comes_back(lengths, n_channels, by):
    X = sequences(lengths, n_channels)
    padded = to_padded(X, fill=np.nan if by == "nan" else -1.0)
    assert padded.shape == (len(X), max(lengths), n_channels)
    given = {}
    if by == "lengths":
        given = {"lengths": lengths}
    if by == "mask":
        given = {"mask": np.arange(max(lengths)) < np.array(lengths)[:, np.newaxis]}
    found = from_padded(padded, **given)
    assert isinstance(found, list) == (len(set(lengths)) > 1)
    assert_same(found, X)
    assert all(np.shares_memory(x, padded) for x in found)


@settings(deadline=None)
@given(arrays(bool, (3, 5)))
def test_a_mask_has_one_run_of_steps(mask):
    X = np.arange(15.0).reshape(3, 5, 1)
    runs = ["".join("x" if m else " " for m in row).split() for row in mask]
    if all(len(run) == 1 for run in runs):
        found = from_padded(X, mask=mask)
        assert_same(found, [x[m] for x, m in zip(X, mask, strict=True)])
        return
    with pytest.raises(ValueError, match=r"mask\[\d\] (is False at step|has no True)"):
        from_padded(X, mask=mask)


def test_padding_before_the_steps():
    mask = np.array([[0, 0, 1], [0, 1, 1]])
    X = np.arange(6.0).reshape(2, 3, 1)
    assert_same(from_padded(X, mask=mask), [X[0, 2:], X[1, 1:]])
    assert from_padded(X, mask=[[0, 1, 1]] * 2).tolist() == X[:, 1:].tolist()


def test_nan_between_steps_is_no_padding():
    X = np.array([[1, np.nan, 3, np.nan], [np.nan, 2, np.nan, np.nan]])
    found = from_padded(X)
    assert_same(found, [X[0, :3, np.newaxis], X[1, :2, np.newaxis]])
    X = np.array([[[1, 2], [np.nan, 4], [np.nan, np.nan]]])
    assert from_padded(X).shape == (1, 2, 2)


def test_padding_may_hold_anything():
    X = np.array([[[1.0], [np.nan], [np.inf]], [[2.0], [3.0], [np.nan]]])
    found = from_padded(X, lengths=[1, 2])
    model = SequentialClassifier([Conv1D(2, 1), GlobalMaxPool()], max_iter=1, tol=1e9)
    with np.errstate(all="raise"):
        model.initialize(found, ["a", "b"])
    assert model.predict(found).shape == (2,)


def test_other_dtypes():
    tokens = np.array([[3, 1, 0], [2, 0, 0]], dtype=np.uint8)
    assert from_padded(tokens).dtype == np.uint8
    assert from_padded(tokens).shape == (2, 3, 1)
    assert [x.dtype for x in from_padded(tokens, lengths=[2, 1])] == [np.uint8] * 2
    assert to_padded(sequences([2, 1])).dtype == np.float64
    small = [x.astype(np.float32) for x in sequences([2, 1])]
    assert to_padded(small).dtype == np.float32
    ints = to_padded([[1, 2, 3], [4]], fill=0)
    assert ints.dtype.kind == "i"
    assert ints[..., 0].tolist() == [[1, 2, 3], [4, 0, 0]]
    assert np.isnan(to_padded([[1, 2], [4]])[1, 1, 0])


X = np.ones((2, 3, 1))
ERRORS = [
    ({"lengths": [1, 2, 3]}, r"lengths must have shape \(2,\).*shape \(3,\)"),
    ({"lengths": [1.0, 2.0]}, r"an int for each sample.*dtype float64"),
    ({"lengths": [1, 4]}, r"between 1 and 3, the length of X; lengths\[1\] is 4"),
    ({"lengths": [0, 3]}, r"between 1 and 3, the length of X; lengths\[0\] is 0"),
    ({"mask": np.ones((2, 2), bool)}, r"mask must have shape \(2, 3\).*\(2, 2\)"),
    ({"mask": np.ones((2, 3, 1), bool)}, r"mask must have shape \(2, 3\)"),
    ({"mask": [[1, 2, 0]] * 2}, r"mask must be bool, or consist of 0 and 1"),
    ({"mask": [["a"] * 3] * 2}, r"mask must be bool, or consist of 0 and 1"),
    (
        {"mask": [[True] * 3, [True, False, True]]},
        r"mask\[1\] is False at step 1 and True after it.*next to each other",
    ),
    ({"mask": [[True] * 3, [False] * 3]}, r"mask\[1\] has no True.*at least one step"),
    ({"lengths": [1, 2], "mask": [[True] * 3] * 2}, "lengths or mask, but not both"),
]


@pytest.mark.parametrize(("params", "message"), ERRORS)
def test_errors(params, message):
    with pytest.raises(ValueError, match=message):
        from_padded(X, **params)


def test_errors_of_arrays():
    with pytest.raises(ValueError, match=r"\(n, length, channels\).*got \(3,\)"):
        from_padded(np.ones(3))
    with pytest.raises(ValueError, match=r"without an axis of length 0"):
        from_padded(np.ones((3, 0, 1)))
    with pytest.raises(ValueError, match=r"X must be numeric"):
        from_padded([["a", "b"]])
    with pytest.raises(ValueError, match=r"X must be one array, but its parts have"):
        from_padded([[1, 2], [3]])
    spoilt = X.copy()
    spoilt[1] = np.nan
    with pytest.raises(ValueError, match=r"X\[1\] has no value but NaN.*Leave such"):
        from_padded(spoilt)


def test_errors_of_sequences():
    with pytest.raises(ValueError, match="at least one sequence; got none"):
        to_padded([])
    with pytest.raises(ValueError, match=r"sequences\[0\] has 2, and sequences\[1\] h"):
        to_padded([np.ones((3, 2)), np.ones((3, 1))])
    with pytest.raises(ValueError, match=r"sequences\[1\] must have shape \(length, c"):
        to_padded([np.ones((3, 2)), np.ones((3, 2, 1))])
    with pytest.raises(ValueError, match=r"sequences\[0\] must be numeric"):
        to_padded([["a"]])
    with pytest.raises(TypeError, match="fill must be a number; got None"):
        to_padded([[1]], fill=None)


def test_masked_values_are_padding():
    tokens = np.array([[3, 1, 9], [2, 9, 9]])
    found = from_padded(np.ma.masked_equal(tokens, 9))
    assert [x[:, 0].tolist() for x in found] == [[3, 1], [2]]
    X = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    mask = np.zeros(X.shape, bool)
    mask[0, 2] = mask[1, 0, 1] = True
    found = from_padded(np.ma.array(X, mask=mask))
    assert [x.dtype for x in found] == [np.float32] * 2
    X[1, 0, 1] = np.nan  # missing, but no padding
    assert_same(found, [X[0, :2], X[1]])
    whole = from_padded(np.ma.array(X, mask=False))
    np.testing.assert_array_equal(whole, X)
    model = SequentialClassifier([Conv1D(2, 1), GlobalMaxPool()])
    for masked in (np.ma.masked_equal(tokens, 9), np.ma.array(X, mask=mask)):
        with pytest.raises(ValueError, match=r"^X has masked values, such as X\[0, 2"):
            model.fit(masked, ["a", "b"])
