"""
What a first layer sees in a photograph
=======================================

The kernels of a convolution are small images, and so are the maps that it computes. We
draw both for a layer that whitens: its kernels are not trained by gradients, but are
the principal components of all windows of the photographs.
"""

# %%
# Patches of two photographs, one of a temple and one of a flower. The network tells
# which of them a patch is from. Patches of two sizes are passed as a list, and a
# network that was fitted to samples of different sizes takes other sizes as well, such
# as the whole photographs below.
import matplotlib.pyplot as plt
from sklearn.datasets import load_sample_images
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.model_selection import train_test_split

from skconvnet import SequentialClassifier
from skconvnet.inspection import FeatureMapDisplay, FilterDisplay
from skconvnet.layers import BatchNorm, Conv2D, GlobalAvgPool, WhiteningConv2D

photos = [photo[::2, ::2] / 255 for photo in load_sample_images().images]
X, y = [], []
for name, photo in zip(("temple", "flower"), photos, strict=True):
    for size in (16, 24):
        X += list(
            extract_patches_2d(photo, (size, size), max_patches=150, random_state=0)
        )
    y += [name] * 300
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
network = SequentialClassifier(
    [
        ("whitening", WhiteningConv2D(5, n_components=12, add_negatives=False)),
        ("conv", Conv2D(16, 3, activation="relu")),
        ("norm", BatchNorm()),
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

# %%
# The kernels see colors, and are drawn in colors. The first component is the brightness
# of a window, and the second a color, orange or blue. Then come slopes, and patterns
# that are finer and finer.
FilterDisplay.from_estimator(network, "whitening", share_scale=False)
plt.show()

# %%
# The maps of a whole photograph, red where a kernel fits and blue where its negative
# does.
FeatureMapDisplay.from_estimator(network, photos[0], "whitening", share_scale=False)
plt.show()

# %%
# The second layer is trained, and its maps have no negative values.
FeatureMapDisplay.from_estimator(
    network, photos[0], "conv", max_maps=8, share_scale=False
)
plt.show()
