"""Hyperparameters of several values: lists, tuples and arrays are the same."""

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, IMAGE_ESTIMATORS, data_for, make

from skconvnet import ConvNetClassifier, SequentialClassifier
from skconvnet.augmentation import Brightness, Compose, Cutout, Rotation, Shift
from skconvnet.layers import (
    AvgPool2D,
    Conv2D,
    Embedding,
    Permute,
    Reshape,
    Residual,
    SpatialPyramidPool,
    Standardize,
)
from skconvnet.schedules import StepDecay

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LAYERS = [
    (Conv2D(2, (3, 2)), Conv2D(2, np.array([3, 2])), (6, 6, 1)),
    (Conv2D(2, 3, (2, 1)), Conv2D(2, 3, np.array([2, 1])), (6, 6, 1)),
    (Conv2D(2, 3, 1, (1, 2)), Conv2D(2, 3, 1, np.array([1, 2])), (6, 6, 1)),
    (
        Conv2D(2, 3, 1, ((1, 0), (2, 1))),
        Conv2D(2, 3, 1, np.array([[1, 0], [2, 1]])),
        (6, 6, 1),
    ),
    (AvgPool2D((3, 2)), AvgPool2D(np.array([3, 2])), (6, 6, 1)),
    (Reshape((3, 4)), Reshape(np.array([3, 4])), (12,)),
    (Permute((2, 1)), Permute(np.array([2, 1])), (3, 4)),
    (SpatialPyramidPool((1, 2)), SpatialPyramidPool(np.array([1, 2])), (6, 6, 1)),
]


@pytest.mark.parametrize(("tuples", "arrays", "in_shape"), LAYERS)
def test_arrays_are_as_good_as_tuples(tuples, arrays, in_shape):
    expected, layer = tuples.build(in_shape), arrays.build(in_shape)
    assert layer.out_shape == expected.out_shape
    assert layer.weight_shapes == expected.weight_shapes


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("filters", [2, 3]),
        ("kernel_size", [3, 2]),
        ("dropout", [0.1, 0.2]),
        ("batch_norm", [True, False]),
        ("convs_per_block", [1, 2]),
        ("hidden_layer_sizes", [4, 5]),
    ],
)
def test_arrays_of_one_value_per_block(name, values):
    X, y = data_for(ConvNetClassifier)
    fixed = {"filters": (2, 3), "max_iter": 1, "random_state": 0}
    lists = ConvNetClassifier(**{**fixed, name: values}).fit(X, y)
    arrays = ConvNetClassifier(**{**fixed, name: np.array(values)}).fit(X, y)
    assert arrays.network_.vector.tobytes() == lists.network_.vector.tobytes()


WITHOUT_AXES = [
    (lambda: Reshape(np.array(12)).build((12,)), "shape"),
    (lambda: Permute(np.array(1)).build((12,)), "dims"),
    (lambda: SpatialPyramidPool(np.array(2)).build((6, 6, 1)), "levels"),
    (lambda: Residual(np.array(2)).build((6, 6, 1)), "layers"),
    (lambda: Residual([], np.array(["auto", "auto"])).build((6, 6, 1)), "shortcut"),
    (lambda: Standardize(np.array(["pixel", "pixel"])).build((6, 6, 1)), "per"),
    (lambda: Embedding(5, 2, reduce=np.array(["sum", "sum"])).build((4,)), "reduce"),
    (lambda: Compose(np.array(Shift(1))).build((6, 6, 1)), "steps"),
]


@pytest.mark.parametrize(("build", "name"), WITHOUT_AXES)
def test_errors_of_odd_arrays_name_the_parameter(build, name):
    with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b.* got "):
        build()


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_an_array_without_axes_is_refused_by_name(cls):
    name = "layers" if cls.__name__.startswith("Sequential") else "hidden_layer_sizes"
    model = make(cls, **{name: np.array(3)})
    with pytest.raises((TypeError, ValueError), match=rf"{name} must be .* got array"):
        model.fit(*data_for(cls))


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_input_shape_as_an_array(cls):
    X, y = data_for(cls)
    model = make(cls, input_shape=np.array([6, 6, 1]))
    assert model.fit(X.reshape(len(X), -1), y).network_.in_shape == (6, 6, 1)


@pytest.mark.parametrize(
    ("tuples", "arrays"),
    [
        (Shift((1, 2)), Shift(np.array([1, 2]))),
        (Cutout((2, 3)), Cutout(np.array([2, 3]))),
        (Rotation((-5.0, 9.0)), Rotation(np.array([-5.0, 9.0]))),
        (
            Brightness(0.2, value_range=(0.0, 1.0)),
            Brightness(0.2, value_range=np.array([0.0, 1.0])),
        ),
    ],
)
def test_augmentations_take_arrays(tuples, arrays):
    X, y = data_for(ConvNetClassifier)
    fixed = {"layers": [], "max_iter": 2, "random_state": 0, "dtype": "float32"}
    one, two = (
        SequentialClassifier(augmentation=augmentation, input_shape=(6, 6, 1), **fixed)
        for augmentation in (tuples, arrays)
    )
    state = one.fit(X, y).network_.state
    assert two.fit(X, y).network_.state.tobytes() == state.tobytes()


def test_steps_of_a_schedule_as_an_array():
    X, y = data_for(ConvNetClassifier)
    fixed = {"max_iter": 4, "random_state": 0, "dtype": "float32"}
    one = make(ConvNetClassifier, learning_rate=StepDecay((1, 3)), **fixed)
    two = make(ConvNetClassifier, learning_rate=StepDecay(np.array([1, 3])), **fixed)
    one.fit(X, y)
    two.fit(X, y)
    assert len(set(one.learning_rate_curve_)) == 3
    assert two.learning_rate_curve_ == one.learning_rate_curve_
    assert two.network_.vector.tobytes() == one.network_.vector.tobytes()
