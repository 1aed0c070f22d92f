"""
Convolutions with fewer weights
===============================

A convolution of 16 channels has weights for every pair of an input and an output
channel. Separable layers split it into steps and need fewer; locally connected layers
do the opposite and have weights of their own at every position. We compare the numbers
of weights and the accuracies.
"""

# %%
# The second layer of the network is exchanged, all else stays the same. A dense layer,
# for which the map is flattened, has the most weights of all.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    LocallyConnected2D,
    MaxPool2D,
    Rescaling,
    SeparableConv2D,
    SpatiallySeparableConv2D,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.reshape(-1, 8, 8, 1), y, test_size=0.5, stratify=y, random_state=0
)
same = {"padding": "same", "activation": "relu"}
layers = {
    "DepthwiseConv2D": DepthwiseConv2D(3, **same),
    "SeparableConv2D": SeparableConv2D(16, 3, **same),
    "Conv2D, groups=4": Conv2D(16, 3, groups=4, **same),
    "SpatiallySeparableConv2D": SpatiallySeparableConv2D(16, 3, **same),
    "Conv2D": Conv2D(16, 3, **same),
    "LocallyConnected2D": LocallyConnected2D(16, 3, **same),
    "Flatten and Dense": Dense(256, activation="relu"),
}

# %%
# ``get_weights`` returns all arrays of a network by their names, so that those of the
# exchanged layer, "second", can be counted.
n_weights, errors = [], []
for name, layer in layers.items():
    is_dense = isinstance(layer, Dense)
    network = SequentialClassifier(
        [
            ("scale", Rescaling(1 / 16)),
            ("first", Conv2D(16, 3, **same)),
            ("pool", MaxPool2D(2)),
            ("flatten", Flatten() if is_dense else "passthrough"),
            ("second", layer),
            ("features", "passthrough" if is_dense else Flatten()),
        ],
        batch_size=32,
        learning_rate="one_cycle",
        learning_rate_init=0.01,
        max_iter=6,
        random_state=0,
    ).fit(X_train, y_train)
    arrays = network.get_weights()
    n_weights.append(sum(a.size for key, a in arrays.items() if "second" in key))
    errors.append(1 - network.score(X_test, y_test))
    print(f"{name:25} {n_weights[-1]:6,} weights, error {errors[-1]:.3f}")

# %%
# The number of weights differs by a factor of several hundred, the error by much less:
# the first layer and the output layer do a part of the work. With one training per
# layer, differences of a percent should not be taken seriously.
fig, (left, right) = plt.subplots(
    1, 2, sharey=True, figsize=(8, 3.2), layout="constrained"
)
left.barh(list(layers), n_weights, color="#0072B2")
left.set(xscale="log", xlabel="weights of the layer")
right.barh(list(layers), [100 * e for e in errors], color="#D55E00")
right.set(xlabel="misread test images (%)")
plt.show()
