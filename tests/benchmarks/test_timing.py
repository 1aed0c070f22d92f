"""Calls that take turns."""

from script_tools import load_benchmark


def test_calls_take_turns_and_the_first_round_does_not_count():
    seen = []
    calls = {name: lambda name=name: seen.append(name) for name in ("one", "two")}
    timing = load_benchmark("_timing")
    times = timing.take_turns(calls, 2, pause=0.0, repeats=3)
    assert seen == (["one"] * 3 + ["two"] * 3) * 3
    assert list(times) == ["one", "two"]
    for values in times.values():
        assert values.shape == (2,)
        assert (values >= 0).all()
