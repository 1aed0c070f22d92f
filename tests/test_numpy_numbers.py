"""Every number among the hyperparameters may be one of NumPy's.

A search draws them from arrays. The parameters are found by their defaults and by what
the docstrings say, so that none is left out.
"""

import inspect
import re
from numbers import Real

import numpy as np
import pytest
from augmentation_tools import EVERY as AUGMENTATIONS
from estimator_cases import CLASSIFIERS, data_for, make
from layer_cases import CASES
from sklearn.base import BaseEstimator, clone

import skconvnet
from skconvnet import (
    FeatureExtractor,
    MLPClassifier,
    MLPRegressor,
    SequentialRegressor,
    architectures,
    augmentation,
    initializers,
    layers,
    losses,
    optimizers,
    schedules,
    text,
)
from skconvnet.augmentation import ProgressiveResizing, Versions
from skconvnet.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
# The unsigned and short ones wrap around where Python's ints do not.
INTS = [np.int64, np.int32, np.int8, np.uint8, np.uint64]
FLOATS = [np.float64, np.float32]
# Values to try where the default is no number.
GUESSES = {"int": [2, 1, 3, 0, (2, 3), (6, 6)], "float": [0.5, 1.5, (0.5, 1.5)]}
LAYERS = {type(spec): (spec, shape) for spec, shape in reversed(CASES)}


def weights_of(model, X, y):
    """Return what a short training in single precision leads to.

    The model comes with a `random_state`, which may be the value under test.
    """
    assert model.random_state is not None
    model.set_params(dtype="float32")
    if model.max_iter == 200:
        model.set_params(max_iter=2)
    return model.fit(X.astype(np.float32), y).network_.state


def mlp(cls, **params):
    X, y = data_for(cls)
    return weights_of(make(cls, **params), X, y)


def use_estimator(model):
    if isinstance(model, FeatureExtractor):
        X, y = data_for(MLPClassifier)
        return weights_of(model.fit(X, y).estimator_, X, y)
    return weights_of(model, *data_for(type(model)))


def use_layer(spec):
    _, shape = LAYERS[type(spec)]
    X = np.random.default_rng(0).integers(0, 2, size=(8, *shape))
    model = SequentialRegressor([spec], random_state=0)
    return weights_of(model, X, np.arange(8.0))


def use_augmentation(augmentation):
    X = np.random.default_rng(0).uniform(size=(8, 6, 6, 1))
    if isinstance(augmentation, Versions):
        model = SequentialRegressor([], predict_augmentation=augmentation)
        model.set_params(random_state=0).fit(X, np.arange(8.0))
        return model.predict(X)
    # Images of several sizes need a layer whose output always has the same size.
    takes_one_size = not isinstance(augmentation, ProgressiveResizing)
    specs = [] if takes_one_size else [layers.GlobalAvgPool()]
    model = SequentialRegressor(specs, augmentation=augmentation, random_state=0)
    return weights_of(model, X, np.arange(8.0))


def use_optimizer(solver):
    return mlp(MLPClassifier, solver=solver)


def use_schedule(schedule):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, learning_rate=schedule)
    model.fit(X, y, X_val=X, y_val=y)
    return np.array([*model.learning_rate_curve_, *model.network_.vector])


def use_loss(loss):
    is_of_classes = type(loss) in CLASSIFICATION_LOSSES.values()
    return mlp(MLPClassifier if is_of_classes else MLPRegressor, loss=loss)


def use_initializer(initializer):
    return mlp(MLPClassifier, kernel_initializer=initializer)


def use_text(tokens):
    return tokens.fit_transform(["a cat sat", "the dog and the cat sat", "the cat"])


def small(cls):
    if cls is FeatureExtractor:
        return cls(make(MLPClassifier), "dense1")
    defaults = cls()
    if cls.__name__.startswith("MLP"):  # n_hidden_layers goes with the default only
        return make(cls, hidden_layer_sizes=defaults.hidden_layer_sizes)
    return make(cls)


def small_optimizer(cls):
    # Two updates are made.
    return cls(optimizers.SGD(), every=2) if cls is optimizers.Lookahead else cls()


CHANGES = [*AUGMENTATIONS, ProgressiveResizing(), Versions(shifts=1)]
PUBLIC_LOSSES = {*CLASSIFICATION_LOSSES.values(), *REGRESSION_LOSSES.values()}
GROUPS = [
    (skconvnet, small, use_estimator),
    (layers, lambda cls: LAYERS[cls][0], use_layer),
    (
        augmentation,
        lambda cls: {type(case): case for case in CHANGES}[cls],
        use_augmentation,
    ),
    (optimizers, small_optimizer, use_optimizer),
    (schedules, lambda cls: cls(), use_schedule),
    (losses, lambda cls: cls(), use_loss),
    (initializers, lambda cls: cls(), use_initializer),
    (text, lambda cls: cls(), use_text),
]


def documented_kinds(doc, name):
    """Whether the docstring says that the parameter is an int, or a float."""
    for names, kind in re.findall(r"^ *(\w+(?:, \w+)*) : (.*)$", doc, re.MULTILINE):
        if name in names.split(", "):
            return [word for word in GUESSES if re.search(rf"\b{word}\b", kind)]
    return []


def is_number(value):
    if isinstance(value, (tuple, list)):
        return bool(value) and all(is_number(v) for v in value)
    return isinstance(value, Real) and not isinstance(value, bool)


def converted(value, types):
    """Return the value in each of NumPy's types that holds it."""
    if isinstance(value, (tuple, list)):
        columns = [converted(v, types) for v in value]
        return [type(value)(row) for row in zip(*columns, strict=False)]
    ints, floats = types
    fitting = [] if isinstance(value, int) else [t(value) for t in floats]
    if float(value).is_integer():
        fitting += [t(value) for t in ints if holds(t, value)]
    return fitting


def holds(dtype, value):
    limits = np.iinfo(dtype)
    return limits.min <= value <= limits.max


def examples():
    """Yield every class that users set hyperparameters of: its name, object and use."""
    for package, base, use in GROUPS:
        for name in getattr(package, "__all__", dir(package)):
            cls = getattr(package, name)
            if not inspect.isclass(cls) or inspect.isabstract(cls):
                continue
            if not cls.__module__.startswith(package.__name__) or name.startswith("_"):
                continue
            if package is losses and cls not in PUBLIC_LOSSES:
                continue  # what others turn into; not for users
            yield f"{package.__name__}.{name}", base(cls), use


def numeric_parameters():
    for name, example, use in examples():
        for parameter, value in example.get_params(deep=False).items():
            kinds = documented_kinds(type(example).__doc__, parameter)
            guesses = [guess for kind in kinds for guess in GUESSES[kind]]
            values = [value] if is_number(value) else guesses
            if values:
                where = f"{name}-{parameter}"
                yield pytest.param(example, use, parameter, values, id=where)


def with_parameter(example, parameter, value):
    return clone(example).set_params(**{parameter: value})


def first_allowed(example, use, parameter, values):
    for value in values:
        try:
            return value, use(with_parameter(example, parameter, value))
        except (TypeError, ValueError):
            continue
    pytest.fail(f"none of {values} is allowed")


@pytest.mark.parametrize(
    ("example", "use", "parameter", "values"), list(numeric_parameters())
)
def test_hyperparameters_take_numpy_numbers(example, use, parameter, values):
    value, expected = first_allowed(example, use, parameter, values)
    ints, floats = INTS, FLOATS
    if use is use_text and isinstance(value, float):
        # As in scikit-learn, an int is a count, and there are no other floats.
        ints, floats = [], FLOATS[:1]
    for other in converted(value, (ints, floats)):
        result = use(with_parameter(example, parameter, other))
        assert result.dtype == expected.dtype
        if np.array_equal(other, value):
            np.testing.assert_array_equal(result, expected)


def test_a_seed_among_the_hyperparameters_is_the_one_that_is_used():
    first, second = (mlp(MLPClassifier, random_state=seed) for seed in (0, 1))
    assert (first != second).any()


def numeric_arguments(name):
    """Return the function's required arguments, and its numbers or tuples of them."""
    parameters = inspect.signature(getattr(architectures, name)).parameters.values()
    required = {p.name: 4 for p in parameters if p.default is p.empty}
    if name == "nin_block":
        required["filters"] = (4, 4)
    values = {p.name: required.get(p.name, p.default) for p in parameters}
    return required, {key: value for key, value in values.items() if is_number(value)}


# All have a width, and these have more.
N_NUMBERS = dict.fromkeys(architectures.__all__, 1) | {
    "fasttext": 4,
    "han": 6,
    "inception_block": 4,
    "inception_time": 5,
    "lstm_fcn": 3,
    "nin_block": 4,
    "rcnn": 6,
    "resnet": 2,
    "resnet_1d": 2,
    "resnet_bottleneck": 3,
    "tabular": 4,
    "text_cnn": 7,
    "text_rnn": 6,
    "transformer_encoder": 7,
    "vgg": 2,
    "xception_block": 3,
}


def printed_values(layers):
    """Return all values in nested layers as they are printed."""
    params = SequentialRegressor(layers).get_params()
    return {
        name: repr(value)
        for name, value in params.items()
        if not isinstance(value, (list, BaseEstimator))
    }


@pytest.mark.parametrize("name", architectures.__all__)
def test_architectures_take_numpy_numbers(name):
    function = getattr(architectures, name)
    required, numbers = numeric_arguments(name)
    assert len(numbers) == N_NUMBERS[name]
    for parameter, value in numbers.items():
        expected = printed_values(function(**{**required, parameter: value}))
        for other in converted(value, (INTS, FLOATS)):
            made = function(**{**required, parameter: other})
            is_kept = parameter in ("kernel_size", "strides", "padding")
            # A fraction is another number in float32.
            if not is_kept and np.array_equal(other, value):
                assert printed_values(made) == expected


def test_convnets_over_an_arange():
    X, y = data_for(CLASSIFIERS[1])
    for n in np.arange(1, 3):
        model = make(CLASSIFIERS[1], convs_per_block=n, groups=n // n, filters=2 * n)
        assert model.fit(X, y).network_.layers["dense1"].out_shape == (5,)
