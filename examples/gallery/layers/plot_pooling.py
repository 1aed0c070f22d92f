"""
Poolings of a photograph
========================

Pooling layers make maps smaller: each window becomes one value. They have no weights,
so that their effect can be seen on a photograph directly. A pyramid of poolings turns
images of any size into the same number of features.
"""

# %%
# A network whose only layer is a pooling. ``initialize`` builds it for the shape of the
# images, and ``activations`` returns what the layer makes of them.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    AvgPool2D,
    Flatten,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    LpPool2D,
    MaxPool2D,
    SpatialPyramidPool,
    Upsample,
)

photo = load_sample_image("flower.jpg")[40:400, 160:520] / 255
images = np.stack([photo, photo[:, ::-1]])


def output_of(layers: list, X: np.ndarray) -> np.ndarray:
    """Return what untrained layers, the last of which is named "last", make of X."""
    network = SequentialClassifier(layers, random_state=0)
    return network.initialize(X, [0, 1]).activations(X, "last")


# %%
# Windows of 24x24 pixels, side by side. Of each color, the maximum keeps the brightest
# pixel of a window, and the mean counts all of them alike. The norm is in between, and
# nears the maximum as p grows. It adds up the values of a window, so it is divided by
# the norm of a window of ones here.
window = 24
layers = {
    "AvgPool2D": AvgPool2D(window),
    "LpPool2D, p=2": LpPool2D(window, p=2),
    "LpPool2D, p=8": LpPool2D(window, p=8),
    "MaxPool2D": MaxPool2D(window),
}
fig, axes = plt.subplots(1, 5, figsize=(10, 2.4), layout="constrained")
axes[0].imshow(photo)
axes[0].set_title("360x360")
for ax, (name, layer) in zip(axes[1:], layers.items(), strict=True):
    pooled = output_of([("last", layer), ("flat", Flatten())], images)[0]
    ones = window ** (2 / layer.p) if isinstance(layer, LpPool2D) else 1
    ax.imshow(pooled / ones)
    ax.set_title(name, fontsize="medium")
    print(f"{name:15} {pooled.shape}, mean {(pooled / ones).mean():.2f}")
for ax in axes:
    ax.set_axis_off()

# %%
# ``Upsample`` goes back to the original size: values are repeated, or interpolated
# linearly between neighbors. What pooling has lost stays lost.
fig, axes = plt.subplots(1, 3, figsize=(7.5, 2.7), layout="constrained")
# sphinx_gallery_thumbnail_number = 2
pool = AvgPool2D(window)
for ax, mode in zip(axes, ("nearest", "bilinear"), strict=False):
    network = [pool, ("last", Upsample(window, mode=mode)), Flatten()]
    ax.imshow(output_of(network, images)[0].clip(0, 1))
    ax.set_title(f"Upsample, {mode}", fontsize="medium")
axes[2].imshow(photo)
axes[2].set_title("photograph", fontsize="medium")
for ax in axes:
    ax.set_axis_off()

# %%
# Global poolings have one value per channel. ``SpatialPyramidPool`` has those of the
# whole map, of its quarters and of finer grids. All of them give as many features for a
# part of the photograph as for the whole, so that a dense layer can follow.
for layer in (GlobalAvgPool(), GlobalLpPool(), GlobalMaxPool(), SpatialPyramidPool()):
    shapes = [
        output_of([("last", layer)], part).shape[1:]
        for part in (images, images[:, :100, :150])
    ]
    print(type(layer).__name__, *shapes)
plt.show()
