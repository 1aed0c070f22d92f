"""Where the scale and the shift of normalizations start."""

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skconvnet import SequentialClassifier
from skconvnet.engine.network import Network
from skconvnet.initializers import (
    Constant,
    Dirac,
    GlorotNormal,
    Initializer,
    Normal,
    Orthogonal,
)
from skconvnet.layers import (
    BatchNorm,
    Conv2D,
    Flatten,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    Residual,
    RMSNorm,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NORMS = [
    BatchNorm(),
    GroupNorm(2),
    InstanceNorm(),
    LayerNorm(),
    LayerNorm(axis="all"),
    RMSNorm(),
    RMSNorm(axis="all"),
]
every_norm = pytest.mark.parametrize("norm", NORMS, ids=str)
IN_SHAPE = (4, 3, 40)


def arrays_of(norm, seed=0, **params):
    own = clone(norm).set_params(**params)
    network = Network([("norm", own)], IN_SHAPE, "float64")
    network.initialize(np.random.RandomState(seed))
    return {name.rpartition("/")[2]: a.copy() for name, a in network.weights.items()}


def parameters_of(norm):
    return {"gamma", "beta"} - ({"beta"} if isinstance(norm, RMSNorm) else set())


@every_norm
def test_scales_are_one_and_shifts_zero_by_default(norm):
    arrays = arrays_of(norm)
    assert set(arrays) == parameters_of(norm)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, float(name == "gamma"))


@every_norm
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ones", 1.0),
        ("zeros", 0.0),
        (0.25, 0.25),
        (0, 0.0),
        (np.float32(-2), -2.0),
        (np.int64(3), 3.0),
        (Constant(0.5), 0.5),
    ],
)
def test_constants(norm, value, expected):
    for name in parameters_of(norm):
        arrays = arrays_of(norm, **{f"{name}_initializer": value})
        for other, array in arrays.items():
            usual = float(other == "gamma")
            np.testing.assert_array_equal(array, expected if other == name else usual)


@every_norm
def test_random_ones(norm):
    names = parameters_of(norm)
    params = {f"{name}_initializer": Normal(std=0.3) for name in names}
    arrays = arrays_of(norm, **params)
    values = np.concatenate([array.ravel() for array in arrays.values()])
    assert kstest(values / 0.3, "norm").pvalue > 1e-3
    rng = np.random.RandomState(0)
    for array in arrays.values():
        np.testing.assert_array_equal(array, rng.normal(0, 0.3, array.shape))
    named = arrays_of(norm, gamma_initializer="normal")["gamma"]
    given = arrays_of(norm, gamma_initializer=Normal())["gamma"]
    np.testing.assert_array_equal(named, given)


def test_an_initializer_of_your_own():
    class Fans(Initializer):
        def draw(self, rng, shape, fan_in, fan_out):
            assert fan_in == fan_out
            return rng.uniform(0, 1 / fan_in, shape)

    gamma = arrays_of(LayerNorm(axis="all"), gamma_initializer=Fans())["gamma"]
    assert 0.99 / 480 < gamma.max() < 1 / 480


@every_norm
@pytest.mark.parametrize(
    "value",
    ["auto", "one", "he_normal", None, True, [1.0], Constant],
    ids=str,
)
def test_wrong_initializers(norm, value):
    for name in parameters_of(norm):
        own = clone(norm).set_params(**{f"{name}_initializer": value})
        with pytest.raises(ValueError, match=f"^{name}_initializer must be") as caught:
            own.build(IN_SHAPE)
        assert repr(value) in str(caught.value)
        assert "'ones', 'zeros', 'normal'" in str(caught.value)


@pytest.mark.parametrize("value", [GlorotNormal(), Orthogonal(), Dirac()], ids=str)
def test_initializers_of_kernels_are_refused(value):
    with pytest.raises(ValueError, match="not for kernels, such as Normal"):
        BatchNorm(gamma_initializer=value).build(IN_SHAPE)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_infinite_numbers_are_refused(value):
    with pytest.raises(ValueError, match="gamma_initializer must be a finite float"):
        RMSNorm(gamma_initializer=value).build(IN_SHAPE)
    with pytest.raises(ValueError, match="'std' parameter of Normal"):
        RMSNorm(gamma_initializer=Normal(-value)).build(IN_SHAPE)


@every_norm
def test_a_block_that_starts_as_its_shortcut(norm):
    X, y = load_digits(return_X_y=True)
    X, y = X[:100].reshape(-1, 8, 8, 1) / 16, y[:100]
    zero = clone(norm).set_params(gamma_initializer="zeros")
    layers = [
        ("first", Conv2D(4, 3, padding="same", activation="tanh")),
        ("block", Residual([("conv", Conv2D(4, 3, padding="same")), ("norm", zero)])),
        Flatten(),
    ]
    model = SequentialClassifier(layers, max_iter=3, random_state=0).initialize(X, y)
    first, block = (model.activations(X, name) for name in ("first", "block"))
    np.testing.assert_array_equal(block, first)
    model.fit(X, y)
    weights = model.get_weights()
    assert weights["block/norm/gamma"].any()
    assert (model.activations(X, "block") != model.activations(X, "first")).any()


def test_a_search_tries_initializers():
    X, y = load_digits(return_X_y=True)
    X, y = X[:100].reshape(-1, 8, 8, 1) / 16, y[:100]
    layers = [("conv", Conv2D(4, 3)), ("norm", BatchNorm()), Flatten()]
    model = SequentialClassifier(layers, max_iter=1, random_state=0)
    grid = {"norm__gamma_initializer": ["ones", 0.5, Constant(0.1)]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) > 1
    model.set_params(norm__gamma_initializer=Constant(0.1))
    model.set_params(norm__gamma_initializer__value=0.2).initialize(X, y)
    np.testing.assert_allclose(model.get_weights()["norm/gamma"], 0.2)
