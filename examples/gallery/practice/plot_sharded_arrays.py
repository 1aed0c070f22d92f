"""
Data in files: shards and their order
=====================================

A ``ShardedArray`` reads samples from files while a network trains, so that they need
not fit into memory. A few shards at a time are mixed. If the files are sorted by class,
that matters: we see how many shards have to be mixed.
"""

# %%
# Digits in files of 100, shuffled in one folder, and sorted by class in another one.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier
from skconvnet.shards import ShardedArray

images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8).astype(np.uint8)
X, X_test, y, y_test = train_test_split(
    images, labels, train_size=1200, stratify=labels, random_state=0
)
folder = tempfile.TemporaryDirectory()
orders = {"shuffled": np.arange(len(y)), "sorted": np.argsort(y, kind="stable")}
files = {}
for name, order in orders.items():
    files[name] = [Path(folder.name) / f"{name}_{i:02}.npy" for i in range(12)]
    for path, part in zip(files[name], np.array_split(X[order], 12), strict=True):
        np.save(path, part)

# %%
# An array of shards has a shape and a dtype, and can be sliced, but no sample was read
# yet.
print(ShardedArray(files["sorted"], shard_size=100))

# %%
# ``n_mixed`` shards are in memory at a time, and their samples are shuffled together.
# Another thread reads the next ones meanwhile.
network = ConvNetClassifier(
    filters=8, hidden_layer_sizes=16, batch_size=20, max_iter=8, random_state=0
)
settings = [("shuffled", 1), ("sorted", 1), ("sorted", 3), ("sorted", 6)]
curves, scores = {}, {}
for name, n_mixed in settings:
    source = ShardedArray(files[name], shard_size=100, n_mixed=n_mixed)
    model = clone(network).fit(source, y[orders[name]], X_val=X_test, y_val=y_test)
    curves[f"{name}, n_mixed={n_mixed}"] = model.validation_scores_
in_memory = clone(network).fit(X, y, X_val=X_test, y_val=y_test)
curves["array in memory"] = in_memory.validation_scores_
for name, curve in curves.items():
    print(f"{name:20} accuracy {curve[-1]:.3f}")
folder.cleanup()

# %%
# Files in a random order are as good as an array in memory, with one shard at a time as
# well. Sorted files are not: with ``n_mixed=1``, each update sees one or two classes,
# and the network forgets the others. Mixing half of the shards almost makes up for it;
# better still, store samples in a random order.
plt.style.use("tableau-colorblind10")
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
for name, curve in curves.items():
    style = "k--" if name == "array in memory" else "o-"
    ax.plot(range(1, len(curve) + 1), curve, style, ms=4, label=name)
ax.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1))
ax.legend(fontsize="small")
plt.show()
