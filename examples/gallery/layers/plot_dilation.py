"""
Receptive fields of dilated convolutions
========================================

A dilated convolution leaves gaps between the pixels that it looks at. Each layer can
then see twice as far as the one before, with the same number of weights. The gradient
of one output with respect to the image shows which pixels it depends on.
"""

# %%
# Three layers of 3x3 windows, with dilations that stay at 1, that double, and that are
# all 4. No training is needed: which pixels an output can see is a matter of shapes.
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from skconvnet import SequentialRegressor
from skconvnet.layers import Conv2D, Flatten

SIZE = 27
dilations = {"1, 1, 1": (1, 1, 1), "1, 2, 4": (1, 2, 4), "4, 4, 4": (4, 4, 4)}
rng = np.random.default_rng(0)
images = rng.normal(size=(20, SIZE, SIZE, 1))
middle = np.zeros((SIZE, SIZE, 16))
middle[SIZE // 2, SIZE // 2] = 1

# %%
# The output layer gets weights by hand: it passes on only what the convolutions say in
# the middle of the image. ``input_gradients`` is the gradient of that number. Its mean
# size over some images of noise is the receptive field, with the weights that training
# would start from. The faster algorithms of convolution would leave rounding errors in
# place of some zeros, so we ask for the plain one.
fields = {}
for name, rates in dilations.items():
    layers = [
        Conv2D(
            16,
            3,
            padding="same",
            dilation=rate,
            activation="tanh",
            conv_method="im2col",
        )
        for rate in rates
    ]
    network = SequentialRegressor([*layers, Flatten()], random_state=0)
    network.initialize(images, np.arange(len(images), dtype=float))
    network.set_weights({"output/kernel": middle.reshape(-1, 1)})
    field = np.abs(network.input_gradients(images)).mean(axis=0)[..., 0]
    fields[name] = field
    seen = np.flatnonzero(field.any(axis=0))
    print(
        f"dilations {name}: {np.count_nonzero(field)} pixels, "
        f"{seen[-1] - seen[0] + 1} from left to right"
    )

# %%
# White pixels have no influence at all. With doubled dilations the field is compact and
# twice as wide as without. With the same dilation of 4 throughout it is wider still,
# but full of gaps: the network sees every fourth pixel only, as through a grid.
largest = max(field.max() for field in fields.values())
fig, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
for ax, (name, field) in zip(axes, fields.items(), strict=True):
    image = ax.imshow(
        np.ma.masked_equal(field, 0),
        norm=LogNorm(largest / 1000, largest),
        cmap="viridis",
    )
    ax.set(title=f"dilations {name}", xticks=[], yticks=[])
fig.colorbar(image, ax=axes, label="mean absolute gradient", shrink=0.85)
plt.show()
