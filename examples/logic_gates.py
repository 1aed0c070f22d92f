"""Build logic gates from perceptrons that are trained or set by hand, and an adder.

    python examples/logic_gates.py [--plot gates.png]

A perceptron is a network without hidden layers that returns 1 if w x + b >= 0, and 0
otherwise. Rosenblatt's rule, w += eta (t - y) x after each sample, learns AND, OR and
NAND, whose ones and zeros can be separated by a line. It cannot learn XOR, for which
there is no such line. However, several layers of NANDs can represent XOR: with weights
set by hand, they form a half adder, whose sum is an XOR.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
from _command_line import picture_file
from sklearn.exceptions import ConvergenceWarning

from skconvnet import MLPClassifier, SequentialClassifier
from skconvnet.layers import Dense

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
GATES = {
    "AND": [0, 0, 0, 1],
    "OR": [0, 1, 1, 1],
    "NAND": [1, 1, 1, 0],
    "XOR": [0, 1, 1, 0],
}
# NAND in one layer: 3 - 2 a - 2 b is negative only if both inputs are 1.
NAND_WEIGHT, NAND_BIAS = -2, 3


def make_perceptron() -> MLPClassifier:
    """Return a perceptron that learns by Rosenblatt's rule with eta = 1."""
    return MLPClassifier(
        hidden_layer_sizes=(),
        loss="perceptron",
        solver="sgd",
        batch_mode="sgd",
        momentum=0.0,
        alpha=0.0,
        learning_rate_init=1.0,
        kernel_initializer="zeros",
        max_iter=100,
        random_state=0,
    )


def learn(name: str) -> MLPClassifier:
    """Print and return a perceptron trained on the truth table of a gate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        gate = make_perceptron().fit(CORNERS, GATES[name])
    outputs = gate.predict(CORNERS)
    w1, w2 = gate.coefs_[0].ravel()
    verdict = "learned" if np.array_equal(outputs, GATES[name]) else "NOT learned"
    print(
        f"  {name:<5} target {GATES[name]}, output {outputs.tolist()}: {verdict}, "
        f"w = ({w1:g}, {w2:g}), b = {gate.intercepts_[0][0]:g}"
    )
    return gate


def nand_by_hand() -> MLPClassifier:
    """Print and return a NAND gate whose weights were never trained."""
    gate = make_perceptron().initialize(CORNERS, GATES["NAND"])
    kernel = [[NAND_WEIGHT], [NAND_WEIGHT]]
    gate.set_weights({"output/kernel": kernel, "output/bias": [NAND_BIAS]})
    for (a, b), score, y in zip(
        CORNERS, gate.decision_function(CORNERS), gate.predict(CORNERS), strict=True
    ):
        print(f"  NAND({a}, {b}): score {score:+g}, output {y}")
    return gate


def half_adder() -> SequentialClassifier:
    """Return a network of NANDs that returns the sum and the carry of two bits.

    With n = NAND(a, b), the sum is NAND(NAND(a, n), NAND(b, n)) and the carry is
    NAND(n, n). The step activation keeps the outputs of a layer 0 or 1.
    """
    w, bias = NAND_WEIGHT, NAND_BIAS
    layers = [
        # a and b are passed on unchanged: 2 a - 1 is positive only if a is 1.
        ("first", Dense(3, activation="step")),
        ("second", Dense(3, activation="step")),
    ]
    truth = np.array([[0, 0], [1, 0], [1, 0], [0, 1]])
    adder = SequentialClassifier(layers).initialize(CORNERS, truth)
    return adder.set_weights(
        {
            # a, b, n
            "first/kernel": [[2, 0, w], [0, 2, w]],
            "first/bias": [-1, -1, bias],
            # NAND(a, n), NAND(b, n), and n again
            "second/kernel": [[w, 0, 0], [0, w, 0], [w, w, 2]],
            "second/bias": [bias, bias, -1],
            # NAND of the first two, NAND of the third with itself
            "output/kernel": [[w, 0], [w, 0], [0, 2 * w]],
            "output/bias": [bias, bias],
        }
    )


def print_adder(adder: SequentialClassifier) -> bool:
    """Print the truth table, and say whether carry and sum are right."""
    print("  a  b | carry  sum")
    is_right = True
    for (a, b), (total, carry) in zip(CORNERS, adder.predict(CORNERS), strict=True):
        print(f"  {a}  {b} |   {carry}     {total}")
        is_right &= 2 * carry + total == a + b
    print(f"  {'right' if is_right else 'WRONG'}: a + b = 2 carry + sum")
    return bool(is_right)


def plot(gates: dict[str, MLPClassifier], file: Path) -> None:
    """Draw each gate's corners and the side of the line that gives 1."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.8), layout="constrained")
    axis_values = np.linspace(-0.5, 1.5, 200)
    grid = np.stack(np.meshgrid(axis_values, axis_values), axis=-1).reshape(-1, 2)
    for axes, (name, gate) in zip(
        figure.subplots(1, len(gates)), gates.items(), strict=True
    ):
        ones = gate.predict(grid).reshape(200, 200)
        axes.contourf(axis_values, axis_values, ones, 1, cmap="Blues", alpha=0.5)
        axes.scatter(*CORNERS.T, c=GATES[name], cmap="Greys", edgecolor="k", s=80)
        axes.set(title=name, xlabel="a", ylabel="b", xticks=[0, 1], yticks=[0, 1])
    figure.savefig(file)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print what each gate has learned, and draw it if requested."""
    file = picture_file(__doc__, argv)
    print("Learned by the rule w += eta (t - y) x")
    gates = {name: learn(name) for name in GATES}
    print("\nA NAND gate set by hand")
    nand_by_hand()
    print("\nA half adder of NANDs")
    is_right = print_adder(half_adder())
    if file:
        plot(gates, file)
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
