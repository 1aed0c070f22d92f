"""The benchmark `benchmarks/convnet.py`, on little data."""

from script_tools import load_benchmark


def test_convnet_benchmark(monkeypatch, capsys, tmp_path):
    convnet = load_benchmark("convnet")
    for name in ("series", "batch_norm"):
        network = convnet.NETWORKS[name]._replace(n_samples=20)
        monkeypatch.setitem(convnet.NETWORKS, name, network)
    table = tmp_path / "table.csv"
    argv = ["--rounds", "1", "--batches", "10", "--csv", str(table)]
    argv += ["--networks", "series", "batch_norm"]
    convnet.main(argv)
    out = capsys.readouterr().out
    header, *rows = table.read_text().splitlines()
    assert header.startswith("network,batch,steps,fit,")
    assert [row.split(",")[:2] for row in rows] == [
        ["series", "10"],
        ["batch_norm", "10"],
    ]
    assert all(column in out for column in header.split(","))
