"""
Decision boundaries beside those of scikit-learn
================================================

What an MLPClassifier learns of two features is drawn beside a support vector machine
and a random forest. The perceptron of scikit-learn is in the comparison as well: with
the same parameters, both perceptrons have the same weights.
"""

# %%
# Three problems of two classes: two moons, a circle in a ring, and two clouds that a
# line can separate. Half of the points are for testing.
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import make_circles, make_classification, make_moons
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skconvnet import MLPClassifier

clouds = make_classification(
    300, 2, n_redundant=0, n_clusters_per_class=1, class_sep=1.2, random_state=3
)
problems = [
    make_moons(300, noise=0.25, random_state=0),
    make_circles(300, noise=0.15, factor=0.5, random_state=0),
    clouds,
]

# %%
# L-BFGS suits small tables: it needs no learning rate, and stops by itself.
params = {
    "hidden_layer_sizes": 20,
    "solver": "lbfgs",
    "alpha": 1.0,
    "max_iter": 2000,
    "random_state": 0,
}
classifiers = {
    "skconvnet's MLP": MLPClassifier(**params),
    "scikit-learn's MLP": SklearnMLPClassifier(**params),
    "SVC": SVC(),
    "random forest": RandomForestClassifier(50, min_samples_leaf=3, random_state=0),
}

# %%
# The number in each corner is the accuracy on the test points. In the two columns on
# the left the boundaries are the same. Those of the trees are parallel to the axes.
points = ListedColormap(["#0072B2", "#D55E00"])
fig, axes = plt.subplots(3, 4, figsize=(9, 6.5), layout="constrained")
for row, (X, y) in zip(axes, problems, strict=True):
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, random_state=0
    )
    predictions = []
    for ax, classifier in zip(row, classifiers.values(), strict=True):
        model = make_pipeline(StandardScaler(), classifier).fit(X_train, y_train)
        DecisionBoundaryDisplay.from_estimator(
            model,
            X,
            ax=ax,
            cmap="RdBu_r",
            alpha=0.35,
            eps=0.4,
            grid_resolution=60,
            response_method="predict",
        )
        ax.scatter(*X_test.T, c=y_test, cmap=points, s=10, linewidths=0)
        score = f"{model.score(X_test, y_test):.2f}"
        ax.text(0.97, 0.03, score, transform=ax.transAxes, ha="right")
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
        predictions.append(model.predict(X_test))
    print("both perceptrons agree:", np.array_equal(*predictions[:2]))
for ax, name in zip(axes[0], classifiers, strict=True):
    ax.set_title(name, fontsize="medium")
plt.show()
