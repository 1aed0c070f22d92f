"""Show how gradients vanish and explode in deep networks, and how to prevent it.

    python examples/vanishing_gradients.py [--plot gradients.png]

Backpropagation multiplies a gradient by the slope of the activation in each layer. The
slope of the logistic function is at most a quarter, so the gradient has almost vanished
after twelve layers. ReLU's slope is 0 or 1, and with weights drawn to suit it (He et
al., 2015) the norm of the gradient remains about the same. With larger weights, the
gradient explodes: the outputs grow from layer to layer in the forward pass, and the
gradient grows in the backward pass, until its norm is hundreds of times as large in
every layer. Training then diverges, unless the norm is clipped.
"""

from __future__ import annotations

import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
from _command_line import picture_file
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skconvnet import MLPClassifier
from skconvnet.initializers import Normal

N_LAYERS = 12
WIDTH = 50
# An activation, and the initializer of the kernels.
NETWORKS = {
    "logistic": ("logistic", "glorot_uniform"),
    "tanh": ("tanh", "glorot_uniform"),
    "relu": ("relu", "he_uniform"),
    "relu, too large": ("relu", Normal(std=0.3)),
}


def load() -> tuple[np.ndarray, np.ndarray]:
    """Return the digits with a mean of 0 and a standard deviation of 1."""
    X, y = load_digits(return_X_y=True)
    return (X - X.mean()) / X.std(), y


def make_model(name: str, **params: object) -> MLPClassifier:
    """Return the network called `name`, many layers deep."""
    activation, initializer = NETWORKS[name]
    return MLPClassifier(
        (WIDTH,) * N_LAYERS,
        activation=activation,
        kernel_initializer=initializer,
        random_state=0,
        **params,
    )


def gradient_norms(name: str, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the norm of the loss's gradient for each hidden kernel, first to last."""
    model = make_model(name, alpha=0.0).initialize(X, y)
    _, gradients = model.loss_gradients(X, y)
    return np.array(
        [np.linalg.norm(gradients[f"dense{i + 1}/kernel"]) for i in range(N_LAYERS)]
    )


def print_norms(norms: dict[str, np.ndarray]) -> None:
    """Print one row per layer, with one column per network."""
    print("  layer " + "".join(f"{name:>18}" for name in norms))
    for i in range(N_LAYERS):
        row = "".join(f"{values[i]:18.2e}" for values in norms.values())
        print(f"  {i + 1:5} {row}")
    ratios = "".join(f"{v[0] / v[-1]:18.2e}" for v in norms.values())
    print(f"  1 / {N_LAYERS}{ratios}")


def train(
    max_grad_norm: float | None, X: np.ndarray, y: np.ndarray
) -> tuple[list[float], str]:
    """Train the network whose gradient explodes; return its losses and how it ended."""
    model = make_model(
        "relu, too large",
        solver="sgd",
        learning_rate_init=0.02,
        batch_size=32,
        max_grad_norm=max_grad_norm,
        max_iter=15,
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            # This training is expected to overflow.
            warnings.simplefilter("ignore", RuntimeWarning)
            losses = model.fit(X, y).loss_curve_
    except ValueError as error:
        print(f"  max_grad_norm={max_grad_norm}: fit raised an error,")
        print(
            textwrap.fill(
                str(error), 84, initial_indent=" " * 4, subsequent_indent=" " * 4
            )
        )
        return [], "diverged"
    accuracy = model.score(X, y)
    print(
        f"  max_grad_norm={max_grad_norm}: loss {losses[0]:.3g} -> {losses[-1]:.3g} in "
        f"{len(losses)} epochs, training accuracy {accuracy:.3f}"
    )
    return losses, "learned" if accuracy > 0.9 else "stayed"


def plot(norms: dict[str, np.ndarray], losses: list[float], file: Path) -> None:
    """Draw the norms by layer, and the loss of the clipped training."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, values in norms.items():
        left.semilogy(range(1, N_LAYERS + 1), values, "o-", label=name)
    left.set(title="Gradient at the start", xlabel="hidden layer", ylabel="norm")
    left.legend()
    right.semilogy(range(1, len(losses) + 1), losses)
    right.set(title="Clipped training", xlabel="epoch", ylabel="loss")
    figure.savefig(file)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print the norms of the gradients, and draw them if requested."""
    file = picture_file(__doc__, argv)
    X, y = load()
    print(f"Norm of the gradient of each kernel, {N_LAYERS} hidden layers of {WIDTH}")
    norms = {name: gradient_norms(name, X, y) for name in NETWORKS}
    print_norms(norms)
    print("\nTraining the one that explodes")
    train(None, X, y)
    losses, fate = train(1.0, X, y)
    if file:
        plot(norms, losses, file)
    return 0 if fate == "learned" else 1


if __name__ == "__main__":
    sys.exit(main())
