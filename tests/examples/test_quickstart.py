"""The example `examples/quickstart.py`, on little data."""

import pytest
from script_tools import load_example
from sklearn.base import clone
from sklearn.datasets import load_digits


@pytest.fixture(scope="module")
def quickstart():
    return load_example("quickstart")


@pytest.fixture
def little_model(quickstart):
    return quickstart.make_model().set_params(
        convnet__filters=4,
        convnet__hidden_layer_sizes=8,
        convnet__dropout=0.0,
        convnet__tol=0.5,
        convnet__n_iter_no_change=1,
    )


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


def test_quickstart_cross_validates(quickstart, little_model, digits, capsys):
    accuracies = quickstart.cross_validate(little_model, *digits)
    assert len(accuracies) == 5
    assert f"mean accuracy: {accuracies.mean():.4f}" in capsys.readouterr().out


def test_quickstart_searches_and_reports(
    quickstart, little_model, digits, capsys, monkeypatch
):
    monkeypatch.setattr(
        quickstart, "GRID", {"convnet__filters": [2, 4], "convnet__alpha": [0.0]}
    )
    grid = quickstart.search(little_model, *digits)
    quickstart.report_confusions(grid.best_estimator_, *digits)
    out = capsys.readouterr().out
    assert f"best: alpha=0.0, filters={grid.best_params_['convnet__filters']}" in out
    assert " taken for " in out


def test_quickstart_fails_if_the_loaded_model_differs(
    quickstart, little_model, digits, monkeypatch, capsys
):
    model = little_model.fit(*digits)
    assert quickstart.survives_saving(model, digits[0])
    other = clone(model).set_params(convnet__random_state=1).fit(*digits)
    monkeypatch.setattr(quickstart.joblib, "load", lambda _: other)
    assert not quickstart.survives_saving(model, digits[0])
    assert "DIFFERENT" in capsys.readouterr().out
