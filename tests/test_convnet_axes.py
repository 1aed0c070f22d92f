"""Every hyperparameter of ConvNet* over one, two and three spatial axes."""

import numpy as np
import pytest
from estimator_cases import labels

from skconvnet import ConvNetClassifier, ConvNetRegressor
from skconvnet.augmentation import Cutout, Flip, Mixup, Rotation, Shift

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 12
SHAPES = {1: (12, 2), 2: (12, 10, 2), 3: (8, 9, 10, 2)}


def make(ndim, cls=ConvNetClassifier, **params):
    fixed = {
        "filters": (4, 6),
        "hidden_layer_sizes": 5,
        "max_iter": 1,
        "random_state": 0,
        "input_shape": SHAPES[ndim],
    }
    return cls(**{**fixed, **params})


def data(ndim):
    rng = np.random.default_rng(0)
    return rng.uniform(size=(N, *SHAPES[ndim])), labels(N)


CHOICES = [
    {"kernel_size": (5, 2)},
    {"strides": (2, 1), "pooling": ("avg", None)},
    {"padding": ("full", "same"), "dilation": (1, 2)},
    {"padding": (1, "valid")},
    {"pool_size": (3, 2), "pooling": "avg"},
    {"groups": (2, 1)},
    {"separable": (True, False)},
    {"separable": True, "strides": (2, 1), "batch_norm": True},
    {"batch_norm": (False, True), "convs_per_block": 2},
    {"residual": True, "convs_per_block": (2, 1), "strides": 2, "pooling": None},
    {"residual": True, "separable": True, "batch_norm": True},
    {"global_pooling": "avg"},
    {"global_pooling": "max", "hidden_layer_sizes": ()},
    {"dropout": (0.1, 0.2, 0.3), "activation": ("tanh", "gelu", "relu")},
    {"conv_method": "im2col"},
    {"conv_method": "winograd"},
    {"conv_method": ("fft", "auto")},
    {"kernel_initializer": "orthogonal"},
    {"augmentation": [Shift(1), Flip(), Cutout(2)]},
    {"augmentation": Mixup(), "solver": "sgd"},
]


@pytest.mark.parametrize("params", CHOICES, ids=str)
@pytest.mark.parametrize("ndim", SHAPES)
def test_every_hyperparameter(ndim, params):
    X, y = data(ndim)
    model = make(ndim, **params).fit(X, y)
    assert model.network_.in_shape == SHAPES[ndim]
    assert np.isfinite(model.predict_proba(X)).all()
    maps = next(iter(model.network_.layers.values())).out_shape
    assert len(maps) == ndim + 1
    assert f"{ndim}D" in model.summary() or params.get("residual")
    # Rows, in the order of input_shape, are the same samples.
    rows = X.reshape(N, -1)
    again = make(ndim, **params).fit(rows, y)
    assert again.network_.state.tobytes() == model.network_.state.tobytes()
    np.testing.assert_array_equal(again.predict(X), model.predict(rows))


@pytest.mark.parametrize("ndim", SHAPES)
def test_a_value_per_axis_of_each_block(ndim):
    X, y = data(ndim)
    sizes = (3, 2, 1)[:ndim]
    model = make(ndim, kernel_size=(sizes, 2), pool_size=(2, sizes), padding="same")
    kernels = model.initialize(X, y).get_weights()
    assert kernels["conv1/kernel"].shape == (4, 2, *sizes)
    assert kernels["conv2/kernel"].shape == (6, 4, *(2,) * ndim)
    two = make(ndim, kernel_size=((3,) * (ndim + 1), 2))
    with pytest.raises(
        ValueError, match=rf"kernel_size must be .* tuple of {ndim} int"
    ):
        two.fit(X, y)


@pytest.mark.parametrize(
    ("ndim", "params", "message"),
    [
        (1, {"conv_method": "winograd", "kernel_size": 7}, "winograd.*at most 5 taps"),
        (3, {"conv_method": "winograd", "kernel_size": 5}, "winograd.*at most 3 taps"),
        (1, {"augmentation": Rotation(5)}, r"Rotation requires .*\(height, width"),
        (3, {"pool_size": 5}, "pool2.*no output is left.*depth 8, height 9, width 10"),
        (1, {"pool_size": 13}, "pool1.*no output is left.*length 12, 2 channels"),
    ],
)
def test_errors(ndim, params, message):
    with pytest.raises(ValueError, match=message):
        make(ndim, **params).fit(*data(ndim))


@pytest.mark.parametrize("ndim", SHAPES)
def test_it_learns(ndim):
    """A bump is found wherever it is: its place does not matter, its sign does."""
    rng = np.random.default_rng(0)
    shape = (*(8,) * ndim, 1)
    X = rng.normal(scale=0.1, size=(200, *shape))
    y = np.arange(200) % 2
    for sample, label in zip(X, y, strict=True):
        corner = rng.integers(0, 6, size=ndim)
        where = tuple(slice(i, i + 2) for i in corner)
        sample[where] += 1 - 2 * label
    model = ConvNetClassifier(
        filters=4,
        pool_size=8,
        hidden_layer_sizes=(),
        learning_rate_init=0.05,
        batch_size=20,
        max_iter=15,
        tol=0.01,
        input_shape=shape,
        random_state=0,
    )
    assert model.fit(X[:150], y[:150]).score(X[150:], y[150:]) == 1.0
    assert model.predict(X[150:, ..., 0] if ndim > 1 else X[150:]).shape == (50,)


def test_volumes_need_no_input_shape():
    X, y = data(3)
    model = make(3, ConvNetRegressor, input_shape=None).fit(X, y)
    assert model.network_.in_shape == SHAPES[3]
    gray = make(3, input_shape=(8, 9, 10, 1)).fit(X[..., 0], y)
    assert gray.network_.in_shape == (8, 9, 10, 1)
    assert gray.predict(X[..., :1]).shape == (N,)


def test_samples_of_different_lengths():
    rng = np.random.default_rng(0)
    pool = {"global_pooling": "avg", "filters": 3}
    series = [rng.uniform(size=10 + i) for i in range(N)]
    model = make(1, input_shape=(None, 1), **pool).fit(series, labels(N))
    assert model.network_.in_shape == (21, 1)
    columns = [x[:, None] for x in series]
    np.testing.assert_array_equal(model.predict(columns), model.predict(series))
    volumes = [rng.uniform(size=(4 + i % 3, 5, 6, 2)) for i in range(N)]
    for shape in (None, (None, 5, 6, 2), (None,) * 4):
        model = make(3, input_shape=shape, **pool).fit(volumes, labels(N))
        assert model.network_.in_shape == (6, 5, 6, 2)
    with pytest.raises(ValueError, match=r"rows of different lengths.*\(None, 1\)"):
        make(1, input_shape=None, **pool).fit(series, labels(N))
    with pytest.raises(ValueError, match=r"requires samples of one shape.*\(None, 3\)"):
        make(1, input_shape=(12, 1), **pool).fit(series, labels(N))
