"""Means of predictions on several threads, and the memory that they take."""

import numpy as np
import pytest
from augmentation_tools import cut_minibatches, images, versions_of
from engine_tools import peak_allocation
from estimator_cases import data_for, make

from skconvnet import SequentialClassifier
from skconvnet.augmentation import Versions
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.version_mean import VersionMean
from skconvnet.layers import Conv2D, Flatten
from skconvnet.losses import LogLoss

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("case", ["mirror+shifts", Versions(vertical=True, shifts=2)])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_same_bits_for_every_number_of_threads(case, size, monkeypatch):
    cut_minibatches(monkeypatch, size)
    X, y = data_for(SequentialClassifier)
    model = make(SequentialClassifier, predict_augmentation=case).fit(X, y)
    scores = []
    for n_threads in (1, 2, 3):
        means = {(6, 6, 1): VersionMean(versions_of(case).build((6, 6, 1)))}
        executor = Executor(
            model.network_, LogLoss(), n_threads, min_flops_for_threads=0
        )
        with executor:
            inputs = Inputs(X, (6, 6, 1), model.network_.dtype)
            scores.append(executor.outputs(inputs, scores=True, means=means))
    assert scores[0].tobytes() == scores[1].tobytes() == scores[2].tobytes()
    np.testing.assert_array_equal(model.decision_function(X), scores[0])


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_prediction_allocates_no_large_arrays(n_threads):
    shape = (24, 24, 4)
    X = images(256, shape).astype("float32")
    model = SequentialClassifier([Conv2D(4, 3), Flatten()], dtype="float32")
    network = model.initialize(X, np.arange(256) % 3).network_
    inputs = Inputs(X, shape, "float32")
    means = {shape: VersionMean(Versions(vertical=True, shifts=2).build(shape))}
    executor = Executor(network, LogLoss(), n_threads, min_flops_for_threads=0)
    with executor:

        def predict():
            executor.outputs(inputs, scores=True, means=means)

        peak = peak_allocation(executor, predict, predict)
    # The samples have 2.4 MB, and those of a micro-batch 590 kB.
    assert peak < 200_000 * n_threads
