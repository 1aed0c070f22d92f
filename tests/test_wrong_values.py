"""Values that no hyperparameter takes, and sizes that no machine can hold.

The parameters are found as in `test_numpy_numbers`, so that none is left out.
"""

import time

import numpy as np
import pytest
from estimator_cases import (
    CLASSIFIERS,
    ESTIMATORS,
    IMAGE_ESTIMATORS,
    data_for,
    layer_list,
    make,
)
from test_numpy_numbers import examples, with_parameter

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    SequentialClassifier,
    layers,
)
from skconvnet import _memory as memory
from skconvnet.engine import memory_limits
from skconvnet.layers import (
    AvgPool2D,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Embedding,
    Flatten,
    LocallyConnected2D,
    Maxout,
    MaxPool2D,
    Parallel,
    Residual,
    SpatialPyramidPool,
    Upsample,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

WRONG = {
    "bytes": lambda: b"abc",
    "digits": lambda: b"33",
    "bytearray": lambda: bytearray(b"abc"),
    "memoryview": lambda: memoryview(b"abc"),
    "text": lambda: "abc",
    "number in text": lambda: "64",
    "set": lambda: {3, 2},
    "dict": lambda: {3: 2},
    "generator": lambda: (n for n in (3, 2)),
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-1": lambda: -1,
    "huge": lambda: 10**30,
    "too large for a float": lambda: 10**400,
    "complex": lambda: 2 + 1j,
    "None": lambda: None,
    "object": object,
    "nested": lambda: ((2, 3), (4, 5)),
}
# Never a size, a number, or a sequence of them.
NEVER = ("bytes", "digits", "bytearray", "memoryview", "set", "generator", "complex")
# These count epochs, iterations or threads, of which there may be any number.
COUNTS = ("max_iter", "n_jobs", "verbose", "max_fun", "n_iter_no_change")
# Parameters that take None as a seed or any list of words, or that `use` sets.
TAKES_ANYTHING = ("random_state", "stop_words", "dtype")


def parameters():
    for name, example, use in examples():
        for parameter in example.get_params(deep=False):
            yield pytest.param(example, use, parameter, id=f"{name}-{parameter}")


def error_of(function, *arguments):
    """Return the TypeError or ValueError that a call raises, if any."""
    try:
        function(*arguments)
    except (TypeError, ValueError) as error:
        return error
    return None


def is_explained(error, parameter):
    """Whether an error names the parameter, a layer that it makes, or its effect."""
    names = (parameter, "layer '", "would need", "diverged", "empty vocab")
    return any(name in str(error) for name in names)


@pytest.mark.parametrize(("example", "use", "parameter"), list(parameters()))
def test_wrong_values_are_refused_by_name(example, use, parameter):
    for kind, make_value in WRONG.items():
        if parameter in COUNTS and kind in ("huge", "too large for a float"):
            continue
        if parameter in TAKES_ANYTHING and kind == "None":
            continue
        model, start = (
            with_parameter(example, parameter, make_value()),
            time.process_time(),
        )
        error = error_of(use, model)
        if error is None:
            assert kind not in NEVER or parameter in TAKES_ANYTHING, kind
        else:
            assert is_explained(error, parameter), f"{kind}: {error}"
        # Ten times what it takes on a quiet machine.
        assert time.process_time() - start < 5, kind


ABSURD = {
    "filters": [10**9, 10**12, (10**9, 10**9), [1] * 10**7, 10**30],
    "kernel_size": [10**6, 10**9, (10**9, 10**9)],
    "strides": [],
    "padding": [10**6, 10**9],
    "dilation": [10**6, 10**8, 10**30],
    "pool_size": [10**9],
    "hidden_layer_sizes": [10**12, [1] * 10**7, (10**9, 10**9), 10**30],
    "convs_per_block": [10**6, 10**9, 10**30],
}


@pytest.mark.parametrize(
    ("parameter", "value"),
    [(name, value) for name, values in ABSURD.items() for value in values],
    ids=lambda value: str(value)[:20],
)
def test_absurd_convnets_are_refused_at_once(parameter, value):
    assert_refused_at_once(make(ConvNetClassifier, **{parameter: value}))


@pytest.mark.parametrize(
    "params",
    [
        {"hidden_layer_sizes": 10**12},
        {"hidden_layer_sizes": [1] * 10**7},
        {"hidden_layer_sizes": (100,), "n_hidden_layers": 10**9},
        {"hidden_layer_sizes": (100,), "n_hidden_units": 10**12},
        {"hidden_layer_sizes": (100,), "n_hidden_units": 10**30},
    ],
    ids=lambda params: str(list(params)[-1]),
)
def test_absurd_perceptrons_are_refused_at_once(params):
    assert_refused_at_once(make(MLPClassifier, **params))


@pytest.mark.parametrize(
    "specs",
    [
        [Flatten(), Dense(10**12)],
        [Flatten(), Dense(10**5), Dense(10**9)],
        [Flatten(), Maxout(10**12)],
        [Conv2D(10**9, 3)],
        [Conv2D(3, 3, padding=10**6)],
        [Conv2D(3, 3, padding="same", dilation=10**8)],
        [Conv2D(3, 10**6, padding="full")],
        [Conv2DTranspose(3, 3, strides=10**6)],
        [Conv2DTranspose(3, 3, strides=2, output_padding=10**6)],
        [Conv2DTranspose(3, 10**6)],
        [Conv2DTranspose(3, 3, dilation=10**8)],
        [LocallyConnected2D(10**11, 3)],
        [MaxPool2D(10**9)],
        [AvgPool2D(10**9, padding="same")],
        [MaxPool2D(2, strides=10**9, padding=10**9)],
        [Conv2D(3, 3), Upsample(10**6)],
        [Conv2D(3, 3), Upsample(10**6, mode="bilinear")],
        [Conv2D(3, 3), SpatialPyramidPool(10**7)],
        [Residual([Conv2D(10**9, 3)])],
        [Parallel([[Conv2D(10**9, 3)], [Conv2D(3, 3)]])],
        [Flatten()] + [Dense(1)] * 20_000,
    ],
    ids=lambda specs: str(specs)[:60],
)
@pytest.mark.parametrize("method", ["fit", "initialize"])
def test_absurd_layers_are_refused_at_once(specs, method):
    assert_refused_at_once(make(SequentialClassifier, layers=specs), method)


def test_absurd_one_dimensional_layers_and_embeddings():
    for spec in (
        Conv1D(3, 10**9, padding="same"),
        Conv1D(3, 10**6, padding="same"),
        Conv1DTranspose(3, 3, strides=10**9),
        Embedding(10**12, 4),
        Embedding(10, 10**12),
    ):
        X = np.zeros((8, 5)) if isinstance(spec, Embedding) else np.zeros((8, 5, 1))
        assert_refused_at_once(SequentialClassifier([spec]), X=X)


def assert_refused_at_once(model, method="fit", X=None):
    if X is None:
        X = data_for(type(model))[0]
    y = np.arange(len(X)) % 3
    start = time.process_time()  # which other processes do not prolong
    with pytest.raises((TypeError, ValueError)):
        getattr(model, method)(X, y)
    assert time.process_time() - start < 5
    assert not hasattr(model, "network_")


@pytest.fixture
def small_machine(monkeypatch):
    """Let the machine have 16 kB of memory."""
    for module in (memory, memory_limits):
        monkeypatch.setattr(module, "total_memory", lambda: 16e3)


@pytest.mark.usefixtures("small_machine")
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_size_and_the_largest_layer_are_named(cls):
    X, y = data_for(cls)
    params = {"hidden_layer_sizes": 500}
    if cls.__name__.startswith("Sequential"):
        params = {"layers": [*layer_list()[:-1], ("dense1", Dense(500))]}
    message = r"would need .* kB for weights, of which dense1 .* kB.*has 16 kB of mem"
    for method in ("fit", "initialize"):
        model = make(cls, **params)
        with pytest.raises(ValueError, match=message):
            getattr(model, method)(X, y)
        assert not hasattr(model, "network_")


@pytest.mark.usefixtures("small_machine")
def test_training_needs_more_than_weights():
    X, y = data_for(MLPClassifier)
    params = {"hidden_layer_sizes": 36, "dtype": "float32"}  # 1443 weights of 4 bytes
    make(MLPClassifier, **params).initialize(X, y)
    make(MLPClassifier, solver="lbfgs", **params).fit(X, y)
    with pytest.raises(ValueError, match=r"23.1 kB for the weights, their gradient"):
        make(MLPClassifier, **params).fit(X, y)


@pytest.mark.usefixtures("small_machine")
@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_maps_of_one_sample_must_fit(cls):
    X, y = data_for(cls)
    params = {"filters": 120, "global_pooling": "max"}
    if not cls.__name__.startswith("ConvNet"):
        params = {"layers": [Conv2D(120, 3, padding="same"), layers.GlobalMaxPool()]}
    message = r"layer 'conv.*': The output would have shape .* 17.3 kB per sample"
    with pytest.raises(ValueError, match=message):
        make(cls, **params).initialize(X, y)


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_wrong_dtypes_are_refused(cls, kind):
    X, y = data_for(cls)
    with pytest.raises(ValueError, match="'dtype' parameter"):
        make(cls, dtype=WRONG[kind]()).fit(X, y)


def test_memory_is_known_here():
    assert memory.total_memory() > 1e8
    assert memory.in_words(618e9) == "618 GB"
    assert memory.in_words(10**400).endswith("EB")


def test_a_container_bounds_memory(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_CONTAINER_LIMITS", (str(limit), "/no/such/file"))
    for text, expected in (("12345678\n", 12345678.0), ("max\n", None)):
        limit.write_text(text)
        memory.total_memory.cache_clear()
        total = memory.total_memory()
        assert total == expected if expected else total > 1e8
    memory.total_memory.cache_clear()


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_batch_size_beyond_the_samples_is_the_full_batch(cls):
    X, y = data_for(cls)
    model = make(cls, batch_size=10**30).fit(X, y)
    whole = make(cls, batch_size=len(X)).fit(X, y)
    np.testing.assert_array_equal(model.network_.vector, whole.network_.vector)
