"""Starting weights: their distributions, and how layers and estimators ask for them."""

import numpy as np
import pytest
from estimator_cases import data_for, make
from layer_tools import Bench
from scipy.stats import kstest, truncnorm
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
)
from skconvnet.engine.network import Network
from skconvnet.initializers import (
    INITIALIZERS,
    Constant,
    Dirac,
    HeNormal,
    Normal,
    Orthogonal,
    convolution_fans,
    get_initializer,
)
from skconvnet.layers import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    LocallyConnected2D,
    SeparableConv2D,
    SpatiallySeparableConv2D,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# The variance of each, by the papers.
VARIANCES = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, _: 2 / fan_in,
    "lecun": lambda fan_in, _: 1 / fan_in,
}
SCALED = [f"{name}_{kind}" for name in VARIANCES for kind in ("uniform", "normal")]


def draw(name, shape=(300, 200), fans=(300, 200), seed=0):
    return get_initializer(name).draw(np.random.RandomState(seed), shape, *fans)


@pytest.mark.parametrize("fans", [(300, 200), (9, 288)])
@pytest.mark.parametrize("name", SCALED)
def test_scaled_ones_have_the_distribution_they_claim(name, fans):
    values = draw(name, fans=fans)
    family, kind = name.split("_")
    std = np.sqrt(VARIANCES[family](*fans))
    # Of 60,000 numbers the standard deviation is known to about 0.3 %.
    assert values.std() == pytest.approx(std, rel=0.015)
    assert abs(values.mean()) < 4 * std / np.sqrt(values.size)
    if kind == "uniform":
        distribution = ("uniform", (-np.sqrt(3) * std, 2 * np.sqrt(3) * std))
    else:
        scale = std / truncnorm(-2, 2).std()
        assert np.abs(values).max() <= 2 * scale
        distribution = ("truncnorm", (-2, 2, 0, scale))
    assert kstest(values.ravel(), *distribution).pvalue > 1e-3


def test_normal_and_constants():
    values = Normal(std=0.3).draw(np.random.RandomState(0), (300, 200), 1, 1)
    assert kstest(values.ravel() / 0.3, "norm").pvalue > 1e-3
    assert draw("normal").std() == pytest.approx(0.05, rel=0.015)
    np.testing.assert_array_equal(draw("zeros", (2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(draw("ones", (2, 3)), np.ones((2, 3)))
    np.testing.assert_array_equal(draw(Constant(-2), (4,)), np.full(4, -2.0))


@pytest.mark.parametrize("gain", [1.0, 1.5])
@pytest.mark.parametrize(
    "shape", [(5, 5), (7, 3), (3, 7), (6, 2, 3, 3), (40, 2, 3), (1, 4), (4, 1)]
)
def test_orthogonal(shape, gain):
    kernel = draw(Orthogonal(gain), shape)
    assert kernel.shape == shape
    matrix = kernel.reshape(shape[0], -1)
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    expected = gain**2 * np.eye(len(matrix))
    np.testing.assert_allclose(matrix @ matrix.T, expected, atol=1e-12)


def test_orthogonal_matrices_are_spread_evenly():
    # The signs of a decomposition's factor would always be the same.
    signs = [np.sign(draw("orthogonal", (4, 4), seed=s)) for s in range(400)]
    assert np.abs(np.mean(signs, axis=0)).max() < 0.25


@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize(
    ("filters", "channels"), [(2, 2), (4, 2), (3, 5), (1, 1), (1, 2)]
)
@pytest.mark.parametrize("kernel_size", [(3,), (2, 5), (1, 3, 4)])
def test_dirac_is_that_of_pytorch(torch, kernel_size, filters, channels, groups):
    # `filters` and `channels` are those of a group.
    size = (filters * groups, channels, *kernel_size)
    expected = torch.nn.init.dirac_(torch.empty(size), groups)
    n_channels = channels * groups
    fans = convolution_fans(filters * groups, n_channels, kernel_size, groups)
    np.testing.assert_array_equal(draw(Dirac(), size, fans), expected.numpy())
    # A transposed convolution has the roles of channels and filters exchanged.
    transposed = convolution_fans(n_channels, filters * groups, kernel_size, groups)
    np.testing.assert_array_equal(draw(Dirac(), size, transposed), expected.numpy())


@pytest.mark.parametrize("others", [HeNormal(), Constant(0.5), Orthogonal()])
def test_other_filters_than_those_of_dirac_are_drawn(others):
    # Three filters for each of two groups, of two channels each.
    shape, fans = (6, 2, 3, 3), convolution_fans(6, 4, (3, 3), groups=2)
    kernel = draw(Dirac(others), shape, fans)
    drawn, same = draw(others, shape, fans), draw(Dirac(), shape, fans)
    passing = [0, 1, 3, 4]
    np.testing.assert_array_equal(kernel[passing], same[passing])
    np.testing.assert_array_equal(kernel[[2, 5]], drawn[[2, 5]])
    assert same[passing].sum() == same.sum() == 4
    matrix = draw(Dirac(others), (3, 5), (3, 5))
    np.testing.assert_array_equal(matrix[:, :3], np.eye(3))
    np.testing.assert_array_equal(matrix[:, 3:], draw(others, (3, 5), (3, 5))[:, 3:])


PASSING = [
    (Dense(7), (4,)),
    (Conv1D(6, 5, padding="same"), (9, 4)),
    (Conv2D(4, 3, padding="same"), (6, 5, 4)),
    (Conv2D(4, 3, padding="same", groups=2), (6, 5, 4)),
    (Conv2D(6, (3, 1), padding="same", dilation=2), (6, 5, 4)),
    (Conv3D(5, 3, padding="same"), (3, 4, 5, 2)),
    (Conv2DTranspose(5, 3, padding="same"), (6, 5, 4)),
    (Conv2DTranspose(4, 3, padding="same", groups=2), (6, 5, 4)),
    (DepthwiseConv2D(3, padding="same"), (6, 5, 4)),
    (LocallyConnected2D(5, 3, padding="same"), (6, 5, 4)),
    (SeparableConv2D(5, 3, padding="same"), (6, 5, 4)),
    (SpatiallySeparableConv2D(5, 3, padding="same"), (6, 5, 4)),
]


@pytest.mark.parametrize("others", [None, HeNormal()], ids=str)
@pytest.mark.parametrize(("spec", "in_shape"), PASSING, ids=str)
def test_dirac_passes_channels_through(spec, in_shape, others):
    own = clone(spec).set_params(kernel_initializer=Dirac(others))
    bench = Bench(own, in_shape)
    bench.network.initialize(np.random.RandomState(0))
    x = np.random.default_rng(0).normal(size=(2, *in_shape))
    channels = in_shape[-1]
    y = bench.forward(x)
    np.testing.assert_allclose(y[..., :channels], x, rtol=1e-12, atol=1e-12)
    if y.shape[-1] > channels:
        assert y[..., channels:].any() == (others is not None)


def test_the_output_layer_does_not_take_features_for_scores():
    X, y = data_for(SequentialClassifier)
    layers = [Flatten(), Dense(3, "relu", Dirac(HeNormal()))]
    model = make(SequentialClassifier, layers=layers).initialize(X, y)
    layers = [Flatten(), Dense(3, "relu", "auto")]
    usual = make(SequentialClassifier, layers=layers).initialize(X, y)
    shape = usual.get_weights()["output/kernel"].shape
    kernel = model.get_weights()["output/kernel"]
    assert kernel.shape == shape
    assert kernel.all()
    assert np.abs(kernel).max() < np.sqrt(6 / sum(shape))


@pytest.mark.parametrize("name", [*INITIALIZERS, Orthogonal(2.0), Normal(0.1)])
@pytest.mark.parametrize(
    ("spec", "in_shape", "fans"),
    [
        (lambda k: Dense(6, "relu", k), (5,), (5, 6)),
        (lambda k: Conv1D(6, 3, groups=2, kernel_initializer=k), (9, 4), (6, 9)),
        (lambda k: Conv2D(6, (3, 2), kernel_initializer=k), (6, 5, 2), (12, 36)),
        (lambda k: Conv3D(2, 2, kernel_initializer=k), (4, 4, 4, 3), (24, 16)),
    ],
    ids=["Dense", "Conv1D", "Conv2D", "Conv3D"],
)
def test_layers_draw_their_kernel_with_their_fans(spec, in_shape, fans, name):
    network = Network([("layer", spec(name))], in_shape, "float64")
    network.initialize(np.random.RandomState(3))
    kernel = network.weights["layer/kernel"]
    expected = draw(name, kernel.shape, fans, seed=3)
    np.testing.assert_array_equal(kernel, expected)
    assert not network.weights["layer/bias"].any()


CHOSEN = [
    ("relu", "he_uniform"),
    ("leaky_relu", "he_uniform"),
    ("elu", "he_uniform"),
    ("gelu", "he_uniform"),
    ("silu", "he_uniform"),
    ("celu", "he_uniform"),
    ("hard_swish", "he_uniform"),
    ("mish", "he_uniform"),
    ("softsign", "glorot_uniform"),
    ("selu", "lecun_normal"),
    ("tanh", "glorot_uniform"),
    ("softplus", "glorot_uniform"),
    ("step", "glorot_uniform"),
    (None, "glorot_uniform"),
]
ONE_KERNEL = [
    Conv2D(4, 3),
    Conv2DTranspose(4, 3),
    DepthwiseConv2D(3, 2),
    LocallyConnected2D(4, 3),
]
TWO_KERNELS = [
    (SeparableConv2D(4, 3, activation="relu"), [(9, 9), (2, 4)]),
    (SpatiallySeparableConv2D(4, 3, activation="relu"), [(6, 12), (12, 12)]),
]
KINDRED = [*ONE_KERNEL, *(spec for spec, _ in TWO_KERNELS)]


@pytest.mark.parametrize("spec", ONE_KERNEL, ids=lambda spec: type(spec).__name__)
@pytest.mark.parametrize(("activation", "chosen"), CHOSEN)
def test_convolutions_choose_by_the_activation(spec, activation, chosen):
    def kernel(value):
        params = {"activation": activation, "kernel_initializer": value}
        own = clone(spec).set_params(**params)
        network = Network([("layer", own)], (6, 6, 2), "float64")
        network.initialize(np.random.RandomState(0))
        assert not network.weights["layer/bias"].any()
        return network.weights["layer/kernel"]

    auto = kernel("auto")
    np.testing.assert_allclose(auto, kernel(chosen), rtol=1e-12)
    others = {"he_uniform", "lecun_normal", "glorot_uniform"} - {chosen}
    assert not any(np.allclose(auto, kernel(other)) for other in others)


@pytest.mark.parametrize(("spec", "fans"), TWO_KERNELS)
def test_of_two_kernels_the_second_stands_before_the_activation(spec, fans):
    network = Network([("layer", spec)], (6, 6, 2), "float64")
    network.initialize(np.random.RandomState(0))
    *kernels, _ = network.weights.values()
    rng = np.random.RandomState(0)
    names = ["glorot_uniform", "he_uniform"]
    for kernel, name, own in zip(kernels, names, fans, strict=True):
        expected = get_initializer(name).draw(rng, kernel.shape, *own)
        np.testing.assert_allclose(kernel, expected, rtol=1e-12)


@pytest.mark.parametrize("spec", KINDRED, ids=lambda spec: type(spec).__name__)
def test_every_convolution_takes_an_initializer(spec):
    own = clone(spec).set_params(kernel_initializer=Normal(std=1e-3))
    network = Network([("layer", own)], (6, 6, 2), "float64")
    network.initialize(np.random.RandomState(0))
    for name, array in network.weights.items():
        if not name.endswith("bias"):
            assert 1e-4 < np.abs(array).max() < 1e-2
    with pytest.raises(ValueError, match="kernel_initializer must be 'auto'"):
        clone(spec).set_params(kernel_initializer="x").build((6, 6, 2))


def test_automatic_convolutions_keep_the_narrow_range_of_logistic():
    def largest(activation):
        spec = Conv2D(30, 3, activation=activation)
        network = Network([("layer", spec)], (6, 6, 2), "float64")
        network.initialize(np.random.RandomState(0))
        return np.abs(network.weights["layer/kernel"]).max()

    ratio = largest("tanh") / largest("logistic")
    assert ratio == pytest.approx(np.sqrt(3), rel=1e-12)


@pytest.mark.parametrize(
    "cls", [MLPClassifier, MLPRegressor, ConvNetClassifier, ConvNetRegressor]
)
def test_estimators_pass_it_to_all_layers(cls):
    X, y = data_for(cls)
    model = make(cls, kernel_initializer=Normal(0.2)).initialize(X, y)
    rng = np.random.RandomState(0)
    for name, array in model.get_weights().items():
        expected = np.zeros(array.shape)
        if name.endswith("kernel"):
            expected = rng.normal(0, 0.2, array.shape)
        np.testing.assert_array_equal(array, expected)
    named = make(cls, kernel_initializer="he_normal").initialize(X, y)
    given = make(cls, kernel_initializer=HeNormal()).initialize(X, y)
    np.testing.assert_array_equal(named.network_.vector, given.network_.vector)
    again = clone(named).initialize(X, y)
    np.testing.assert_array_equal(named.network_.vector, again.network_.vector)
    other = clone(named).set_params(random_state=1).initialize(X, y)
    assert not np.array_equal(named.network_.vector, other.network_.vector)
    assert np.isfinite(named.fit(X, y).loss_)


def test_the_output_layer_follows_the_last_hidden_one():
    X, y = data_for(SequentialClassifier)
    layers = [Flatten(), Dense(4, "relu", "he_normal"), Dense(3, "relu", "ones")]
    model = make(SequentialClassifier, layers=layers).initialize(X, y)
    assert (model.get_weights()["output/kernel"] == 1).all()
    assert not model.get_weights()["output/bias"].any()
    layers = [Flatten(), Dense(3, "relu", "ones"), Dense(3, "relu")]
    model = make(SequentialClassifier, layers=layers).initialize(X, y)
    assert (model.get_weights()["output/kernel"] != 1).all()
    no_hidden = make(MLPClassifier, hidden_layer_sizes=(), kernel_initializer="zeros")
    model = no_hidden.initialize(*data_for(MLPClassifier))
    assert not model.network_.vector.any()


def test_a_search_reaches_the_parameters_of_an_object():
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, kernel_initializer=Normal())
    grid = {"kernel_initializer__std": [0.01, 0.1]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert model.kernel_initializer.std == 0.05
    layers = [Flatten(), ("dense1", Dense(3, "relu", Normal()))]
    model = make(SequentialClassifier, layers=layers)
    model.set_params(dense1__kernel_initializer__std=2.0)
    assert model.get_params()["dense1__kernel_initializer__std"] == 2.0


@pytest.mark.parametrize("value", ["glorot", "HE_NORMAL", None, 1, HeNormal, np.zeros])
def test_wrong_initializers(value):
    for spec, in_shape in (
        (Dense(3, kernel_initializer=value), (4,)),
        (Conv2D(3, 2, kernel_initializer=value), (4, 4, 1)),
    ):
        with pytest.raises(ValueError, match="kernel_initializer must be 'auto'") as e:
            spec.build(in_shape)
        assert "'he_normal'" in str(e.value)
        assert repr(value) in str(e.value)
    for cls in (MLPClassifier, ConvNetRegressor):
        with pytest.raises(ValueError, match="'kernel_initializer' parameter of"):
            make(cls, kernel_initializer=value).fit(*data_for(cls))


@pytest.mark.parametrize(
    ("initializer", "message"),
    [
        (Normal(-1), "'std' parameter of Normal .* Got -1"),
        (Orthogonal(0), "'gain' parameter of Orthogonal .* Got 0"),
        (Constant(np.inf), "'value' parameter of Constant .* Got inf"),
        (
            Dirac("he_normal"),
            "'others' parameter of Dirac .*an object of skconvnet.init",
        ),
        (Dirac(Normal(-1)), "'std' parameter of Normal .* Got -1"),
    ],
)
def test_wrong_parameters_of_initializers(initializer, message):
    with pytest.raises(ValueError, match=message):
        Dense(3, kernel_initializer=initializer).build((4,))
    with pytest.raises(ValueError, match=message):
        make(MLPClassifier, kernel_initializer=initializer).fit(
            *data_for(MLPClassifier)
        )


def test_starting_weights_decide_whether_a_deep_network_learns():
    X, y = load_digits(return_X_y=True)
    X, y = ((X - X.mean()) / X.std())[:500], y[:500]
    losses = {}
    for value in ("he_uniform", Normal(0.01), "zeros"):
        model = make(
            MLPClassifier,
            hidden_layer_sizes=(50,) * 10,
            activation="relu",
            kernel_initializer=value,
            solver="sgd",
            learning_rate_init=0.01,
            batch_size=25,
            max_iter=15,
        )
        losses[str(value)] = model.fit(X, y).loss_
    assert losses.pop("he_uniform") < 0.5
    # The others are not better than a guess.
    np.testing.assert_allclose(list(losses.values()), np.log(10), atol=0.02)
