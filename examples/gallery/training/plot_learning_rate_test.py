"""
Which learning rate? A range test
=================================

A range test raises the learning rate from update to update until the loss explodes. The
largest rate at which the loss still falls is a good start for a schedule.
``partial_fit`` makes the test a loop of a few lines.
"""

# %%
# A call of ``partial_fit`` with one minibatch is one update. Between two calls,
# ``set_params`` may change the learning rate; the state of the optimizer is kept.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
network = ConvNetClassifier(
    filters=(8, 16), hidden_layer_sizes=32, batch_size=32, random_state=0
)
rates = np.geomspace(1e-4, 1, 120)


def losses_of_test(solver: str) -> np.ndarray:
    """Return the loss of one minibatch at each rate, before its update."""
    rng = np.random.default_rng(0)
    model = clone(network).set_params(solver=solver)
    losses = []
    for rate in rates:
        index = rng.choice(len(X_train), 32, replace=False)
        model.set_params(learning_rate_init=rate)
        model.partial_fit(X_train[index], y_train[index], classes=range(10))
        losses.append(model.loss_curve_[-1])
    return np.array(losses)


# %%
# The mean over neighboring updates takes out the differences between minibatches. The
# loss includes the penalty on the weights, which is about 1 at the start.
solvers = {"adam": "#0072B2", "sgd": "#D55E00"}
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
for solver, color in solvers.items():
    losses = losses_of_test(solver)
    smooth = np.convolve(losses, np.ones(9) / 9, mode="valid")
    ax.plot(rates, losses, color=color, alpha=0.25, lw=1)
    ax.plot(rates[4:-4], smooth, color=color, lw=2, label=solver)
    print(
        f"{solver}: smallest mean loss at a rate of {rates[4:-4][smooth.argmin()]:.3f}"
    )
ax.set(xscale="log", xlabel="learning rate", ylabel="loss of a minibatch", ylim=(0, 4))
ax.legend()
plt.show()

# %%
# Is the answer right? These are whole trainings of four epochs, with the schedule
# "one_cycle", which rises to ``learning_rate_init`` and falls again.
for solver in solvers:
    for rate in (0.003, 0.03, 0.3):
        model = clone(network).set_params(
            solver=solver, learning_rate_init=rate, max_iter=4
        )
        score = model.fit(X_train, y_train).score(X_test, y_test)
        print(f"{solver:5} {rate:6} accuracy {score:.3f}")

# %%
# Yes: for both solvers, 0.03 is the best of these rates, ten times less is too slow,
# and ten times more is less accurate.
