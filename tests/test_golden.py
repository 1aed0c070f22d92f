"""Small networks against arithmetic by hand, and the rules of the first perceptrons."""

import numpy as np
import pytest

from skconvnet import MLPClassifier, MLPRegressor, SequentialClassifier
from skconvnet.layers import Dense

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
GATES = {
    "AND": [0, 0, 0, 1],
    "OR": [0, 1, 1, 1],
    "NAND": [1, 1, 1, 0],
    "XOR": [0, 1, 1, 0],
}
RULE = {
    "hidden_layer_sizes": (),
    "loss": "perceptron",
    "solver": "sgd",
    "momentum": 0.0,
    "alpha": 0.0,
    "batch_mode": "sgd",
}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("initializer", ["auto", "zeros"])
@pytest.mark.parametrize("eta", [1.0, 0.3])
def test_the_perceptron_is_rosenblatts_rule(eta, initializer):
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(40, 3)), rng.integers(2, size=40)
    X[3] = 0
    model = MLPClassifier(
        **RULE,
        learning_rate_init=eta,
        shuffle=False,
        kernel_initializer=initializer,
        random_state=0,
    ).initialize(X, t)
    w, b = model.coefs_[0][:, 0].copy(), model.intercepts_[0][0]
    for _ in range(3):
        for x, target in zip(X, t, strict=True):
            y = 1 if w @ x + b >= 0 else 0
            w += eta * (target - y) * x
            b += eta * (target - y)
        model.partial_fit(X, t)
        np.testing.assert_allclose(model.coefs_[0][:, 0], w, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(model.intercepts_[0][0], b, rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(model.predict(X), (X @ w + b >= 0).astype(int))


@pytest.mark.parametrize("initializer", ["auto", "zeros"])
@pytest.mark.parametrize("name", ["AND", "OR", "NAND"])
def test_a_perceptron_learns_what_a_line_separates(name, initializer):
    for seed in range(5):
        model = MLPClassifier(
            **RULE,
            learning_rate_init=1.0,
            kernel_initializer=initializer,
            random_state=seed,
        ).fit(CORNERS, GATES[name])
        np.testing.assert_array_equal(model.predict(CORNERS), GATES[name])
        assert model.loss_curve_[-1] == 0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_perceptron_does_not_learn_xor():
    for seed in range(5):
        model = MLPClassifier(
            **RULE, learning_rate_init=1.0, n_iter_no_change=np.inf, random_state=seed
        ).fit(CORNERS, GATES["XOR"])
        assert model.score(CORNERS, GATES["XOR"]) < 1
        assert model.n_iter_ == 200
    hidden = MLPClassifier((4,), activation="tanh", solver="lbfgs", random_state=0)
    assert hidden.fit(CORNERS, GATES["XOR"]).score(CORNERS, GATES["XOR"]) == 1


def test_nand_by_hand():
    gate = MLPClassifier((), loss="perceptron").initialize(CORNERS, GATES["NAND"])
    gate.set_weights({"output/kernel": [[-2], [-2]], "output/bias": [3]})
    np.testing.assert_array_equal(gate.predict(CORNERS), GATES["NAND"])
    np.testing.assert_array_equal(gate.decision_function(CORNERS), [3, 1, 1, -1])


def test_half_adder_of_nands():
    # Layer by layer: a, b and NAND(a, b); then what a sum and a carry are NANDs of.
    truth = np.array([[0, 0], [1, 0], [1, 0], [0, 1]])
    layers = [("first", Dense(3, "step")), ("second", Dense(3, "step"))]
    adder = SequentialClassifier(layers).initialize(CORNERS, truth)
    adder.set_weights(
        {
            "first/kernel": [[2, 0, -2], [0, 2, -2]],
            "first/bias": [-1, -1, 3],
            # NAND(a, n), NAND(b, n), NAND(n, n)
            "second/kernel": [[-2, 0, 0], [0, -2, 0], [-2, -2, -4]],
            "second/bias": [3, 3, 3],
            # NAND of the first two is the sum; the third is the carry.
            "output/kernel": [[-2, 0], [-2, 0], [0, 2]],
            "output/bias": [3, -1],
        }
    )
    np.testing.assert_array_equal(adder.predict(CORNERS), truth)
    np.testing.assert_array_equal(
        adder.activations(CORNERS, "first"),
        [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0]],
    )


def network_3_4_2(loss="squared_error"):
    X = np.array([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]])
    model = MLPClassifier((4,), activation="logistic", loss=loss, alpha=0.0)
    model.initialize(X, np.array([[1, 0], [0, 1]]))
    rng = np.random.default_rng(0)
    w1, b1 = rng.normal(size=(3, 4)).round(1), rng.normal(size=4).round(1)
    w2, b2 = rng.normal(size=(4, 2)).round(1), rng.normal(size=2).round(1)
    names = ("dense1/kernel", "dense1/bias", "output/kernel", "output/bias")
    model.set_weights(dict(zip(names, (w1, b1, w2, b2), strict=True)))
    return model, X, (w1, b1, w2, b2)


def test_forward_of_3_4_2():
    model, X, (w1, b1, w2, b2) = network_3_4_2()
    for sample, hidden, output in zip(
        X, model.activations(X, "dense1"), model.activations(X, "output"), strict=True
    ):
        a = [
            sigmoid(sum(sample[i] * w1[i, j] for i in range(3)) + b1[j])
            for j in range(4)
        ]
        y = [sigmoid(sum(a[j] * w2[j, k] for j in range(4)) + b2[k]) for k in range(2)]
        np.testing.assert_allclose(hidden, a, rtol=1e-14)
        np.testing.assert_allclose(output, y, rtol=1e-14)


def test_forward_of_numbers_on_paper():
    X = np.array([[1.0, 2.0, 3.0]])
    model = MLPRegressor(hidden_layer_sizes=(4,)).initialize(X, [[0.0, 0.0]])
    model.set_weights(
        {
            # 1 + 3 = 4, 2 - 3 + 1 = 0, 1 - 2 + 0.5 = -0.5 and 0 by ReLU, 2 + 1 = 3.
            "dense1/kernel": [[1, 0, 1, 0], [0, 1, -1, 1], [1, -1, 0, 0]],
            "dense1/bias": [0, 1, 0.5, 1],
            # 4 + 3 - 2 = 5, and 4 * 0.5 - 3 = -1.
            "output/kernel": [[1, 0.5], [7, 7], [9, 9], [1, -1]],
            "output/bias": [-2, 0],
        }
    )
    np.testing.assert_array_equal(model.activations(X, "dense1"), [[4, 0, 0, 3]])
    np.testing.assert_array_equal(model.predict(X), [[5, -1]])


@pytest.mark.parametrize("index", [0, 1])
def test_deltas_of_squared_error_on_logistic_outputs(index):
    model, X, (w1, b1, w2, b2) = network_3_4_2()
    x, t = X[index], np.eye(2)[index]
    a = sigmoid(x @ w1 + b1)
    y = sigmoid(a @ w2 + b2)
    # How much a weight is to grow; the gradient points the other way.
    delta = (t - y) * y * (1 - y)
    hidden_delta = np.array(
        [
            a[j] * (1 - a[j]) * sum(w2[j, k] * delta[k] for k in range(2))
            for j in range(4)
        ]
    )
    loss, gradients = model.loss_gradients(x[None], t[None].astype(int))
    assert loss == pytest.approx(0.5 * ((t - y) ** 2).sum(), rel=1e-14)
    expected = {
        "dense1/kernel": -np.outer(x, hidden_delta),
        "dense1/bias": -hidden_delta,
        "output/kernel": -np.outer(a, delta),
        "output/bias": -delta,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(gradients[name], values, rtol=1e-12)


@pytest.mark.parametrize(
    "loss", ["log_loss", "squared_error", "hinge", "squared_hinge", "perceptron"]
)
def test_the_gradient_of_two_samples_is_their_mean(loss):
    model, X, _ = network_3_4_2(loss)
    y = np.eye(2, dtype=int)
    value, gradients = model.loss_gradients(X, y)
    first, second = (model.loss_gradients(X[i : i + 1], y[i : i + 1]) for i in (0, 1))
    assert value == pytest.approx((first[0] + second[0]) / 2)
    for name, gradient in gradients.items():
        mean = (first[1][name] + second[1][name]) / 2
        np.testing.assert_allclose(gradient, mean, rtol=1e-12, atol=1e-15)
