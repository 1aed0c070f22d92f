"""The example `examples/transfer.py`, whose networks are trained once."""

import numpy as np
import pytest
from script_tools import load_example, run_example, with_and_without_a_plot


@pytest.fixture(scope="module")
def transfer():
    return load_example("transfer")


@pytest.fixture(scope="module")
def body(transfer):
    return transfer.pretrain(*transfer.load())


def test_transfer_keeps_what_is_frozen(transfer, body):
    X, y = transfer.load()
    assert not set(body.classes_) & set(transfer.NEW)
    is_new = np.isin(y, transfer.NEW)
    X, y = X[is_new][:50], y[is_new][:50]
    before = body.get_weights()
    for frozen in (transfer.FROZEN, {}):
        network = transfer.fine_tuned(body, X, y, **frozen)
        assert network.weights_left_out_ == ["output/kernel", "output/bias"]
        after = network.get_weights()
        same = {
            name.partition("/")[0]
            for name, array in after.items()
            if np.array_equal(array, before[name])
        }
        assert same == {name.partition("__")[0] for name in frozen}
    # Neither froze the layers of the other, nor changed the first network.
    assert all(np.array_equal(a, before[n]) for n, a in body.get_weights().items())
    svc = transfer.features_and_svc(body).fit(X, y)
    assert svc[0].estimator is body
    assert svc[:1].transform(X).shape == (50, 4 * 4 * 32)


@pytest.fixture(scope="module")
def accuracies(transfer, body):
    return transfer.compare(body, *transfer.load())


def test_transfer_is_better_than_to_start_from_scratch(transfer, accuracies):
    scratch, *others = accuracies.values()
    assert len(scratch) == transfer.N_DRAWS
    assert len(others) == 3
    for values in others:
        assert values.mean() > scratch.mean()


@with_and_without_a_plot
def test_transfer(transfer, body, accuracies, draws, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(transfer, "pretrain", lambda _X, _y: body)
    monkeypatch.setattr(transfer, "compare", lambda *_: accuracies)
    run_example(transfer, draws, tmp_path)
    out = capsys.readouterr().out
    for name, values in accuracies.items():
        assert f"  {name:<18}{values.mean():9.3f}" in out
