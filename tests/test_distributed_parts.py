"""The parts of training on shards: files, compressed vectors, parts that wait."""

import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from skconvnet import ConvNetClassifier, MLPClassifier
from skconvnet.distributed import fit
from skconvnet.distributed.compression import compress, dtype_of, expand
from skconvnet.distributed.part_in_progress import Exchange, PartInProgress
from skconvnet.distributed.pools import LocalPool, LostResultsError
from skconvnet.distributed.process import process

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 4))
y = (X[:, 0] > 0).astype(int)


def mlp():
    return MLPClassifier((3,), max_iter=2, batch_size=10, random_state=0)


def parts(n=3):
    return list(zip(np.array_split(X, n), np.array_split(y, n), strict=True))


def weights_of(shards, **params):
    with pytest.warns(match="hasn't converged"):
        return fit(mlp(), shards, **params).network_.vector


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        st.integers(0, 20),
        elements=st.floats(-(2.0**90), 2.0**90, width=32),
    )
)
def test_half_precision_has_an_error_of_the_size_of_the_largest_number(vector):
    packed = compress(vector, "float16")
    assert packed.values.dtype == np.float16
    assert dtype_of(packed) == "float16"
    back = expand(packed)
    assert back.dtype == vector.dtype
    largest = np.abs(vector).max(initial=0)
    error = np.abs(back - vector)
    # Eleven bits, and a smallest step of 2 ** -24.
    assert (
        error <= np.maximum(np.abs(vector) / 2**11, largest * 2.0**-25) * 1.001
    ).all()


def test_vectors_are_left_alone_or_keep_what_is_not_finite():
    vector = np.array([1.0, np.nan])
    assert compress(vector, None) is vector
    assert dtype_of(vector) is None
    assert np.isnan(expand(compress(vector, "float16"))[1])


def two_barriers(log):
    def run(gather):
        first = gather([1])
        log.append(first)
        second = gather([10, 20])
        log.append(second)
        return sum(first) + sum(second)

    return run


def test_a_part_stops_at_each_barrier():
    log = []
    part = PartInProgress(two_barriers(log))
    assert part.advance([]) == Exchange([1])
    assert part.advance([[1, 2]]) == Exchange([10, 20])
    assert part.advance([[1, 2]]) == Exchange([10, 20])  # asked again
    assert part.advance([[1, 2], [10, 20, 30]]) == 63
    assert not part.can_advance([[1, 2]])
    assert log == [[1, 2], [10, 20, 30]]


def test_a_part_catches_up_elsewhere():
    assert PartInProgress(two_barriers([])).advance([[1, 2], [3]]) == 6


def test_errors_of_a_part_are_raised():
    def run(gather):
        gather([])
        raise ZeroDivisionError("inside")

    part = PartInProgress(run)
    part.advance([])
    with pytest.raises(ZeroDivisionError, match="inside"):
        part.advance([[]])


def test_the_thread_of_an_abandoned_part_ends():
    before = threading.active_count()
    part = PartInProgress(two_barriers([]))
    part.advance([])
    assert threading.active_count() == before + 1
    part.abandon()
    part._thread.join(timeout=10)  # noqa: SLF001  there is no other way to see it
    assert threading.active_count() == before


def test_what_a_part_gives_is_copied():
    own = np.zeros(2)
    part = PartInProgress(lambda gather: gather([own]))
    given_away = part.advance([]).own[0]
    own += 1
    assert_array_equal(given_away, [0, 0])


def images_and_labels():
    images = X.reshape(30, 2, 2, 1)
    return list(zip(np.array_split(images, 3), np.array_split(y, 3), strict=True))


def convnet():
    return ConvNetClassifier(
        (3,), kernel_size=1, batch_size=10, max_iter=2, random_state=0
    )


def fail_at(monkeypatch, n, error):
    """Have an error raised in place of the results that are gathered as number n."""
    gather, n_calls = LocalPool.gather, 0

    def failing(self, promises):
        nonlocal n_calls
        n_calls += 1
        if n_calls == n:
            raise error
        return gather(self, promises)

    monkeypatch.setattr(LocalPool, "gather", failing)


# The results of the shards and of their statistics are gathered first. Then an update
# has two exchanges, for batch normalization, and its result.
@pytest.mark.parametrize("n", range(1, 9))
def test_an_update_that_is_made_again_has_the_same_bits(monkeypatch, n):
    plain = fit(convnet(), images_and_labels())
    fail_at(monkeypatch, n, LostResultsError("a worker is lost"))
    own = fit(convnet(), images_and_labels())
    assert_array_equal(plain.network_.vector, own.network_.vector)


@pytest.mark.parametrize("n", range(3, 9))
def test_nothing_is_kept_after_an_error(monkeypatch, n):
    before = set(threading.enumerate())
    fail_at(monkeypatch, n, OSError("the disk is gone"))
    with pytest.raises(OSError, match="the disk is gone"):
        fit(convnet(), images_and_labels())
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
        assert not thread.is_alive()
    assert not process.free
    assert not process.parts


@pytest.mark.parametrize("how", ["folder", "list", "pairs"])
def test_files_are_shards(tmp_path, how):
    shards = parts()
    for i, (own, labels) in enumerate(shards):
        if how == "pairs":
            np.save(tmp_path / f"X_{i}.npy", own)
            np.save(tmp_path / f"y_{i}.npy", labels)
        else:
            np.savez(tmp_path / f"{i}.npz", X=own, y=labels)
    source = {
        "folder": tmp_path,
        "list": sorted(tmp_path.glob("*.npz")),
        "pairs": str(tmp_path),
    }[how]
    assert_array_equal(weights_of(source), weights_of(shards))
    if how == "pairs":
        names = [(tmp_path / f"X_{i}.npy", tmp_path / f"y_{i}.npy") for i in range(3)]
        assert_array_equal(weights_of(names), weights_of(shards))


def test_files_may_hold_weights(tmp_path):
    weights = rng.uniform(size=30)
    shards = [(*own, w) for own, w in zip(parts(), np.split(weights, 3), strict=True)]
    for i, (own, labels, w) in enumerate(shards):
        np.savez(tmp_path / f"{i}.npz", X=own, y=labels, sample_weight=w)
    assert_array_equal(weights_of(tmp_path), weights_of(shards))
    assert (weights_of(tmp_path) != weights_of(parts())).any()


@pytest.mark.distributed
def test_parquet_files_are_shards(tmp_path):
    for i, (own, labels) in enumerate(parts()):
        frame = pd.DataFrame(own, columns=list("abcd")).assign(kind=labels)
        frame.to_parquet(tmp_path / f"{i}.parquet")
    assert_allclose(weights_of(tmp_path, target="kind"), weights_of(parts()))
    with pytest.raises(ValueError, match=r"has no column 'y'.*'kind'.*target="):
        fit(mlp(), tmp_path)


def save_npz(folder, **arrays):
    np.savez(folder / "0.npz", **arrays)


def save_npy(folder, *names):
    for name in names:
        np.save(folder / name, X)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "must have shards of one kind.*has none"),
        (lambda folder: save_npz(folder, X=X), r"must have arrays X and y.*\['X'\]"),
        (
            lambda folder: save_npy(folder, "X_1.npy", "y_2.npy"),
            "a file y.* for each X",
        ),
        (
            lambda folder: (save_npz(folder, X=X, y=y), save_npy(folder, "X.npy")),
            "must have shards of one kind",
        ),
    ],
)
def test_folders_that_do_not_fit_are_told(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(ValueError, match=message):
        fit(mlp(), tmp_path)


def test_single_files_are_not_folders(tmp_path):
    save_npz(tmp_path, X=X, y=y)
    with pytest.raises(ValueError, match=r"which is not a folder.*list of paths"):
        fit(mlp(), tmp_path / "0.npz")
    with pytest.raises(ValueError, match=r"shards\[0\] is .*must be an .npz file"):
        fit(mlp(), [tmp_path / "0.csv"])
