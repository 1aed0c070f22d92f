"""What `predict_augmentation` refuses."""

import pickle

import numpy as np
import pytest
from estimator_cases import data_for, make
from map_tools import make as make_for_maps
from map_tools import maps

from skconvnet import (
    ConvNetClassifier,
    MLPClassifier,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.augmentation import Shift, Versions
from skconvnet.layers import GRU, Conv2D, Embedding, MaxPool2D

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_maps_of_another_size_are_refused():
    X = maps(20)[:, :, :4]
    layers = [Conv2D(3, 3, padding="same"), MaxPool2D(2)]
    model = make_for_maps(SequentialRegressor, layers).fit(X, X[:, ::2, ::2])
    before = pickle.dumps(model.get_weights())
    model.set_params(predict_augmentation="mirror")
    with pytest.raises(ValueError, match=r"'mirror' moves the pixels of samples of 6"):
        model.predict(X)
    with pytest.raises(ValueError, match="cannot be undone for outputs of 3x2"):
        model.fit(X, X[:, ::2, ::2])
    assert pickle.dumps(model.get_weights()) == before


def test_exports_are_refused():
    pytest.importorskip("onnx")
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, predict_augmentation="mirror").fit(X, y)
    with pytest.raises(ValueError, match="predict_augmentation='mirror' is not part"):
        model.to_onnx(X)
    assert model.set_params(predict_augmentation=None).to_onnx(X) is not None


def test_going_on_from_a_checkpoint_of_other_versions_is_refused(tmp_path):
    from skconvnet.callbacks import Checkpoint

    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, predict_augmentation="mirror")
    model.set_callbacks(Checkpoint(tmp_path / "file")).fit(X, y)
    other = make(ConvNetClassifier, max_iter=2)
    with pytest.raises(ValueError, match="predict_augmentation='mirror'"):
        other.fit(X, y, resume_from=tmp_path / "file")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("flips", "predict_augmentation.*'mirror'"),
        (Shift(1), r"an object of skconvnet.augmentation.Versions.* Got Shift"),
        (Versions, r"Pass an object of this class, predict_augmentation=Versions\(\)"),
        (Versions(shifts=6), r"predict_augmentation=Versions\(shifts=6\): shifts=6 is"),
        (True, "predict_augmentation.*Got True"),
    ],
    ids=repr,
)
def test_wrong_values(value, words):
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, predict_augmentation=value)
    with pytest.raises(ValueError, match=words):
        model.fit(X, y)
    assert not hasattr(model, "network_")
    model = make(ConvNetClassifier).fit(X, y).set_params(predict_augmentation=value)
    with pytest.raises(ValueError, match=words):
        model.predict(X)


def test_versions_are_no_augmentation():
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier, augmentation=Versions())
    with pytest.raises(TypeError, match="it is a value of predict_augmentation"):
        model.fit(X, y)


def test_rows_and_tokens_have_no_versions():
    X, y = data_for(MLPClassifier)
    with pytest.raises(ValueError, match="Versions requires samples of shape"):
        SequentialClassifier(predict_augmentation="mirror").fit(X, y)
    tokens = np.random.default_rng(0).integers(0, 9, (20, 6))
    model = SequentialClassifier(
        [Embedding(9, 4), GRU(3)], predict_augmentation="mirror"
    )
    with pytest.raises(ValueError, match="layer 'embedding' takes tokens"):
        model.fit(tokens, np.arange(20) % 2)
    with pytest.raises(TypeError, match="predict_augmentation"):
        MLPClassifier(predict_augmentation="mirror")
