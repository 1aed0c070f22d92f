"""
Forecasts from windows of a series
==================================

``windows`` cuts a series into parts to learn from, each with the steps that follow it.
A network of 1-D convolutions then forecasts a whole day at once. It has to be better
than the obvious: the same hour of the day before, or of the week before.
"""

# %%
# Half a year of hourly demand, drawn at random: it follows the hour of the day and the
# day of the week, and drifts.
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import lfilter

from skconvnet import SequentialRegressor
from skconvnet.layers import Conv1D, Dense, Flatten, Standardize
from skconvnet.series import windows

rng = np.random.default_rng(0)
day, week = 24, 24 * 7
hours = np.arange(26 * week)
height = np.where(hours // day % 7 < 5, 1.0, 0.4)
drift = lfilter([1.0], [1.0, -0.9], rng.normal(scale=0.1, size=len(hours)))
demand = 3 + height * np.sin(2 * np.pi * hours / day) + drift

# %%
# X has a week in each row, and y the day after it. Both are views of the series, which
# is not copied. The last four weeks are for testing, and no window of the training set
# reaches into them.
X, y = windows(demand, length=week, horizon=day)
n = len(X) - 4 * week
X_train, y_train = X[: n - day + 1], y[: n - day + 1]
X_test, y_test = X[n:], y[n:]
print("shapes of X and y:", X.shape, y.shape)
network = SequentialRegressor(
    [
        ("scale", Standardize()),
        ("conv", Conv1D(16, day, strides=day // 2, activation="relu")),
        ("flatten", Flatten()),
        ("dense", Dense(32, activation="relu")),
    ],
    alpha=1.0,
    batch_size=64,
    learning_rate="one_cycle",
    learning_rate_init=0.01,
    max_iter=15,
    random_state=0,
).fit(X_train, y_train)

# %%
# The error of the network is smallest for the next hours, since it knows the drift at
# present. On a Saturday, demand varies less than on the day before, which the network
# expects, since the same happened in the week that it sees.
forecasts = {
    "a week before": X_test[:, :day, 0],
    "a day before": X_test[:, -day:, 0],
    "network": network.predict(X_test),
}
colors = dict(zip(forecasts, ("#E69F00", "#009E73", "#0072B2"), strict=True))
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9), layout="constrained")
last_hours = (n + np.arange(len(X_test)) + week) % week
start = np.flatnonzero(last_hours == 5 * day)[0]  # a Saturday is forecast
left.plot(range(-2 * day, 0), X_test[start, -2 * day :, 0], color="0.6")
left.plot(range(day), y_test[start], "k", lw=2, label="what came")
for name, forecast in forecasts.items():
    left.plot(range(day), forecast[start], color=colors[name], label=name)
    errors = np.abs(forecast - y_test)
    right.plot(range(1, day + 1), errors.mean(axis=0), color=colors[name], label=name)
    print(f"{name:14} mean absolute error {errors.mean():.3f}")
left.axvline(0, color="0.6", ls=":")
left.set(xlabel="hours from now", ylabel="demand", title="the forecast of a Saturday")
right.set(
    xlabel="hours ahead",
    ylabel="mean absolute error",
    ylim=(0, None),
    title="errors in four weeks",
)
fig.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=4)
plt.show()
