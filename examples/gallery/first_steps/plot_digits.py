"""
Handwritten digits, and what a network takes them for
=====================================================

A ConvNetClassifier is fitted to images of 8x8 pixels and scored on others, as any
classifier of scikit-learn is. We then look at the mistakes that it makes with the
greatest confidence.
"""

# %%
# The digits come as rows of 64 pixels from 0 to 16. A ConvNetClassifier reads a row of
# 64 values as an image of 8x8, and scales the values itself.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier
from skconvnet.inspection import MistakesDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.4, stratify=y, random_state=0
)
clf = ConvNetClassifier(filters=(8, 16), max_iter=8, random_state=0)
clf.fit(X_train, y_train)
print(f"accuracy on {len(X_test)} images: {clf.score(X_test, y_test):.3f}")

# %%
# Two blocks of convolution, normalization, activation and pooling come before a dense
# layer. Most of the weights are in the dense layer.
print(clf.summary())

# %%
# The mistakes, the most confident ones first. ``true`` is the label of the data: some
# of these digits are hard for us to read, too.
display = MistakesDisplay.from_estimator(clf, X_test, y_test, n_max=8)

# %%
# The confusion matrix counts the same mistakes, and what is right. It is scikit-learn's
# own display, which takes a network like any other classifier.
fig, ax = plt.subplots(figsize=(5, 4.5), layout="constrained")
ConfusionMatrixDisplay.from_estimator(
    clf, X_test, y_test, ax=ax, cmap="Blues", colorbar=False
)
ax.set_title(f"{display.n_mistakes} of {display.n_samples} images are misread")
plt.show()
