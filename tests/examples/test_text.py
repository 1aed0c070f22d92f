"""The example `examples/text.py`, on little data."""

from pathlib import Path

import numpy as np
import pytest
from script_tools import load_example
from sklearn.base import clone


@pytest.fixture(scope="module")
def text():
    return load_example("text")


def test_texts_of_the_examples():
    docstrings = load_example("_docstrings")
    kept = docstrings.prose(
        "Wrap scikit-learn's np.dot.\n\n>>> numpy.dot\n.. note:: SciPy"
    )
    assert kept.split() == ["Wrap", "'s", ".dot."]
    texts, labels, files = docstrings.read_texts(["joblib", "skconvnet"])
    assert len(set(texts)) == len(texts) == len(labels) == len(files) > 100
    assert set(labels) == {"joblib", "skconvnet"}
    assert all(
        Path(file).parts[0] == label
        and not docstrings.SKIPPED.intersection(Path(file).parts)
        for file, label in zip(files, labels, strict=True)
    )


def test_text_example_compares_models(text, capsys):
    rng = np.random.default_rng(0)
    labels = rng.choice(["land", "sea"], 200, p=[0.6, 0.4])
    own = {"land": ["hill", "road", "tree"], "sea": ["ship", "wave", "tide"]}
    common = ["the", "old", "under", "moon", "comes", "goes"]
    texts = [" ".join(rng.choice([*own[label], *common], 12)) for label in labels]
    files = np.arange(200) // 4
    # On so little data networks do better without a validation set.
    params = {"net__early_stopping": False, "net__tol": 0.01, "net__batch_size": 16}
    models = {
        name: model if "TF-IDF" in name else clone(model).set_params(**params)
        for name, model in text.MODELS.items()
    }
    data = np.array(texts, dtype=object), labels, files
    fitted, accuracies, guess = text.compare(models, *data)
    assert 0.5 < guess < 0.7
    assert min(accuracies.values()) > 0.9
    text.answer(fitted["TextCNN"], ["The old ship on the wave under the moon"])
    out = capsys.readouterr().out
    assert f"TextCNN                      {accuracies['TextCNN']:13.3f}" in out
    assert "The old ship on the wave under the moon\n    land 0." in out
