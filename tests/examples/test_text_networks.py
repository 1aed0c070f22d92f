"""The example `examples/text_networks.py`, on little data."""

import re

import numpy as np
import pytest
from script_tools import load_example


@pytest.fixture
def networks(monkeypatch):
    """Load the example, and let it read texts about land and sea."""
    rng = np.random.default_rng(0)
    labels = rng.choice(["land", "sea"], 600, p=[0.6, 0.4])
    own = {"land": ["hill", "road", "tree"], "sea": ["ship", "wave", "tide"]}
    common = ["the", "old", "under", "moon", "comes", "goes"]

    def text(label):
        sentences = [rng.choice([*own[label], *common], 6) for _ in range(3)]
        return ". ".join(map(" ".join, sentences))

    texts = np.array([text(label) for label in labels], dtype=object)
    module = load_example("text_networks")
    monkeypatch.setattr(module, "read_texts", lambda: (texts, labels, np.arange(600)))
    return module


def test_every_network_learns_more_than_to_guess(networks, capsys):
    assert networks.main(["--texts", "400"]) == 0
    out = capsys.readouterr().out
    assert "300 texts to learn from, 100 of other files" in out
    rows = re.findall(
        r"^  (\S+) +([01]\.\d{3})(?: +(\d+))? +[\d.]+ +([\d,]+)$", out, re.M
    )
    assert [name for name, *_ in rows] == list(networks.MODELS)
    assert min(float(accuracy) for _, accuracy, *_ in rows) > 0.9
    for name, _, epochs, n_weights in rows:
        assert bool(epochs) == (name != "TF-IDF")
        table = 32 * (30_000 if name == "FastText" else 10_000)
        assert int(n_weights.replace(",", "")) > table or name == "TF-IDF"


def test_models_can_be_chosen(networks, capsys):
    assert networks.main(["--models", "TF-IDF", "FastText"]) == 0
    out = capsys.readouterr().out
    assert out.index("TF-IDF") < out.index("FastText")
    assert "HAN" not in out
    with pytest.raises(SystemExit):
        networks.main(["--models", "BERT"])
