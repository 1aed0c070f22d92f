"""The example `examples/overfitting.py`, on little data."""

import pytest
from script_tools import load_example, run_example


@pytest.mark.parametrize(
    "draws",
    [
        pytest.param(False, marks=pytest.mark.slow),
        pytest.param(True, marks=pytest.mark.matplotlib),
    ],
)
def test_overfitting(draws, monkeypatch, tmp_path, capsys):
    example = load_example("overfitting")
    monkeypatch.setattr(example, "SEEDS", (10,))
    if draws:
        monkeypatch.setattr(example, "EPOCHS", 2)
        cures = {cure: example.CURES[cure] for cure in ("none", "early stopping")}
        monkeypatch.setattr(example, "CURES", cures)
    results = {}
    fit = example.fit

    def kept(cure, seed):
        model, results[cure] = fit(cure, seed)
        return model, results[cure]

    monkeypatch.setattr(example, "fit", kept)
    run_example(example, draws, tmp_path)
    out = capsys.readouterr().out
    for cure, result in results.items():
        losses = f"{result.train_loss:12.3f}{result.test_loss:12.3f}{result.gap:12.3f}"
        assert f"{cure:<22}{losses}" in out
    if draws:
        return
    plain = results.pop("none")
    assert plain.train_accuracy > 0.95
    assert plain.gap > 1
    assert len(results) == 8
    for cure, result in results.items():
        assert result.gap < 0.9 * plain.gap, cure
        assert result.test_loss < 0.95 * plain.test_loss, cure
        assert result.test_accuracy > plain.test_accuracy, cure
