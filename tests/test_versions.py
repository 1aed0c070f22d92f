"""Versions of samples, and means of predictions over them, by slow oracles."""

import numpy as np
import pytest
from augmentation_tools import images, moved_by_hand
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import batch_first, batch_last
from scipy.special import expit, softmax

from skconvnet.augmentation import Versions
from skconvnet.engine.version_mean import VersionMean
from skconvnet.losses import LogLoss, PoissonDeviance, SquaredError
from skconvnet.losses.grouped import GroupedLoss
from skconvnet.losses.probabilities import BinaryLogLoss, LogisticSquaredError
from skconvnet.ops.workspace import Workspace

SHAPES = [(7, 2), (6, 5, 1), (3, 4, 5, 2)]


def by_hand(X, versions):
    """All versions of X and their weights: loops over samples, and numpy.pad."""
    ndim = X.ndim - 2
    shifts = versions.shifts
    shifts = shifts if isinstance(shifts, tuple) else (shifts,) * ndim
    moves = [(0, 2), (-1, 1), (1, 1)] if any(shifts) else [(0, 1)]
    fill = versions.fill_value if versions.fill == "constant" else versions.fill
    axes = [ndim] * versions.horizontal + [ndim - 1] * versions.vertical
    subsets = [[]]
    for axis in axes:
        subsets = [chosen + own for chosen in subsets for own in ([], [axis])]
    made, weights = [], []
    for direction, weight in moves:
        pixels = [direction * own for own in shifts]
        moved = np.stack([moved_by_hand(sample, pixels, fill) for sample in X])
        for chosen in subsets:
            made.append(np.flip(moved, chosen))
            weights.append(weight)
    return np.stack(made), np.array(weights) / sum(weights)


@given(
    st.data(),
    st.sampled_from(SHAPES),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["constant", "nearest", "reflect"]),
)
@settings(max_examples=60, deadline=None)
def test_of_equals_padded_slices(data, shape, horizontal, vertical, fill):
    vertical = vertical and len(shape) > 2
    shifts = tuple(data.draw(st.integers(0, n - 1)) for n in shape[:-1])
    versions = Versions(horizontal, vertical, shifts, fill, fill_value=-3.0)
    X = images(3, shape)
    expected, weights = by_hand(X, versions)
    np.testing.assert_array_equal(versions.of(X), expected)
    built = versions.build(shape)
    np.testing.assert_allclose([own.weight for own in built], weights)
    assert len(expected) == (3 if any(shifts) else 1) * 2 ** (horizontal + vertical)
    for dtype in (np.uint8, np.float32):
        same = versions.set_params(fill="reflect").of((9 * X).astype(dtype))
        assert same.dtype == dtype
        np.testing.assert_array_equal(same[0], (9 * X).astype(dtype))


@pytest.mark.parametrize("shape", SHAPES)
def test_outputs_at_positions_are_put_back(shape):
    """If a network predicts twice its input, so does the mean over all versions."""
    X = images(4, shape)
    versions = Versions(True, len(shape) > 2, tuple(n - 1 for n in shape[:-1]))
    mean = VersionMean(versions.build(shape))
    y = mean.scores(batch_last(X), lambda x: 2 * x, SquaredError(), Workspace())
    np.testing.assert_allclose(batch_first(y), 2 * X)


@pytest.mark.parametrize("fill", ["constant", "reflect"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_position_has_the_mean_of_the_versions_that_show_it(shape, fill):
    X, place = images(2, shape), images(1, shape, seed=1)[0]
    spatial = shape[:-1]
    versions = Versions(True, len(shape) > 2, (2, 1, 0)[: len(spatial)], fill)
    mean = VersionMean(versions.build(shape))

    def predict(x):  # something that depends on the position
        return x * batch_last(place[np.newaxis])

    y = mean.scores(batch_last(X), predict, SquaredError(), Workspace())
    # Each version knows where its pixels come from.
    numbers = np.arange(np.prod(spatial)).reshape(1, *spatial, 1).astype(float)
    own = Versions(**versions.get_params()).set_params(fill="constant", fill_value=-1)
    origins, weights = by_hand(numbers, own)
    made, _ = by_hand(X, versions)
    total, expected = np.zeros(np.prod(spatial)), np.zeros((2, *shape))
    flat = expected.reshape(2, -1, shape[-1])
    for version, origin, weight in zip(made, origins, weights, strict=True):
        outputs = (version * place).reshape(2, -1, shape[-1])
        for position, number in enumerate(origin.ravel().astype(int)):
            if number >= 0:
                flat[:, number] += weight * outputs[:, position]
                total[number] += weight
    flat /= total[:, np.newaxis]
    np.testing.assert_allclose(batch_first(y), expected)


OUTPUTS = {
    LogLoss(): lambda s: softmax(s, axis=0),
    BinaryLogLoss(): expit,
    LogisticSquaredError(): expit,
    LogisticSquaredError(exclusive=True): expit,
    PoissonDeviance(): np.exp,
    SquaredError(): lambda s: s,
    GroupedLoss(LogLoss(), [2, 3]): lambda s: np.concatenate(
        [softmax(s[:2], axis=0), softmax(s[2:], axis=0)]
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", OUTPUTS, ids=repr)
@pytest.mark.parametrize("shape", [(5, 7), (5, 3, 4, 2)])
def test_a_mixture_predicts_the_mean(loss, shape, dtype):
    rng = np.random.default_rng(0)
    s, t = (3 * rng.normal(size=(2, *shape))).astype(dtype)
    predict = OUTPUTS[loss]
    for share in (0.25, rng.uniform(0.1, 0.9, shape[1:])):
        mixed, others = s.copy(), t.copy()
        loss.mix_predictions(mixed, others, share)
        assert mixed.dtype == dtype
        np.testing.assert_array_equal(others, t)
        expected = (1 - share) * predict(s) + share * predict(t)
        # An output near 0 may be the sum of others that are not.
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(
            predict(mixed), expected, rtol=20 * eps, atol=5 * eps
        )


@pytest.mark.parametrize("loss", OUTPUTS, ids=repr)
def test_mixtures_of_extreme_scores_are_finite(loss):
    s = np.array([[-80, 80, 0.0]] * 5, np.float32)
    s[0] *= -1
    t = -s
    mixed = s.copy()
    loss.mix_predictions(mixed, t, 0.5)
    assert np.isfinite(mixed).all()
    # Probabilities of nearly 0 and 1 have a mean of one half.
    if loss.output == "logistic":
        np.testing.assert_allclose(mixed, 0, atol=1e-5)


@pytest.mark.parametrize("loss", OUTPUTS, ids=repr)
def test_the_loss_of_the_mean_is_at_most_the_mean_of_the_losses(loss):
    rng = np.random.default_rng(0)
    s, t = rng.normal(size=(2, 5, 200))
    target = rng.uniform(size=(5, 200)) if isinstance(loss, SquaredError) else None
    if target is None:
        target = np.zeros((5, 200))
        target[rng.integers(0, 2, 200), np.arange(200)] = 1
        target[2 + rng.integers(0, 3, 200), np.arange(200)] = 1
        if type(loss) is LogLoss:
            target = np.eye(5)[:, rng.integers(0, 5, 200)]
    losses = []
    mixed = s.copy()
    loss.mix_predictions(mixed, t, 0.5)
    for scores in (s, t, mixed):
        prediction = scores.copy()
        loss.predict(prediction)
        losses.append(loss.samplewise(prediction, target))
    assert (losses[2] <= (losses[0] + losses[1]) / 2 + 1e-12).all()


@pytest.mark.parametrize(
    ("versions", "shape", "words"),
    [
        (Versions(shifts=5), (6, 5, 1), r"shifts=5 .* \(6, 5, 1\): .* at most 4"),
        (Versions(shifts=-1), (6, 5, 1), "shifts must be .* at least 0.* got -1"),
        (Versions(shifts=(1, 1)), (6, 1), r"shifts .* 1 of them.* got \(1, 1\)"),
        (Versions(vertical=True), (6, 1), r"vertical=True .* \(6, 1\); use horizontal"),
        (Versions(), (6,), r"Versions requires .* \(6,\); set input_shape"),
        (Versions(fill="wrap"), (6, 5, 1), "fill must be .*'reflect'; got 'wrap'"),
    ],
    ids=repr,
)
def test_wrong_values(versions, shape, words):
    with pytest.raises(ValueError, match=words):
        versions.build(shape)


@pytest.mark.parametrize("name", ["horizontal", "vertical"])
def test_wrong_types(name):
    with pytest.raises(TypeError, match=f"{name} must be True or False; got 1"):
        Versions(**{name: 1}).build((6, 5, 1))
    with pytest.raises(TypeError, match=r"shifts must be an int .* got 0\.5"):
        Versions(shifts=0.5).build((6, 5, 1))
