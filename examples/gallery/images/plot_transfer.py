"""
Transfer: features from other digits
====================================

A network learns the digits from 0 to 6. What it has learned helps with 7, 8 and 9, of
which there are only a few labeled images: as features for another classifier, as
weights to start from, or as layers that are frozen.
"""

# %%
# The network that is trained first, on all images of the digits from 0 to 6.
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skconvnet import FeatureExtractor, SequentialClassifier
from skconvnet.layers import Conv2D, Dense, Flatten, MaxPool2D, Rescaling

X, y = load_digits(return_X_y=True)
X = X.reshape(-1, 8, 8, 1)
is_old = y < 7
network = SequentialClassifier(
    [
        ("scale", Rescaling(1 / 16)),
        ("conv1", Conv2D(16, 3, padding="same", activation="relu")),
        ("pool1", MaxPool2D(2)),
        ("conv2", Conv2D(16, 3, padding="same", activation="relu")),
        ("flatten", Flatten()),
        ("dense", Dense(32, activation="relu")),
    ],
    learning_rate="one_cycle",
    learning_rate_init=0.01,
    batch_size=32,
    max_iter=6,
    random_state=0,
)
body = clone(network).fit(X[is_old], y[is_old])

# %%
# Four ways to learn the new digits. Two of them start from the weights of the old
# convolutions. The dense layers are left out: they have learned to tell other digits
# apart, and starting from them was worse than starting from scratch.
old = {key: a for key, a in body.get_weights().items() if "conv" in key}
ways = {
    "from scratch": clone(network),
    "fine-tuned": clone(network),
    "frozen convolutions": clone(network).set_params(
        conv1__trainable=False, conv2__trainable=False
    ),
    "features, logistic regression": make_pipeline(
        FeatureExtractor(body, "flatten", prefit=True),
        LogisticRegression(max_iter=1000),
    ),
}
for name in list(ways)[:3]:
    ways[name].set_params(batch_size=6, max_iter=15)

# %%
# Training sets of different sizes, five of each, and always the same test set.
X_pool, X_test, y_pool, y_test = train_test_split(
    X[~is_old], y[~is_old], test_size=0.5, stratify=y[~is_old], random_state=0
)
sizes = [6, 12, 24]
scores = {name: np.zeros((len(sizes), 5)) for name in ways}
for (i, n), seed in product(enumerate(sizes), range(5)):
    X_new, _, y_new, _ = train_test_split(
        X_pool, y_pool, train_size=n, stratify=y_pool, random_state=seed
    )
    for name, model in ways.items():
        if name in ("fine-tuned", "frozen convolutions"):
            model.initialize(X_new, y_new)
            model.set_weights(old)
        scores[name][i, seed] = model.fit(X_new, y_new).score(X_test, y_test)

# %%
# With six images, the old weights help most as features for a linear model. With 24,
# all ways are about equal: the bars are standard errors of the mean.
plt.style.use("tableau-colorblind10")
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
for (name, own), marker in zip(scores.items(), "osD^", strict=True):
    mean, error = own.mean(axis=1), own.std(axis=1, ddof=1) / 5**0.5
    ax.errorbar(sizes, mean, error, marker=marker, capsize=3, label=name)
    print(f"{name:30}", " ".join(f"{value:.3f}" for value in mean))
ax.set(xlabel="images of 7, 8 and 9 to learn from", ylabel="test accuracy")
ax.set(xticks=sizes)
ax.legend()
plt.show()
