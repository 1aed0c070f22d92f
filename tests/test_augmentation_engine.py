"""Augmentation on threads and micro-batches: its bits, draws and allocations."""

import numpy as np
import pytest
from augmentation_tools import EVERY, Recorder, cut_minibatches, images
from engine_tools import peak_allocation
from estimator_cases import data_for, make

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.augmentation import (
    Affine,
    Brightness,
    Compose,
    Contrast,
    Cutout,
    Elastic,
    Flip,
    Mixup,
    Shift,
)
from skconvnet.augmentation.base import Augmenter
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.layers import BatchNorm, Conv2D, Dropout, Flatten
from skconvnet.losses import LogLoss, SquaredError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("case", EVERY, ids=repr)
@pytest.mark.parametrize("cls", [ConvNetClassifier, SequentialRegressor])
def test_same_bits_for_every_number_of_threads(cls, case, monkeypatch):
    cut_minibatches(monkeypatch, 7)
    X, y = data_for(cls)
    params = {"augmentation": case, "batch_size": 25, "max_iter": 3}
    weights = np.linspace(0, 2, len(X))
    one, two, three = (
        make(cls, n_jobs=n, **params).fit(X, y, weights).network_.vector
        for n in (1, 2, 3)
    )
    assert one.tobytes() == two.tobytes() == three.tobytes()
    plain = make(cls, **{**params, "augmentation": None}).fit(X, y, weights)
    assert plain.network_.vector.tobytes() != one.tobytes()


@pytest.mark.parametrize("case", [Shift(2), Mixup(0.5)], ids=repr)
def test_same_bits_with_statistics_of_the_whole_minibatch(case, monkeypatch):
    cut_minibatches(monkeypatch, 7)
    X, y = data_for(SequentialClassifier)
    layers = [Conv2D(3, 3), BatchNorm(), Dropout(0.2), Flatten()]
    params = {"layers": layers, "batch_size": 25, "max_iter": 3}
    vectors = [
        make(SequentialClassifier, augmentation=augmentation, n_jobs=n, **params)
        .fit(X, y, np.linspace(0, 2, len(X)))
        .network_.vector.tobytes()
        for augmentation, n in ((case, 1), (case, 2), (case, 3), (None, 1))
    ]
    assert vectors[0] == vectors[1] == vectors[2] != vectors[3]


def test_each_micro_batch_of_each_update_draws_anew(monkeypatch):
    cut_minibatches(monkeypatch, 10)
    X, y = data_for(ConvNetClassifier)
    recorder = Recorder()
    model = make(ConvNetClassifier, augmentation=recorder, batch_size=30, n_jobs=1)
    model.fit(X, y)
    draws = [draw for _, draw in recorder.seen]
    # Two epochs of two updates of three micro-batches.
    assert len(draws) == 12 == len(set(draws))
    # An epoch sees every sample once.
    seen = np.concatenate([x[0].reshape(36, -1).T for x, _ in recorder.seen[:6]])
    order = np.lexsort(seen.T)
    expected = X.reshape(60, 36)
    np.testing.assert_array_equal(seen[order], expected[np.lexsort(expected.T)])


def test_the_executor_augments_in_training_only():
    X, y = data_for(ConvNetRegressor)
    recorder = Recorder()
    model = make(ConvNetRegressor).initialize(X, y)
    samples = Samples(Inputs(X, (6, 6, 1), "float64"), y[:, np.newaxis])
    gradient = np.empty_like(model.network_.vector)
    augmenter = recorder.build((6, 6, 1))
    with Executor(model.network_, SquaredError(), 1, augmenter) as executor:
        options = {"train": False, "seed": 0}
        executor.loss_and_gradient(samples, slice(0, 60), gradient, **options)
        executor.outputs(samples.inputs)
        assert not recorder.seen
        options["train"] = True
        executor.loss_and_gradient(samples, slice(0, 60), gradient, **options)
        assert recorder.seen


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(
    "case",
    [
        Shift(2),
        Flip(),
        Affine(rotation=10, scaling=0.1, fill="nearest"),
        Elastic(),
        Brightness(),
        Contrast(),
        Cutout(8),
        Mixup(),
        Compose([Shift(2), Elastic(), Cutout(8), Mixup()]),
    ],
    ids=repr,
)
def test_a_step_allocates_no_large_arrays(case, n_threads):
    n, shape = 64, (24, 24, 4)
    X = images(2 * n, shape).astype("float32")
    y = np.arange(2 * n) % 3
    model = SequentialClassifier([Conv2D(4, 3), Flatten()], dtype="float32")
    network = model.initialize(X, y).network_
    targets = np.eye(3, dtype=np.float32)[y]
    samples = Samples(Inputs(X, shape, "float32"), targets)
    gradient = np.empty_like(network.vector)
    augmenter: Augmenter = case.build(shape)
    loss = LogLoss().for_mixtures()
    order = np.random.default_rng(0).permutation(2 * n)
    with Executor(network, loss, n_threads, augmenter) as executor:

        def step(index):
            executor.loss_and_gradient(samples, index, gradient, train=True, seed=0)

        peak = peak_allocation(
            executor, lambda: step(order[:n]), lambda: step(order[n:])
        )
    # The batch has 590 kB. NumPy's buffers for broadcasting two arrays of int64 have
    # 131 kB, whatever their sizes.
    assert peak < 200_000 * n_threads
