"""The benchmark `benchmarks/inference.py`, on little data."""

import pytest
from script_tools import load_benchmark


@pytest.mark.parametrize("peers", [False, pytest.param(True, marks=pytest.mark.torch)])
def test_inference_benchmark(peers, monkeypatch, capsys):
    inference = load_benchmark("inference")
    if not peers:
        monkeypatch.setattr(inference, "torch", None)
        monkeypatch.setattr(inference, "NeuralNetClassifier", None)
    data = inference.data
    monkeypatch.setattr(inference, "data", lambda name, _: data(name, 64))
    assert inference.main(["--rounds", "1", "--networks", "digits"]) == 0
    out = capsys.readouterr().out
    assert ("contiguous/ours" in out) == ("skorch/ours" in out) == peers
    assert "digits, predict_proba of 10000" in out
    assert "import, after sklearn.neural_network:" in out
