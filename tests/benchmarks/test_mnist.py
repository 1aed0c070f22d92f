"""The benchmark `benchmarks/mnist.py`, on little data."""

import numpy as np
import pytest
import sklearn.datasets
from script_tools import load_benchmark

pytest.importorskip("resource", reason="resource is for Unix alone")


@pytest.fixture(scope="module")
def mnist():
    return load_benchmark("mnist")


@pytest.mark.parametrize("batch_mode", ["mbgd", "bgd", "sgd"])
def test_mnist_benchmark(mnist, mnist_file, batch_mode, monkeypatch, capsys):
    # 60 images are fewer than a batch.
    monkeypatch.setattr(mnist, "BATCH", 16)
    argv = ["--data", str(mnist_file), "--epochs", "2"]
    mnist.main([*argv, "--batch-mode", batch_mode])
    out = capsys.readouterr().out
    assert "training (60, 28, 28) uint8" in out
    assert "peak memory of the process" in out


def test_mnist_network_is_the_classical_one(mnist, mnist_file):
    X, y, *_ = mnist.load(mnist_file)
    model = mnist.make_model("mbgd", 0, None).initialize(X, y)
    shapes = {name: array.shape for name, array in model.get_weights().items()}
    assert shapes == {
        "conv1/kernel": (20, 1, 5, 5),
        "conv1/bias": (20,),
        "conv2/kernel": (40, 20, 5, 5),
        "conv2/bias": (40,),
        "dense1/kernel": (640, 100),
        "dense1/bias": (100,),
        "output/kernel": (100, 10),
        "output/bias": (10,),
    }
    assert model.network_.dtype == np.float32


def test_mnist_is_fetched_without_data(mnist, monkeypatch):
    def fetch_openml(name, return_X_y, as_frame):
        assert name == "mnist_784"
        assert return_X_y
        assert not as_frame
        labels = (np.arange(70_000) % 10).astype(str).astype(object)
        return np.zeros((70_000, 784), dtype=np.uint8), labels

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch_openml)
    X_train, y_train, X_test, y_test = mnist.load(None)
    assert X_train.shape == (60_000, 28, 28)
    assert X_test.shape == (10_000, 28, 28)
    assert X_train.dtype == np.uint8
    assert y_train[:3].tolist() == [0, 1, 2]
    assert len(y_test) == 10_000
