"""
Volumes: convolutions with three axes
=====================================

Scans and short films have three spatial axes. Layers with 3D in their names work on
them as their relatives do on images. Here a network tells solid balls from hollow ones,
a difference that slices near the surface do not show.
"""

# %%
# Volumes of 12x12x12 voxels, with a ball at a random place in each, of random size.
# Half of the balls have a hole inside, and there is much noise.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from skconvnet import SequentialClassifier
from skconvnet.inspection import AttributionDisplay
from skconvnet.layers import BatchNorm, Conv3D, GlobalAvgPool, MaxPool3D

rng = np.random.default_rng(0)
n, size = 400, 12
centers = rng.uniform(4, size - 5, (n, 3, 1, 1, 1))
radii = rng.uniform(2.5, 4, (n, 1, 1, 1))
distances = np.linalg.norm(np.indices((size,) * 3) - centers, axis=1)
is_hollow = rng.integers(0, 2, n).astype(bool)
holes = is_hollow[:, None, None, None] & (distances < 0.6 * radii)
X = (distances < radii) & ~holes
X = X + rng.normal(0, 0.4, X.shape)
y = np.where(is_hollow, "hollow", "solid")
X_train, X_test, y_train, y_test = train_test_split(X[..., None], y, random_state=0)

# %%
# Samples have the shape (depth, height, width, channels). The mean over each map makes
# the network indifferent to where the ball is.
network = SequentialClassifier(
    [
        ("conv1", Conv3D(8, 3, padding="same", activation="relu")),
        ("pool", MaxPool3D(2)),
        ("norm", BatchNorm()),
        ("conv2", Conv3D(8, 3, padding="same", activation="relu")),
        ("mean", GlobalAvgPool()),
    ],
    batch_size=16,
    learning_rate="one_cycle",
    learning_rate_init=0.03,
    max_iter=8,
    random_state=0,
)
network.fit(X_train, y_train)
print(network.summary())
print(f"accuracy on {len(X_test)} volumes: {network.score(X_test, y_test):.2f}")

# %%
# Two balls, slice by slice from the left to the right. Beside each of them is how far
# the score falls if a part of the volume is hidden: red voxels speak for the predicted
# class, blue ones against it. The solid ball is recognized by its middle alone. The
# score of the hollow one falls wherever something is hidden, most of all around the
# hole.
chosen = [np.flatnonzero(y_test == label)[0] for label in ("hollow", "solid")]
AttributionDisplay.from_estimator(
    network, X_test[chosen], method="occlusion", window=4, stride=2
)
plt.show()
