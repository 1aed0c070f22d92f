"""
Seeds matter, threads do not
============================

With the same ``random_state``, a training gives the same weights to the last bit, for
any number of threads. With another one it gives another network. How different are
networks that differ in nothing but the seed?
"""

# %%
# ``n_jobs`` is the number of threads of one network.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=500, stratify=y, random_state=0
)
network = ConvNetClassifier(
    filters=8, hidden_layer_sizes=16, batch_size=32, learning_rate_init=0.01, max_iter=8
)
threads = {
    n: clone(network).set_params(random_state=0, n_jobs=n).fit(X_train, y_train)
    for n in (1, 2, 4)
}
first = threads[1].get_weights()
for n, model in threads.items():
    arrays = model.get_weights()
    is_same = all(np.array_equal(arrays[name], first[name]) for name in first)
    print(f"{n} threads: the same bits as with one: {is_same}")

# %%
# Eight seeds. A seed decides on the initial weights and on the order of the samples.
seeds = range(8)
models = [
    clone(network).set_params(random_state=seed).fit(X_train, y_train) for seed in seeds
]
scores = np.array([model.score(X_test, y_test) for model in models])
predictions = np.array([model.predict(X_test) for model in models])
agree = (predictions[:, None] == predictions).mean(axis=-1)
others = agree[~np.eye(len(agree), dtype=bool)]
print(f"accuracy {scores.mean():.3f}, standard deviation {scores.std(ddof=1):.3f}")
print(f"two of the networks agree on {others.mean():.1%} of the images")

# %%
# The losses of all seeds come down to much the same value, and still the accuracies
# differ. Whoever compares two methods by one training each should know how much of a
# difference comes from the seed.
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for model in models:
    epochs = range(1, model.n_iter_ + 1)
    left.plot(epochs, model.loss_curve_, color="#0072B2", alpha=0.5)
left.set(xlabel="epoch", ylabel="training loss", ylim=(0, None), title="eight seeds")
right.scatter(seeds, scores, color="#D55E00", label="alone", zorder=2)
right.axhline(scores.mean(), color="#D55E00", ls="--", label="their mean")
right.axhspan(
    scores.mean() - scores.std(ddof=1),
    scores.mean() + scores.std(ddof=1),
    color="#D55E00",
    alpha=0.15,
    label="standard deviation",
)
right.set(xlabel="seed", ylabel="test accuracy")
right.legend()
plt.show()
