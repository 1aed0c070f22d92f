"""
Branches and shortcuts
======================

``Parallel`` runs lists of layers side by side and joins their outputs, ``Residual``
adds its input to the output of its layers. Together they make the blocks of many
published networks. The picture of a network shows where maps part and meet again.
"""

# %%
# A block with branches, much as in GoogLeNet: windows of one, three and five pixels. An
# empty branch returns its input. After it comes a residual block, whose shortcut adapts
# the number of channels by itself.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import SequentialClassifier
from skconvnet.inspection import NetworkDisplay
from skconvnet.layers import (
    BatchNorm,
    Conv2D,
    GlobalAvgPool,
    MaxPool2D,
    Parallel,
    Residual,
    Standardize,
)

conv = {"padding": "same", "activation": "relu"}
branches = Parallel(
    [
        ("skip", []),
        ("one", [Conv2D(4, 1, **conv)]),
        ("three", [Conv2D(4, 1, **conv), Conv2D(8, 3, **conv)]),
        ("five", [Conv2D(4, 1, **conv), Conv2D(4, 5, **conv)]),
    ]
)
residual = Residual([Conv2D(24, 3, **conv), Conv2D(24, 3, padding="same"), BatchNorm()])

# %%
# Blocks are layers like any other. Parameters inside of them have names for a search,
# such as ``residual__conv2d_1__filters``.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.reshape(-1, 8, 8, 1), y, stratify=y, random_state=0
)
network = SequentialClassifier(
    [
        ("scale", Standardize()),
        ("branches", branches),
        ("pool", MaxPool2D(2)),
        ("residual", residual),
        ("mean", GlobalAvgPool()),
    ],
    batch_size=32,
    learning_rate="one_cycle",
    learning_rate_init=0.01,
    max_iter=6,
    random_state=0,
)
network.fit(X_train, y_train)
print(f"accuracy: {network.score(X_test, y_test):.3f}")
print([name for name in network.get_params() if name.endswith("filters")])

# %%
# The boxes have the shapes of the outputs, channels last, and the numbers of weights.
NetworkDisplay.from_estimator(network)
plt.show()
