"""The pieces of the examples and of some benchmarks, on little data."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from scipy.signal import correlate2d
from sklearn.base import clone
from sklearn.datasets import load_digits

import skconvnet.augmentation
import skconvnet.optimizers
import skconvnet.schedules

ROOT = Path(__file__).parents[1]


def load_script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def quickstart():
    return load_script(ROOT / "examples" / "quickstart.py")


@pytest.fixture(scope="module")
def mnist():
    return load_script(ROOT / "benchmarks" / "mnist.py")


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


@pytest.fixture(scope="module")
def augmentation():
    return load_script(ROOT / "examples" / "augmentation.py")


def test_augmentation_example(augmentation, monkeypatch, capsys, tmp_path):
    picture = tmp_path / "digits.png"
    if importlib.util.find_spec("matplotlib") is None:
        argv = ["augmentation.py"]
    else:
        argv = ["augmentation.py", "--plot", str(picture)]
    digits = tuple(a[:120] for a in augmentation.framed_digits())
    monkeypatch.setattr(augmentation, "framed_digits", lambda: digits)
    monkeypatch.setattr(augmentation, "EPOCHS", 2)
    monkeypatch.setattr(sys, "argv", argv)
    augmentation.main()
    out = capsys.readouterr().out
    assert "Grid search on 120 digits" in out
    assert out.count("max_pixels=") == 6
    if len(argv) > 1:
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_augmentation_example_shows_every_augmentation(augmentation):
    shown = {type(case).__name__ for case in augmentation.SHOWN}
    assert shown == set(skconvnet.augmentation.__all__) - {"Augmentation", "Compose"}


def load_benchmark(name):
    """Load one that imports from the scripts beside it."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return load_script(ROOT / "benchmarks" / name)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def augmentation_benchmark():
    return load_benchmark("augmentation.py")


def test_augmentation_benchmark(augmentation_benchmark, monkeypatch, capsys):
    monkeypatch.setattr(augmentation_benchmark, "_DURATION", 0.0)
    argv = ["augmentation.py", "--rounds", "1", "--networks", "digits"]
    monkeypatch.setattr(sys, "argv", argv)
    augmentation_benchmark.main()
    out = capsys.readouterr().out
    for batch in (32, 128):
        assert f"| digits | {batch} | none | 0.0 |" in out
        assert f"| digits | {batch} | Compose |" in out


@pytest.fixture(scope="module")
def blocks():
    return load_benchmark("blocks.py")


def test_blocks_have_the_same_number_of_weights(blocks):
    images, labels = np.zeros((10, 32, 32, 3), dtype=np.uint8), np.arange(10)
    models = {name: blocks.make_model(name, 1, 0, None) for name in blocks.NETWORKS}
    n_weights = {
        name: blocks.n_weights(model.initialize(images, labels))
        for name, model in models.items()
    }
    for number in n_weights.values():
        assert abs(number / n_weights["plain"] - 1) < 0.03
    # A way around by itself adds no weights: these two have the same convolutions.
    assert n_weights["deep plain"] == n_weights["deep residual"]
    assert n_weights["deep plain + bn"] == n_weights["deep residual + bn"]
    kinds = {
        name: {type(layer).__name__ for layer in model.network_.layers.values()}
        for name, model in models.items()
    }
    for name in blocks.NETWORKS:
        assert ("ParallelLayer" in kinds[name]) == ("inception" in name)
        assert ("ResidualLayer" in kinds[name]) == ("residual" in name)
        assert ("BatchNormLayer" in kinds[name]) == name.endswith(" + bn")


def test_blocks_benchmark(blocks, mnist_file, monkeypatch, capsys):
    argv = ["blocks.py", "--data", str(mnist_file), "--epochs", "1", "--train", "40"]
    argv += ["--seeds", "3", "4", "--networks", "plain", "deep residual + bn"]
    monkeypatch.setattr(sys, "argv", argv)
    blocks.main()
    out = capsys.readouterr().out
    assert "training (40, 28, 28), test (20, 28, 28), 1 epochs" in out
    assert "| network | weights | mean | seed 3 | seed 4 | CPU seconds |" in out
    rows = [line for line in out.splitlines() if line[:3] in ("| p", "| d")]
    for row, name in zip(rows, ["plain", "deep residual + bn"], strict=True):
        cells = row.strip("| ").split(" | ")
        assert cells[0] == name
        mean, first, second = (float(cell) for cell in cells[2:5])
        assert mean == pytest.approx((first + second) / 2, abs=0.01)


@pytest.mark.parametrize(
    "name",
    ["digits", "mnist", "cifar", "separable", "dilated", "transposed", "batch_norm"],
)
@pytest.mark.torch
def test_networks_are_pytorchs_too(name):
    networks = load_benchmark("networks.py")
    assert max(networks.disagreement(name, "float64")) < 1e-10
    # The loss has no jumps, as its gradients have: a single value of 2e-7 that rounding
    # takes to the other side of a ReLU changes those of a kernel by 0.4 %.
    assert networks.disagreement(name, "float32")[0] < 1e-5


def test_convnet_benchmark(monkeypatch, capsys, tmp_path):
    convnet = load_benchmark("convnet.py")
    for name in ("separable", "batch_norm"):
        monkeypatch.setitem(convnet.N_SAMPLES, name, 20)
    table = tmp_path / "table.csv"
    argv = ["convnet.py", "--rounds", "1", "--batches", "10", "--csv", str(table)]
    argv += ["--networks", "separable", "batch_norm"]
    monkeypatch.setattr(sys, "argv", argv)
    convnet.main()
    out = capsys.readouterr().out
    header, *rows = table.read_text().splitlines()
    assert header.startswith("network,batch,ours,")
    assert [row.split(",")[:2] for row in rows] == [
        ["separable", "10"],
        ["batch_norm", "10"],
    ]
    assert all(column in out for column in header.split(","))


@pytest.fixture(scope="module")
def checkerboard():
    return load_script(ROOT / "examples" / "checkerboard.py")


def test_checkerboard_is_there_and_gone(checkerboard):
    maps = {
        way: checkerboard.enlarge(layers, random=False)
        for way, layers in checkerboard.WAYS.items()
    }
    uneven = maps.pop("transposed, kernel 3, stride 2")
    # Along an axis, one kernel lies on every other cell, and two on those between.
    counts = np.ones(2 * checkerboard.SIZE + 1)
    counts[2:-1:2] = 2
    np.testing.assert_allclose(uneven[..., 0], np.outer(counts, counts))
    # Of the counts 1, 2, 2, 4 the mean is 9/4, and 25/4 the mean square.
    assert checkerboard.unevenness(uneven) == pytest.approx(np.sqrt(1 - 81 / 100))
    assert len(maps) == 3
    for even in maps.values():
        assert checkerboard.unevenness(even) < 1e-12


def test_checkerboard_of_random_weights(checkerboard):
    for way, layers in checkerboard.WAYS.items():
        maps = checkerboard.enlarge(layers, random=True)
        assert maps.shape[-1] == checkerboard.FILTERS
        found = checkerboard.unevenness(maps)
        assert found > 0.5 if way.startswith("transposed") else found < 1e-12


def test_checkerboard_prints_numbers(checkerboard, capsys):
    assert checkerboard.main([]) == 0
    out = capsys.readouterr().out
    for way in checkerboard.WAYS:
        assert way in out
    assert "kernel 3, stride 2       0.436" in out


@pytest.mark.matplotlib
def test_checkerboard_saves_a_picture(checkerboard, tmp_path, capsys):
    path = tmp_path / "picture.png"
    assert checkerboard.main(["--plot", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    assert f"saved {path}" in capsys.readouterr().out


def test_checkerboard_without_matplotlib(checkerboard, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit, match="--plot needs matplotlib"):
        checkerboard.main(["--plot", str(tmp_path / "picture.png")])


@pytest.fixture(scope="module")
def text():
    return load_script(ROOT / "examples" / "text.py")


def test_text_examples_data(text):
    kept = text.prose("Wrap scikit-learn's np.dot.\n\n>>> numpy.dot\n.. note:: SciPy")
    assert kept.split() == ["Wrap", "'s", ".dot."]
    texts, labels, files = text.read_texts(["joblib", "skconvnet"])
    assert len(set(texts)) == len(texts) == len(labels) == len(files) > 100
    assert set(labels) == {"joblib", "skconvnet"}
    assert all(
        Path(file).parts[0] == label and not text.SKIPPED.intersection(Path(file).parts)
        for file, label in zip(files, labels, strict=True)
    )


def test_text_example_compares_models(text, capsys):
    rng = np.random.default_rng(0)
    labels = rng.choice(["land", "sea"], 200, p=[0.6, 0.4])
    own = {"land": ["hill", "road", "tree"], "sea": ["ship", "wave", "tide"]}
    common = ["the", "old", "under", "moon", "comes", "goes"]
    texts = [" ".join(rng.choice([*own[label], *common], 12)) for label in labels]
    files = np.arange(200) // 4
    # On so little data networks do better without a validation set.
    params = {"net__early_stopping": False, "net__tol": 0.01, "net__batch_size": 16}
    models = {
        name: model if "TF-IDF" in name else clone(model).set_params(**params)
        for name, model in text.MODELS.items()
    }
    data = np.array(texts, dtype=object), labels, files
    fitted, accuracies, guess = text.compare(models, *data)
    assert 0.5 < guess < 0.7
    assert min(accuracies.values()) > 0.9
    text.answer(fitted["TextCNN"], ["The old ship on the wave under the moon"])
    out = capsys.readouterr().out
    assert f"TextCNN                      {accuracies['TextCNN']:13.3f}" in out
    assert "The old ship on the wave under the moon\n    land 0." in out


@pytest.fixture
def mnist_file(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "mnist.npz"
    np.savez(
        path,
        X_train=rng.integers(0, 256, (60, 28, 28), dtype=np.uint8),
        y_train=np.arange(60) % 10,
        X_test=rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        y_test=np.arange(20) % 10,
    )
    return path


@pytest.mark.parametrize("batch_mode", ["mbgd", "bgd", "sgd"])
def test_mnist_benchmark(mnist, mnist_file, batch_mode, monkeypatch, capsys):
    # 60 images are fewer than a batch.
    monkeypatch.setattr(mnist, "BATCH", 16)
    argv = ["mnist.py", "--data", str(mnist_file), "--epochs", "2"]
    monkeypatch.setattr(sys, "argv", [*argv, "--batch-mode", batch_mode])
    mnist.main()
    out = capsys.readouterr().out
    assert "training (60, 28, 28) uint8" in out
    assert "peak memory of the process" in out


def test_mnist_network_is_the_classical_one(mnist, mnist_file):
    X, y, *_ = mnist.load(mnist_file)
    model = mnist.make_model("mbgd", 0, None).initialize(X, y)
    shapes = {name: array.shape for name, array in model.get_weights().items()}
    assert shapes == {
        "conv1/kernel": (20, 1, 5, 5),
        "conv1/bias": (20,),
        "conv2/kernel": (40, 20, 5, 5),
        "conv2/bias": (40,),
        "dense1/kernel": (640, 100),
        "dense1/bias": (100,),
        "output/kernel": (100, 10),
        "output/bias": (10,),
    }
    assert model.network_.dtype == np.float32


def test_mnist_is_fetched_without_data(mnist, monkeypatch):
    def fetch_openml(name, return_X_y, as_frame):
        assert name == "mnist_784"
        assert return_X_y
        assert not as_frame
        labels = (np.arange(70_000) % 10).astype(str).astype(object)
        return np.zeros((70_000, 784), dtype=np.uint8), labels

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch_openml)
    X_train, y_train, X_test, y_test = mnist.load(None)
    assert X_train.shape == (60_000, 28, 28)
    assert X_test.shape == (10_000, 28, 28)
    assert X_train.dtype == np.uint8
    assert y_train[:3].tolist() == [0, 1, 2]
    assert len(y_test) == 10_000


def run_main(module, monkeypatch, tmp_path, draws):
    """Run an example as its user does; return the picture it is asked for."""
    picture = tmp_path / "picture.png"
    argv = [module.__name__]
    if draws:
        argv += ["--plot", str(picture)]
    monkeypatch.setattr(sys, "argv", argv)
    assert module.main() == 0
    assert picture.exists() == draws
    if draws:
        assert picture.read_bytes().startswith(b"\x89PNG")


with_and_without_a_plot = pytest.mark.parametrize(
    "draws", [False, pytest.param(True, marks=pytest.mark.matplotlib)]
)


@with_and_without_a_plot
def test_logic_gates(draws, monkeypatch, tmp_path, capsys):
    gates = load_script(ROOT / "examples" / "logic_gates.py")
    run_main(gates, monkeypatch, tmp_path, draws)
    out = capsys.readouterr().out
    for name in ("AND", "OR", "NAND"):
        table = gates.GATES[name]
        assert f"{name:<5} wants {table}, puts out {table}: learned" in out
    assert "XOR   wants [0, 1, 1, 0]" in out
    assert out.count("NOT learned") == 1
    assert "NAND(1, 1): score -1, puts out 0" in out
    assert "  1  1 |   1     0\n  right" in out
    # A wrong weight shows.
    adder = gates.half_adder().set_weights({"output/bias": [3, -3]})
    assert not gates.print_adder(adder)
    assert "WRONG" in capsys.readouterr().out


@with_and_without_a_plot
def test_vanishing_gradients(draws, monkeypatch, tmp_path, capsys):
    example = load_script(ROOT / "examples" / "vanishing_gradients.py")
    monkeypatch.setattr(example, "N_LAYERS", 10)
    X, y = example.load()
    monkeypatch.setattr(example, "load", lambda: (X, y))
    norms = {name: example.gradient_norms(name, X, y) for name in example.NETWORKS}
    assert norms["logistic"][0] < 1e-4 * norms["logistic"][-1]
    for name in ("tanh", "relu"):
        assert 0.1 < norms[name][0] / norms[name][-1] < 10
    assert norms["relu, too large"].min() > 20 * norms["relu"].max()
    model = example.make_model("tanh", alpha=0.0).initialize(X, y)
    kernel = model.loss_gradients(X, y)[1]["dense3/kernel"]
    assert norms["tanh"][2] == pytest.approx(np.sqrt((kernel**2).sum()))
    monkeypatch.setattr(example, "train", lambda *_: ([2.0, 1.0], "learned"))
    run_main(example, monkeypatch, tmp_path, draws)
    assert f"{norms['logistic'][0]:.2e}" in capsys.readouterr().out


def test_clipping_holds_what_explodes(capsys):
    example = load_script(ROOT / "examples" / "vanishing_gradients.py")
    data = example.load()
    assert example.train(None, *data) == ([], "diverged")
    losses, fate = example.train(1.0, *data)
    assert fate == "learned"
    assert losses[-1] < 0.1 * losses[0]
    out = capsys.readouterr().out
    assert "set\n    max_grad_norm" in out or "set max_grad_norm" in out
    assert f"loss {losses[0]:.3g} -> {losses[-1]:.3g}" in out


@with_and_without_a_plot
def test_decision_boundaries(draws, monkeypatch, tmp_path, capsys):
    example = load_script(ROOT / "examples" / "decision_boundaries.py")
    monkeypatch.setattr(example, "ACTIVATIONS", ["identity", "tanh"])
    run_main(example, monkeypatch, tmp_path, draws)
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


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@with_and_without_a_plot
def test_function_fitting(draws, monkeypatch, tmp_path, capsys):
    example = load_script(ROOT / "examples" / "function_fitting.py")
    made = example.make_model
    monkeypatch.setattr(
        example, "make_model", lambda loss: made(loss).set_params(max_iter=60)
    )
    run_main(example, monkeypatch, tmp_path, draws)
    out = capsys.readouterr().out
    X, y = example.load()
    model = example.make_model("squared_error").fit(X, y)
    x = np.linspace(-4.8, 4.8, 200)
    assert f"R^2 {model.score(X, y):.4f}" in out
    distance = np.sqrt(((model.predict(x[:, None]) - example.curve(x)) ** 2).mean())
    assert f"itself (rms): {distance:.3f}" in out
    assert distance < 0.15
    spoiled = example.with_outliers(y)
    assert (spoiled != y).sum() == example.OUTLIERS
    errors = [
        example.error(example.make_model(loss).fit(X, spoiled), x)
        for loss in ("absolute_error", "squared_error")
    ]
    assert errors[0] < 0.5 * errors[1]


def draw(module, draws, tmp_path):
    """Run an example with or without a picture; check the picture."""
    path = tmp_path / "picture.png"
    assert module.main(["--plot", str(path)] if draws else []) == 0
    assert path.exists() == draws
    if draws:
        assert path.read_bytes().startswith(b"\x89PNG")


EMPTY = {"optimizers": ({}, {}), "learning_rates": ({},), "overfitting": ({}, {})}


@pytest.mark.parametrize(("name", "results"), EMPTY.items())
def test_examples_of_training_without_matplotlib(name, results, monkeypatch):
    example = load_script(ROOT / "examples" / f"{name}.py")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SystemExit, match="--plot needs matplotlib"):
        example.save_plot(*results, "picture.png")


@pytest.fixture(scope="module")
def optimizers():
    return load_script(ROOT / "examples" / "optimizers.py")


def test_the_valley_and_the_ways_down(optimizers):
    at, step = np.array([-0.7, 1.3]), 1e-6
    _, slope = optimizers.valley(at)
    for axis in np.eye(2):
        ends = [optimizers.valley(at + s * axis)[0] for s in (step, -step)]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(axis @ slope)
    assert optimizers.valley(np.array(optimizers.MINIMUM))[0] == 0
    start = optimizers.valley(np.array(optimizers.START))[0]
    for name, optimizer in optimizers.OPTIMIZERS.items():
        rate, path = optimizers.best_descent(optimizer)
        assert rate in optimizers.RATES
        assert path.shape == (optimizers.STEPS + 1, 2)
        assert optimizers.valley(path[-1])[0] < 0.01 * start, name
    # What is looked at last is the minimum.
    np.testing.assert_allclose(optimizers.search()[-1], optimizers.MINIMUM, atol=1e-5)


def test_ways_down_are_those_of_the_weights_to_predict_by(optimizers):
    path = optimizers.descend(skconvnet.optimizers.SGD(momentum=0.0), 0.01, 2)
    first = path[0] - 0.01 * optimizers.valley(path[0])[1]
    second = first - 0.01 * optimizers.valley(first)[1]
    np.testing.assert_allclose(path, [optimizers.START, first, second])
    wild = optimizers.descend(skconvnet.optimizers.SGD(momentum=0.0), 10.0, 20)
    assert np.isnan(wild[-1]).all()
    assert not np.isnan(wild[0]).any()
    # From z_1 to z_2 are steps of `rate` at most, and their mean is half as far.
    free = skconvnet.optimizers.ScheduleFreeAdamW(beta_2=0.0)
    path = optimizers.descend(free, 0.1, 2)
    np.testing.assert_allclose(np.abs(np.diff(path, axis=0)), [[0.1] * 2, [0.05] * 2])


@with_and_without_a_plot
def test_optimizers_example(optimizers, draws, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(optimizers, "EPOCHS", 3)
    monkeypatch.setattr(optimizers, "RATES", (0.01, 10.0))
    chosen = {name: optimizers.OPTIMIZERS[name] for name in ("SGD", "Adam")}
    assert len(optimizers.OPTIMIZERS) == len(skconvnet.optimizers.OPTIMIZERS) + 2
    monkeypatch.setattr(optimizers, "OPTIMIZERS", chosen)
    draw(optimizers, draws, tmp_path)
    out = capsys.readouterr().out
    X_train, X_test, y_train, y_test = optimizers.load()
    model = optimizers.fit(chosen["Adam"], 0.01, X_train, y_train)
    assert f"{model.loss_curve_[0]:12.4f}{model.loss_:12.4f}" in out
    assert f"{model.score(X_test, y_test):16.3f}" in out
    assert "L-BFGS" in out
    assert "evaluations" in out


@pytest.fixture
def learning_rates():
    return load_script(ROOT / "examples" / "learning_rates.py")


def test_a_falling_rate_ends_lower_than_a_large_one(learning_rates):
    kinds = {type(schedule) for schedule in learning_rates.SCHEDULES.values()}
    assert kinds == set(skconvnet.schedules.SCHEDULES.values())
    X, _, y, _ = learning_rates.load()
    losses = {
        name: np.mean(
            [
                learning_rates.fit(
                    learning_rates.SCHEDULES[name], 0.3, seed, X, y
                ).loss_
                for seed in (0, 1)
            ]
        )
        for name in ("constant", "divided by 10 twice", "cosine", "one cycle")
    }
    largest = losses.pop("constant")
    assert all(loss < 0.3 * largest for loss in losses.values())


@with_and_without_a_plot
def test_learning_rates(learning_rates, draws, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(learning_rates, "EPOCHS", 4)
    monkeypatch.setattr(learning_rates, "RATES", (0.1,))
    monkeypatch.setattr(learning_rates, "SEEDS", (0,))
    draw(learning_rates, draws, tmp_path)
    out = capsys.readouterr().out
    X, X_test, y, y_test = learning_rates.load()
    for name in ("cosine", "adaptive"):
        model = learning_rates.fit(learning_rates.SCHEDULES[name], 0.1, 0, X, y)
        assert len(model.loss_curve_) == 4
        accuracy = model.score(X_test, y_test)
        assert f"{name:<21}{model.loss_:11.4f}{accuracy:16.3f}" in out


@pytest.mark.parametrize(
    "draws",
    [
        pytest.param(False, marks=pytest.mark.slow),
        pytest.param(True, marks=pytest.mark.matplotlib),
    ],
)
def test_overfitting(draws, monkeypatch, tmp_path, capsys):
    example = load_script(ROOT / "examples" / "overfitting.py")
    monkeypatch.setattr(example, "SEEDS", (10,))
    if draws:
        monkeypatch.setattr(example, "EPOCHS", 2)
        cures = {cure: example.CURES[cure] for cure in ("none", "early stopping")}
        monkeypatch.setattr(example, "CURES", cures)
    results = {}
    fit = example.fit

    def kept(cure, seed):
        model, results[cure] = fit(cure, seed)
        return model, results[cure]

    monkeypatch.setattr(example, "fit", kept)
    draw(example, draws, tmp_path)
    out = capsys.readouterr().out
    for cure, result in results.items():
        losses = f"{result.train_loss:12.3f}{result.test_loss:12.3f}{result.gap:12.3f}"
        assert f"{cure:<22}{losses}" in out
    if draws:
        return
    plain = results.pop("none")
    assert plain.train_accuracy > 0.95
    assert plain.gap > 1
    assert len(results) == 8
    for cure, result in results.items():
        assert result.gap < 0.9 * plain.gap, cure
        assert result.test_loss < 0.95 * plain.test_loss, cure
        assert result.test_accuracy > plain.test_accuracy, cure


@pytest.fixture
def optimizers_benchmark(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = load_script(ROOT / "benchmarks" / "optimizers.py")
    # The images of the tests are fewer than a batch.
    monkeypatch.setattr(module, "BATCH", 16)
    return module


def test_optimizers_benchmark_has_all_of_them(optimizers_benchmark):
    kinds = {type(o) for o, *_ in optimizers_benchmark.OPTIMIZERS.values()}
    assert kinds == set(skconvnet.optimizers.OPTIMIZERS.values())


@pytest.mark.parametrize(
    "has_torch", [False, pytest.param(True, marks=pytest.mark.torch)]
)
def test_optimizers_benchmark(
    optimizers_benchmark, has_torch, mnist_file, monkeypatch, capsys
):
    if not has_torch:
        monkeypatch.setattr(optimizers_benchmark, "torch", None)
    names = ["SGD, Nesterov", "Nadam", "schedule-free AdamW"]
    argv = ["optimizers.py", "--data", str(mnist_file), "--seeds", "2"]
    argv += ["--epochs", "2", "--optimizers", *names]
    monkeypatch.setattr(sys, "argv", argv)
    optimizers_benchmark.main()
    rows = capsys.readouterr().out.splitlines()[3:-1]
    assert [row.split(" | ")[0] for row in rows] == [f"| {name}" for name in names]
    blocks = [1 + has_torch, 1 + has_torch, 1]
    assert [row.count("not in 2, not in 2") for row in rows] == blocks
    assert {row.count("|") for row in rows} == {10}
    # What has arrived is not trained on.
    monkeypatch.setattr(optimizers_benchmark, "TARGET", 0.0)
    optimizers_benchmark.main()
    rows = capsys.readouterr().out.splitlines()[3:-1]
    assert [row.count("| 1, 1 |") for row in rows] == blocks


def test_optimizers_benchmark_compares_the_same_network(
    torch, optimizers_benchmark, mnist_file
):
    with np.load(mnist_file) as file:
        X, y = file["X_train"], file["y_train"]
    adam = skconvnet.optimizers.Adam()
    model = optimizers_benchmark.our_model(adam, 0.001, 0).initialize(X, y)
    images = torch.from_numpy(X).unsqueeze(1).float() / 255
    with torch.no_grad():
        theirs = optimizers_benchmark.torch_model(model)(images).softmax(1)
    np.testing.assert_allclose(model.predict_proba(X), theirs, atol=1e-6)


def test_optimizers_benchmark_tunes_on_training_data(
    optimizers_benchmark, mnist_file, monkeypatch, capsys
):
    monkeypatch.setattr(optimizers_benchmark, "N_TUNED", 40)
    monkeypatch.setattr(optimizers_benchmark, "N_HELD_OUT", 20)
    monkeypatch.setattr(optimizers_benchmark, "TUNING_EPOCHS", 1)
    chosen = {"SGD": optimizers_benchmark.OPTIMIZERS["SGD"]}
    monkeypatch.setattr(optimizers_benchmark, "OPTIMIZERS", chosen)
    data = optimizers_benchmark.load(mnist_file)
    X, y, X_judged, y_judged = optimizers_benchmark.held_out(data)
    joined = np.concatenate([X, X_judged]).reshape(60, -1)
    np.testing.assert_array_equal(
        np.sort(joined, axis=0), np.sort(data[0].reshape(60, -1), axis=0)
    )
    assert len(X) == len(y) == 40
    assert len(X_judged) == len(y_judged) == 20
    argv = ["optimizers.py", "--data", str(mnist_file), "--tune"]
    monkeypatch.setattr(sys, "argv", argv)
    optimizers_benchmark.main()
    row = capsys.readouterr().out.splitlines()[-1].split(" | ")
    accuracies = [float(cell) for cell in row[1:-1]]
    best = optimizers_benchmark.RATES[int(np.argmax(accuracies))]
    assert row[0] == "| SGD"
    assert row[-1] == f"{best:g} |"


@pytest.fixture(scope="module")
def edges():
    return load_script(ROOT / "examples" / "edges.py")


def test_edges_of_numbers(edges):
    found = edges.convolve(edges.NUMBERS, [edges.VERTICAL])[..., 0]
    expected = correlate2d(edges.NUMBERS, edges.VERTICAL, mode="valid")
    np.testing.assert_array_equal(found, expected)
    assert found[0, 0] == -5
    found = edges.convolve(edges.BRIGHT_TO_DARK, [edges.VERTICAL, edges.VERTICAL.T])
    np.testing.assert_array_equal(found[..., 0], [[0, 30, 30, 0]] * 4)
    # There is no horizontal edge in it, and none in the maps.
    np.testing.assert_array_equal(found[..., 1], np.zeros((4, 4)))


def test_edges_find_a_square(edges):
    photo = np.zeros((20, 24, 3), dtype=np.uint8)
    photo[6:14, 8:16] = 200
    network = edges.make_sobel(photo)
    grey = network.activations(photo[None], "grey")[0, ..., 0]
    assert grey[10, 10] == pytest.approx(200)
    assert grey[0, 0] == 0
    slopes = network.activations(photo[None], "edges")[0]
    # Rows and columns of the maps are those of the photo, less one at each side.
    np.testing.assert_allclose(slopes[9, [6, 7, 14, 15], 0], [800, 800, -800, -800])
    np.testing.assert_allclose(slopes[[4, 5, 12, 13], 11, 1], [800, 800, -800, -800])
    assert not slopes[9:11, 9:12].any()
    assert not slopes[0].any()
    assert edges.deviation(grey, slopes) < 1e-6
    assert edges.deviation(grey, slopes[..., ::-1]) > 0.5
    lines = edges.draw(np.hypot(slopes[..., 0], slopes[..., 1]), 9, 11)
    assert [len(line) for line in lines] == [11] * 9
    assert lines[0].strip() == ""
    assert lines[2].strip() != ""
    assert lines[4][5] == " "


@with_and_without_a_plot
def test_edges_of_a_photograph(edges, draws, monkeypatch, tmp_path, capsys):
    pytest.importorskip("PIL")
    run_main(edges, monkeypatch, tmp_path, draws)
    out = capsys.readouterr().out
    assert "    3   0   1   2   7   4      -5   -4    0    8\n" in out
    assert "   10  10  10   0   0   0       0   30   30    0\n" in out
    assert "on a photograph of (427, 640, 3): maps of (425, 638, 2)" in out


def test_edges_without_pillow(edges, monkeypatch):
    def missing(_):
        raise ImportError("no Pillow")

    monkeypatch.setattr(edges, "load_sample_image", missing)
    with pytest.raises(SystemExit, match="needs Pillow: pip install pillow"):
        edges.load_photo()


@pytest.fixture(scope="module")
def corner():
    return load_script(ROOT / "examples" / "corner.py")


def test_corner_pictures(corner):
    X, y = corner.pictures(corner.PLACES)
    assert X.shape == (9 * 16, 4, 4)
    assert y.sum() == 9
    assert set(X[y].sum(axis=(1, 2))) == {3}
    # All corners are different pictures, and no other shape is one of them.
    assert len(np.unique(X[y], axis=0)) == 9
    assert not (X[~y][:, None] == X[y][None]).all(axis=(2, 3)).any()
    X, y = corner.pictures([(2, 0)])
    np.testing.assert_array_equal(
        X[y][0], [[0] * 4, [0] * 4, [1, 1, 0, 0], [0, 1, 0, 0]]
    )


def test_corner_is_found_everywhere_by_the_convolution_alone(corner, monkeypatch):
    dense = corner.fit("dense", corner.MIDDLE)
    expected = np.ones((4, 4), dtype=bool)
    expected[1:3, 1:3] = False
    np.testing.assert_array_equal(corner.unchanged_cells(dense), expected)
    probabilities = corner.corner_everywhere(dense)
    assert probabilities[1, 1] > 0.9
    assert np.sum(probabilities > 0.5) < 5

    # For the convolution a shape is the same wherever it is.
    model = corner.fit("convolutional", corner.MIDDLE)
    X, y = corner.pictures(corner.PLACES)
    by_place = model.predict_proba(X).reshape(9, 16, 2)
    np.testing.assert_allclose(by_place, by_place[[4] * 9], rtol=0, atol=1e-12)
    assert model.score(X, y) == 1

    monkeypatch.setattr(corner, "N_STARTS", 2)
    for places in corner.TRAINED_ON.values():
        seen, elsewhere = corner.accuracies("dense", places)
        assert seen > 0.95
        assert elsewhere < 0.75
        np.testing.assert_allclose(corner.accuracies("convolutional", places), [1, 1])


@with_and_without_a_plot
def test_corner(corner, draws, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(corner, "N_STARTS", 1)
    run_main(corner, monkeypatch, tmp_path, draws)
    out = capsys.readouterr().out
    assert "the middle                 convolutional    1.000      1.000\n" in out
    assert "    . . . .\n    . # # .\n    . # # .\n    . . . .\n" in out
