"""Arrays of samples that stay where they are stored."""

import pickle

import h5py
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skconvnet.shards import ShardedArray

rows = np.arange(60.0).reshape(20, 3)


class Stored:
    """An object with shape, dtype and slicing, which counts the rows that are read."""

    def __init__(self, array, chunks=None):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.n_read = 0
        if chunks is not None:
            self.chunks = chunks

    def __getitem__(self, index):
        assert isinstance(index, slice)
        assert index.step is None
        part = self.array[index]
        self.n_read += len(part)
        return part


def save(folder, parts):
    """Return the paths of .npy files, one for each part."""
    paths = [folder / f"{i}.npy" for i in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        np.save(path, part)
    return paths


def all_of(X):
    return X.read(slice(None))


@given(cuts=st.lists(st.integers(1, 19), max_size=4), shard_size=st.integers(1, 25))
def test_files_follow_one_another(tmp_path_factory, cuts, shard_size):
    parts = [part for part in np.split(rows, sorted(cuts)) if len(part)]
    X = ShardedArray(save(tmp_path_factory.mktemp("parts"), parts), shard_size)
    shards = [X.read_shard(i) for i in range(X.n_shards)]
    assert [len(shard) for shard in shards[:-1]] == [shard_size] * (len(shards) - 1)
    assert_array_equal(np.concatenate(shards), rows)
    assert_array_equal(X.read(np.array([19, 0, 7, 7, 8])), rows[[19, 0, 7, 7, 8]])


@pytest.mark.parametrize(
    "index",
    [slice(3, 9), slice(None, None, -2), [4, 1, 1], np.arange(20) % 3 == 0, [-1]],
)
def test_selections_are_not_read(index):
    stored = Stored(rows)
    X = ShardedArray(stored)[index]
    assert stored.n_read == 0
    assert X.shape == rows[index].shape
    assert_array_equal(all_of(X), rows[index])
    assert_array_equal(all_of(X[[0, -1]]), rows[index][[0, -1]])
    assert_array_equal(all_of(X[slice(None), ...]), rows[index])


def test_an_empty_list_selects_nothing():
    X = ShardedArray(rows)[[]]
    assert X.shape == (0, 3)
    assert all_of(X).shape == (0, 3)


def test_some_samples_of_a_selection_are_read():
    X = ShardedArray(rows)[5:]
    for numbers in ([3, 0, -1], slice(2), np.arange(15) < 3):
        assert_array_equal(X.read(numbers), rows[5:][numbers])


def test_a_sharded_array_is_cut_into_other_shards():
    X = ShardedArray(ShardedArray(rows, 3)[::2], shard_size=7, n_mixed=1)
    assert (X.shard_size, X.n_mixed, X.shape) == (7, 1, (10, 3))
    assert_array_equal(all_of(X), rows[::2])


def test_samples_are_selected_along_one_axis():
    with pytest.raises(IndexError, match=r"an array of one axis.*shape \(2, 1\)"):
        ShardedArray(rows)[[[1], [2]]]


def test_masked_values_are_told():
    masked = np.ma.masked_equal(rows, rows[13, 1])
    X = ShardedArray(masked, shard_size=6)
    assert_array_equal(X.read_shard(0), rows[:6])
    with pytest.raises(ValueError, match="masked values, such as in row 13"):
        X.read_shard(2)


@pytest.mark.parametrize("what", ["text", "objects"])
def test_files_without_numbers_are_named(tmp_path, what):
    path = tmp_path / "0.npy"
    if what == "text":
        path.write_text("1,2,3")
    else:
        np.save(path, np.array([["a", 1]], object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"0\.npy' must be a \.npy file of numbers"):
        ShardedArray(path)


def test_a_number_gives_a_sample():
    X = ShardedArray(Stored(rows))
    assert_array_equal(X[4], rows[4])
    assert_array_equal(X[-1], rows[-1])
    with pytest.raises(IndexError):
        X[20]


def test_only_whole_samples_are_selected():
    with pytest.raises(
        TypeError, match=r"whole samples.* X\[slice.*slice\(None, 2, None"
    ):
        ShardedArray(rows)[:, :2]


@pytest.mark.parametrize(
    ("chunks", "shard_size"),
    [((100, 8), 1000), ((3000, 4), 3000), (((400, 300), (8,)), 800), (None, 1024)],
)
def test_shards_are_whole_chunks_of_about_8_mb(chunks, shard_size):
    large = np.lib.stride_tricks.as_strided(np.zeros(1), (10**4, 1024), (0, 0))
    assert ShardedArray(Stored(large, chunks)).shard_size == shard_size


def test_attributes_are_those_of_an_array():
    X = ShardedArray(rows.astype(np.float32), shard_size=6)
    assert (X.shape, X.ndim, X.size, X.dtype, len(X)) == (
        (20, 3),
        2,
        60,
        np.float32,
        20,
    )
    assert X.n_shards == 4
    assert repr(X) == (
        "ShardedArray(shape=(20, 3), dtype=float32, shard_size=6, n_mixed=4)"
    )


def test_pickled_files_are_opened_again(tmp_path):
    X = ShardedArray(save(tmp_path, [rows[:7], rows[7:]]), 5)[::2]
    assert_array_equal(all_of(pickle.loads(pickle.dumps(X))), rows[::2])


def test_pickled_datasets_of_h5py_are_opened_again(tmp_path):
    path = tmp_path / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_group("a").create_dataset("X", data=rows)
    with h5py.File(path, "r") as file:
        pickled = pickle.dumps(ShardedArray(file["a/X"], 5)[::2])
    assert_array_equal(all_of(pickle.loads(pickled)), rows[::2])
    path.unlink()
    with pytest.raises(OSError, match=r"'/a/X' of .*rows\.h5.*cannot be opened again"):
        pickle.loads(pickled)


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_memory_maps_are_read_and_kept(tmp_path, mode):
    (path,) = save(tmp_path, [rows])
    mapped = np.load(path, mmap_mode=mode)
    if mode != "r":
        mapped[3] = -1
    expected = np.array(mapped)
    X = ShardedArray(mapped[2:], shard_size=6)
    for _ in range(2):
        assert_array_equal(all_of(X), expected[2:])
    assert_array_equal(mapped, expected)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (3, TypeError, "source must be an object with shape, dtype.*got 3"),
        ([1, 2], TypeError, r"source must be .*got \[1, 2\]"),
        ([], ValueError, "at least one path"),
        ([rows], TypeError, r"source must be .*got an object of type list"),
        (scipy.sparse.csr_array(rows), TypeError, "got a sparse matrix.*as a CSR"),
        (np.arange(5), ValueError, r"at least two axes; got shape \(5,\)"),
        (np.array([["a"]]), ValueError, "source must be numeric; got dtype <U1"),
    ],
)
def test_bad_sources_are_refused(source, error, message):
    with pytest.raises(error, match=message):
        ShardedArray(source)


@pytest.mark.parametrize("params", [{"shard_size": 0}, {"n_mixed": 0}])
def test_bad_sizes_are_refused(params):
    (name,) = params
    with pytest.raises(ValueError, match=f"{name} must be .*got 0"):
        ShardedArray(rows, **params)


def test_files_must_fit_to_each_other(tmp_path):
    paths = save(tmp_path, [rows, rows[:, :2]])
    with pytest.raises(ValueError, match=r"1.npy' has rows of shape \(2,\)"):
        ShardedArray(paths)


def test_files_in_fortran_order_are_refused(tmp_path):
    paths = save(tmp_path, [np.asfortranarray(rows)])
    with pytest.raises(ValueError, match=r"0\.npy' is in Fortran order.*ascontiguous"):
        ShardedArray(paths)


def test_a_file_that_shrinks_is_told(tmp_path):
    (path,) = save(tmp_path, [rows])
    X = ShardedArray(path)
    np.save(path, rows[:10])
    with pytest.raises(ValueError, match=r"0\.npy' has fewer rows than.*row 19"):
        X.read_shard(0)


def test_it_is_not_converted_in_silence():
    with pytest.raises(TypeError, match="may be larger than memory"):
        np.asarray(ShardedArray(rows))
