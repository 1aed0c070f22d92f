"""save_weights and load_weights: what a file holds, and what must fit."""

import json
import re
import sys

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, layer_list, make
from sklearn.exceptions import NotFittedError

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.estimators import _safetensors
from skconvnet.layers import BatchNorm, Conv2D, Parallel, Residual, Standardize

pytestmark = [
    pytest.mark.safetensors,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)

NESTED = [
    ("scale", Standardize()),
    ("mix", Parallel([("a", Conv2D(2, 1)), ("b", [Conv2D(3, 3, padding="same")])])),
    ("norm", BatchNorm()),
    ("res", Residual([("conv", Conv2D(4, 3, 2, "same"))])),
]


def numpy_files():
    return pytest.importorskip("safetensors.numpy", reason="safetensors is optional")


def assert_same(model, weights):
    own = model.get_weights()
    assert list(own) == list(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(own[name], array)


@every_estimator
def test_a_loaded_network_predicts_the_same(cls, tmp_path):
    X, y = data_for(cls)
    path = tmp_path / "model.safetensors"
    fitted = make(cls).fit(X, y)
    assert fitted.save_weights(path) is None
    other = make(cls, random_state=1).initialize(X, y)
    assert other.load_weights(str(path)) is other
    assert_same(other, fitted.get_weights())
    np.testing.assert_array_equal(other.predict(X), fitted.predict(X))
    again = make(cls, random_state=2).fit(X, y).load_weights(path)
    assert_same(again, fitted.get_weights())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_file_has_the_arrays_of_get_weights(dtype, tmp_path):
    X, y = data_for(SequentialClassifier)
    model = SequentialClassifier(NESTED, dtype=dtype, max_iter=2, random_state=0)
    model.fit(X, y).save_weights(tmp_path / "w")
    arrays = numpy_files().load_file(tmp_path / "w")
    weights = model.get_weights()
    assert {"scale/mean", "mix/b/conv2d/bias", "norm/moving_variance"} < set(arrays)
    assert "res/shortcut/projection/kernel" in arrays
    assert set(arrays) == set(weights)
    for name, array in weights.items():
        assert arrays[name].dtype == dtype
        np.testing.assert_array_equal(arrays[name], array)
    with _safetensors.opened(str(tmp_path / "w")) as file:
        assert file.metadata["estimator"] == "SequentialClassifier"
        assert json.loads(file.metadata["classes"]) == [0, 1, 2]
        names = [row["name"] for row in json.loads(file.metadata["layers"])]
    assert names[:4] == ["input", "scale", "mix", "a"]
    assert names[-1] == "output"


def test_the_next_fit_starts_from_the_weights_of_the_file(tmp_path):
    X, y = data_for(SequentialClassifier)
    trained = make(SequentialClassifier, random_state=3).fit(X, y)
    trained.save_weights(tmp_path / "w")
    loaded, given = (
        make(SequentialClassifier).initialize(X, y + 0 * i) for i in range(2)
    )
    loaded.load_weights(tmp_path / "w").fit(X, y)
    given.set_weights(trained.get_weights()).fit(X, y)
    assert_same(loaded, given.get_weights())
    assert np.any(loaded.network_.vector != make(type(given)).fit(X, y).network_.vector)


def test_statistics_of_the_input_and_units_of_y_come_with_the_file(tmp_path):
    X, y = data_for(ConvNetRegressor)
    params = {"filters": (3,), "hidden_layer_sizes": (5,), "max_iter": 2}
    fitted = ConvNetRegressor(**params).fit(X, 100 * y + 7)
    fitted.save_weights(tmp_path / "w")
    other = ConvNetRegressor(**params).initialize(5 * X[:9], y[:9])
    other.load_weights(tmp_path / "w")
    np.testing.assert_array_equal(other.predict(X), fitted.predict(X))
    assert other.score(X, 100 * y + 7) == fitted.score(X, 100 * y + 7)


def test_units_of_y_stay_if_the_output_layer_does(tmp_path):
    X, y = data_for(ConvNetRegressor)
    params = {"filters": (3,), "max_iter": 2, "random_state": 0}
    ConvNetRegressor(hidden_layer_sizes=(5,), **params).fit(
        X, 100 * y + 7
    ).save_weights(tmp_path / "w")
    est = ConvNetRegressor(hidden_layer_sizes=(4,), **params).fit(X, y)
    state, output = est.network_.state.copy(), est.get_weights()["output/kernel"]
    with pytest.warns(UserWarning, match="'output/kernel' must have shape"):
        est.load_weights(tmp_path / "w", strict=False)
    assert np.any(est.network_.state != state)
    np.testing.assert_array_equal(est.get_weights()["output/kernel"], output)
    assert abs(est.predict(X).mean()) < 20  # in units of y, not of 100 * y + 7


def test_units_of_y_must_agree(tmp_path):
    X, y = data_for(ConvNetRegressor)
    plain = make(ConvNetRegressor).fit(X, y)
    scaled = SequentialRegressor([("s", Standardize()), *layer_list()]).fit(X, y)
    auto = make(ConvNetRegressor, rescale="auto").fit(X, y)
    plain.save_weights(tmp_path / "plain")
    auto.save_weights(tmp_path / "auto")
    failing(plain, tmp_path / "auto", "file predicts standardized y", "no 'rescale/")
    failing(scaled, tmp_path / "auto", "file predicts standardized y", "y as it is")
    failing(auto, tmp_path / "plain", "file predicts y as it is")


def failing(model, path, *words, error=ValueError, **kwargs):
    before, attributes = model.network_.state.copy(), dict(vars(model))
    with pytest.raises(error) as caught:
        model.load_weights(path, **kwargs)
    for word in words:
        assert word in str(caught.value), f"{word!r} not in {caught.value}"
    np.testing.assert_array_equal(model.network_.state, before)
    assert vars(model).keys() == attributes.keys()
    assert all(vars(model)[name] is value for name, value in attributes.items())


@every_estimator
def test_all_that_does_not_fit_is_told_at_once(cls, tmp_path):
    X, y = data_for(cls)
    model = make(cls).initialize(X, y)
    arrays = model.get_weights()
    del arrays["output/bias"]
    shape = arrays["output/kernel"].shape
    arrays["output/kernel"] = np.zeros((2, 2), np.float32)
    arrays["tail/kernel"] = np.zeros(3, np.float32)
    numpy_files().save_file(arrays, tmp_path / "w")
    told = (
        "does not fit",
        cls.__name__,
        f"'output/kernel' must have shape {shape}, but has shape (2, 2)",
        "the file has no 'output/bias'",
        "the network has no 'tail/kernel'",
        "strict=False",
    )
    failing(model, tmp_path / "w", *told)
    before = model.get_weights()
    for name in set(arrays) & set(before) - {"output/kernel"}:
        arrays[name] = arrays[name] + 1
    numpy_files().save_file(arrays, tmp_path / "w")
    n = len(before) - 2
    with pytest.warns(UserWarning, match=f"{n} of {n + 2} arrays.*no 'tail/kernel'"):
        assert model.load_weights(tmp_path / "w", strict=False) is model
    for name, array in model.get_weights().items():
        fits = not name.startswith("output")
        np.testing.assert_array_equal(array, arrays[name] if fits else before[name])


def test_the_error_shows_the_network_of_the_file(tmp_path):
    X, y = data_for(ConvNetClassifier)
    make(ConvNetClassifier).initialize(X, y).save_weights(tmp_path / "w")
    rows, y = data_for(MLPClassifier)
    model = make(MLPClassifier).initialize(rows, y)
    told = "made by ConvNetClassifier for this network:", "\n  conv1 Conv2D (6, 6, 3)"
    failing(model, tmp_path / "w", *told)


def test_nothing_that_fits_is_an_error_even_if_not_strict(tmp_path):
    model = make(MLPClassifier).initialize(*data_for(MLPClassifier))
    numpy_files().save_file({"other": np.zeros(2)}, tmp_path / "w")
    failing(model, tmp_path / "w", "the network has no 'other'", strict=False)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_other_classes(cls, tmp_path):
    X, y = data_for(cls)
    fitted = make(cls).fit(X, y)
    fitted.save_weights(tmp_path / "w")
    other = make(cls).initialize(X, np.array(["a", "b", "c"])[y])
    failing(other, tmp_path / "w", "classes of the file are 0, 1, 2", "'a', 'b', 'c'")
    with pytest.warns(UserWarning, match="classes of the file"):
        other.load_weights(tmp_path / "w", strict=False)
    assert_same(other, fitted.get_weights())
    same = make(cls).initialize(X, y.astype(float))
    assert_same(same.load_weights(tmp_path / "w"), fitted.get_weights())


def test_several_columns_of_classes(tmp_path):
    X, y = data_for(MLPClassifier)
    two = np.column_stack([y, y % 2])
    fitted = make(MLPClassifier).fit(X, two)
    fitted.save_weights(tmp_path / "w")
    other = make(MLPClassifier, random_state=1).initialize(X, two)
    other.load_weights(tmp_path / "w")
    np.testing.assert_array_equal(other.predict(X), fitted.predict(X))
    renamed = make(MLPClassifier).initialize(X, np.array(["a", "b", "c"])[two])
    failing(renamed, tmp_path / "w", "[0, 1, 2], [0, 1]", "['a', 'b', 'c'], ['a', 'b']")
    turned = make(MLPClassifier).initialize(X, two[:, ::-1])
    failing(turned, tmp_path / "w", "3, 2 of each", "2, 3 of each")
    make(MLPClassifier).initialize(X, np.arange(len(y)) % 5).save_weights(
        tmp_path / "five"
    )
    failing(other, tmp_path / "five", "one of several classes", "[0, 1, 2], [0, 1]")
    other.save_weights(tmp_path / "w")
    five = make(MLPClassifier).initialize(X, np.arange(len(y)) % 5)
    failing(five, tmp_path / "w", "[0, 1, 2], [0, 1]", "0, 1, 2, 3, 4")


def pairs_of_other_outputs():
    """Return two estimators with arrays of the same shapes, and what is told."""
    X, y = data_for(SequentialRegressor)
    layers = {"layers": layer_list(), "max_iter": 1, "random_state": 0}
    plain = SequentialRegressor(**layers).initialize(X, abs(y))
    poisson = SequentialRegressor(loss="poisson", **layers).initialize(X, abs(y))
    binary = SequentialClassifier(**layers).initialize(X, y > np.median(y))
    three = SequentialClassifier(**layers).initialize(X, np.arange(len(X)) % 3)
    labels = np.arange(len(X))[:, np.newaxis] % (2, 3, 5) == 0
    multilabel = SequentialClassifier(**layers).initialize(X, labels.astype(int))
    margins = SequentialClassifier(loss="hinge", **layers).initialize(
        X, y > np.median(y)
    )
    maps = [("conv", Conv2D(2, 3, padding="same"))]
    images = np.random.default_rng(0).normal(size=(6, 4, 5, 1))
    at_positions = SequentialClassifier(maps).initialize(images, images[..., 0] > 0)
    numbers = SequentialRegressor(maps).initialize(images, images[..., 0])
    return [
        (poisson, plain, ["output function of the file is 'exp'", "'identity'"]),
        (binary, plain, ["predicts one of two classes", "'logistic'", "numbers"]),
        (plain, binary, ["predicts numbers", "estimator one of two classes"]),
        (three, multilabel, ["one of several classes", "any number of labels"]),
        (margins, binary, ["output function of the file is 'identity'"]),
        (at_positions, numbers, ["one of two classes at each", "numbers at each"]),
    ]


@pytest.mark.parametrize("number", range(6))
def test_an_output_layer_of_another_meaning_is_left_out(number, tmp_path):
    donor, est, told = pairs_of_other_outputs()[number]
    donor.save_weights(tmp_path / "w")
    failing(est, tmp_path / "w", "does not fit", *told)
    output = est.get_weights()["output/kernel"]
    with pytest.warns(UserWarning, match=re.escape(told[0])) as caught:
        est.load_weights(tmp_path / "w", strict=False)
    message = str(caught[0].message)
    assert "Left out: 'output/kernel', 'output/bias'." in message
    assert "standardized" not in message
    assert sorted(est.weights_left_out_) == ["output/bias", "output/kernel"]
    own = est.get_weights()
    np.testing.assert_array_equal(own["output/kernel"], output)
    for name, array in donor.get_weights().items():
        if not name.startswith("output/"):
            np.testing.assert_array_equal(own[name], array)


def test_an_output_layer_in_other_units_of_y_is_left_out(tmp_path):
    X, y = data_for(ConvNetRegressor)
    auto = make(ConvNetRegressor, rescale="auto").fit(X, 100 * y + 7)
    auto.save_weights(tmp_path / "w")
    plain = make(ConvNetRegressor).initialize(X, y)
    output = plain.get_weights()["output/kernel"]
    with pytest.warns(UserWarning, match="file predicts standardized y"):
        plain.load_weights(tmp_path / "w", strict=False)
    np.testing.assert_array_equal(plain.get_weights()["output/kernel"], output)
    assert {"output/kernel", "output/bias"} < set(plain.weights_left_out_)
    plain.save_weights(tmp_path / "plain")
    assert plain.load_weights(tmp_path / "plain").weights_left_out_ == []


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_values_that_are_not_finite(value, tmp_path):
    X, y = data_for(SequentialClassifier)
    model = make(SequentialClassifier, dtype="float32").initialize(X, y)
    arrays = {name: a.astype(np.float64) for name, a in model.get_weights().items()}
    arrays["conv1/bias"][0] = value
    numpy_files().save_file(arrays, tmp_path / "w")
    failing(model, tmp_path / "w", "cannot be loaded", "conv1/bias")
    failing(model, tmp_path / "w", "cannot be loaded", "conv1/bias", strict=False)


def test_dtypes_are_converted(tmp_path):
    X, y = data_for(SequentialClassifier)
    model = make(SequentialClassifier).initialize(X, y)
    halves = {n: a.astype(np.float16) for n, a in model.get_weights().items()}
    numpy_files().save_file(halves, tmp_path / "w")
    model.load_weights(tmp_path / "w")
    assert model.network_.dtype == np.float64
    assert_same(model, halves)


@every_estimator
def test_before_there_is_a_network(cls, tmp_path):
    with pytest.raises(NotFittedError, match=r"initialize\(X, y\)"):
        make(cls).load_weights(tmp_path / "w")
    with pytest.raises(NotFittedError):
        make(cls).save_weights(tmp_path / "w")
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(tmp_path):
    model = make(MLPClassifier).initialize(*data_for(MLPClassifier))
    failing(model, 3, "path must be a str or path-like", "got 3", error=TypeError)
    failing(model, tmp_path / "no", str(tmp_path), error=FileNotFoundError)
    failing(model, tmp_path, str(tmp_path), error=IsADirectoryError)
    (tmp_path / "text").write_text("not weights" * 9)
    failing(model, tmp_path / "text", "not a file of safetensors", "joblib.load")
    model.save_weights(tmp_path / "w")
    failing(model, tmp_path / "w", "strict must be", strict="yes", error=TypeError)
    with pytest.raises(TypeError, match="path must be"):
        model.save_weights(None)
    with pytest.raises(FileNotFoundError, match="no folder"):
        model.save_weights(tmp_path / "none" / "w")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        model.save_weights(tmp_path)


def test_a_file_is_replaced_as_a_whole(tmp_path, monkeypatch):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier).fit(X, y)
    path = tmp_path / "w"
    model.save_weights(path)
    weights = model.get_weights()
    files = numpy_files()
    whole = files.save_file

    def half(arrays, name, metadata):
        whole(arrays, name, metadata)
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "save_file", half)
    with pytest.raises(KeyboardInterrupt):
        make(MLPClassifier, random_state=5).fit(X, y).save_weights(path)
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == ["w"]
    assert_same(make(MLPClassifier).initialize(X, y).load_weights(path), weights)
    link = tmp_path / "link"
    link.symlink_to(path)
    model.set_weights({"output/bias": [1, 2, 3]}).save_weights(link)
    assert link.is_symlink()
    assert_same(
        make(MLPClassifier).initialize(X, y).load_weights(path), model.get_weights()
    )


@pytest.mark.parametrize("method", ["save_weights", "load_weights"])
def test_the_error_names_the_extra(method, tmp_path, monkeypatch):
    model = make(MLPClassifier).initialize(*data_for(MLPClassifier))
    monkeypatch.setitem(sys.modules, "safetensors", None)
    message = re.escape('pip install "skconvnet[safetensors]"')
    with pytest.raises(ImportError, match=message):
        getattr(model, method)(tmp_path / "w")


def test_bfloat16_is_read_or_refused_by_name(torch, tmp_path):
    """It is read if another package has taught NumPy this dtype."""
    from safetensors.torch import save_file

    model = make(MLPClassifier).initialize(*data_for(MLPClassifier))
    tensors = {n: torch.tensor(a).bfloat16() for n, a in model.get_weights().items()}
    save_file(tensors, tmp_path / "w")
    if "ml_dtypes" not in sys.modules:
        failing(model, tmp_path / "w", "BF16", "float32")
        return
    model.load_weights(tmp_path / "w")
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(
            model.get_weights()[name], tensor.float().numpy(), err_msg=name
        )
