"""Programs: NumPy calls that are worked out once and run many times."""

import weakref

import numpy as np
import pytest

from skconvnet.ops.convolution.winograd import WinogradConvolution
from skconvnet.ops.program import Program
from skconvnet.ops.windows import sliding_windows
from skconvnet.ops.workspace import Workspace


class Doubling:
    """Writes a program that doubles an array, and counts how often it is written."""

    def __init__(self):
        self.workspace = Workspace()
        self.n_written = 0

    def __call__(self, x, key="double"):
        y = self.workspace.array("y", x.shape, x.dtype)

        def write(program):
            self.n_written += 1
            program.add(np.add, x, x, out=y)

        self.workspace.program(key, (x,), write).run()
        return y


def test_calls_run_in_order():
    x, y = np.ones(3), np.zeros(3)
    program = Program()
    program.add(np.add, x, x, out=y)
    program.add(np.multiply, y, y, out=x)
    program.run()
    program.run()
    np.testing.assert_array_equal(x, [64, 64, 64])


def test_a_program_is_written_once_for_the_same_memory():
    double, x = Doubling(), np.ones((4, 3))
    double(x)
    n_written = double.n_written
    x[:] = 5
    np.testing.assert_array_equal(double(x[:]), np.full((4, 3), 10))
    assert double.n_written == n_written


@pytest.mark.parametrize(
    "other",
    [np.full((4, 3), 2.0), np.full((3, 4), 2.0), np.full((4, 3), 2.0, np.float32)],
    ids=["memory", "shape", "dtype"],
)
def test_another_array_gets_a_program_of_its_own(other):
    double, x = Doubling(), np.ones((4, 3))
    double(x)
    np.testing.assert_array_equal(double(other), np.full(other.shape, 4))
    np.testing.assert_array_equal(double(x), np.full((4, 3), 2))


@pytest.mark.parametrize("allocate", ["array", "scratch"])
def test_a_program_is_written_anew_after_an_array_was_replaced(allocate):
    double, x = Doubling(), np.ones((4, 3))
    double(x)
    getattr(double.workspace, allocate)("y", (100,), x.dtype)
    n_written = double.n_written
    np.testing.assert_array_equal(double(x), np.full((4, 3), 2))
    assert double.n_written == n_written + 1


def test_few_programs_are_kept():
    double, x = Doubling(), np.ones((4, 3))
    for key in range(1000):
        double(x, key)
    double.n_written = 0
    double(x, 999)
    assert double.n_written == 0
    double(x, 0)
    assert double.n_written == 1


@pytest.mark.parametrize("thread", [0, 1])
def test_arrays_that_were_replaced_are_freed(thread):
    workspace = Workspace().of_thread(thread)
    replaced = []
    for n in range(1, 6):
        y = workspace.array("y", (n, 100), np.float64)
        y.fill(1)
        replaced.append(weakref.ref(y.base))

        def write(program, y=y):
            program.add(np.add, y, y, out=y)

        workspace.program(n, (), write).run()
        del y, write
    *earlier, last = (reference() is not None for reference in replaced)
    assert last
    assert not any(earlier)


def test_empty_windows_that_come_and_go():
    rng = np.random.default_rng(0)
    windows = sliding_windows((9, 8), 3, 1, "same")
    convolution, workspace = WinogradConvolution(windows, 2, 4), Workspace()
    kernel = rng.normal(size=(4, 2, 3, 3))
    x = np.empty((2, 9, 8, 5))
    full = rng.normal(size=x.shape)
    for is_empty in (False, True, False, True):
        x[:] = full
        if is_empty:
            x[:, :5] = 0
        z, _ = convolution.forward(x, kernel, workspace, train=True)
        fresh = WinogradConvolution(windows, 2, 4)
        expected, _ = fresh.forward(x, kernel, Workspace(), train=True)
        np.testing.assert_array_equal(z, expected)
        assert (z[:, :3] == 0).all() == is_empty


def test_short_runs_are_copied_like_long_ones():
    target, source = (
        np.zeros((100, 32, 4)),
        np.random.default_rng(0).random((100, 16, 4)),
    )
    program = Program()
    program.add_copy(target[:, ::2], source)
    program.run()
    np.testing.assert_array_equal(target[:, ::2], source)
    assert not target[:, 1::2].any()


def test_winograd_is_not_worked_out_again_for_each_micro_batch(monkeypatch):
    n_added = 0
    add = Program.add

    def counting_add(self, *args, **kwargs):
        nonlocal n_added
        n_added += 1
        add(self, *args, **kwargs)

    monkeypatch.setattr(Program, "add", counting_add)
    rng = np.random.default_rng(0)
    convolution = WinogradConvolution(sliding_windows((9, 8), 3, 1, "same"), 2, 4)
    kernel, workspace = rng.normal(size=(4, 2, 3, 3)), Workspace()
    dkernel = np.empty_like(kernel)
    maps = {n: rng.normal(size=(2, 9, 8, n)) for n in (5, 3)}
    gradients = {n: rng.normal(size=(4, 9, 8, n)) for n in maps}

    def both_passes(n):
        z, cache = convolution.forward(maps[n], kernel, workspace, train=True)
        dz = convolution.add_row_padding(gradients[n], workspace)
        dx = convolution.backward(dz, cache, kernel, dkernel, workspace, need_dx=True)
        return z[:, :9, :8].copy(), dx.copy(), dkernel.copy()

    first = {n: both_passes(n) for n in maps}
    for n in maps:
        both_passes(n)
    before = n_added
    for n, expected in first.items():
        for found, array in zip(both_passes(n), expected, strict=True):
            np.testing.assert_array_equal(found, array)
    assert n_added == before
