"""Names of Keras and PyTorch: each is refused, and ours is named."""

import importlib

import numpy as np
import pytest
from docs_tools import DOCS, section
from estimator_cases import CLASSIFIERS, ESTIMATORS, REGRESSORS, data_for, make
from foreign_word_tables import MODULES, TABLES, advice_of, documented_rows, first_name
from sklearn.model_selection import GridSearchCV

from skconvnet import ConvNetClassifier, SequentialClassifier, layers
from skconvnet._foreign_words import NUMBER
from skconvnet._suggestions import plain
from skconvnet.augmentation import Shift
from skconvnet.layers import Conv2D, Dense, Flatten, MaxPool2D, Parallel, Residual
from skconvnet.losses import Huber
from skconvnet.optimizers import SGD, Adam
from skconvnet.schedules import Cosine

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Training started with a loss"),
]

WORDS = [(what, word) for what in TABLES for word in TABLES[what][0] if word != NUMBER]


@pytest.mark.parametrize(("what", "word"), WORDS)
def test_advice_is_a_name_of_ours_or_a_sentence(what, word):
    table, names = TABLES[what]
    for advice in advice_of(word, table):
        is_sentence = advice.endswith(".") and advice[0].isupper() and " " in advice
        is_call = advice.startswith("Activation(")
        assert advice in names or is_sentence or is_call or advice == "layers", advice


@pytest.mark.parametrize("what", TABLES)
def test_words_differ(what):
    table, _ = TABLES[what]
    plain_words = [plain(word) for word in table]
    assert len(set(plain_words)) == len(plain_words)


@pytest.mark.parametrize("word", TABLES["parameter of an estimator"][0])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_parameters_of_estimators(cls, word):
    table, _ = TABLES["parameter of an estimator"]
    own = first_name(word, table, cls._get_param_names())
    pattern = rf"^{cls.__name__}\.__init__\(\) got an unexpected .* {word!r}\. "
    with pytest.raises(TypeError, match=pattern) as caught:
        cls(**{word: 3})
    assert own is None or f"{own}=3" in str(caught.value)
    fitted = make(cls)
    before = repr(fitted.get_params())
    with pytest.raises(ValueError, match=f"Invalid parameter '{word}'") as caught:
        fitted.set_params(alpha=0.5, **{word: 3})
    assert own is None or repr(own) in str(caught.value)
    assert repr(fitted.get_params()) == before


@pytest.mark.parametrize("kind", MODULES)
def test_names_in_modules(kind):
    table, _ = TABLES[kind]
    module = MODULES[kind]
    for word in table:
        (advice,) = advice_of(word, table)
        with pytest.raises(AttributeError, match=f"no attribute '{word}'") as caught:
            getattr(module, word)
        assert advice in str(caught.value)
        assert not hasattr(module, word)
        if word.isidentifier():
            with pytest.raises(ImportError, match=f"import name '{word}'") as caught:
                exec(f"from {module.__name__} import {word}", {})
            assert advice in str(caught.value)


def test_modules_and_private_names_can_still_be_imported():
    assert importlib.import_module("skconvnet.layers.conv").Conv2D is Conv2D
    namespace = {}
    exec("from skconvnet.layers import conv, pooling", namespace)
    assert namespace["pooling"].MaxPool2D is MaxPool2D
    assert not hasattr(layers, "__wrapped__")
    assert not hasattr(layers, "_linear")


CONSTRUCTIONS = [
    (lambda: Conv2D(32, 3, stride=2), "strides=2"),
    (lambda: Conv2D(in_channels=3, filters=8, kernel_size=3), "is inferred"),
    (lambda: Dense(n_units=4), "units=4"),
    (lambda: Dense(4, actvation="relu"), "activation='relu'"),
    (lambda: layers.Dropout(p=0.5), "rate=0.5"),
    (lambda: MaxPool2D(kernel_size=2), "pool_size=2"),
    (lambda: Flatten(start_dim=1), "'start_dim'"),
    (lambda: Flatten(1), "takes no arguments"),
    (lambda: Adam(lr=0.1), "set learning_rate_init"),
    (lambda: SGD(nesterovs_momentum=True), "nesterov=True"),
    (lambda: Cosine(T_max=5), "period=5"),
    (lambda: Huber(beta=2), "delta=2"),
    (lambda: Shift(pixels=2), "max_pixels=2"),
    (lambda: Residual(layer=[Dense(4)]), r"layers=\[Dense\(units=4\)\]"),
    (lambda: Residual([Dense(4)], drop_prob=0.2), r"with StochasticDepth\(0\.2\)"),
    (lambda: layers.StochasticDepth(drop_prob=0.2), "rate=0.2"),
]


@pytest.mark.parametrize(("construct", "message"), CONSTRUCTIONS)
def test_arguments_of_objects(construct, message):
    with pytest.raises(TypeError, match=message):
        construct()


def nested():
    inner = Parallel([("b1", [("conv", Conv2D(2, 1))]), ("b3", Conv2D(2, 1))])
    return SequentialClassifier(
        [("conv1", Conv2D(2, 3)), ("inner", inner), Flatten()],
        augmentation=[Shift(1)],
        solver=Adam(),
    )


KEYS = {
    "conv1__filter": "'conv1__filters'",
    "cnov1__filters": "'conv1__filters'",
    "conv1__stride": "'conv1__strides'",
    "conv1__units_": "is of class Conv2D",
    "layers__0__filters": "'conv1__filters'",
    "layers__conv1__filters": "'conv1__filters'",
    "layers__5__filters": "'conv1', 'inner', 'flatten'",
    "inner__b1__conv__filter": "'inner__b1__conv__filters'",
    "inner__b1__0__filters": "'inner__b1__conv__filters'",
    "inner__b2__filters": "'inner__b[13]__filters'",
    "augmentation__0__max_pixels": "'augmentation__shift__max_pixels'",
    "augmentation__shfit__max_pixels": "'augmentation__shift__max_pixels'",
    "solver__beta1": "'solver__beta_1'",
    "sovler__beta_1": "'solver__beta_1'",
    "learning_rate__factor": "Set learning_rate to an object",
    "conv1__activation__slope": "conv1__activation=None has no parameters",
    "epochs": "'max_iter'",
}


@pytest.mark.parametrize("key", KEYS)
def test_nested_names(key):
    model = nested()
    before = repr(model.get_params())
    with pytest.raises(ValueError, match=f"^Invalid parameter .*{KEYS[key]}"):
        model.set_params(conv1__filters=7, **{key: 3})
    assert repr(model.get_params()) == before
    with pytest.raises(ValueError, match=f"^Invalid parameter .*{KEYS[key]}"):
        GridSearchCV(model, {key: [3]}).fit(*data_for(SequentialClassifier))


def test_names_that_belong_to_new_values():
    model = nested()
    model.set_params(layers=[("top", Dense(3))], top__units=4)
    assert model.layers[0][1].units == 4
    model.set_params(learning_rate=Cosine(), learning_rate__minimum=0.5)
    model.set_params(augmentation=[("a", Shift(1))], augmentation__a__max_pixels=2)
    assert model.augmentation[0][1].max_pixels == 2
    with pytest.raises(ValueError, match="'top__units'"):
        model.set_params(layers=[("top", Dense(5))], top__unit=4)
    assert model.layers[0][1].units == 4


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_arguments_of_fit(cls, method):
    X, y = data_for(cls)
    model, call = make(cls), f"^{cls.__name__}.{method}"
    for arguments, message in {
        "epochs": r"'epochs'\. Set max_iter=3 in",
        "batch_size": r"'batch_size'\. Set batch_size=3 in",
        "validation_data": r"'validation_data'\. Pass X_val=\.\.\., y_val=",
        "sample_weights": r"'sample_weights'\. Did you mean 'sample_weight'",
        "X_vall": "Did you mean 'X_val'",
        "callbacks": "early_stopping=True",
        "zzz": "Its arguments are X, y, sample_weight",
    }.items():
        with pytest.raises(TypeError, match=rf"{call}\(\) got an .*{message}"):
            getattr(model, method)(X, y, **{arguments: 3})
    with pytest.raises(TypeError, match=rf"{call}\(\) takes X, y, .* only by name"):
        getattr(model, method)(X, y, None, [0, 1, 2], X, y)
    with pytest.raises(TypeError, match=rf"{call}\(\) missing 1 .* 'y'"):
        getattr(model, method)(X)
    assert not hasattr(model, "network_")


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_arguments_of_other_methods(cls):
    X, y = data_for(cls)
    fitted = make(cls).fit(X, y)
    for method in ("predict", "score", "predict_proba", "decision_function"):
        if hasattr(fitted, method):
            data = (X, y) if method == "score" else (X,)
            pattern = rf"^{cls.__name__}.{method}\(\) .*'batch_size'. Set batch_size=8"
            with pytest.raises(TypeError, match=pattern):
                getattr(fitted, method)(*data, batch_size=8)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_attributes_of_other_libraries(cls):
    model = make(cls)
    for name, message in {
        "compile": "Set solver, loss",
        "evaluate": "Did you mean 'score'",
        "history": "loss_curve_",
        "state_dict": "get_weights",
        "save": "joblib",
    }.items():
        assert not hasattr(model, name)
        with pytest.raises(AttributeError, match=f"no attribute '{name}'.*{message}"):
            getattr(model, name)
    with pytest.raises(AttributeError, match=r"no attribute 'classes'$"):
        _ = model.classes
    model.fit(*data_for(cls))
    with pytest.raises(AttributeError, match=r"Did you mean 'loss_curve_'\?"):
        _ = model.loss_curve


class CrossEntropyLoss:
    """A loss of another library."""


OBJECTS = [
    ({"solver": Adam}, r"Pass an object of this class, solver=Adam\(\)"),
    ({"solver": "adm"}, r"\{'adadelta', 'adagrad', .*'sgd'\} or .* mean 'adam'"),
    ({"loss": CrossEntropyLoss()}, "Did you mean 'log_loss'"),
    ({"loss": CrossEntropyLoss}, "Did you mean 'log_loss'"),
    ({"loss": Huber()}, r"skconvnet.losses \(Hinge, LogLoss, .*Huber\(\)"),
    ({"learning_rate": 0.01}, "set learning_rate_init=0.01"),
    ({"learning_rate": np.float32(0.5)}, "set learning_rate_init="),
    ({"learning_rate": "cos"}, "Did you mean 'cosine'"),
    ({"activation": "Sofmax"}, "Did you mean|must be None or one of"),
    ({"pooling": ("mean",)}, "Did you mean 'avg'"),
    ({"class_weight": "balance"}, "Did you mean 'balanced'"),
    ({"early_stopping": 5}, "n_iter_no_change=5"),
]


@pytest.mark.parametrize(("params", "message"), OBJECTS)
def test_other_values(params, message):
    X, y = data_for(ConvNetClassifier)
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        make(ConvNetClassifier, **params).fit(X, y)
    assert "optimizers.base" not in str(caught.value)


class Linear:
    """A layer of another library."""


LAYER_LISTS = [
    ([Flatten(), Dense(3, activation="softmax")], "layer 'dense'.*are added from y"),
    ([Flatten(), Dense(64, 10)], "layer 'dense'.*units or filters come first"),
    ([Flatten(), Linear()], "Did you mean 'Dense'"),
    ([Flatten(), "relu"], r"Use Activation\(.relu.\)"),
    ([Flatten, Dense(3)], "the class Flatten; pass an instance"),
    ([Conv2D(2, 3, padding="SAME")], "layer 'conv2d': padding .* mean 'same'"),
]


@pytest.mark.parametrize(("entries", "message"), LAYER_LISTS)
def test_lists_of_layers(entries, message):
    X, y = data_for(SequentialClassifier)
    with pytest.raises((ValueError, TypeError), match=message):
        SequentialClassifier(entries).fit(X, y)


@pytest.mark.parametrize("cls", CLASSIFIERS + REGRESSORS)
def test_a_second_output_layer_is_told(cls):
    if not cls.__name__.startswith("Sequential"):
        return
    X, y = data_for(cls)
    units = 3 if cls in CLASSIFIERS else 1
    keras = make(cls, layers=[Flatten(), ("top", Dense(units))])
    with pytest.warns(UserWarning, match="'top'.* output layer is added") as caught:
        keras.fit(X, y)
    assert caught[0].filename == __file__
    keras.set_params(top__activation="relu").fit(X, y)
    keras.set_params(top__activation=None, top__units=units + 1).fit(X, y)


def test_a_list_is_a_tuple_and_a_pair_for_each_block_is_explained():
    X, y = data_for(ConvNetClassifier)
    for size in [(3, 3), [3, 3], np.array([3, 3])]:
        fitted = make(ConvNetClassifier, filters=(2, 2), kernel_size=size).fit(X, y)
        assert fitted.get_weights()["conv2/kernel"].shape == (2, 2, 3, 3)
    message = r"pass kernel_size=\[\(5, 3\), \(5, 3\), \(5, 3\)\]"
    with pytest.raises(ValueError, match=message):
        make(ConvNetClassifier, filters=(2, 2, 2), kernel_size=[5, 3]).fit(X, y)


def test_the_documentation_lists_the_words():
    page = section(DOCS / "coming_from_skorch_and_keras.md", "Words and names")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert rows[2:] == documented_rows()
