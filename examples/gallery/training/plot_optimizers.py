"""
Optimizers in a narrow valley
=============================

How fast the loss falls depends on the optimizer and on the shape of the loss. A linear
model of two correlated features has only two weights, and its loss is a narrow valley.
So the path of each optimizer to the best weights can be drawn.
"""

# %%
# Two features that are almost the same, and a target that is made of both.
import matplotlib.pyplot as plt
import numpy as np

from skconvnet import MLPRegressor
from skconvnet.optimizers import SGD, Adam, Lookahead

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 1)) + 0.15 * rng.normal(size=(200, 2))
best = np.array([1.5, 0.5])
y = X @ best

# %%
# An ``MLPRegressor`` without hidden layers is a linear model. With ``batch_mode="bgd"``
# and ``partial_fit``, each call is one update on all samples. All optimizers start from
# the same weights. The rates are the best of a few for each.
start = np.array([-1.0, 0.5])
optimizers = {
    "SGD": (SGD(momentum=0.0), 0.8),
    "SGD with momentum": (SGD(momentum=0.9), 0.2),
    "Lookahead": (Lookahead(SGD(momentum=0.9), every=5), 0.4),
    "Adam": (Adam(), 0.4),
}
ways = {}
for name, (solver, rate) in optimizers.items():
    model = MLPRegressor(
        hidden_layer_sizes=(),
        solver=solver,
        learning_rate_init=rate,
        batch_mode="bgd",
        alpha=0.0,
        random_state=0,
    )
    model.initialize(X, y)
    model.set_weights({"output/kernel": start[:, np.newaxis], "output/bias": [0.0]})
    way = [start]
    for _ in range(80):
        model.partial_fit(X, y)
        way.append(model.get_weights()["output/kernel"][:, 0])
    ways[name] = np.array(way)


def loss_of(weights: np.ndarray) -> np.ndarray:
    """Return half the mean squared error of weights of shape (..., 2)."""
    return ((weights @ X.T - y) ** 2).mean(axis=-1) / 2


# %%
# Plain gradient descent jumps across the valley and then creeps along it. Momentum
# gathers speed along the valley, and swings from side to side. ``Lookahead`` goes half
# of the way of every five such steps, which takes out the swings. Adam turns into the
# valley more smoothly.
grid = np.stack(np.meshgrid(np.linspace(-1.5, 2.4, 80), np.linspace(-0.4, 3, 80)), -1)
levels = np.geomspace(0.003, 10, 9)
fig, axes = plt.subplots(
    2, 2, figsize=(7, 5.6), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, way) in zip(axes.flat, ways.items(), strict=True):
    ax.contour(*np.moveaxis(grid, -1, 0), loss_of(grid), levels, colors="0.8")
    ax.plot(*way.T, "o-", color="#0072B2", ms=2.5, lw=1)
    ax.plot(*best, "*", color="#D55E00", ms=12)
    ax.set(title=name)
    print(f"{name:18} loss after 80 updates: {loss_of(way)[-1]:.1e}")
fig.supxlabel("first weight", fontsize="medium")
fig.supylabel("second weight", fontsize="medium")
plt.show()

# %%
# The loss along each path.
plt.style.use("tableau-colorblind10")
fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, way in ways.items():
    ax.plot(loss_of(way), label=name)
ax.set(xlabel="updates", ylabel="loss", yscale="log")
ax.legend()
plt.show()
