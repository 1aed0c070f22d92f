"""
Which pixels speak for a class?
===============================

An attribution says, for each pixel, how much it has to do with the score of a class. We
compare six methods, among them Grad-CAM, on one digit, and ask what a network would
have to see to say something else.
"""

# %%
# The network that is to be explained.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier
from skconvnet.inspection import AttributionDisplay, attribute

digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.images[..., None], digits.target, random_state=0
)
clf = ConvNetClassifier(
    filters=(16, 16), hidden_layer_sizes=(), max_iter=8, random_state=0
)
clf.fit(X_train, y_train)
print(f"accuracy: {clf.score(X_test, y_test):.3f}")

# %%
# An image of a digit, and what each method makes of it. Red pixels speak for the class,
# blue ones against it. Saliency and Grad-CAM have no sign: yellow is much, blue is
# little.
sample = X_test[[(y_test == 3).argmax()]]
options = {
    "saliency": {},
    "smooth_grad": {"random_state": 0},
    "input_x_gradient": {},
    "integrated_gradients": {"baseline": X_train.mean(axis=0)},
    "occlusion": {"window": 2},
    "grad_cam": {"layer": "activation1"},
}
fig, axes = plt.subplots(2, 4, figsize=(9, 4.8), layout="constrained")
axes[0, 0].imshow(sample[0, ..., 0], cmap="gray")
axes[0, 0].set_title(f"predicted: {clf.predict(sample)[0]}")
for ax, (method, own) in zip(axes.flat[1:], options.items(), strict=False):
    heat = attribute(clf, sample, method, **own)[0].reshape(8, 8)
    largest = np.abs(heat).max()
    if heat.min() < 0:
        ax.imshow(heat, cmap="RdBu_r", vmin=-largest, vmax=largest)
    else:
        ax.imshow(heat, cmap="viridis", vmin=0)
    ax.set_title(method)
for ax in axes.flat:
    ax.set_axis_off()

# %%
# Methods ask different questions, so they need not agree. Integrated gradients share
# out the difference from a baseline, here the mean image: a black pixel can speak for a
# class, because it is bright in other digits.
#
# ``target`` is the class whose score is explained. What speaks for a 3 in some digits,
# and what for an 8?
chosen = [(y_test == label).argmax() for label in (3, 8, 9)]
for target in (3, 8):
    display = AttributionDisplay.from_estimator(
        clf,
        X_test[chosen],
        method="integrated_gradients",
        baseline=X_train.mean(axis=0),
        target=target,
        arrangement="overlay",
        share_scale=True,
    )
    display.figure_.suptitle(f"what speaks for a {target}")
plt.show()
