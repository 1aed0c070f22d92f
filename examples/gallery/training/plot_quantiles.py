"""
Regression with an interval: quantile losses
============================================

A regressor with the squared error estimates the mean of y, and says nothing about how
far y may be from it. With the loss ``Quantile(0.9)`` it estimates the value below which
y lies in nine of ten cases. Two quantiles are an interval.
"""

# %%
# A wave, with noise that grows from the left to the right and is not symmetric.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from skconvnet import MLPRegressor
from skconvnet.losses import Huber, Quantile, SquaredError

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(0, 4, 1200))
y = np.sin(2 * x) + rng.gamma(1.5, 0.05 + 0.2 * x)
X_train, X_test, y_train, y_test = train_test_split(x[:, None], y, random_state=0)

# %%
# One network for each loss.
grid = np.linspace(0, 4, 300)[:, None]
losses = {
    "mean": SquaredError(),
    "Huber": Huber(delta=0.3),
    "median": Quantile(0.5),
    "10 %": Quantile(0.1),
    "90 %": Quantile(0.9),
}
models = {}
for name, loss in losses.items():
    models[name] = MLPRegressor(
        loss=loss,
        hidden_layer_sizes=(30, 30),
        activation="tanh",
        learning_rate="one_cycle",
        learning_rate_init=0.02,
        batch_size=50,
        max_iter=100,
        n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X_train, y_train)
    share = np.mean(y_test <= models[name].predict(X_test))
    print(f"{share:.0%} of the test set is below the curve of {name}")

# %%
# About four of five points should be in the colored band, in the middle and at the
# edges alike, although it is narrow on the left and wide on the right. The mean lies
# above the median, since the noise has a long tail upward; the ``Huber`` loss, which
# counts large errors less, is in between.
low, high = models["10 %"].predict(X_test), models["90 %"].predict(X_test)
is_inside = (low <= y_test) & (y_test <= high)
for start in range(4):
    part = (start <= X_test[:, 0]) & (X_test[:, 0] < start + 1)
    print(f"x from {start} to {start + 1}: {is_inside[part].mean():.0%} inside")
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.scatter(X_test, y_test, s=8, color="0.5", linewidths=0)
bounds = [models[name].predict(grid) for name in ("10 %", "90 %")]
ax.fill_between(grid[:, 0], *bounds, color="#56B4E9", alpha=0.4, label="10 % to 90 %")
styles = {"mean": "#D55E00", "Huber": "#009E73", "median": "#0072B2"}
for name, color in styles.items():
    ax.plot(grid, models[name].predict(grid), color=color, lw=2, label=name)
ax.set(xlabel="x", ylabel="y")
ax.legend(loc="upper left")
plt.show()
