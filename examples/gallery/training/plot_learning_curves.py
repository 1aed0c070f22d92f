"""
Learning curves, and when to stop
=================================

The loss on the training set falls as long as one trains, the loss on other samples does
not. Early stopping watches a validation set and keeps the weights of the best epoch. A
callback records what happens in each epoch.
"""

# %%
# Few digits and a large perceptron, without early stopping first. ``X_val`` and
# ``y_val`` are scored after each epoch but have no influence. ``LearningCurve`` records
# the same curves that the estimator has as attributes, and the time as well.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import MLPClassifier
from skconvnet.callbacks import LearningCurve
from skconvnet.inspection import LearningCurveDisplay

X, y = load_digits(return_X_y=True)
X_train, X_rest, y_train, y_rest = train_test_split(
    X / 16, y, train_size=300, stratify=y, random_state=0
)
X_val, X_test, y_val, y_test = train_test_split(
    X_rest, y_rest, train_size=300, stratify=y_rest, random_state=0
)
rng = np.random.default_rng(0)
y_noisy = np.where(rng.random(300) < 0.3, rng.integers(0, 10, 300), y_train)
network = MLPClassifier(
    200,
    batch_size=32,
    learning_rate="cosine",
    learning_rate_init=0.01,
    max_iter=50,
    n_iter_no_change=np.inf,
    random_state=0,
)
recorder = LearningCurve()
to_the_end = clone(network).set_callbacks(recorder)
to_the_end.fit(X_train, y_noisy, X_val=X_val, y_val=y_val)
print({name: len(values) for name, values in recorder.curves_.items()})

# %%
# Three in ten labels were replaced by random ones, some of them by the right one. The
# network learns most of them by heart: the validation loss rises again, while the
# training loss goes on falling.
is_wrong = y_noisy != y_train
print(
    f"{is_wrong.mean():.0%} of the labels are wrong, of which the network repeats "
    f"{to_the_end.score(X_train[is_wrong], y_noisy[is_wrong]):.0%}"
)

# %%
# Now with early stopping, which ends training if the validation score has not risen for
# ten epochs. The dotted line is at the epoch whose weights were kept.
stopped = clone(network).set_params(early_stopping=True, n_iter_no_change=10)
stopped.fit(X_train, y_noisy, X_val=X_val, y_val=y_val)
display = LearningCurveDisplay.from_estimators(
    {"to the end": to_the_end, "stopped early": stopped}, kinds=["loss", "score"]
)
display.figure_.set_size_inches(9, 3.6)
for name, model in (("to the end", to_the_end), ("stopped early", stopped)):
    print(
        f"{name}: {model.n_iter_} epochs, test accuracy "
        f"{model.score(X_test, y_test):.3f}"
    )
plt.show()
