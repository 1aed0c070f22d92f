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
        remedies = {
            remedy: example.REMEDIES[remedy] for remedy in ("none", "early stopping")
        }
        monkeypatch.setattr(example, "REMEDIES", remedies)
    results = {}
    fit = example.fit

    def kept(remedy, seed):
        model, results[remedy] = fit(remedy, seed)
        return model, results[remedy]

    monkeypatch.setattr(example, "fit", kept)
    run_example(example, draws, tmp_path)
    out = capsys.readouterr().out
    for remedy, result in results.items():
        losses = f"{result.train_loss:12.3f}{result.test_loss:12.3f}{result.gap:12.3f}"
        assert f"{remedy:<22}{losses}" in out
    if draws:
        return
    plain = results.pop("none")
    assert plain.train_accuracy > 0.95
    assert plain.gap > 1
    assert len(results) == 8
    for remedy, result in results.items():
        assert result.gap < 0.9 * plain.gap, remedy
        assert result.test_loss < 0.95 * plain.test_loss, remedy
        assert result.test_accuracy > plain.test_accuracy, remedy
