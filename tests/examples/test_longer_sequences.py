"""The example `examples/longer_sequences.py`."""

import pytest
from script_tools import load_example, run_example, with_and_without_a_plot


@pytest.fixture(scope="module")
def longer():
    return load_example("longer_sequences")


@pytest.fixture(scope="module")
def results(longer):
    return {
        name: {own: longer.scores_by_length(task, own) for own in longer.LAYERS}
        for name, task in longer.TASKS.items()
    }


@pytest.mark.slow
def test_a_memory_solves_lengths_that_were_not_met_in_training(longer, results):
    for name, task in longer.TASKS.items():
        assert max(map(len, task.training_set()[0])) == task.longest
        scores = results[name]["GRU"]
        assert min(scores.values()) > 0.95
        assert max(scores) == 2 * task.longest


@pytest.mark.slow
def test_without_a_memory_it_is_not_solved(results):
    assert results["parity"]["convolutions"][20] < 0.6
    assert results["adding"]["convolutions"][60] < 0.8


@pytest.mark.slow
@with_and_without_a_plot
def test_longer_sequences(longer, results, draws, monkeypatch, tmp_path, capsys):
    by_task = {task: results[name] for name, task in longer.TASKS.items()}
    monkeypatch.setattr(
        longer, "scores_by_length", lambda task, layers: by_task[task][layers]
    )
    run_example(longer, draws, tmp_path)
    out = capsys.readouterr().out
    assert "parity, trained on 1 to 10 steps" in out
