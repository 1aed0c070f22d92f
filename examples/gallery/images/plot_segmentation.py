"""
Maps as outputs: cells and the borders between them
===================================================

With labels of shape (n, height, width), a classifier learns a label for each pixel. A
U-Net finds cells in noisy images, and the lines where two cells touch: its coarse maps
say what is around a pixel, and its fine ones where exactly it is.
"""

# %%
# Images of two discs, which often touch. The light is uneven, and there is noise.
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.metrics import jaccard_score

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    BatchNorm,
    Conv2D,
    Conv2DTranspose,
    MaxPool2D,
    Parallel,
)

rng = np.random.default_rng(0)
n, n_train, size = 250, 200, 32
first = rng.uniform(10, size - 10, (n, 2, 1, 1))
angles = rng.uniform(0, 2 * np.pi, n)
second = first + 11 * np.stack([np.cos(angles), np.sin(angles)], 1)[..., None, None]
pixels = np.indices((size, size))
distances = np.stack([np.linalg.norm(pixels - c, axis=1) for c in (first, second)])
radii = rng.uniform(4.5, 7, (2, n, 1, 1))
is_inside = distances < radii
y = np.where(is_inside.any(axis=0), "cell", "background")
y[(distances < radii + 1.5).all(axis=0)] = "border"
slope = np.einsum("nd,dhw->nhw", rng.uniform(-0.02, 0.02, (n, 2)), pixels)
X = is_inside.any(axis=0) * rng.uniform(0.6, 1, (n, 1, 1)) + slope
X = (X + rng.normal(0, 0.25, X.shape))[..., None]

# %%
# A U-Net is a recursion: the maps are passed on as they are, beside a smaller U-Net
# that works on maps of half the size, which a transposed convolution enlarges again.
# ``Parallel`` joins both.


def u_net(filters: int, depth: int) -> list:
    """Return the layers of a U-Net that halves the size of maps `depth` times."""
    conv = [Conv2D(filters, 3, padding="same", activation="relu"), BatchNorm()]
    if depth == 0:
        return conv
    enlarge = Conv2DTranspose(filters, 2, strides=2)
    around = [MaxPool2D(2), *u_net(2 * filters, depth - 1), enlarge]
    return [*conv, Parallel([("skip", []), ("around", around)]), *conv]


networks = {"no coarse maps": 2 * u_net(8, depth=0), "U-Net": u_net(6, depth=2)}

# %%
# There are few pixels of borders, so they get a larger weight. The score of a class is
# its intersection over union: pixels that are of this class in truth and in prediction,
# divided by those that are of it in either. Without coarse maps no border is found: a
# few pixels around do not tell a line from noise. The borders of the U-Net are too
# thick, because of their weight.
predictions = {}
for name, layers in networks.items():
    network = SequentialClassifier(
        layers,
        batch_size=10,
        class_weight={"background": 1, "cell": 1, "border": 3},
        learning_rate="one_cycle",
        learning_rate_init=0.03,
        max_iter=7,
        random_state=0,
    ).fit(X[:n_train], y[:n_train])
    predictions[name] = network.predict(X[n_train:])
    scores = jaccard_score(y[n_train:].ravel(), predictions[name].ravel(), average=None)
    print(
        name, *(f"{c} {s:.2f}" for c, s in zip(network.classes_, scores, strict=True))
    )
maps = {"truth": y[n_train:], **predictions}
fig, axes = plt.subplots(3, 4, figsize=(7, 5.4), layout="constrained")
colors = ListedColormap(["#F0F0F0", "#D55E00", "#56B4E9"])
for i, row in enumerate(axes):
    row[0].imshow(X[n_train + i, ..., 0], cmap="gray")
    for ax, (name, labels) in zip(row[1:], maps.items(), strict=True):
        ax.imshow(np.searchsorted(network.classes_, labels[i]), cmap=colors, vmax=2)
        ax.set_title(name if i == 0 else "")
for ax in axes.flat:
    ax.set_axis_off()
plt.show()
