"""Attributions against Captum, on the same networks in PyTorch."""

import numpy as np
import pytest
from attribution_tools import SHARED, N, classes, numbers, samples

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.inspection import attribute
from skconvnet.layers import Conv1D, Conv2D, Dense, Flatten, MaxPool1D, MaxPool2D

pytestmark = [
    pytest.mark.captum,
    pytest.mark.filterwarnings(
        "ignore::sklearn.exceptions.ConvergenceWarning",
        "ignore:Input Tensor .* did not already require gradients:UserWarning",
        "ignore:Setting forward, backward hooks and attributes:UserWarning",
    ),
]

# Captum has the weights of the steps, and sums of occlusion, in float32.
SINGLE = {"rtol": 1e-5, "atol": 1e-6}

NETWORKS = {
    "images": (
        SequentialClassifier,
        (9, 8, 2),
        [
            ("conv1", Conv2D(4, 3, padding="same", activation="relu")),
            ("pool", MaxPool2D(2)),
            ("conv2", Conv2D(5, 2, activation="tanh")),
            ("flatten", Flatten()),
            ("dense", Dense(6, activation="relu")),
        ],
    ),
    "series": (
        SequentialRegressor,
        (15, 3),
        [
            ("conv1", Conv1D(4, 3, padding="same", activation="tanh")),
            ("pool", MaxPool1D(2)),
            ("conv2", Conv1D(5, 3, activation="relu")),
            ("flatten", Flatten()),
            ("dense", Dense(4, activation="tanh")),
        ],
    ),
    "rows": (SequentialClassifier, (7,), [("dense", Dense(5, activation="relu"))]),
}


def in_torch(torch, model):
    """Return the network of a model as a torch module that takes channels first."""
    nn = torch.nn
    weights = {n: torch.tensor(w) for n, w in model.get_weights().items()}
    modules = torch.nn.Sequential()

    def with_weights(name, module, kernel):
        module.double()
        module.weight.data = kernel
        module.bias.data = weights[f"{name}/bias"]
        modules.append(module)

    for name, spec in model.network_.specs:
        kind = type(spec).__name__
        if kind.startswith("Conv"):
            kernel = weights[f"{name}/kernel"]
            cls = {3: nn.Conv1d, 4: nn.Conv2d}[kernel.ndim]
            convolution = cls(
                kernel.shape[1], kernel.shape[0], kernel.shape[2], padding=spec.padding
            )
            with_weights(name, convolution, kernel)
        elif kind in ("Dense", "Output"):
            kernel = weights[f"{name}/kernel"].T.contiguous()
            with_weights(name, nn.Linear(kernel.shape[1], kernel.shape[0]), kernel)
        elif kind == "Flatten":
            modules.append(ChannelsLast(torch))
            modules.append(nn.Flatten())
        else:
            modules.append(
                {"MaxPool1D": nn.MaxPool1d, "MaxPool2D": nn.MaxPool2d}[kind](2)
            )
        activation = getattr(spec, "activation", None)
        if kind != "Output" and activation is not None:
            modules.append({"relu": nn.ReLU, "tanh": nn.Tanh}[activation]())
    return modules


def ChannelsLast(torch):
    """Return a module that moves the channels behind the spatial axes."""

    class Move(torch.nn.Module):
        def forward(self, x):
            return torch.movedim(x, 1, -1).contiguous()

    return Move()


@pytest.fixture(scope="module", params=NETWORKS)
def networks(request, torch):
    """Return a fitted model, X, the same in PyTorch, and a target of each sample."""
    cls, shape, layers = NETWORKS[request.param]
    X = samples(*shape)
    is_classifier = cls is SequentialClassifier
    y = classes() if is_classifier else numbers(X, 3) / 100
    model = cls(layers, **SHARED).fit(X, y)
    module = in_torch(torch, model)
    maps = torch.tensor(np.moveaxis(X, -1, 1).copy() if X.ndim > 2 else X)
    scores = module(maps).detach().numpy()
    expected = model.decision_function(X) if is_classifier else model.predict(X)
    np.testing.assert_allclose(scores, expected, rtol=1e-10)
    positions = np.arange(N) % 3
    target = model.classes_[positions] if is_classifier else positions
    return model, X, target, module, maps, torch.tensor(positions)


def as_X(tensor):
    array = tensor.detach().numpy()
    return np.moveaxis(array, 1, -1) if array.ndim > 2 else array


def test_saliency(networks):
    from captum.attr import Saliency

    model, X, target, module, maps, positions = networks
    expected = Saliency(module).attribute(maps, target=positions)
    np.testing.assert_allclose(
        attribute(model, X, "saliency", target), as_X(expected), rtol=1e-9, atol=1e-12
    )


def test_input_x_gradient(networks):
    from captum.attr import InputXGradient

    model, X, target, module, maps, positions = networks
    expected = InputXGradient(module).attribute(maps, target=positions)
    np.testing.assert_allclose(
        attribute(model, X, "input_x_gradient", target),
        as_X(expected),
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize("n_steps", [1, 20])
def test_integrated_gradients(networks, torch, n_steps):
    from captum.attr import IntegratedGradients

    model, X, target, module, maps, positions = networks
    baseline = np.random.default_rng(3).uniform(size=X.shape[1:])
    tensor = torch.tensor(np.moveaxis(baseline[None], -1, 1).copy())
    expected = IntegratedGradients(module).attribute(
        maps,
        baselines=tensor if X.ndim > 2 else torch.tensor(baseline[None]),
        target=positions,
        n_steps=n_steps,
        method="gausslegendre",
    )
    own = attribute(
        model, X, "integrated_gradients", target, baseline=baseline, n_steps=n_steps
    )
    np.testing.assert_allclose(own, as_X(expected), **SINGLE)


@pytest.mark.parametrize(("layer", "n_modules"), [("conv1", 2), ("pool", 3), (None, 5)])
def test_grad_cam(networks, torch, layer, n_modules):
    from captum.attr import LayerGradCam

    model, X, target, module, maps, positions = networks
    if X.ndim == 2:
        with pytest.raises(ValueError, match="needs a layer with spatial axes"):
            attribute(model, X, "grad_cam", target, layer=layer)
        return
    # The activation is a module of its own, the last one that belongs to the layer.
    cam = LayerGradCam(module, module[n_modules - 1])
    heat = cam.attribute(maps, target=positions, relu_attributions=True)
    mode = "linear" if X.ndim == 3 else "bilinear"
    enlarged = torch.nn.functional.interpolate(heat, X.shape[1:-1], mode=mode)
    own = attribute(model, X, "grad_cam", target, layer=layer)
    np.testing.assert_allclose(
        own, enlarged[:, 0].detach().numpy(), rtol=1e-8, atol=1e-12
    )
    assert np.any(own)


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (3, 2), (4, 4)])
def test_occlusion(networks, window, stride):
    from captum.attr import Occlusion

    model, X, target, module, maps, positions = networks
    n_axes = max(X.ndim - 2, 1)
    channels = (X.shape[-1],) if X.ndim > 2 else ()
    expected = Occlusion(module).attribute(
        maps,
        sliding_window_shapes=(*channels, *(window,) * n_axes),
        strides=(*channels, *(stride,) * n_axes),
        baselines=0.5,
        target=positions,
    )
    own = attribute(
        model, X, "occlusion", target, window=window, stride=stride, fill=0.5
    )
    np.testing.assert_allclose(own, as_X(expected), **SINGLE)
