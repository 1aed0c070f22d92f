"""What `verbose` prints."""

import re

import pytest
from estimator_cases import ESTIMATORS, N, data_for, make

from skconvnet.training.progress import EpochBar, duration

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
PERCEPTRONS = [cls for cls in ESTIMATORS if cls.__name__.startswith("MLP")]
OTHERS = [cls for cls in ESTIMATORS if cls not in PERCEPTRONS]


def lines_of(capsys):
    out = capsys.readouterr().out.splitlines()
    return [line for line in out if "is read as" not in line]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_nothing_is_printed_by_default(cls, capsys):
    make(cls).fit(*data_for(cls))
    assert not capsys.readouterr().out


@pytest.mark.parametrize("cls", PERCEPTRONS)
def test_perceptrons_print_the_text_of_scikit_learn(cls, capsys):
    make(cls, verbose=True, early_stopping=True).fit(*data_for(cls))
    out = capsys.readouterr().out
    assert "Iteration 1, loss = " in out
    assert "Iteration 2" in out
    assert out.count("Validation score: ") == 2


@pytest.mark.parametrize("cls", OTHERS)
@pytest.mark.parametrize("is_validated", [False, True])
def test_an_aligned_line_an_epoch(cls, is_validated, capsys):
    model = make(cls, verbose=1, max_iter=3, early_stopping=is_validated)
    model.fit(*data_for(cls))
    head, *rows = lines_of(capsys)
    names = head.split()
    assert names == [
        *("epoch", "loss"),
        *(("val_loss", "val_score") if is_validated else ()),
        *("rate", "samples/s", "left"),
    ]
    assert len(rows) == 3
    assert {len(line) for line in [head, *rows]} == {len(head)}
    for epoch, row in enumerate(rows):
        values = dict(zip(names, row.split(), strict=True))
        assert values["epoch"] == f"{epoch + 1}/3"
        assert values["loss"] == f"{model.loss_curve_[epoch]:.4f}"
        assert float(values["rate"]) == pytest.approx(
            model.learning_rate_curve_[epoch], rel=1e-2
        )
        if is_validated:
            assert values["val_score"] == f"{model.validation_scores_[epoch]:.4f}"
            assert values["val_loss"] == f"{model.validation_loss_curve_[epoch]:.4f}"
        assert float(values["samples/s"]) > 0
    assert values["left"] == "0s"


@pytest.mark.rich
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_bar(cls, capsys):
    X, y = data_for(cls)
    model = make(cls, verbose=2, max_iter=4).fit(X, y, X_val=X, y_val=y)
    out = capsys.readouterr().out
    assert cls.__name__ in out
    assert "4/4" in out
    assert "Iteration" not in out
    assert f"val_score {model.validation_scores_[-1]:.4f}" in re.sub(r"\s+", " ", out)


@pytest.mark.rich
def test_a_bar_ends_with_an_error(capsys):
    """An error leaves no thread that redraws the bar."""
    cls = OTHERS[0]
    X, y = data_for(cls)

    def fails(*_):
        raise RuntimeError("no score")

    with pytest.raises(RuntimeError, match="no score"):
        make(cls, verbose=2, scoring=fails).fit(X, y, X_val=X, y_val=y)
    capsys.readouterr()
    make(cls).fit(X, y)
    assert not capsys.readouterr().out


def test_lines_where_rich_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(EpochBar, "is_available", staticmethod(lambda: False))
    cls = OTHERS[0]
    make(cls, verbose=2, max_iter=3).fit(*data_for(cls))
    assert len(lines_of(capsys)) == 4


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0s"),
        (59.7, "1m00s"),
        (61, "1m01s"),
        (3599.6, "1h00m"),
        (90_000, "25h00m"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_speed_counts_all_samples(monkeypatch, capsys):
    seconds = iter(range(100))
    monkeypatch.setattr(
        "skconvnet.training.progress.time.perf_counter", lambda: next(seconds)
    )
    cls = OTHERS[0]
    make(cls, verbose=1, max_iter=3).fit(*data_for(cls))
    rows = [line.split() for line in lines_of(capsys)[1:]]
    assert [(row[-2], row[-1]) for row in rows] == [
        (str(N), "2s"),
        (str(N), "1s"),
        (str(N), "0s"),
    ]
