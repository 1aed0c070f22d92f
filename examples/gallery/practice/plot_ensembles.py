"""
Several networks that vote
==========================

The mean of several networks is more accurate than most of them, and their disagreement
tells which predictions to trust. The ensembles are those of scikit-learn, which take
networks as they take any estimator.
"""

# %%
# Images of 7 that were turned by up to 60 degrees. The angle is to be estimated from
# the image. ``ConvNetRegressor`` standardizes y, and predicts in its units.
import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import rotate
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import BaggingRegressor, VotingRegressor
from sklearn.metrics import mean_absolute_error

from skconvnet import ConvNetRegressor

rng = np.random.default_rng(0)
digits = load_digits()
sevens = np.repeat(digits.images[digits.target == 7], 3, axis=0)
y = rng.uniform(-60, 60, len(sevens))
pairs = zip(sevens, y, strict=True)
X = np.array([rotate(image, a, reshape=False, order=1).ravel() for image, a in pairs])
# The three versions of a 7 are either all in the training set, or all in the test set.
n_train = 3 * (2 * len(X) // 9)
X_train, X_test, y_train, y_test = X[:n_train], X[n_train:], y[:n_train], y[n_train:]

# %%
# ``VotingRegressor`` trains networks with different seeds on the same samples,
# ``BaggingRegressor`` networks on samples that are drawn anew for each. Both predict
# the mean of their networks.
network = ConvNetRegressor(
    filters=(8, 16),
    hidden_layer_sizes=16,
    batch_size=32,
    learning_rate_init=0.01,
    max_iter=12,
    random_state=0,
)
seeds = [(f"seed {i}", clone(network).set_params(random_state=i)) for i in range(4)]
ensembles = {
    "VotingRegressor": VotingRegressor(seeds),
    "BaggingRegressor": BaggingRegressor(network, n_estimators=4, random_state=0),
}

# %%
# Both means have smaller errors than all of their networks. Each network of the bagging
# has seen only about two thirds of the different images.
fig, ax = plt.subplots(figsize=(5, 3.8), layout="constrained")
for x, (name, ensemble) in enumerate(ensembles.items()):
    ensemble.fit(X_train, y_train)
    single = np.array([model.predict(X_test) for model in ensemble.estimators_])
    errors = [mean_absolute_error(y_test, own) for own in single]
    error = mean_absolute_error(y_test, ensemble.predict(X_test))
    print(f"{name:16} {error:.1f}, its networks", *np.round(errors, 1))
    ax.plot([x] * len(errors), errors, "o", color="#0072B2", ms=8, alpha=0.7)
    ax.plot([x], [error], "D", color="#D55E00", ms=9)
ax.set(xlim=(-0.5, 1.5), ylim=(0, 8), ylabel="mean absolute error (degrees)")
ax.set_xticks(range(2), ensembles)
ax.legend(ax.lines[:2], ["single networks", "their mean"], loc="lower right")
plt.show()

# %%
# Where the networks disagree, errors are larger: the bars are the standard deviations
# of the four predictions. This is a hint, and no interval with a known share.
single = [model.predict(X_test) for model in ensembles["VotingRegressor"].estimators_]
mean, spread = np.mean(single, axis=0), np.std(single, axis=0)
fig, ax = plt.subplots(figsize=(5, 4), layout="constrained")
ax.errorbar(y_test, mean, spread, fmt="o", ms=3, lw=1, color="#0072B2")
ax.plot([-60, 60], [-60, 60], color="0.5", ls="--")
ax.set(xlabel="angle (degrees)", ylabel="mean of four predictions")
is_sure = spread < np.median(spread)
for part, name in ((is_sure, "less"), (~is_sure, "more")):
    error = np.abs(mean - y_test)[part].mean()
    print(f"where the networks differ {name}, the mean error is {error:.1f} degrees")
plt.show()
