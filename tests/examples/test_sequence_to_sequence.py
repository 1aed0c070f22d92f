"""The example `examples/sequence_to_sequence.py`, with fewer pairs and epochs."""

import numpy as np
import pytest
from script_tools import load_example, run_example, with_and_without_a_plot

from skconvnet.inspection import attention_weights


@pytest.fixture(scope="module")
def example():
    return load_example("sequence_to_sequence")


@pytest.fixture(scope="module")
def reverse(example):
    return example.learn(example.reversals, 2500, max_iter=10, learning_rate_init=0.01)


def test_tasks(example):
    rng = np.random.default_rng(0)
    for source, target in example.reversals(rng, 20):
        assert source[::-1] == target
        assert 3 <= len(source) <= 8
    pairs = example.sums(rng, 10_000)
    assert len(set(pairs)) == 10_000
    assert all(eval(source) == int(target) for source, target in pairs[:50])


def test_rows(example):
    rows = example.as_rows([("12", "21"), ("4+5", "9")], 4, 3)
    one, two = example.as_tokens("12")
    assert rows.X[0].tolist() == [one, two, 0, 0, 1, two, one]
    assert rows.y[0, :, 0].tolist() == [two, one, 2]
    assert rows.weights.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert example.as_text(rows.y[1, :, 0]) == "9"


@pytest.mark.slow
def test_it_reverses_strings_it_has_not_seen(reverse):
    assert len(reverse.pairs) == 500
    assert reverse.share > 0.95


@pytest.mark.slow
def test_it_looks_at_what_it_writes_next(reverse):
    weights = attention_weights(reverse.network, reverse.rows.X, "translate")[:, 0]
    hits = [
        own[step].argmax() == len(source) - 1 - step
        for own, (source, _) in zip(weights, reverse.pairs, strict=True)
        for step in range(len(source))
    ]
    # In two directions, the encoder may have the digit at a step beside it.
    assert np.mean(hits) > 0.5


@pytest.mark.slow
@with_and_without_a_plot
def test_sequence_to_sequence(example, reverse, draws, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(example, "learn", lambda *_args, **_params: reverse)
    run_example(example, draws, tmp_path)
    out = capsys.readouterr().out
    assert f"reverse: {reverse.share:.1%} of 500 new ones are right" in out
