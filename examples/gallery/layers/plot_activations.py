"""
Activation functions and their slopes
=====================================

Activations are layers as well. Most are a line with a bend, and differ below zero: in
how much they let through, and in whether that is fixed, drawn at random or learned.
"""

# %%
# A network whose only layer is an activation gets the numbers from -4 to 4 as a series
# of one channel. ``activations`` returns the function, and ``input_gradients`` its
# slope, as backpropagation sees it.
import matplotlib.pyplot as plt
import numpy as np

from skconvnet import SequentialRegressor
from skconvnet.layers import (
    CELU,
    ELU,
    SELU,
    Activation,
    Flatten,
    LeakyReLU,
    Maxout,
    PReLU,
    RReLU,
    SmoothClip,
)

x = np.linspace(-4, 4, 201)
functions = {
    "relu": Activation("relu"),
    "LeakyReLU": LeakyReLU(0.1),
    "PReLU": PReLU(),
    "RReLU": RReLU(),
    "ELU": ELU(),
    "CELU": CELU(2.0),
    "SELU": SELU(),
    "gelu": Activation("gelu"),
    "mish": Activation("mish"),
    "tanh": Activation("tanh"),
    "SmoothClip": SmoothClip(2.0),
    "Maxout": Maxout(2),
}

# %%
# ``Maxout`` needs several channels, of which it takes the largest value: here x and
# -x/2. ``PReLU`` is drawn with the slope from which it starts to learn, and ``RReLU``
# with its mean slope, as in predictions.
fig, axes = plt.subplots(
    3, 4, figsize=(9, 6), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, layer) in zip(axes.flat, functions.items(), strict=True):
    channels = [x, -x / 2] if name == "Maxout" else [x]
    series = np.stack(channels, axis=-1)[np.newaxis]
    network = SequentialRegressor([("f", layer), ("flat", Flatten())], random_state=0)
    network.initialize(series, [0.0])
    network.set_weights({"output/kernel": np.ones((len(x), 1))})
    ax.axhline(0, color="0.8", lw=1)
    ax.axvline(0, color="0.8", lw=1)
    ax.plot(x, network.activations(series, "f")[0, :, 0], color="#0072B2", lw=2)
    slope = network.input_gradients(series)[0, :, 0]
    ax.plot(x, slope, "--", color="#D55E00", lw=1.5)
    ax.set(title=name, xlim=(-4, 4), ylim=(-2.2, 3.2))
    print(f"{name:10} slope at -4: {slope[0]:6.3f}, at 4: {slope[-1]:.3f}")
axes[0, 0].legend(axes[0, 0].lines[2:], ["function", "slope"], fontsize="small")
plt.show()

# %%
# Where the dashed line is zero, nothing is learned: for ``relu`` that is everywhere
# below zero. The slope of ``tanh`` and ``SmoothClip`` falls toward zero on both sides,
# which limits outliers. For ``Maxout``, the slope with respect to x is zero where -x/2
# is the larger channel.
