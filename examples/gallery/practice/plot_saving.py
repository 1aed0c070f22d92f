"""
Weights saved, rounded and exported
===================================

A fitted network is saved with joblib as any estimator is, or as plain arrays by name.
Once we have the arrays we can also change them: how few bits per weight are enough?
"""

# %%
# A network for digits, saved in two ways. Estimators in a file of joblib predict the
# same bits. Arrays in a file of NumPy hold no code, and go into a network of the same
# layers, which ``initialize`` builds without training.
import tempfile
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier
from skconvnet.interop import to_torch_state

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, random_state=0
)
clf = ConvNetClassifier(
    filters=(8, 16), hidden_layer_sizes=32, rescale=None, max_iter=8, random_state=0
)
clf.fit(X_train, y_train)
with tempfile.TemporaryDirectory() as folder:
    joblib.dump(clf, Path(folder) / "digits.joblib")
    np.savez(Path(folder) / "digits.npz", **clf.get_weights())
    print({path.name: path.stat().st_size for path in sorted(Path(folder).iterdir())})
    loaded = joblib.load(Path(folder) / "digits.joblib")
    with np.load(Path(folder) / "digits.npz") as arrays:
        again = clone(clf).initialize(X_train, y_train).set_weights(dict(arrays))
for copy in (loaded, again):
    same = np.array_equal(copy.predict_proba(X_test), clf.predict_proba(X_test))
    print("the same predictions:", same)

# %%
# Other libraries have other names and shapes for the same arrays. ``to_torch_state``
# returns what ``load_state_dict`` of PyTorch takes, also where PyTorch is not
# installed. ``to_onnx`` exports whole models, and ``save_weights`` writes files of
# safetensors; both need a package of their own.
for (ours, a), (theirs, b) in zip(
    list(clf.get_weights().items())[:4], to_torch_state(clf).items(), strict=False
):
    print(f"{ours:13} {a.shape!s:14} {theirs:13} {b.shape}")

# %%
# Rounded weights: each kernel gets ``2 ** n_bits - 1`` levels, from minus its largest
# absolute value to that value, and the other arrays stay as they are.


def rounded(array: np.ndarray, n_bits: int) -> np.ndarray:
    """Return an array rounded to levels at equal distances."""
    largest = np.abs(array).max()
    step = largest / (2 ** (n_bits - 1) - 1)
    return np.round(array / step) * step


weights = clf.get_weights()
kernels = [name for name in weights if name.endswith("kernel")]
bits = np.arange(2, 9)
scores = []
for n_bits in bits:
    again.set_weights({name: rounded(weights[name], n_bits) for name in kernels})
    scores.append(again.score(X_test, y_test))
    print(f"{n_bits} bits: accuracy {scores[-1]:.3f}")

# %%
# A few bits are enough for this network, and the accuracy falls steeply below that. The
# histogram shows what is left of the kernel of the dense layer.
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
kernel = weights["dense1/kernel"]
left.hist(kernel.ravel(), 80, color="#56B4E9", label="64 bits")
left.hist(rounded(kernel, 3).ravel(), 80, color="#D55E00", alpha=0.6, label="3 bits")
left.set(xlabel="weight", ylabel="number of weights", yscale="log", title="dense1")
left.legend()
right.axhline(clf.score(X_test, y_test), color="0.5", ls="--", label="not rounded")
right.plot(bits, scores, "o-", color="#0072B2", label="rounded")
right.set(xlabel="bits of a weight", ylabel="test accuracy", ylim=(0, 1.05))
right.legend(loc="lower right")
plt.show()
