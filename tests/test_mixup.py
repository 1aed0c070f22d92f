"""Training on mixtures of samples, whose targets are mixed as well."""

import numpy as np
import pytest
from estimator_cases import IMAGE_ESTIMATORS, data_for, make
from sklearn.base import clone

from skconvnet import ConvNetClassifier, ConvNetRegressor, SequentialClassifier
from skconvnet._typing import override
from skconvnet.augmentation import Mixup
from skconvnet.augmentation.base import Augmentation, Augmenter
from skconvnet.augmentation.mixup import mixed

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_mixup_in_every_kind_of_estimator(cls):
    X, y = data_for(cls)
    mixing = make(cls, augmentation=Mixup(0.5), max_iter=4, batch_size=20)
    assert np.isfinite(mixing.fit(X, y, np.arange(60) % 3).loss_curve_).all()
    if "Classifier" in cls.__name__:
        two, many = y == 0, np.tri(3, dtype=int)[y]
        for labels in (two, many):
            clone(mixing).fit(X, labels)
        clone(mixing).set_params(class_weight="balanced").fit(X, y)
    else:
        clone(mixing).fit(X, np.stack([y, -y], axis=1))
        clone(mixing).set_params(loss="poisson").fit(X, y)


class Halves(Augmentation):
    """Mixes each sample with the one that stands as far from the end, half and half."""

    spatial_ndims = None

    def _build(self, in_shape):
        class HalvingAugmenter(Augmenter):
            mixes_targets = True

            @override
            def __call__(self, batch, rng, workspace):
                n = batch.x.shape[-1]
                return mixed(batch, np.arange(n)[::-1], np.full(n, 0.5), workspace)

        return HalvingAugmenter(in_shape)


def test_the_loss_of_mixtures_is_their_cross_entropy():
    X, y = np.ones((6, 4)), np.array([0, 0, 1, 2, 2, 2])
    model = SequentialClassifier(
        [], augmentation=Halves(), warm_start=True, max_iter=1, alpha=0, shuffle=False
    )
    bias = np.array([1.0, 0.5, -2.0])
    model.initialize(X, y)
    model.set_weights({"output/kernel": np.zeros((4, 3)), "output/bias": bias})
    model.fit(X, y)
    targets = (np.eye(3)[y] + np.eye(3)[y[::-1]]) / 2
    logarithms = bias - np.log(np.exp(bias).sum())
    assert model.loss_curve_ == [pytest.approx(-(targets @ logarithms).mean())]


def test_mixup_of_integer_targets_and_weights_of_one_change_nothing():
    X, y = data_for(ConvNetRegressor)
    y = np.rint(2 * y)
    one = make(ConvNetRegressor, augmentation=Mixup(0.5)).fit(X, y)
    two = make(ConvNetRegressor, augmentation=Mixup(0.5)).fit(
        X, y.astype(int), np.ones(len(X))
    )
    np.testing.assert_allclose(one.network_.vector, two.network_.vector, rtol=1e-9)


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "perceptron"])
def test_margins_have_no_mixtures(loss):
    X = np.random.default_rng(0).uniform(size=(6, 4, 4))
    model = ConvNetClassifier(2, loss=loss, augmentation=Mixup())
    with pytest.raises(ValueError, match=f"loss='{loss}' cannot be used with Mixup"):
        model.fit(X, [0, 1] * 3)
    assert not hasattr(model, "network_")
