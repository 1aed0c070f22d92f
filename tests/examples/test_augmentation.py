"""The example `examples/augmentation.py`, on little data."""

import pytest
from script_tools import load_example, run_example, with_and_without_a_plot

import skconvnet.augmentation


@pytest.fixture(scope="module")
def augmentation():
    return load_example("augmentation")


@with_and_without_a_plot
def test_augmentation_example(augmentation, draws, monkeypatch, capsys, tmp_path):
    digits = tuple(a[:120] for a in augmentation.framed_digits())
    monkeypatch.setattr(augmentation, "framed_digits", lambda: digits)
    monkeypatch.setattr(augmentation, "EPOCHS", 2)
    run_example(augmentation, draws, tmp_path)
    out = capsys.readouterr().out
    assert "Grid search on 120 digits" in out
    assert out.count("max_pixels=") == 6


def test_augmentation_example_shows_every_augmentation(augmentation):
    shown = {type(case).__name__ for case in augmentation.SHOWN}
    others = {"Augmentation", "Compose", "Versions"}
    assert shown == set(skconvnet.augmentation.__all__) - others
