"""
A grid search in a pipeline
===========================

The scaler and the network are one model, so that each fold of the cross-validation
scales by its own training part. ``GridSearchCV`` tries sizes of the hidden layer and
strengths of the penalty, and the picture shows what it found.
"""

# %%
# The breast cancer data: 30 measurements of cells, and whether they are malignant.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import MLPClassifier

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# A parameter of a step is named by the step, two underscores and its own name.
network = MLPClassifier(solver="lbfgs", max_iter=2000, random_state=0)
model = make_pipeline(StandardScaler(), network)
sizes = [1, 2, 4, 8]
alphas = [0.001, 0.1, 1.0, 10.0, 100.0]
grid = {
    "mlpclassifier__hidden_layer_sizes": sizes,
    "mlpclassifier__alpha": alphas,
}
search = GridSearchCV(model, grid, scoring="neg_log_loss", cv=3)
search.fit(X_train, y_train)
print(search.best_params_)
print(f"accuracy on the test set: {search.best_estimator_.score(X_test, y_test):.3f}")

# %%
# Each cell is the mean log loss over three folds, on a logarithmic scale of colors:
# smaller is better. The penalty matters more than the number of units. With a weak
# penalty, wrong predictions are made with great confidence, which the log loss
# punishes; with a strong one, no prediction is confident.
losses = -search.cv_results_["mean_test_score"].reshape(len(alphas), len(sizes))
fig, ax = plt.subplots(figsize=(5.5, 4.5), layout="constrained")
image = ax.imshow(np.log(losses), cmap="viridis_r")
for i, j in np.ndindex(losses.shape):
    is_dark = losses[i, j] > np.exp(np.log(losses).mean())
    ax.text(
        j,
        i,
        f"{losses[i, j]:.2f}",
        ha="center",
        va="center",
        color="white" if is_dark else "black",
    )
ax.set_xticks(range(len(sizes)), sizes)
ax.set_yticks(range(len(alphas)), alphas)
ax.set(xlabel="units of the hidden layer", ylabel="alpha", title="Mean log loss")
plt.show()
