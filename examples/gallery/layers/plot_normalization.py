"""
Normalization layers compared
=============================

Most normalization layers scale maps to a mean of 0 and a variance of 1. They differ in
what they take the mean over: the minibatch, the channels of a sample, or groups of
them. In a network of tanh layers that gets raw pixels, we see what each of them does
for training.
"""

# %%
# Four convolutions, each followed by a normalization or by none. The pixels are from 0
# to 16 and are not scaled, so that many units of tanh start out far from zero, where
# their gradient is small.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    GlobalAvgPool,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    RMSNorm,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.reshape(-1, 8, 8, 1), y, train_size=600, stratify=y, random_state=0
)
normalizations = {
    "none": "passthrough",
    "LocalResponseNorm": LocalResponseNorm(),
    "RMSNorm": RMSNorm(),
    "LayerNorm": LayerNorm(),
    "InstanceNorm": InstanceNorm(),
    "GroupNorm": GroupNorm(groups=2),
    "BatchNorm": BatchNorm(),
}

# %%
# Each training lasts six epochs, too few for the network without a normalization.
losses, scores = {}, {}
for name, normalization in normalizations.items():
    layers = []
    for i in range(4):
        layers += [
            (f"conv{i}", Conv2D(8, 3, padding="same")),
            (f"norm{i}", normalization),
            (f"tanh{i}", Activation("tanh")),
        ]
    network = SequentialClassifier(
        [*layers, ("mean", GlobalAvgPool())],
        batch_size=32,
        learning_rate="one_cycle",
        learning_rate_init=0.01,
        max_iter=6,
        random_state=0,
    ).fit(X_train, y_train)
    losses[name] = network.loss_curve_
    scores[name] = network.score(X_test, y_test)
    print(f"{name:18} accuracy {scores[name]:.3f}")

# %%
# ``BatchNorm`` is ahead here, and some layers do not help at all. That belongs to this
# network and this learning rate, and is no ranking of the layers. With ``InstanceNorm``
# the accuracy is better than the loss suggests: many predictions are right, but none is
# confident.
plt.style.use("tableau-colorblind10")
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
for name, curve in losses.items():
    epochs = range(1, len(curve) + 1)
    style = "k--" if name == "none" else "o-"
    ax.plot(epochs, curve, style, ms=4, label=f"{name} ({scores[name]:.2f})")
ax.set(xlabel="epoch", ylabel="training loss", title="Four layers of tanh, raw pixels")
ax.legend(title="layer (test accuracy)", fontsize="small")
plt.show()
