"""The benchmark `benchmarks/same_bits.py`, on a few of its trainings."""

import json

import pytest
from script_tools import load_benchmark


@pytest.fixture(scope="module")
def same_bits():
    return load_benchmark("same_bits")


def test_a_training_has_the_same_bits_twice(same_bits, tmp_path, capsys):
    file = tmp_path / "before.json"
    assert same_bits.main(["--write", str(file), "--only", "mlp lbfgs"]) == 0
    assert list(json.loads(file.read_text())) == ["mlp lbfgs"]
    assert same_bits.main(["--compare", str(file), "--only", "mlp lbfgs"]) == 0
    assert "1 trainings, 0 differ: []; gone: []" in capsys.readouterr().out


def test_another_hash_is_a_difference(same_bits, tmp_path, capsys):
    file = tmp_path / "before.json"
    file.write_text(json.dumps({"mlp lbfgs": "other"}))
    assert same_bits.main(["--compare", str(file), "--only", "mlp lbfgs"]) == 1
    assert "1 differ: ['mlp lbfgs']" in capsys.readouterr().out


def test_at_least_forty_trainings(same_bits):
    assert len(same_bits.trainings()) >= 40
