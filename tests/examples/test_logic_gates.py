"""The example `examples/logic_gates.py`, on little data."""

from script_tools import load_example, run_example, with_and_without_a_plot


@with_and_without_a_plot
def test_logic_gates(draws, tmp_path, capsys):
    gates = load_example("logic_gates")
    run_example(gates, draws, tmp_path)
    out = capsys.readouterr().out
    for name in ("AND", "OR", "NAND"):
        table = gates.GATES[name]
        assert f"{name:<5} target {table}, output {table}: learned" in out
    assert "XOR   target [0, 1, 1, 0]" in out
    assert out.count("NOT learned") == 1
    assert "NAND(1, 1): score -1, output 0" in out
    assert "  1  1 |   1     0\n  right" in out
    # A wrong weight shows.
    adder = gates.half_adder().set_weights({"output/bias": [3, -3]})
    assert not gates.print_adder(adder)
    assert "WRONG" in capsys.readouterr().out
