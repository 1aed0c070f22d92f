"""
Numbers as waves: periodic embeddings
=====================================

A perceptron learns smooth functions of its inputs and is slow to learn fast waves.
``PeriodicEmbedding`` turns each number into sines and cosines of learned frequencies
before the first dense layer. How fast the waves may be is a parameter to be chosen.
"""

# %%
# A wave that becomes faster from the left to the right, with a little noise.
import matplotlib.pyplot as plt
import numpy as np

from skconvnet import SequentialRegressor
from skconvnet.layers import Dense, Flatten, PeriodicEmbedding

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(-1, 1, 600))
wave = np.sin(6 * (x + 1.3) ** 2.2)
y = wave + rng.normal(0, 0.1, len(x))
X_train, y_train, X_test, y_test = x[::2, None], y[::2], x[1::2, None], y[1::2]

# %%
# The networks differ in the first layer only. ``frequency_scale`` is the standard
# deviation of the frequencies from which training starts.
embeddings = {
    "no embedding": "passthrough",
    "frequency_scale=0.1": PeriodicEmbedding(8, frequency_scale=0.1),
    "frequency_scale=1": PeriodicEmbedding(8, frequency_scale=1.0),
    "frequency_scale=10": PeriodicEmbedding(8, frequency_scale=10.0),
}
grid = np.linspace(-1, 1, 400)[:, None]
fig, axes = plt.subplots(
    2, 2, figsize=(9, 5), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, embedding) in zip(axes.flat, embeddings.items(), strict=True):
    network = SequentialRegressor(
        [
            ("embedding", embedding),
            ("flatten", Flatten()),
            ("dense1", Dense(64, activation="relu")),
            ("dense2", Dense(64, activation="relu")),
        ],
        batch_size=20,
        learning_rate="one_cycle",
        learning_rate_init=0.01,
        max_iter=40,
        n_iter_no_change=np.inf,
        random_state=0,
    )
    score = network.fit(X_train, y_train).score(X_test, y_test)
    ax.scatter(X_train, y_train, s=6, color="0.6", linewidths=0)
    ax.plot(grid, network.predict(grid), color="#0072B2", lw=2)
    ax.set_title(f"{name}, R² {score:.2f}", fontsize="medium")
    print(f"{name:20} R² on the test set {score:.3f}")
for ax in axes[-1]:
    ax.set_xlabel("x")
plt.show()

# %%
# Frequencies that are too low leave out the fast part of the wave, as no embedding
# does. With ones that are too high the network follows the noise of single points.
