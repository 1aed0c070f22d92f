"""Minibatches: which samples, in what order, and how they are read."""

import math

import numpy as np
import pytest
import scipy.sparse

from skconvnet.engine.inputs import Inputs, index_length
from skconvnet.engine.minibatches import Samples, minibatches, resolve_batch_size
from skconvnet.ops.layout import channels_last, copy_maps
from skconvnet.ops.workspace import Workspace


def samples(n, index=None):
    inputs = Inputs(np.arange(2.0 * n).reshape(n, 2), (2,), "float64")
    return Samples(inputs, np.zeros((n, 1)), index=index)


def chosen(batch):
    """Return the samples of a batch, as a list."""
    return (
        list(range(batch.start, batch.stop))
        if isinstance(batch, slice)
        else batch.tolist()
    )


@pytest.mark.parametrize(
    ("mode", "batch_size", "n", "expected"),
    [
        ("bgd", 3, 10, 10),
        ("bgd", "auto", 1000, 1000),
        ("sgd", 3, 10, 1),
        ("sgd", "auto", 1000, 1),
        ("mbgd", 3, 10, 3),
        ("mbgd", 30, 10, 10),
        ("mbgd", "auto", 10, 10),
        ("mbgd", "auto", 1000, 200),
    ],
)
def test_batch_size(mode, batch_size, n, expected):
    assert resolve_batch_size(mode, batch_size, n) == expected


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("index", [None, [2, 3, 5, 7, 11, 13, 17]], ids=["all", "some"])
@pytest.mark.parametrize("mode", ["bgd", "sgd", "mbgd"])
def test_updates_of_an_epoch(mode, index, shuffled):
    given = samples(20, None if index is None else np.array(index))
    n = len(given)
    assert n == (20 if index is None else 7)
    order = np.random.default_rng(0).permutation(n) if shuffled else None
    size = resolve_batch_size(mode, 3, n)
    batches = [chosen(batch) for batch in minibatches(given, order, size)]
    assert len(batches) == {"bgd": 1, "sgd": n, "mbgd": math.ceil(n / 3)}[mode]
    assert {len(batch) for batch in batches[:-1]} <= {size}
    whole = np.arange(20) if index is None else np.array(index)
    expected = whole if order is None else whole[order]
    assert [i for batch in batches for i in batch] == expected.tolist()


def test_index_length():
    assert index_length(slice(3, 8)) == 5
    assert index_length(np.array([4, 4, 1])) == 3


INDICES = [slice(2, 6), np.array([5, 0, 3, 3])]


@pytest.mark.parametrize("index", INDICES, ids=["slice", "array"])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64", "bool"])
@pytest.mark.parametrize("in_shape", [(12,), (6, 2), (2, 3, 2), (1, 2, 3, 2)])
@pytest.mark.parametrize("as_rows", [False, True])
@pytest.mark.parametrize("read_as", ["float32", "float64"])
def test_read(index, dtype, in_shape, as_rows, read_as):
    whole = np.random.default_rng(0).integers(0, 255, (8, *in_shape)).astype(dtype)
    given = whole.reshape(8, -1) if as_rows else whole
    inputs = Inputs(given, in_shape, read_as)
    assert len(inputs) == 8
    x = inputs.read(index, Workspace())
    assert x.dtype == read_as
    assert x.shape == (in_shape[-1], *in_shape[:-1], 4)
    np.testing.assert_array_equal(channels_last(x), whole[index].astype(read_as))


@pytest.mark.parametrize("index", INDICES, ids=["slice", "array"])
@pytest.mark.parametrize("in_shape", [(12,), (2, 3, 2)])
def test_read_only_memory_map(tmp_path, index, in_shape):
    whole = np.random.default_rng(0).integers(0, 255, (8, *in_shape), dtype=np.uint8)
    np.save(tmp_path / "X.npy", whole)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    x = Inputs(mapped, in_shape, "float32").read(index, Workspace())
    np.testing.assert_array_equal(channels_last(x), whole[index])
    assert isinstance(mapped, np.memmap)


@pytest.mark.parametrize("index", INDICES, ids=["slice", "array"])
def test_sparse_rows_stay_sparse(index):
    dense = np.random.default_rng(0).integers(0, 2, (8, 12)).astype(float)
    x = Inputs(scipy.sparse.csr_matrix(dense), (12,), "float64").read(
        index, Workspace()
    )
    assert scipy.sparse.issparse(x)
    np.testing.assert_array_equal(x.toarray(), dense[index].T)


@pytest.mark.parametrize("in_shape", [(4,), (2, 2, 1)])
def test_one_workspace_reads_minibatches_of_any_length(in_shape):
    whole = np.random.default_rng(0).normal(size=(9, *in_shape))
    inputs, workspace = Inputs(whole, in_shape, "float32"), Workspace()
    for index in (np.arange(4), np.arange(9), np.array([8]), slice(1, 3)):
        x = channels_last(inputs.read(index, workspace))
        np.testing.assert_array_equal(x, whole[index].astype("float32"))


@pytest.mark.parametrize(
    "shape", [(70, 100, 9), (3, 7, 2), (500, 3, 40, 2), (1, 4, 3, 2, 2), (9, 1, 5)]
)
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_maps_are_copied_block_by_block(shape, dtype):
    samples = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    n, *spatial, channels = shape
    x = np.full((channels, *spatial, n), np.nan, np.float32)
    copy_maps(samples, channels_last(x))
    np.testing.assert_array_equal(np.moveaxis(x, (0, -1), (-1, 0)), samples)
