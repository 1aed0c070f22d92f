"""Samples that are too small for a network, or that differ in size."""

import numpy as np
import pytest
from estimator_cases import labels
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.estimators._sample_sizes import has_output, smallest_size
from skconvnet.layers import (
    Conv1D,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool2D,
    Standardize,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 12
CONVNETS = [ConvNetClassifier, ConvNetRegressor]


def make(cls=ConvNetClassifier, **params):
    fixed = {"filters": (4, 8), "hidden_layer_sizes": 5, "max_iter": 1}
    return cls(**{**fixed, "random_state": 0, **params})


def sequential(*layers, cls=SequentialClassifier):
    return cls([Standardize(), Conv2D(4, 3), MaxPool2D(2), *layers], max_iter=1)


def photos(*sizes, channels=(3,)):
    """Return N images, of whose sizes the last is that of most."""
    rng = np.random.default_rng(0)
    sizes = [*sizes, *[sizes[-1]] * (N - len(sizes))]
    return [rng.integers(0, 256, (*s, *channels), dtype=np.uint8) for s in sizes]


def pillow(images):
    return list(map(Image.fromarray, images))


def refused(call):
    with pytest.raises(ValueError, match=r".") as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("container", [list, tuple, pillow])
@pytest.mark.parametrize("cls", CONVNETS)
def test_images_of_different_sizes(cls, container):
    X = container(photos((12, 16), (20, 24)))
    assert refused(lambda: make(cls).fit(X, labels(N))) == (
        "The samples of X have different sizes, such as 12x16 of X[0], and up to "
        "20x24. For them, set global_pooling='avg' or 'max', as in "
        f"{cls.__name__}(global_pooling='avg'); or resize all images, for example with "
        "load_images(folder, size=64)."
    )
    for pooling in ("avg", "max"):
        fitted = make(cls, global_pooling=pooling).fit(X, labels(N))
        assert fitted.predict(X).shape == (N,)


def test_volumes_and_sequences_of_different_sizes():
    volumes = [np.ones((8, 8, 8 + 4 * (i % 2), 1)) for i in range(N)]
    message = refused(lambda: make().fit(volumes, labels(N)))
    assert message.endswith("(global_pooling='avg'); or give all samples one size.")
    assert "such as 8x8x8 of X[0], and up to 8x8x12." in message
    waves = [np.ones((20 + 9 * (i % 2), 2)) for i in range(N)]
    model = make(input_shape=(None, 2))
    message = refused(lambda: model.fit(waves, labels(N)))
    assert "such as length 20 of X[0], and up to length 29." in message


@pytest.mark.parametrize("cls", CONVNETS)
def test_another_size_after_fit(cls):
    X = np.stack(photos((12, 16)))
    fitted = make(cls).fit(X, labels(N))
    message = (
        f"{{}}[1] is an image of 20x24, but {cls.__name__} was fitted on samples of "
        "12x16, and with global_pooling=None it needs that size. Resize the "
        "samples, or fit with global_pooling='avg', which takes any size."
    )
    others = photos((12, 16), (20, 24), (30, 30))
    for call in (
        fitted.predict,
        lambda X: fitted.score(X, labels(N)),
        lambda X: fitted.loss_gradients(X, labels(N)),
        lambda X: fitted.partial_fit(X, labels(N)),
    ):
        assert refused(lambda call=call: call(others)) == message.format("X")
    given_sets = {"X_val": others, "y_val": labels(N)}
    told = refused(lambda: make(cls).fit(X, labels(N), **given_sets))
    assert told == message.format("X_val")


@pytest.mark.parametrize("cls", [SequentialClassifier, SequentialRegressor])
@pytest.mark.parametrize("layers", [[Flatten(), Dense(3)], []])
def test_sequential_speaks_of_layers(cls, layers):
    X = photos((12, 16), (20, 24))
    message = refused(lambda: sequential(*layers, cls=cls).fit(X, labels(N)))
    assert "GlobalAvgPool() before the first dense layer, in place of" in message
    assert "global_pooling" not in message
    sequential(GlobalAvgPool(), cls=cls).fit(X, labels(N)).predict(X)


@pytest.mark.parametrize("cls", CONVNETS)
def test_images_that_are_too_small(cls):
    X = photos((12, 16), (2, 9), (3, 3), (20, 24))
    message = (
        "X[1] is an image of 2x9, too small for the network, which takes 4x4 and more: "
        "layer 'pool2': pool_size=(2, 2) does not fit maps of 1x4, so no output is "
        "left. Enlarge or pad small samples, or fit with filters=(4,) (1 block fits) "
        "or pooling=('max', None)."
    )
    model = make(cls, global_pooling="avg")
    assert refused(lambda: model.fit(X, labels(N))) == message
    assert not hasattr(model, "network_")
    fitted = model.fit(photos((12, 16), (20, 24)), labels(N))
    assert refused(lambda: fitted.predict(X)) == message
    assert refused(lambda: fitted.partial_fit(X, labels(N))) == message
    # The smallest size works, and so does each remedy.
    fitted.predict(photos((4, 4), (12, 16)))
    for params in ({"filters": (4,)}, {"pooling": ("max", None)}):
        small = make(cls, global_pooling="avg", **params).fit(X, labels(N))
        assert small.predict(X).shape == (N,)


def test_images_that_are_too_small_for_layers():
    X = photos((12, 16), (3, 9), (20, 24))
    message = refused(lambda: sequential(GlobalAvgPool()).fit(X, labels(N)))
    assert message.startswith("X[1] is an image of 3x9, too small for the network, ")
    assert "which takes 4x4 and more: layer 'maxpool2d': pool_size=(2, 2) w" in message
    assert message.endswith("before this one. Enlarge or pad small samples.")
    sequential(GlobalAvgPool()).fit(photos((4, 4), (20, 24)), labels(N))


FOUR = (2, 3, 4, 5)
# Hyperparameters of networks of 8x8 images, and what is told.
TOO_DEEP = [
    (
        {"filters": FOUR},
        "layer 'pool4': pool_size=(2, 2) does not fit maps of 1x1, so no output is "
        "left. The samples are read as height 8, width 8, 3 channels; the smallest "
        "that fit are 16x16. Set filters=(2, 3, 4) (3 blocks fit) or pooling=('max', "
        "'max', 'max', None). If they are something else, check input_shape and the "
        "order of the axes of X.",
    ),
    (
        {
            "filters": np.array(FOUR),
            "pooling": np.array(["avg", "max", "max", "avg"]),
            "pool_size": (3, 2, 2, 2),
            "dropout": (0.1, 0.2, 0.3, 0.4, 0.5),
        },
        "'pool3': pool_size=(2, 2) does not fit maps of 1x1, so no output is left. The "
        "samples are read as height 8, width 8, 3 channels; the smallest that fit are "
        "24x24. Set filters=(2, 3) and pooling=('avg', 'max') and pool_size=(3, 2) and "
        "dropout=(0.1, 0.2, 0.5) (2 blocks fit) or pooling=('avg', 'max', None, None)",
    ),
    (
        {"filters": FOUR, "pooling": None, "padding": "valid", "kernel_size": 5},
        "layer 'conv2': kernel_size=(5, 5) does not fit maps of 4x4, so no output is "
        "left. The samples are read as height 8, width 8, 3 channels; the smallest "
        "that fit are 17x17. Set filters=(2,) (1 block fits) or padding='same'.",
    ),
    (
        {"pool_size": 9},
        "the smallest that fit are 81x81. Set pooling=None. If they are",
    ),
    (
        {"kernel_size": 5, "dilation": 3, "padding": "valid"},
        "layer 'conv1': kernel_size=(5, 5) with dilation=(3, 3) does not fit maps of "
        "8x8, so no output is left. The samples are read as height 8, width 8, 3 "
        "channels; the smallest that fit are 40x40. Set padding='same'. If",
    ),
    (
        {"filters": 4, "pool_size": (9,), "pooling": ("max",)},
        "Set pooling=None. If",
    ),
    (
        {"filters": FOUR, "convs_per_block": 2, "padding": "valid"},
        "layer 'conv2_1': kernel_size=(3, 3) does not fit maps of 2x2",
    ),
]


@pytest.mark.parametrize(("params", "message"), TOO_DEEP, ids=str)
@pytest.mark.parametrize("cls", CONVNETS)
def test_networks_that_are_too_deep(cls, params, message):
    X = np.stack(photos((8, 8)))
    told = refused(lambda: make(cls, **params).fit(X, labels(N)))
    assert message in told


@pytest.mark.parametrize("params", [params for params, _ in TOO_DEEP], ids=str)
def test_what_is_told_works(params):
    X = np.stack(photos((8, 8)))
    told = refused(lambda: make(**params).fit(X, labels(N)))
    size = int(told.split("the smallest that fit are ")[1].split("x")[0])
    make(**params).initialize(np.zeros((N, size, size, 3)), labels(N))
    refused(lambda: make(**params).fit(np.zeros((N, size, size - 1, 3)), labels(N)))
    remedies = told.split(". Set ")[1].split(". If they")[0].split(" or ")
    for remedy in remedies:
        settings = remedy.split(" (")[0] if "fit" in remedy else remedy
        changed = {}
        for setting in settings.split(" and "):
            name, value = setting.split("=", 1)
            changed[name] = eval(value)
        make(**{**params, **changed}).fit(X, labels(N))


def test_a_guessed_square():
    X = np.random.default_rng(0).normal(size=(N, 64))
    params = {"filters": FOUR, "padding": "valid"}
    told = refused(lambda: make(**params).fit(X, labels(N)))
    assert "Set filters=(2, 3) (2 blocks fit) or padding='same'. If" in told
    make(**{**params, "padding": "same"}).fit(X, labels(N))
    make(filters=FOUR).fit(X, labels(N))


def test_sequential_that_is_too_deep():
    layers = [MaxPool2D(3), MaxPool2D(3), Flatten()]
    told = refused(lambda: sequential(*layers).fit(np.ones((N, 8, 9, 1)), labels(N)))
    assert told.endswith(
        "or fewer layers before this one. The samples are read as height 8, width 9, 1 "
        "channel; the smallest that fit are 20x20. If they are something else, check "
        "input_shape and the order of the axes of X."
    )


def test_rows_of_tokens_that_are_too_short():
    layers = [Embedding(9, 2, padding_token=0), Conv1D(2, 5), GlobalMaxPool()]
    net = SequentialClassifier(layers)
    told = refused(lambda: net.fit(np.ones((N, 4), int), labels(N)))
    assert "covers 5 positions of an axis that has 4" in told
    assert told.endswith(
        "The samples are read as rows of 4 values; rows of tokens can be padded to "
        "more, as by max_length of TokenSequence."
    )


def test_no_size_is_small_enough_to_tell():
    layers = [("pool", MaxPool2D(5000))]
    assert smallest_size(layers, (8, 8, 1)) is None
    told = refused(lambda: make(pool_size=5000).fit(np.ones((N, 8, 8, 1)), labels(N)))
    assert "1 channel. Set pooling=None. If" in told


def test_layers_that_fail_for_another_reason():
    assert not has_output([("dense", Dense(3))], (8, 8, 1))
    assert smallest_size([("dense", Dense(3))], (8, 8, 1)) is None


kernels = st.integers(1, 6)


@given(
    kernel=kernels,
    stride=st.integers(1, 3),
    pool=kernels,
    start=st.integers(1, 40),
    padding=st.sampled_from(["valid", "same"]),
)
def test_the_smallest_size_is_the_smallest(kernel, stride, pool, start, padding):
    layers = [
        ("conv", Conv2D(1, (kernel, 1), stride, padding)),
        ("pool", MaxPool2D((1, pool))),
        ("last", MaxPool2D(pool)),
    ]
    height, width = smallest_size(layers, (start, 40, 1))
    assert has_output(layers, (height, width, 1))
    assert height == 1 or not has_output(layers, (height - 1, width, 1))
    assert width == 1 or not has_output(layers, (height, width - 1, 1))


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("cls", CONVNETS)
def test_an_input_shape_with_none_takes_images_of_another_size(cls, first):
    X, others = np.stack(photos((12, 16))), np.stack(photos((20, 24)))
    given_shape, order = (None, None, 3), {}
    if first:
        X, others = (np.moveaxis(images, -1, 1) for images in (X, others))
        given_shape, order = (3, None, None), {"data_format": "channels_first"}
    pooled = {"global_pooling": "avg", **order}
    fitted = make(cls, input_shape=given_shape, **pooled).fit(X, labels(N))
    mixed = [*X[:1], *others]
    np.testing.assert_allclose(fitted.predict(others), fitted.predict(mixed)[1:])
    message = refused(lambda: make(cls, **pooled).fit(X, labels(N)).predict(others))
    assert message.endswith(f"fit again with input_shape={given_shape}.")
    dense = make(cls, input_shape=given_shape, **order).fit(X, labels(N))
    message = refused(lambda: dense.predict(others))
    assert message.endswith("(channels last); resize or reshape X to that shape.")
    one_length = (12, None, 3) if not first else (3, 12, None)
    narrow = make(cls, input_shape=one_length, **pooled).fit(X, labels(N))
    assert "fit again with" in refused(lambda: narrow.predict(others))
