"""The example `examples/series_networks.py`, with fewer series and epochs."""

import re

import numpy as np
import pytest
from script_tools import load_example, run_example, with_and_without_a_plot


@pytest.fixture(scope="module")
def example():
    module = load_example("series_networks")
    module.N_TRAIN, module.N_TEST = 60, 90
    for name, model in module.MODELS.items():
        if name != "random forest":
            model.set_params(max_iter=12)
    return module


@pytest.fixture(scope="module")
def results(example):
    return {name: example.evaluate(model) for name, model in example.MODELS.items()}


def test_series_have_a_form_of_their_class(example):
    X, y = example.draw(300, 0)
    assert min(map(len, X)) < 100 < 155 < max(map(len, X)) <= 160
    assert {own.shape[1:] for own in X} == {(1,)}
    assert all((y == kind).sum() == 100 for kind in example.CLASSES)
    # The mean of a form is above that of the noise around it.
    assert np.mean([own.mean() for own in X]) > 0.3


@pytest.mark.slow
def test_convolutions_learn_from_few_series(results):
    convolutions = ("FCN", "ResNet", "InceptionTime")
    assert max(results[name].accuracy for name in convolutions) > 0.85
    assert results["random forest"].accuracy > 0.5
    assert all(0 <= result.accuracy <= 1 for result in results.values())


@pytest.mark.slow
@with_and_without_a_plot
def test_series_networks(example, results, draws, monkeypatch, tmp_path, capsys):
    by_model = {id(example.MODELS[name]): result for name, result in results.items()}
    best = max(results["FCN"].accuracy, results["random forest"].accuracy + 0.01)
    by_model[id(example.MODELS["FCN"])] = results["FCN"]._replace(accuracy=best)
    monkeypatch.setattr(example, "evaluate", lambda model: by_model[id(model)])
    run_example(example, draws, tmp_path)
    out = capsys.readouterr().out
    rows = re.findall(r"^  (\S+(?: \S+)?) +([01]\.\d{3})", out, re.M)
    assert [name for name, _ in rows] == list(example.MODELS)
