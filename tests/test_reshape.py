"""Reshape and Permute against NumPy on samples with the channels last."""

from itertools import permutations
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, compare_with

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv1D, Flatten, Permute, Reshape

FACTORS = st.lists(st.sampled_from([1, 2, 2, 3, 4]), min_size=1, max_size=4)


def assert_is_exactly(forward, backward, spec, x):
    """Compare with a function of NumPy and with what undoes it to the gradient."""
    compare_with(
        forward,
        Bench(spec, x.shape[1:]),
        x,
        lambda _x, dy: [backward(dy)],
        rtol=0,
        atol=0,
    )


def numbered(*shape):
    return np.arange(prod(shape), dtype=float).reshape(shape)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), old=FACTORS, batch=st.integers(1, 3))
def test_reshape_is_that_of_numpy(data, old, batch):
    size = prod(old)
    new, left = [], size
    for _ in range(data.draw(st.integers(0, 3))):
        divisors = [n for n in range(1, left + 1) if left % n == 0]
        new.append(data.draw(st.sampled_from(divisors)))
        left //= new[-1]
    new.insert(data.draw(st.integers(0, len(new))), left)
    given_shape = list(new)
    if data.draw(st.booleans()):
        given_shape[data.draw(st.integers(0, len(new) - 1))] = -1
    x = numbered(batch, *old)
    assert_is_exactly(
        lambda x: x.reshape(batch, *new),
        lambda dy: dy.reshape(x.shape),
        Reshape(tuple(given_shape)),
        x,
    )


@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
def test_permute_is_transpose(ndim):
    x = numbered(2, *(3, 4, 2, 5)[:ndim])
    for dims in permutations(range(1, ndim + 1)):
        axes, back = (0, *dims), (0, *(1 + np.argsort(dims)))
        assert_is_exactly(
            lambda x, axes=axes: x.transpose(axes),
            lambda dy, back=back: dy.transpose(back),
            Permute(dims),
            x,
        )


def test_permute_exchanges_height_and_width():
    layer = Permute((2, 1, 3)).build((28, 30, 3))
    assert layer.out_shape == (30, 28, 3)


@pytest.mark.parametrize("shape", [6, np.int64(6), [6], (np.int32(6),), (-1,)])
def test_forms_of_shape(shape):
    assert Reshape(shape).build((3, 2)).out_shape == (6,)


def test_rows_become_sequences_in_an_estimator():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 24))
    y = (X[:, ::2].sum(axis=1) > 0).astype(int)
    net = SequentialClassifier(
        [Reshape((12, 2)), Conv1D(3, 1), Permute((2, 1)), Flatten()],
        input_shape=(24,),
        learning_rate_init=0.02,
        max_iter=50,
        tol=0,
        n_iter_no_change=100,
        random_state=0,
    )
    with pytest.warns(match="Maximum iterations"):
        net.fit(X, y)
    assert net.score(X, y) > 0.95


@pytest.mark.parametrize(
    ("shape", "error", "words"),
    [
        ((5, 5), ValueError, r"shape must .* 24 of shape \(4, 6\); got \(5, 5\).* 25"),
        ((12,), ValueError, r"shape must .* 24 .*got \(12,\), which holds 12"),
        ((7, -1), ValueError, r"shape must .* got \(7, -1\), in which -1 .* 24 / 7"),
        ((-1, -1), ValueError, r"shape must .* -1 at most once; got \(-1, -1\)"),
        ((0, -1), ValueError, r"shape must .* at least 1.*got \(0, -1\)"),
        ((-2, 12), ValueError, r"shape must .* at least 1.*got \(-2, 12\)"),
        ((), ValueError, r"shape must hold at least one int; got \(\)"),
        ((4.0, 6), TypeError, r"shape must hold ints.*got \(4\.0, 6\)"),
        ((True, 24), TypeError, r"shape must hold ints.*got \(True, 24\)"),
        ("24", TypeError, r"shape must be an int or a sequence.*got '24'"),
        (None, TypeError, r"shape must be an int or a sequence.*got None"),
    ],
)
def test_bad_shape(shape, error, words):
    with pytest.raises(error, match=words):
        Reshape(shape).build((4, 6))


@pytest.mark.parametrize(
    ("dims", "error", "words"),
    [
        ((0, 1), ValueError, r"dims must hold each of 1, 2 once.*\(4, 6\).*\(0, 1\)"),
        ((1, 1), ValueError, r"dims must hold each of 1, 2 once.*got \(1, 1\)"),
        ((1,), ValueError, r"dims must hold each of 1, 2 once.*got \(1,\)"),
        ((3, 1, 2), ValueError, r"dims must hold each of 1, 2 once.*got \(3, 1, 2\)"),
        ((1, 2.0), TypeError, r"dims must hold ints.*got \(1, 2\.0\)"),
        ("21", TypeError, r"dims must be an int or a sequence.*got '21'"),
        (None, TypeError, r"dims must be an int or a sequence.*got None"),
    ],
)
def test_bad_dims(dims, error, words):
    with pytest.raises(error, match=words):
        Permute(dims).build((4, 6))
