"""The example `examples/mnist_ladder.py`, on a few of scikit-learn's digits."""

import csv
import dataclasses
import itertools
import re

import numpy as np
import pytest
from scipy.special import softmax
from script_tools import load_example
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

N_TRAIN, N_TEST = 400, 100


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Write 8x8 digits, enlarged to 28x28 and from 0 to 255, as a file like MNIST."""
    X, y = load_digits(return_X_y=True)
    images = X[: N_TRAIN + N_TEST].reshape(-1, 8, 8).repeat(3, axis=1).repeat(3, axis=2)
    images = np.pad(images * 15, ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
    path = tmp_path_factory.mktemp("mnist") / "digits.npz"
    train, test = slice(0, N_TRAIN), slice(N_TRAIN, N_TRAIN + N_TEST)
    np.savez(
        path,
        X_train=images[train],
        y_train=y[train],
        X_test=images[test],
        y_test=y[len(images) - N_TEST : len(images)],
    )
    return path


@pytest.fixture
def climb(data, tmp_path, monkeypatch):
    """Return a function that runs the example in a folder of its own."""
    ladder = load_example("mnist_ladder")
    monkeypatch.chdir(tmp_path)
    for name in ("8", "10"):
        rung = ladder.RUNGS[name]
        two = dataclasses.replace(rung, voters=rung.voters[:2])
        monkeypatch.setitem(ladder.RUNGS, name, two)

    def run(*arguments):
        assert ladder.main(["--data", str(data), *arguments]) == 0
        with (tmp_path / "mnist_ladder.csv").open() as file:
            return list(csv.DictReader(file))

    run.module = ladder
    return run


def test_rungs_are_trained_once_and_measured(climb, capsys):
    rows = climb("--rungs", "1", "5x", "--epochs", "4", "--seeds", "0", "1")
    assert [(row["rung"], row["seed"]) for row in rows] == [
        (rung, seed) for rung in ("1", "5x") for seed in "01"
    ]
    assert {row["measured_on"] for row in rows} == {"test"}
    assert min(float(row["accuracy"]) for row in rows) > 60
    counts = {row["rung"]: int(row["weights"]) for row in rows}
    assert counts["1"] == 785 * 100 + 101 * 10
    convolutions = 26 * 20 + (20 * 25 + 1) * 40
    assert counts["5x"] == convolutions + (40 * 4 * 4 + 1) * 100 + 101 * 10
    out = capsys.readouterr().out
    assert re.search(
        r"^5x +set of shifts +99\.37 +\d+\.\d\d +\d+\.\d\d +2 +4 ", out, re.M
    )
    again = climb("--rungs", "1", "--epochs", "4")
    assert again == rows
    assert "epoch" not in capsys.readouterr().out.split("Rung")[1].split("rung")[0]


def test_batch_normalization_adds_no_weights(climb):
    rows = climb("--rungs", "9", "small", "smaller", "--epochs", "1")
    counts = {row["rung"]: int(row["weights"]) for row in rows}
    blocks = [(1, 32, 5), (32, 64, 3), (64, 64, 3), (64, 64, 3), (64, 128, 3)]
    kernels = sum(c_in * c_out * k**2 + c_out for c_in, c_out, k in blocks)
    assert counts["9"] == kernels + 129 * 10
    for name, c in (("small", (6, 8, 10, 10, 12)), ("smaller", (5, 6, 8, 8, 9))):
        kernels = sum(9 * a + a * b + b for a, b in itertools.pairwise(c))
        ends = 10 * c[0] + (4 + 1) * c[-1] + (c[-1] + 1) * 10
        assert counts[name] == ends + kernels


def test_the_threads_are_those_of_blas(climb):
    with threadpool_limits(1):
        (row,) = climb("--rungs", "1", "--epochs", "1")
    assert row["threads"] == "1"


def test_digits_lose_their_slant():
    upright = load_example("_slant").without_slant
    digits = load_digits().images[:20].repeat(3, axis=1).repeat(3, axis=2)
    images = np.pad(digits, ((0, 0), (2, 2), (2, 2)))
    straight = upright(images.reshape(20, -1))
    rows = columns = np.arange(28)
    for image, found in zip(images, straight, strict=True):
        r, c = np.meshgrid(rows, columns, indexing="ij")
        covariance = np.cov(r.ravel(), c.ravel(), aweights=image.ravel())
        slant = covariance[0, 1] / covariance[0, 0]
        center = np.average(r, weights=image)
        for row in rows:
            places = columns + slant * (row - center)
            moved = np.interp(places, columns, image[row], left=0, right=0)
            np.testing.assert_allclose(found[row], moved, atol=1e-3)
    blank = np.zeros((2, 784), np.uint8)
    np.testing.assert_array_equal(upright(blank), blank.reshape(-1, 28, 28))


def test_networks_vote(climb):
    rows = climb("--rungs", "8", "--epochs", "1", "--validate")
    assert [(row["rung"], row["seed"]) for row in rows] == [
        ("7", "0"),
        ("7", "1"),
        ("8", "0"),
    ]
    assert {row["measured_on"] for row in rows} == {"validation"}
    *voters, vote = rows
    for name in ("seconds", "weights"):
        total = sum(float(row[name]) for row in voters)
        assert float(vote[name]) == pytest.approx(total, abs=0.01)


def test_different_networks_vote(climb, monkeypatch):
    changes = {
        "1": {"epochs": 2},
        "2": {"epochs": 1},
        "11": {"epochs": 2, "voters": ("1", "2", "1")},
    }
    for name, change in changes.items():
        rung = dataclasses.replace(climb.module.RUNGS[name], **change)
        monkeypatch.setitem(climb.module.RUNGS, name, rung)
    rows = climb("--rungs", "11", "--seeds", "5")
    assert [(row["rung"], row["seed"], row["epochs"]) for row in rows] == [
        ("1", "5", "2"),
        ("2", "5", "1"),
        ("1", "6", "2"),
        ("11", "5", "2"),
    ]
    rows = climb("--rungs", "11", "--seeds", "5", "--epochs", "1")
    assert {row["epochs"] for row in rows[4:]} == {"1"}
    assert [row["rung"] for row in rows[4:]] == ["1", "1", "11"]


def test_a_network_learns_what_its_teacher_predicts(climb, monkeypatch):
    def next_digit(probabilities, classes):
        likeliest = probabilities.argmax(axis=1)
        rows = np.arange(len(likeliest))
        labels = classes[(likeliest + 1) % 10]
        return climb.module.WeightedLabels(rows, labels, np.ones(len(rows)))

    monkeypatch.setattr(climb.module, "labels_from_probabilities", next_digit)
    taught = dataclasses.replace(climb.module.RUNGS["1"], teacher="5x")
    monkeypatch.setitem(climb.module.RUNGS, "1", taught)
    teacher, pupil = climb("--rungs", "1", "--epochs", "4")
    assert (teacher["rung"], pupil["rung"]) == ("5x", "1")
    assert float(teacher["accuracy"]) > 60
    assert float(pupil["accuracy"]) < 30


def test_labels_are_weighted_by_softened_probabilities():
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=5, size=(50, 4))
    classes = np.array([2, 3, 5, 7])
    found = load_example("_distillation").labels_from_probabilities(
        softmax(scores, axis=1), classes, temperature=3.0
    )
    softened = softmax(scores / 3.0, axis=1)
    kept = np.zeros_like(softened)
    columns = np.searchsorted(classes, found.labels)
    kept[found.sample_indices, columns] = found.sample_weight
    np.testing.assert_array_equal(kept > 0, softened >= 0.005)
    softened[softened < 0.005] = 0
    expected = softened / softened.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(kept, expected, rtol=1e-6, atol=1e-9)


def test_rungs_beyond_the_book_have_no_figure_to_compare_with(climb, capsys):
    rows = climb("--rungs", "10", "--epochs", "1")
    assert [row["rung"] for row in rows] == ["9", "9", "10"]
    assert re.search(
        r"^10 +five of rung 9 vote +\d+\.\d\d +1 ", capsys.readouterr().out, re.M
    )


@pytest.mark.parametrize("rung", ["3", "smaller"])
def test_training_goes_on_after_an_interrupt(climb, monkeypatch, capsys, rung):
    def interrupt(*_):
        raise KeyboardInterrupt

    if teacher := climb.module.RUNGS[rung].teacher:
        climb("--rungs", teacher, "--epochs", "2")
        capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(climb.module.Climb, "_accuracy", interrupt)
        with pytest.raises(KeyboardInterrupt):
            climb("--rungs", rung, "--epochs", "2")
    assert "2/2" in capsys.readouterr().out
    *_, row = climb("--rungs", rung, "--epochs", "2")
    assert row["rung"] == rung
    assert "1/2" not in capsys.readouterr().out


def test_the_ladder_is_drawn(climb, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is optional")
    climb("--rungs", "1", "3", "--epochs", "1", "--plot", "ladder.svg")
    picture = (tmp_path / "ladder.svg").read_text()
    assert "dense 100" in picture
    assert "and 40 filters" in picture


def test_what_is_known_is_shown_without_training_or_models(climb, tmp_path, capsys):
    rows = climb("--rungs", "1", "3", "--epochs", "1", "--seeds", "0", "1")
    for model in (tmp_path / "mnist_ladder_models").iterdir():
        model.unlink()
    capsys.readouterr()
    shown = climb("--show", "--epochs", "1", "--data", "no such file.npz")
    assert shown == rows
    out = capsys.readouterr().out
    assert re.findall(r"^(\d+) .* 2 +1 ", out, re.M) == ["1", "3"]
    assert "Rung" not in out
    with pytest.raises(SystemExit):
        climb("--show", "--epochs", "7")
    assert "has no results" in capsys.readouterr().err


def test_neighbors_are_moved_by_a_pixel():
    mnist = load_example("_mnist")
    image = np.arange(784, dtype=np.uint8).reshape(28, 28)
    X, y = mnist.with_neighbors(image.reshape(1, -1), np.array([3]))
    padded = np.pad(image, 1)
    moved = [padded[1:-1, 1:-1]]
    moved += [padded[2:, 1:-1], padded[:-2, 1:-1], padded[1:-1, 2:], padded[1:-1, :-2]]
    np.testing.assert_array_equal(X.reshape(-1, 28, 28), moved)
    assert y.tolist() == [3] * 5
