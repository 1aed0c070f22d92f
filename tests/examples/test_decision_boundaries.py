"""The example `examples/decision_boundaries.py`, on little data."""

from script_tools import load_example, run_example, with_and_without_a_plot


@with_and_without_a_plot
def test_decision_boundaries(draws, monkeypatch, tmp_path, capsys):
    example = load_example("decision_boundaries")
    monkeypatch.setattr(example, "ACTIVATIONS", ["identity", "tanh"])
    run_example(example, draws, tmp_path)
    out = capsys.readouterr().out
    X_train, X_test, y_train, y_test = example.load()
    for name in ("identity", "tanh"):
        model = example.fit(name, X_train, y_train)
        assert f"{model.score(X_test, y_test):13.3f}" in out
        lines = example.picture(model, X_train)
        assert [len(line) for line in lines] == [example.COLUMNS] * example.ROWS
        assert all(line in out for line in lines)
    # The characters are the classes there.
    across, up = example.grid_over(X_train, example.ROWS, example.COLUMNS)
    predicted = model.predict([[across[7], up[0]], [across[7], up[-1]]])
    assert [lines[-1][7], lines[0][7]] == [".#"[c] for c in predicted]
