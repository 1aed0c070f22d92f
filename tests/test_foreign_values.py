"""Values of Keras, PyTorch and scikit-learn, or of another type: ours are named."""

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from foreign_word_tables import TABLES, VALUE_NAMES, advice_of
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    SequentialClassifier,
    layers,
)
from skconvnet._foreign_words import NUMBER, VALUES
from skconvnet.augmentation import Flip, Shift
from skconvnet.inspection.attribution.attribute import make_method
from skconvnet.layers import (
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    LayerNorm,
    Residual,
    SpatialDropout,
    SpatialPyramidPool,
    Standardize,
    Upsample,
)
from skconvnet.schedules import OneCycle, ReduceOnPlateau

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Parameters of objects, and how to let an object check them.
MAP, TOKENS = (8, 8, 3), (5,)
OBJECTS = {
    "mode": lambda value: Upsample(mode=value).build(MAP),
    "axis": lambda value: LayerNorm(axis=value).build(MAP),
    "per": lambda value: Standardize(per=value).build(MAP),
    "reduce": lambda value: Embedding(9, 2, reduce=value).build(TOKENS),
    "shortcut": lambda value: Residual([Dense(3)], shortcut=value).build((3,)),
    "fill": lambda value: Shift(1, fill=value).build(MAP),
    "anneal": lambda value: OneCycle(anneal=value).check_params(),
    "monitor": lambda value: ReduceOnPlateau(monitor=value).check_params(),
    "method": lambda value: make_method(value, {}),
}
# The table of "activation", looked up for layers of activations.
SAME = {"function": "activation"}


def test_every_table_is_tested():
    assert {*VALUE_NAMES, *SAME} == set(VALUES)
    assert all(VALUES[name] is VALUES[other] for name, other in SAME.items())


def words(parameters):
    return [
        (parameter, word)
        for parameter in parameters
        for word in VALUES[parameter]
        if word != NUMBER
    ]


def assert_advised(message, parameter, word):
    table, names = TABLES[f"`{parameter}`"]
    advice = advice_of(word, table)
    assert repr(word) in message
    named = [f"Did you mean {name!r}?" in message for name in advice]
    said = [text in message for text in advice if text not in names]
    assert any(named) or any(said), message


@pytest.mark.parametrize(
    ("parameter", "word"), words(name for name in VALUE_NAMES if name not in OBJECTS)
)
def test_values_of_parameters(parameter, word):
    X, y = data_for(ConvNetClassifier)
    for cls in (ConvNetClassifier, ConvNetRegressor):
        if parameter not in cls._get_param_names():
            continue
        model = make(cls, **{parameter: word})
        assert clone(model).get_params()[parameter] == word
        with pytest.raises((ValueError, TypeError), match=parameter) as caught:
            model.fit(X, y)
        assert_advised(str(caught.value), parameter, word)


@pytest.mark.parametrize(("parameter", "word"), words(OBJECTS))
def test_values_of_parameters_of_objects(parameter, word):
    with pytest.raises(ValueError, match=parameter) as caught:
        OBJECTS[parameter](word)
    assert_advised(str(caught.value), parameter, word)


def test_pooling_of_a_pyramid():
    with pytest.raises(ValueError, match=r"pooling must be .* Did you mean 'avg'\?"):
        SpatialPyramidPool(pooling="average").build(MAP)


class MaxPool2d:
    """A layer of another library."""


NOT_TEXT = [
    ({"pooling": False}, "For no pooling, use None"),
    ({"pooling": MaxPool2d}, "Did you mean 'max'"),
    ({"pooling": "Maxpool"}, "Did you mean 'max'"),
    ({"global_pooling": False}, "To flatten maps, use None"),
    ({"data_format": None}, "Did you mean 'channels_last'"),
    ({"data_format": "channel_first"}, "Did you mean 'channels_first'"),
    ({"padding": False}, "Did you mean 'valid'"),
    ({"padding": "SAME"}, "Did you mean 'same'"),
    ({"rescale": 1 / 255}, r"or multiply X by 0\.0039\d* yourself"),
    ({"rescale": StandardScaler()}, "Did you mean 'auto'"),
    ({"rescale": True}, "Did you mean 'auto'"),
    ({"class_weight": [1, 2, 3]}, "Pass a dict with the classes as keys"),
    ({"averaging": True}, "Did you mean 'swa'"),
]


@pytest.mark.parametrize(("params", "message"), NOT_TEXT)
def test_values_that_are_no_text(params, message):
    (name,) = params
    with pytest.raises((ValueError, TypeError), match=f"{name}.*{message}"):
        make(ConvNetClassifier, **params).fit(*data_for(ConvNetClassifier))


def test_numbers_for_names_of_objects():
    with pytest.raises(ValueError, match=r"axis must .*'channels' for the channels at"):
        LayerNorm(axis=-1).build(MAP)
    with pytest.raises(ValueError, match=r"axis must .*'all' for a whole sample"):
        LayerNorm(axis=(1, 2)).build(MAP)
    with pytest.raises(ValueError, match=r"fill='constant' and fill_value=0\.5"):
        Shift(1, fill=0.5).build(MAP)


def test_data_format_after_fit():
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier).fit(X, y).set_params(data_format="NCHW")
    with pytest.raises(ValueError, match=r"data_format must .* 'channels_first'\?"):
        model.predict(X)


PERCENT = [
    (lambda: make(ConvNetClassifier, dropout=50), "dropout=0.5"),
    (lambda: make(ConvNetClassifier, dropout=(0.1, 20)), "dropout=0.2"),
    (lambda: make(MLPClassifier, dropout=50), "dropout=0.5"),
    (lambda: make(MLPClassifier, dropout=(20,)), "dropout=0.2"),
    (
        lambda: make(ConvNetClassifier, validation_fraction=20),
        "validation_fraction=0.2",
    ),
    (lambda: make(ConvNetClassifier, l1_ratio=15), "l1_ratio=0.15"),
    (lambda: make(ConvNetClassifier, momentum=99), "momentum=0.99"),
    (lambda: make(ConvNetClassifier, averaging=99.9), "averaging=0.999"),
]


@pytest.mark.parametrize(("construct", "message"), PERCENT)
def test_fractions_in_percent(construct, message):
    model = construct()
    (name,) = message.split("=")[:1]
    with pytest.raises(ValueError, match=rf"{name}.* For [\d.]+ %, set {message}\."):
        model.fit(*data_for(type(model)))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (Dropout(50), "rate=0.5"),
        (SpatialDropout(20), "rate=0.2"),
        (BatchNorm(momentum=99), "momentum=0.99"),
        (Flip(probability=50), "probability=0.5"),
        (Shift(fraction=10), "fraction=0.1"),
    ],
)
def test_fractions_of_objects(spec, message):
    with pytest.raises(ValueError, match=rf"For \d+ %, set {message}\."):
        spec.build(MAP)


@pytest.mark.parametrize("cls", [ConvNetClassifier, MLPClassifier])
def test_a_dropout_of_1_or_of_a_wrong_type(cls):
    X, y = data_for(cls)
    for value in (1, 1.0, (1.0,)):
        with pytest.raises(
            ValueError, match=r"dropout.*\[0(\.0)?, 1(\.0)?\)"
        ) as caught:
            make(cls, dropout=value).fit(X, y)
        assert str(caught.value).endswith(" dropout=1 would be 100 %.")
    with pytest.raises((TypeError, ValueError), match="dropout"):
        make(cls, dropout=("a",)).fit(X, y)


OTHER_TYPES = [
    ({"max_iter": "20"}, "max_iter=20"),
    ({"max_iter": 20.0}, "max_iter=20"),
    ({"max_iter": np.float64(20)}, "max_iter=20"),
    ({"batch_size": 32.0}, "batch_size=32"),
    ({"alpha": "1e-4"}, "alpha=0.0001"),
    ({"shuffle": "false"}, "shuffle=False"),
    ({"shuffle": 1}, "shuffle=True"),
    ({"early_stopping": "yes"}, "early_stopping=True"),
    ({"n_jobs": "4"}, "n_jobs=4"),
    ({"n_jobs": "None"}, "n_jobs=None"),
    ({"max_grad_norm": "none"}, "max_grad_norm=None"),
    ({"random_state": "0"}, "random_state=0"),
]


@pytest.mark.parametrize(("params", "message"), OTHER_TYPES)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_values_of_another_type(cls, params, message):
    model = make(cls, **params)
    with pytest.raises(ValueError, match=rf"Did you mean {message}\?$"):
        model.fit(*data_for(cls))


@pytest.mark.parametrize(
    "params",
    [
        {"max_iter": 0},
        {"max_iter": 2.5},
        {"max_iter": "many"},
        {"max_iter": 1e300},
        {"alpha": -1},
        {"alpha": "true"},
        {"momentum": 101},
        {"shuffle": 2},
        {"solver": "0.1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_nothing_is_suggested_that_is_refused(cls, params):
    with pytest.raises(ValueError, match="parameter of") as caught:
        make(cls, **params).fit(*data_for(cls))
    assert "Did you mean" not in str(caught.value)
    assert "%" not in str(caught.value)


def test_layers_check_fractions_in_a_network():
    X, y = data_for(SequentialClassifier)
    model = make(SequentialClassifier, layers=[layers.Flatten(), Dropout(50)])
    with pytest.raises(ValueError, match=r"layer 'dropout'.* set rate=0\.5\."):
        model.fit(X, y)
