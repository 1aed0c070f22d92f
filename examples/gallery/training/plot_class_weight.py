"""
Rare classes and their weights
==============================

If one class is rare, a network that minimizes the mean loss overlooks part of it.
``class_weight="balanced"`` makes up for the numbers of samples: more of the rare class
is found, at the price of more false alarms.
"""

# %%
# Two overlapping clouds of points; one in twenty belongs to the rare class.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.metrics import precision_recall_curve, precision_score, recall_score
from sklearn.model_selection import train_test_split

from skconvnet import MLPClassifier

X, y = make_classification(
    3000,
    2,
    n_redundant=0,
    n_clusters_per_class=1,
    weights=[0.95],
    flip_y=0,
    class_sep=0.9,
    random_state=1,
)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)

# %%
# A dict gives each class a weight of its own. "balanced" is the same as weights of 0.53
# and 10 here, so that both classes together count the same.
weights = {"no weights": None, "1 to 5": {0: 1, 1: 5}, "balanced": "balanced"}
models = {}
for name, class_weight in weights.items():
    model = MLPClassifier(
        hidden_layer_sizes=20,
        solver="lbfgs",
        alpha=0.1,
        max_iter=2000,
        class_weight=class_weight,
        random_state=0,
    )
    models[name] = model.fit(X_train, y_train)

# %%
# The rare class is orange. Recall is the share of it that is found, precision the share
# of what is found that is right.
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.3), sharey=True, layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    DecisionBoundaryDisplay.from_estimator(
        model, X, ax=ax, response_method="predict", cmap="RdBu_r", alpha=0.35
    )
    for label, color in ((0, "#0072B2"), (1, "#D55E00")):
        ax.scatter(*X_test[y_test == label].T, s=6, color=color, linewidths=0)
    predicted = model.predict(X_test)
    recall = recall_score(y_test, predicted)
    precision = precision_score(y_test, predicted)
    ax.set_title(f"{name}\nrecall {recall:.2f}, precision {precision:.2f}")
    print(f"{name:11} accuracy {model.score(X_test, y_test):.3f}")

# %%
# Each curve has all trade-offs that other thresholds than 0.5 would give, and the dot
# is the one of ``predict``. The curves are close to each other: weights mostly move the
# threshold. They matter if a network is too small to learn both classes, or if
# ``predict`` is used as it is.
fig, ax = plt.subplots(figsize=(5, 4), layout="constrained")
colors = ["#0072B2", "#009E73", "#D55E00"]
for (name, model), color in zip(models.items(), colors, strict=True):
    shares = model.predict_proba(X_test)[:, 1]
    precision, recall, thresholds = precision_recall_curve(y_test, shares)
    ax.plot(recall, precision, color=color, label=name)
    at = np.searchsorted(thresholds, 0.5)
    ax.plot(recall[at], precision[at], "o", color=color)
ax.set(xlabel="recall", ylabel="precision", ylim=(0, 1.02))
ax.legend()
plt.show()
