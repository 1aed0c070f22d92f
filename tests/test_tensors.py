"""Tensors of PyTorch: those that NumPy reads work, the others say what to do first."""

import re

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make

from skconvnet import ConvNetClassifier
from skconvnet.estimators._tensors import check_tensors

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# What is done to a tensor, the reason that the error gives, and the steps before NumPy.
SPOILT = {
    "gradient": (
        lambda t: t.float().requires_grad_(),
        "requires a gradient",
        ".detach()",
    ),
    "bfloat16": (lambda t: t.bfloat16(), "has dtype bfloat16", ".float()"),
    "parameter and bfloat16": (
        lambda t: t.bfloat16().requires_grad_(),
        "requires a gradient and has dtype bfloat16",
        ".detach().float()",
    ),
    "sparse": (
        lambda t: t.to_sparse(),
        "has the layout sparse_coo",
        ".to_dense()",
    ),
}
KINDS = [*SPOILT, "meta"]


def spoil(kind, tensor):
    """Return a tensor that NumPy cannot read, and what the error says of "name"."""
    if kind == "meta":
        told = "is on the device meta, which keeps no values; make it on the CPU."
        return tensor.to("meta"), told
    change, reason, steps = SPOILT[kind]
    told = f"{reason}, so that NumPy cannot read it: pass name{steps}.numpy()."
    return change(tensor), told


def refused(call, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_samples_that_numpy_cannot_read(torch, cls, kind):
    X, y = data_for(cls)
    bad, told = spoil(kind, torch.tensor(X))
    fitted = make(cls).fit(X, y)
    message = f"X is a tensor that {told.replace('name', 'X')}"
    refused(lambda: make(cls).fit(bad, y), message)
    refused(lambda: make(cls).initialize(bad, y), message)
    refused(lambda: fitted.partial_fit(bad, y), message)
    refused(lambda: fitted.predict(bad), message)
    refused(lambda: fitted.score(bad, y), message)
    refused(lambda: fitted.activations(bad, "output"), message)
    refused(lambda: fitted.loss_gradients(bad, y), message)
    message = f"X_val is a tensor that {told.replace('name', 'X_val')}"
    refused(lambda: make(cls).fit(X, y, X_val=bad, y_val=y), message)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_targets_and_weights_that_numpy_cannot_read(torch, cls, kind):
    X, y = data_for(cls)
    bad, told = spoil(kind, torch.tensor(y))
    fitted = make(cls).fit(X, y)
    message = f"y is a tensor that {told.replace('name', 'y')}"
    refused(lambda: make(cls).fit(X, bad), message)
    refused(lambda: fitted.partial_fit(X, bad), message)
    refused(lambda: fitted.score(X, bad), message)
    message = f"y_val is a tensor that {told.replace('name', 'y_val')}"
    refused(lambda: make(cls).fit(X, y, X_val=X, y_val=bad), message)
    message = f"sample_weight is a tensor that {told.replace('name', 'sample_weight')}"
    refused(lambda: make(cls).fit(X, y, bad), message)
    refused(lambda: fitted.partial_fit(X, y, bad), message)
    refused(lambda: fitted.score(X, y, bad), message)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_first_partial_fit(torch, cls):
    X, y = data_for(cls)
    y, model = torch.tensor(y), make(cls)
    told = "has dtype bfloat16, so that NumPy cannot read it: pass "
    message = f"y is a tensor that {told}y.float().numpy()."
    refused(lambda: model.partial_fit(X, y.bfloat16(), classes=[0, 1, 2]), message)
    message = f"classes is a tensor that {told}classes.float().numpy()."
    refused(lambda: model.partial_fit(X, y, classes=y.unique().bfloat16()), message)
    assert not hasattr(model, "network_")


@pytest.mark.parametrize("kind", SPOILT)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_lists_of_tensors(torch, cls, kind):
    X, y = data_for(cls)
    change, reason, steps = SPOILT[kind]
    message = (
        f"X[1] is a tensor that {reason}, so that NumPy cannot read it: pass "
        f"[x{steps}.numpy() for x in X]."
    )
    own = [torch.tensor(x) for x in X]
    own[1] = change(own[1])
    refused(lambda: make(cls).fit(own, y), message)
    own = [torch.tensor(value) for value in y]
    if kind != "sparse":
        own[1] = change(own[1])
        refused(lambda: make(cls).fit(X, tuple(own)), message.replace("X", "y"))


@pytest.mark.parametrize("kind", ["gradient", "bfloat16"])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_what_the_error_says_works(torch, cls, kind):
    X, y = data_for(cls)
    bad, _ = spoil(kind, torch.tensor(X))
    with pytest.raises(TypeError, match="pass") as caught:
        make(cls).fit(bad, y)
    good = eval(str(caught.value).split("pass ")[1][:-1], {"X": bad})
    np.testing.assert_allclose(good, X, rtol=0.01)
    make(cls).fit(good, y)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_tensors_that_numpy_reads(torch, cls):
    X, y = data_for(cls)
    expected = make(cls).fit(X, y).predict(X)
    tensors = torch.tensor(X), torch.tensor(y)
    fitted = make(cls).fit(*tensors, torch.ones(len(X)), X_val=X, y_val=tensors[1])
    np.testing.assert_array_equal(fitted.predict(tensors[0]), expected)
    assert fitted.score(*tensors) == make(cls).fit(X, y).score(X, y)
    rows = list(tensors[0]), list(tensors[1])
    np.testing.assert_array_equal(make(cls).fit(*rows).predict(X), expected)
    for dtype in (torch.float16, torch.float32):
        make(cls).fit(tensors[0].to(dtype), y)
    make(cls).fit((tensors[0] > 0.5).to(torch.uint8), y)


def test_weights(torch):
    X, y = data_for(ConvNetClassifier)
    model = make(ConvNetClassifier).fit(X, y)
    own = {name: torch.tensor(array) for name, array in model.get_weights().items()}
    before = model.network_.vector.copy()
    name = "weights['conv1/kernel']"
    message = (
        f"{name} is a tensor that requires a gradient, so that NumPy cannot read it: "
        f"pass {name}.detach().numpy()."
    )
    bad = {**own, "conv1/kernel": torch.nn.Parameter(own["conv1/kernel"])}
    refused(lambda: model.set_weights(bad), message)
    model.set_weights(own)
    np.testing.assert_array_equal(model.network_.vector, before)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_data_sets_of_pairs(torch, cls):
    X, y = data_for(cls)
    pairs = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(y))
    for own in (pairs, torch.utils.data.DataLoader(pairs)):
        message = f"^X is a {type(own).__name__} of PyTorch.* X, y = zip"
        with pytest.raises(TypeError, match=message):
            make(cls).fit(own, y)
    samples, targets = zip(*pairs, strict=True)
    expected = make(cls).fit(X, y).predict(X)
    np.testing.assert_array_equal(make(cls).fit(samples, targets).predict(X), expected)


class Device:
    type = "cuda"

    def __str__(self):
        return "cuda:0"


class Tensor:
    """What is looked at in a tensor on a GPU, which few machines have."""

    __module__ = "torch"
    requires_grad, is_quantized, device = True, False, Device()
    layout, dtype = "torch.strided", "torch.float32"


def test_a_tensor_on_a_gpu():
    message = (
        "X is a tensor that requires a gradient and is on the device cuda:0, so that "
        "NumPy cannot read it: pass X.detach().cpu().numpy()."
    )
    refused(lambda: check_tensors(Tensor(), "X"), message)
