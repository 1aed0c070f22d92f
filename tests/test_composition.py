"""Layers made of layers: what they compute, their names, their errors."""

import numpy as np
import pytest
from layer_tools import Bench
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    Activation,
    AvgPool2D,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Flatten,
    LocallyConnected2D,
    MaxPool2D,
    Parallel,
    Reshape,
    Residual,
    SeparableConv2D,
    SpatiallySeparableConv2D,
    Upsample,
)

INCEPTION = Parallel(
    [
        ("b1", Conv2D(2, 1)),
        ("b3", [("reduce", Conv2D(3, 1)), ("conv", Conv2D(4, 3, padding="same"))]),
        ("pool", [MaxPool2D(3, 1, "same"), Conv2D(1, 1)]),
    ]
)


def alone(spec, weights, x):
    """Return the output of one layer with these weights."""
    bench = Bench(spec, x.shape[1:])
    for name, array in bench.weights.items():
        array[...] = weights[name]
    return bench.forward(x)


def within(weights, prefix):
    return {
        name.removeprefix(prefix): array
        for name, array in weights.items()
        if name.startswith(prefix)
    }


def test_branches_are_joined_along_the_channels_in_their_order():
    bench = Bench(INCEPTION, (5, 6, 2))
    x = np.random.default_rng(1).normal(size=(3, 5, 6, 2))
    weights = bench.weights
    ones = alone(Conv2D(2, 1), within(weights, "b1/conv2d/"), x)
    reduced = alone(Conv2D(3, 1), within(weights, "b3/reduce/"), x)
    threes = alone(Conv2D(4, 3, padding="same"), within(weights, "b3/conv/"), reduced)
    pooled = alone(MaxPool2D(3, 1, "same"), {}, x)
    pooled = alone(Conv2D(1, 1), within(weights, "pool/conv2d/"), pooled)
    expected = np.concatenate([ones, threes, pooled], axis=-1)
    np.testing.assert_allclose(bench.forward(x), expected, rtol=1e-12)


def test_residual_adds_its_shortcut():
    spec = Residual(
        [("conv1", Conv2D(3, 3, 2, "same")), ("conv2", Conv2D(4, 3, padding="same"))]
    )
    bench = Bench(spec, (5, 6, 2))
    x = np.random.default_rng(1).normal(size=(3, 5, 6, 2))
    weights = bench.weights
    main = alone(Conv2D(3, 3, 2, "same"), within(weights, "conv1/"), x)
    main = alone(Conv2D(4, 3, padding="same"), within(weights, "conv2/"), main)
    shortcut = alone(
        Conv2D(4, 1, 2, "same"), within(weights, "shortcut/projection/"), x
    )
    np.testing.assert_allclose(bench.forward(x), main + shortcut, rtol=1e-12)


@pytest.mark.parametrize(
    ("layers", "strides"),
    [
        ([SeparableConv2D(4, 3, (2, 1), "same")], (2, 1)),
        ([DepthwiseConv2D(3, 2, (1, 3), "same")], (1, 3)),
        ([SpatiallySeparableConv2D(4, 3, (2, 3), "same")], (2, 3)),
        ([LocallyConnected2D(4, 3, 2, "same")], (2, 2)),
        ([AvgPool2D(3, 2, "same"), Conv2D(4, 3, (1, 2), "same")], (2, 4)),
        ([Residual([DepthwiseConv2D(3, 2, 2, "same")])], (2, 2)),
        ([Parallel([("a", [SeparableConv2D(4, 3, 2, "same")])])], (2, 2)),
        ([Upsample((2, 1)), Conv2D(4, 3, (2, 3), "same")], (1, 3)),
        ([Conv2DTranspose(3, 3, 2, "same"), MaxPool2D(2), Conv2D(4, 1)], (1, 1)),
        ([Upsample(2), Conv2D(4, 3, 6, "same")], (3, 3)),
        ([Reshape((42, 2)), Conv1D(4, 1, 1), Reshape((7, 6, 4))], (1, 1)),
    ],
    ids=lambda value: None if isinstance(value, list) else str(value),
)
def test_projection_takes_the_strides_of_every_kind_of_layer(layers, strides):
    spec = Residual(layers, "projection")
    bench = Bench(spec, (7, 6, 2))
    x = np.random.default_rng(1).normal(size=(3, 7, 6, 2))
    main = bench.forward(x)
    projection = within(bench.weights, "shortcut/projection/")
    assert projection["kernel"].shape == (4, 2, 1, 1)
    shortcut = alone(Conv2D(4, 1, strides, "same"), projection, x)
    for array in projection.values():
        array[...] = 0
    np.testing.assert_allclose(main, bench.forward(x) + shortcut, rtol=1e-12)


@pytest.mark.parametrize("shortcut", ["auto", "identity"])
def test_shortcut_of_equal_shapes_is_the_input(shortcut):
    layer = Residual([Dense(4)], shortcut).build((4,))
    assert list(layer.weight_shapes) == ["dense/kernel", "dense/bias"]
    projected = Residual([Dense(4)], "projection").build((4,))
    assert "shortcut/projection/kernel" in projected.weight_shapes


def test_parameters_are_reached_by_nested_names():
    spec = Parallel(
        [("a", [("block", Residual([("conv", Conv2D(2, 3, padding="same"))]))])]
    )
    params = spec.get_params()
    assert params["a__block__conv__filters"] == 2
    assert {"a", "a__block", "a__block__conv", "a__block__shortcut"} < set(params)
    copy = clone(spec)
    copy.set_params(a__block__conv__filters=5)
    assert copy.get_params()["a__block__conv__filters"] == 5
    assert spec.get_params()["a__block__conv__filters"] == 2
    branches = copy.branches
    copy.set_params(a__block=Conv2D(7, 1))
    assert copy.build((4, 4, 2)).out_shape == (4, 4, 7)
    assert isinstance(branches[0][1][0][1], Residual)
    copy.set_params(a=[], branches=spec.branches)
    assert copy.build((4, 4, 2)).out_shape == (4, 4, 2)


def test_shortcut_is_reached_too():
    spec = Residual([("dense", Dense(3))], shortcut=[("way", Dense(3))])
    spec.set_params(shortcut__way__units=4, dense__units=4)
    assert spec.build((2,)).out_shape == (4,)
    spec.set_params(shortcut__way=Dense(4, "tanh"))
    assert spec.shortcut[0][1].activation == "tanh"
    assert spec.layers[0][1].units == 4


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_grid_search_reaches_into_branches():
    X, y = load_digits(return_X_y=True)
    model = SequentialClassifier(
        [("inc", INCEPTION), ("relu", Activation("relu")), ("flatten", Flatten())],
        max_iter=2,
        random_state=0,
    )
    grid = {"inc__b3__conv__filters": [2, 3], "inc__pool": [[], [Conv2D(1, 1)]]}
    search = GridSearchCV(model, grid, cv=2).fit(X[:200] / 16, y[:200])
    best = search.best_params_["inc__b3__conv__filters"]
    weights = search.best_estimator_.get_weights()
    assert weights["inc/b3/conv/kernel"].shape == (best, 3, 3, 3)
    summary = search.best_estimator_.summary().splitlines()
    assert any(line.startswith("    conv ") for line in summary)
    assert INCEPTION.get_params()["b3__conv__filters"] == 4


def test_a_layer_inside_may_be_passed_through():
    spec = Parallel([("a", [("one", Conv2D(2, 1)), ("two", Conv2D(3, 1))])])
    spec.set_params(a__two="passthrough")
    assert spec.build((4, 4, 1)).out_shape == (4, 4, 2)


@pytest.mark.parametrize(
    ("spec", "in_shape", "error", "message"),
    [
        (
            Parallel([("a", Conv2D(2, 1)), ("b", Conv2D(2, 3))]),
            (5, 5, 1),
            ValueError,
            r"branch 'b' has shape \(3, 3, 2\), but .*'a' has shape \(5, 5, 2\).*same",
        ),
        (
            Parallel([("a", [("c", Conv2D(2, 9))])]),
            (5, 5, 1),
            ValueError,
            r"branch 'a': layer 'c': kernel_size=\(9, 9\)",
        ),
        (Parallel([]), (5, 5, 1), TypeError, "branches must be a list"),
        (Parallel(Dense(3)), (5,), TypeError, "branches must be a list"),
        (Parallel([Dense(3)]), (5,), TypeError, r"branches\[0\] must be a \(name"),
        (Parallel([("a/b", Dense(3))]), (5,), TypeError, "without '__' and '/'"),
        (
            Parallel([("a", Dense(3)), ("a", Dense(2))]),
            (5,),
            ValueError,
            "two branches named 'a'",
        ),
        (Parallel([("a", 3)]), (5,), TypeError, "branch 'a': layers must be a list"),
        (
            Residual([Conv2D(2, 3)], "identity"),
            (5, 5, 2),
            ValueError,
            r"layers has shape \(3, 3, 2\), but .*shortcut='identity'.*projection",
        ),
        (
            Residual([Conv2D(2, 3)]),
            (5, 5, 2),
            ValueError,
            "cannot be added.*padding='same'",
        ),
        (Residual([Flatten()]), (5, 5, 2), ValueError, "has no projection"),
        (
            Residual([Dense(2)], "other"),
            (2,),
            ValueError,
            "shortcut must be one of 'auto'",
        ),
        (Residual([("shortcut", Dense(2))]), (2,), ValueError, "'shortcut'"),
        (Residual(None), (2,), TypeError, "layers must be a list"),
    ],
)
def test_errors_name_the_branch_and_the_cure(spec, in_shape, error, message):
    with pytest.raises(error, match=message):
        spec.build(in_shape)


def test_unknown_nested_name_is_told():
    with pytest.raises(ValueError, match=r"'b9__filters'.*'b1', 'b3', .*'pool'"):
        clone(INCEPTION).set_params(b9__filters=3)
