"""The example `examples/segmentation.py`, on little data."""

import re

import numpy as np
import pytest
from script_tools import load_example, run_example, with_and_without_a_plot

from skconvnet import SequentialClassifier


@pytest.fixture
def segmentation(monkeypatch):
    module = load_example("segmentation")
    for name, value in {"N_TRAIN": 40, "N_TEST": 10, "SIZE": 32}.items():
        monkeypatch.setattr(module, name, value)
    return module


def test_segmentation_draws_cells_that_touch(segmentation):
    images, labels = segmentation.draw_cells(5, 32, np.random.default_rng(0))
    assert images.shape == (5, 32, 32, 1)
    assert labels.shape == (5, 32, 32)
    assert sorted(set(labels.ravel())) == list(segmentation.CLASSES)
    # The light changes from side to side, so the label is not in the value alone.
    cell, other = images[labels == "cell"], images[labels == "background"]
    assert cell.mean() > other.mean()
    assert cell.min() < other.max()


def test_segmentation_windows(segmentation):
    images = np.arange(2 * 6 * 7.0).reshape(2, 6, 7, 1)
    windows = segmentation.windows(images, width=3)
    assert windows.shape == (2 * 6 * 7, 9)
    np.testing.assert_array_equal(windows[:, 4], images.ravel())
    np.testing.assert_array_equal(windows[8], images[0, :3, :3].ravel())


def test_segmentation_u_net_joins_each_size(segmentation):
    images, labels = segmentation.draw_cells(4, 32, np.random.default_rng(0))
    net = SequentialClassifier(segmentation.u_net(4, 2)).initialize(images, labels)
    shapes = [layer.out_shape for layer in net.network_.layers.values()]
    assert shapes == [(32, 32, n) for n in (4, 4, 8, 4, 4, 3)]
    assert net.predict(np.zeros((1, 64, 36, 1))).shape == (1, 64, 36)


@with_and_without_a_plot
def test_segmentation_compares_models(segmentation, draws, tmp_path, capsys):
    run_example(segmentation, draws, tmp_path)
    out = capsys.readouterr().out
    means = {
        name: float(re.search(rf"{name} .*?([\d.]+) +[\d.]+$", out, re.M).group(1))
        for name in ("5x5 windows", "U-Net")
    }
    assert means["U-Net"] > means["5x5 windows"] + 0.1
