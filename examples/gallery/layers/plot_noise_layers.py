"""
Noise that regularizes
======================

``Dropout`` and its relatives disturb maps in training and do nothing in prediction. On
a training set of 150 digits, which a network would learn by heart, we compare the loss
on these digits with the loss on others.
"""

# %%
# ``GaussianNoise`` changes all values, ``Dropout`` sets single ones to zero, and
# ``SpatialDropout`` whole channels. ``StochasticDepth`` sets samples to zero: at the
# end of a ``Residual``, this leaves them the shortcut alone.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    Conv2D,
    Dropout,
    Flatten,
    GaussianNoise,
    MaxPool2D,
    Rescaling,
    Residual,
    SpatialDropout,
    StochasticDepth,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.reshape(-1, 8, 8, 1), y, train_size=150, stratify=y, random_state=0
)
noises = {
    "none": "passthrough",
    "GaussianNoise(0.3)": GaussianNoise(0.3),
    "Dropout(0.4)": Dropout(0.4),
    "SpatialDropout(0.4)": SpatialDropout(0.4),
    "StochasticDepth(0.4)": StochasticDepth(0.4),
}

# %%
# The noise is at the end of a residual block. In prediction it is gone, so that the
# loss on the training set can be measured without it.
losses = {}
for name, noise in noises.items():
    block = [Conv2D(16, 3, padding="same", activation="relu"), ("noise", noise)]
    network = SequentialClassifier(
        [
            ("scale", Rescaling(1 / 16)),
            ("conv", Conv2D(16, 3, padding="same", activation="relu")),
            ("block1", Residual(block)),
            ("pool", MaxPool2D(2)),
            ("block2", Residual(block)),
            ("flatten", Flatten()),
        ],
        batch_size=25,
        learning_rate="one_cycle",
        learning_rate_init=0.01,
        max_iter=20,
        n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X_train, y_train)
    losses[name] = [
        log_loss(y_part, network.predict_proba(X_part))
        for X_part, y_part in ((X_train, y_train), (X_test, y_test))
    ]
    print(f"{name:21} test accuracy {network.score(X_test, y_test):.3f}")

# %%
# All networks know the training set almost by heart: the scale is logarithmic, and
# their loss on it is a small part of the loss on other digits. ``Dropout`` narrows the
# gap the most. On the test set the differences are small, and nothing to rely on with
# one training each: above all, the layers prevent too much confidence in what was seen.
train, test = np.transpose(list(losses.values()))
fig, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
ax.hlines(list(losses), train, test, color="0.7", zorder=0)
ax.scatter(train, list(losses), s=60, color="#0072B2", label="training set")
ax.scatter(test, list(losses), s=60, color="#D55E00", marker="D", label="test set")
ax.set(xscale="log", xlabel="log loss", ylim=(-0.5, len(losses) - 0.5))
ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.4], ["0.02", "0.05", "0.1", "0.2", "0.4"])
ax.minorticks_off()
ax.legend()
plt.show()
