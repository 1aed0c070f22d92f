"""How the flat vector is cut into chunks, given its arrays."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skconvnet.engine.parameter_layout import ParameterLayout
from skconvnet.ops.chunking import SMALLEST_WORTH_A_THREAD
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.optimizers import SGD, Lookahead, Muon
from skconvnet.optimizers.layout import WeightArray, cut

FORM = MatrixForm((1, 1, 1))  # which is not looked at


@st.composite
def layouts(draw):
    """Return arrays in a row, of which some are matrices, with different factors."""
    arrays, start = [], 0
    for i in range(draw(st.integers(1, 8))):
        size = draw(st.integers(1, 9))
        matrices = FORM if draw(st.booleans()) else None
        factor = draw(st.sampled_from([0.5, 1.0]))
        position = slice(start, start + size)
        arrays.append(WeightArray(str(i), position, matrices, factor))
        start += size
    return arrays


@given(arrays=layouts(), chunk_size=st.integers(1, 12), whole=st.booleans())
def test_chunks_cover_the_vector_and_respect_arrays(arrays, chunk_size, whole):
    size = arrays[-1].position.stop
    chunks = cut(arrays, size, chunk_size, lambda _: whole)
    ends = [(chunk.position.start, chunk.position.stop) for chunk in chunks]
    assert ends[0][0] == 0
    assert ends[-1][1] == size
    assert all(a[1] == b[0] for a, b in pairwise(ends))
    factors, matrices = np.empty(size), np.zeros(size)
    for array in arrays:
        factors[array.position] = array.rate_factor
        matrices[array.position] = whole and array.matrices is not None
    for chunk in chunks:
        assert (factors[chunk.position] == chunk.rate_factor).all()
        assert (matrices[chunk.position] == (chunk.matrices is not None)).all()
        if chunk.matrices is not None:
            assert chunk.position in [array.position for array in arrays]
        else:
            assert chunk.position.stop - chunk.position.start <= chunk_size


def test_arrays_of_a_network_in_the_order_of_the_vector():
    shapes = {"a/bias": (2,), "a/kernel": (3, 2), "b/kernel": (2, 4)}
    layout = ParameterLayout(shapes, {"a/kernel", "b/kernel"})
    form = MatrixForm.dense((2, 4))
    arrays = layout.arrays({"b/kernel": form, "frozen/kernel": form}, {"a/bias": 0.5})
    assert arrays == [
        WeightArray("a/kernel", slice(0, 6)),
        WeightArray("b/kernel", slice(6, 14), form),
        WeightArray("a/bias", slice(14, 16), None, 0.5),
    ]


@pytest.mark.parametrize("optimizer", [SGD(), Muon(), Lookahead(SGD())], ids=repr)
def test_another_layout_keeps_the_moments(optimizer):
    first = [WeightArray("a", slice(0, 5))]
    second = [WeightArray("a", slice(0, 5), None, 0.0)]
    weights = np.zeros(5)
    optimizer.lay_out(first)
    optimizer.step(weights, np.ones(5), 0.1)
    optimizer.lay_out(second)
    before = weights.copy()
    optimizer.step(weights, np.zeros(5), 0.1)
    np.testing.assert_array_equal(weights, before)
    optimizer.lay_out(first)
    optimizer.step(weights, np.zeros(5), 0.1)
    assert (weights != before).all()


@pytest.mark.parametrize(
    ("half", "uses_threads"),
    [
        (SMALLEST_WORTH_A_THREAD - 1, False),
        (SMALLEST_WORTH_A_THREAD, True),
    ],
)
def test_short_chunks_are_updated_on_one_thread(half, uses_threads):
    calls = []

    def run(n_tasks, task):
        calls.append(n_tasks)
        for i in range(n_tasks):
            task(i, 0)

    optimizer, size = SGD(), 2 * half
    first = WeightArray("a", slice(0, half))
    second = WeightArray("b", slice(half, size), None, 0.5)
    optimizer.lay_out([first, second])
    weights = np.zeros(size, dtype=np.float32)
    optimizer.step(weights, np.ones_like(weights), 0.1, run)
    assert (weights < 0).all()
    assert calls == ([2] if uses_threads else [])
