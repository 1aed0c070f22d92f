"""
Augmentations, one by one
=========================

Augmentations change training samples at random, so that a network sees another version
of each image in each epoch. The picture shows what each of them does to a photograph.
Which ones help depends on the problem, as a comparison on digits shows.
"""

# %%
# ``augment`` shows what an augmentation makes of images. In training, it is a parameter
# of the estimator, such as ``augmentation=[Flip(), Shift(2)]``. ``Mixup`` also needs
# the targets, here as rows with a one for the class.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_sample_images
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier
from skconvnet.augmentation import (
    Affine,
    Brightness,
    Contrast,
    Crop,
    Cutout,
    Elastic,
    Flip,
    Mixup,
    Rotation,
    Scaling,
    Shear,
    Shift,
)

photos = np.stack([p[40:400:3, 150:510:3] for p in load_sample_images().images]) / 255
augmentations = [
    Flip(probability=1.0),
    Shift(30),
    Crop(30, fill="reflect"),
    Rotation(30),
    Scaling(0.4),
    Shear(30),
    Affine(rotation=20, scaling=0.3, shift=10, fill="reflect"),
    Elastic(alpha=60, sigma=5),
    Brightness(0.4),
    Contrast((0.2, 0.5)),
    Cutout(50),
    Mixup(1.0),
]
fig, axes = plt.subplots(3, 4, figsize=(8, 6.4), layout="constrained")
for ax, augmentation in zip(axes.flat, augmentations, strict=True):
    changed, _ = augmentation.augment(photos, np.eye(2), random_state=5)
    ax.imshow(changed[1].clip(0, 1))
    ax.set_title(type(augmentation).__name__, fontsize="medium")
    ax.set_axis_off()

# %%
# ``Mixup`` mixes pairs of images, here with a photograph of a temple, and their targets
# in the same ratio. ``fill`` says what replaces pixels from outside the image.
#
# Which of them help with digits? The training set is small, and each network is tested
# on the same images: as they are, and moved by one pixel at random.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.reshape(-1, 8, 8, 1), y, train_size=300, stratify=y, random_state=0
)
X_moved = Shift(1).augment(X_test, random_state=0)
choices = {
    "none": None,
    "Shift(1)": Shift(1),
    "Rotation(15)": Rotation(15),
    "Elastic": Elastic(alpha=4, sigma=2),
    "Flip()": Flip(),
}
for name, augmentation in choices.items():
    network = ConvNetClassifier(
        filters=(8, 16),
        hidden_layer_sizes=32,
        augmentation=augmentation,
        batch_size=16,
        learning_rate_init=0.01,
        max_iter=12,
        random_state=0,
    ).fit(X_train, y_train)
    scores = network.score(X_test, y_test), network.score(X_moved, y_test)
    print(f"{name:13} accuracy {scores[0]:.3f}, on moved digits {scores[1]:.3f}")
plt.show()

# %%
# Only ``Shift`` prepares for moved digits, and it costs accuracy on those that are
# centered: in the same number of epochs, a harder problem is learned. Mirror images of
# digits are no digits, so ``Flip`` does harm.
